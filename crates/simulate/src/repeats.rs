//! All short tandem repeats of a sequence.

use std::ops::Range;

/// A tandem repeat of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Where it stands, 0-based half-open; may end in the middle of a unit.
    pub range: Range<usize>,
    /// Bases of the unit.
    pub unit: usize,
}

impl Repeat {
    /// Whole copies of the unit.
    pub fn copies(&self) -> usize {
        self.range.len() / self.unit
    }
}

/// Fewest bases of a repeat.
pub const MIN_REPEAT: usize = 6;
/// Fewest whole copies of a repeat.
const MIN_COPIES: usize = 3;

/// Puts all tandem repeats of `bases` with units of 1 to `max_unit` bases into `found` (emptied
/// first), sorted by unit, then place: stretches in which every base equals the one a unit before
/// it, of at least three whole copies and six bases, as long as they can be. A stretch counts once,
/// with its shortest unit. Stretches of bases other than A, C, G, T (upper case) do not count.
pub fn tandem_repeats(bases: &[u8], max_unit: usize, found: &mut Vec<Repeat>) {
    found.clear();
    for unit in 1..=max_unit {
        // Bases that equal the one a unit before them, in the shortest repeat.
        let least = MIN_REPEAT.max(MIN_COPIES * unit) - unit;
        let mut run = 0;
        let later = bases.iter().skip(unit);
        // Most bases end no repeat: the one branch here is seldom taken.
        for (at, (base, earlier)) in later.zip(bases).enumerate() {
            let equal = base == earlier;
            if !equal & (run >= least) {
                keep(bases, at - run..at + unit, unit, found);
            }
            run = if equal { run + 1 } else { 0 };
        }
        if run >= least {
            keep(bases, bases.len() - run - unit..bases.len(), unit, found);
        }
    }
}

fn keep(bases: &[u8], range: Range<usize>, unit: usize, found: &mut Vec<Repeat>) {
    let stretch = &bases[range.clone()];
    let is_known = stretch[..unit]
        .iter()
        .all(|base| matches!(base, b'A' | b'C' | b'G' | b'T'));
    if is_known && !has_shorter_unit(stretch, unit) {
        found.push(Repeat { range, unit });
    }
}

/// Whether the unit is itself a repetition.
fn has_shorter_unit(stretch: &[u8], unit: usize) -> bool {
    (1..unit)
        .filter(|shorter| unit.is_multiple_of(*shorter))
        .any(|shorter| (shorter..unit).all(|at| stretch[at] == stretch[at - shorter]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bases: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut repeats = Vec::new();
        tandem_repeats(bases, 4, &mut repeats);
        repeats
            .iter()
            .map(|r| (r.range.start, r.range.end, r.unit))
            .collect()
    }

    #[test]
    fn each_stretch_counts_once_with_its_shortest_unit() {
        assert_eq!(found(b"GCAAAAAAAAAAAAAGC"), [(2, 15, 1)]);
        assert_eq!(found(b"GTCACACACATTG"), [(2, 10, 2)]);
        assert_eq!(found(b"TTACGACGACGAG"), [(2, 12, 3)]);
        assert_eq!(found(b"AAAAAAG"), [(0, 6, 1)], "from the first base");
        assert_eq!(found(b"GAAAAAA"), [(1, 7, 1)], "to the last");
    }

    #[test]
    fn short_ones_and_unknown_bases_do_not_count() {
        assert_eq!(found(b"GAAAAAG"), []);
        assert_eq!(found(b"GACACAG"), []);
        assert_eq!(found(b"ACGACGTT"), []);
        assert_eq!(found(b"NNNNNNNNNN"), []);
        assert_eq!(found(b"AAANAAA"), []);
        assert_eq!(found(b""), []);
    }

    #[test]
    fn copies_are_whole() {
        let mut repeats = Vec::new();
        tandem_repeats(b"TCACACACG", 4, &mut repeats);
        assert_eq!(repeats.len(), 1);
        assert_eq!(repeats[0].range, 1..8);
        assert_eq!(repeats[0].copies(), 3);
    }
}
