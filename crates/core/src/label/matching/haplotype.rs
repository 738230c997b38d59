//! Which records, applied to the reference, give the same sequences on both sides.
//!
//! The records of calls and truth are taken in the order of their positions. Each is left out or
//! applied, in one of its choices. A state of the search holds, for one haplotype or for both, how
//! far either side's sequence has been written, and by which bases one is ahead of the other;
//! where these differ in a base, the state is given up. States that have come to the same point
//! go on alike, so only the best of them is kept, and outside repeats hardly more than one is left
//! behind each record. What is found is therefore the best of all combinations, as if all had been
//! tried. The idea of walking both sides at once is vcfeval's (Cleary et al. 2015,
//! doi:10.1101/023754).

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::genome::normalize::{Edit, ReferenceBases};

/// The two sides that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Calls = 0,
    Truth = 1,
}

/// One way to apply a record: a change, or none, for each haplotype.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub edits: [Option<&'a Edit>; 2],
    /// Its worth; sums are compared in this order.
    pub gain: (u32, u32),
}

/// One record.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub side: Side,
    /// Where its first change starts.
    pub start: u64,
    pub choices: Vec<Choice<'a>>,
}

/// A record that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Applied {
    pub item: usize,
    pub choice: usize,
    /// The sides were level when it was applied: it begins a block, and the records of a
    /// block together give the same sequences on both sides.
    pub begins_block: bool,
}

/// More states than allowed were alive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyStates;

/// One haplotype, as far as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Haplotype {
    /// Reference position up to which each side is written.
    written: [u64; 2],
    /// The side that is ahead, where `surplus` is not empty.
    ahead: Side,
    /// The bases by which it is ahead.
    surplus: VecDeque<u8>,
    /// A change of either side was applied since the sides were last level.
    changed: [bool; 2],
}

impl Haplotype {
    fn new(start: u64) -> Self {
        Self {
            written: [start; 2],
            ahead: Side::Calls,
            surplus: VecDeque::new(),
            changed: [false; 2],
        }
    }

    fn is_level(&self) -> bool {
        self.surplus.is_empty() && self.written[0] == self.written[1]
    }

    /// Writes one base; false where the sides now differ.
    fn write(&mut self, side: Side, base: u8) -> bool {
        if self.ahead == side || self.surplus.is_empty() {
            self.ahead = side;
            self.surplus.push_back(base);
            true
        } else {
            self.surplus.pop_front() == Some(base)
        }
    }

    /// Writes reference bases up to a position.
    fn write_reference<R: ReferenceBases + ?Sized>(
        &mut self,
        side: Side,
        to: u64,
        reference: &R,
    ) -> bool {
        let from = self.written[side as usize];
        self.written[side as usize] = from.max(to);
        (from..to).all(|position| {
            reference
                .base(position)
                .is_some_and(|base| self.write(side, base.to_ascii_uppercase()))
        })
    }

    /// Brings both sides up to a position; false where they differ.
    fn advance<R: ReferenceBases + ?Sized>(&mut self, to: u64, reference: &R) -> bool {
        if self.is_level() {
            self.written = [self.written[0].max(to); 2];
            return true;
        }
        // The side that is behind goes first, so that a difference shows before anything is stored.
        let order = match self.ahead {
            Side::Calls => [Side::Truth, Side::Calls],
            Side::Truth => [Side::Calls, Side::Truth],
        };
        order
            .into_iter()
            .all(|side| self.write_reference(side, to, reference))
            && self.settle()
    }

    /// Applies a change; false where it overlaps an earlier one, or the sides differ.
    fn apply<R: ReferenceBases + ?Sized>(
        &mut self,
        side: Side,
        edit: &Edit,
        reference: &R,
    ) -> bool {
        if edit.start < self.written[side as usize] {
            return false;
        }
        self.changed[side as usize] = true;
        let same = self.write_reference(side, edit.start, reference)
            && edit.inserted.iter().all(|base| self.write(side, *base));
        self.written[side as usize] = edit.end();
        same && self.settle()
    }

    /// Where the sides are level, both must have changed since they last were, or neither: changes
    /// of one side that cancel each other (an insertion taken back by a deletion) prove nothing.
    fn settle(&mut self) -> bool {
        if !self.is_level() {
            return true;
        }
        let [calls, truth] = std::mem::take(&mut self.changed);
        calls == truth
    }
}

/// A state of the search.
#[derive(Debug, Clone)]
struct State {
    haplotypes: [Haplotype; 2],
    gain: (u32, u32),
    /// The last record applied, in the list of steps.
    last_step: Option<u32>,
}

impl State {
    fn is_level(&self) -> bool {
        self.haplotypes.iter().all(Haplotype::is_level)
    }

    fn advance<R: ReferenceBases + ?Sized>(&mut self, to: u64, reference: &R) -> bool {
        self.haplotypes
            .iter_mut()
            .all(|haplotype| haplotype.advance(to, reference))
    }

    fn apply<R: ReferenceBases + ?Sized>(
        &self,
        side: Side,
        choice: &Choice<'_>,
        reference: &R,
    ) -> Option<State> {
        let mut next = self.clone();
        for (haplotype, edit) in next.haplotypes.iter_mut().zip(choice.edits) {
            if !edit.is_none_or(|edit| haplotype.apply(side, edit, reference)) {
                return None;
            }
        }
        next.gain.0 += choice.gain.0;
        next.gain.1 += choice.gain.1;
        Some(next)
    }
}

/// One step of the way to a state.
struct Step {
    before: Option<u32>,
    applied: Applied,
}

/// Finds the combination of choices that makes the two sides equal and is worth most; of several,
/// the one that leaves out the later records, in the order of `items`.
///
/// `items` are sorted by start; `end` lies behind all their changes. `two_haplotypes`: choices speak
/// of two haplotypes whose order means nothing, not of the first one only.
///
/// # Errors
/// [`TooManyStates`] when more than `limit` states are alive behind a record.
pub(super) fn search<R: ReferenceBases + ?Sized>(
    items: &[Item<'_>],
    end: u64,
    two_haplotypes: bool,
    limit: usize,
    reference: &R,
) -> Result<Vec<Applied>, TooManyStates> {
    let start = items.first().map_or(0, |item| item.start);
    let mut steps: Vec<Step> = Vec::new();
    let mut states = vec![State {
        haplotypes: [Haplotype::new(start), Haplotype::new(start)],
        gain: (0, 0),
        last_step: None,
    }];
    for (index, item) in items.iter().enumerate() {
        let mut next = Vec::with_capacity(2 * states.len());
        for mut state in states {
            if !state.advance(item.start, reference) {
                continue;
            }
            for (choice_index, choice) in item.choices.iter().enumerate() {
                if let Some(mut applied) = state.apply(item.side, choice, reference) {
                    steps.push(Step {
                        before: state.last_step,
                        applied: Applied {
                            item: index,
                            choice: choice_index,
                            begins_block: state.is_level(),
                        },
                    });
                    applied.last_step = Some(steps.len() as u32 - 1);
                    next.push(applied);
                }
            }
            next.push(state);
        }
        states = keep_best(next, two_haplotypes);
        if states.len() > limit {
            return Err(TooManyStates);
        }
    }
    let best = states
        .into_iter()
        .filter_map(|mut state| {
            (state.advance(end, reference) && state.is_level()).then_some(state)
        })
        .min_by_key(|state| Reverse(state.gain));
    let mut way = Vec::new();
    let mut step = best.and_then(|state| state.last_step);
    while let Some(at) = step {
        way.push(steps[at as usize].applied);
        step = steps[at as usize].before;
    }
    way.reverse();
    Ok(way)
}

/// Of the states that have come to the same point, keeps the one that is worth most.
fn keep_best(mut states: Vec<State>, two_haplotypes: bool) -> Vec<State> {
    if two_haplotypes {
        states
            .iter_mut()
            .for_each(|state| state.haplotypes.sort_unstable());
    }
    // Stable, so that of equals the one found first stays.
    states.sort_by(|a, b| a.haplotypes.cmp(&b.haplotypes).then(b.gain.cmp(&a.gain)));
    states.dedup_by(|later, earlier| later.haplotypes == earlier.haplotypes);
    states
}
