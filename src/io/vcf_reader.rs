//! A VCF's header and its records, one after another.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use super::error::{IoError, Problem};
use super::indexed_calls::IndexedCalls;
pub use super::indexed_calls::NotIndexed;
use super::text_source::TextSource;
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::vcf::{OrderCheck, VcfError, VcfHeader, VcfRecord, last_line};

/// Reads VCF, VCF.gz, BCF or standard input (`-`), in the order of the file, which must be sorted
/// unless [`Order`] says otherwise.
pub struct VcfReader {
    source: TextSource,
    /// The bytes that are read: the file of `source`, or a copy of it.
    file: PathBuf,
    header: VcfHeader,
    columns: usize,
    /// Records read so far.
    number: u64,
    check: OrderCheck,
    order: Order,
    /// Records of the whole file, where only those of regions are read.
    records_of_file: Option<u64>,
}

/// The order that records must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Contigs in one piece each, positions ascending.
    Sorted,
    /// The same; the user has a way to allow any order, which the message names.
    SortedUnlessAllowed,
    /// None.
    Any,
}

/// What the index of a file of calls says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsIndex {
    /// The contigs with records, in the order of the file.
    pub contigs: Vec<String>,
    /// Number of records, where the index counts them.
    pub records: Option<u64>,
}

/// Need of the number of records outside of regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It goes into a file, which is the same with an index as without.
    Needed,
    /// It is told where it is known.
    Welcome,
}

impl Order {
    /// The order for a command whose user may allow any.
    pub fn allowed(any: bool) -> Self {
        if any {
            Self::Any
        } else {
            Self::SortedUnlessAllowed
        }
    }
}

impl VcfReader {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// Where it cannot be opened or has no proper header.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        Self::open_as(path, path)
    }

    /// Opens `file`, which messages name `path`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(file: &Path, path: &Path) -> Result<Self, IoError> {
        let reader = Self::of_source(TextSource::open_as(file, path)?)?;
        Ok(Self {
            file: file.to_owned(),
            ..reader
        })
    }

    /// Reads the header of a source that stands at its beginning.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_source(mut source: TextSource) -> Result<Self, IoError> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut line = Vec::new();
        while source.next_line(&mut line)? {
            // The first line is kept whatever it is, so that the error can show it.
            let done = !line.starts_with(b"##");
            if is_blank(&line) && !lines.is_empty() {
                let number = lines.len() + 1;
                let message = format!(
                    "line {number}, in the header, is blank; take it out (the header's lines begin with `##`, the last one with `#CHROM`)"
                );
                return Err(IoError::other(source.path(), message));
            }
            lines.push(line.clone());
            if done {
                break;
            }
        }
        let header = VcfHeader::from_bytes(lines)
            .map_err(|error| IoError::new(source.path(), Problem::VcfHeader(error)))?;
        // What a pipe's writer left unfinished when it died is never whole.
        if source.path() != Path::new("-") {
            source.take_any_last_line();
        }
        Ok(Self {
            columns: header.column_count(),
            file: source.path().to_owned(),
            source,
            header,
            number: 0,
            check: OrderCheck::default(),
            order: Order::Sorted,
            records_of_file: None,
        })
    }

    /// Before the first record: reads those of `regions` only, by the file's index (`.tbi`, `.csi`),
    /// where it has one. Records are numbered among those that are read. Returns the contigs with
    /// records, in the order of the file; without an index nothing, and says so in the log: then all
    /// records come.
    ///
    /// With `counts`, the index must know how many records there are ([`Self::left_out`]); those of
    /// htsjdk do not.
    ///
    /// # Errors
    /// Where the file cannot be read any more.
    pub fn restrict(
        &mut self,
        regions: &IntervalSet,
        counts: Counts,
    ) -> Result<Option<Vec<String>>, IoError> {
        let path = self.source.path().to_owned();
        let found = IndexedCalls::open(&self.file)?;
        let found = found.and_then(|calls| match (counts, calls.records()) {
            (Counts::Needed, None) => Err(NotIndexed::Unfit(
                "its index does not count records".to_owned(),
            )),
            _ => Ok(calls),
        });
        let calls = match found {
            Ok(calls) => calls,
            Err(why) => {
                log::info!("{}: {why}: all of it is read for -L", path.display());
                return Ok(None);
            }
        };
        let contigs = calls.contigs().map(String::from).collect();
        let is_bcf = calls.bcf_header().is_some();
        self.records_of_file = calls.records();
        self.source = TextSource::of_regions(calls, regions, &path)?;
        (self.number, self.check) = (0, OrderCheck::default());
        let mut line = Vec::new();
        while is_bcf && self.source.next_line(&mut line)? && line.starts_with(b"##") {}
        self.source.take_any_last_line();
        Ok(Some(contigs))
    }

    /// What the file's index says, or why [`Self::restrict`] could not use it.
    ///
    /// # Errors
    /// Where the file cannot be read any more.
    pub fn index(&self) -> Result<Result<CallsIndex, NotIndexed>, IoError> {
        let found = IndexedCalls::open(&self.file)?;
        Ok(found.map(|calls| CallsIndex {
            contigs: calls.contigs().map(String::from).collect(),
            records: calls.records(),
        }))
    }

    /// Behind the last record: how many lie outside the regions of [`Self::restrict`] and were not
    /// read, as far as the index counts them.
    pub fn left_out(&self) -> u64 {
        let of_file = self.records_of_file.unwrap_or(0);
        of_file.saturating_sub(self.number)
    }

    /// The same reader with another demand on the order of records.
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The header.
    pub fn header(&self) -> &VcfHeader {
        &self.header
    }

    /// The file as the user named it.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// The next record with its number, from 1; nothing at the end of the file.
    ///
    /// # Errors
    /// Where the file is cut off, or a record is damaged or out of order.
    pub fn next_record(&mut self) -> Result<Option<(u64, VcfRecord)>, IoError> {
        let mut line = Vec::new();
        loop {
            if !self.source.next_line(&mut line)? {
                return Ok(None);
            }
            if !is_blank(&line) {
                break;
            }
        }
        self.number += 1;
        if line.starts_with(b"#") {
            return Err(self.header_among_records(&line));
        }
        let place = place_of(&line);
        let parsed = VcfRecord::parse(line, self.columns);
        if self.source.lacks_line_feed() {
            self.check_last_line(parsed.as_ref().ok())?;
        }
        let record = parsed.map_err(|error| self.record_error(place, error))?;
        self.check_order(&record)?;
        Ok(Some((self.number, record)))
    }

    /// A last record without a line feed is taken, as bcftools and GATK do, where it looks whole.
    fn check_last_line(&self, record: Option<&VcfRecord>) -> Result<(), IoError> {
        let Some(record) = record.filter(|record| last_line::looks_whole(record, &self.header))
        else {
            return Err(self.source.cut_in_last_line());
        };
        log::warn!(
            "{}: the last line has no line feed; its record ({}:{}) looks whole and is taken, but if the file was cut off there, more are missing",
            self.path().display(),
            String::from_utf8_lossy(record.contig()),
            record.position()
        );
        Ok(())
    }

    fn header_among_records(&self, line: &[u8]) -> IoError {
        let text: String = String::from_utf8_lossy(line).chars().take(40).collect();
        IoError::other(
            self.path(),
            format!(
                "record {}: expected a record, found a header line (`{text}`): were several VCFs joined by `cat`? Join them with `bcftools concat`",
                self.number
            ),
        )
    }

    fn record_error(&self, place: Option<String>, source: VcfError) -> IoError {
        let number = self.number;
        IoError::new(
            self.path(),
            Problem::VcfRecord {
                number,
                place,
                source,
            },
        )
    }

    fn check_order(&mut self, record: &VcfRecord) -> Result<(), IoError> {
        let advice = match self.order {
            Order::Any => return Ok(()),
            Order::Sorted => "sort the file with `bcftools sort`",
            Order::SortedUnlessAllowed => {
                "sort the file with `bcftools sort`, or give --allow-unsorted"
            }
        };
        let Some(problem) = self.check.next(record) else {
            return Ok(());
        };
        Err(IoError::other(
            self.path(),
            format!(
                "record {} ({}:{}) {problem}; {advice}",
                self.number,
                String::from_utf8_lossy(record.contig()),
                record.position()
            ),
        ))
    }
}

/// A VCF read a contig at a time, in its own order or in that of another file.
pub struct ContigGroups {
    reader: VcfReader,
    /// The first record of the contig that comes next.
    next: Option<VcfRecord>,
    /// Contigs that were passed on the way to another one.
    passed: HashMap<String, Vec<VcfRecord>>,
    /// With an index: all contigs with records that are still to come.
    to_come: VecDeque<String>,
}

impl ContigGroups {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// Where it cannot be opened or has no proper header.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        let mut reader = VcfReader::open(path)?;
        let next = reader.next_record()?.map(|(_, record)| record);
        Ok(Self {
            reader,
            next,
            passed: HashMap::new(),
            to_come: VecDeque::new(),
        })
    }

    /// Before the first contig: [`VcfReader::restrict`] with counts. All contigs with records come
    /// still, those without one in the regions with none.
    ///
    /// # Errors
    /// As [`VcfReader::restrict`].
    pub fn restrict(&mut self, regions: &IntervalSet) -> Result<(), IoError> {
        let Some(contigs) = self.reader.restrict(regions, Counts::Needed)? else {
            return Ok(());
        };
        self.to_come = contigs.into();
        self.next = self.reader.next_record()?.map(|(_, record)| record);
        Ok(())
    }

    /// Behind the last contig: [`VcfReader::left_out`].
    pub fn left_out(&self) -> u64 {
        self.reader.left_out()
    }

    /// The header.
    pub fn header(&self) -> &VcfHeader {
        self.reader.header()
    }

    /// The records of the contig that comes next in the file, with its name.
    ///
    /// # Errors
    /// Where the file is cut off, or a record is damaged or out of order.
    pub fn next_contig(&mut self) -> Result<Option<(String, Vec<VcfRecord>)>, IoError> {
        let next = self.next.as_ref().map(VcfRecord::contig);
        if let Some(contig) = self.to_come.pop_front()
            && next != Some(contig.as_bytes())
        {
            return Ok(Some((contig, Vec::new())));
        }
        let Some(first) = self.next.take() else {
            return Ok(None);
        };
        let contig = String::from_utf8_lossy(first.contig()).into_owned();
        let mut records = vec![first];
        while let Some((_, record)) = self.reader.next_record()? {
            if record.contig() != contig.as_bytes() {
                self.next = Some(record);
                break;
            }
            records.push(record);
        }
        Ok(Some((contig, records)))
    }

    /// The records of one contig, empty where the file has none. Contigs in front of it are kept in
    /// memory until they are asked for; with the same order in both files there are none.
    ///
    /// # Errors
    /// As [`Self::next_contig`].
    pub fn take(&mut self, contig: &str) -> Result<Vec<VcfRecord>, IoError> {
        if let Some(records) = self.passed.remove(contig) {
            return Ok(records);
        }
        while let Some((name, records)) = self.next_contig()? {
            if name == contig {
                return Ok(records);
            }
            self.passed.insert(name, records);
        }
        Ok(Vec::new())
    }

    /// The contigs that nobody asked for, sorted by name.
    ///
    /// # Errors
    /// As [`Self::next_contig`].
    pub fn rest(mut self) -> Result<Vec<(String, Vec<VcfRecord>)>, IoError> {
        while let Some((name, records)) = self.next_contig()? {
            self.passed.insert(name, records);
        }
        let mut rest: Vec<_> = self.passed.into_iter().collect();
        rest.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(rest)
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"" | b"\r")
}

/// `contig:position` of a line that may be damaged.
fn place_of(line: &[u8]) -> Option<String> {
    let mut columns = line.split(|byte| *byte == b'\t');
    let (contig, position) = (columns.next()?, columns.next()?);
    Some(format!(
        "{}:{}",
        String::from_utf8_lossy(contig),
        String::from_utf8_lossy(position)
    ))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use rust_htslib::bcf::{Format, Read as _, index};

    use super::*;
    use crate::io::hts;
    use crate::io::regions::hold;
    use cnnfilter_core::genome::Interval;

    /// Calls in clusters with wide gaps, some of them long, on two of three contigs.
    fn many_calls(next: &mut impl FnMut(u64) -> u64) -> String {
        let mut text = "##fileformat=VCFv4.2\n##contig=<ID=a>\n##contig=<ID=b>\n##contig=<ID=c>\n\
            ##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n\
            ##INFO=<ID=S,Number=1,Type=String,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
            .to_owned();
        for contig in ["c", "a"] {
            let mut position = 0;
            for _ in 0..6_000 {
                position += if next(100) == 0 {
                    next(200_000)
                } else {
                    next(40)
                };
                let end = position + if next(50) == 0 { next(300_000) } else { 1 };
                let noise = next(u64::MAX);
                let _ = writeln!(
                    text,
                    "{contig}\t{position}\t.\tA\tG\t.\t.\tEND={end};S={noise:x}"
                );
            }
        }
        text
    }

    fn lines(reader: &mut VcfReader, regions: &IntervalSet) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while let Some((_, record)) = reader.next_record().unwrap() {
            if hold(Some(regions), &record) {
                let mut line = Vec::new();
                record.write_to(&mut line);
                found.push(line);
            }
        }
        found
    }

    #[test]
    fn an_index_finds_the_records_of_any_regions() {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 20) % below.min(1 << 40)
        };
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("x.vcf");
        std::fs::write(&plain, many_calls(&mut next)).unwrap();
        let mut files = Vec::new();
        for (name, format, kind) in [
            ("t.vcf.gz", Format::Vcf, index::Type::Tbx),
            ("c.vcf.gz", Format::Vcf, index::Type::Csi(14)),
            ("s.vcf.gz", Format::Vcf, index::Type::Csi(12)),
            ("b.bcf", Format::Bcf, index::Type::Csi(14)),
        ] {
            let path = folder.path().join(name);
            let mut reader = hts::variant_reader(&plain).unwrap();
            let mut writer = hts::variant_writer(&path, &reader, false, format).unwrap();
            for record in reader.records() {
                writer.write(&record.unwrap()).unwrap();
            }
            drop(writer);
            let suffix = if matches!(kind, index::Type::Tbx) {
                ".tbi"
            } else {
                ".csi"
            };
            let index = crate::io::with_suffix(&path, suffix);
            hts::build_index(&path, &index, 1, kind).unwrap();
            files.push(path);
        }
        for round in 0..60 {
            let intervals: Vec<(String, Interval)> = (0..1 + next(8))
                .map(|_| {
                    let start = next(15_000_000);
                    let end = start + 1 + next(if round % 2 == 0 { 50 } else { 400_000 });
                    (
                        ["a", "b", "c"][next(3) as usize].to_owned(),
                        Interval { start, end },
                    )
                })
                .collect();
            let regions = IntervalSet::new(intervals);
            for path in &files {
                let expected = lines(&mut VcfReader::open(path).unwrap(), &regions);
                let mut reader = VcfReader::open(path).unwrap();
                let contigs = reader.restrict(&regions, Counts::Needed).unwrap();
                let why = IndexedCalls::open(path).unwrap().err();
                assert_eq!(why, None, "{}", path.display());
                assert_eq!(contigs.unwrap(), ["c", "a"]);
                assert!(
                    lines(&mut reader, &regions) == expected,
                    "{} {regions:?}",
                    path.display()
                );
                assert_eq!(reader.number, expected.len() as u64, "nothing else is read");
                assert_eq!(reader.left_out(), 12_000 - reader.number);
            }
        }
    }
}
