//! Reads out of BAM and CRAM in Rust alone, under the names that rust-htslib has for them: so the readers of the
//! program ([`crate::io::alignment`], [`crate::io::depth`]) compile over either.

mod bytes;
mod cram;
mod header;
pub mod record;
mod sorted;

use std::path::Path;

use crate::errors::Error;
use crate::io::binning_index::BinningIndex;
use cram::Cram;
pub use header::HeaderView;
pub use record::Record;
use sorted::Bam;

/// Reading one record after the other.
pub trait Read {
    /// Reads the next record of what was fetched; nothing behind the last one.
    fn read(&mut self, record: &mut Record) -> Option<Result<(), Error>>;
    /// The header.
    fn header(&self) -> &HeaderView;
}

/// Contigs, and stretches of them that are 0-based and half-open.
type Stretch = (i32, i64, i64);

/// A file with its index.
#[derive(Debug)]
pub struct IndexedReader(Format);

#[derive(Debug)]
enum Format {
    Bam(Box<Bam>),
    Cram(Box<Cram>),
}

impl IndexedReader {
    /// Opens a BAM with an index that has been read.
    ///
    /// # Errors
    /// Where its header cannot be read.
    pub(crate) fn bam(path: &Path, index: BinningIndex) -> Result<Self, Error> {
        Ok(Self(Format::Bam(Box::new(Bam::open(path, index)?))))
    }

    /// Opens a CRAM with its index.
    ///
    /// # Errors
    /// Where its header or its index cannot be read.
    pub(crate) fn cram(path: &Path, index: &Path) -> Result<Self, Error> {
        Ok(Self(Format::Cram(Box::new(Cram::open(path, index)?))))
    }

    /// Names the reference of a CRAM.
    pub(crate) fn set_reference(&self, path: &Path) {
        if let Format::Cram(cram) = &self.0 {
            cram.set_reference(path);
        }
    }

    /// Goes to a stretch of a contig.
    ///
    /// # Errors
    /// Where the file cannot be read there.
    pub fn fetch(&mut self, stretch: Stretch) -> Result<(), Error> {
        match &mut self.0 {
            Format::Bam(bam) => bam.fetch(stretch),
            Format::Cram(cram) => {
                cram.fetch(stretch);
                Ok(())
            }
        }
    }

    /// Number of a contig, its length, reads that are mapped to it and those that are not, by a BAM's index.
    ///
    /// # Errors
    /// None; rust-htslib has some.
    pub fn index_stats(&mut self) -> Result<Vec<(i64, u64, u64, u64)>, Error> {
        Ok(match &self.0 {
            Format::Bam(bam) => bam.counts(),
            Format::Cram(_) => Vec::new(),
        })
    }
}

impl Read for IndexedReader {
    fn read(&mut self, record: &mut Record) -> Option<Result<(), Error>> {
        match &mut self.0 {
            Format::Bam(bam) => bam.read(record).transpose(),
            Format::Cram(cram) => cram.read(record).transpose(),
        }
    }

    fn header(&self) -> &HeaderView {
        match &self.0 {
            Format::Bam(bam) => &bam.header,
            Format::Cram(cram) => &cram.header,
        }
    }
}
