//! From a compact tensor to the floats that a network multiplies.

use std::sync::LazyLock;

use crate::encode::allele::AlleleTensor;
use crate::encode::allele::columns::{Haplotype, Row, WINDOW, symbol};

use crate::encode::{Example, SiteTensor};
use crate::networks::ModelError;
use crate::networks::scaling::Scaling;

/// Channels of a read's cell: probabilities of A, C, G, T (called base 1 - 10^(-q/10), the others a
/// third of the rest), gap, soft clip, and the probability that the base is called right where it
/// is the reference's and where it is not.
pub(in crate::networks) const CELL_CHANNELS: usize = 8;
/// Of these the ones that a soft quality threshold weights.
pub(super) const GATED: [bool; CELL_CHANNELS] = [true, true, true, true, false, false, true, true];

/// Channels of the haplotypes' columns: reference A, C, G, T, none (a column that an insertion
/// opened), ALT A, C, G, T, gap, and whether they differ.
pub(in crate::networks) const HAPLOTYPE_CHANNELS: usize = 11;

/// Index of "supports ALT" and of "supports REF" in [`crate::encode::allele::read_features::NAMES`].
pub(super) const SUPPORTS_ALT: usize = 2;
pub(super) const SUPPORTS_REF: usize = 3;

/// One allele, as floats, but for the cells of its reads, of which `push_row` makes one read's at a
/// time; several alleles as bytes are a [`super::batch::AlleleBatch`].
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inputs {
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
    pub(super) fn push<'a>(
        &mut self,
        example: &'a Example,
        scaling: &Scaling,
        with_reads: bool,
    ) -> Result<&'a AlleleTensor, ModelError> {
        let (set, scaled) = set_and_numbers(example, scaling)?;
        self.scaled.extend(scaled);
        push_haplotype(&set.haplotype, &mut self.haplotype);
        if with_reads {
            self.reads.extend(set.reads.as_flattened());
            self.supports_alt.extend(supports(set, SUPPORTS_ALT));
            self.supports_ref.extend(supports(set, SUPPORTS_REF));
        }
        Ok(set)
    }
}

/// For each read whether it supports the allele of [`SUPPORTS_ALT`] or [`SUPPORTS_REF`].
pub(super) fn supports(set: &AlleleTensor, feature: usize) -> impl Iterator<Item = bool> {
    set.reads.iter().map(move |read| read[feature] > 0.5)
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
    let values: Vec<Option<f32>> = set
        .site
        .iter()
        .chain(&example.annotations)
        .map(|value| value.is_finite().then_some(*value))
        .collect();
    let scaled = scaling.apply(&values).map_err(|_| ModelError::Example {
        expected: "as many numbers and annotations as the card names",
        found: "another number of them",
    })?;
    Ok((set, scaled))
}

/// 1 - 10^(-q/10), never below a quarter: a base that is called is not less likely than chance.
static CONFIDENCE: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|quality| {
        let wrong = 10f64.powf(-(quality as f64) / 10.0);
        (1.0 - wrong).max(0.25) as f32
    })
});

/// The cells of the bases that are called, by quality; of each base the one that is not the
/// reference's, then the one that is.
static CALLED: LazyLock<[[[f32; CELL_CHANNELS]; 8]; 256]> = LazyLock::new(|| {
    std::array::from_fn(|quality| {
        std::array::from_fn(|at| {
            let (base, agrees) = (at / 2, at % 2 == 1);
            let confidence = CONFIDENCE[quality];
            let mut channels = [0.0; CELL_CHANNELS];
            channels[..4].fill((1.0 - confidence) / 3.0);
            channels[base] = confidence;
            channels[if agrees { 6 } else { 7 }] = confidence;
            channels
        })
    })
});

/// Appends the cells of a read's row, `[column][channel]`.
pub(super) fn push_row(row: &Row, reference: &[u8; WINDOW], out: &mut Vec<f32>) {
    for ([cell, quality], expected) in row.iter().zip(reference) {
        let channels = cell_channels(*cell, *quality, agrees(*cell, *expected));
        out.extend_from_slice(&channels);
    }
}

/// True where a read's symbol is the reference's.
pub(super) fn agrees(cell: u8, expected: u8) -> bool {
    cell & !symbol::CLIPPED == expected
}

/// The channels of a read's symbol.
pub(super) fn cell_channels(cell: u8, quality: u8, agrees: bool) -> [f32; CELL_CHANNELS] {
    let base = cell & !symbol::CLIPPED;
    let mut channels = [0.0; CELL_CHANNELS];
    match base {
        1..=4 => {
            let of_base = 2 * (usize::from(base) - 1);
            channels = CALLED[usize::from(quality)][of_base + usize::from(agrees)];
        }
        symbol::UNKNOWN => channels[..4].fill(0.25),
        symbol::GAP => channels[4] = 1.0,
        // Nothing where nothing is expected: the row agrees.
        symbol::PAD => channels[6] = f32::from(u8::from(agrees)),
        _ => {}
    }
    if cell & symbol::CLIPPED != 0 {
        channels[5] = 1.0;
    }
    channels
}

fn push_haplotype(haplotype: &Haplotype, out: &mut Vec<f32>) {
    for (reference, alternate) in haplotype.reference.iter().zip(&haplotype.alternate) {
        out.extend(haplotype_channels(*reference, *alternate));
    }
}

/// The channels of a column of the haplotypes.
pub(super) fn haplotype_channels(reference: u8, alternate: u8) -> [f32; HAPLOTYPE_CHANNELS] {
    let mut channels = [0.0; HAPLOTYPE_CHANNELS];
    match reference {
        base @ 1..=4 => channels[usize::from(base) - 1] = 1.0,
        symbol::PAD => channels[4] = 1.0,
        _ => {}
    }
    match alternate {
        base @ 1..=4 => channels[4 + usize::from(base)] = 1.0,
        symbol::GAP => channels[9] = 1.0,
        _ => {}
    }
    channels[10] = f32::from(u8::from(reference != alternate));
    channels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        let mut row: Row = [[symbol::EMPTY, 0]; WINDOW];
        row[0] = [symbol::of(b'C'), 10];
        row[1] = [symbol::of(b'C') | symbol::CLIPPED, 20];
        row[2] = [symbol::GAP, 0];
        row[3] = [symbol::PAD, 0];
        let mut reference = [symbol::of(b'C'); WINDOW];
        reference[1] = symbol::of(b'A');
        reference[3] = symbol::PAD;
        let mut out = Vec::new();
        push_row(&row, &reference, &mut out);
        let cell = |at: usize| &out[at * CELL_CHANNELS..(at + 1) * CELL_CHANNELS];
        let third = 0.1f32 / 3.0;
        for (found, expected) in cell(0)
            .iter()
            .zip([third, 0.9, third, third, 0.0, 0.0, 0.9, 0.0])
        {
            assert!((found - expected).abs() < 1e-6, "{:?}", cell(0));
        }
        assert_eq!(cell(1)[5], 1.0);
        assert!((cell(1)[7] - 0.99).abs() < 1e-6);
        assert_eq!(cell(2), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(cell(3), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(cell(4), [0.0; 8]);
    }

    #[test]
    fn haplotypes() {
        let mut haplotype = Haplotype {
            reference: [symbol::of(b'T'); WINDOW],
            alternate: [symbol::of(b'T'); WINDOW],
        };
        haplotype.alternate[1] = symbol::GAP;
        haplotype.reference[2] = symbol::PAD;
        let mut out = Vec::new();
        push_haplotype(&haplotype, &mut out);
        let ones = |at: usize| -> Vec<usize> {
            (0..HAPLOTYPE_CHANNELS)
                .filter(|channel| out[at * HAPLOTYPE_CHANNELS + channel] == 1.0)
                .collect()
        };
        assert_eq!(ones(0), [3, 8]);
        assert_eq!(ones(1), [3, 9, 10]);
        assert_eq!(ones(2), [4, 8, 10]);
    }
}
