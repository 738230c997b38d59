//! Which tensor a model reads.

use super::allele::{self, AlleleLayout, landscape, read_set};
use super::annotations::AnnotationSource;
use super::gatk;
use crate::genome::{FlagSet, ReadFilter};

/// An encoder with the annotations that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoder {
    /// GATK's tensors, one a record.
    Gatk {
        /// The read tensor; else the reference tensor.
        reads: bool,
        /// INFO keys.
        annotations: Vec<String>,
    },
    /// Our own, one an ALT.
    Allele {
        /// With reads; else reference and allele only.
        reads: bool,
        /// The caller's annotations.
        annotations: Vec<AnnotationSource>,
        /// The numbers of a read and of a call.
        layout: AlleleLayout,
    },
}

impl Encoder {
    /// Our own encoder with the numbers that networks are trained with.
    pub fn allele(reads: bool, annotations: Vec<AnnotationSource>) -> Self {
        Self::Allele {
            reads,
            annotations,
            layout: AlleleLayout::usual(reads),
        }
    }

    /// Its name in a model's card.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gatk { reads: true, .. } => "gatk_read_tensor",
            Self::Gatk { reads: false, .. } => "gatk_reference",
            Self::Allele { reads: true, .. } => "cnnfilter_reads",
            Self::Allele { reads: false, .. } => "cnnfilter_reference",
        }
    }

    /// Returns true if it reads reads.
    pub fn uses_reads(&self) -> bool {
        match self {
            Self::Gatk { reads, .. } | Self::Allele { reads, .. } => *reads,
        }
    }

    /// Names of the annotations, in their order.
    pub fn annotation_names(&self) -> Vec<String> {
        match self {
            Self::Gatk { annotations, .. } => annotations.clone(),
            Self::Allele { annotations, .. } => {
                annotations.iter().map(ToString::to_string).collect()
            }
        }
    }

    /// Most reads of a call that it looks at; of more it takes a sample.
    pub fn read_limit(&self) -> usize {
        match self {
            Self::Gatk { .. } => gatk::READ_LIMIT,
            Self::Allele { .. } => allele::SAMPLE_LIMIT,
        }
    }

    /// Bases of reference on either side of a record's REF that its tensor may show or look at.
    pub fn reference_margin(&self) -> u64 {
        match self {
            // A window reaches half its width behind POS, at contig starts up to a whole one.
            Self::Gatk { .. } => 2 * gatk::WINDOW as u64,
            Self::Allele { .. } => {
                landscape::REACH as u64 + 2 * read_set::MARGIN as u64 + gatk::WINDOW as u64
            }
        }
    }

    /// The reads that its networks saw in training: GATK's networks saw duplicates and their like,
    /// ours none of them.
    pub fn usual_read_filter(&self) -> ReadFilter {
        ReadFilter {
            excluded: match self {
                Self::Gatk { .. } => FlagSet::default(),
                Self::Allele { .. } => FlagSet::UNUSABLE,
            },
            ..ReadFilter::default()
        }
    }
}
