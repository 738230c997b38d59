//! A network's input for one call.

use super::allele::AlleleTensor;
use super::gatk::{ReadTensor, ReferenceTensor};

/// The tensor of one call, by the kind of network that reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum SiteTensor {
    /// Reference bases only (GATK's 1D networks).
    Reference(ReferenceTensor),
    /// Reads, reference, flags and mapping qualities (GATK's 2D networks).
    Reads(ReadTensor),
    /// One allele with its evidence (our own networks).
    Allele(AlleleTensor),
}

/// One call, encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The tensor of the call.
    pub tensor: SiteTensor,
    /// The annotations that the model's card names, in its order, unscaled. For
    /// our own networks NaN stands for a missing one.
    pub annotations: Vec<f32>,
}
