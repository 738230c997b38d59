//! Which stretch of reference a tensor shows.

use std::ops::Range;

use super::WINDOW;
use crate::genome::Variant;

/// Half a window: the column of the call.
const HALF: i64 = (WINDOW / 2) as i64;

/// The window of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// 0-based position of column 0; negative where the call lies near the contig's start.
    pub start: i64,
    /// One past the last position.
    pub end: i64,
}

impl Window {
    /// The window of GATK's `get_variant_window`: 64 bases on either side of POS; near a contig's
    /// start as many more on the right as are missing on the left, but at most the length of
    /// REF less one.
    pub fn of(variant: &Variant) -> Self {
        let position = variant.start as i64;
        let start = position - HALF;
        let grow = (-start).max(0).min(variant.reference.len() as i64 - 1);
        Self {
            start,
            end: position + HALF + grow,
        }
    }

    /// The reference positions to show, cut at the contig's ends (`_LeftStrategy` and
    /// `get_reference` of the original: one base more where the start was cut).
    pub fn on_contig(&self, contig_length: u64) -> Range<u64> {
        let start = self.start.max(0) as u64;
        let end = (self.end + i64::from(self.start < 0)).max(0) as u64;
        start..end.min(contig_length).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u64, reference: &[u8]) -> Window {
        Window::of(&Variant {
            contig: "1".into(),
            start,
            end: start + reference.len() as u64,
            reference: reference.to_vec(),
            alternates: vec![b"C".to_vec()],
        })
    }

    #[test]
    fn the_call_is_in_column_64() {
        let w = window(1000, b"A");
        assert_eq!((w.start, w.end), (936, 1064));
        assert_eq!(w.on_contig(5000), 936..1064);
        assert_eq!(w.on_contig(1010), 936..1010);
    }

    #[test]
    fn the_left_edge_shifts_as_in_gatk() {
        let w = window(10, b"A");
        assert_eq!((w.start, w.end), (-54, 74));
        assert_eq!(w.on_contig(5000), 0..75);
        let w = window(10, b"ACGTA");
        assert_eq!(w.end, 78);
    }
}
