//! Records that cannot be encoded.

use std::fmt;

use crate::genome::Variant;

/// A record that does not belong to the reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variant}: {problem}")]
pub struct EncodeError {
    /// Index of the record among those given.
    pub index: usize,
    /// The record's place and alleles.
    pub variant: Box<Variant>,
    /// The problem.
    pub problem: EncodeProblem,
}

/// Why a record does not belong to the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeProblem {
    /// It reaches past the end of its contig.
    PastContig {
        /// One past its last position (0-based), which is its last position counted from 1.
        end: u64,
        /// Length of the contig in bases.
        length: u64,
    },
    /// The reference spells its contig in another way (`1` and `chr1`).
    Spelling {
        /// The record's spelling.
        contig: String,
        /// The reference's.
        other: String,
    },
    /// REF is not what the reference has.
    Reference {
        /// REF.
        called: String,
        /// The bases of the reference in its place, as far as it goes.
        found: String,
    },
    /// It lies on another contig than the first record of its shard.
    AnotherContig {
        /// Contig of the first record.
        first: String,
    },
}

impl EncodeProblem {
    /// The problem in words: what was found, what was expected, and what to do. `reference` names
    /// the reference, by its path where it is a file.
    pub fn describe(&self, reference: &str) -> String {
        match self {
            Self::PastContig { end, length } => format!(
                "it reaches to {end}, but in {reference} the contig ends at {length}; give the reference that the calls were made with"
            ),
            Self::Spelling { contig, other } => format!(
                "contig `{contig}` is not in {reference}, which says `{other}`; use one spelling in both"
            ),
            Self::Reference { called, found } => format!(
                "REF is `{called}`, but in {reference} there is `{found}`; give the reference that the calls were made with"
            ),
            Self::AnotherContig { first } => format!(
                "it does not lie on contig `{first}`, as the first record does; encode the records of each contig by themselves"
            ),
        }
    }
}

impl fmt::Display for EncodeProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.describe("the reference"))
    }
}
