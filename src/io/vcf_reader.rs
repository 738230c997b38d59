//! A VCF's header and its records, one after another.

use std::collections::HashMap;
use std::path::Path;

use super::error::{IoError, Problem};
use super::text_source::TextSource;
use cnnfilter_core::vcf::{OrderCheck, VcfError, VcfHeader, VcfRecord, last_line};

/// Reads VCF, VCF.gz, BCF or standard input (`-`), in the order of the file, which must be sorted
/// unless [`Order`] says otherwise.
pub struct VcfReader {
    source: TextSource,
    header: VcfHeader,
    columns: usize,
    /// Records read so far.
    number: u64,
    check: OrderCheck,
    order: Order,
}

/// What is asked of the order of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Contigs in one piece each, positions ascending.
    Sorted,
    /// The same; the user has a way to allow any order, which the message names.
    SortedUnlessAllowed,
    /// None.
    Any,
}

impl Order {
    /// What a command asks for whose user may allow any order.
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
        Self::of_source(TextSource::open_as(file, path)?)
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
            source,
            header,
            number: 0,
            check: OrderCheck::default(),
            order: Order::Sorted,
        })
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
        })
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
