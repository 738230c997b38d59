//! The two comparisons put together: directly over the whole contig, then by haplotype where
//! something is left.

use std::collections::BTreeMap;
use std::ops::Range;

use super::direct::{self, Direct};
use super::haplotype::{Applied, Choice, Item, Side, TooManyStates, search};
use super::prepare::Prepared;
use super::{GAP, MAX_ALLELE_SEARCHES, MAX_SEARCHED, MAX_STATES, TIGHT_GAP};
use crate::genome::normalize::{Edit, ReferenceBases};

/// The matches found for the records of one side.
#[derive(Debug, Default)]
pub(super) struct FoundOnSide {
    /// For each ALT, whether the other side has it.
    pub real: Vec<bool>,
    /// For each ALT that the other side has in the same spelling, how many copies of it its genotypes have.
    pub copies: Vec<Option<u8>>,
    /// For each ALT, whether a record of the other side that has it gives no genotype to compare.
    pub without_genotype: Vec<bool>,
    /// For each ALT that is not `real`, whether its neighbourhood was given up.
    pub allele_given_up: Vec<bool>,
    /// For each record, whether the other side has its genotype.
    pub right: Vec<bool>,
    /// For each record that is not `right`, whether its neighbourhood was given up.
    pub genotype_given_up: Vec<bool>,
}

/// The matches found for both sides.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Calls and truth.
    pub sides: [FoundOnSide; 2],
    /// Clusters searched.
    pub compared: u64,
    /// Clusters in which some part was given up.
    pub given_up: u64,
}

/// One record on the way through the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    start: u64,
    end: u64,
    side: Side,
    site: u32,
}

/// Compares the two sides.
pub(super) fn compare<R: ReferenceBases + ?Sized>(
    calls: &Prepared,
    truths: &Prepared,
    reference: &R,
) -> Found {
    let direct = direct::compare(calls, truths);
    let mut found = Found {
        sides: [
            from_direct(calls, &direct.calls, &direct.call_partner),
            from_direct(truths, &direct.truths, &direct.truth_partner),
        ],
        ..Found::default()
    };
    found.sides[0].copies.clone_from(&direct.call_copies);
    found.sides[0]
        .without_genotype
        .clone_from(&direct.without_genotype);
    let compared = Compared {
        sides: [calls, truths],
        direct: &direct,
        reference,
    };
    let members = members([calls, truths]);
    for cluster in parts(&members, GAP) {
        compare_cluster(&members[cluster], &compared, &mut found);
    }
    found
}

fn from_direct(side: &Prepared, real: &[bool], partner: &[Option<u32>]) -> FoundOnSide {
    FoundOnSide {
        real: real.to_vec(),
        copies: vec![None; real.len()],
        without_genotype: vec![false; real.len()],
        allele_given_up: vec![false; real.len()],
        right: partner.iter().map(Option::is_some).collect(),
        genotype_given_up: vec![false; side.len()],
    }
}

/// The records of both sides that have a change short enough to search, sorted by place.
fn members(sides: [&Prepared; 2]) -> Vec<Member> {
    let mut members = Vec::with_capacity(sides[0].len() + sides[1].len());
    for (side, records) in [Side::Calls, Side::Truth].into_iter().zip(sides) {
        for site in 0..records.len() {
            let edits = || records.alleles_of(site).map(|(_, allele)| &allele.spelled);
            if !edits().all(is_searched) {
                continue;
            }
            if let (Some(start), Some(end)) =
                (edits().map(|e| e.start).min(), edits().map(Edit::end).max())
            {
                members.push(Member {
                    start,
                    end,
                    side,
                    site: site as u32,
                });
            }
        }
    }
    members.sort();
    members
}

fn is_searched(edit: &Edit) -> bool {
    edit.deleted <= MAX_SEARCHED && edit.inserted.len() as u64 <= MAX_SEARCHED
}

/// Ranges of members that lie less than `gap` bases apart.
fn parts(members: &[Member], gap: u64) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut from, mut reached) = (0, 0);
    for (at, member) in members.iter().enumerate() {
        if at > from && member.start >= reached + gap {
            parts.push(from..at);
            from = at;
        }
        reached = reached.max(member.end);
    }
    if from < members.len() {
        parts.push(from..members.len());
    }
    parts
}

/// Both sides, their direct matches and the reference.
struct Compared<'a, R: ?Sized> {
    sides: [&'a Prepared; 2],
    direct: &'a Direct,
    reference: &'a R,
}

/// Searches a cluster for genotypes, then for alleles, where both sides have something to find.
fn compare_cluster<R: ReferenceBases + ?Sized>(
    members: &[Member],
    compared: &Compared<'_, R>,
    found: &mut Found,
) {
    let mut searched = false;
    let mut given_up = false;
    if genotypes_are_left(members, compared, found) {
        searched = true;
        given_up |= in_parts(
            members,
            found,
            |part, found| search_genotypes(part, compared, found),
            |part, found| {
                for member in part {
                    let side = &mut found.sides[member.side as usize];
                    side.genotype_given_up[member.site as usize] =
                        !side.right[member.site as usize];
                }
            },
        );
    }
    for _ in 0..MAX_ALLELE_SEARCHES {
        if !alleles_are_left(members, compared, found) {
            break;
        }
        searched = true;
        let before = real_alleles(members, compared, found);
        given_up |= in_parts(
            members,
            found,
            |part, found| search_alleles(part, compared, found),
            |part, found| {
                for member in part {
                    for index in compared.sides[member.side as usize].of(member.site as usize) {
                        let side = &mut found.sides[member.side as usize];
                        side.allele_given_up[index] = !side.real[index];
                    }
                }
            },
        );
        if real_alleles(members, compared, found) == before {
            break;
        }
    }
    found.compared += u64::from(searched);
    found.given_up += u64::from(given_up);
}

/// Searches the members, or, where that is too much, their parts; what is still too much is given
/// up. Returns whether something was.
fn in_parts(
    members: &[Member],
    found: &mut Found,
    mut search: impl FnMut(&[Member], &mut Found) -> Result<(), TooManyStates>,
    mut give_up: impl FnMut(&[Member], &mut Found),
) -> bool {
    if search(members, found).is_ok() {
        return false;
    }
    let mut given_up = false;
    for part in parts(members, TIGHT_GAP) {
        if search(&members[part.clone()], found).is_err() {
            give_up(&members[part], found);
            given_up = true;
        }
    }
    given_up
}

/// True where both sides have a record that is not wholly matched.
fn on_both_sides(members: &[Member], is_left: impl Fn(&Member) -> bool) -> bool {
    [Side::Calls, Side::Truth].into_iter().all(|side| {
        let mut of_side = members.iter().filter(|member| member.side == side);
        of_side.any(&is_left)
    })
}

fn genotypes_are_left<R: ?Sized>(
    members: &[Member],
    compared: &Compared<'_, R>,
    found: &Found,
) -> bool {
    on_both_sides(members, |member| {
        let (side, site) = (member.side as usize, member.site as usize);
        !found.sides[side].right[site] && compared.sides[side].haplotypes(site).is_some()
    })
}

/// True where both sides have an ALT left that the other has not.
fn alleles_are_left<R: ?Sized>(
    members: &[Member],
    compared: &Compared<'_, R>,
    found: &Found,
) -> bool {
    on_both_sides(members, |member| {
        let side = member.side as usize;
        compared.sides[side]
            .alleles_of(member.site as usize)
            .any(|(index, allele)| {
                !found.sides[side].real[index] && (member.side == Side::Calls || allele.listed)
            })
    })
}

fn real_alleles<R: ?Sized>(members: &[Member], compared: &Compared<'_, R>, found: &Found) -> usize {
    members
        .iter()
        .flat_map(|member| {
            let real = &found.sides[member.side as usize].real;
            compared.sides[member.side as usize]
                .of(member.site as usize)
                .filter(|index| real[*index])
        })
        .count()
}

fn end_of(members: &[Member]) -> u64 {
    members.iter().map(|member| member.end).max().unwrap_or(0)
}

/// Finds the records of both sides that give the same two sequences. As many records as possible,
/// then as many as possible of those that the direct comparison left.
fn search_genotypes<R: ReferenceBases + ?Sized>(
    members: &[Member],
    compared: &Compared<'_, R>,
    found: &mut Found,
) -> Result<(), TooManyStates> {
    let mut items = Vec::new();
    let mut records: Vec<Member> = Vec::new();
    for member in members {
        let (side, site) = (member.side as usize, member.site as usize);
        let Some(haplotypes) = compared.sides[side].haplotypes(site) else {
            continue;
        };
        let [one, other] = haplotypes.map(|index| {
            index
                .and_then(|index| compared.sides[side].allele(index as usize))
                .map(|allele| &allele.spelled)
        });
        let gain = (1, u32::from(!found.sides[side].right[site]));
        let mut choices = vec![Choice {
            edits: [one, other],
            gain,
        }];
        if one != other {
            choices.push(Choice {
                edits: [other, one],
                gain,
            });
        }
        items.push(Item {
            side: member.side,
            start: member.start,
            choices,
        });
        records.push(*member);
    }
    let applied = search(
        &items,
        end_of(members),
        true,
        MAX_STATES,
        compared.reference,
    )?;
    let blocks: Vec<Vec<Member>> = blocks(&applied)
        .map(|block| block.iter().map(|applied| records[applied.item]).collect())
        .collect();
    for group in linked(&blocks, compared.direct) {
        let members = || group.iter().flat_map(|block| &blocks[*block]);
        let is_left = |side: Side| {
            let right = &found.sides[side as usize].right;
            members().any(|member| member.side == side && !right[member.site as usize])
        };
        if !(is_left(Side::Calls) && is_left(Side::Truth)) {
            continue;
        }
        for member in members() {
            let side = &mut found.sides[member.side as usize];
            side.right[member.site as usize] = true;
            let alleles = compared.sides[member.side as usize].alleles_of(member.site as usize);
            for (index, allele) in alleles {
                side.real[index] |= allele.copies > 0;
            }
        }
    }
    Ok(())
}

/// Groups of blocks, as indices, that hold the two records of a pair made by the direct comparison.
/// Of two records with one change the direct comparison may have paired the one that another block
/// needs, so such blocks stand or fall together.
fn linked(blocks: &[Vec<Member>], direct: &Direct) -> Vec<Vec<usize>> {
    let block_of: BTreeMap<(Side, u32), usize> = blocks
        .iter()
        .enumerate()
        .flat_map(|(at, block)| {
            block
                .iter()
                .map(move |member| ((member.side, member.site), at))
        })
        .collect();
    // Each block points to an earlier one of its group, or to itself.
    let mut earlier: Vec<usize> = (0..blocks.len()).collect();
    fn first(earlier: &mut [usize], mut at: usize) -> usize {
        while earlier[at] != at {
            earlier[at] = earlier[earlier[at]];
            at = earlier[at];
        }
        at
    }
    for ((side, site), at) in &block_of {
        let partner = direct
            .partner(*side, *site)
            .and_then(|partner| block_of.get(&partner));
        if let Some(other) = partner {
            let (one, other) = (first(&mut earlier, *at), first(&mut earlier, *other));
            earlier[one.max(other)] = one.min(other);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..blocks.len() {
        groups.entry(first(&mut earlier, at)).or_default().push(at);
    }
    groups.into_values().collect()
}

/// Finds ALTs of both sides that give the same one sequence. As many as possible of those that are
/// not known to be real, then as many as possible.
fn search_alleles<R: ReferenceBases + ?Sized>(
    members: &[Member],
    compared: &Compared<'_, R>,
    found: &mut Found,
) -> Result<(), TooManyStates> {
    let mut items = Vec::new();
    let mut alleles: Vec<(Side, u32, Vec<usize>)> = Vec::new();
    for member in members {
        let (side, site) = (member.side as usize, member.site as usize);
        let (indices, choices): (Vec<usize>, Vec<Choice<'_>>) = compared.sides[side]
            .alleles_of(site)
            .filter(|(_, allele)| member.side == Side::Calls || allele.listed)
            .map(|(index, allele)| {
                let gain = (u32::from(!found.sides[side].real[index]), 1);
                (
                    index,
                    Choice {
                        edits: [Some(&allele.spelled), None],
                        gain,
                    },
                )
            })
            .unzip();
        items.push(Item {
            side: member.side,
            start: member.start,
            choices,
        });
        alleles.push((member.side, member.site, indices));
    }
    let applied = search(
        &items,
        end_of(members),
        false,
        MAX_STATES,
        compared.reference,
    )?;
    for block in blocks(&applied) {
        let block: Vec<(Side, u32, usize)> = block
            .iter()
            .map(|applied| {
                let (side, site, indices) = &alleles[applied.item];
                (*side, *site, indices[applied.choice])
            })
            .collect();
        let is_left = |wanted: Side| {
            let real = &found.sides[wanted as usize].real;
            block
                .iter()
                .any(|(side, _, index)| *side == wanted && !real[*index])
        };
        if !(is_left(Side::Calls) && is_left(Side::Truth)) {
            continue;
        }
        let without_genotype = block.iter().any(|(side, site, _)| {
            *side == Side::Truth && compared.sides[1].haplotypes(*site as usize).is_none()
        });
        for (side, _, index) in block {
            let found = &mut found.sides[side as usize];
            found.real[index] = true;
            found.without_genotype[index] |= side == Side::Calls && without_genotype;
        }
    }
    Ok(())
}

/// The applied records, block by block.
fn blocks(applied: &[Applied]) -> impl Iterator<Item = &[Applied]> {
    applied.chunk_by(|_, next| !next.begins_block)
}
