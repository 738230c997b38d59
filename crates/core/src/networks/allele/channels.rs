//! The channels that a network makes of the symbols of a tensor.
//!
//! [`CELLS`] and [`HAPLOTYPES`] have one entry a channel: its name, how it is computed, and whether a
//! soft quality threshold weights it. A card lists names; [`Channels`] are those of one card, in its
//! order. A new channel goes to the end of a list: models that do not name it stay as they are.

use std::sync::{Arc, LazyLock};

use crate::encode::allele::columns::{Haplotype, Row, WINDOW, symbol};
use crate::encode::allele::layout::each_once;

/// Channels of a cell that networks are trained with.
const USUAL_CELLS: usize = 8;

/// Channels of a column of the haplotypes that networks are trained with.
const USUAL_HAPLOTYPES: usize = 11;

/// Symbols of a cell, with their clips.
const SYMBOLS: usize = 16;

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
#[derive(Debug)]
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

/// The channels of a read's cell that there are. Networks are trained with the first
/// [`USUAL_CELLS`] of them.
static CELLS: [CellChannel; USUAL_CELLS] = {
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

/// A channel of the columns of the haplotypes, computed from the symbols of reference and ALT.
#[derive(Debug)]
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

/// The channels of a column of the haplotypes that there are. Networks are trained with the first
/// [`USUAL_HAPLOTYPES`] of them.
static HAPLOTYPES: [HaplotypeChannel; USUAL_HAPLOTYPES] = {
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

fn bit(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// A list of channels that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// No channel of cells has this name.
    #[error("`{0}` is no channel of a read's cell that this version knows; a later one may")]
    Cell(String),
    /// No channel of haplotypes has this name.
    #[error("`{0}` is no channel of the haplotypes that this version knows; a later one may")]
    Haplotype(String),
    /// A name is listed twice.
    #[error("`{0}` is listed twice; list it once")]
    Twice(String),
    /// Cells are those of reads, and the network reads none.
    #[error("`{0}` is a channel of reads, which this network does not read")]
    NeedsReads(String),
}

/// The channels of one network, in its order.
#[derive(Debug, Clone)]
pub struct Channels {
    cells: Vec<&'static CellChannel>,
    haplotypes: Vec<&'static HaplotypeChannel>,
    /// The channels of every cell: `[quality][symbol][agrees][channel]`.
    table: Arc<Vec<f32>>,
}

/// The table of the usual channels, which most networks share.
static USUAL_TABLE: LazyLock<Arc<Vec<f32>>> =
    LazyLock::new(|| Arc::new(table(&CELLS.iter().collect::<Vec<_>>())));

fn table(channels: &[&CellChannel]) -> Vec<f32> {
    let mut table = Vec::with_capacity(512 * SYMBOLS * channels.len());
    for quality in 0..=u8::MAX {
        for symbol in 0..SYMBOLS as u8 {
            for agrees in [false, true] {
                let cell = Cell::new(symbol, quality, agrees);
                table.extend(channels.iter().map(|channel| (channel.value)(&cell)));
            }
        }
    }
    table
}

impl Channels {
    /// The channels that networks are trained with.
    pub fn usual(with_reads: bool) -> Self {
        Self {
            cells: CELLS.iter().filter(|_| with_reads).collect(),
            haplotypes: HAPLOTYPES.iter().collect(),
            table: Arc::clone(&USUAL_TABLE),
        }
    }

    /// The channels of these names, in this order; the usual ones where a card lists none, as those
    /// of version 0.1.0 do.
    ///
    /// # Errors
    /// The first name that is unknown, listed twice, or one of reads where there are none.
    pub fn resolve<S: AsRef<str>>(
        with_reads: bool,
        cells: &[S],
        haplotypes: &[S],
    ) -> Result<Self, ChannelError> {
        if cells.is_empty() && haplotypes.is_empty() {
            return Ok(Self::usual(with_reads));
        }
        let cells = each_once(cells, ChannelError::Twice, |name| {
            let found = CELLS.iter().find(|channel| channel.name == name);
            let channel = found.ok_or_else(|| ChannelError::Cell(name.to_owned()))?;
            match with_reads {
                true => Ok(channel),
                false => Err(ChannelError::NeedsReads(name.to_owned())),
            }
        })?;
        let haplotypes = each_once(haplotypes, ChannelError::Twice, |name| {
            let found = HAPLOTYPES.iter().find(|channel| channel.name == name);
            found.ok_or_else(|| ChannelError::Haplotype(name.to_owned()))
        })?;
        Ok(Self {
            table: Arc::new(table(&cells)),
            cells,
            haplotypes,
        })
    }

    /// Number of channels of a read's cell; 0 without reads.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Number of channels of a column of the haplotypes.
    pub fn haplotypes(&self) -> usize {
        self.haplotypes.len()
    }

    /// Names of the channels of a read's cell, in order.
    pub fn cell_names(&self) -> impl Iterator<Item = &'static str> {
        self.cells.iter().map(|channel| channel.name)
    }

    /// Names of the channels of a column of the haplotypes, in order.
    pub fn haplotype_names(&self) -> impl Iterator<Item = &'static str> {
        self.haplotypes.iter().map(|channel| channel.name)
    }

    /// For each channel of a cell true where a soft quality threshold weights it.
    pub(super) fn gated(&self) -> impl Iterator<Item = bool> {
        self.cells.iter().map(|channel| channel.is_gated)
    }

    /// The channels of a read's symbol, which lies below 16.
    pub fn cell(&self, cell: u8, quality: u8, agrees: bool) -> &[f32] {
        let symbol = usize::from(cell) % SYMBOLS;
        let at = (usize::from(quality) * SYMBOLS + symbol) * 2 + usize::from(agrees);
        &self.table[at * self.cells.len()..(at + 1) * self.cells.len()]
    }

    /// Appends the cells of a read's row, `[column][channel]`.
    pub fn push_row(&self, row: &Row, reference: &[u8; WINDOW], out: &mut Vec<f32>) {
        for ([cell, quality], expected) in row.iter().zip(reference) {
            let channels = self.cell(*cell, *quality, agrees(*cell, *expected));
            // A copy of a known length is one instruction.
            match <&[f32; USUAL_CELLS]>::try_from(channels) {
                Ok(usual) => out.extend_from_slice(usual),
                Err(_) => out.extend_from_slice(channels),
            }
        }
    }

    /// The channels of a column of the haplotypes.
    pub fn haplotype(&self, reference: u8, alternate: u8) -> impl Iterator<Item = f32> {
        let channels = self.haplotypes.iter();
        channels.map(move |channel| bit((channel.value)(reference, alternate)))
    }

    /// Appends the columns of the haplotypes, `[column][channel]`.
    pub(super) fn push_haplotype(&self, haplotype: &Haplotype, out: &mut Vec<f32>) {
        for (reference, alternate) in haplotype.reference.iter().zip(&haplotype.alternate) {
            out.extend(self.haplotype(*reference, *alternate));
        }
    }
}

/// Channels are those of their names.
impl PartialEq for Channels {
    fn eq(&self, other: &Self) -> bool {
        self.cell_names().eq(other.cell_names())
            && self.haplotype_names().eq(other.haplotype_names())
    }
}

/// Returns true if a read's symbol is the reference's.
pub(super) fn agrees(cell: u8, expected: u8) -> bool {
    cell & !symbol::CLIPPED == expected
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
        let channels = Channels::usual(true);
        assert!(unique(channels.cell_names().collect()));
        assert!(unique(channels.haplotype_names().collect()));
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
        Channels::usual(true).push_row(&row, &reference, &mut out);
        let cell = |at: usize| &out[at * USUAL_CELLS..(at + 1) * USUAL_CELLS];
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
        Channels::usual(true).push_haplotype(&haplotype, &mut out);
        let ones = |at: usize| -> Vec<usize> {
            (0..USUAL_HAPLOTYPES)
                .filter(|channel| out[at * USUAL_HAPLOTYPES + channel] == 1.0)
                .collect()
        };
        assert_eq!(ones(0), [3, 8]);
        assert_eq!(ones(1), [3, 9, 10]);
        assert_eq!(ones(2), [4, 8, 10]);
    }

    #[test]
    fn channels_come_in_the_order_of_their_names() {
        let channels = Channels::resolve(true, &["gap", "A"], &["differs"]).unwrap();
        let mut row: Row = [[symbol::GAP, 0]; WINDOW];
        row[1] = [symbol::of(b'A'), 10];
        let mut out = Vec::new();
        channels.push_row(&row, &[symbol::of(b'A'); WINDOW], &mut out);
        assert_eq!(out.len(), 2 * WINDOW);
        assert_eq!(out[..2], [1.0, 0.0]);
        assert!(out[2] == 0.0 && (out[3] - 0.9).abs() < 1e-6);
        assert_eq!(channels.gated().collect::<Vec<_>>(), [false, true]);
        assert_eq!(channels.haplotype(1, 2).collect::<Vec<_>>(), [1.0]);
        assert_ne!(channels, Channels::usual(true));
    }

    #[test]
    fn lists_that_cannot_be_made_are_refused() {
        let resolve = |with_reads, cells: &[&str], haplotypes: &[&str]| {
            Channels::resolve(with_reads, cells, haplotypes).map(|channels| channels.cells())
        };
        assert_eq!(resolve(true, &[], &[]), Ok(USUAL_CELLS));
        assert_eq!(resolve(false, &[], &[]), Ok(0));
        assert_eq!(resolve(false, &[], &["differs"]), Ok(0));
        let name = String::from;
        for (found, error) in [
            (resolve(true, &["B"], &[]), ChannelError::Cell(name("B"))),
            (
                resolve(true, &["A"], &["A"]),
                ChannelError::Haplotype(name("A")),
            ),
            (
                resolve(true, &["A", "A"], &[]),
                ChannelError::Twice(name("A")),
            ),
            (
                resolve(true, &[], &["differs", "differs"]),
                ChannelError::Twice(name("differs")),
            ),
            (
                resolve(false, &["A"], &[]),
                ChannelError::NeedsReads(name("A")),
            ),
        ] {
            assert_eq!(found, Err(error));
        }
    }
}
