//! Sizes of our own networks.

use serde::{Deserialize, Serialize};

use super::channels::Channels;
use crate::encode::allele::columns::EVENT_COLUMN;
#[cfg(test)]
use crate::encode::allele::columns::WINDOW;
#[cfg(test)]
use crate::encode::allele::read_features;
use crate::networks::ModelError;

/// Columns around the change that reach the dense layers one by one.
pub(super) const KEPT_COLUMNS: usize = 8;

/// Sizes that a user may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlleleSpec {
    /// With reads; else reference, allele and annotations only.
    pub reads: bool,
    /// Filters of the first convolution, over the bases of a read and over the haplotypes.
    pub base_filters: usize,
    /// Filters of the second convolution, over a read.
    pub read_filters: usize,
    /// Filters of the convolutions behind the pool over reads.
    pub site_filters: usize,
    /// Columns that every convolution spans, an odd number.
    pub kernel: usize,
    /// Width of the two dense layers of a read's own numbers.
    pub read_width: usize,
    /// Width of the first dense layer that joins everything, and of the second.
    pub join_width: [usize; 2],
    /// A learned soft quality threshold in front of the bases (DiffBio): each base is weighted by
    /// sigmoid((quality - t) / T).
    pub quality_gate: bool,
    /// Width of the hidden layer of the head that tells one copy of the ALT from two; 0 for a network without it.
    #[serde(skip_serializing_if = "is_zero")]
    pub genotype_width: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_zero(width: &usize) -> bool {
    *width == 0
}

impl Default for AlleleSpec {
    fn default() -> Self {
        Self {
            reads: true,
            base_filters: 24,
            read_filters: 24,
            site_filters: 28,
            kernel: 5,
            read_width: 32,
            join_width: [96, 48],
            quality_gate: false,
            genotype_width: 0,
        }
    }
}

/// Pools over reads of a cell's channels: maximum and mean over all, maximum and mean over those
/// that support ALT.
pub(super) const CELL_POOLS: usize = 4;
/// Pools over reads of a read's own numbers: the same and the mean over those that support REF.
pub(super) const READ_POOLS: usize = 5;

impl AlleleSpec {
    /// Name of the architecture.
    pub fn architecture(&self) -> &'static str {
        if self.reads {
            super::architecture::WITH_READS
        } else {
            super::architecture::WITHOUT_READS
        }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// [`ModelError::CardField`] for a size that is 0 or too large, or an even or too wide kernel.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("base_filters", self.base_filters),
            ("read_filters", self.read_filters),
            ("site_filters", self.site_filters),
            ("read_width", self.read_width),
            ("join_width", self.join_width[0]),
            ("join_width", self.join_width[1]),
        ];
        for (field, found) in sizes {
            if !(1..=1024).contains(&found) {
                return Err(ModelError::CardField {
                    field,
                    expected: "1 to 1024".into(),
                    found: found.to_string(),
                });
            }
        }
        if self.genotype_width > 1024 {
            return Err(ModelError::CardField {
                field: "genotype_width",
                expected: "0 to 1024".into(),
                found: self.genotype_width.to_string(),
            });
        }
        if self.kernel.is_multiple_of(2) || self.kernel > 9 {
            return Err(ModelError::CardField {
                field: "kernel",
                expected: "1, 3, 5, 7 or 9".into(),
                found: self.kernel.to_string(),
            });
        }
        Ok(())
    }

    /// Columns behind the convolutions: four with reads, two without.
    #[cfg(test)]
    fn columns_out(&self) -> usize {
        let layers = if self.reads { 4 } else { 2 };
        WINDOW - layers * (self.kernel - 1)
    }

    /// The first of the [`KEPT_COLUMNS`] behind the convolutions: those around the change.
    pub(super) fn first_kept(&self) -> usize {
        let layers = if self.reads { 4 } else { 2 };
        EVENT_COLUMN - layers * (self.kernel - 1) / 2 - KEPT_COLUMNS / 2
    }

    /// Numbers that the convolutions hand to the dense layers: kept columns, maximum and mean.
    pub(super) fn site_outputs(&self) -> usize {
        self.site_filters * (KEPT_COLUMNS + 2)
    }

    /// Numbers that the reads' own layers hand to the dense layers.
    pub(super) fn read_outputs(&self) -> usize {
        if self.reads {
            READ_POOLS * self.read_width
        } else {
            0
        }
    }

    /// Names and shapes of the weights for `read_features` numbers of a read and `scaled` scaled inputs (numbers of the call, annotations
    /// and missing bits): convolutions `[out][in][kernel]`, dense layers `[out][in]`.
    pub fn weight_shapes(
        &self,
        read_features: usize,
        scaled: usize,
        channels: &Channels,
    ) -> Vec<(String, Vec<usize>)> {
        let mut shapes: Vec<(&str, Vec<usize>)> = Vec::new();
        let (base, read, site) = (self.base_filters, self.read_filters, self.site_filters);
        let kernel = self.kernel;
        shapes.push((
            "haplotype.weight",
            vec![base, channels.haplotypes(), kernel],
        ));
        shapes.push(("haplotype.bias", vec![base]));
        if self.reads {
            shapes.push(("bases.weight", vec![base, channels.cells(), kernel]));
            shapes.push(("flags.weight", vec![base, read_features]));
            shapes.push(("read.weight", vec![read, base, kernel]));
            shapes.push(("read.bias", vec![read]));
            shapes.push(("site1.weight", vec![site, CELL_POOLS * read, kernel]));
            shapes.push(("site1.bias", vec![site]));
            shapes.push(("read_dense1.weight", vec![self.read_width, read_features]));
            shapes.push(("read_dense1.bias", vec![self.read_width]));
            shapes.push(("read_dense2.weight", vec![self.read_width, self.read_width]));
            shapes.push(("read_dense2.bias", vec![self.read_width]));
            if self.quality_gate {
                shapes.push(("quality_gate.threshold", vec![1]));
                shapes.push(("quality_gate.temperature", vec![1]));
            }
        }
        let into_site = if self.reads { site } else { base };
        shapes.push(("site2.weight", vec![site, into_site, kernel]));
        shapes.push(("site2.bias", vec![site]));
        let joined = self.site_outputs() + self.read_outputs() + scaled;
        shapes.push(("join1.weight", vec![self.join_width[0], joined]));
        shapes.push(("join1.bias", vec![self.join_width[0]]));
        shapes.push(("join2.weight", vec![self.join_width[1], self.join_width[0]]));
        shapes.push(("join2.bias", vec![self.join_width[1]]));
        shapes.push(("out.weight", vec![4, self.join_width[1]]));
        shapes.push(("out.bias", vec![4]));
        shapes.push(("shortcut.weight", vec![4, scaled]));
        if self.genotype_width > 0 {
            shapes.push(("genotype1.weight", vec![self.genotype_width, joined]));
            shapes.push(("genotype1.bias", vec![self.genotype_width]));
            shapes.push(("genotype2.weight", vec![1, self.genotype_width]));
            shapes.push(("genotype2.bias", vec![1]));
        }
        shapes
            .into_iter()
            .map(|(name, shape)| (name.to_owned(), shape))
            .collect()
    }

    /// Multiply-adds of one allele with `reads` reads and `scaled` scaled inputs.
    #[cfg(test)]
    fn multiply_adds(&self, reads: usize, scaled: usize) -> usize {
        let (base, read, site, kernel) = (
            self.base_filters,
            self.read_filters,
            self.site_filters,
            self.kernel,
        );
        let channels = Channels::usual(self.reads);
        let columns = |layers: usize| WINDOW - layers * (kernel - 1);
        let mut count = columns(1) * kernel * channels.haplotypes() * base;
        if self.reads {
            let of_a_read = columns(1) * kernel * channels.cells() * base
                + read_features::USUAL * base
                + columns(2) * kernel * base * read
                + read_features::USUAL * self.read_width
                + self.read_width * self.read_width;
            count += reads * of_a_read;
            count += columns(3) * kernel * CELL_POOLS * read * site;
            count += columns(4) * kernel * site * site;
        } else {
            count += columns(2) * kernel * base * site;
        }
        let joined = self.site_outputs() + self.read_outputs() + scaled;
        count
            + joined * self.join_width[0]
            + self.join_width[0] * self.join_width[1]
            + 4 * (self.join_width[1] + scaled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_keeps_to_ten_million_multiply_adds() {
        let spec = AlleleSpec::default();
        spec.check().unwrap();
        let count = spec.multiply_adds(40, 200);
        assert!((8_000_000..=10_000_000).contains(&count), "{count}");
    }

    #[test]
    fn kept_columns_are_around_the_change() {
        let spec = AlleleSpec::default();
        assert_eq!((spec.columns_out(), spec.first_kept()), (48, 16));
        let reference = AlleleSpec {
            reads: false,
            ..spec
        };
        assert_eq!((reference.columns_out(), reference.first_kept()), (56, 20));
    }

    #[test]
    fn sizes_are_checked() {
        for wrong in [
            AlleleSpec {
                kernel: 4,
                ..AlleleSpec::default()
            },
            AlleleSpec {
                base_filters: 0,
                ..AlleleSpec::default()
            },
            AlleleSpec {
                join_width: [96, 5000],
                ..AlleleSpec::default()
            },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
