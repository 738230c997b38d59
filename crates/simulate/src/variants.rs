//! Random variants: substitutions, indels and short multi-nucleotide changes, as often and of such
//! kinds as in a human genome.
//!
//! Transitions are [`TI_TV`] times as frequent as transversions, and [`CPG_FACTOR`] times as
//! frequent at CpG as elsewhere. Half of the indels change whole units of a tandem repeat, the
//! likelier the longer it is.

use rand::RngExt;

use super::random::{Random, base, chance, geometric, log_uniform, other_base, poisson};
use super::record::{Change, Diploid, Origin, Record};
use cnnfilter_core::genome::repeat::{TandemRepeat, tandem_repeats};

/// Transitions for each transversion.
pub const TI_TV: f64 = 2.1;
/// How many times more often than elsewhere a transition strikes a base of a CpG.
pub const CPG_FACTOR: f64 = 8.0;
/// Part of the variants that both haplotypes carry: het : hom is 3 : 2.
pub const HOMOZYGOUS: f64 = 0.4;
/// Longest allele of a drawn indel, in bases more or fewer.
pub const MAX_INDEL: usize = 60;
/// Part of the indels that strike tandem repeats.
const IN_REPEATS: f64 = 0.5;
/// Part of the indels outside repeats whose length is of the long tail.
const LONG_TAIL: f64 = 0.12;
/// Part of the variants that get a neighbour.
const CLUSTERED: f64 = 0.05;
/// Farthest such a neighbour is from it, in bases.
const CLUSTER_REACH: usize = 10;
/// Part of the substitutions with a different allele on each haplotype.
const TRIALLELIC_SNP: f64 = 0.003;
/// Nearest a variant comes to an end of the region, in bases.
const MARGIN: usize = 10;
/// Attempts for each variant before a crowded region is left with fewer.
const ATTEMPTS: usize = 50;

/// Variants per base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Substitutions of one base.
    pub snp: f64,
    /// Insertions and deletions.
    pub indel: f64,
    /// Substitutions of two to four bases.
    pub multi: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            snp: 0.000_8,
            indel: 0.000_12,
            multi: 0.000_02,
        }
    }
}

/// Numbers of variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Substitutions of one base.
    pub snps: usize,
    /// Insertions and deletions.
    pub indels: usize,
    /// Substitutions of several bases.
    pub multi: usize,
}

impl Counts {
    /// Poisson numbers for `length` bases.
    pub fn drawn(random: &mut Random, rates: &Rates, length: usize) -> Self {
        let length = length as f64;
        Self {
            snps: poisson(random, rates.snp * length),
            indels: poisson(random, rates.indel * length),
            multi: poisson(random, rates.multi * length),
        }
    }

    /// The numbers among `records`.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut counts = Self::default();
        for record in records {
            match record.change.reference.len() {
                _ if record.change.is_indel() => counts.indels += 1,
                1 => counts.snps += 1,
                _ => counts.multi += 1,
            }
        }
        counts
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.snps + self.indels + self.multi
    }
}

/// Draws variants of one stretch of sequence.
#[derive(Debug)]
pub struct VariantModel<'a> {
    bases: &'a [u8],
    repeats: Vec<TandemRepeat>,
    /// Sum of the weights up to and with each repeat.
    cumulative: Vec<f64>,
    /// How much likelier a transition outside CpG is than both transversions together.
    transition: f64,
}

impl<'a> VariantModel<'a> {
    /// A model of `bases` (A, C, G, T).
    pub fn new(bases: &'a [u8]) -> Self {
        let mut repeats = Vec::new();
        tandem_repeats(bases, 6, &mut repeats);
        let mut sum = 0.0;
        let cumulative = repeats
            .iter()
            .map(|repeat| {
                sum += repeat_weight(repeat);
                sum
            })
            .collect();
        let cpg = bases.windows(2).filter(|pair| *pair == b"CG").count() * 2;
        let cpg = cpg as f64 / bases.len().max(1) as f64;
        Self {
            bases,
            repeats,
            cumulative,
            transition: TI_TV / (1.0 - cpg + CPG_FACTOR * cpg),
        }
    }

    /// Adds `counts` random variants to a diploid sample, fewer where there is no room; some of
    /// them as close neighbours. Het or hom by chance, the haplotype as well.
    pub fn fill(&self, random: &mut Random, counts: Counts, sample: &mut Diploid) {
        let mut left = [counts.snps, counts.indels, counts.multi];
        let mut attempts = counts.total() * ATTEMPTS;
        let mut near: Option<(usize, [u8; 2])> = None;
        while left.iter().any(|count| *count > 0) && attempts > 0 {
            attempts -= 1;
            // A neighbour is of any kind of which there are some left, mostly a substitution.
            let kind = kind_of(random, &left);
            let around = near.take();
            let place = match around {
                Some((at, _)) => near_to(random, at),
                None => random_place(random, self.bases.len()),
            };
            let drawn = match (kind, around) {
                (0, None) => self.snp(random),
                (0, Some(_)) => self.snp_at(random, place),
                (1, None) => self.indel(random),
                (1, Some(_)) => self.plain_indel_at(random, place),
                _ => self.multi_at(random, place),
            };
            let Some(change) = drawn else { continue };
            let genotype = match around {
                // Most neighbours are on the same haplotypes.
                Some((_, genotype)) if change.alternates.len() == 1 && chance(random, 0.7) => {
                    genotype
                }
                _ => genotype(random, &change),
            };
            let at = change.start;
            let added = sample.add(Record {
                change,
                genotype,
                origin: Origin::Drawn,
            });
            if added {
                left[kind] -= 1;
                if around.is_none() && chance(random, CLUSTERED) {
                    near = Some((at, genotype.map(|allele| allele.min(1))));
                }
            }
        }
    }

    /// A variant of one alternate: a substitution, or with probability `indels` an indel.
    pub fn single(&self, random: &mut Random, indels: f64) -> Option<Change> {
        let is_indel = chance(random, indels);
        let change = if is_indel {
            self.indel(random)
        } else {
            self.snp(random)
        }?;
        (change.alternates.len() == 1).then_some(change)
    }

    fn snp(&self, random: &mut Random) -> Option<Change> {
        let highest = 1.0 + CPG_FACTOR * self.transition;
        // Places are taken as often as they mutate: by rejection.
        for _ in 0..1_000 {
            let at = random_place(random, self.bases.len());
            let rate = 1.0 + self.transition_rate(at);
            if random.random::<f64>() * highest < rate {
                return self.snp_at(random, at);
            }
        }
        None
    }

    fn transition_rate(&self, at: usize) -> f64 {
        let is_cpg = match self.bases[at] {
            b'C' => self.bases.get(at + 1) == Some(&b'G'),
            b'G' => at > 0 && self.bases[at - 1] == b'C',
            _ => false,
        };
        self.transition * if is_cpg { CPG_FACTOR } else { 1.0 }
    }

    /// A substitution of the base at `at`; none at the ends.
    pub(super) fn snp_at(&self, random: &mut Random, at: usize) -> Option<Change> {
        let reference = *self.bases.get(at)?;
        let rate = self.transition_rate(at);
        let partner = transition(reference);
        let mut alternates = vec![if random.random::<f64>() * (1.0 + rate) < rate {
            vec![partner]
        } else {
            vec![transversion(random, reference)]
        }];
        if chance(random, TRIALLELIC_SNP) {
            let second = other_base(random, reference);
            if alternates[0] != [second] {
                alternates.push(vec![second]);
            }
        }
        self.placed(Change {
            start: at,
            reference: vec![reference],
            alternates,
        })
    }

    fn multi_at(&self, random: &mut Random, at: usize) -> Option<Change> {
        let length = 2 + geometric(random, 0.75).min(2);
        let reference = self.bases.get(at..at + length)?.to_vec();
        let mut alternate = reference.clone();
        for (position, new) in alternate.iter_mut().enumerate() {
            let is_end = position == 0 || position + 1 == length;
            if is_end || chance(random, 0.5) {
                *new = other_base(random, *new);
            }
        }
        self.placed(Change {
            start: at,
            reference,
            alternates: vec![alternate],
        })
    }

    fn indel(&self, random: &mut Random) -> Option<Change> {
        if !self.repeats.is_empty() && chance(random, IN_REPEATS) {
            self.repeat_indel(random)
        } else {
            let at = random_place(random, self.bases.len());
            self.plain_indel_at(random, at)
        }
    }

    /// Units of a tandem repeat more or fewer; now and then two alleles.
    fn repeat_indel(&self, random: &mut Random) -> Option<Change> {
        let drawn = random.random::<f64>() * self.cumulative.last().copied()?;
        let index = self.cumulative.partition_point(|sum| *sum <= drawn);
        let repeat = self.repeats.get(index)?;
        let copies = repeat.copies();
        let first = self.unit_change(random, repeat);
        let mut changes = vec![first];
        let two = 0.02 + 0.012 * copies.saturating_sub(6).min(15) as f64;
        if chance(random, two) {
            let second = self.unit_change(random, repeat);
            if second != first {
                changes.push(second);
            }
        }
        let lost = changes.iter().filter(|change| **change < 0);
        let span = lost.map(|c| c.unsigned_abs()).max().unwrap_or(0) * repeat.unit;
        let start = repeat.span.start;
        let alternate = |change: &isize| {
            let length = span.saturating_add_signed(change * repeat.unit as isize);
            (0..length)
                .map(|at| self.bases[start + at % repeat.unit])
                .collect()
        };
        self.placed(Change {
            start,
            reference: self.bases[start..start + span].to_vec(),
            alternates: changes.iter().map(alternate).collect(),
        })
    }

    /// Units gained (positive) or lost: mostly one.
    fn unit_change(&self, random: &mut Random, repeat: &TandemRepeat) -> isize {
        let most = (MAX_INDEL / repeat.unit).max(1);
        let units = (1 + geometric(random, 0.6)).min(most);
        if chance(random, 0.5) {
            units as isize
        } else {
            -(units.min(repeat.copies() - 1) as isize)
        }
    }

    /// An insertion or deletion at `at`, in a repeat or not; none at the ends.
    pub(super) fn plain_indel_at(&self, random: &mut Random, at: usize) -> Option<Change> {
        let length = if chance(random, LONG_TAIL) {
            log_uniform(random, 5.0, MAX_INDEL as f64 + 1.0) as usize
        } else {
            1 + geometric(random, 0.45)
        }
        .min(MAX_INDEL);
        let (reference, alternate) = if chance(random, 0.5) {
            (self.bases.get(at..at + length)?.to_vec(), Vec::new())
        } else if chance(random, 0.5) {
            // Most new sequence of insertions is a copy of what is beside it.
            let copied = self.bases.get(at.checked_sub(length)?..at)?.to_vec();
            (Vec::new(), copied)
        } else {
            (Vec::new(), (0..length).map(|_| base(random)).collect())
        };
        self.placed(Change {
            start: at,
            reference,
            alternates: vec![alternate],
        })
    }

    /// In normal form, away from the ends.
    pub(super) fn placed(&self, change: Change) -> Option<Change> {
        let change = change.normalised(self.bases)?;
        is_inside(&change, self.bases.len()).then_some(change)
    }
}

/// Returns true if a variant is far enough from the ends of a region of `length` bases.
pub fn is_inside(change: &Change, length: usize) -> bool {
    change.start >= MARGIN && change.range().end + MARGIN <= length
}

/// Het or hom by chance; two alternates go one to each haplotype.
pub fn genotype(random: &mut Random, change: &Change) -> [u8; 2] {
    let first_is_one = chance(random, 0.5);
    match (change.alternates.len(), first_is_one) {
        (1, _) if chance(random, HOMOZYGOUS) => [1, 1],
        (1, true) => [1, 0],
        (1, false) => [0, 1],
        (_, true) => [1, 2],
        (_, false) => [2, 1],
    }
}

fn kind_of(random: &mut Random, left: &[usize; 3]) -> usize {
    let drawn = random.random_range(0..left.iter().sum::<usize>());
    if drawn < left[0] {
        0
    } else if drawn < left[0] + left[1] {
        1
    } else {
        2
    }
}

fn near_to(random: &mut Random, at: usize) -> usize {
    let distance = random.random_range(1..=CLUSTER_REACH);
    if chance(random, 0.5) {
        at + distance
    } else {
        at.saturating_sub(distance)
    }
}

fn random_place(random: &mut Random, length: usize) -> usize {
    random.random_range(0..length.max(1))
}

fn transition(base: u8) -> u8 {
    match base {
        b'A' => b'G',
        b'G' => b'A',
        b'C' => b'T',
        _ => b'C',
    }
}

fn transversion(random: &mut Random, base: u8) -> u8 {
    let both = match base {
        b'A' | b'G' => b"CT",
        _ => b"AG",
    };
    both[usize::from(chance(random, 0.5))]
}

/// How readily a repeat changes its length: exponentially with its copies, to 22 of one base; a
/// base of a longer unit counts less.
fn repeat_weight(repeat: &TandemRepeat) -> f64 {
    let effective = repeat.copies() as f64 * (1.0 + 0.35 * (repeat.unit as f64 - 1.0));
    (0.28 * effective.min(22.0)).exp()
}

#[cfg(test)]
mod tests;
