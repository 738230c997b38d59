//! From a compact tensor to the floats that a network multiplies.
//!
//! [`CELL`] and [`HAPLOTYPE`] have one entry a channel: its name, how it is computed, and whether a
//! soft quality threshold weights it. Networks look the channels up in tables that are made of them.

use std::sync::LazyLock;

use crate::encode::allele::AlleleTensor;
use crate::encode::allele::columns::{Haplotype, Row, WINDOW, symbol};

use crate::encode::{Example, SiteTensor};
use crate::networks::ModelError;
use crate::networks::scaling::Scaling;

/// Content of one cell of a read's row.
struct Cell {
    /// The base that is called, as an index of `ACGT`.
    base: Option<usize>,
    /// The symbol, without its clip.
    symbol: u8,
    is_clipped: bool,
    /// True if it is the reference's symbol.
    agrees: bool,
    /// Probability that the base is called right.
    confidence: f32,
}

/// A channel of the cells of reads.
struct CellChannel {
    /// Its name.
    name: &'static str,
    /// True if a soft quality threshold weights it.
    is_gated: bool,
    value: fn(&Cell) -> f32,
}

impl Cell {
    fn new(cell: u8, quality: u8, agrees: bool) -> Self {
        let letter = cell & !symbol::CLIPPED;
        let wrong = 10f64.powf(-f64::from(quality) / 10.0);
        Self {
            base: (1..=4).contains(&letter).then(|| usize::from(letter) - 1),
            symbol: letter,
            is_clipped: cell & symbol::CLIPPED != 0,
            agrees,
            // Never below a quarter: a base that is called is not less likely than chance.
            confidence: (1.0 - wrong).max(0.25) as f32,
        }
    }

    /// Probability of a base: of the one that is called its confidence, of the others a third of the
    /// rest; a quarter of each where the base is unknown.
    fn probability(&self, of: usize) -> f32 {
        match self.base {
            Some(base) if base == of => self.confidence,
            Some(_) => (1.0 - self.confidence) / 3.0,
            None if self.symbol == symbol::UNKNOWN => 0.25,
            None => 0.0,
        }
    }

    /// The confidence of a base that is the reference's (or is not, as `agrees` says). Nothing where
    /// nothing is expected agrees.
    fn compared(&self, agrees: bool) -> f32 {
        match self.base {
            Some(_) if self.agrees == agrees => self.confidence,
            None if self.symbol == symbol::PAD && agrees && self.agrees => 1.0,
            _ => 0.0,
        }
    }
}

impl CellChannel {
    const fn new(name: &'static str, is_gated: bool, value: fn(&Cell) -> f32) -> Self {
        Self {
            name,
            is_gated,
            value,
        }
    }
}

/// Number of channels of a read's cell.
pub(in crate::networks) const CELL_CHANNELS: usize = 8;

/// The channels of a read's cell, in order.
const CELL: [CellChannel; CELL_CHANNELS] = {
    use CellChannel as C;
    [
        C::new("A", true, |cell| cell.probability(0)),
        C::new("C", true, |cell| cell.probability(1)),
        C::new("G", true, |cell| cell.probability(2)),
        C::new("T", true, |cell| cell.probability(3)),
        C::new("gap", false, |cell| bit(cell.symbol == symbol::GAP)),
        C::new("clip", false, |cell| bit(cell.is_clipped)),
        C::new("agrees", true, |cell| cell.compared(true)),
        C::new("differs", true, |cell| cell.compared(false)),
    ]
};

/// Which channels of a cell a soft quality threshold weights.
pub(super) const GATED: [bool; CELL_CHANNELS] = {
    let mut gated = [false; CELL_CHANNELS];
    let mut at = 0;
    while at < CELL_CHANNELS {
        gated[at] = CELL[at].is_gated;
        at += 1;
    }
    gated
};

/// Names of the channels of a read's cell, in order.
pub fn cell_channel_names() -> impl Iterator<Item = &'static str> {
    CELL.iter().map(|channel| channel.name)
}

/// A channel of the columns of the haplotypes, computed from the symbols of reference and ALT.
struct HaplotypeChannel {
    /// Its name.
    name: &'static str,
    value: fn(u8, u8) -> bool,
}

impl HaplotypeChannel {
    const fn new(name: &'static str, value: fn(u8, u8) -> bool) -> Self {
        Self { name, value }
    }
}

/// Number of channels of a column of the haplotypes.
pub(in crate::networks) const HAPLOTYPE_CHANNELS: usize = 11;

/// The channels of a column of the haplotypes, in order.
const HAPLOTYPE: [HaplotypeChannel; HAPLOTYPE_CHANNELS] = {
    use HaplotypeChannel as H;
    [
        H::new("reference_A", |reference, _| reference == 1),
        H::new("reference_C", |reference, _| reference == 2),
        H::new("reference_G", |reference, _| reference == 3),
        H::new("reference_T", |reference, _| reference == 4),
        // A column that an insertion opened.
        H::new("reference_none", |reference, _| reference == symbol::PAD),
        H::new("alternate_A", |_, alternate| alternate == 1),
        H::new("alternate_C", |_, alternate| alternate == 2),
        H::new("alternate_G", |_, alternate| alternate == 3),
        H::new("alternate_T", |_, alternate| alternate == 4),
        H::new("alternate_gap", |_, alternate| alternate == symbol::GAP),
        H::new("differs", |reference, alternate| reference != alternate),
    ]
};

/// Names of the channels of a column of the haplotypes, in order.
pub fn haplotype_channel_names() -> impl Iterator<Item = &'static str> {
    HAPLOTYPE.iter().map(|channel| channel.name)
}

fn bit(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// Network inputs for one allele. Cells of reads are excluded; `push_row` produces them one read at
/// a time. A [`super::batch::AlleleBatch`] holds several alleles as bytes.
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

/// Symbols of a cell, with their clips.
const SYMBOLS: usize = 16;

/// The channels of every cell: `[quality][symbol][agrees]`.
static CELLS: LazyLock<Vec<[f32; CELL_CHANNELS]>> = LazyLock::new(|| {
    let qualities = 0..=u8::MAX;
    let symbols = qualities.flat_map(|quality| (0..SYMBOLS as u8).map(move |cell| (cell, quality)));
    let cells = symbols
        .flat_map(|(cell, quality)| [false, true].map(|agrees| Cell::new(cell, quality, agrees)));
    cells
        .map(|cell| std::array::from_fn(|at| (CELL[at].value)(&cell)))
        .collect()
});

/// Appends the cells of a read's row, `[column][channel]`.
pub(super) fn push_row(row: &Row, reference: &[u8; WINDOW], out: &mut Vec<f32>) {
    for ([cell, quality], expected) in row.iter().zip(reference) {
        let channels = cell_channels(*cell, *quality, agrees(*cell, *expected));
        out.extend_from_slice(&channels);
    }
}

/// Returns true if a read's symbol is the reference's.
pub(super) fn agrees(cell: u8, expected: u8) -> bool {
    cell & !symbol::CLIPPED == expected
}

/// The channels of a read's symbol, which lies below 16.
pub(super) fn cell_channels(cell: u8, quality: u8, agrees: bool) -> [f32; CELL_CHANNELS] {
    let symbol = usize::from(cell) % SYMBOLS;
    CELLS[(usize::from(quality) * SYMBOLS + symbol) * 2 + usize::from(agrees)]
}

fn push_haplotype(haplotype: &Haplotype, out: &mut Vec<f32>) {
    for (reference, alternate) in haplotype.reference.iter().zip(&haplotype.alternate) {
        out.extend(haplotype_channels(*reference, *alternate));
    }
}

/// The channels of a column of the haplotypes.
pub(super) fn haplotype_channels(reference: u8, alternate: u8) -> [f32; HAPLOTYPE_CHANNELS] {
    std::array::from_fn(|at| bit((HAPLOTYPE[at].value)(reference, alternate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_names_of_their_own() {
        let unique = |names: Vec<&str>| {
            let set: std::collections::BTreeSet<_> = names.iter().collect();
            set.len() == names.len()
        };
        assert!(unique(cell_channel_names().collect()));
        assert!(unique(haplotype_channel_names().collect()));
    }

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
