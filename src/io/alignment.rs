//! Reads out of BAM and CRAM files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_htslib::bam::record::{Aux, Record};
use rust_htslib::bam::{IndexedReader, Read as _};

use super::alignment_index::{AlignmentIndex, path_of_index};
use super::bgzf_tail::{check_alignment_end, head};
use super::equal_bases::Equals;
use super::error::{IoError, Problem, refuse_remote};
use super::fasta::Reference;
use super::hts;
use super::sam_header::{self, Sequences};
use super::text_source::is_stream;
use cnnfilter_core::genome::{
    AlignedRead, Cigar, CigarOp, Contig, ContigTable, ReadFilter, ReadFlags, ReadSink, Span,
};
use cnnfilter_core::samples::{ReadGroup, ReadRoute, RoutedFile};

/// A BAM or CRAM file that is open, with its index, and what messages about it say.
pub(super) struct IndexedAlignment {
    pub reader: IndexedReader,
    pub index: PathBuf,
    pub is_cram: bool,
    pub path: PathBuf,
    reference: Arc<Reference>,
}

/// One BAM or CRAM file of a sweep.
pub(super) struct AlignmentFile {
    pub(super) file: IndexedAlignment,
    pub(super) route: ReadRoute,
    /// The read groups to which the header gives a sample.
    groups: Vec<Vec<u8>>,
    /// Reads over calls of other groups, by the name of the group; of none under an empty name.
    strangers: BTreeMap<Vec<u8>, u64>,
    /// The next read of the sweep.
    pub(super) next: Record,
    /// True where `next` holds a read.
    pub(super) pending: bool,
}

/// One or several BAM or CRAM files, read as if they were one.
pub struct AlignmentSource {
    pub(super) files: Vec<AlignmentFile>,
    pub(super) filter: ReadFilter,
    /// Reads over calls whose CIGAR has `N`.
    spliced: u64,
    equals: Equals,
}

/// Counts of oddities among reads over calls. A read over two calls counts twice, so that the
/// numbers do not depend on how the calls are shared out among threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Reads of groups to which the header of their file gives no sample, by file and group; an
    /// empty name for reads of no group.
    pub strangers: BTreeMap<(PathBuf, Vec<u8>), u64>,
    /// Reads with `N` in their CIGAR.
    pub spliced: u64,
}

impl ReadCounts {
    /// Adds the counts of another thread.
    pub fn add(&mut self, other: Self) {
        for (key, count) in other.strangers {
            *self.strangers.entry(key).or_default() += count;
        }
        self.spliced += other.spliced;
    }
}

/// A file's header.
#[derive(Debug, Clone)]
pub struct AlignmentHeader {
    /// Contigs.
    pub contigs: ContigTable,
    /// Read groups, without those of artificial haplotypes.
    pub groups: Vec<ReadGroup>,
    /// Its lines.
    text: Vec<u8>,
    /// True for CRAM.
    pub is_cram: bool,
    /// What the user should know about its index, if anything.
    pub note: Option<String>,
}

impl AlignmentHeader {
    /// MD5 of the bases of contigs, by name, where the `@SQ` lines have it.
    pub fn checksums(&self) -> BTreeMap<String, String> {
        Sequences::of_header(&self.text).checksums
    }
}

/// The header of a file. The file's end and its index are looked at as well, once for all the times
/// that it is opened.
///
/// # Errors
/// Where the file, or its index, is missing, cut off or of another format.
pub fn header(path: &Path, reference: &Arc<Reference>) -> Result<AlignmentHeader, IoError> {
    refuse_remote(path)?;
    refuse_stream(path)?;
    check_alignment_end(path)?;
    let index = AlignmentIndex::find(path, is_cram(path)?)?;
    let file = IndexedAlignment::open(path, reference)?;
    let header = file.reader.header();
    let note = index.check(path, header.target_count())?;
    let contigs = ContigTable::new((0..header.target_count()).map(|id| Contig {
        name: String::from_utf8_lossy(header.tid2name(id)).into_owned(),
        length: header.target_len(id),
    }));
    Ok(AlignmentHeader {
        contigs,
        groups: read_groups(header.as_bytes()),
        text: header.as_bytes().to_vec(),
        is_cram: file.is_cram,
        note,
    })
}

/// Reads are sought by an index, which a stream does not have.
fn refuse_stream(path: &Path) -> Result<(), IoError> {
    if !is_stream(path) {
        return Ok(());
    }
    let expected = "a BAM or CRAM file with its index beside it (`samtools index`)";
    let found = "standard input, a pipe or a device; write the reads to a file first".to_owned();
    Err(IoError::new(path, Problem::Format { expected, found }))
}

/// Makes sure that reads of a file belong to a sample of the calls, where its read groups say so: a
/// header that names none of the groups of its reads would leave them all out.
///
/// # Errors
/// Where none of the file's first reads is of a group in its header, or it cannot be read.
pub fn check_groups(file: &RoutedFile, reference: &Arc<Reference>) -> Result<(), IoError> {
    /// Reads that are looked at.
    const MOST: usize = 100_000;
    let ReadRoute::Groups { .. } = file.route else {
        return Ok(());
    };
    let mut open = IndexedAlignment::open(&file.path, reference)?;
    let mut record = Record::new();
    let mut strangers: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for (contig, length) in open.contigs_of_reference() {
        open.fetch(contig, 0, length)?;
        while count < MOST && open.read(&mut record)? {
            let group = group_of(&record);
            if group.is_some_and(|group| is_among(&file.groups, group)) {
                return Ok(());
            }
            if !group.is_some_and(ReadGroup::is_artificial) {
                count += 1;
                *strangers
                    .entry(group.unwrap_or("none").to_owned())
                    .or_default() += 1;
            }
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    let names = |names: &mut dyn Iterator<Item = String>| {
        let names: Vec<String> = names.take(4).map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let mut known = file.groups.iter();
    Err(IoError::other(
        &file.path,
        format!(
            "none of its first {count} reads is of a read group in its header: the reads say {}, the header {}; mend the header (`samtools reheader`), or give all reads of the file to one sample with --sample-map",
            names(&mut strangers.into_keys()),
            names(
                &mut known
                    .by_ref()
                    .map(|name| String::from_utf8_lossy(name).into_owned())
            ),
        ),
    ))
}

/// The `@RG` lines of a header's text.
fn read_groups(text: &[u8]) -> Vec<ReadGroup> {
    sam_header::lines(text, b"@RG\t")
        .filter_map(|line| {
            let name = sam_header::field(line, b"ID:")?;
            let sample = sam_header::field(line, b"SM:").filter(|sample| !sample.is_empty());
            (!ReadGroup::is_artificial(&String::from_utf8_lossy(name))).then(|| ReadGroup {
                name: name.to_vec(),
                sample: sample.map(|sample| String::from_utf8_lossy(sample).into_owned()),
            })
        })
        .collect()
}

fn is_cram(path: &Path) -> Result<bool, IoError> {
    Ok(head(path, 4)? == b"CRAM")
}

impl IndexedAlignment {
    /// Opens a file with its index; a CRAM with its reference. Everything that htslib does not
    /// survive has been looked at before, by [`header`].
    ///
    /// # Errors
    /// Where the file, or its index, is missing or of another format.
    pub(super) fn open(path: &Path, reference: &Arc<Reference>) -> Result<Self, IoError> {
        let is_cram = is_cram(path)?;
        let index = path_of_index(path, is_cram)?;
        let reader = hts::alignment_reader(path, &index).map_err(|error| {
            let action = format!(
                "opening it or its index {} (`samtools index` makes that again)",
                index.display()
            );
            IoError::htslib(path, action, error)
        })?;
        if is_cram {
            hts::set_reference(&reader, reference.path())
                .map_err(|error| IoError::htslib(path, "setting the reference", error))?;
        }
        Ok(Self {
            reader,
            index,
            is_cram,
            path: path.to_owned(),
            reference: Arc::clone(reference),
        })
    }

    /// Number and length of the contigs that the reference has, in the order of the header. Of others
    /// nothing is asked, and a CRAM's reads could not be decoded there.
    pub(super) fn contigs_of_reference(&self) -> Vec<(u32, i64)> {
        let header = self.reader.header();
        (0..header.target_count())
            .filter(|id| self.has(header.tid2name(*id)))
            .map(|id| (id, header.target_len(id).unwrap_or(0) as i64))
            .collect()
    }

    fn has(&self, contig: &[u8]) -> bool {
        let contigs = self.reference.contigs();
        contigs.get(&String::from_utf8_lossy(contig)).is_some()
    }

    /// Goes to a stretch of a contig, 0-based and half-open.
    ///
    /// # Errors
    /// Where the index cannot tell.
    pub(super) fn fetch(&mut self, contig: u32, start: i64, end: i64) -> Result<(), IoError> {
        let fetched = self.reader.fetch((contig as i32, start, end));
        fetched.map_err(|error| {
            let name = String::from_utf8_lossy(self.reader.header().tid2name(contig)).into_owned();
            self.error(&format!("seeking {name}:{}-{end}", start + 1), error)
        })
    }

    /// Reads the next record of the stretch; false behind the last one.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, IoError> {
        match self.reader.read(record) {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => Err(self.error("reading", error)),
        }
    }

    /// An error of htslib, with what may be behind it.
    fn error(&self, action: &str, error: rust_htslib::errors::Error) -> IoError {
        let reason = if self.is_cram {
            let header = self.reader.header();
            let lacking: Vec<String> = (0..header.target_count())
                .map(|id| header.tid2name(id))
                .filter(|name| !self.has(name))
                .take(4)
                .map(|name| format!("`{}`", String::from_utf8_lossy(name)))
                .collect();
            let lacks = if lacking.is_empty() {
                String::new()
            } else {
                format!(
                    ": {} lacks {} of its header",
                    self.reference.path().display(),
                    lacking.join(", ")
                )
            };
            format!("or not made with this reference{lacks}")
        } else {
            format!(
                "or {} is the index of another file: make it again with `samtools index {}`",
                self.index.display(),
                self.path.display()
            )
        };
        IoError::htslib(
            &self.path,
            format!("{action} (the file is damaged, {reason})"),
            error,
        )
    }
}

impl AlignmentFile {
    fn open(file: &RoutedFile, reference: &Arc<Reference>) -> Result<Self, IoError> {
        Ok(Self {
            file: IndexedAlignment::open(&file.path, reference)?,
            route: file.route.clone(),
            groups: file.groups.clone(),
            strangers: BTreeMap::new(),
            next: Record::new(),
            pending: false,
        })
    }

    /// Moves on to the next read of the sweep.
    ///
    /// # Errors
    /// Where the file is damaged, or its reads are not sorted. `samtools index` takes a CRAM that is
    /// not sorted.
    pub(super) fn advance(&mut self) -> Result<(), IoError> {
        let before = self.pending.then(|| self.next.pos());
        self.pending = self.file.read(&mut self.next)?;
        match before {
            Some(before) if self.pending && self.next.pos() < before => {
                let path = &self.file.path;
                let what = format!(
                    "found a read at position {} behind one at {}; expected reads in the order of their positions (`samtools sort`, then `samtools index`)",
                    self.next.pos() + 1,
                    before + 1,
                );
                Err(IoError::other(path, what))
            }
            _ => Ok(()),
        }
    }

    /// Counts a read whose group has no sample by the header.
    fn count_stranger(&mut self, calls: u64) {
        let group = group_of(&self.next);
        let is_known = group
            .is_some_and(|group| ReadGroup::is_artificial(group) || is_among(&self.groups, group));
        // A file without read groups is of one sample, by whatever name.
        if is_known || calls == 0 || (group.is_none() && self.groups.is_empty()) {
            return;
        }
        let name = group.unwrap_or_default().as_bytes();
        match self.strangers.get_mut(name) {
            Some(count) => *count += calls,
            None => drop(self.strangers.insert(name.to_vec(), calls)),
        }
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
        reference: &Arc<Reference>,
    ) -> Result<Self, IoError> {
        let files = files
            .iter()
            .map(|file| AlignmentFile::open(file, reference))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            files,
            filter,
            spliced: 0,
            equals: Equals::new(reference),
        })
    }

    /// Counts of the reads so far.
    pub fn counts(&self) -> ReadCounts {
        let strangers = self.files.iter().flat_map(|file| {
            let path = &file.file.path;
            let counts = file.strangers.iter();
            counts.map(move |(group, count)| ((path.clone(), group.clone()), *count))
        });
        ReadCounts {
            strangers: strangers.collect(),
            spliced: self.spliced,
        }
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
        self.equals.contig = contig.to_owned();
        for file in &mut self.files {
            file.pending = false;
            let Some(id) = file.file.reader.header().tid(contig.as_bytes()) else {
                continue;
            };
            file.file.fetch(id, start, end)?;
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
            if self
                .filter
                .passes(ReadFlags(file.next.flags()), file.next.mapq())
            {
                let (start, end) = (file.next.pos(), end_of(&file.next));
                let calls = samples
                    .first()
                    .map_or(0, |sink| sink.calls_over(start, end));
                file.count_stranger(calls);
                let record = &file.next;
                if let Some(sample) = file.route.sample_of(group_of(record))
                    && let Some(sink) = samples.get_mut(sample)
                {
                    if operations(record).any(|(op, _)| op == CigarOp::Skip) {
                        self.spliced += calls;
                    }
                    sink.offer(start, end, || self.equals.spell(convert(record)));
                    self.equals.check()?;
                }
            }
            file.advance()?;
        }
    }
}

/// The name of a record's read group, if it has one.
pub(super) fn group_of(record: &Record) -> Option<&str> {
    match record.aux(b"RG") {
        Ok(Aux::String(group)) => Some(group),
        _ => None,
    }
}

fn is_among(groups: &[Vec<u8>], group: &str) -> bool {
    groups.iter().any(|known| known == group.as_bytes())
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
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use rust_htslib::bam::{self, Header};

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

    /// Counts reads.
    #[derive(Default)]
    struct Count(u64);

    impl ReadSink for Count {
        fn span(&self) -> Option<Span> {
            let (start, end) = (0, 90);
            Some(Span { start, end })
        }

        fn offer(&mut self, _: i64, _: i64, _: impl FnOnce() -> AlignedRead) {
            self.0 += 1;
        }

        fn calls_over(&self, _: i64, _: i64) -> u64 {
            1
        }
    }

    /// Reads of a CRAM with reads at some positions, which has its index.
    fn reads_at(positions: &[i64]) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("r.fa"), format!(">c\n{}\n", "ACGTA".repeat(18))).unwrap();
        std::fs::write(place("r.fa.fai"), "c\t90\t3\t90\t91\n").unwrap();
        let reference = Reference::open(&place("r.fa")).unwrap();
        let path = place("x.cram");
        let text = b"@SQ\tSN:c\tLN:90\tM5:0b930adea460a7b0c7cbebcf65b1e7d3\n";
        let header = Header::from_template(&bam::HeaderView::from_bytes(text));
        let mut writer = bam::Writer::from_path(&path, &header, bam::Format::Cram).unwrap();
        writer.set_reference(place("r.fa")).unwrap();
        for position in positions {
            let mut record = Record::new();
            let cigar = bam::record::CigarString(vec![bam::record::Cigar::Match(4)]);
            record.set(b"r", Some(&cigar), b"ACGT", b"!!!!");
            record.unset_unmapped();
            record.set_tid(0);
            record.set_pos(*position);
            writer.write(&record).unwrap();
        }
        drop(writer);
        bam::index::build(&path, None, bam::index::Type::Csi(14), 1).unwrap();
        let file = RoutedFile {
            path,
            route: ReadRoute::All(0),
            groups: Vec::new(),
        };
        let mut sinks = [Count::default()];
        AlignmentSource::open(&[file], ReadFilter::default(), &reference)
            .and_then(|mut source| source.sweep("c", &mut sinks))
            .map_err(|error| error.to_string())?;
        Ok(sinks[0].0)
    }

    #[test]
    fn reads_that_are_not_sorted_are_refused() {
        assert_eq!(reads_at(&[4, 4, 9]), Ok(3));
        let message = reads_at(&[4, 9, 7]).unwrap_err();
        let expected = "x.cram: found a read at position 8 behind one at 10; expected";
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn a_record_names_its_group() {
        let mut record = Record::new();
        record.set(b"r", None, b"A", b"!");
        assert_eq!(group_of(&record), None);
        record.push_aux(b"RG", Aux::String("a")).unwrap();
        assert_eq!(group_of(&record), Some("a"));
    }
}
