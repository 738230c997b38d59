//! The calls of some regions, by the index of their file (TBI or CSI), without reading the rest.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use noodles_bgzf::VirtualPosition;
use noodles_bgzf::io::Reader as BgzfReader;

use super::alignment_index::is_older;
use super::bcf_header;
use super::bgzf_tail::{BGZF_EOF, head, is_bgzf, tail};
use super::binning_index::BinningIndex;
use super::error::IoError;
use super::file::{self, File};
use super::{header_ids, with_suffix};
use cnnfilter_core::genome::{Interval, IntervalSet};

/// A file of calls with an index that is its own.
pub(super) struct IndexedCalls {
    bytes: BgzfReader<BufReader<File>>,
    index: BinningIndex,
    /// Number, name and first offset of the contigs with records, in the order of the file.
    contigs: Vec<(usize, String, u64)>,
    /// The bytes of a BCF's header; nothing for text.
    bcf_header: Option<Vec<u8>>,
}

/// Why calls cannot be sought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIndexed {
    /// They come out of a pipe.
    #[error("it is a stream")]
    Stream,
    /// Plain text, or compressed otherwise.
    #[error("it is not compressed by bgzip")]
    NotBgzipped,
    /// The end of the file is missing.
    #[error("it is cut off")]
    CutOff,
    /// There is no index.
    #[error("it has no index (`bcftools index`)")]
    NoIndex,
    /// There is one that does not fit, or does not count records where that is needed.
    #[error("{0}")]
    Unfit(String),
}

impl IndexedCalls {
    /// Opens a file with its index; says why it cannot be used where it cannot.
    ///
    /// # Errors
    /// Where the file itself cannot be read.
    pub(super) fn open(file: &Path) -> Result<Result<Self, NotIndexed>, IoError> {
        if !file::is_file(file) {
            return Ok(Err(NotIndexed::Stream));
        }
        if !is_bgzf(&head(file, 18)?) {
            return Ok(Err(NotIndexed::NotBgzipped));
        }
        // A file that is cut off is read through to its end, where that is told.
        if tail(file, BGZF_EOF.len() as u64)? != BGZF_EOF {
            return Ok(Err(NotIndexed::CutOff));
        }
        let mut why = NotIndexed::NoIndex;
        for suffix in [".csi", ".tbi"] {
            let path = with_suffix(file, suffix);
            if !file::is_file(&path) {
                continue;
            }
            let unfit = |what: &str| {
                NotIndexed::Unfit(format!(
                    "{} {what} (`bcftools index -f` makes it again)",
                    path.display()
                ))
            };
            let index = match BinningIndex::read(&path) {
                Ok(Some(index)) if !is_older(&path, file) => index,
                Ok(Some(_)) => {
                    why = unfit("is older than it");
                    continue;
                }
                _ => {
                    why = unfit("is damaged");
                    continue;
                }
            };
            match Self::with_index(file, index)? {
                Some(calls) => return Ok(Ok(calls)),
                None => why = unfit("is the index of another file"),
            }
        }
        Ok(Err(why))
    }

    /// Nothing where the index is not of this file.
    fn with_index(file: &Path, index: BinningIndex) -> Result<Option<Self>, IoError> {
        let open = || {
            let file = File::open(file)?;
            Ok(BgzfReader::new(BufReader::new(file)))
        };
        let mut bytes = open().map_err(|e| IoError::system(file, "open", e))?;
        let start = bytes
            .fill_buf()
            .map_err(|e| IoError::system(file, "read", e))?;
        let bcf_header = if start.starts_with(b"BCF\x02") {
            Some(bcf_header::read(&mut bytes, file)?)
        } else {
            None
        };
        // Behind the last record that the index knows the file ends.
        if let Some(end) = index.end() {
            let at_end = bytes
                .seek(VirtualPosition::from(end))
                .and_then(|_| bytes.fill_buf());
            if !at_end.is_ok_and(<[u8]>::is_empty) {
                return Ok(None);
            }
        }
        let names = match &bcf_header {
            Some(bytes) => bcf_header::parse(bytes)
                .and_then(|header| header_ids::contigs(&header))
                .map_err(|what| IoError::other(file, what))?,
            None => BTreeMap::new(),
        };
        let mut contigs = Vec::new();
        for (id, contig) in index.contigs.iter().enumerate() {
            let Some((first, _)) = contig.span else {
                continue;
            };
            let name = if bcf_header.is_some() {
                names.get(&(id as u64)).cloned()
            } else {
                Some(String::from_utf8_lossy(&contig.name).into_owned())
            };
            match name.filter(|name| !name.is_empty()) {
                Some(name) => contigs.push((id, name, first)),
                None => return Ok(None),
            }
        }
        contigs.sort_unstable_by_key(|(_, _, first)| *first);
        Ok(Some(Self {
            bytes,
            index,
            contigs,
            bcf_header,
        }))
    }

    /// The contigs with records, in the order of the file.
    pub(super) fn contigs(&self) -> impl Iterator<Item = &str> {
        self.contigs.iter().map(|(_, name, _)| name.as_str())
    }

    /// The index, and the contigs with records by their numbers in it.
    pub(super) fn of_index(&self) -> (&BinningIndex, impl Iterator<Item = (usize, &str)>) {
        let contigs = self.contigs.iter();
        let contigs = contigs.map(|(id, name, _)| (*id, name.as_str()));
        (&self.index, contigs)
    }

    /// Number of records of the file, where the index counts them.
    pub(super) fn records(&self) -> Option<u64> {
        self.index.records()
    }

    /// The bytes of a BCF's header; nothing for text.
    pub(super) fn bcf_header(&self) -> Option<&[u8]> {
        self.bcf_header.as_deref()
    }

    /// The records whose POS lies in the regions, as bytes of the file.
    pub(super) fn of_regions(self, regions: &IntervalSet) -> RegionRecords {
        let wanted = self.contigs.iter().map(|(id, name, _)| Wanted {
            id: *id,
            name: self.index.contigs[*id].name.clone(),
            intervals: regions.on(name).to_vec(),
        });
        RegionRecords {
            wanted: wanted
                .filter(|wanted| !wanted.intervals.is_empty())
                .collect(),
            is_bcf: self.bcf_header.is_some(),
            bytes: self.bytes,
            index: self.index,
            contig: 0,
            interval: None,
            record: Vec::new(),
            given: 0,
        }
    }
}

/// A contig of which something is wanted.
struct Wanted {
    id: usize,
    /// As lines of text have it.
    name: Vec<u8>,
    intervals: Vec<Interval>,
}

/// Reads the records of regions: from each interval's first offset on, and on to the next interval
/// where that lies in another block.
pub(super) struct RegionRecords {
    bytes: BgzfReader<BufReader<File>>,
    index: BinningIndex,
    is_bcf: bool,
    wanted: Vec<Wanted>,
    /// Index of the one that is being read.
    contig: usize,
    /// Index of its interval; nothing before its first record is sought.
    interval: Option<usize>,
    /// The record being handed out, and how much of it was.
    record: Vec<u8>,
    given: usize,
}

/// Where a record lies.
enum Place {
    /// At a 0-based position of the contig that is read; before all of them for a telomere.
    Here(Option<u64>),
    /// On another contig.
    Elsewhere,
    /// Its position cannot be read; the reader of records says so.
    Damaged,
}

impl RegionRecords {
    /// Reads the next record of the regions into `record`; false behind the last one.
    fn advance(&mut self) -> io::Result<bool> {
        while let Some(wanted) = self.wanted.get(self.contig) {
            let mut at = match self.interval {
                Some(at) => at,
                None => {
                    let begin = self.index.before(wanted.id, wanted.intervals[0].start);
                    let begin = VirtualPosition::from(begin.unwrap_or(0));
                    self.bytes.seek(begin)?;
                    0
                }
            };
            self.interval = Some(at);
            if !self.read_record()? {
                self.next_contig();
                continue;
            }
            let wanted = &self.wanted[self.contig];
            let position = match self.place(wanted) {
                Place::Damaged => return Ok(true),
                Place::Elsewhere => {
                    self.next_contig();
                    continue;
                }
                Place::Here(None) => continue,
                Place::Here(Some(position)) => position,
            };
            let passed = wanted.intervals[at..].iter();
            let passed = passed
                .take_while(|interval| interval.end <= position)
                .count();
            at += passed;
            self.interval = Some(at);
            let Some(interval) = wanted.intervals.get(at) else {
                self.next_contig();
                continue;
            };
            if interval.start <= position {
                return Ok(true);
            }
            let target = self.index.before(wanted.id, interval.start).unwrap_or(0);
            let here = u64::from(self.bytes.virtual_position());
            if passed > 0 && target >> 16 > here >> 16 {
                self.bytes.seek(VirtualPosition::from(target))?;
            }
        }
        Ok(false)
    }

    fn next_contig(&mut self) {
        self.contig += 1;
        self.interval = None;
    }

    /// Reads the next record of the file; false behind the last one.
    fn read_record(&mut self) -> io::Result<bool> {
        self.record.clear();
        if !self.is_bcf {
            return Ok(self.bytes.read_until(b'\n', &mut self.record)? > 0);
        }
        let mut take = |record: &mut Vec<u8>, count: u64| -> io::Result<bool> {
            Ok(self.bytes.by_ref().take(count).read_to_end(record)? as u64 == count)
        };
        if !take(&mut self.record, 8)? {
            return match self.record.len() {
                0 => Ok(false),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        let length = u64::from(word(&self.record, 0)) + u64::from(word(&self.record, 4));
        match take(&mut self.record, length)? && length >= 8 {
            true => Ok(true),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn place(&self, wanted: &Wanted) -> Place {
        if self.is_bcf {
            // POS is 0-based, -1 for a telomere.
            let (contig, position) = (word(&self.record, 8), word(&self.record, 12) as i32);
            return if contig as usize == wanted.id {
                Place::Here(u64::try_from(position).ok())
            } else {
                Place::Elsewhere
            };
        }
        let mut columns = self.record.split(|byte| *byte == b'\t');
        let (contig, position) = (columns.next(), columns.next());
        let position =
            position.and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok());
        match (contig, position) {
            (Some(contig), _) if contig.trim_ascii().is_empty() => Place::Here(None),
            (_, None) => Place::Damaged,
            (Some(contig), Some(position)) if contig == wanted.name => {
                Place::Here(position.checked_sub(1))
            }
            _ => Place::Elsewhere,
        }
    }
}

/// Four bytes of a record as a number.
fn word(record: &[u8], at: usize) -> u32 {
    let bytes = record
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

impl Read for RegionRecords {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.record.len() {
            self.given = 0;
            if !self.advance()? {
                self.record.clear();
                return Ok(0);
            }
        }
        let count = (&self.record[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}
