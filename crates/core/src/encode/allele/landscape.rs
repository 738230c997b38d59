//! Depth, differences and clips of the reads around a call, far beyond its window.
//!
//! A copy of a stretch of genome that the reference lacks shows in three ways: its reads add to
//! the depth, they differ from the reference at many places along kilobases, and at its ends they
//! are clipped. Neighbouring records of the VCF would tell the same, but then a score would depend
//! on how a run is scattered; the reads tell it without them.

use std::sync::Arc;

use crate::encode::pileup::Pileup;
use crate::genome::{AlignedRead, CigarOp, ReadSink, ReferenceBlock, Span};

/// How far around a call the landscape is looked at, in bases.
pub const REACH: i64 = 1000;

/// Fewest reads, and smallest share of them, that make a place stand out.
const MIN_READS: u16 = 3;
const MIN_SHARE: f32 = 0.12;
/// Bases below this quality do not count as different.
const MIN_QUALITY: u8 = 15;
/// Places this near to the call belong to it.
const OWN: i64 = 10;

/// Counts at one position.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Reads with A, C, G, T where the reference has another base.
    differing: [u16; 4],
    /// Reads with a gap that begins here (behind this base).
    gaps: u16,
    /// Reads whose soft clip begins or ends here.
    clips: u16,
    /// Change of the depth from the position before.
    depth_step: i32,
    /// The same of reads with mapping quality 0.
    unplaced_step: i32,
}

/// Counts along one stretch of one contig, filled by a sweep.
#[derive(Debug)]
pub struct LocalContext {
    /// 0-based position of the first place.
    start: i64,
    places: Vec<Place>,
    reference: Vec<u8>,
    /// Running sums, made by [`LocalContext::finish`].
    depth: Vec<u32>,
    unplaced: Vec<u32>,
}

/// Figures of a [`LocalContext`] around one call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Surroundings {
    /// Usable reads over the base at the call, and mean depth within ±100, ±300 and ±1000 bases.
    pub depth: [f32; 4],
    /// Share of the depth that has mapping quality 0, within ±100 and ±1000 bases.
    pub unplaced: [f32; 2],
    /// Places per 100 bases at which a share of the reads of 0.12 to 0.3, 0.3 to 0.7 and more than
    /// 0.7 differs alike from the reference, within ±300 and ±1000 bases.
    pub differing: [[f32; 3]; 2],
    /// Places per 100 bases at which reads have gaps, within ±300 bases.
    pub gaps: f32,
    /// Places per 100 bases at which reads are clipped, within ±300 and ±1000 bases.
    pub clips: [f32; 2],
    /// Clipped reads within ±100 bases, as a share of the mean depth there.
    pub clipped_share: f32,
}

impl LocalContext {
    /// An empty landscape over `start..end` (0-based, half-open).
    pub fn new(start: i64, end: i64, block: &ReferenceBlock) -> Self {
        let start = start.max(0);
        let end = end.max(start);
        let reference = block.slice(start as u64..end as u64).to_vec();
        Self {
            start,
            places: vec![Place::default(); reference.len() + 1],
            reference,
            depth: Vec::new(),
            unplaced: Vec::new(),
        }
    }

    /// Counts one usable read.
    pub fn add(&mut self, read: &AlignedRead) {
        let length = self.reference.len() as i64;
        // Places count from the landscape's own start.
        for (index, block) in read.cigar.blocks(read.start - self.start).enumerate() {
            let covered = block.reference();
            let (from, to) = (covered.start.clamp(0, length), covered.end.clamp(0, length));
            match block.op {
                CigarOp::Match | CigarOp::Equal | CigarOp::Diff => {
                    self.step(from, to, read.mapping_quality);
                    for place in from..to {
                        self.compare(place as usize, read, block.read_index(place));
                    }
                }
                CigarOp::Deletion | CigarOp::Insertion => {
                    if let Some(before) = self.place_mut(block.position - 1) {
                        before.gaps = before.gaps.saturating_add(1);
                    }
                    self.step(from, to, read.mapping_quality);
                }
                CigarOp::SoftClip | CigarOp::HardClip => {
                    let border = block.position - i64::from(index > 0);
                    if let Some(border) = self.place_mut(border) {
                        border.clips = border.clips.saturating_add(1);
                    }
                }
                CigarOp::Skip | CigarOp::Pad => {}
            }
        }
    }

    /// The counts at a place of the landscape.
    fn place_mut(&mut self, place: i64) -> Option<&mut Place> {
        let place = usize::try_from(place).ok()?;
        // Behind the last base there is one place more, for steps of the depth.
        self.places[..self.reference.len()].get_mut(place)
    }

    fn step(&mut self, from: i64, to: i64, mapping_quality: u8) {
        if from < to {
            self.places[from as usize].depth_step += 1;
            self.places[to as usize].depth_step -= 1;
            if mapping_quality == 0 {
                self.places[from as usize].unplaced_step += 1;
                self.places[to as usize].unplaced_step -= 1;
            }
        }
    }

    fn compare(&mut self, place: usize, read: &AlignedRead, at: usize) {
        let Some(base) = read.bases.get(at) else {
            return;
        };
        if *base == self.reference[place] || read.qualities[at] < MIN_QUALITY {
            return;
        }
        let column = match base {
            b'A' => 0,
            b'C' => 1,
            b'G' => 2,
            b'T' => 3,
            _ => return,
        };
        let count = &mut self.places[place].differing[column];
        *count = count.saturating_add(1);
    }

    /// Adds up the depth; to be called once, behind the last read.
    pub fn finish(&mut self) {
        let sum = |step: fn(&Place) -> i32| {
            let mut depth = 0;
            self.places
                .iter()
                .map(|place| {
                    depth += step(place);
                    depth.max(0) as u32
                })
                .collect()
        };
        let (depth, unplaced) = (
            sum(|place| place.depth_step),
            sum(|place| place.unplaced_step),
        );
        (self.depth, self.unplaced) = (depth, unplaced);
    }

    /// Sums up the counts around a change whose own places are `own`.
    pub fn around(&self, own: Span) -> Surroundings {
        let own = (own.start - self.start, own.end - self.start);
        let length = self.reference.len() as i64;
        let cut = |reach: i64| {
            let from = (own.0 - reach).clamp(0, length) as usize;
            from..(own.1 + reach).clamp(from as i64, length) as usize
        };
        let mean = |of: &[u32], reach: i64| {
            let range = cut(reach);
            let count = range.len().max(1) as f64;
            (of[range].iter().map(|depth| u64::from(*depth)).sum::<u64>() as f64 / count) as f32
        };
        let share = |reach: i64| {
            let depth = mean(&self.depth, reach);
            if depth > 0.0 {
                mean(&self.unplaced, reach) / depth
            } else {
                0.0
            }
        };
        let mut found = Surroundings {
            depth: [
                mean(&self.depth, 0),
                mean(&self.depth, 100),
                mean(&self.depth, 300),
                mean(&self.depth, REACH),
            ],
            unplaced: [share(100), share(REACH)],
            ..Surroundings::default()
        };
        let mut clipped = 0u32;
        for (scale, reach) in [300, REACH].into_iter().enumerate() {
            let range = cut(reach);
            let per_100 = 100.0 / range.len().max(1) as f32;
            for at in range {
                let (place, depth) = (&self.places[at], self.depth[at]);
                let distance = (own.0 - at as i64).max(at as i64 - own.1 + 1);
                if distance <= OWN {
                    continue;
                }
                if scale == 0 && distance <= 100 {
                    clipped += u32::from(place.clips);
                }
                let most = place.differing.iter().copied().max().unwrap_or(0);
                if let Some(share) = standing_out(most, depth) {
                    let class = usize::from(share > 0.3) + usize::from(share > 0.7);
                    found.differing[scale][class] += per_100;
                }
                if scale == 0 && standing_out(place.gaps, depth).is_some() {
                    found.gaps += per_100;
                }
                if standing_out(place.clips, depth).is_some() {
                    found.clips[scale] += per_100;
                }
            }
        }
        found.clipped_share = clipped as f32 / found.depth[1].max(1.0);
        found
    }
}

/// The share of reads, where it is large enough to stand out.
fn standing_out(reads: u16, depth: u32) -> Option<f32> {
    if reads < MIN_READS {
        return None;
    }
    let share = f32::from(reads) / depth.max(u32::from(reads)) as f32;
    (share >= MIN_SHARE).then_some(share)
}

/// The sink of a sweep for our own tensors: the reads of each call, and the landscape. Which reads
/// count is the sweep's to say ([`crate::genome::ReadFilter`]); one without an alignment does not.
#[derive(Debug)]
pub struct ReadCollector {
    /// The reads of each call.
    pub pileup: Pileup,
    /// Everything around them.
    pub landscape: LocalContext,
    span: Option<Span>,
}

impl ReadCollector {
    /// Prepares for calls whose cores ([`super::Haplotypes::core`]) are `cores`, of which each keeps
    /// `limit` reads.
    pub fn new(cores: &[Span], margin: i64, limit: usize, block: &ReferenceBlock) -> Self {
        let spans = cores.iter().map(|core| core.grown(margin));
        let span = Span::covering(cores.iter().copied()).map(|span| {
            let Span { start, end } = span.grown(REACH);
            Span::new(start.max(0), end)
        });
        let Span { start, end } = span.unwrap_or_default();
        Self {
            pileup: Pileup::over(spans, limit),
            landscape: LocalContext::new(start, end, block),
            span,
        }
    }
}

impl ReadSink for ReadCollector {
    fn span(&self) -> Option<Span> {
        self.span
    }

    fn offer(&mut self, start: i64, end: i64, make: impl FnOnce() -> AlignedRead) {
        let mut read = make();
        if read.cigar.is_empty() {
            return;
        }
        // Everything behind this takes a quality for each base.
        read.qualities.resize(read.bases.len(), u8::MAX);
        // An ambiguity code says as little as `N`: it neither shows ALT nor differs from REF.
        let unclear = read.bases.iter_mut().filter(|base| !b"ACGT".contains(base));
        unclear.for_each(|base| *base = b'N');
        self.landscape.add(&read);
        let read = Arc::new(read);
        self.pileup.offer_shared(start, end, &read);
    }

    fn calls_over(&self, start: i64, end: i64) -> u64 {
        self.pileup.calls_over(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Cigar;

    fn read(start: i64, bases: &[u8], mapping_quality: u8) -> AlignedRead {
        AlignedRead {
            start,
            mapping_quality,
            cigar: Cigar(vec![(CigarOp::Match, bases.len() as u32)]),
            bases: bases.to_vec(),
            qualities: vec![30; bases.len()],
            ..AlignedRead::default()
        }
    }

    fn landscape(reads: &[AlignedRead]) -> LocalContext {
        let block = ReferenceBlock::new(0, vec![b'A'; 4000], 4000);
        let mut landscape = LocalContext::new(0, 4000, &block);
        reads.iter().for_each(|read| landscape.add(read));
        landscape.finish();
        landscape
    }

    #[test]
    fn depth_is_counted_per_base() {
        let reads: Vec<_> = (0..10)
            .map(|at| read(1950, &[b'A'; 100], if at < 3 { 0 } else { 60 }))
            .collect();
        let found = landscape(&reads).around(Span::new(2000, 2001));
        assert_eq!(found.depth[0], 10.0);
        assert!((found.depth[1] - 10.0 * 100.0 / 201.0).abs() < 1e-4);
        assert!((found.unplaced[0] - 0.3).abs() < 1e-6);
        assert_eq!(found.differing, [[0.0; 3]; 2]);
    }

    #[test]
    fn places_that_differ_are_counted_by_share_but_not_the_call_itself() {
        let plain = vec![b'A'; 100];
        let mut carrier = plain.clone();
        carrier[50] = b'C';
        carrier[10] = b'G';
        let reads: Vec<_> = (0..10)
            .map(|at| read(1950, if at < 5 { &carrier } else { &plain }, 60))
            .collect();
        let found = landscape(&reads).around(Span::new(2000, 2001));
        let per_100 = 100.0 / 601.0;
        assert!((found.differing[0][1] - per_100).abs() < 1e-5, "{found:?}");
        assert_eq!((found.differing[0][0], found.differing[0][2]), (0.0, 0.0));
    }

    #[test]
    fn clips_and_gaps_stand_out() {
        let mut clipped = read(2030, &[b'A'; 60], 60);
        clipped.cigar = Cigar(vec![
            (CigarOp::SoftClip, 20),
            (CigarOp::Match, 20),
            (CigarOp::Deletion, 2),
            (CigarOp::Match, 20),
        ]);
        let found = landscape(&vec![clipped; 4]).around(Span::new(2000, 2001));
        assert!(found.clips[0] > 0.0 && found.gaps > 0.0, "{found:?}");
        assert!(found.clipped_share > 0.0);
    }

    #[test]
    fn a_read_with_other_lengths_is_no_harm() {
        let block = ReferenceBlock::new(0, vec![b'A'; 4000], 4000);
        let mut survey = ReadCollector::new(&[Span::new(2000, 2001)], 10, 400, &block);
        for count in [0, 3, 90] {
            let mut odd = read(1990, &[b'C'; 30], 60);
            odd.qualities.resize(count, 30);
            survey.offer(odd.start, odd.end(), || odd.clone());
        }
        survey.landscape.finish();
        let reads = survey.pileup.into_reads().remove(0).reads;
        assert!(reads.iter().all(|read| read.qualities.len() == 30));
        assert_eq!(survey.landscape.around(Span::new(2000, 2001)).depth[0], 3.0);
    }

    #[test]
    fn a_contig_s_end_is_no_harm() {
        let found = landscape(&[read(3990, &[b'C'; 30], 60)]).around(Span::new(3999, 4000));
        assert_eq!(found.depth[0], 1.0);
        let empty = LocalContext::new(5, 5, &ReferenceBlock::new(0, Vec::new(), 0));
        let mut empty = empty;
        empty.finish();
        assert_eq!(empty.around(Span::new(3, 4)).depth[0], 0.0);
    }
}
