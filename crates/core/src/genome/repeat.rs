//! Short tandem repeats: all of a sequence, and the one around a position.

use std::ops::Range;

/// A tandem repeat: a unit of one to six bases, several times over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TandemRepeat {
    /// Its bases in the sequence that was looked at, 0-based and half-open; it may end in the
    /// middle of a unit.
    pub span: Range<usize>,
    /// Bases of the unit.
    pub unit: usize,
}

impl TandemRepeat {
    /// Whole copies of the unit.
    pub fn copies(&self) -> usize {
        self.span.len() / self.unit
    }

    /// The unit as it stands at the repeat's start, in upper case. `bases` is the sequence that was
    /// looked at.
    pub fn unit_bases(&self, bases: &[u8]) -> Vec<u8> {
        let unit = self.span.start..self.span.start + self.unit;
        bases.get(unit).unwrap_or(&[]).to_ascii_uppercase()
    }
}

/// Longest unit that is looked for around a position, in bases.
const MAX_UNIT: usize = 6;
/// Fewest bases of a repeat.
const MIN_LENGTH: usize = 6;
/// Fewest whole copies of a repeat.
const MIN_COPIES: usize = 3;

/// Puts all tandem repeats of `bases` with units of 1 to `max_unit` bases into `found` (emptied
/// first), sorted by unit, then place: runs of bases in which every base equals the one a unit before
/// it, of at least three whole copies and six bases, as long as they can be. A run counts once,
/// with its shortest unit. Runs of bases other than A, C, G, T (upper case) do not count.
pub fn tandem_repeats(bases: &[u8], max_unit: usize, found: &mut Vec<TandemRepeat>) {
    found.clear();
    for unit in 1..=max_unit {
        // Bases that equal the one a unit before them, in the shortest repeat.
        let least = MIN_LENGTH.max(MIN_COPIES * unit) - unit;
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

fn keep(bases: &[u8], span: Range<usize>, unit: usize, found: &mut Vec<TandemRepeat>) {
    let repeat = &bases[span.clone()];
    let is_known = repeat[..unit]
        .iter()
        .all(|base| matches!(base, b'A' | b'C' | b'G' | b'T'));
    if is_known && !has_shorter_unit(repeat, unit) {
        found.push(TandemRepeat { span, unit });
    }
}

/// Returns true if the unit is itself a repetition.
fn has_shorter_unit(repeat: &[u8], unit: usize) -> bool {
    (1..unit)
        .filter(|shorter| unit.is_multiple_of(*shorter))
        .any(|shorter| (shorter..unit).all(|at| repeat[at] == repeat[at - shorter]))
}

/// The longest tandem repeat that holds the base at `at` or the one behind it (an indel is anchored
/// at the base in front of what it changes); nothing below three copies and six bases. Of two
/// equally long ones the one with the shorter unit counts.
pub fn tandem_repeat(bases: &[u8], at: usize) -> Option<TandemRepeat> {
    let mut best: Option<(usize, TandemRepeat)> = None;
    for unit in 1..=MAX_UNIT {
        for anchor in [at, at + 1] {
            let Some((first, end)) = periodic_run(bases, anchor, unit) else {
                continue;
            };
            let (length, copies) = (end - first, (end - first) / unit);
            let is_better = best.as_ref().is_none_or(|(longest, _)| length > *longest);
            if copies >= MIN_COPIES && length >= MIN_LENGTH && is_better {
                let span = first..end;
                best = Some((length, TandemRepeat { span, unit }));
            }
        }
    }
    best.map(|(_, repeat)| repeat)
}

/// The longest run of bases around `anchor` in which every base equals the one `unit` before it.
fn periodic_run(bases: &[u8], anchor: usize, unit: usize) -> Option<(usize, usize)> {
    let repeats = |at: usize| {
        at >= unit && at < bases.len() && bases[at].eq_ignore_ascii_case(&bases[at - unit])
    };
    // The anchor is in a run if it repeats what is before it, or is repeated behind it.
    let seed = (anchor..=anchor + unit).find(|at| repeats(*at))?;
    let mut start = seed;
    while start > unit && repeats(start - 1) {
        start -= 1;
    }
    let mut end = seed + 1;
    while repeats(end) {
        end += 1;
    }
    let first = start - unit;
    (first <= anchor).then_some((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bases: &[u8], at: usize) -> Option<(String, usize)> {
        tandem_repeat(bases, at).map(|repeat| {
            let unit = String::from_utf8(repeat.unit_bases(bases)).unwrap();
            (unit, repeat.copies())
        })
    }

    #[test]
    fn runs_and_units_are_found_from_either_end() {
        let bases = b"GCTAAAAAAAAGT";
        for at in 2..=10 {
            assert_eq!(found(bases, at), Some(("A".into(), 8)), "{at}");
        }
        assert_eq!(found(bases, 0), None);
        assert_eq!(found(bases, 12), None);
        let bases = b"TTGcacacacaGG";
        for at in 3..=9 {
            assert_eq!(found(bases, at), Some(("CA".into(), 4)), "{at}");
        }
        assert_eq!(found(b"ACGACGACGTT", 4), Some(("ACG".into(), 3)));
    }

    #[test]
    fn short_ones_are_not_worth_a_mention() {
        assert_eq!(found(b"GAAAAAC", 2), None);
        assert_eq!(found(b"GACACAT", 2), None, "two copies and a half");
        assert_eq!(found(b"", 0), None);
        assert_eq!(found(b"A", 5), None);
    }

    fn all(bases: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut repeats = Vec::new();
        tandem_repeats(bases, 4, &mut repeats);
        repeats
            .iter()
            .map(|r| (r.span.start, r.span.end, r.unit))
            .collect()
    }

    #[test]
    fn each_run_counts_once_with_its_shortest_unit() {
        assert_eq!(all(b"GCAAAAAAAAAAAAAGC"), [(2, 15, 1)]);
        assert_eq!(all(b"GTCACACACATTG"), [(2, 10, 2)]);
        assert_eq!(all(b"TTACGACGACGAG"), [(2, 12, 3)]);
        assert_eq!(all(b"AAAAAAG"), [(0, 6, 1)], "from the first base");
        assert_eq!(all(b"GAAAAAA"), [(1, 7, 1)], "to the last");
    }

    #[test]
    fn short_runs_and_unknown_bases_do_not_count() {
        assert_eq!(all(b"GAAAAAG"), []);
        assert_eq!(all(b"GACACAG"), []);
        assert_eq!(all(b"ACGACGTT"), []);
        assert_eq!(all(b"NNNNNNNNNN"), []);
        assert_eq!(all(b"AAANAAA"), []);
        assert_eq!(all(b""), []);
    }

    #[test]
    fn copies_are_whole() {
        let mut repeats = Vec::new();
        tandem_repeats(b"TCACACACG", 4, &mut repeats);
        assert_eq!(repeats.len(), 1);
        assert_eq!(repeats[0].span, 1..8);
        assert_eq!(repeats[0].copies(), 3);
    }
}
