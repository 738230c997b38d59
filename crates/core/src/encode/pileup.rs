//! Which reads belong to which call, from one sweep over the reads.

use std::cell::LazyCell;
use std::sync::Arc;

use super::reservoir::Reservoir;
use crate::genome::{AlignedRead, ReadSink, Span, Variant};

/// Calls of one part of one contig, waiting for their reads.
///
/// Reads are offered in the order of their start (as a sorted BAM gives them); each goes to every
/// call whose span it overlaps, the rule of an indexed fetch: `read.start < call.end` and
/// `read.end > call.start`. Memory is bounded by `limit` reads a call, whatever the depth.
#[derive(Debug)]
pub struct Pileup {
    /// Spans of the calls, sorted by start.
    spans: Vec<Span>,
    /// Index of the call in the caller's order, for each span.
    order: Vec<usize>,
    reservoirs: Vec<Reservoir<Arc<AlignedRead>>>,
    /// Calls before this one end before every read still to come.
    first: usize,
}

impl Pileup {
    /// Prepares for `calls`, of which each keeps at most `limit` reads.
    pub fn new<'a>(calls: impl IntoIterator<Item = &'a Variant>, limit: usize) -> Self {
        let spans = calls
            .into_iter()
            .map(|call| Span::new(call.start as i64, call.end as i64));
        Self::over(spans, limit)
    }

    /// Prepares for spans, of which each keeps at most `limit` reads.
    pub fn over(spans: impl IntoIterator<Item = Span>, limit: usize) -> Self {
        let mut spans: Vec<(Span, usize)> = spans
            .into_iter()
            .enumerate()
            .map(|(at, span)| (span, at))
            .collect();
        spans.sort_unstable();
        Self {
            order: spans.iter().map(|(_, at)| *at).collect(),
            reservoirs: vec![Reservoir::new(limit); spans.len()],
            spans: spans.into_iter().map(|(span, _)| span).collect(),
            first: 0,
        }
    }

    /// The reads of each call, in the order in which the calls were given.
    pub fn into_reads(self) -> Vec<PiledReads> {
        let mut piled = vec![PiledReads::default(); self.order.len()];
        for (reservoir, at) in self.reservoirs.into_iter().zip(self.order) {
            piled[at] = PiledReads {
                seen: reservoir.seen(),
                reads: reservoir.into_items(),
            };
        }
        piled
    }
}

impl ReadSink for Pileup {
    fn span(&self) -> Option<Span> {
        Span::covering(self.spans.iter().copied())
    }

    fn offer(&mut self, start: i64, end: i64, make: impl FnOnce() -> AlignedRead) {
        let read = LazyCell::new(|| Arc::new(make()));
        self.offer_each(start, end, || Arc::clone(&read));
    }

    fn calls_over(&self, start: i64, end: i64) -> u64 {
        let spans = self.spans[self.first..].iter();
        let begun = spans.take_while(|call| call.start < end);
        begun.filter(|call| call.end > start).count() as u64
    }
}

impl Pileup {
    /// [`ReadSink::offer`] of a read that exists already.
    pub fn offer_shared(&mut self, start: i64, end: i64, read: &Arc<AlignedRead>) {
        self.offer_each(start, end, || Arc::clone(read));
    }

    fn offer_each(&mut self, start: i64, end: i64, take: impl Fn() -> Arc<AlignedRead>) {
        while self
            .spans
            .get(self.first)
            .is_some_and(|call| call.end <= start)
        {
            self.first += 1;
        }
        for at in self.first..self.spans.len() {
            let call = self.spans[at];
            if call.start >= end {
                break;
            }
            if call.overlaps(start, end) {
                self.reservoirs[at].offer(&take);
            }
        }
    }
}

/// The reads over one call.
#[derive(Debug, Clone, Default)]
pub struct PiledReads {
    /// All of them, or a sample of as many as fit.
    pub reads: Vec<Arc<AlignedRead>>,
    /// How many there were.
    pub seen: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Cigar, CigarOp};
    use proptest::prelude::*;

    fn call(start: u64, length: u64) -> Variant {
        Variant {
            contig: "c".into(),
            start,
            end: start + length,
            reference: vec![b'A'; length as usize],
            alternates: vec![b"C".to_vec()],
        }
    }

    fn read(start: i64, length: u32) -> AlignedRead {
        AlignedRead {
            start,
            cigar: Cigar(vec![(CigarOp::Match, length)]),
            ..AlignedRead::default()
        }
    }

    proptest! {
        #[test]
        fn each_call_gets_the_reads_that_overlap_it(
            mut calls in prop::collection::vec((0u64..200, 1u64..30), 0..12),
            mut reads in prop::collection::vec((0i64..200, 1u32..40), 0..60),
        ) {
            calls.sort_unstable_by_key(|(start, _)| *start);
            reads.sort_unstable_by_key(|(start, _)| *start);
            let calls: Vec<Variant> = calls.into_iter().map(|(s, l)| call(s, l)).collect();
            let reads: Vec<AlignedRead> = reads.into_iter().map(|(s, l)| read(s, l)).collect();
            let mut pileup = Pileup::new(&calls, 1000);
            for read in &reads {
                let over = calls.iter().filter(|call| {
                    read.start < call.end as i64 && read.end() > call.start as i64
                });
                let counted = pileup.calls_over(read.start, read.end());
                prop_assert_eq!(counted, over.count() as u64);
                pileup.offer(read.start, read.end(), || read.clone());
            }
            for (call, found) in calls.iter().zip(pileup.into_reads()) {
                let expected: Vec<&AlignedRead> = reads
                    .iter()
                    .filter(|read| read.start < call.end as i64 && read.end() > call.start as i64)
                    .collect();
                prop_assert_eq!(found.reads.iter().map(AsRef::as_ref).collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn a_deep_call_keeps_its_limit() {
        let mut pileup = Pileup::new(&[call(50, 1)], 128);
        for _ in 0..20_000 {
            pileup.offer(40, 60, || read(40, 20));
        }
        assert_eq!(pileup.span(), Some(Span::new(50, 51)));
        let piled = pileup.into_reads().remove(0);
        assert_eq!((piled.reads.len(), piled.seen), (128, 20_000));
    }
}
