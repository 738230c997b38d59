//! Topics: the aspects of a call that its numbers, its annotations and its pileup tell of.
//!
//! Each number has one, which stands beside its name, wherever it comes from: MAPQ of the reads and the caller's
//! `MQ` are both [`Topic::Mapping`]. Reasons for a score ([`crate::why`]) are told by topic.

/// An aspect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// How many reads fit which allele, and how surely.
    Support,
    /// Strands, and first and second reads of pairs.
    Strand,
    /// How surely reads and their mates are placed.
    Mapping,
    /// Base qualities.
    Quality,
    /// Where the call lies in the reads.
    Position,
    /// Mismatches, gaps and clips that the reads have beside the call.
    Mismatches,
    /// Depth, here and around.
    Depth,
    /// Other places within a kilobase where reads differ from the reference or are clipped.
    Neighbours,
    /// Tandem repeats and runs of one base.
    Repeat,
    /// Kind and length of the allele, and the sequence around it.
    Allele,
    /// The rows of the pileup.
    Pileup,
    /// Annotations that the program does not know.
    Other,
}

impl Topic {
    /// All topics, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Support,
        Self::Strand,
        Self::Mapping,
        Self::Quality,
        Self::Position,
        Self::Mismatches,
        Self::Depth,
        Self::Neighbours,
        Self::Repeat,
        Self::Allele,
        Self::Pileup,
        Self::Other,
    ];

    /// The word for it in `CNN_WHY` and in tables.
    pub fn code(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Strand => "strand",
            Self::Mapping => "mapping",
            Self::Quality => "quality",
            Self::Position => "position",
            Self::Mismatches => "mismatches",
            Self::Depth => "depth",
            Self::Neighbours => "neighbours",
            Self::Repeat => "repeat",
            Self::Allele => "allele",
            Self::Pileup => "pileup",
            Self::Other => "other",
        }
    }

    /// A line about it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Support => "how many reads fit which allele",
            Self::Strand => "strands of the reads",
            Self::Mapping => "how surely reads are placed",
            Self::Quality => "base qualities",
            Self::Position => "where the call lies in the reads",
            Self::Mismatches => "other mismatches, gaps and clips of the reads",
            Self::Depth => "depth, here and around",
            Self::Neighbours => "other differences within a kilobase",
            Self::Repeat => "repeats and runs of one base",
            Self::Allele => "kind of allele and the sequence around it",
            Self::Pileup => "the rows of the pileup",
            Self::Other => "annotations that are not known",
        }
    }
}
