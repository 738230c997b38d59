//! One call as numbers: what its reads say together, what surrounds it, and its own shape.
//!
//! [`ALL`] has one entry a number: its name, its unit, how it is computed, and what thinning of the
//! reads makes of it. A model's card lists the numbers that its network takes, by name and in its
//! order; a new entry changes no existing model. Every number stays the same when all reads change
//! strands.

use super::landscape::Surroundings;
use super::read_features::ReadFeatures;
use super::support::{DECISIVE, Side};
use crate::encode::topic::Topic;
use crate::genome::repeat::tandem_repeat;
use crate::genome::{Edit, ReferenceBlock};

/// Bases on either side in which repeats and the share of G and C are looked at.
const CONTEXT: u64 = 60;

/// Shares of the reads that an allele below a half may have: mosaics, contamination, paralogues.
const LOW_FRACTIONS: [f64; 5] = [0.05, 0.1, 0.17, 0.25, 0.33];

/// One number of a call.
#[derive(Debug)]
pub struct SiteFeature {
    /// Its name in a model's card.
    pub name: &'static str,
    /// Its unit and scale.
    pub unit: &'static str,
    /// The aspect of the call that it tells of.
    pub topic: Topic,
    source: Source,
    thinning: SiteThinning,
}

/// The source that a number is computed from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Reference and allele.
    Shape(fn(&Shape<'_>) -> f64),
    /// The reads over the call.
    Reads(fn(&ReadCounts<'_>) -> f64),
    /// The reads far around it.
    Surroundings(fn(&Around<'_>) -> f64),
}

/// Effect on a number when a share of the reads is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteThinning {
    /// It stays.
    Keeps,
    /// It is counted anew from the reads that are left.
    Recounted,
    /// It is the logarithm of a depth: that of the share is added.
    AddsLogOfShare,
}

/// The sources of the numbers of one call.
pub(super) struct SiteEvidence<'a> {
    /// Reference and allele.
    pub(super) shape: Shape<'a>,
    /// The reads; nothing for an encoder without.
    pub(super) reads: Option<(ReadCounts<'a>, Around<'a>)>,
}

impl SiteFeature {
    const fn shape(
        name: &'static str,
        unit: &'static str,
        topic: Topic,
        value: fn(&Shape<'_>) -> f64,
    ) -> Self {
        Self {
            name,
            unit,
            topic,
            source: Source::Shape(value),
            thinning: SiteThinning::Keeps,
        }
    }

    const fn reads(
        name: &'static str,
        unit: &'static str,
        topic: Topic,
        value: fn(&ReadCounts<'_>) -> f64,
    ) -> Self {
        Self {
            name,
            unit,
            topic,
            source: Source::Reads(value),
            thinning: SiteThinning::Recounted,
        }
    }

    const fn around(
        name: &'static str,
        unit: &'static str,
        topic: Topic,
        value: fn(&Around<'_>) -> f64,
    ) -> Self {
        Self {
            name,
            unit,
            topic,
            source: Source::Surroundings(value),
            thinning: SiteThinning::Keeps,
        }
    }

    const fn thinned(mut self, thinning: SiteThinning) -> Self {
        self.thinning = thinning;
        self
    }

    /// Returns true if an encoder without reads cannot compute it.
    pub fn needs_reads(&self) -> bool {
        !matches!(self.source, Source::Shape(_))
    }

    /// Effect of thinning of the reads on it.
    pub fn thinning(&self) -> SiteThinning {
        self.thinning
    }

    /// Its value, unscaled but of moderate size; 0 where it is not finite.
    pub(super) fn value(&self, evidence: &SiteEvidence<'_>) -> f32 {
        let value = match (self.source, &evidence.reads) {
            (Source::Shape(value), _) => value(&evidence.shape),
            (Source::Reads(value), Some((counts, _))) => value(counts),
            (Source::Surroundings(value), Some((_, around))) => value(around),
            (Source::Reads(_) | Source::Surroundings(_), None) => 0.0,
        };
        finite(value)
    }

    /// Its value counted anew from the reads; `None` for a number that is not counted from them.
    pub(super) fn recount(&self, counts: &ReadCounts<'_>) -> Option<f32> {
        match self.source {
            Source::Reads(value) => Some(finite(value(counts))),
            Source::Shape(_) | Source::Surroundings(_) => None,
        }
    }
}

fn finite(value: f64) -> f32 {
    if value.is_finite() { value as f32 } else { 0.0 }
}

fn bit(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// The entry of a name.
pub fn known(name: &str) -> Option<&'static SiteFeature> {
    ALL.iter().find(|feature| feature.name == name)
}

/// Names of the numbers that networks are trained with, in order: with reads, or without.
pub fn usual(with_reads: bool) -> impl Iterator<Item = &'static str> {
    let wanted = move |feature: &&SiteFeature| with_reads || !feature.needs_reads();
    ALL[..USUAL]
        .iter()
        .filter(wanted)
        .map(|feature| feature.name)
}

/// How many entries of [`ALL`], from the first on, networks are trained with. What stands behind
/// them is computed for models only whose card lists it.
const USUAL: usize = 74;
/// Number of entries.
const TOTAL: usize = 74;

/// All numbers of a call that are known.
pub static ALL: [SiteFeature; TOTAL] = {
    use SiteFeature as F;
    [
        F::shape("is_snp", "0 or 1", Topic::Allele, |shape| {
            bit(shape.deleted == 1 && shape.inserted == 1)
        }),
        F::shape("is_mnp", "0 or 1", Topic::Allele, |shape| {
            bit(shape.deleted == shape.inserted && shape.deleted > 1)
        }),
        F::shape("is_insertion", "0 or 1", Topic::Allele, |shape| {
            bit(shape.grown > 0)
        }),
        F::shape("is_deletion", "0 or 1", Topic::Allele, |shape| {
            bit(shape.grown < 0)
        }),
        F::shape("is_complex", "0 or 1", Topic::Allele, |shape| {
            bit(shape.grown != 0 && shape.deleted.min(shape.inserted) > 0)
        }),
        F::shape("length", "ln(1 + bases)", Topic::Allele, |shape| {
            (shape.grown.unsigned_abs() as f64).ln_1p()
        }),
        F::shape("alternates", "ln of their number", Topic::Allele, |shape| {
            (shape.alternates as f64).ln()
        }),
        F::shape("is_transition", "0 or 1", Topic::Allele, |shape| {
            bit(shape.is_transition())
        }),
        F::shape("is_cpg", "0 or 1", Topic::Allele, |shape| {
            bit(shape.is_cpg())
        }),
        F::shape("repeat_unit", "bases / 3", Topic::Repeat, |shape| {
            shape.unit as f64 / 3.0
        }),
        F::shape("repeat_copies", "ln(1 + copies)", Topic::Repeat, |shape| {
            (shape.copies as f64).ln_1p()
        }),
        F::shape("repeat_length", "ln(1 + bases)", Topic::Repeat, |shape| {
            (shape.span as f64).ln_1p()
        }),
        F::shape("changes_whole_units", "0 or 1", Topic::Repeat, |shape| {
            bit(shape.changes_whole_units())
        }),
        F::shape("homopolymer", "0 or 1", Topic::Repeat, |shape| {
            bit(shape.unit == 1)
        }),
        F::shape("run_before", "ln(1 + bases)", Topic::Repeat, |shape| {
            (shape.run_before() as f64).ln_1p()
        }),
        F::shape("run_after", "ln(1 + bases)", Topic::Repeat, |shape| {
            (shape.run_after() as f64).ln_1p()
        }),
        F::shape("takes_neighbour", "0 or 1", Topic::Allele, |shape| {
            bit(shape.takes_neighbour())
        }),
        F::shape("gc_20", "share", Topic::Allele, |shape| shape.gc(20)),
        F::shape("gc_60", "share", Topic::Allele, |shape| shape.gc(CONTEXT)),
        F::shape("entropy", "bits", Topic::Allele, |shape| {
            three_mer_entropy(shape.around)
        }),
        F::reads("alt_reads", "ln(1 + fragments)", Topic::Support, |reads| {
            reads.alternate.ln_1p()
        }),
        F::reads("ref_reads", "ln(1 + fragments)", Topic::Support, |reads| {
            reads.reference.ln_1p()
        }),
        F::reads(
            "neither_reads",
            "ln(1 + fragments)",
            Topic::Support,
            |reads| reads.neither.ln_1p(),
        ),
        F::reads("alt_share", "share", Topic::Support, |reads| {
            (reads.alternate + 0.5) / (reads.judged + 1.0)
        }),
        F::reads("alt_share_of_all", "share", Topic::Support, |reads| {
            (reads.alternate + 0.5) / (reads.judged + reads.neither + 1.0)
        }),
        F::reads("misfit_share", "share", Topic::Support, |reads| {
            reads.misfits() / (reads.judged + reads.neither + 1.0)
        }),
        F::reads("het_z", "standard deviations", Topic::Support, |reads| {
            reads.het_z()
        }),
        F::reads(
            "genotype_odds",
            "sign x ln(1 + log odds)",
            Topic::Support,
            |reads| soft(reads.likelihoods.best),
        ),
        F::reads(
            "genotype_odds_per_read",
            "log odds",
            Topic::Support,
            |reads| reads.likelihoods.best / (reads.likelihoods.depth + 1.0),
        ),
        F::reads(
            "hom_odds",
            "sign x ln(1 + log odds)",
            Topic::Support,
            |reads| soft(reads.likelihoods.hom - reads.likelihoods.het),
        ),
        F::reads(
            "low_fraction_odds",
            "sign x ln(1 + log odds)",
            Topic::Support,
            |reads| soft(reads.likelihoods.low - reads.likelihoods.best),
        ),
        F::reads(
            "low_fraction_against_none",
            "ln(1 + log odds)",
            Topic::Support,
            |reads| soft(reads.likelihoods.low.max(0.0)),
        ),
        F::reads(
            "alt_lesser_strand",
            "ln(1 + fragments)",
            Topic::Strand,
            |reads| reads.lesser_strand().ln_1p(),
        ),
        F::reads("alt_lesser_strand_share", "share", Topic::Strand, |reads| {
            (reads.lesser_strand() + 0.25) / (reads.alternate + 1.0)
        }),
        F::reads("strand_odds", "absolute log odds", Topic::Strand, |reads| {
            reads.strand_odds().abs()
        }),
        F::reads(
            "alt_mapping_quality",
            "MAPQ / 60, mean over ALT",
            Topic::Mapping,
            |reads| reads.alt_mean(measure::mapping_quality),
        ),
        F::reads(
            "mapping_quality_difference",
            "MAPQ / 60, ALT less REF",
            Topic::Mapping,
            |reads| reads.difference(measure::mapping_quality),
        ),
        F::reads(
            "alt_quality",
            "phred / 40, mean over ALT",
            Topic::Quality,
            |reads| reads.alt_mean(measure::quality),
        ),
        F::reads(
            "quality_difference",
            "phred / 40, ALT less REF",
            Topic::Quality,
            |reads| reads.difference(measure::quality),
        ),
        F::reads(
            "alt_distance_to_end",
            "bases / 30, mean over ALT",
            Topic::Position,
            |reads| reads.alt_mean(measure::distance_to_end),
        ),
        F::reads(
            "distance_to_end_difference",
            "bases / 30, ALT less REF",
            Topic::Position,
            |reads| reads.difference(measure::distance_to_end),
        ),
        F::reads(
            "alt_mismatches",
            "ln(1 + bases), mean over ALT",
            Topic::Mismatches,
            |reads| reads.alt_mean(measure::mismatches),
        ),
        F::reads(
            "mismatches_difference",
            "ln(1 + bases), ALT less REF",
            Topic::Mismatches,
            |reads| reads.difference(measure::mismatches),
        ),
        F::reads(
            "alt_gaps",
            "ln(1 + gaps), mean over ALT",
            Topic::Mismatches,
            |reads| reads.alt_mean(measure::gaps),
        ),
        F::reads(
            "gaps_difference",
            "ln(1 + gaps), ALT less REF",
            Topic::Mismatches,
            |reads| reads.difference(measure::gaps),
        ),
        F::reads(
            "alt_clipped",
            "share, mean over ALT",
            Topic::Mismatches,
            |reads| reads.alt_mean(measure::clipped),
        ),
        F::reads(
            "clipped_difference",
            "share, ALT less REF",
            Topic::Mismatches,
            |reads| reads.difference(measure::clipped),
        ),
        F::reads(
            "alt_cycle",
            "share of the read, mean over ALT",
            Topic::Position,
            |reads| reads.alt_mean(measure::cycle),
        ),
        F::reads(
            "cycle_difference",
            "share of the read, ALT less REF",
            Topic::Position,
            |reads| reads.difference(measure::cycle),
        ),
        F::reads("alt_many_mismatches", "share", Topic::Mismatches, |reads| {
            reads.share_with(Side::Alternate, |read| read.mismatches >= 3)
        }),
        F::reads("ref_many_mismatches", "share", Topic::Mismatches, |reads| {
            reads.share_with(Side::Reference, |read| read.mismatches >= 3)
        }),
        F::reads("alt_unplaced", "share", Topic::Mapping, |reads| {
            reads.share_with(Side::Alternate, |read| read.mapping_quality < 10)
        }),
        F::reads(
            "alt_inside_reads",
            "ln(1 + fragments)",
            Topic::Position,
            |reads| {
                reads
                    .weight_with(Side::Alternate, |read| read.distance_to_end >= 10.0)
                    .ln_1p()
            },
        ),
        F::reads(
            "alt_good_reads",
            "ln(1 + fragments)",
            Topic::Support,
            |reads| reads.good().ln_1p(),
        ),
        F::reads(
            "alt_log_ratio",
            "log odds / 5, mean",
            Topic::Support,
            |reads| reads.mean_ratio(Side::Alternate),
        ),
        F::reads(
            "ref_log_ratio",
            "log odds / 5, mean",
            Topic::Support,
            |reads| reads.mean_ratio(Side::Reference),
        ),
        F::around("sample_depth", "ln of reads", Topic::Depth, |around| {
            around.sample_depth.ln()
        })
        .thinned(SiteThinning::AddsLogOfShare),
        F::around(
            "depth_here",
            "log2 of times the sample's depth",
            Topic::Depth,
            |around| around.ratios[0].clamp(-6.0, 6.0),
        ),
        F::around(
            "depth_100",
            "log2 of times the sample's depth",
            Topic::Depth,
            |around| around.ratios[1].clamp(-6.0, 6.0),
        ),
        F::around(
            "depth_300",
            "log2 of times the sample's depth",
            Topic::Depth,
            |around| around.ratios[2].clamp(-6.0, 6.0),
        ),
        F::around(
            "depth_1000",
            "log2 of times the sample's depth",
            Topic::Depth,
            |around| around.ratios[3].clamp(-6.0, 6.0),
        ),
        F::around("depth_step", "log2", Topic::Depth, |around| {
            (around.ratios[0] - around.ratios[3]).clamp(-4.0, 4.0)
        }),
        F::around("unplaced_100", "share", Topic::Mapping, |around| {
            f64::from(around.counts.unplaced[0])
        }),
        F::around("unplaced_1000", "share", Topic::Mapping, |around| {
            f64::from(around.counts.unplaced[1])
        }),
        F::around(
            "low_places_300",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[0][0]).ln_1p(),
        ),
        F::around(
            "half_places_300",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[0][1]).ln_1p(),
        ),
        F::around(
            "whole_places_300",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[0][2]).ln_1p(),
        ),
        F::around(
            "low_places_1000",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[1][0]).ln_1p(),
        ),
        F::around(
            "half_places_1000",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[1][1]).ln_1p(),
        ),
        F::around(
            "whole_places_1000",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.differing[1][2]).ln_1p(),
        ),
        F::around(
            "gap_places_300",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.gaps).ln_1p(),
        ),
        F::around(
            "clip_places_300",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.clips[0]).ln_1p(),
        ),
        F::around(
            "clip_places_1000",
            "ln(1 + places per 100 bases)",
            Topic::Neighbours,
            |around| f64::from(around.counts.clips[1]).ln_1p(),
        ),
        F::around(
            "clipped_share",
            "times the depth",
            Topic::Neighbours,
            |around| f64::from(around.counts.clipped_share).min(4.0),
        ),
    ]
};

/// The shape of an allele: reference and allele, without reads.
pub(super) struct Shape<'a> {
    edit: &'a Edit,
    block: &'a ReferenceBlock,
    /// ALTs of the record.
    alternates: usize,
    /// Bases taken from the reference, put in their place, and the difference.
    deleted: i64,
    inserted: i64,
    grown: i64,
    /// The reference up to [`CONTEXT`] bases around the change, and where the change stands in it.
    around: &'a [u8],
    at: usize,
    /// Of the tandem repeat that the change stands in: bases of its unit, whole copies, bases; 0
    /// without one.
    unit: usize,
    copies: usize,
    span: usize,
}

impl<'a> Shape<'a> {
    /// Looks at a change; `alternates` is the number of ALTs of the record.
    pub(super) fn new(edit: &'a Edit, block: &'a ReferenceBlock, alternates: usize) -> Self {
        let (deleted, inserted) = (edit.deleted as i64, edit.inserted.len() as i64);
        let from = edit.start.saturating_sub(CONTEXT).max(block.start());
        let around = block.slice(from..edit.end() + CONTEXT);
        let at = (edit.start - from) as usize;
        let repeat = tandem_repeat(around, at.saturating_sub(1));
        let (unit, copies, span) = repeat.map_or((0, 0, 0), |repeat| {
            (repeat.unit, repeat.copies(), repeat.span.len())
        });
        Self {
            edit,
            block,
            alternates,
            deleted,
            inserted,
            grown: inserted - deleted,
            around,
            at,
            unit,
            copies,
            span,
        }
    }

    fn replaced(&self) -> &[u8] {
        let end = self.at + self.deleted as usize;
        self.around.get(self.at..end).unwrap_or(&[])
    }

    fn is_transition(&self) -> bool {
        matches!(
            (self.replaced(), self.edit.inserted.as_slice()),
            ([b'A'], [b'G']) | ([b'G'], [b'A']) | ([b'C'], [b'T']) | ([b'T'], [b'C'])
        )
    }

    fn is_cpg(&self) -> bool {
        match self.replaced() {
            [b'C'] => self.around.get(self.at + 1) == Some(&b'G'),
            [b'G'] => self.at > 0 && self.around[self.at - 1] == b'C',
            _ => false,
        }
    }

    fn changes_whole_units(&self) -> bool {
        let grown = self.grown.unsigned_abs() as usize;
        self.unit > 0 && grown > 0 && grown.is_multiple_of(self.unit) && self.span > 0
    }

    /// Bases of one kind in a row, as `step` goes from one to the next.
    fn run(&self, step: impl Fn(usize) -> Option<usize>) -> usize {
        let (mut place, mut length) = (step(0), 0);
        let first = place.and_then(|at| self.around.get(at)).copied();
        while let Some(at) = place
            && self.around.get(at).copied() == first
            && first.is_some()
        {
            length += 1;
            place = step(length);
        }
        length
    }

    fn run_before(&self) -> usize {
        self.run(|n| self.at.checked_sub(1 + n))
    }

    fn run_after(&self) -> usize {
        self.run(|n| Some(self.at + self.deleted as usize + n))
    }

    /// Evidence that a substitution may have slipped from a neighbouring run.
    fn takes_neighbour(&self) -> bool {
        let base_at = |place: Option<usize>| place.and_then(|at| self.around.get(at));
        matches!(self.edit.inserted.as_slice(), [base] if self.deleted == 1
            && (base_at(self.at.checked_sub(1)) == Some(base)
                || base_at(Some(self.at + 1)) == Some(base)))
    }

    /// Share of G and C up to `reach` bases around the change.
    fn gc(&self, reach: u64) -> f64 {
        let from = self
            .edit
            .start
            .saturating_sub(reach)
            .max(self.block.start());
        let bases = self.block.slice(from..self.edit.end() + reach);
        let is_gc = |base: &&u8| matches!(**base, b'G' | b'C');
        bases.iter().filter(is_gc).count() as f64 / bases.len().max(1) as f64
    }
}

/// Shannon entropy of the triplets of `bases`, in bits; low in repeats of any kind.
fn three_mer_entropy(bases: &[u8]) -> f64 {
    let mut counts = [0u32; 64];
    let code = |base: u8| b"ACGT".iter().position(|known| *known == base);
    let mut total = 0.0;
    for triplet in bases.windows(3) {
        if let (Some(a), Some(b), Some(c)) = (code(triplet[0]), code(triplet[1]), code(triplet[2]))
        {
            counts[a * 16 + b * 4 + c] += 1;
            total += 1.0;
        }
    }
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Sums over the reads of a call. Reads count by their weight, so that a fragment whose
/// mates overlap counts once.
pub(super) struct ReadCounts<'a> {
    reads: &'a [ReadFeatures],
    /// Fragments of each side, and of the first two.
    alternate: f64,
    reference: f64,
    neither: f64,
    judged: f64,
    likelihoods: Likelihoods,
}

impl<'a> ReadCounts<'a> {
    pub(super) fn new(reads: &'a [ReadFeatures]) -> Self {
        let count = |side: Side| -> f64 {
            let of_side = reads.iter().filter(|read| read.support.side == side);
            of_side.map(|read| f64::from(read.weight)).sum()
        };
        let (alternate, reference) = (count(Side::Alternate), count(Side::Reference));
        Self {
            reads,
            alternate,
            reference,
            neither: count(Side::Neither),
            judged: alternate + reference,
            likelihoods: Likelihoods::new(reads),
        }
    }

    fn weight(&self, is: impl Fn(&ReadFeatures) -> bool) -> f64 {
        let chosen = self.reads.iter().filter(|read| is(read));
        chosen.map(|read| f64::from(read.weight)).sum()
    }

    /// Fragments of a side with a property.
    fn weight_with(&self, side: Side, is: fn(&ReadFeatures) -> bool) -> f64 {
        self.weight(|read| read.support.side == side && is(read))
    }

    /// Share of a side's fragments with a property.
    fn share_with(&self, side: Side, is: fn(&ReadFeatures) -> bool) -> f64 {
        self.weight_with(side, is) / (self.count(side) + 0.5)
    }

    fn count(&self, side: Side) -> f64 {
        match side {
            Side::Alternate => self.alternate,
            Side::Reference => self.reference,
            Side::Neither => self.neither,
        }
    }

    /// Fragments that reach over the change and fit neither allele.
    fn misfits(&self) -> f64 {
        self.weight(|read| {
            read.support.side == Side::Neither && read.covers && read.support.misfit > DECISIVE
        })
    }

    /// How far the ALT's fragments are from a half of those that take sides.
    fn het_z(&self) -> f64 {
        (self.alternate - self.judged / 2.0) / (self.judged.max(1.0) / 4.0).sqrt()
    }

    fn on_strand(&self, side: Side, reverse: bool) -> f64 {
        self.weight(|read| read.support.side == side && read.is_reverse == reverse)
    }

    /// The ALT's fragments on the strand that has fewer of them.
    fn lesser_strand(&self) -> f64 {
        let reverse = self.on_strand(Side::Alternate, true);
        reverse.min(self.on_strand(Side::Alternate, false))
    }

    fn strand_odds(&self) -> f64 {
        let on = |side, reverse| self.on_strand(side, reverse) + 0.5;
        ((on(Side::Alternate, true) * on(Side::Reference, false))
            / (on(Side::Alternate, false) * on(Side::Reference, true)))
        .ln()
    }

    /// Mean of a measure over the fragments of a side; nothing without any.
    fn mean(&self, side: Side, measure: fn(&ReadFeatures) -> f64) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for read in self.reads.iter().filter(|read| read.support.side == side) {
            sum += measure(read) * f64::from(read.weight);
            total += f64::from(read.weight);
        }
        (total > 0.0).then_some(sum / total)
    }

    fn alt_mean(&self, measure: fn(&ReadFeatures) -> f64) -> f64 {
        self.mean(Side::Alternate, measure).unwrap_or(0.0)
    }

    /// The ALT's mean less REF's; 0 where one of them has no fragments.
    fn difference(&self, measure: fn(&ReadFeatures) -> f64) -> f64 {
        let (of_alt, of_ref) = (
            self.mean(Side::Alternate, measure),
            self.mean(Side::Reference, measure),
        );
        of_alt.zip(of_ref).map_or(0.0, |(a, r)| a - r)
    }

    /// The ALT's fragments that are well placed, of good quality, and fit.
    fn good(&self) -> f64 {
        self.weight_with(Side::Alternate, |read| {
            read.mapping_quality >= 20 && read.quality >= 20.0 && read.support.misfit < 10.0
        })
    }

    fn mean_ratio(&self, side: Side) -> f64 {
        let sum: f64 = self
            .reads
            .iter()
            .filter(|read| read.support.side == side)
            .map(|read| f64::from(read.support.log_ratio.abs() * read.weight))
            .sum();
        sum / (self.count(side) + 0.5) / 5.0
    }
}

/// Measures of a read whose means over the sides are compared.
mod measure {
    use super::ReadFeatures;

    pub(super) fn mapping_quality(read: &ReadFeatures) -> f64 {
        f64::from(read.mapping_quality.min(60)) / 60.0
    }
    pub(super) fn quality(read: &ReadFeatures) -> f64 {
        f64::from(read.quality) / 40.0
    }
    pub(super) fn distance_to_end(read: &ReadFeatures) -> f64 {
        f64::from(read.distance_to_end.min(60.0)) / 30.0
    }
    pub(super) fn mismatches(read: &ReadFeatures) -> f64 {
        f64::from(read.mismatches).ln_1p()
    }
    pub(super) fn gaps(read: &ReadFeatures) -> f64 {
        f64::from(read.gaps).ln_1p()
    }
    pub(super) fn clipped(read: &ReadFeatures) -> f64 {
        f64::from(read.clipped)
    }
    pub(super) fn cycle(read: &ReadFeatures) -> f64 {
        f64::from(read.cycle)
    }
}

/// Log likelihoods of the genotypes and of lower fractions of the allele against its absence, from
/// each read's odds. No read is believed more than its mapping quality.
struct Likelihoods {
    het: f64,
    hom: f64,
    /// The better of the two.
    best: f64,
    /// The best of [`LOW_FRACTIONS`].
    low: f64,
    /// Fragments of all sides.
    depth: f64,
}

impl Likelihoods {
    fn new(reads: &[ReadFeatures]) -> Self {
        let likelihood = |fraction: f64| -> f64 {
            reads
                .iter()
                .map(|read| {
                    let believed =
                        f64::from(read.mapping_quality.min(60)) * std::f64::consts::LN_10 / 10.0;
                    let ratio = f64::from(read.support.log_ratio).clamp(-believed, believed);
                    let mixed = ((1.0 - fraction) + fraction * ratio.exp()).ln();
                    mixed * f64::from(read.weight)
                })
                .sum()
        };
        let (het, hom) = (likelihood(0.5), likelihood(1.0));
        Self {
            het,
            hom,
            best: het.max(hom),
            low: LOW_FRACTIONS
                .map(likelihood)
                .into_iter()
                .fold(f64::NEG_INFINITY, f64::max),
            depth: reads.iter().map(|read| f64::from(read.weight)).sum(),
        }
    }
}

/// Large values drawn together, with their sign.
fn soft(value: f64) -> f64 {
    value.signum() * value.abs().ln_1p()
}

/// Counts around a call against the sample's own mean depth.
pub(super) struct Around<'a> {
    counts: &'a Surroundings,
    sample_depth: f64,
    /// log2 of the depth at the call and within 100, 300 and 1000 bases over the sample's.
    ratios: [f64; 4],
}

impl<'a> Around<'a> {
    pub(super) fn new(counts: &'a Surroundings, sample_depth: f32) -> Self {
        let sample_depth = f64::from(sample_depth).max(0.1);
        let ratio = |depth: f32| ((f64::from(depth) + 0.5) / (sample_depth + 0.5)).log2();
        Self {
            counts,
            sample_depth,
            ratios: counts.depth.map(ratio),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::allele::support::Support;

    fn block(bases: &[u8]) -> ReferenceBlock {
        ReferenceBlock::new(0, bases.to_vec(), bases.len() as u64)
    }

    fn of_shape(shape: Shape<'_>, name: &str) -> f32 {
        let evidence = SiteEvidence { shape, reads: None };
        known(name).unwrap().value(&evidence)
    }

    fn of_reads(reads: &[ReadFeatures], name: &str) -> f32 {
        let counts = ReadCounts::new(reads);
        known(name).unwrap().recount(&counts).unwrap()
    }

    #[test]
    fn shapes() {
        let bases = b"GATTACAGGCTTCGATTTTTTTTTCAGCATCAGG";
        let deletion = Edit {
            start: 15,
            deleted: 2,
            inserted: Vec::new(),
        };
        let block = block(bases);
        let found = |name| of_shape(Shape::new(&deletion, &block, 1), name);
        assert_eq!(found("is_deletion"), 1.0);
        assert_eq!(found("homopolymer"), 1.0);
        assert_eq!(found("changes_whole_units"), 1.0);
        assert!((found("repeat_length") - 10f32.ln()).abs() < 1e-6);
        let transition = Edit {
            start: 12,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        let found = |name| of_shape(Shape::new(&transition, &block, 2), name);
        assert_eq!((found("is_transition"), found("is_cpg")), (1.0, 1.0));
        assert_eq!(found("takes_neighbour"), 1.0);
        assert!(found("alternates") > 0.6);
    }

    #[test]
    fn names_are_unique_and_those_without_reads_come_first() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len());
        let (with, without): (Vec<_>, Vec<_>) = (usual(true).collect(), usual(false).collect());
        assert_eq!((with.len(), without.len()), (74, 20));
        assert_eq!(with[..20], without);
        assert!(known("depth").is_none());
    }

    #[test]
    fn entropy_is_low_in_repeats() {
        assert_eq!(three_mer_entropy(b"AAAAAAAA"), 0.0);
        assert!(three_mer_entropy(b"GATTACAGGCTTCGA") > 3.0);
        assert_eq!(three_mer_entropy(b""), 0.0);
    }

    fn read(side: Side) -> ReadFeatures {
        let edit = Edit {
            start: 20,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        let block = block(&b"ACGT".repeat(20));
        let haplotypes = super::super::Haplotypes::new(&edit, &block);
        let log_ratio = match side {
            Side::Alternate => 7.0,
            Side::Reference => -7.0,
            Side::Neither => 0.0,
        };
        let blank = crate::genome::AlignedRead {
            mapping_quality: 60,
            ..Default::default()
        };
        let mut read = ReadFeatures::new(&blank, &haplotypes, &block);
        read.support = Support {
            log_ratio,
            misfit: 0.0,
            side,
        };
        read
    }

    #[test]
    fn evenly_split_reads_are_a_het_and_few_of_many_are_not() {
        let mixed = |alternate: usize, reference: usize| {
            let mut reads = vec![read(Side::Alternate); alternate];
            reads.extend(vec![read(Side::Reference); reference]);
            reads
        };
        let het = mixed(15, 15);
        assert!(of_reads(&het, "genotype_odds") > 4.0);
        assert!(of_reads(&het, "hom_odds") < 0.0);
        assert!(of_reads(&het, "low_fraction_odds") < 0.0);
        assert_eq!(of_reads(&het, "het_z"), 0.0);
        assert!(of_reads(&mixed(30, 0), "hom_odds") > 0.0);
        let mosaic = mixed(5, 45);
        assert!(of_reads(&mosaic, "low_fraction_odds") > 1.0);
        assert!(of_reads(&mosaic, "het_z") < -4.0);
        let counts = ReadCounts::new(&[]);
        let none = ALL.iter().filter_map(|feature| feature.recount(&counts));
        assert!(none.into_iter().all(f32::is_finite));
    }

    #[test]
    fn numbers_do_not_depend_on_the_strands_names() {
        let mut reads = vec![read(Side::Alternate); 9];
        reads.extend(vec![read(Side::Reference); 7]);
        for at in [0, 1, 5, 9, 12, 13] {
            reads[at].is_reverse = true;
        }
        let numbers = |reads: &[ReadFeatures]| -> Vec<f32> {
            let counts = ReadCounts::new(reads);
            ALL.iter().filter_map(|one| one.recount(&counts)).collect()
        };
        let before = numbers(&reads);
        reads
            .iter_mut()
            .for_each(|read| read.is_reverse = !read.is_reverse);
        for (a, b) in before.iter().zip(numbers(&reads)) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn depths_are_ratios() {
        let counts = Surroundings {
            depth: [60.0, 30.0, 30.0, 15.0],
            ..Surroundings::default()
        };
        let edit = Edit {
            start: 20,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        let block = block(&b"ACGT".repeat(20));
        let evidence = SiteEvidence {
            shape: Shape::new(&edit, &block, 1),
            reads: Some((ReadCounts::new(&[]), Around::new(&counts, 30.0))),
        };
        let value = |name| known(name).unwrap().value(&evidence);
        assert!((value("sample_depth") - 30f32.ln()).abs() < 1e-6);
        assert!((value("depth_here") - 1.0).abs() < 0.02);
        assert!((value("depth_1000") + 1.0).abs() < 0.05);
        assert!((value("depth_step") - 2.0).abs() < 0.05);
        let of_depth = known("sample_depth").unwrap();
        assert_eq!(of_depth.thinning(), SiteThinning::AddsLogOfShare);
    }
}
