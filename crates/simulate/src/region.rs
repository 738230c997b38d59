//! The stretches of the reference in which a sample is made.

use std::ops::Range;

/// A stretch of the reference without unknown bases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Name of the contig.
    pub contig: String,
    /// Its first base on the contig, 0-based.
    pub start: u64,
    /// Its bases: A, C, G, T in upper case.
    pub bases: Vec<u8>,
}

/// Shortest stretch in which a sample is made, in bases: about a fragment of a library.
pub const MIN_REGION: usize = 500;

impl Region {
    /// Position behind its last base, 0-based.
    pub fn end(&self) -> u64 {
        self.start + self.bases.len() as u64
    }

    /// Its name in FASTA files: `contig:first-last`, counted from one.
    pub fn name(&self) -> String {
        self.span_name(&(0..self.bases.len()))
    }

    /// The name of a part of it; `range` counts from its first base.
    pub fn span_name(&self, range: &Range<usize>) -> String {
        format!(
            "{}:{}-{}",
            self.contig,
            self.start + range.start as u64 + 1,
            self.start + range.end as u64
        )
    }
}

/// Intervals (0-based half-open) sorted and, where they overlap or touch, joined.
pub fn merged(mut intervals: Vec<Range<u64>>) -> Vec<Range<u64>> {
    intervals.retain(|interval| interval.start < interval.end);
    intervals.sort_by_key(|interval| (interval.start, interval.end));
    let mut merged: Vec<Range<u64>> = Vec::new();
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
            _ => merged.push(interval),
        }
    }
    merged
}

/// The stretches of `bases`, which begin at `start` (0-based) of `contig`, that have only A, C, G
/// and T and at least [`MIN_REGION`] bases. Lower case counts as upper case.
pub fn known_stretches(contig: &str, start: u64, bases: &[u8]) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut from = 0;
    for part in bases.split(|base| !matches!(base.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T'))
    {
        if part.len() >= MIN_REGION {
            regions.push(Region {
                contig: contig.to_owned(),
                start: start + from as u64,
                bases: part.to_ascii_uppercase(),
            });
        }
        from += part.len() + 1;
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bases_part_the_sequence() {
        let mut bases = vec![b'N'; 3];
        bases.extend(b"acgtA".repeat(120));
        bases.extend(b"NRN");
        bases.extend(b"C".repeat(499));
        bases.extend(b"N");
        bases.extend(b"G".repeat(500));
        let regions = known_stretches("20", 1000, &bases);
        assert_eq!(regions.len(), 2, "the one of 499 bases is too short");
        assert_eq!((regions[0].start, regions[0].end()), (1003, 1603));
        assert_eq!(&regions[0].bases[..6], b"ACGTAA");
        assert_eq!((regions[1].start, regions[1].end()), (2106, 2606));
        assert_eq!(regions[1].name(), "20:2107-2606");
        assert_eq!(regions[1].span_name(&(0..1)), "20:2107-2107");
    }

    #[test]
    fn intervals_are_joined() {
        assert_eq!(
            merged(vec![7..9, 1..3, 3..4, 8..8, 5..6, 5..8]),
            [1..4, 5..9]
        );
        assert_eq!(merged(Vec::new()), []);
    }
}
