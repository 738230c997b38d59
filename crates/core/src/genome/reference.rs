//! A stretch of reference sequence held in memory.

use std::ops::Range;

/// Bases of one contig around the sites that are being encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceBlock {
    start: u64,
    bases: Vec<u8>,
    contig_length: u64,
}

impl ReferenceBlock {
    /// Holds `bases`, of which the first stands at 0-based `start` of a contig of
    /// `contig_length` bases. Letters are turned into upper case.
    pub fn new(start: u64, mut bases: Vec<u8>, contig_length: u64) -> Self {
        bases.make_ascii_uppercase();
        Self {
            start,
            bases,
            contig_length,
        }
    }

    /// The bases, in upper case.
    pub fn into_bases(self) -> Vec<u8> {
        self.bases
    }

    /// 0-based position of the first base held.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Length of the whole contig in bases.
    pub fn contig_length(&self) -> u64 {
        self.contig_length
    }

    /// The bases of `range` (0-based, half-open), cut at the ends of what is held.
    pub fn slice(&self, range: Range<u64>) -> &[u8] {
        let at =
            |position: u64| (position.saturating_sub(self.start) as usize).min(self.bases.len());
        let (from, to) = (at(range.start), at(range.end));
        &self.bases[from..to.max(from)]
    }

    /// Returns true if REF may stand at `start`: base for base equal, where the reference has a plain
    /// base. At IUPAC codes and `N` any letter may stand, as callers write there what they like.
    pub fn agrees(&self, start: u64, reference: &[u8]) -> bool {
        let bases = self.slice(start..start + reference.len() as u64);
        bases.len() == reference.len()
            && bases
                .iter()
                .zip(reference)
                .all(|(base, called)| base == called || !b"ACGT".contains(base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_cut_at_the_ends() {
        let block = ReferenceBlock::new(10, b"acgtR".to_vec(), 15);
        assert_eq!(block.slice(8..12), b"AC");
        assert_eq!(block.slice(13..99), b"TR");
        assert_eq!(block.slice(99..120), b"");
    }

    #[test]
    fn ambiguity_codes_agree_with_any_base() {
        let block = ReferenceBlock::new(10, b"ACGTR".to_vec(), 15);
        assert!(block.agrees(13, b"TG"));
        assert!(!block.agrees(12, b"TG"));
        assert!(!block.agrees(14, b"GA"), "REF runs past the contig");
    }
}
