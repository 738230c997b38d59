//! CIGAR strings as values.

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

    /// Whether the operation walks along the reference.
    pub fn consumes_reference(self) -> bool {
        use CigarOp::*;
        matches!(self, Match | Deletion | Skip | Equal | Diff)
    }

    /// Whether the operation walks along the read's stored sequence.
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

    /// Whether there is no alignment (`*`).
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

    fn sum(&self, counts: impl Fn(CigarOp) -> bool) -> i64 {
        self.0
            .iter()
            .filter(|(op, _)| counts(*op))
            .map(|(_, len)| i64::from(*len))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CigarOp::*;

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
