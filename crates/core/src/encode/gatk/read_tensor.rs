//! The 2D tensor: reads, reference, flags and mapping qualities around the call.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{
    CHANNELS, GAP, READ_LIMIT, WINDOW, reference_tensor::gapped_reference_channels, window::Window,
};
use crate::encode::kind::gatk_sorts_by_base;
use crate::genome::ReferenceBlock;
use crate::genome::{AlignedRead, CigarOp, Variant};

/// Stands left of a read's first base: a column without anything (`SKIP_CHAR`).
const SKIP: u8 = b'~';

/// Longest insertion of any read, by column counted before anything is inserted. Columns may be
/// negative.
type Insertions = BTreeMap<i64, usize>;

/// One read in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRow {
    /// Letters, `*` for a gap, `~` or 0 for nothing.
    pub letters: [u8; WINDOW],
    /// Phred qualities under the letters; 0 under gaps.
    pub qualities: [u8; WINDOW],
    /// Columns `from..to` carry the flags and the mapping quality.
    pub from: u8,
    /// See `from`.
    pub to: u8,
    /// SAM flags.
    pub flags: crate::genome::ReadFlags,
    /// Mapping quality, 0 to 255.
    pub mapping_quality: u8,
}

/// A call's reads, sorted as the network expects them, and the reference above them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTensor {
    /// Reference letters with gap columns opened; 0 where there is none.
    pub reference: [u8; WINDOW],
    /// At most [`READ_LIMIT`] rows.
    pub rows: Vec<ReadRow>,
}

impl ReadTensor {
    /// Numbers of one row: `[window 128][channels 15]`.
    pub const ROW_LEN: usize = WINDOW * CHANNELS;

    /// Encodes a call.
    ///
    /// `reads` are the (at most [`READ_LIMIT`]) reads that overlap `variant.start..variant.end`,
    /// in the order of the file or of the sample; `reference` must hold [`Window::on_contig`] of
    /// the variant.
    pub fn encode(
        variant: &Variant,
        reads: &[Arc<AlignedRead>],
        reference: &ReferenceBlock,
    ) -> Self {
        Self::encode_named(variant, reads, reference).0
    }

    /// [`Self::encode`], with the [`AlignedRead::name`] of each row.
    pub(crate) fn encode_named(
        variant: &Variant,
        reads: &[Arc<AlignedRead>],
        reference: &ReferenceBlock,
    ) -> (Self, Vec<u64>) {
        let window = Window::of(variant);
        let insertions = insertions(reads, window.start);
        let mut sorted: Vec<&AlignedRead> =
            reads.iter().take(READ_LIMIT).map(AsRef::as_ref).collect();
        sorted.sort_by_key(|read| read_start(read));
        sorted.sort_by_cached_key(|read| sort_letter(read, variant));
        let bases = reference.slice(window.on_contig(reference.contig_length()));
        let names = sorted.iter().map(|read| read.name).collect();
        let tensor = Self {
            reference: reference_row(bases, &insertions),
            rows: sorted
                .into_iter()
                .map(|read| read_row(read, window.start, &insertions))
                .collect(),
        };
        (tensor, names)
    }

    /// How many of the 128 rows differ from each other at most: the reads and one row without a
    /// read. All rows from there on equal the last of these.
    pub fn distinct_rows(&self) -> usize {
        (self.rows.len() + 1).min(READ_LIMIT)
    }

    /// Appends the distinct rows as floats, `[distinct rows][window 128][channels 15]` row-major,
    /// channels as in [`super::CHANNEL_NAMES`]. A row without a read holds the reference only.
    pub fn write_floats(&self, out: &mut Vec<f32>) {
        let rows = self.distinct_rows();
        let first = out.len();
        out.resize(first + rows * Self::ROW_LEN, 0.0);
        let mut empty = [0f32; Self::ROW_LEN];
        for (cell, letter) in empty.chunks_exact_mut(CHANNELS).zip(self.reference) {
            cell[5..10].copy_from_slice(&gapped_reference_channels(letter));
        }
        for (at, floats) in out[first..].chunks_exact_mut(Self::ROW_LEN).enumerate() {
            floats.copy_from_slice(&empty);
            if let Some(row) = self.rows.get(at) {
                row.write(floats);
            }
        }
    }
}

impl ReadRow {
    /// The channels of the flags and the mapping quality, where the row carries them.
    pub fn constant_channels(&self) -> [f32; 5] {
        let flag = |set: bool| if set { 1.0 } else { 0.0 };
        [
            flag(self.flags.is_reverse()),
            flag(self.flags.is_mate_reverse()),
            flag(self.flags.is_first()),
            flag(self.flags.is_second()),
            f32::from(self.mapping_quality) / 60.0,
        ]
    }

    /// Writes the read's channels into one row of floats.
    fn write(&self, floats: &mut [f32]) {
        let constant = self.constant_channels();
        for (column, cell) in floats.chunks_exact_mut(CHANNELS).enumerate() {
            let channels = read_channels(self.letters[column], self.qualities[column]);
            cell[..READ_CHANNELS].copy_from_slice(&channels);
            if (self.from as usize..self.to as usize).contains(&column) {
                cell[10..].copy_from_slice(&constant);
            }
        }
    }
}

/// Channels of a read's letter and quality.
pub const READ_CHANNELS: usize = 5;

/// The channels of a read's letter: A, C, G, T and gap.
pub fn read_channels(letter: u8, quality: u8) -> [f32; READ_CHANNELS] {
    match letter {
        0 | SKIP => [0.0; READ_CHANNELS],
        GAP => [0.0, 0.0, 0.0, 0.0, 1.0],
        letter => {
            let [a, c, g, t] = base_channels(letter, quality);
            [a, c, g, t, 0.0]
        }
    }
}

/// The four base channels of a read's base: 1 - 10^(-q/10) for the base called and a third of
/// the rest for each other one (`base_quality_to_p_hot_array`). Ambiguity codes have the values
/// of `AMBIGUITY_CODES`, whatever the quality; R, Y, S, W, V, H have two of them exchanged there.
fn base_channels(letter: u8, quality: u8) -> [f32; 4] {
    let called = |at: usize| {
        let (right, wrong) = P_HOT[quality as usize];
        let mut channels = [wrong; 4];
        channels[at] = right;
        channels
    };
    match letter {
        b'A' => called(0),
        b'C' => called(1),
        b'G' => called(2),
        b'T' => called(3),
        b'K' => [0.0, 0.0, 0.5, 0.5],
        b'M' => [0.5, 0.5, 0.0, 0.0],
        b'R' => [0.5, 0.0, 0.0, 0.5],
        b'Y' => [0.0, 0.5, 0.5, 0.0],
        b'S' => [0.0, 0.5, 0.0, 0.5],
        b'W' => [0.5, 0.0, 0.5, 0.0],
        b'B' => [0.0, 0.333, 0.333, 0.334],
        b'V' => [0.333, 0.333, 0.0, 0.334],
        b'H' => [0.333, 0.333, 0.334, 0.0],
        b'D' => [0.333, 0.0, 0.333, 0.334],
        b'X' | b'N' => [0.25; 4],
        _ => [0.0; 4],
    }
}

/// For each phred quality the probability that the base is right, and that it is one certain
/// other base.
static P_HOT: LazyLock<[(f32, f32); 256]> = LazyLock::new(|| {
    std::array::from_fn(|quality| {
        let right = 1.0 - 10f64.powf(-(quality as f64) / 10.0);
        (right as f32, ((1.0 - right) / 3.0) as f32)
    })
});

/// Where a read begins (`get_start`): its unclipped start, and -1 for an unmapped read.
fn read_start(read: &AlignedRead) -> i64 {
    if read.flags.is_unmapped() {
        -1
    } else {
        read.unclipped_start()
    }
}

/// Sort key of reads after their start (`get_base_to_sort_by`): for a SNP the base at POS,
/// else the base behind POS, or the CIGAR letter where that is no match; `Y` behind the end of
/// the alignment, `Z` for a read without bases.
fn sort_letter(read: &AlignedRead, variant: &Variant) -> u8 {
    let Some(last) = read.bases.len().checked_sub(1) else {
        return b'Z';
    };
    let base_at = |index: i64| read.bases[index.clamp(0, last as i64) as usize];
    let index = variant.start as i64 - read_start(read);
    if gatk_sorts_by_base(variant) {
        return base_at(index);
    }
    let behind = index + 1;
    // Every operation counts, whether or not it consumes the read.
    let mut places = read.cigar.offsets(0, |_| true);
    match places.find(|(offset, _, length)| offset + i64::from(*length) > behind) {
        Some((_, CigarOp::Match, _)) => base_at(behind),
        Some((_, op, _)) => op.letter(),
        None => b'Y',
    }
}

/// Returns true if an operation moves the column in which the next indel stands.
fn moves_column(op: CigarOp) -> bool {
    use CigarOp::*;
    matches!(op, Match | Insertion | SoftClip | Deletion)
}

/// The insertions that open columns (`get_insertions`): those of reads that begin less than a
/// window away from the window's start.
fn insertions(reads: &[Arc<AlignedRead>], window_start: i64) -> Insertions {
    let mut longest = Insertions::new();
    for read in reads.iter().take(READ_LIMIT) {
        let shift = window_start - read_start(read);
        if shift.unsigned_abs() >= WINDOW as u64 {
            continue;
        }
        for (column, op, length) in read.cigar.offsets(-shift, moves_column) {
            if op == CigarOp::Insertion {
                let entry = longest.entry(column).or_default();
                *entry = (*entry).max(length as usize);
            }
        }
    }
    longest
}

/// The gaps to put into one read (`_get_sequence_specific_indel_dict`): what other reads insert
/// beyond its own insertions, and its own deletions.
fn gaps(read: &AlignedRead, shift: i64, insertions: &Insertions) -> Insertions {
    let mut own = Insertions::new();
    for (column, op, length) in read.cigar.offsets(-shift, moves_column) {
        let length = length as usize;
        match (op, insertions.get(&column)) {
            (CigarOp::Insertion, Some(longest)) => {
                own.insert(column, longest.saturating_sub(length));
            }
            (CigarOp::Deletion, _) => {
                own.insert(column, length);
            }
            _ => {}
        }
    }
    for (column, longest) in insertions {
        own.entry(*column).or_insert(*longest);
    }
    own
}

/// The reference row (`get_reference`).
fn reference_row(bases: &[u8], insertions: &Insertions) -> [u8; WINDOW] {
    let mut row = bases.to_vec();
    for (column, length) in insertions.iter().rev() {
        let length = (*length).min(WINDOW);
        let at = (*column).max(0) as usize;
        if at > row.len() {
            if at >= WINDOW {
                continue;
            }
            row.resize(at, 0);
        }
        row.splice(at..at, std::iter::repeat_n(GAP, length));
        row.truncate(WINDOW);
    }
    let mut fixed = [0; WINDOW];
    for (column, letter) in fixed.iter_mut().zip(row) {
        *column = letter;
    }
    fixed
}

/// One read's row (`_get_sequence_and_quality`, `_fill_rows`).
fn read_row(read: &AlignedRead, window_start: i64, insertions: &Insertions) -> ReadRow {
    let shift = window_start - read_start(read);
    let mut cells: Vec<(u8, u8)> = read
        .bases
        .iter()
        .copied()
        .zip(read.qualities.iter().copied())
        .take(WINDOW)
        .collect();
    if shift > 0 {
        cells.drain(..(shift as usize).min(cells.len()));
    } else {
        // Nothing right of the window can move into it, so no more than a window is padded.
        let padding = (-shift).min(WINDOW as i64) as usize;
        cells.splice(0..0, std::iter::repeat_n((SKIP, 0), padding));
    }
    for (column, length) in gaps(read, shift, insertions).iter().rev() {
        let at = (*column).clamp(0, cells.len() as i64) as usize;
        cells.splice(at..at, std::iter::repeat_n((GAP, 0), (*length).min(WINDOW)));
        // What has left the window does not come back: gaps are put in from right to left.
        cells.truncate(WINDOW);
    }
    cells.truncate(WINDOW);
    let mut row = ReadRow {
        letters: [0; WINDOW],
        qualities: [0; WINDOW],
        from: 0,
        to: 0,
        flags: read.flags,
        mapping_quality: read.mapping_quality,
    };
    let mut filled = cells
        .iter()
        .enumerate()
        .filter(|(_, (letter, _))| *letter != SKIP);
    if let Some((first, _)) = filled.next()
        && let Some((last, _)) = filled.next_back()
    {
        (row.from, row.to) = (first as u8, last as u8);
    }
    for (column, (letter, quality)) in cells.into_iter().enumerate() {
        (row.letters[column], row.qualities[column]) = (letter, quality);
    }
    row
}

#[cfg(test)]
mod tests;
