//! Spans and sets of positions.

use std::collections::BTreeMap;

/// Positions of one contig, 0-based and half-open, where they may reach past the contig's ends: an
/// aligned read whose clips are laid on, a window around a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First position; negative left of the contig.
    pub start: i64,
    /// One past the last position.
    pub end: i64,
}

impl Span {
    /// `start..end`, 0-based and half-open.
    pub fn new(start: i64, end: i64) -> Self {
        Self { start, end }
    }

    /// Returns true if the span holds any position of `start..end`.
    pub fn overlaps(self, start: i64, end: i64) -> bool {
        self.start < end && start < self.end
    }

    /// The span with `margin` positions more on either side.
    pub fn grown(self, margin: i64) -> Self {
        Self {
            start: self.start - margin,
            end: self.end + margin,
        }
    }

    /// The span from the first to the last position of all; `None` without any span.
    pub fn covering(spans: impl IntoIterator<Item = Self>) -> Option<Self> {
        spans.into_iter().reduce(|one, other| Self {
            start: one.start.min(other.start),
            end: one.end.max(other.end),
        })
    }
}

/// A part of one contig, 0-based and half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// First position.
    pub start: u64,
    /// One past the last position.
    pub end: u64,
}

impl Interval {
    /// Returns true if the position lies inside.
    pub fn contains(&self, position: u64) -> bool {
        self.start <= position && position < self.end
    }
}

/// Positions of a genome: per contig sorted, merged, half-open intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntervalSet {
    by_contig: BTreeMap<String, Vec<Interval>>,
}

impl IntervalSet {
    /// Builds the set from intervals in any order; overlapping and touching ones are merged,
    /// empty ones are left out.
    pub fn new(intervals: impl IntoIterator<Item = (String, Interval)>) -> Self {
        let mut by_contig: BTreeMap<String, Vec<Interval>> = BTreeMap::new();
        for (contig, interval) in intervals {
            if interval.start < interval.end {
                by_contig.entry(contig).or_default().push(interval);
            }
        }
        for intervals in by_contig.values_mut() {
            intervals.sort_unstable();
            let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
            for interval in intervals.drain(..) {
                match merged.last_mut() {
                    Some(last) if interval.start <= last.end => {
                        last.end = last.end.max(interval.end);
                    }
                    _ => merged.push(interval),
                }
            }
            *intervals = merged;
        }
        Self { by_contig }
    }

    /// Returns true if the set holds the position.
    pub fn contains(&self, contig: &str, position: u64) -> bool {
        self.by_contig.get(contig).is_some_and(|intervals| {
            let after = intervals.partition_point(|interval| interval.start <= position);
            after > 0 && intervals[after - 1].contains(position)
        })
    }

    /// Returns true if the set holds any position of `start..end`.
    pub fn overlaps(&self, contig: &str, start: u64, end: u64) -> bool {
        let intervals = self.on(contig);
        let before = intervals.partition_point(|interval| interval.start < end);
        before > 0 && intervals[before - 1].end > start
    }

    /// The merged intervals of one contig.
    pub fn on(&self, contig: &str) -> &[Interval] {
        self.by_contig.get(contig).map_or(&[], Vec::as_slice)
    }

    /// Names of the contigs that hold a position, sorted.
    pub fn contigs(&self) -> impl Iterator<Item = &str> {
        self.by_contig.keys().map(String::as_str)
    }

    /// Returns true if there is no position at all.
    pub fn is_empty(&self) -> bool {
        self.by_contig.is_empty()
    }

    /// Number of positions. Whole contigs of unknown length reach as far as numbers do, and more there
    /// is not.
    pub fn covered(&self) -> u64 {
        self.by_contig
            .values()
            .flatten()
            .map(|interval| interval.end - interval.start)
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_half_open() {
        let span = Span::new(5, 9);
        for (start, end, overlaps) in [(0, 5, false), (0, 6, true), (8, 9, true), (9, 12, false)] {
            assert_eq!(span.overlaps(start, end), overlaps, "{start} {end}");
        }
        assert_eq!(span.grown(7), Span::new(-2, 16));
        let all = Span::covering([Span::new(7, 8), span, Span::new(6, 20)]);
        assert_eq!(all, Some(Span::new(5, 20)));
        assert_eq!(Span::covering([]), None);
    }

    #[test]
    fn touching_intervals_become_one() {
        let set = IntervalSet::new(
            [(5, 9), (1, 3), (3, 5), (20, 20)]
                .map(|(start, end)| ("c".to_owned(), Interval { start, end })),
        );
        assert_eq!(set.on("c"), &[Interval { start: 1, end: 9 }]);
        assert!(!set.contains("c", 9) && set.contains("c", 8) && !set.contains("d", 2));
    }

    #[test]
    fn contigs_of_unknown_length_cover_no_more_than_there_is() {
        let whole = Interval {
            start: 0,
            end: u64::MAX,
        };
        let set = IntervalSet::new(["a", "b"].map(|contig| (contig.to_owned(), whole)));
        assert_eq!(set.covered(), u64::MAX);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set_of_positions(
            raw in prop::collection::vec((0usize..2, 0u64..60, 0u64..12), 0..20),
        ) {
            let named = raw.iter().map(|(contig, start, length)| {
                (format!("c{contig}"), Interval { start: *start, end: start + length })
            });
            let set = IntervalSet::new(named);
            let mut count = 0;
            for contig in 0..2usize {
                for position in 0..80u64 {
                    let expected = raw.iter().any(|(c, start, length)| {
                        *c == contig && *start <= position && position < start + length
                    });
                    prop_assert_eq!(set.contains(&format!("c{contig}"), position), expected);
                let next = set.contains(&format!("c{contig}"), position + 1);
                let two = set.overlaps(&format!("c{contig}"), position, position + 2);
                prop_assert_eq!(two, expected || next);
                    count += u64::from(expected);
                }
            }
            prop_assert_eq!(set.covered(), count);
        }
    }
}
