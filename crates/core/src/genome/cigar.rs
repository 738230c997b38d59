//! CIGAR strings as values, and the one walk along them.

use std::ops::Range;

/// One kind of CIGAR operation, in the order of the SAM specification (section 4.2.2), so that
/// `CigarOp as u8` is the BAM code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CigarOp {
    /// `M`: aligned base, equal or not.
    Match,
    /// `I`: bases of the read that the reference lacks.
    Insertion,
    /// `D`: bases of the reference that the read lacks.
    Deletion,
    /// `N`: skipped reference (an intron).
    Skip,
    /// `S`: bases present in the read, not aligned.
    SoftClip,
    /// `H`: bases absent from the read's sequence.
    HardClip,
    /// `P`: silent padding.
    Pad,
    /// `=`: aligned base equal to the reference.
    Equal,
    /// `X`: aligned base different from the reference.
    Diff,
}

impl CigarOp {
    /// The letter of the SAM text format.
    pub fn letter(self) -> u8 {
        b"MIDNSHP=X"[self as usize]
    }

    /// Returns true if the operation walks along the reference.
    pub fn consumes_reference(self) -> bool {
        use CigarOp::*;
        matches!(self, Match | Deletion | Skip | Equal | Diff)
    }

    /// Returns true if the operation walks along the read's stored sequence.
    pub fn consumes_read(self) -> bool {
        use CigarOp::*;
        matches!(self, Match | Insertion | SoftClip | Equal | Diff)
    }
}

/// The operations of one alignment, from left to right on the reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cigar(pub Vec<(CigarOp, u32)>);

impl Cigar {
    /// The operations with their lengths in bases.
    pub fn ops(&self) -> &[(CigarOp, u32)] {
        &self.0
    }

    /// Returns true if there is no alignment (`*`).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bases of the reference that the alignment spans.
    pub fn reference_len(&self) -> i64 {
        self.sum(CigarOp::consumes_reference)
    }

    /// Bases of the read's stored sequence that the alignment accounts for.
    pub fn read_len(&self) -> i64 {
        self.sum(CigarOp::consumes_read)
    }

    /// Length of the soft clip at the left end, behind any hard clip.
    pub fn leading_soft_clip(&self) -> i64 {
        self.0
            .iter()
            .find(|(op, _)| *op != CigarOp::HardClip)
            .filter(|(op, _)| *op == CigarOp::SoftClip)
            .map_or(0, |(_, len)| i64::from(*len))
    }

    /// Walks along the alignment of a read whose first aligned base stands at 0-based reference
    /// position `start`: the operations from left to right, each with the bases of the reference
    /// and of the read that it is about.
    pub fn blocks(&self, start: i64) -> impl Iterator<Item = CigarBlock> {
        let mut position = start;
        let mut at = 0usize;
        self.0.iter().map(move |(op, count)| {
            let count = *count;
            let block = CigarBlock {
                op: *op,
                count,
                position,
                at,
            };
            if op.consumes_reference() {
                position += i64::from(count);
            }
            if op.consumes_read() {
                at += count as usize;
            }
            block
        })
    }

    /// Where each operation begins on a scale of the caller's own, which begins at `start` and on
    /// which the operations that `advances` names go forward by their length.
    pub fn offsets(
        &self,
        start: i64,
        advances: impl Fn(CigarOp) -> bool,
    ) -> impl Iterator<Item = (i64, CigarOp, u32)> {
        let mut offset = start;
        self.0.iter().map(move |(op, count)| {
            let here = offset;
            if advances(*op) {
                offset += i64::from(*count);
            }
            (here, *op, *count)
        })
    }

    fn sum(&self, counts: impl Fn(CigarOp) -> bool) -> i64 {
        self.0
            .iter()
            .filter(|(op, _)| counts(*op))
            .map(|(_, len)| i64::from(*len))
            .sum()
    }
}

/// One operation of an alignment with its place, as [`Cigar::blocks`] gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CigarBlock {
    /// The operation.
    pub op: CigarOp,
    /// Its length in bases.
    pub count: u32,
    /// 0-based position on the reference of its first base, or, where it consumes no reference, of
    /// the next base behind it.
    pub position: i64,
    /// Index in the read's stored sequence of its first base, or, where it consumes no read, of the
    /// next base behind it. A damaged file may have fewer bases.
    pub at: usize,
}

impl CigarBlock {
    /// The reference that it covers, 0-based and half-open; empty where it consumes none.
    pub fn reference(&self) -> Range<i64> {
        let covered = if self.op.consumes_reference() {
            i64::from(self.count)
        } else {
            0
        };
        self.position..self.position + covered
    }

    /// Indices of the read's stored bases that it consumes; empty where it consumes none.
    pub fn read(&self) -> Range<usize> {
        let consumed = if self.op.consumes_read() {
            self.count as usize
        } else {
            0
        };
        self.at..self.at + consumed
    }

    /// Returns true if bases of the read stand over bases of the reference.
    pub fn is_aligned(&self) -> bool {
        self.op.consumes_reference() && self.op.consumes_read()
    }

    /// Index in the read's stored sequence of the base over `position`, which an aligned block
    /// covers.
    pub fn read_index(&self, position: i64) -> usize {
        self.at + (position - self.position) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CigarOp::*;
    use proptest::prelude::*;

    const ALL: [CigarOp; 9] = [
        Match, Insertion, Deletion, Skip, SoftClip, HardClip, Pad, Equal, Diff,
    ];

    proptest! {
        #[test]
        fn blocks_agree_with_a_walk_base_by_base(
            start in -5i64..1000,
            ops in prop::collection::vec((0usize..9, 0u32..12), 0..12),
        ) {
            let cigar = Cigar(ops.iter().map(|(op, count)| (ALL[*op], *count)).collect());
            // One base at a time: its operation's number, its position, its index in the read.
            let (mut position, mut at) = (start, 0);
            let mut on_reference = vec![Vec::new(); ops.len()];
            let mut in_read = vec![Vec::new(); ops.len()];
            let mut pairs = Vec::new();
            for (number, (op, count)) in cigar.ops().iter().enumerate() {
                for _ in 0..*count {
                    let (reference, read) = (
                        matches!(op, Match | Deletion | Skip | Equal | Diff),
                        matches!(op, Match | Insertion | SoftClip | Equal | Diff),
                    );
                    if reference {
                        on_reference[number].push(position);
                    }
                    if read {
                        in_read[number].push(at);
                    }
                    if reference && read {
                        pairs.push((position, at));
                    }
                    position += i64::from(reference);
                    at += usize::from(read);
                }
            }
            let blocks: Vec<CigarBlock> = cigar.blocks(start).collect();
            prop_assert_eq!(blocks.len(), ops.len());
            for (number, block) in blocks.iter().enumerate() {
                prop_assert_eq!((block.op, block.count), cigar.ops()[number]);
                prop_assert_eq!(block.reference().collect::<Vec<_>>(), on_reference[number].clone());
                prop_assert_eq!(block.read().collect::<Vec<_>>(), in_read[number].clone());
            }
            let aligned = blocks.iter().filter(|block| block.is_aligned());
            let found: Vec<(i64, usize)> = aligned
                .flat_map(|block| block.reference().map(|place| (place, block.read_index(place))))
                .collect();
            prop_assert_eq!(found, pairs);
            let offsets: Vec<i64> = cigar
                .offsets(start, CigarOp::consumes_reference)
                .map(|(offset, _, _)| offset)
                .collect();
            prop_assert_eq!(offsets, blocks.iter().map(|block| block.position).collect::<Vec<_>>());
        }
    }

    #[test]
    fn lengths_follow_the_sam_specification() {
        let cigar = Cigar(vec![
            (HardClip, 3),
            (SoftClip, 5),
            (Match, 10),
            (Insertion, 2),
            (Equal, 4),
            (Deletion, 7),
            (Diff, 1),
            (Skip, 100),
            (Pad, 9),
            (SoftClip, 6),
        ]);
        assert_eq!(cigar.reference_len(), 10 + 4 + 7 + 1 + 100);
        assert_eq!(cigar.read_len(), 5 + 10 + 2 + 4 + 1 + 6);
        assert_eq!(cigar.leading_soft_clip(), 5);
    }

    #[test]
    fn only_a_clip_at_the_left_end_counts_as_leading() {
        assert_eq!(
            Cigar(vec![(Match, 9), (SoftClip, 5)]).leading_soft_clip(),
            0
        );
        assert_eq!(Cigar::default().leading_soft_clip(), 0);
    }

    #[test]
    fn codes_are_those_of_bam() {
        assert_eq!(Diff as u8, 8);
        assert_eq!(Insertion.letter(), b'I');
    }
}
