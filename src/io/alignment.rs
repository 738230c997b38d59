//! Reads out of BAM and CRAM files.

use std::path::{Path, PathBuf};

use rust_htslib::bam::record::{Aux, Record};
use rust_htslib::bam::{IndexedReader, Read as _};

use super::alignment_index::AlignmentIndexes;
use super::bgzf_tail::{check_alignment_end, head};
use super::error::{IoError, refuse_remote};
use cnnfilter_core::genome::{
    AlignedRead, Cigar, CigarOp, Contig, ContigTable, ReadFilter, ReadFlags, ReadSink, Span,
};
use cnnfilter_core::samples::{ReadGroup, ReadRoute, RoutedFile};

/// One BAM or CRAM file with its index.
struct AlignmentFile {
    path: PathBuf,
    route: ReadRoute,
    reader: IndexedReader,
    /// The next read of the sweep.
    next: Record,
    /// Whether `next` holds a read.
    pending: bool,
}

/// One or several BAM or CRAM files, read as if they were one.
pub struct AlignmentSource {
    files: Vec<AlignmentFile>,
    filter: ReadFilter,
}

/// What a file's header says.
#[derive(Debug, Clone)]
pub struct AlignmentHeader {
    /// Contigs.
    pub contigs: ContigTable,
    /// Read groups, without those of artificial haplotypes.
    pub groups: Vec<ReadGroup>,
}

/// The header of a file. The file's end and its index are looked at as well, once for all the times
/// that it is opened.
///
/// # Errors
/// Where the file, or its index, is missing, cut off or of another format.
pub fn header(path: &Path, reference: &Path) -> Result<AlignmentHeader, IoError> {
    refuse_remote(path)?;
    check_alignment_end(path)?;
    let indexes = AlignmentIndexes::find(path, is_cram(path)?)?;
    let reader = open_indexed(path, reference)?;
    let header = reader.header();
    indexes.check_contigs(path, header.target_count())?;
    let contigs = ContigTable::new((0..header.target_count()).map(|id| Contig {
        name: String::from_utf8_lossy(header.tid2name(id)).into_owned(),
        length: header.target_len(id),
    }));
    let groups = read_groups(header.as_bytes());
    Ok(AlignmentHeader { contigs, groups })
}

/// The `@RG` lines of a header's text.
fn read_groups(text: &[u8]) -> Vec<ReadGroup> {
    let field = |line: &[u8], tag: &[u8]| {
        line.split(|byte| *byte == b'\t')
            .find_map(|field| field.strip_prefix(tag))
            .map(<[u8]>::to_vec)
    };
    text.split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"@RG\t"))
        .filter_map(|line| {
            let name = field(line, b"ID:")?;
            let sample = field(line, b"SM:").filter(|sample| !sample.is_empty());
            (!ReadGroup::is_artificial(&String::from_utf8_lossy(&name))).then(|| ReadGroup {
                name,
                sample: sample.map(|sample| String::from_utf8_lossy(&sample).into_owned()),
            })
        })
        .collect()
}

/// Opens a file with its index; a CRAM with its reference. Everything that htslib does not survive has
/// been looked at before, by [`header`].
///
/// # Errors
/// Where the file, or its index, is missing or of another format.
pub(super) fn open_indexed(path: &Path, reference: &Path) -> Result<IndexedReader, IoError> {
    let fail = |action: &str, error| IoError::htslib(path, action, error);
    let mut reader = IndexedReader::from_path(path).map_err(|error| {
        fail(
            "opening it or its index (`samtools index` makes that again)",
            error,
        )
    })?;
    if is_cram(path)? {
        reader
            .set_reference(reference)
            .map_err(|error| fail("setting the reference", error))?;
    }
    Ok(reader)
}

fn is_cram(path: &Path) -> Result<bool, IoError> {
    Ok(head(path, 4)? == b"CRAM")
}

impl AlignmentFile {
    fn open(file: &RoutedFile, reference: &Path) -> Result<Self, IoError> {
        Ok(Self {
            path: file.path.clone(),
            route: file.route.clone(),
            reader: open_indexed(&file.path, reference)?,
            next: Record::new(),
            pending: false,
        })
    }

    /// Moves on to the next read of the sweep.
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

impl AlignmentSource {
    /// Opens the files for one thread; reads that do not pass `filter` are not seen.
    ///
    /// # Errors
    /// Where a file, or its index, is missing, cut off or of another format.
    pub fn open(
        files: &[RoutedFile],
        filter: ReadFilter,
        reference: &Path,
    ) -> Result<Self, IoError> {
        let files = files
            .iter()
            .map(|file| AlignmentFile::open(file, reference))
            .collect::<Result<_, _>>()?;
        Ok(Self { files, filter })
    }

    /// Sweeps once over the part of `contig` that the samples need and offers each of them its
    /// reads, in the order of their starts; of two that start together the one of the earlier file
    /// first. `samples` has one sink a sample, in the order of the routes.
    ///
    /// A file without the contig offers nothing.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn sweep(&mut self, contig: &str, samples: &mut [impl ReadSink]) -> Result<(), IoError> {
        let spans = samples.iter().filter_map(ReadSink::span);
        let Some(Span { start, end }) = Span::covering(spans) else {
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
            if self.filter.passes(ReadFlags(record.flags()), record.mapq())
                && let Some(sample) = file.route.sample_of(read_group(record))
                && let Some(sink) = samples.get_mut(sample)
            {
                sink.offer(record.pos(), end_of(record), || convert(record));
            }
            file.advance()?;
        }
    }
}

/// The name of a record's read group.
pub(super) fn read_group(record: &Record) -> Option<&str> {
    match record.aux(b"RG") {
        Ok(Aux::String(group)) => Some(group),
        _ => None,
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

fn convert(record: &Record) -> AlignedRead {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_groups_of_a_header() {
        let text = b"@HD\tVN:1.6\n@RG\tID:a\tPL:x\tSM:one\n@RG\tSM:two two\tID:b\n@RG\tID:c\n\
            @RG\tID:ArtificialHaplotypeRG\tSM:HC\n@RG\tSM:no name\n@CO\t@RG\tID:d\n";
        let groups: Vec<_> = read_groups(text)
            .into_iter()
            .map(|group| (String::from_utf8(group.name).unwrap(), group.sample))
            .collect();
        assert_eq!(
            groups,
            [
                ("a".to_owned(), Some("one".to_owned())),
                ("b".to_owned(), Some("two two".to_owned())),
                ("c".to_owned(), None),
            ]
        );
    }

    #[test]
    fn a_record_names_its_group() {
        let mut record = Record::new();
        record.set(b"r", None, b"A", b"!");
        assert_eq!(read_group(&record), None);
        record.push_aux(b"RG", Aux::String("a")).unwrap();
        assert_eq!(read_group(&record), Some("a"));
    }
}
