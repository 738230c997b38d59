//! Calls against a truth set, on one contig.
//!
//! 1. **Allele by allele.** Every ALT, trimmed and left-aligned, is one change of the reference
//!    ([`Edit`](crate::genome::Edit)). An ALT whose change the truth has is real; a record whose
//!    changes the truth has in one record, as many copies of each, has the right genotype.
//! 2. **By haplotype**, for what is left. Records less than [`GAP`] bases apart form a cluster. In
//!    each, the search (`haplotype`) finds the calls and truth records that, applied to the
//!    reference, give the same sequences: for genotypes the same two sequences, where every
//!    heterozygous record may lie on either; for alleles one sequence, where a record gives one of
//!    its ALTs or none. So an MNP agrees with its SNPs, an indel with the same indel elsewhere in
//!    a repeat, a record of two ALTs with two records of one.
//!
//! Where the sides become level again a block ends. A block proves its records only where it
//! holds, on both sides, something that was still without a counterpart. Else an insertion and a
//! deletion that cancel each other could hide beside a true call, and two candidates of one repeat
//! unit each could pass for a truth of two units that a third record already gives. Blocks that
//! share a pair made by the first step stand or fall together.
//!
//! Phase is not used, as in hap.py and vcfeval. All records take part, also those outside the
//! confident regions; being outside matters only for what is said of a record afterwards.
//!
//! **Bounds.** Alleles longer than [`MAX_SEARCHED`] bases are compared by the first step only. A
//! cluster in which more than [`MAX_STATES`] readings are open at once is cut into parts less than
//! [`TIGHT_GAP`] bases apart, and a part in which they still are is given up: what is left in it
//! is [`Reason::TooComplex`](crate::label::Reason::TooComplex). Time and memory grow with the number of records.

mod clusters;
mod conclude;
mod direct;
mod haplotype;
mod prepare;
#[cfg(test)]
mod tests;

use std::ops::AddAssign;

use crate::genome::normalize::ReferenceBases;
use crate::genome::{Interval, VariantKind};
use crate::label::site::Site;
use crate::label::state::{AltState, GenotypeState};
use prepare::Prepared;

/// Records of a cluster are less than this many bases apart.
pub const GAP: u64 = 100;
/// The same where a cluster had to be cut.
pub const TIGHT_GAP: u64 = 12;
/// Open readings of a cluster, at most.
pub const MAX_STATES: usize = 256;
/// The longest REF or ALT, trimmed, that the haplotype comparison applies.
pub const MAX_SEARCHED: u64 = 1_000;
/// How often the alleles of one cluster are searched. One sequence shows the ALTs that lie on it
/// together; those of the other haplotype come with the next search.
pub const MAX_ALLELE_SEARCHES: usize = 4;

/// Choices in how calls are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchOptions {
    /// Judge a contig on which the truth has no record at all. Such a contig is more often
    /// missing from the truth than free of variants.
    pub judge_without_truth: bool,
}

/// The verdict on the records of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    states: Vec<AltState>,
    copies: Vec<Option<u8>>,
    first: Vec<u32>,
    genotypes: Vec<GenotypeState>,
}

impl Judgement {
    /// The states of a record's ALTs, in the record's order.
    pub fn alternates(&self, site: usize) -> &[AltState] {
        &self.states[self.first[site] as usize..self.first[site + 1] as usize]
    }

    /// How many copies of each ALT of a record the other side has, 0 to 2 (the only allele of a haploid genotype counts
    /// as two); `None` where that is not known: the ALT is not judged, its genotype is missing, or the two sides spell
    /// it in different ways.
    pub fn copies(&self, site: usize) -> &[Option<u8>] {
        &self.copies[self.first[site] as usize..self.first[site + 1] as usize]
    }

    /// The state of a record's genotype.
    pub fn genotype(&self, site: usize) -> GenotypeState {
        self.genotypes[site]
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.genotypes.len()
    }

    /// True without a record.
    pub fn is_empty(&self) -> bool {
        self.genotypes.is_empty()
    }
}

/// How many truth ALTs of the confident regions were called and how many were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TruthCounts {
    /// SNPs and MNPs that a call gives.
    pub called_snps: u64,
    /// SNPs and MNPs that no call gives.
    pub missed_snps: u64,
    /// Insertions, deletions and block substitutions that a call gives.
    pub called_indels: u64,
    /// Insertions, deletions and block substitutions that no call gives.
    pub missed_indels: u64,
}

impl TruthCounts {
    /// `5 called, 1 not`, for SNPs (MNPs among them) and for indels.
    pub fn texts(&self) -> [(VariantKind, String); 2] {
        let text = |called: u64, missed: u64| format!("{called} called, {missed} not");
        [
            (VariantKind::Snp, text(self.called_snps, self.missed_snps)),
            (
                VariantKind::Indel,
                text(self.called_indels, self.missed_indels),
            ),
        ]
    }
}

impl AddAssign for TruthCounts {
    fn add_assign(&mut self, more: Self) {
        self.called_snps += more.called_snps;
        self.missed_snps += more.missed_snps;
        self.called_indels += more.called_indels;
        self.missed_indels += more.missed_indels;
    }
}

/// The verdict on the records of one contig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContigJudgement {
    /// The calls, in the order they were given.
    pub calls: Judgement,
    /// The truth, in the order it was given: [`AltState::False`] is a truth allele that was not
    /// called. ALTs that are not in the truth's genotype are unjudged.
    pub truths: Judgement,
    /// Truth alleles, called and missed, counted apart for SNPs and INDELs.
    pub truth_counts: TruthCounts,
    /// Clusters whose haplotypes were compared.
    pub clusters_compared: u64,
    /// Of those, the ones that were given up in part or wholly.
    pub clusters_given_up: u64,
}

/// Judges the calls of one contig against its truth.
///
/// `confident` holds sorted, disjoint regions ([`IntervalSet::on`](crate::genome::IntervalSet::on));
/// `None` means that all of the contig is confident. Records may come in any order.
///
/// An ALT is inside the confident regions when its left-aligned change is, whole, in one region (an
/// insertion with the bases before and behind it); a genotype when all its ALTs are.
pub fn judge<R: ReferenceBases + ?Sized>(
    calls: &[Site],
    truths: &[Site],
    confident: Option<&[Interval]>,
    reference: &R,
    options: MatchOptions,
) -> ContigJudgement {
    let calls = Prepared::new(calls, confident, reference);
    let truths = Prepared::new(truths, confident, reference);
    let found = clusters::compare(&calls, &truths, reference);
    let without_truth = truths.len() == 0 && !options.judge_without_truth;
    let judged_truths = conclude::conclude(&truths, &found.sides[1], true, false);
    ContigJudgement {
        // A caller that lists its doubtful candidates as `0/0` wants them judged.
        calls: conclude::conclude(&calls, &found.sides[0], false, without_truth),
        truth_counts: conclude::count_truth(&truths, &judged_truths),
        truths: judged_truths,
        clusters_compared: found.compared,
        clusters_given_up: found.given_up,
    }
}
