//! Random records on tiny contigs.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::haplotype::{Choice, Item, Side, search};
use super::*;
use crate::genome::normalize::Edit;

/// A contig of two letters, so that repeats abound.
fn contig() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"AC"[..]), 8..16)
}

/// Place, bases replaced, bases put there, and which haplotypes carry it.
type Change = (usize, usize, Vec<u8>, [bool; 2]);

fn change() -> impl Strategy<Value = Change> {
    (
        0usize..15,
        0usize..3,
        prop::collection::vec(prop::sample::select(&b"AC"[..]), 0..3),
        prop::sample::select(vec![[true, false], [false, true], [true, true]]),
    )
}

/// Changes that do not touch each other, sorted, with a base free before each.
fn apart(reference: &[u8], mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort();
    let mut free = 1;
    changes.retain(|(start, deleted, inserted, _)| {
        let fits = *start >= free
            && start + deleted < reference.len()
            && reference[*start..start + deleted] != **inserted;
        if fits {
            free = start + deleted + 1;
        }
        fits
    });
    changes
}

/// Changes that lie on the contig and may overlap each other, with a base in front of each.
fn on_contig(reference: &[u8], mut changes: Vec<Change>) -> Vec<Change> {
    changes.retain(|(start, deleted, inserted, _)| {
        *start >= 1
            && start + deleted < reference.len()
            && reference[*start..start + deleted] != **inserted
    });
    changes
}

/// A change as a record with the base in front of it, and `more` bases behind it.
fn record(reference: &[u8], (start, deleted, inserted, on): &Change, more: usize) -> Site {
    let from = start - 1;
    let behind = (start + deleted + more).min(reference.len());
    let tail = &reference[start + deleted..behind];
    Site {
        start: from as u64,
        reference: reference[from..behind].to_vec(),
        alternates: vec![[&reference[from..=from], inserted, tail].concat()],
        genotype: on.iter().map(|carried| Some(u16::from(*carried))).collect(),
    }
}

/// Neighbouring changes put into one record that spells out both haplotypes.
fn merged(reference: &[u8], changes: &[Change]) -> Option<Site> {
    let (first, last) = (changes.first()?, changes.last()?);
    let (from, to) = (first.0 - 1, last.0 + last.1);
    let haplotype = |which: usize| {
        let mut sequence = Vec::new();
        let mut at = from;
        for (start, deleted, inserted, on) in changes {
            if on[which] {
                sequence.extend_from_slice(&reference[at..*start]);
                sequence.extend_from_slice(inserted);
                at = start + deleted;
            }
        }
        sequence.extend_from_slice(&reference[at..to]);
        sequence
    };
    let reference_allele = reference[from..to].to_vec();
    let mut alternates: Vec<Vec<u8>> = Vec::new();
    let genotype = (0..2)
        .map(|which| {
            let sequence = haplotype(which);
            if sequence == reference_allele {
                return Some(0);
            }
            let at = alternates
                .iter()
                .position(|known| *known == sequence)
                .unwrap_or_else(|| {
                    alternates.push(sequence);
                    alternates.len() - 1
                });
            Some(at as u16 + 1)
        })
        .collect();
    (!alternates.is_empty()).then_some(Site {
        start: from as u64,
        reference: reference_allele,
        alternates,
        genotype,
    })
}

fn all_right(judgement: &Judgement) -> bool {
    (0..judgement.len()).all(|site| {
        judgement.genotype(site) == GenotypeState::Right
            && judgement
                .alternates(site)
                .iter()
                .all(|state| *state == AltState::AlleleAndGenotype)
    })
}

/// The sequences of the haplotypes with the given choices applied, or nothing where two overlap.
fn sequences(
    reference: &[u8],
    items: &[Item<'_>],
    side: Side,
    chosen: &[Option<usize>],
) -> Option<[Vec<u8>; 2]> {
    let mut result = [Vec::new(), Vec::new()];
    for (which, sequence) in result.iter_mut().enumerate() {
        let mut at = 0;
        for (item, choice) in items
            .iter()
            .zip(chosen)
            .filter(|(item, _)| item.side == side)
        {
            let Some(edit) = choice.and_then(|choice| item.choices[choice].edits[which]) else {
                continue;
            };
            let start = edit.start as usize;
            if start < at {
                return None;
            }
            sequence.extend_from_slice(&reference[at..start]);
            sequence.extend_from_slice(&edit.inserted);
            at = edit.end() as usize;
        }
        sequence.extend_from_slice(&reference[at..]);
    }
    Some(result)
}

/// True where the combination leaves both sides with the same sequences, in either order.
fn agree(reference: &[u8], items: &[Item<'_>], chosen: &[Option<usize>]) -> bool {
    let calls = sequences(reference, items, Side::Calls, chosen);
    let truth = sequences(reference, items, Side::Truth, chosen);
    match (calls, truth) {
        (Some(calls), Some([one, other])) => {
            calls == [one.clone(), other.clone()] || calls == [other, one]
        }
        _ => false,
    }
}

/// Every combination of leaving records out and applying them in one of their choices.
fn combinations(items: &[Item<'_>]) -> Vec<Vec<Option<usize>>> {
    let mut all = vec![Vec::new()];
    for item in items {
        all = all
            .into_iter()
            .flat_map(|chosen| {
                std::iter::once(None)
                    .chain((0..item.choices.len()).map(Some))
                    .map(move |choice| {
                        let mut next = chosen.clone();
                        next.push(choice);
                        next
                    })
            })
            .collect();
    }
    all
}

/// True where some records of one side alone leave the reference as it is on a haplotype.
fn cancels(reference: &[u8], items: &[Item<'_>], chosen: &[Option<usize>]) -> bool {
    let applied: Vec<usize> = (0..items.len())
        .filter(|item| chosen[*item].is_some())
        .collect();
    [Side::Calls, Side::Truth].into_iter().any(|side| {
        let of_side: Vec<usize> = applied
            .iter()
            .copied()
            .filter(|item| items[*item].side == side)
            .collect();
        (1u32..1 << of_side.len()).any(|subset| {
            let mut only = vec![None; items.len()];
            for (bit, item) in of_side.iter().enumerate() {
                if subset >> bit & 1 == 1 {
                    only[*item] = chosen[*item];
                }
            }
            sequences(reference, items, side, &only).is_some_and(|both| {
                (0..2).any(|which| {
                    let touched = only.iter().zip(items).any(|(choice, item)| {
                        choice.is_some_and(|choice| item.choices[choice].edits[which].is_some())
                    });
                    touched && both[which] == reference
                })
            })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_call_set_equal_to_the_truth_is_all_right(
        reference in contig(),
        changes in prop::collection::vec(change(), 0..6),
        more in prop::collection::vec(0usize..3, 6),
    ) {
        let changes = apart(&reference, changes);
        let truths: Vec<Site> = changes.iter().map(|c| record(&reference, c, 0)).collect();
        // The calls spell the same changes with bases behind them, and swap the haplotypes.
        let calls: Vec<Site> = changes
            .iter()
            .zip(&more)
            .map(|(c, more)| {
                let mut site = record(&reference, c, *more);
                site.genotype.reverse();
                site
            })
            .collect();
        let options = MatchOptions { judge_without_truth: true };
        let result = judge(&calls, &truths, None, reference.as_slice(), options);
        prop_assert!(all_right(&result.calls) && all_right(&result.truths), "{:?}", result);
    }

    #[test]
    fn spelling_makes_no_difference(
        reference in contig(),
        changes in prop::collection::vec(change(), 1..6),
        cut in 1usize..4,
    ) {
        let changes = apart(&reference, changes);
        let truths: Vec<Site> = changes.iter().map(|c| record(&reference, c, 0)).collect();
        // Where some changes of a haplotype make no difference beside the others, the truth can be
        // told without them, and their records are rightly called false.
        let cancelling = (0..2).any(|which| {
            let carried: Vec<&Change> = changes.iter().filter(|change| change.3[which]).collect();
            let sequences: BTreeSet<Vec<u8>> = (0usize..1 << carried.len())
                .map(|subset| {
                    let mut sequence = reference.clone();
                    for (at, (start, deleted, inserted, _)) in carried.iter().enumerate().rev() {
                        if subset >> at & 1 == 1 {
                            sequence.splice(*start..start + deleted, inserted.iter().copied());
                        }
                    }
                    sequence
                })
                .collect();
            sequences.len() < 1 << carried.len()
        });
        prop_assume!(!cancelling);
        let calls: Vec<Site> =
            changes.chunks(cut).filter_map(|some| merged(&reference, some)).collect();
        let options = MatchOptions { judge_without_truth: true };
        let one = judge(&calls, &truths, None, reference.as_slice(), options);
        prop_assert!(all_right(&one.calls) && all_right(&one.truths), "{:?} {:?} {:?}", calls, truths, one);
        let other = judge(&truths, &calls, None, reference.as_slice(), options);
        prop_assert!(all_right(&other.calls) && all_right(&other.truths));
    }

    #[test]
    fn the_search_finds_what_trying_everything_finds(
        reference in contig(),
        calls in prop::collection::vec(change(), 0..4),
        truths in prop::collection::vec(change(), 0..4),
    ) {
        let sides = [(Side::Calls, on_contig(&reference, calls)), (Side::Truth, on_contig(&reference, truths))];
        let mut edits: Vec<(Side, Edit, bool)> = Vec::new();
        for (side, changes) in &sides {
            for c in changes {
                let site = record(&reference, c, 0);
                let edit = Edit::trimmed(site.start, &site.reference, &site.alternates[0]).unwrap();
                edits.push((*side, edit, c.3 == [true, true]));
            }
        }
        edits.sort_by_key(|(side, edit, _)| (edit.start, edit.end(), *side));
        let gain = (1, 0);
        let items: Vec<Item<'_>> = edits
            .iter()
            .map(|(side, edit, hom)| Item {
                side: *side,
                start: edit.start,
                choices: if *hom {
                    vec![Choice { edits: [Some(edit), Some(edit)], gain }]
                } else {
                    vec![
                        Choice { edits: [Some(edit), None], gain },
                        Choice { edits: [None, Some(edit)], gain },
                    ]
                },
            })
            .collect();
        let end = edits.iter().map(|(_, edit, _)| edit.end()).max().unwrap_or(0);
        let found = search(&items, end, true, 1_000, reference.as_slice()).unwrap();
        let size = |chosen: &[Option<usize>]| chosen.iter().flatten().count();

        // What is found is a combination that leaves the same sequences; which haplotype is the
        // first one may change on the way, so any choice of orientations may show it.
        let applied: Vec<usize> = found.iter().map(|applied| applied.item).collect();
        let agreeing: Vec<Vec<Option<usize>>> = combinations(&items)
            .into_iter()
            .filter(|chosen| agree(&reference, &items, chosen))
            .collect();
        let is_one_of_them = agreeing.iter().any(|chosen| {
            (0..items.len()).all(|item| chosen[item].is_some() == applied.contains(&item))
        });
        prop_assert!(is_one_of_them);

        // Nothing larger is missed, but for combinations in which something cancels itself.
        let best_plain = agreeing
            .iter()
            .filter(|chosen| !cancels(&reference, &items, chosen))
            .map(|chosen| size(chosen))
            .max()
            .unwrap_or(0);
        prop_assert!(applied.len() >= best_plain, "{} < {}", applied.len(), best_plain);
    }

    #[test]
    fn the_order_of_the_records_makes_no_difference(
        reference in contig(),
        calls in prop::collection::vec(change(), 0..5),
        truths in prop::collection::vec(change(), 1..5),
    ) {
        let sites = |changes: Vec<Change>| -> Vec<Site> {
            apart(&reference, changes).iter().map(|c| record(&reference, c, 0)).collect()
        };
        let (calls, truths) = (sites(calls), sites(truths));
        let reversed = |sites: &[Site]| sites.iter().rev().cloned().collect::<Vec<_>>();
        let options = MatchOptions::default();
        let one = judge(&calls, &truths, None, reference.as_slice(), options);
        let other =
            judge(&reversed(&calls), &reversed(&truths), None, reference.as_slice(), options);
        for site in 0..calls.len() {
            prop_assert_eq!(one.calls.alternates(site), other.calls.alternates(calls.len() - 1 - site));
        }
        prop_assert_eq!(one.truth_counts, other.truth_counts);
    }
}
