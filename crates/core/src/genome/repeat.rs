//! Short tandem repeats around a position.

use std::ops::Range;

/// A tandem repeat: a unit of one to six bases, several times over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TandemRepeat {
    /// The unit, as it stands at the repeat's start.
    pub unit: Vec<u8>,
    /// Whole copies of it.
    pub copies: usize,
    /// Where it stands in the bases that were looked at, a last part copy included.
    pub span: Range<usize>,
}

/// Longest unit that is looked for, in bases.
const MAX_UNIT: usize = 6;
/// Fewest bases of a repeat worth a mention.
const MIN_LENGTH: usize = 6;

/// The longest tandem repeat that holds the base at `at` or the one behind it (an indel is anchored
/// at the base in front of what it changes); nothing below three copies and six bases. Of two
/// equally long ones the one with the shorter unit counts.
pub fn tandem_repeat(bases: &[u8], at: usize) -> Option<TandemRepeat> {
    let mut best: Option<(usize, TandemRepeat)> = None;
    for unit in 1..=MAX_UNIT {
        for anchor in [at, at + 1] {
            let Some((first, end)) = periodic_stretch(bases, anchor, unit) else {
                continue;
            };
            let (length, copies) = (end - first, (end - first) / unit);
            let is_better = best.as_ref().is_none_or(|(longest, _)| length > *longest);
            if copies >= 3 && length >= MIN_LENGTH && is_better {
                let unit = bases[first..first + unit].to_ascii_uppercase();
                best = Some((
                    length,
                    TandemRepeat {
                        unit,
                        copies,
                        span: first..end,
                    },
                ));
            }
        }
    }
    best.map(|(_, repeat)| repeat)
}

/// The longest stretch around `anchor` in which every base equals the one `unit` before it.
fn periodic_stretch(bases: &[u8], anchor: usize, unit: usize) -> Option<(usize, usize)> {
    let repeats = |at: usize| {
        at >= unit && at < bases.len() && bases[at].eq_ignore_ascii_case(&bases[at - unit])
    };
    // The anchor is in a stretch if it repeats what is before it, or is repeated behind it.
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
        tandem_repeat(bases, at)
            .map(|repeat| (String::from_utf8(repeat.unit).unwrap(), repeat.copies))
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
}
