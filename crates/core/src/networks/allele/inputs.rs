//! From a compact tensor to the floats that a network multiplies.

use super::channels::Channels;
use crate::encode::allele::AlleleTensor;
use crate::encode::{Example, SiteTensor};
use crate::networks::ModelError;
use crate::networks::family::Numbers;
use crate::networks::scaling::Scaling;

/// Network inputs for one allele. Cells of reads are excluded; [`Channels::push_row`] produces them one
/// read at a time. `AlleleBatch` holds several alleles as bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// `[column][channel]`.
    pub haplotype: Vec<f32>,
    /// `[read][feature]`.
    pub reads: Vec<f32>,
    /// For each read whether it supports ALT.
    pub supports_alt: Vec<bool>,
    /// For each read whether it supports REF.
    pub supports_ref: Vec<bool>,
    /// Numbers of the call and annotations, scaled, then their missing bits.
    pub scaled: Vec<f32>,
}

impl Inputs {
    /// Appends an example and returns its tensor.
    ///
    /// # Errors
    /// An example that was made for another network.
    pub fn push<'a>(
        &mut self,
        example: &'a Example,
        scaling: &Scaling,
        channels: &Channels,
        with_reads: bool,
    ) -> Result<&'a AlleleTensor, ModelError> {
        let (set, scaled) = set_and_numbers(example, scaling)?;
        self.scaled.extend(scaled);
        channels.push_haplotype(&set.haplotype, &mut self.haplotype);
        if with_reads {
            self.reads.extend(&set.reads);
            self.supports_alt
                .extend(set.supports.iter().map(|read| read.alternate));
            self.supports_ref
                .extend(set.supports.iter().map(|read| read.reference));
        }
        Ok(set)
    }
}

/// An example's tensor, and the numbers of its call and its annotations, scaled, with their missing
/// bits.
///
/// # Errors
/// An example that was made for another network.
pub(super) fn set_and_numbers<'a>(
    example: &'a Example,
    scaling: &Scaling,
) -> Result<(&'a AlleleTensor, Vec<f32>), ModelError> {
    let SiteTensor::Allele(set) = &example.tensor else {
        return Err(ModelError::Example {
            expected: "one of our own tensors",
            found: "one as GATK makes it",
        });
    };
    let scaled = scale_numbers(&set.site, &example.annotations, scaling)?;
    Ok((set, scaled))
}

/// Numbers of a call and annotations, scaled, with their missing bits.
///
/// # Errors
/// Another number of them than the card names.
pub(super) fn scale_numbers(
    site: &[f32],
    annotations: &[f32],
    scaling: &Scaling,
) -> Result<Vec<f32>, ModelError> {
    let numbers = site.iter().chain(annotations);
    let values: Vec<Option<f32>> = numbers
        .map(|value| value.is_finite().then_some(*value))
        .collect();
    scaling.apply(&values).map_err(|_| ModelError::Example {
        expected: "as many numbers and annotations as the card names",
        found: "another number of them",
    })
}

/// As [`scale_numbers`]; what is equal to an example's own numbers is not scaled anew.
///
/// # Errors
/// Another number of them than the card names.
pub(super) fn rescale_numbers(
    own: &Numbers,
    own_scaled: &[f32],
    other: &Numbers,
    scaling: &Scaling,
) -> Result<Vec<f32>, ModelError> {
    let count = scaling.features.len();
    if other.site.len() + other.annotations.len() != count {
        return scale_numbers(&other.site, &other.annotations, scaling);
    }
    let mut scaled = own_scaled.to_vec();
    let before = own.site.iter().chain(&own.annotations);
    let after = other.site.iter().chain(&other.annotations);
    for (at, (before, after)) in before.zip(after).enumerate() {
        if before.to_bits() != after.to_bits() {
            (scaled[at], scaled[count + at]) = scaling.features[at].apply(Some(*after));
        }
    }
    Ok(scaled)
}
