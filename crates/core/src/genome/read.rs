//! An aligned read, free of any file format.

use super::cigar::{Cigar, CigarBlock};
use super::interval::Span;

/// The flag bits of a SAM record (specification, section 1.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadFlags(pub u16);

impl ReadFlags {
    /// The read itself is unmapped.
    pub fn is_unmapped(self) -> bool {
        self.0 & 0x4 != 0
    }
    /// The read lies on the reverse strand.
    pub fn is_reverse(self) -> bool {
        self.0 & 0x10 != 0
    }
    /// Its mate lies on the reverse strand.
    pub fn is_mate_reverse(self) -> bool {
        self.0 & 0x20 != 0
    }
    /// First of its pair.
    pub fn is_first(self) -> bool {
        self.0 & 0x40 != 0
    }
    /// Second of its pair.
    pub fn is_second(self) -> bool {
        self.0 & 0x80 != 0
    }
    /// It and its mate lie as the aligner expects.
    pub fn is_proper_pair(self) -> bool {
        self.0 & 0x2 != 0
    }
    /// It has a mate, and the mate is unmapped.
    pub fn is_mate_unmapped(self) -> bool {
        self.0 & 0x9 == 0x9
    }
}

/// One record of a BAM or CRAM file, with what the encoders need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlignedRead {
    /// 0-based position of the first aligned base.
    pub start: i64,
    /// SAM flags.
    pub flags: ReadFlags,
    /// Mapping quality, 0 to 255.
    pub mapping_quality: u8,
    /// The alignment; empty for an unmapped read.
    pub cigar: Cigar,
    /// Bases in upper-case letters as SAM writes them (`ACMGRSVTWYHKDBN`), soft clips included;
    /// empty where the file has `*`. A file's `=` goes by [`Self::spell_equals`].
    pub bases: Vec<u8>,
    /// Phred qualities, one a base; 255 where the file has `*`.
    pub qualities: Vec<u8>,
    /// TLEN: bases from the leftmost to the rightmost of its pair, negative for the right one; 0
    /// where there is none.
    pub template_length: i64,
    /// True if its mate is mapped to another contig.
    pub mate_elsewhere: bool,
    /// A hash of its name (FNV-1a), by which mates find each other.
    pub name: u64,
}

impl AlignedRead {
    /// 0-based position at which the stored sequence would begin if its leading soft clip were
    /// aligned. Hard clips do not count: their bases are not stored.
    pub fn unclipped_start(&self) -> i64 {
        self.start - self.cigar.leading_soft_clip()
    }

    /// Spells out `=` (`samtools calmd -e`): the base of the reference where the base is aligned, `N`
    /// where it is not, which SAM leaves open. `reference` begins at [`Self::start`], in upper case.
    pub fn spell_equals(&mut self, reference: &[u8]) {
        for block in self.cigar.blocks(0).filter(CigarBlock::is_aligned) {
            let bases = self.bases.iter_mut().skip(block.at);
            for (place, base) in block.reference().zip(bases) {
                if *base == b'=' {
                    let place = usize::try_from(place).ok();
                    let known = place.and_then(|place| reference.get(place));
                    *base = known.copied().unwrap_or(b'N');
                }
            }
        }
        let unknown = self.bases.iter_mut().filter(|base| **base == b'=');
        unknown.for_each(|base| *base = b'N');
    }

    /// One past the last reference position covered; an unmapped or gap-only read covers one
    /// position, as htslib's `bam_endpos` has it.
    pub fn end(&self) -> i64 {
        let span = if self.flags.is_unmapped() {
            0
        } else {
            self.cigar.reference_len()
        };
        self.start + span.max(1)
    }
}

/// A taker of the reads of a sweep.
pub trait ReadSink {
    /// The positions whose reads are wanted; `None` where no read is.
    fn span(&self) -> Option<Span>;

    /// Offers the next read, which covers `start..end`, in the order of starts; `make` is called
    /// once at most, and only if the read is wanted.
    fn offer(&mut self, start: i64, end: i64, make: impl FnOnce() -> AlignedRead);

    /// How many calls a read over `start..end` belongs to, no earlier than those offered so far.
    fn calls_over(&self, start: i64, end: i64) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::CigarOp::*;

    #[test]
    fn equal_bases_are_those_of_the_reference() {
        let mut read = AlignedRead {
            cigar: Cigar(vec![
                (HardClip, 9),
                (SoftClip, 2),
                (Match, 3),
                (Insertion, 2),
                (Deletion, 1),
                (Equal, 2),
                (Skip, 2),
                (Diff, 2),
            ]),
            bases: b"A==T=G===C=".to_vec(),
            ..AlignedRead::default()
        };
        read.spell_equals(b"ACGTACGTAR");
        assert_eq!(read.bases, b"ANATGGNACCR");
    }

    #[test]
    fn ends_follow_htslib() {
        let mut read = AlignedRead {
            start: 100,
            cigar: Cigar(vec![(SoftClip, 4), (Match, 6), (Deletion, 3), (Match, 2)]),
            ..AlignedRead::default()
        };
        assert_eq!((read.unclipped_start(), read.end()), (96, 111));
        read.flags = ReadFlags(0x4);
        assert_eq!(read.end(), 101);
    }
}
