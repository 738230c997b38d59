//! Ends of reads that continue behind one gap.
//!
//! An aligner clips the end of a read, or lays it over the reference with many differences, where an insertion or deletion is
//! near that end. The end is laid over the reference once more, behind each gap of up to [`LONGEST_GAP`] bases and
//! with each place of the gap within [`FLANK`] bases of where it begins.

use std::ops::Range;

use super::LONGEST_GAP;
use super::observed::{Clip, Observed};
use crate::genome::{AlignedRead, CigarOp, Edit, ReferenceBlock};

/// Aligned bases in front of the end among which the gap may lie.
const FLANK: usize = 20;
/// Fewest bases behind the gap. By chance 12 bases fit one place in 16 million.
const ANCHOR: usize = 12;
/// Bases behind the gap for each further difference that they may have.
const BASES_A_DIFFERENCE: usize = 20;
/// Shortest clip that is looked at.
const SHORTEST_CLIP: usize = 8;
/// An end of this many aligned bases is doubtful ...
const DOUBTFUL_END: u64 = 25;
/// ... with this many differences.
const DOUBTFUL_DIFFERENCES: usize = 3;

/// An end of a read whose alignment is doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// True for the last bases of the read, false for the first.
    pub is_right: bool,
    /// True where the aligner clipped it.
    pub is_clip: bool,
    /// 0-based position where it begins (right), or of the first base behind it (left).
    pub at: u64,
    /// Its bases in the read.
    pub bases: Range<usize>,
}

impl End {
    pub(super) fn into_clip(self, read: &AlignedRead) -> Clip {
        Clip {
            is_right: self.is_right,
            at: self.at,
            bases: read.bases[self.bases].to_vec(),
        }
    }
}

/// The ends of a read that are clipped or differ at several bases; outermost bases of low quality are left out.
pub(super) fn clipped_ends(read: &AlignedRead, observed: &Observed, min_quality: u8) -> Vec<End> {
    let is_low = |index: &usize| read.qualities[*index] < min_quality;
    let mut ends = Vec::new();
    for is_right in [false, true] {
        let Some(mut end) = clip(read, is_right).or_else(|| doubtful(read, observed, is_right))
        else {
            continue;
        };
        if is_right {
            end.bases.end -= end.bases.clone().rev().take_while(is_low).count();
        } else {
            end.bases.start += end.bases.clone().take_while(is_low).count();
        }
        if end.bases.len() >= SHORTEST_CLIP {
            ends.push(end);
        }
    }
    ends
}

/// The soft clip at an end.
fn clip(read: &AlignedRead, is_right: bool) -> Option<End> {
    let mut blocks: Vec<_> = read.cigar.blocks(read.start).collect();
    if is_right {
        blocks.reverse();
    }
    let outer = blocks.iter().find(|block| block.op != CigarOp::HardClip)?;
    (outer.op == CigarOp::SoftClip).then(|| End {
        is_right,
        is_clip: true,
        at: outer.position as u64,
        bases: outer.read(),
    })
}

/// The aligned bases from the innermost difference on, where the outermost bases differ at several places.
fn doubtful(read: &AlignedRead, observed: &Observed, is_right: bool) -> Option<End> {
    let covered = observed.start..observed.end();
    let outer = if is_right {
        covered.end.saturating_sub(DOUBTFUL_END)..covered.end
    } else {
        covered.start..covered.start + DOUBTFUL_END
    };
    let mut places = observed.substitutions.iter().map(|found| found.at);
    let within: Vec<u64> = places.by_ref().filter(|at| outer.contains(at)).collect();
    if within.len() < DOUBTFUL_DIFFERENCES {
        return None;
    }
    let at = if is_right {
        *within.first()?
    } else {
        within.last()? + 1
    };
    let blocks = read.cigar.blocks(read.start);
    let mut aligned = blocks.filter(|block| block.is_aligned());
    let place = if is_right { at } else { at - 1 } as i64;
    let block = aligned.find(|block| block.reference().contains(&place))?;
    // Only where no other operation follows up to the end of the read.
    let index = block.read_index(place);
    let bases = if is_right {
        (block.read().end == read.bases.len()).then_some(index..read.bases.len())?
    } else {
        (block.at == 0).then_some(0..index + 1)?
    };
    Some(End {
        is_right,
        is_clip: false,
        at,
        bases,
    })
}

/// The gap behind which an end fits the reference; `None` where there is none, or several fit as well.
pub(super) fn gap_at_end(
    read: &AlignedRead,
    end: &End,
    reference: &ReferenceBlock,
) -> Option<Edit> {
    let reach = (FLANK + end.bases.len() + LONGEST_GAP) as u64;
    if end.is_right {
        let flank = aligned_before(read, end)?;
        let from = end.at.checked_sub(flank as u64)?;
        let sequence = &read.bases[end.bases.start - flank..end.bases.end];
        let found = best_gap(sequence, flank, reference.slice(from..end.at + reach))?;
        let start = from + found.at as u64;
        Some(found.edit(start, sequence[found.at..].iter().copied()))
    } else {
        let flank = aligned_behind(read, end)?;
        let to = end.at + flank as u64;
        let mut sequence = read.bases[end.bases.start..end.bases.end + flank].to_vec();
        sequence.reverse();
        let mut bases = reference.slice(end.at.saturating_sub(reach)..to).to_vec();
        bases.reverse();
        let found = best_gap(&sequence, flank, &bases)?;
        let behind = to - found.at as u64;
        let start = behind - found.deleted as u64;
        let mut edit = found.edit(start, sequence[found.at..].iter().copied());
        edit.inserted.reverse();
        Some(edit)
    }
}

/// How many of up to [`FLANK`] bases in front of a right end are aligned without a gap.
fn aligned_before(read: &AlignedRead, end: &End) -> Option<usize> {
    let blocks = read.cigar.blocks(read.start);
    let mut aligned = blocks.filter(|block| block.is_aligned());
    let block = aligned.find(|block| {
        let covered = block.reference();
        covered.contains(&(end.at as i64 - 1))
    })?;
    Some(FLANK.min((end.at as i64 - block.position) as usize))
}

/// How many of up to [`FLANK`] bases behind a left end are aligned without a gap.
fn aligned_behind(read: &AlignedRead, end: &End) -> Option<usize> {
    let blocks = read.cigar.blocks(read.start);
    let mut aligned = blocks.filter(|block| block.is_aligned());
    let block = aligned.find(|block| block.reference().contains(&(end.at as i64)))?;
    Some(FLANK.min((block.reference().end - end.at as i64) as usize))
}

/// A gap in a sequence that is laid over the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    /// Bases in front of it.
    at: usize,
    deleted: usize,
    inserted: usize,
}

impl Gap {
    fn edit(self, start: u64, sequence: impl Iterator<Item = u8>) -> Edit {
        Edit {
            start,
            deleted: self.deleted as u64,
            inserted: sequence.take(self.inserted).collect(),
        }
    }
}

/// The gap with which `sequence` fits `reference` best, where both begin together; it begins within the first `flank` bases or
/// right behind them. `None` where no gap fits well, or gaps of two lengths fit about as well.
fn best_gap(sequence: &[u8], flank: usize, reference: &[u8]) -> Option<Gap> {
    let before = differences_before(sequence, reference, flank);
    let mut best: Option<(usize, Gap)> = None;
    let mut second = usize::MAX;
    for length in 1..=LONGEST_GAP {
        for (deleted, inserted) in [(length, 0), (0, length)] {
            let Some((differences, at)) =
                place_gap(sequence, reference, &before, deleted, inserted)
            else {
                continue;
            };
            let gap = Gap {
                at,
                deleted,
                inserted,
            };
            match &best {
                Some((least, _)) if differences >= *least => second = second.min(differences),
                _ => {
                    second = best.map_or(second, |(least, _)| second.min(least));
                    best = Some((differences, gap));
                }
            }
        }
    }
    let (differences, gap) = best?;
    let anchored = sequence.len() - gap.at - gap.inserted;
    (anchored >= ANCHOR
        && differences <= anchored / BASES_A_DIFFERENCE
        && second >= differences + 2)
        .then_some(gap)
}

/// Differences of the first 0 to `flank` bases, without a gap.
fn differences_before(sequence: &[u8], reference: &[u8], flank: usize) -> Vec<usize> {
    let mut before = vec![0];
    for (base, expected) in sequence.iter().zip(reference).take(flank) {
        let last = before.last().copied().unwrap_or(0);
        before.push(last + usize::from(base != expected));
    }
    before
}

/// The fewest differences with a gap of these lengths, and the first place of the gap with so many. `None` where too few bases are
/// left behind it.
fn place_gap(
    sequence: &[u8],
    reference: &[u8],
    before: &[usize],
    deleted: usize,
    inserted: usize,
) -> Option<(usize, usize)> {
    let last = (sequence.len().checked_sub(inserted + ANCHOR)?).min(before.len() - 1);
    // From the end of the sequence to the earliest place: differences behind the gap.
    let mut behind = 0;
    let mut best: Option<(usize, usize)> = None;
    for at in (0..sequence.len() - inserted).rev() {
        behind += usize::from(reference.get(at + deleted) != Some(&sequence[at + inserted]));
        if at <= last {
            let differences = before[at] + behind;
            if best.is_none_or(|(least, _)| differences <= least) {
                best = Some((differences, at));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &[u8] =
        b"TTGACGTAACCTGATTCGGATACCAGTTCGAATGCACCTTAGGCATCGATCCGTTAAGCTTGACCATGGCAATTCGTACCGGATCCTAGA";

    #[test]
    fn an_end_behind_a_deletion_is_found() {
        let sequence = [&REFERENCE[..20], &REFERENCE[33..60]].concat();
        let found = best_gap(&sequence, 20, REFERENCE).unwrap();
        assert_eq!((found.deleted, found.inserted), (13, 0));
        assert_eq!(
            [&REFERENCE[..found.at], &REFERENCE[found.at + 13..]].concat()[..sequence.len()],
            sequence
        );
    }

    #[test]
    fn an_end_behind_an_insertion_is_found() {
        let sequence = [&REFERENCE[..15], b"GGGCCCAAAT", &REFERENCE[15..40]].concat();
        let found = best_gap(&sequence, 15, REFERENCE).unwrap();
        assert_eq!((found.deleted, found.inserted), (0, 10));
    }

    #[test]
    fn what_fits_nothing_or_several_gaps_is_left_alone() {
        let random = [&REFERENCE[..20], b"CTCTGAGAGTGTGTCCCCACAGAG"].concat();
        assert_eq!(best_gap(&random, 20, REFERENCE), None);
        let repeat = b"ACGTTGCAACGTTGCATGCACACACACACACACACACACACACACACACACACACACACACACACACA";
        let sequence = [&repeat[..18], b"CACACACACACACACACACA"].concat();
        assert_eq!(best_gap(&sequence, 18, repeat), None);
    }
}
