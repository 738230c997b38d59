//! Insertions that no read spans: clipped ends of two piles of reads that meet in the inserted sequence.
//!
//! Reads from the left end in a pile of right clips, reads from the right begin with a pile of left clips. Each pile
//! has a consensus; where the two overlap, the haplotype goes from the reference through both back to the reference.

use std::collections::BTreeMap;

use super::LONGEST_GAP;
use super::observed::{Clip, base_index, is_base, stretch};
use crate::genome::{Edit, ReferenceBlock};

/// Fewest clips of a pile.
const CLIPS: usize = 2;
/// Fewest bases in which two piles overlap.
const OVERLAP: usize = 12;
/// Bases of the overlap for each difference that it may have.
const BASES_A_DIFFERENCE: usize = 15;
/// Farthest apart that two piles are joined, in bases: an insertion that repeats sequence beside it.
const APART: u64 = 40;
/// Longest consensus, in bases.
const LONGEST: usize = 150;

/// Clips of one side that begin at one place.
#[derive(Debug, Clone, Default)]
struct Pile {
    /// From the alignment outwards.
    clips: Vec<Vec<u8>>,
    /// How many of the reads lie on the forward and on the reverse strand.
    strands: [u32; 2],
}

/// The clips of a tile.
#[derive(Debug, Clone, Default)]
pub(super) struct Piles {
    right: BTreeMap<u64, Pile>,
    left: BTreeMap<u64, Pile>,
}

/// An insertion and how many reads end in it, by strand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meeting {
    pub edit: Edit,
    pub strands: [u32; 2],
}

impl Piles {
    pub(super) fn push(&mut self, clip: Clip, is_reverse: bool) {
        let mut bases = clip.bases;
        let side = if clip.is_right {
            &mut self.right
        } else {
            bases.reverse();
            &mut self.left
        };
        bases.truncate(LONGEST);
        let pile = side.entry(clip.at).or_default();
        pile.clips.push(bases);
        pile.strands[usize::from(is_reverse)] += 1;
    }

    /// The insertions in which piles meet, each once.
    pub(super) fn meetings(&self, reference: &ReferenceBlock) -> Vec<Meeting> {
        let mut found: Vec<Meeting> = Vec::new();
        let is_high = |(_, pile): &(&u64, &Pile)| pile.clips.len() >= CLIPS;
        for (at, right) in self.right.iter().filter(is_high) {
            let near = at.saturating_sub(APART)..=at + APART;
            for (behind, left) in self.left.range(near).filter(is_high) {
                let Some(edit) = joined(*at, right, *behind, left, reference) else {
                    continue;
                };
                let strands = [0, 1].map(|strand| right.strands[strand] + left.strands[strand]);
                match found.iter_mut().find(|meeting| meeting.edit == edit) {
                    // The same insertion from other places: the larger piles count.
                    Some(same) if same.strands.iter().sum::<u32>() >= strands.iter().sum() => {}
                    Some(same) => same.strands = strands,
                    None => found.push(Meeting { edit, strands }),
                }
            }
        }
        found
    }
}

/// The change between the reference up to `at` and from `behind` on.
fn joined(
    at: u64,
    right: &Pile,
    behind: u64,
    left: &Pile,
    reference: &ReferenceBlock,
) -> Option<Edit> {
    let tail = consensus(&right.clips);
    let mut head = consensus(&left.clips);
    head.reverse();
    let between = between(&tail, &head)?;
    // What lies between may repeat the reference, or take its place.
    let (replaced, alternate) = if behind >= at {
        (reference.slice(at..behind), between)
    } else {
        let repeated = reference.slice(behind..at);
        (&[][..], [&between, repeated].concat())
    };
    let edit = Edit::trimmed(at, replaced, &alternate)?.left_aligned(&stretch(reference));
    let is_short = edit.inserted.len() <= LONGEST_GAP && edit.deleted <= LONGEST_GAP as u64;
    let is_plain = edit.inserted.iter().all(|base| is_base(*base));
    (edit.is_indel() && is_short && is_plain).then_some(edit)
}

/// The most frequent base of each column that two clips reach; the first in the alphabet of those that are as frequent.
fn consensus(clips: &[Vec<u8>]) -> Vec<u8> {
    let mut bases = Vec::new();
    for column in 0..LONGEST {
        let mut counts = [0usize; 4];
        for base in clips.iter().filter_map(|clip| clip.get(column)) {
            if let Some(index) = base_index(*base) {
                counts[index] += 1;
            }
        }
        if counts.iter().sum::<usize>() < CLIPS {
            break;
        }
        let most = counts.iter().max().copied().unwrap_or(0);
        let index = counts.iter().position(|count| *count == most).unwrap_or(0);
        bases.push(b"ACGT"[index]);
    }
    bases
}

/// The sequence from the first base of `tail` to the last of `head`, where the two overlap in one way only.
fn between(tail: &[u8], head: &[u8]) -> Option<Vec<u8>> {
    let longest = (tail.len() + head.len()).min(LONGEST_GAP + APART as usize);
    let mut lengths = (OVERLAP..=longest).filter(|length| overlap(tail, head, *length));
    let (length, None) = (lengths.next()?, lengths.next()) else {
        return None;
    };
    let base = |at: usize| tail.get(at).or_else(|| head.get(at + head.len() - length));
    (0..length).map(base).map(|base| base.copied()).collect()
}

/// Returns true if the two agree where they overlap, when `head` ends `length` bases behind the first of `tail`.
fn overlap(tail: &[u8], head: &[u8], length: usize) -> bool {
    let (of_tail, of_head) = match length.checked_sub(head.len()) {
        Some(first) => (tail.get(first..).unwrap_or(&[]), head),
        None => (tail, &head[head.len() - length..]),
    };
    let pairs = || of_tail.iter().zip(of_head);
    let differences = pairs().filter(|(one, other)| one != other).count();
    let compared = pairs().count();
    compared >= OVERLAP && differences * BASES_A_DIFFERENCE <= compared
}
