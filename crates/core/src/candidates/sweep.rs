//! One sweep over the reads of a sample: what they show, counted as they come.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::observed::{Observed, Substitution, base_index, observe};
use super::phase::Fragments;
use super::piles::Piles;
use super::{CandidateOptions, MARGIN};
use crate::genome::{AlignedRead, Edit, ReadFlags, ReadSink, ReferenceBlock, Span};

/// Reads between two looks at which mates can no longer come.
const LOOK: usize = 4_096;

/// Fragments with A, C, G and T over a position, where it is not the reference's base, by strand.
pub(super) type Bases = [[u32; 2]; 4];

/// Fragments that show an insertion or deletion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Carriers {
    /// By strand.
    pub strands: [u32; 2],
    /// Those among them without a base that counts in front of it, by strand.
    pub beside: [u32; 2],
}

/// The first read of a fragment whose second may overlap it.
#[derive(Debug, Clone)]
struct Mate {
    observed: Observed,
    strand: usize,
}

/// The reads of one sample over a tile.
#[derive(Debug, Clone)]
pub struct SampleSweep<'a> {
    tile: Range<u64>,
    reference: &'a ReferenceBlock,
    options: CandidateOptions,
    /// Fragments with a base that counts over each position, by strand.
    depth: Vec<[u32; 2]>,
    bases: HashMap<u64, Bases>,
    gaps: BTreeMap<Edit, Carriers>,
    piles: Piles,
    mates: HashMap<u64, Mate>,
    since_look: usize,
    /// For phase; nothing where it is not asked for.
    fragments: Option<Fragments>,
}

/// What the reads of one sample show, once all are seen.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// 0-based position of the first element of `depth`.
    pub start: u64,
    pub depth: Vec<[u32; 2]>,
    pub bases: BTreeMap<u64, Bases>,
    pub gaps: BTreeMap<Edit, Carriers>,
    pub fragments: Fragments,
}

impl Tally {
    /// Fragments with a base that counts, by strand.
    pub(super) fn depth(&self, at: u64) -> [u32; 2] {
        let index = at.checked_sub(self.start);
        let found = index.and_then(|index| self.depth.get(index as usize));
        found.copied().unwrap_or_default()
    }

    /// Fragments that differ from the reference.
    pub(super) fn bases(&self, at: u64) -> Bases {
        self.bases.get(&at).copied().unwrap_or_default()
    }
}

impl<'a> SampleSweep<'a> {
    /// For the candidates of `tile` (0-based, half-open). `reference` holds the tile and [`MARGIN`] bases to each side, cut at
    /// the ends of the contig.
    pub fn new(tile: Range<u64>, reference: &'a ReferenceBlock, options: CandidateOptions) -> Self {
        let width = tile.end.saturating_sub(tile.start) as usize;
        Self {
            // The base in front of the tile tells the depth at an indel that begins with it.
            depth: vec![[0; 2]; width + 1],
            bases: HashMap::new(),
            tile,
            reference,
            options,
            gaps: BTreeMap::new(),
            piles: Piles::default(),
            mates: HashMap::new(),
            since_look: 0,
            fragments: None,
        }
    }

    /// The same, keeping what phase needs.
    #[must_use]
    pub fn with_phase(mut self) -> Self {
        self.fragments = Some(Fragments::default());
        self
    }

    /// Position of the first column.
    fn first(&self) -> u64 {
        self.tile.start.saturating_sub(1)
    }

    /// The depth over a position of the tile, or over the one in front of it.
    fn depth(&mut self, at: u64) -> Option<&mut [u32; 2]> {
        let index = at.checked_sub(self.first())?;
        self.depth.get_mut(index as usize)
    }

    fn add(&mut self, read: &AlignedRead) {
        let Some(mut observed) = observe(read, self.reference, self.options.min_base_quality)
        else {
            return;
        };
        let strand = usize::from(read.flags.is_reverse());
        for clip in std::mem::take(&mut observed.clips) {
            self.piles.push(clip, strand == 1);
        }
        let mate = self.mates.remove(&read.name);
        if let Some(fragments) = &mut self.fragments {
            fragments.add(
                read.name,
                &observed,
                mate.as_ref().map(|mate| &mate.observed),
            );
        }
        match mate {
            Some(mate) => self.add_second(observed, strand, mate),
            None => self.add_first(observed, strand, read),
        }
    }

    fn add_first(&mut self, observed: Observed, strand: usize, read: &AlignedRead) {
        self.count(&observed, strand, 1);
        self.count_gaps(&observed, strand, None);
        let is_paired = read.flags.is_first() || read.flags.is_second();
        let may_overlap = read.template_length >= 0
            && read.template_length < 2 * observed.qualities.len() as i64 + MARGIN as i64;
        if is_paired && may_overlap && !read.flags.is_mate_unmapped() && !read.mate_elsewhere {
            self.mates.insert(read.name, Mate { observed, strand });
        }
    }

    /// Counts the second read of a fragment where the first has said nothing, or something of lower quality.
    fn add_second(&mut self, mut second: Observed, strand: usize, mate: Mate) {
        // What the first read no longer says.
        let mut lost = mate.observed;
        second.gaps.retain(|gap| !lost.gaps.contains(gap));
        self.count_gaps(&second, strand, Some(&lost));
        for at in lost.start..lost.end() {
            if second.quality(at) <= lost.quality(at) {
                set(&mut lost, at, 0);
                set(&mut second, at, 0);
            }
        }
        keep_counted(&mut lost);
        keep_counted(&mut second);
        self.count(&lost, mate.strand, -1);
        self.count(&second, strand, 1);
    }

    fn count(&mut self, observed: &Observed, strand: usize, by: i32) {
        for (at, quality) in (observed.start..).zip(&observed.qualities) {
            if *quality > 0
                && let Some(depth) = self.depth(at)
            {
                depth[strand] = depth[strand].saturating_add_signed(by);
            }
        }
        for Substitution { at, base } in &observed.substitutions {
            if let (Some(index), true) = (base_index(*base), self.tile.contains(at)) {
                let count = &mut self.bases.entry(*at).or_default()[index][strand];
                *count = count.saturating_add_signed(by);
            }
        }
    }

    /// `mate` is the first read of the fragment, where it is counted already: what either shows of the base in front of a
    /// gap is in the depth there.
    fn count_gaps(&mut self, observed: &Observed, strand: usize, mate: Option<&Observed>) {
        for gap in &observed.gaps {
            let front = gap.start.saturating_sub(1);
            let has_front = |read: &Observed| read.quality(front) > 0;
            let is_beside = !has_front(observed) && !mate.is_some_and(has_front);
            let carriers = self.gaps.entry(gap.clone()).or_default();
            carriers.strands[strand] += 1;
            carriers.beside[strand] += u32::from(is_beside);
        }
    }

    /// Ends the sweep.
    pub(super) fn finish(mut self) -> Tally {
        for meeting in self.piles.meetings(self.reference) {
            // Those of a right pile have the base in front; that many of the others have it too is not known.
            let carriers = self.gaps.entry(meeting.edit).or_default();
            for strand in 0..2 {
                carriers.strands[strand] = carriers.strands[strand].max(meeting.strands[strand]);
            }
        }
        Tally {
            start: self.first(),
            depth: self.depth,
            bases: self.bases.into_iter().collect(),
            gaps: self.gaps,
            fragments: self.fragments.unwrap_or_default(),
        }
    }
}

fn set(observed: &mut Observed, at: u64, quality: u8) {
    let index = at.checked_sub(observed.start);
    if let Some(old) = index.and_then(|index| observed.qualities.get_mut(index as usize)) {
        *old = quality;
    }
}

/// Drops the substitutions where no base counts.
fn keep_counted(observed: &mut Observed) {
    let kept = std::mem::take(&mut observed.substitutions);
    observed.substitutions = (kept.into_iter())
        .filter(|found| observed.quality(found.at) > 0)
        .collect();
}

impl ReadSink for SampleSweep<'_> {
    fn span(&self) -> Option<Span> {
        let Range { start, end } = self.tile;
        (start < end).then(|| Span::new(start as i64, end as i64).grown(MARGIN as i64))
    }

    fn offer(&mut self, start: i64, _: i64, make: impl FnOnce() -> AlignedRead) {
        self.since_look += 1;
        if self.since_look == LOOK {
            self.since_look = 0;
            let passed = u64::try_from(start).unwrap_or(0);
            self.mates.retain(|_, mate| mate.observed.end() > passed);
        }
        let read = make();
        let usable = read.mapping_quality >= self.options.min_mapping_quality;
        if usable && !read.flags.is_unmapped() && is_single(read.flags) {
            self.add(&read);
        }
    }

    fn calls_over(&self, _: i64, _: i64) -> u64 {
        1
    }
}

/// Secondary and supplementary alignments repeat bases of a read.
fn is_single(flags: ReadFlags) -> bool {
    flags.0 & 0x900 == 0
}
