//! Bases that a file writes as `=` (`samtools calmd -e`).

use std::sync::Arc;

use super::error::IoError;
use super::fasta::{FastaReader, Reference};
use cnnfilter_core::genome::{AlignedRead, ReferenceBlock};

/// Spells out the bases that a file writes as `=`.
pub(super) struct Equals {
    reference: Arc<Reference>,
    reader: Option<FastaReader>,
    /// The contig that is swept.
    pub contig: String,
    /// The bases that were read last.
    block: Option<(String, ReferenceBlock)>,
    failure: Option<IoError>,
}

impl Equals {
    /// Bases that are read at once.
    const AHEAD: u64 = 1 << 16;

    pub(super) fn new(reference: &Arc<Reference>) -> Self {
        Self {
            reference: Arc::clone(reference),
            reader: None,
            contig: String::new(),
            block: None,
            failure: None,
        }
    }

    /// The read with its bases in letters. What goes wrong is told by [`Self::check`].
    pub(super) fn spell(&mut self, mut read: AlignedRead) -> AlignedRead {
        if read.bases.contains(&b'=') {
            let (start, end) = (read.start.max(0) as u64, read.end().max(0) as u64);
            match self.bases(start, end) {
                Ok(bases) => read.spell_equals(bases),
                Err(error) => self.failure = Some(error),
            }
        }
        read
    }

    /// The error since it was last asked.
    ///
    /// # Errors
    /// Where the reference cannot be read.
    pub(super) fn check(&mut self) -> Result<(), IoError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn bases(&mut self, start: u64, end: u64) -> Result<&[u8], IoError> {
        let holds = |(contig, block): &(String, ReferenceBlock)| {
            let held = block.start() + block.slice(0..u64::MAX).len() as u64;
            let end = end.min(block.contig_length());
            *contig == self.contig && block.start() <= start && end <= held
        };
        if !self.block.as_ref().is_some_and(holds) {
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => none.insert(self.reference.reader()?),
            };
            let block = reader.block(&self.contig, start, end.max(start + Self::AHEAD))?;
            self.block = Some((self.contig.clone(), block));
        }
        let block = self
            .block
            .as_ref()
            .map(|(_, block)| block.slice(start..end));
        Ok(block.unwrap_or_default())
    }
}
