//! From the matches found to the states of each ALT and each record.

use std::collections::BTreeMap;

use super::clusters::FoundOnSide;
use super::prepare::{Allele, Genotype, Prepared};
use super::{Judgement, TruthCounts};
use crate::genome::normalize::Edit;
use crate::label::state::{AltState, GenotypeState, Reason};

/// The states of one side. `leave_unlisted`: ALTs outside the genotype are not called false;
/// `nothing_known`: the other side has no record on the contig.
pub(super) fn conclude(
    side: &Prepared,
    found: &FoundOnSide,
    leave_unlisted: bool,
    nothing_known: bool,
) -> Judgement {
    let states = |site: usize| {
        side.of(site).map(move |index| match &side.alleles[index] {
            Err(reason) => AltState::Unjudged(*reason),
            Ok(_) if nothing_known => AltState::Unjudged(Reason::NoTruthOnContig),
            Ok(allele) => alternate(allele, index, site, found, leave_unlisted),
        })
    };
    let states: Vec<AltState> = (0..side.len()).flat_map(states).collect();
    Judgement {
        copies: copies(side, found, &states),
        states,
        first: side.first.clone(),
        genotypes: (0..side.len())
            .map(|site| {
                if nothing_known {
                    GenotypeState::Unjudged(Reason::NoTruthOnContig)
                } else {
                    genotype(side, site, found)
                }
            })
            .collect(),
    }
}

/// The copies of each ALT on the other side, from its state.
fn copies(side: &Prepared, found: &FoundOnSide, states: &[AltState]) -> Vec<Option<u8>> {
    let of_state = |(index, state): (usize, &AltState)| match state {
        AltState::False => Some(0),
        AltState::AlleleAndGenotype => side.allele(index).map(|allele| allele.copies),
        AltState::AlleleOnly => found.copies[index],
        AltState::Unjudged(_) => None,
    };
    states.iter().enumerate().map(of_state).collect()
}

fn alternate(
    allele: &Allele,
    index: usize,
    site: usize,
    found: &FoundOnSide,
    leave_unlisted: bool,
) -> AltState {
    if !allele.confident {
        AltState::Unjudged(Reason::OutsideConfident)
    } else if found.right[site] && allele.copies > 0 {
        AltState::AlleleAndGenotype
    } else if leave_unlisted && !allele.listed {
        AltState::Unjudged(Reason::NotInGenotype)
    } else if found.real[index] {
        AltState::AlleleOnly
    } else if found.allele_given_up[index] {
        AltState::Unjudged(Reason::TooComplex)
    } else {
        AltState::False
    }
}

fn genotype(side: &Prepared, site: usize, found: &FoundOnSide) -> GenotypeState {
    let haplotypes = match side.genotypes[site] {
        Genotype::Unusable(reason) => return GenotypeState::Unjudged(reason),
        Genotype::Diploid(haplotypes) => haplotypes,
    };
    let all = |test: &dyn Fn(usize) -> bool| {
        haplotypes
            .iter()
            .flatten()
            .all(|index| test(*index as usize))
    };
    let any = |test: &dyn Fn(usize) -> bool| {
        haplotypes
            .iter()
            .flatten()
            .any(|index| test(*index as usize))
    };
    if !all(&|index| side.allele(index).is_some_and(|allele| allele.confident)) {
        GenotypeState::Unjudged(Reason::OutsideConfident)
    } else if found.right[site] {
        GenotypeState::Right
    } else if found.genotype_given_up[site] || any(&|index| found.allele_given_up[index]) {
        GenotypeState::Unjudged(Reason::TooComplex)
    } else if all(&|index| found.real[index]) && any(&|index| found.without_genotype[index]) {
        GenotypeState::Unjudged(Reason::TruthGenotypeMissing)
    } else {
        GenotypeState::Wrong
    }
}

/// Counts the truth's ALTs, called and missed; one that several records give counts once, as called where
/// one of them is.
pub(super) fn count_truth(truths: &Prepared, judged: &Judgement) -> TruthCounts {
    let mut distinct: BTreeMap<&Edit, bool> = BTreeMap::new();
    for site in 0..truths.len() {
        for ((_, allele), state) in truths
            .of(site)
            .map(|i| (i, &truths.alleles[i]))
            .zip(judged.alternates(site))
        {
            let (Ok(allele), Some(called)) = (allele, state.is_real()) else {
                continue;
            };
            *distinct.entry(&allele.normal).or_default() |= called;
        }
    }
    let mut counts = TruthCounts::default();
    for (change, called) in distinct {
        *match (change.is_indel(), called) {
            (false, true) => &mut counts.called_snps,
            (false, false) => &mut counts.missed_snps,
            (true, true) => &mut counts.called_indels,
            (true, false) => &mut counts.missed_indels,
        } += 1;
    }
    counts
}
