//! Sizes of the network.

use serde::{Deserialize, Serialize};

use crate::networks::ModelError;
use crate::networks::allele::Channels;

/// Sizes that a user may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttentionSpec {
    /// Filters of the first convolution, over the bases of a read and over the haplotypes.
    pub base_filters: usize,
    /// Filters of the second convolution, over a read.
    pub read_filters: usize,
    /// Columns that both convolutions span, an odd number.
    pub kernel: usize,
    /// Numbers of a read's vector.
    pub read_width: usize,
    /// Heads, each with weights of its own for the reads.
    pub heads: usize,
    /// Width of the dense layer that joins everything.
    pub join_width: usize,
}

impl Default for AttentionSpec {
    fn default() -> Self {
        Self {
            base_filters: 16,
            read_filters: 16,
            kernel: 5,
            read_width: 32,
            heads: 2,
            join_width: 64,
        }
    }
}

impl AttentionSpec {
    /// Checks the sizes.
    ///
    /// # Errors
    /// [`ModelError::CardField`] for a size that is 0 or too large, or an even or too wide kernel.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let wrong = |field, expected: &str, found: usize| ModelError::CardField {
            field,
            expected: expected.to_owned(),
            found: found.to_string(),
        };
        let sizes = [
            ("base_filters", self.base_filters),
            ("read_filters", self.read_filters),
            ("read_width", self.read_width),
            ("join_width", self.join_width),
        ];
        for (field, found) in sizes {
            if !(1..=1024).contains(&found) {
                return Err(wrong(field, "1 to 1024", found));
            }
        }
        if !(1..=16).contains(&self.heads) {
            return Err(wrong("heads", "1 to 16", self.heads));
        }
        if self.kernel.is_multiple_of(2) || self.kernel > 9 {
            return Err(wrong("kernel", "1, 3, 5, 7 or 9", self.kernel));
        }
        Ok(())
    }

    /// Names and shapes of the weights for `read_features` numbers of a read and `scaled` scaled inputs (numbers of the call, annotations
    /// and missing bits): convolutions `[out][in][kernel]`, dense layers `[out][in]`.
    pub(super) fn weight_shapes(
        &self,
        read_features: usize,
        scaled: usize,
        channels: &Channels,
    ) -> Vec<(String, Vec<usize>)> {
        let (base, read, kernel) = (self.base_filters, self.read_filters, self.kernel);
        let (width, heads, join) = (self.read_width, self.heads, self.join_width);
        let joined = heads * width + 2 * base + scaled;
        [
            (
                "haplotype.weight",
                vec![base, channels.haplotypes(), kernel],
            ),
            ("haplotype.bias", vec![base]),
            ("bases.weight", vec![base, channels.cells(), kernel]),
            ("flags.weight", vec![base, read_features]),
            ("read.weight", vec![read, base, kernel]),
            ("read.bias", vec![read]),
            ("value.weight", vec![width, 2 * read + read_features]),
            ("value.bias", vec![width]),
            ("score.weight", vec![heads, width]),
            ("score.bias", vec![heads]),
            ("join.weight", vec![join, joined]),
            ("join.bias", vec![join]),
            ("out.weight", vec![4, join]),
            ("out.bias", vec![4]),
            ("shortcut.weight", vec![4, scaled]),
        ]
        .map(|(name, shape)| (name.to_owned(), shape))
        .to_vec()
    }
}
