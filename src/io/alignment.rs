//! Reads out of BAM and CRAM files.

use std::path::{Path, PathBuf};

use rust_htslib::bam::record::{Aux, Record};
use rust_htslib::bam::{self, IndexedReader, Read as _};

use super::bgzf_tail::{check_alignment_end, head};
use super::error::{IoError, Problem, refuse_remote};
use super::with_suffix;
use crate::encode::pileup::ReadSink;
use crate::genome::{AlignedRead, Cigar, CigarOp, Contig, ContigTable, ReadFlags};

/// One BAM or CRAM file with its index.
struct AlignmentFile {
    path: PathBuf,
    reader: IndexedReader,
    /// The next read of the stretch being swept.
    next: Record,
    /// Whether `next` holds a read.
    pending: bool,
}

/// One or several BAM or CRAM files, read as if they were one.
pub struct AlignmentSource {
    files: Vec<AlignmentFile>,
}

/// The contigs of a file's header.
///
/// # Errors
/// Where the file, or its index, is missing or broken.
pub fn contigs(path: &Path, reference: &Path) -> Result<ContigTable, IoError> {
    let file = AlignmentFile::open(path, reference)?;
    let header = file.reader.header();
    Ok(ContigTable::new((0..header.target_count()).map(|id| {
        Contig {
            name: String::from_utf8_lossy(header.tid2name(id)).into_owned(),
            length: header.target_len(id),
        }
    })))
}

/// Opens a file with its index; a CRAM with its reference.
///
/// # Errors
/// Where the file, or its index, is missing, cut off or of another format.
pub(super) fn open_indexed(path: &Path, reference: &Path) -> Result<IndexedReader, IoError> {
    refuse_remote(path)?;
    check_alignment_end(path)?;
    let is_cram = head(path, 4)? == b"CRAM";
    check_index(path, is_cram)?;
    let fail = |action: &str, error| IoError::htslib(path, action, error);
    let mut reader = IndexedReader::from_path(path).map_err(|error| {
        fail(
            "opening it or its index (`samtools index` makes that again)",
            error,
        )
    })?;
    if is_cram {
        reader
            .set_reference(reference)
            .map_err(|error| fail("setting the reference", error))?;
    }
    Ok(reader)
}

impl AlignmentFile {
    fn open(path: &Path, reference: &Path) -> Result<Self, IoError> {
        Ok(Self {
            path: path.to_owned(),
            reader: open_indexed(path, reference)?,
            next: Record::new(),
            pending: false,
        })
    }

    /// Moves on to the next read of the stretch.
    fn advance(&mut self) -> Result<(), IoError> {
        self.pending = match self.reader.read(&mut self.next) {
            None => false,
            Some(Ok(())) => true,
            Some(Err(error)) => {
                return Err(IoError::htslib(
                    &self.path,
                    "reading (the file is damaged, or not made with this reference)",
                    error,
                ));
            }
        };
        Ok(())
    }
}

/// An index beside the file, under one of its usual names.
fn check_index(path: &Path, is_cram: bool) -> Result<(), IoError> {
    let candidates = if is_cram {
        vec![with_suffix(path, ".crai"), path.with_extension("crai")]
    } else {
        vec![
            with_suffix(path, ".bai"),
            with_suffix(path, ".csi"),
            path.with_extension("bai"),
            path.with_extension("csi"),
        ]
    };
    if candidates.iter().any(|candidate| candidate.is_file()) {
        return Ok(());
    }
    let names: Vec<String> = candidates
        .iter()
        .map(|candidate| format!("`{}`", candidate.display()))
        .collect();
    Err(IoError::new(
        path,
        Problem::NoIndex {
            looked_for: names.join(", "),
            command: format!("samtools index {}", path.display()),
        },
    ))
}

impl AlignmentSource {
    /// Opens the files for one thread.
    ///
    /// # Errors
    /// Where a file, or its index, is missing, cut off or of another format.
    pub fn open(paths: &[PathBuf], reference: &Path) -> Result<Self, IoError> {
        let files = paths
            .iter()
            .map(|path| AlignmentFile::open(path, reference))
            .collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    /// Sweeps once over the stretch of `contig` that `reads` needs and offers it every read, in
    /// the order of their starts; of two that start together the one of the earlier file first.
    ///
    /// Left out are reads of HaplotypeCaller's artificial haplotypes (read groups with `artificial`
    /// in their name, as GATK's networks have it). Duplicates, secondary, supplementary and QC-fail
    /// reads are offered. A file without the contig offers nothing.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn sweep(&mut self, contig: &str, reads: &mut impl ReadSink) -> Result<(), IoError> {
        let Some((start, end)) = reads.span() else {
            return Ok(());
        };
        for file in &mut self.files {
            file.pending = false;
            let Some(id) = file.reader.header().tid(contig.as_bytes()) else {
                continue;
            };
            file.reader
                .fetch((id as i32, start, end))
                .map_err(|error| {
                    IoError::htslib(
                        &file.path,
                        format!("seeking {contig}:{}-{end}", start + 1),
                        error,
                    )
                })?;
            file.advance()?;
        }
        loop {
            let earliest = self
                .files
                .iter_mut()
                .filter(|file| file.pending)
                .min_by_key(|file| file.next.pos());
            let Some(file) = earliest else {
                return Ok(());
            };
            let record = &file.next;
            if !is_artificial(record) {
                reads.offer(record.pos(), end_of(record), || convert(record));
            }
            file.advance()?;
        }
    }
}

/// Whether HaplotypeCaller made the read up (`-bamout` writes its haplotypes as reads).
fn is_artificial(record: &Record) -> bool {
    match record.aux(b"RG") {
        Ok(Aux::String(group)) => group.to_ascii_lowercase().contains("artificial"),
        _ => false,
    }
}

/// The operations of a record's CIGAR, from its packed form (length << 4 | code).
fn operations(record: &Record) -> impl Iterator<Item = (CigarOp, u32)> {
    record.raw_cigar().iter().map(|packed| {
        let op = match packed & 0xf {
            0 => CigarOp::Match,
            1 => CigarOp::Insertion,
            2 => CigarOp::Deletion,
            3 => CigarOp::Skip,
            4 => CigarOp::SoftClip,
            5 => CigarOp::HardClip,
            7 => CigarOp::Equal,
            8 => CigarOp::Diff,
            _ => CigarOp::Pad,
        };
        (op, packed >> 4)
    })
}

/// [`AlignedRead::end`] of a record that has not been converted.
pub(super) fn end_of(record: &Record) -> i64 {
    let span: i64 = if record.is_unmapped() {
        0
    } else {
        operations(record)
            .filter(|(op, _)| op.consumes_reference())
            .map(|(_, length)| i64::from(length))
            .sum()
    };
    record.pos() + span.max(1)
}

fn convert(record: &bam::Record) -> AlignedRead {
    AlignedRead {
        start: record.pos(),
        flags: ReadFlags(record.flags()),
        mapping_quality: record.mapq(),
        cigar: Cigar(operations(record).collect()),
        bases: record.seq().as_bytes(),
        qualities: record.qual().to_vec(),
        template_length: record.insert_size(),
        mate_elsewhere: record.is_paired()
            && !record.is_mate_unmapped()
            && record.mtid() != record.tid(),
        name: fnv1a(record.qname()),
    }
}

/// The 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
