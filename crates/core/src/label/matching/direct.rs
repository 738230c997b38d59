//! The first comparison: ALTs that are one change of the reference, records that are one genotype.

use super::haplotype::Side;
use super::prepare::{Allele, Prepared};
use crate::genome::normalize::Edit;

/// How many truth records with one and the same change are looked at for a partner. A sound truth
/// set has one or two; the limit keeps a file of one line repeated from taking forever.
const MAX_REPEATED: usize = 16;

/// The matches of the first comparison.
#[derive(Debug, Default)]
pub(super) struct Direct {
    /// For each call ALT, whether a listed truth ALT is the same change.
    pub calls: Vec<bool>,
    /// For each truth ALT, whether a call ALT is the same change.
    pub truths: Vec<bool>,
    /// For each call ALT, how many copies of its change the truth's genotypes have, at most two; `None` where a truth
    /// record gives no genotype, or where the truth has no such change.
    pub call_copies: Vec<Option<u8>>,
    /// For each call ALT, whether a truth record that has its change gives no genotype to compare.
    pub without_genotype: Vec<bool>,
    /// For each call record, the truth record with the same genotype; each is given away once.
    pub call_partner: Vec<Option<u32>>,
    /// The same seen from the truth.
    pub truth_partner: Vec<Option<u32>>,
}

impl Direct {
    /// The record of the other side that a record was given.
    pub(super) fn partner(&self, side: Side, site: u32) -> Option<(Side, u32)> {
        let (partners, other) = match side {
            Side::Calls => (&self.call_partner, Side::Truth),
            Side::Truth => (&self.truth_partner, Side::Calls),
        };
        partners[site as usize].map(|partner| (other, partner))
    }
}

/// Compares all ALTs of the two sides by their normal form.
pub(super) fn compare(calls: &Prepared, truths: &Prepared) -> Direct {
    let mut direct = Direct {
        calls: vec![false; calls.alleles.len()],
        truths: vec![false; truths.alleles.len()],
        call_copies: vec![None; calls.alleles.len()],
        without_genotype: vec![false; calls.alleles.len()],
        call_partner: vec![None; calls.len()],
        truth_partner: vec![None; truths.len()],
    };
    let call_order = by_change(calls, |_| true);
    let truth_order = by_change(truths, |allele| allele.listed);
    let mut rest = truth_order.as_slice();
    for call_group in
        call_order.chunk_by(|one, other| change(calls, one.1) == change(calls, other.1))
    {
        let Some(wanted) = call_group.first().map(|(_, index)| change(calls, *index)) else {
            continue;
        };
        let skipped = rest.partition_point(|(_, index)| change(truths, *index) < wanted);
        let found = rest[skipped..].partition_point(|(_, index)| change(truths, *index) == wanted);
        let truth_group = &rest[skipped..skipped + found];
        rest = &rest[skipped + found..];
        if truth_group.is_empty() {
            continue;
        }
        let without_genotype = truth_group
            .iter()
            .any(|(site, _)| truths.haplotypes(*site as usize).is_none());
        let copies = truth_group
            .iter()
            .filter_map(|(_, index)| truths.allele(*index as usize))
            .map(|allele| allele.copies)
            .fold(0, u8::saturating_add);
        for (_, index) in call_group {
            direct.calls[*index as usize] = true;
            direct.call_copies[*index as usize] = (!without_genotype).then_some(copies.min(2));
            direct.without_genotype[*index as usize] = without_genotype;
        }
        for (_, index) in truth_group {
            direct.truths[*index as usize] = true;
        }
        give_partners(calls, call_group, truths, truth_group, &mut direct);
    }
    direct
}

/// Of one change the records that have it on either side: gives each call record the first truth
/// record of the same genotype that is still free.
fn give_partners(
    calls: &Prepared,
    call_group: &[(u32, u32)],
    truths: &Prepared,
    truth_group: &[(u32, u32)],
    direct: &mut Direct,
) {
    let mut free: Vec<u32> = truth_group
        .iter()
        .map(|(site, _)| *site)
        .filter(|site| direct.truth_partner[*site as usize].is_none())
        .collect();
    for (call, _) in call_group {
        if direct.call_partner[*call as usize].is_some() {
            continue;
        }
        let partner = free
            .iter()
            .take(MAX_REPEATED)
            .position(|truth| same_genotype(calls, *call as usize, truths, *truth as usize));
        if let Some(at) = partner {
            let truth = free.remove(at);
            direct.call_partner[*call as usize] = Some(truth);
            direct.truth_partner[truth as usize] = Some(*call);
        }
    }
}

/// Record and ALT indices of one side, sorted by change, then by the place where it is spelled, so
/// that the order in which the records were given makes no difference.
fn by_change(side: &Prepared, takes_part: impl Fn(&Allele) -> bool) -> Vec<(u32, u32)> {
    let mut order: Vec<(u32, u32)> = (0..side.len())
        .flat_map(|site| {
            side.alleles_of(site)
                .map(move |(index, allele)| (site, index, allele))
        })
        .filter(|(_, _, allele)| takes_part(allele))
        .map(|(site, index, _)| (site as u32, index as u32))
        .collect();
    let key = |index: u32| side.allele(index as usize).map(|a| (&a.normal, &a.spelled));
    order.sort_by(|(_, one), (_, other)| key(*one).cmp(&key(*other)));
    order
}

/// The normal form of an ALT.
fn change(side: &Prepared, index: u32) -> Option<&Edit> {
    side.allele(index as usize).map(|allele| &allele.normal)
}

/// True where two records give the same changes the same number of copies.
fn same_genotype(calls: &Prepared, call: usize, truths: &Prepared, truth: usize) -> bool {
    let (Some(one), Some(other)) = (calls.haplotypes(call), truths.haplotypes(truth)) else {
        return false;
    };
    let [a, b] = one.map(|index| index.and_then(|index| change(calls, index)));
    let [c, d] = other.map(|index| index.and_then(|index| change(truths, index)));
    (a == c && b == d) || (a == d && b == c)
}
