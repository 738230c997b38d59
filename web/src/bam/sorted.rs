//! A sorted BAM with its index.

use std::fmt;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;

use noodles_bgzf::VirtualPosition;
use noodles_bgzf::io::Reader;

use super::bytes::{number, number_at};
use super::{HeaderView, Record, Stretch};
use crate::errors::Error;
use crate::io::binning_index::BinningIndex;
use crate::io::file::File;

/// Longest record that is believed, in bytes.
const LONGEST: usize = 1 << 28;

/// An open file and where it is read.
pub(super) struct Bam {
    bytes: Reader<BufReader<File>>,
    index: BinningIndex,
    pub(super) header: HeaderView,
    /// The stretch that is read; nothing once it was left.
    stretch: Option<Stretch>,
    /// Bytes of the record that is read.
    raw: Vec<u8>,
}

impl fmt::Debug for Bam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bam")
            .field("stretch", &self.stretch)
            .finish_non_exhaustive()
    }
}

impl Bam {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// Where it is cut off there.
    pub(super) fn open(path: &Path, index: BinningIndex) -> Result<Self, Error> {
        let mut bytes = Reader::new(BufReader::with_capacity(1 << 16, File::open(path)?));
        let mut take = |count: u32| -> Result<Vec<u8>, Error> {
            let mut taken = Vec::new();
            bytes.by_ref().take(count.into()).read_to_end(&mut taken)?;
            Ok(taken)
        };
        take(4)?;
        let length = number_at(&take(4)?, 0);
        let text = take(length)?;
        let count = number_at(&take(4)?, 0);
        let mut contigs = Vec::new();
        for _ in 0..count {
            let length = number_at(&take(4)?, 0);
            let mut name = take(length)?;
            name.pop_if(|last| *last == 0);
            contigs.push((name, number_at(&take(4)?, 0).into()));
        }
        let end = text.iter().position(|byte| *byte == 0);
        let text = text[..end.unwrap_or(text.len())].to_vec();
        Ok(Self {
            bytes,
            index,
            header: HeaderView::new(text, contigs),
            stretch: None,
            raw: Vec::new(),
        })
    }

    /// Goes before the first record of a stretch, as near as the index knows.
    ///
    /// # Errors
    /// Where the file cannot be read there.
    pub(super) fn fetch(&mut self, stretch: Stretch) -> Result<(), Error> {
        let (contig, start, _) = stretch;
        self.stretch = None;
        let contig = usize::try_from(contig).unwrap_or(usize::MAX);
        if let Some(begin) = self.index.before(contig, start.max(0) as u64) {
            self.bytes.seek(VirtualPosition::from(begin))?;
            self.stretch = Some(stretch);
        }
        Ok(())
    }

    /// Reads the next record of the stretch; nothing behind the last one.
    ///
    /// # Errors
    /// Where the file is damaged or cut off.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<Option<()>, Error> {
        while let Some((contig, start, end)) = self.stretch {
            if !self.read_raw()? {
                self.stretch = None;
                break;
            }
            let (id, at) = (
                number_at(&self.raw, 0) as i32,
                number_at(&self.raw, 4) as i32,
            );
            // Reads without a contig, which have -1, come last.
            if id as u32 > contig as u32 || (id == contig && i64::from(at) >= end) {
                self.stretch = None;
                break;
            }
            if id == contig {
                record.parse(&self.raw)?;
                if record.end() > start {
                    return Ok(Some(()));
                }
            }
        }
        Ok(None)
    }

    /// Reads the bytes of the next record; false at the end of the file.
    fn read_raw(&mut self) -> Result<bool, Error> {
        let length = match number(&mut self.bytes) {
            Ok(length) => length as usize,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !(32..LONGEST).contains(&length) {
            return Err(Error(format!("a record of {length} bytes")));
        }
        self.raw.resize(length, 0);
        self.bytes.read_exact(&mut self.raw)?;
        Ok(true)
    }

    /// Number, length, mapped and unmapped reads of each contig.
    pub(super) fn counts(&self) -> Vec<(i64, u64, u64, u64)> {
        let contigs = (0..).zip(&self.index.contigs);
        contigs
            .map(|(id, contig)| {
                let length = self.header.target_len(id as u32).unwrap_or(0);
                let mapped = contig.mapped.unwrap_or(0);
                let all = contig.records.unwrap_or(mapped);
                (id, length, mapped, all.saturating_sub(mapped))
            })
            .collect()
    }
}
