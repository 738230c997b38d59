//! Reads side by side: which base of which read stands in which column.
//!
//! Columns are padded: an insertion that any read or the allele carries opens columns in all rows,
//! so that equal sequence stands in equal columns.

use std::ops::Range;
use std::sync::Arc;

use crate::genome::{AlignedRead, CigarBlock, CigarOp, Edit, ReferenceBlock};

/// Columns of a window.
pub const WINDOW: usize = 64;
/// The column of the change's first base (for an insertion, of its first inserted base).
pub const EVENT_COLUMN: usize = 28;
/// Columns that an insertion of a read opens at most; longer ones are cut.
const MAX_OPENED: usize = 6;
/// Columns that the allele itself opens at most.
const MAX_EVENT_OPENED: usize = 24;

/// Content of a cell, as one byte.
pub mod symbol {
    /// No read here.
    pub const EMPTY: u8 = 0;
    /// `N`, or another letter that is no plain base.
    pub const UNKNOWN: u8 = 5;
    /// A deleted base.
    pub const GAP: u8 = 6;
    /// Nothing, in a column that another read's insertion opened.
    pub const PAD: u8 = 7;
    /// Set beside the base's number where it is soft-clipped.
    pub const CLIPPED: u8 = 8;

    /// 1 to 4 for A, C, G, T; [`UNKNOWN`] for anything else.
    pub fn of(base: u8) -> u8 {
        match base {
            b'A' => 1,
            b'C' => 2,
            b'G' => 3,
            b'T' => 4,
            _ => UNKNOWN,
        }
    }
}

/// One row: symbol and phred quality of each column; quality 0 where there is no base.
pub type Row = [[u8; 2]; WINDOW];

/// The reference and the allele, a symbol a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Haplotype {
    /// The reference.
    pub reference: [u8; WINDOW],
    /// The reference with the allele written into it.
    pub alternate: [u8; WINDOW],
}

/// Which column a reference position stands in.
#[derive(Debug, Clone)]
pub struct Columns {
    /// 0-based position of the first one in `of_position`.
    first: i64,
    /// Column of each position shown.
    of_position: Vec<u8>,
    /// Columns opened in front of each position shown.
    opened: Vec<u8>,
}

impl Columns {
    /// Lays out the columns around `edit` for `reads`.
    pub fn new(edit: &Edit, reads: &[Arc<AlignedRead>]) -> Self {
        let event = edit.start as i64;
        let (first, last) = (event - WINDOW as i64, event + WINDOW as i64);
        let mut opened = vec![0usize; (last - first) as usize];
        for read in reads {
            for block in read.cigar.blocks(read.start) {
                let place = block.position;
                if block.op == CigarOp::Insertion && (first..last).contains(&place) {
                    let here = &mut opened[(place - first) as usize];
                    *here = (*here).max(block.read().len().min(MAX_OPENED));
                }
            }
        }
        // The bases of the allele that have no reference base to stand over come first.
        let grown = edit.inserted.len().saturating_sub(edit.deleted as usize);
        let at_event = &mut opened[WINDOW];
        *at_event = (*at_event).max(grown.min(MAX_EVENT_OPENED));

        let (mut of_position, mut kept) = (Vec::new(), Vec::new());
        let (mut position, mut column) = (WINDOW, EVENT_COLUMN);
        // To the left: a position, then what is opened in front of it.
        let mut left = Vec::new();
        while position > 0 && column > 0 {
            position -= 1;
            column -= 1;
            let room = opened[position].min(column);
            left.push((column, room));
            column -= room;
        }
        let first_shown = first + position as i64;
        for (column, room) in left.into_iter().rev() {
            of_position.push(column as u8);
            kept.push(room as u8);
        }
        let (mut position, mut column) = (WINDOW, EVENT_COLUMN);
        while column < WINDOW {
            let room = opened[position].min(WINDOW - column);
            column += room;
            if column >= WINDOW {
                break;
            }
            of_position.push(column as u8);
            kept.push(room as u8);
            column += 1;
            position += 1;
        }
        Self {
            first: first_shown,
            of_position,
            opened: kept,
        }
    }

    /// The column of a position.
    fn column(&self, position: i64) -> Option<usize> {
        let at = usize::try_from(position - self.first).ok()?;
        self.of_position.get(at).map(|column| usize::from(*column))
    }

    /// Columns opened in front of a position.
    fn opened(&self, position: i64) -> usize {
        usize::try_from(position - self.first)
            .ok()
            .and_then(|at| self.opened.get(at))
            .map_or(0, |opened| usize::from(*opened))
    }

    /// The two haplotypes in these columns.
    pub fn haplotype(&self, edit: &Edit, block: &ReferenceBlock) -> Haplotype {
        let mut reference = [symbol::EMPTY; WINDOW];
        let first = self.first;
        for (index, column) in self.of_position.iter().enumerate() {
            let column = usize::from(*column);
            let position = first + index as i64;
            if position >= 0
                && let [base] = block.slice(position as u64..position as u64 + 1)
            {
                reference[column] = symbol::of(*base);
                for opened in 1..=usize::from(self.opened[index]) {
                    reference[column - opened] = symbol::PAD;
                }
            }
        }
        let mut alternate = reference;
        let start = edit.start as i64;
        let grown = edit.inserted.len().saturating_sub(edit.deleted as usize);
        for (at, base) in edit.inserted.iter().enumerate() {
            let column = if at < grown {
                let room = self.opened(start);
                (at < room).then(|| EVENT_COLUMN + at)
            } else {
                self.column(start + (at - grown) as i64)
            };
            if let Some(column) = column.filter(|column| *column < WINDOW) {
                alternate[column] = symbol::of(*base);
            }
        }
        for lost in edit.inserted.len() as i64..edit.deleted as i64 {
            if let Some(column) = self.column(start + lost) {
                alternate[column] = symbol::GAP;
            }
        }
        Haplotype {
            reference,
            alternate,
        }
    }

    /// One read in these columns.
    pub fn row(&self, read: &AlignedRead) -> Row {
        let mut row: Row = [[symbol::EMPTY, 0]; WINDOW];
        let base_at = |at: usize| {
            let base = read.bases.get(at).copied().unwrap_or(b'N');
            let quality = read.qualities.get(at).copied().unwrap_or(u8::MAX);
            // 255 stands for no quality: a fair one is taken.
            [
                symbol::of(base),
                if quality == u8::MAX {
                    20
                } else {
                    quality.min(60)
                },
            ]
        };
        let mut leading = true;
        let mut inserted_before = 0;
        for block in read.cigar.blocks(read.start) {
            match block.op {
                CigarOp::SoftClip => self.show_clip(&block, leading, &base_at, &mut row),
                CigarOp::Insertion => {
                    inserted_before = block.read().len();
                    if let Some(column) = self.column(block.position) {
                        let room = self.opened(block.position);
                        for step in 0..inserted_before.min(room) {
                            row[column - room + step] = base_at(block.at + step);
                        }
                    }
                }
                CigarOp::Match | CigarOp::Equal | CigarOp::Diff | CigarOp::Deletion => {
                    self.show_aligned(&block, read.start, inserted_before, &base_at, &mut row);
                    inserted_before = 0;
                }
                CigarOp::Skip | CigarOp::HardClip | CigarOp::Pad => {}
            }
            leading &= matches!(block.op, CigarOp::HardClip);
        }
        row
    }

    /// The positions shown, 0-based and half-open.
    fn shown(&self) -> Range<i64> {
        self.first..self.first + self.of_position.len() as i64
    }

    /// Lays a soft clip on as if it were aligned: in front of the read where it is `leading`.
    fn show_clip(
        &self,
        block: &CigarBlock,
        leading: bool,
        base_at: &impl Fn(usize) -> [u8; 2],
        row: &mut Row,
    ) {
        let (shown, length) = (self.shown(), block.read().len() as i64);
        let start = if leading {
            block.position - length
        } else {
            block.position
        };
        // What is shown of it only: without bases a clip may claim any length.
        let from = (shown.start - start).clamp(0, length) as usize;
        let to = (shown.end - start).clamp(0, length) as usize;
        for step in from..to {
            if let Some(column) = self.column(start + step as i64) {
                let [base, quality] = base_at(block.at + step);
                row[column] = [base | symbol::CLIPPED, quality];
            }
        }
    }

    /// Shows aligned or deleted bases, and fills what is opened in front of each of them. The read
    /// begins at `start` and has `inserted_before` bases in front of this block.
    fn show_aligned(
        &self,
        block: &CigarBlock,
        start: i64,
        inserted_before: usize,
        base_at: &impl Fn(usize) -> [u8; 2],
        row: &mut Row,
    ) {
        let (shown, covered) = (self.shown(), block.reference());
        for place in covered.start.max(shown.start)..covered.end.min(shown.end) {
            let Some(column) = self.column(place) else {
                continue;
            };
            row[column] = if block.op == CigarOp::Deletion {
                [symbol::GAP, 0]
            } else {
                base_at(block.read_index(place))
            };
            let room = self.opened(place);
            let filled = if place == block.position {
                inserted_before.min(room)
            } else {
                0
            };
            if place > start {
                for step in filled..room {
                    row[column - room + step] = [symbol::PAD, 0];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Cigar;
    use CigarOp::*;
    use proptest::prelude::*;

    fn block() -> ReferenceBlock {
        let bases: Vec<u8> = (0..400).map(|at| b"ACGT"[(at * 7 + at / 5) % 4]).collect();
        ReferenceBlock::new(0, bases, 400)
    }

    fn read(start: i64, cigar: &[(CigarOp, u32)]) -> Arc<AlignedRead> {
        let cigar = Cigar(cigar.to_vec());
        let length = cigar.read_len() as usize;
        Arc::new(AlignedRead {
            start,
            cigar,
            bases: vec![b'C'; length],
            qualities: vec![30; length],
            ..AlignedRead::default()
        })
    }

    fn edit(start: u64, deleted: u64, inserted: &[u8]) -> Edit {
        Edit {
            start,
            deleted,
            inserted: inserted.to_vec(),
        }
    }

    #[test]
    fn without_insertions_columns_are_positions() {
        let edit = edit(200, 1, b"T");
        let columns = Columns::new(&edit, &[]);
        assert_eq!(columns.column(200), Some(EVENT_COLUMN));
        assert_eq!(columns.column(172), Some(0));
        assert_eq!(columns.column(171), None);
        assert_eq!(columns.column(235), Some(63));
        assert_eq!(columns.column(236), None);
        let shown = columns.haplotype(&edit, &block());
        assert_eq!(shown.alternate[EVENT_COLUMN], symbol::of(b'T'));
        let changed = (0..WINDOW).filter(|at| shown.reference[*at] != shown.alternate[*at]);
        assert!(changed.count() <= 1);
    }

    #[test]
    fn insertions_open_columns_in_every_row() {
        let edit = edit(200, 0, b"GG");
        let carrier = read(180, &[(Match, 20), (Insertion, 2), (Match, 20)]);
        let plain = read(180, &[(Match, 40)]);
        let other = read(190, &[(Match, 20), (Insertion, 3), (Match, 20)]);
        let columns = Columns::new(&edit, &[carrier.clone(), plain.clone(), other]);
        assert_eq!(columns.column(200), Some(EVENT_COLUMN + 2));
        assert_eq!(columns.column(210), Some(EVENT_COLUMN + 2 + 10 + 3));
        let (carrier, plain) = (columns.row(&carrier), columns.row(&plain));
        assert_eq!(carrier[EVENT_COLUMN], [symbol::of(b'C'), 30]);
        assert_eq!(plain[EVENT_COLUMN], [symbol::PAD, 0]);
        assert_eq!(plain[EVENT_COLUMN + 1], [symbol::PAD, 0]);
        assert_eq!(plain[EVENT_COLUMN + 2], [symbol::of(b'C'), 30]);
        let shown = columns.haplotype(&edit, &block());
        assert_eq!(
            shown.reference[EVENT_COLUMN..EVENT_COLUMN + 2],
            [symbol::PAD; 2]
        );
        assert_eq!(
            shown.alternate[EVENT_COLUMN..EVENT_COLUMN + 2],
            [symbol::of(b'G'); 2]
        );
    }

    #[test]
    fn deletions_are_gaps_and_clips_are_marked() {
        let edit = edit(200, 3, b"");
        let carrier = read(
            180,
            &[
                (SoftClip, 4),
                (Match, 20),
                (Deletion, 3),
                (Match, 9),
                (SoftClip, 5),
            ],
        );
        let columns = Columns::new(&edit, std::slice::from_ref(&carrier));
        let row = columns.row(&carrier);
        assert_eq!(row[EVENT_COLUMN..EVENT_COLUMN + 3], [[symbol::GAP, 0]; 3]);
        assert_eq!(
            row[EVENT_COLUMN - 21],
            [symbol::of(b'C') | symbol::CLIPPED, 30]
        );
        assert_eq!(
            row[EVENT_COLUMN + 12],
            [symbol::of(b'C') | symbol::CLIPPED, 30]
        );
        assert_eq!(row[EVENT_COLUMN + 17], [symbol::EMPTY, 0]);
        let shown = columns.haplotype(&edit, &block());
        assert_eq!(
            shown.alternate[EVENT_COLUMN..EVENT_COLUMN + 3],
            [symbol::GAP; 3]
        );
    }

    #[test]
    fn a_clip_without_bases_is_shown_as_far_as_the_window_goes() {
        let edit = edit(200, 1, b"T");
        let longest = (1 << 28) - 1;
        let mut clipped = AlignedRead::clone(&read(210, &[(Match, 5)]));
        clipped.cigar = Cigar(vec![(SoftClip, longest), (Match, 5), (SoftClip, longest)]);
        let row = Columns::new(&edit, &[]).row(&clipped);
        let unknown = symbol::UNKNOWN | symbol::CLIPPED;
        assert_eq!((row[0][0], row[WINDOW - 1][0]), (unknown, unknown));
    }

    proptest! {
        #[test]
        fn any_cigar_fits(
            start in 0i64..300,
            ops in prop::collection::vec((0usize..9, 1u32..90), 0..8),
            event in 0u64..390, deleted in 0u64..9, inserted in "[ACGT]{0,40}",
        ) {
            let all = [Match, Insertion, Deletion, Skip, SoftClip, HardClip, Pad, Equal, Diff];
            let cigar: Vec<_> = ops.into_iter().map(|(op, count)| (all[op], count)).collect();
            let read = read(start, &cigar);
            let edit = edit(event, deleted, inserted.as_bytes());
            let columns = Columns::new(&edit, std::slice::from_ref(&read));
            let row = columns.row(&read);
            prop_assert!(row.iter().all(|[base, _]| *base < 16));
            let shown = columns.haplotype(&edit, &block());
            prop_assert!(shown.alternate.iter().all(|base| *base < 8));
        }
    }
}
