//! Stretches of the reference that are swept together.

use std::ops::Range;

use cnnfilter_core::candidates::TILE;
use cnnfilter_core::genome::{ContigTable, IntervalSet};

/// A stretch of a contig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) contig: String,
    /// 0-based, half-open; begins at a multiple of [`TILE`].
    pub(crate) range: Range<u64>,
}

impl Tile {
    pub(crate) fn bases(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// The tiles that touch what is wanted, of contigs on which there may be reads, in the order of the reference.
pub(super) fn tiles(
    reference: &ContigTable,
    of_reads: &[ContigTable],
    wanted: Option<&IntervalSet>,
) -> Vec<Tile> {
    let mut found = Vec::new();
    for contig in reference.iter() {
        if of_reads
            .iter()
            .all(|table| table.get(&contig.name).is_none())
        {
            continue;
        }
        let length = contig.length.unwrap_or(0);
        for start in (0..length).step_by(TILE as usize) {
            let range = start..length.min(start + TILE);
            let touches =
                |wanted: &IntervalSet| wanted.overlaps(&contig.name, range.start, range.end);
            if wanted.is_none_or(touches) {
                found.push(Tile {
                    contig: contig.name.clone(),
                    range,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::genome::{Contig, Interval};

    fn table(contigs: &[(&str, u64)]) -> ContigTable {
        ContigTable::new(contigs.iter().map(|(name, length)| Contig {
            name: (*name).to_owned(),
            length: Some(*length),
        }))
    }

    #[test]
    fn tiles_cover_contigs_with_reads_once() {
        let reference = table(&[("a", 2 * TILE + 5), ("b", TILE), ("c", 10)]);
        let reads = [table(&[("c", 10), ("a", 2 * TILE + 5)])];
        let places = |wanted: Option<&IntervalSet>| -> Vec<(String, Range<u64>)> {
            let found = tiles(&reference, &reads, wanted).into_iter();
            found.map(|tile| (tile.contig, tile.range)).collect()
        };
        let all = places(None);
        let expected = [
            ("a", 0..TILE),
            ("a", TILE..2 * TILE),
            ("a", 2 * TILE..2 * TILE + 5),
            ("c", 0..10),
        ];
        assert_eq!(all, expected.map(|(name, range)| (name.to_owned(), range)));
        let wanted = IntervalSet::new([(
            "a".to_owned(),
            Interval {
                start: TILE - 1,
                end: TILE + 1,
            },
        )]);
        assert_eq!(places(Some(&wanted)), all[..2]);
    }
}
