//! The alleles that one read shows.

use crate::genome::{AlignedRead, CigarBlock, CigarOp, Edit, ReferenceBlock, Stretch};

use super::realign::{End, clipped_ends, gap_at_end};

/// A base that differs from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Substitution {
    /// 0-based position.
    pub at: u64,
    /// The read's base: A, C, G or T.
    pub base: u8,
}

/// A clipped end that continues behind no gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clip {
    /// True for the end of a read, false for its beginning.
    pub is_right: bool,
    /// 0-based position of the first base behind the alignment (right), or of its first base (left).
    pub at: u64,
    /// The clipped bases, as they stand in the file.
    pub bases: Vec<u8>,
}

/// What one read says about the reference it covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Observed {
    /// 0-based position of the first element of `qualities`.
    pub start: u64,
    /// Quality of the base over each position; 0 where there is none that counts.
    pub qualities: Vec<u8>,
    /// Substitutions, by position.
    pub substitutions: Vec<Substitution>,
    /// Insertions, deletions and replacements of other length, left-aligned.
    pub gaps: Vec<Edit>,
    /// Clipped ends that say nothing more.
    pub clips: Vec<Clip>,
}

impl Observed {
    /// The quality of the base over a position; 0 where there is none that counts.
    pub(super) fn quality(&self, at: u64) -> u8 {
        let index = at.checked_sub(self.start);
        let found = index.and_then(|index| self.qualities.get(index as usize));
        found.copied().unwrap_or(0)
    }

    /// One past the last position that is covered.
    pub(super) fn end(&self) -> u64 {
        self.start + self.qualities.len() as u64
    }
}

/// Looks at a read whose bases and qualities are as many as its CIGAR says; `None` for another, and for one that hangs over an
/// end of the contig.
pub(super) fn observe(
    read: &AlignedRead,
    reference: &ReferenceBlock,
    min_quality: u8,
) -> Option<Observed> {
    let length = usize::try_from(read.cigar.read_len()).ok()?;
    let start = u64::try_from(read.start).ok()?;
    if length == 0 || read.bases.len() != length || read.qualities.len() != length {
        return None;
    }
    let span = usize::try_from(read.cigar.reference_len()).ok()?;
    let mut observed = Observed {
        start,
        qualities: vec![0; span],
        ..Observed::default()
    };
    let blocks: Vec<CigarBlock> = read.cigar.blocks(read.start).collect();
    for block in blocks.iter().filter(|block| block.is_aligned()) {
        observed.add_aligned(read, block, reference, min_quality);
    }
    observed.add_gaps(read, &blocks, reference, min_quality);
    observed.add_ends(read, reference, min_quality);
    Some(observed)
}

impl Observed {
    fn add_aligned(
        &mut self,
        read: &AlignedRead,
        block: &CigarBlock,
        reference: &ReferenceBlock,
        min_quality: u8,
    ) {
        let at = block.position as u64;
        let expected = reference.slice(at..at + u64::from(block.count));
        // Outside of what is held nothing can be said: the block is cut where it begins or ends there.
        let held = reference.start().saturating_sub(at) as usize;
        let indices = block.read().skip(held);
        for ((index, expected), place) in indices.zip(expected).zip(at + held as u64..) {
            let (base, quality) = (read.bases[index], read.qualities[index]);
            if quality < min_quality || !is_base(base) {
                continue;
            }
            self.qualities[(place - self.start) as usize] = quality.max(1);
            if base != *expected && is_base(*expected) {
                self.substitutions.push(Substitution { at: place, base });
            }
        }
    }

    /// Insertions and deletions between aligned bases; those that touch are one change.
    fn add_gaps(
        &mut self,
        read: &AlignedRead,
        blocks: &[CigarBlock],
        reference: &ReferenceBlock,
        min_quality: u8,
    ) {
        let is_gap = |block: &CigarBlock| {
            matches!(
                block.op,
                CigarOp::Insertion | CigarOp::Deletion | CigarOp::Pad
            )
        };
        let mut at = 0;
        while at < blocks.len() {
            let count = blocks[at..]
                .iter()
                .take_while(|block| is_gap(block))
                .count();
            let run = &blocks[at..at + count];
            let before = at.checked_sub(1).map(|before| &blocks[before]);
            let behind = blocks.get(at + count);
            let is_inside = |block: Option<&CigarBlock>| block.is_some_and(CigarBlock::is_aligned);
            if count > 0 && is_inside(before) && is_inside(behind) {
                self.add_gap(read, run, reference, min_quality);
            }
            at += count.max(1);
        }
    }

    fn add_gap(
        &mut self,
        read: &AlignedRead,
        run: &[CigarBlock],
        reference: &ReferenceBlock,
        min_quality: u8,
    ) {
        let [first, ..] = run else { return };
        let deleted: u64 = (run.iter().filter(|block| block.op == CigarOp::Deletion))
            .map(|block| u64::from(block.count))
            .sum();
        let indices = run.iter().flat_map(CigarBlock::read);
        let (mut inserted, mut quality) = (Vec::new(), 0);
        for index in indices {
            inserted.push(read.bases[index]);
            quality += u32::from(read.qualities[index]);
        }
        let start = first.position as u64;
        let is_good = inserted.iter().all(|base| is_base(*base))
            && quality >= u32::from(min_quality) * inserted.len() as u32;
        let replaced = reference.slice(start..start + deleted);
        if is_good && replaced.len() as u64 == deleted {
            self.push_gap(Edit::trimmed(start, replaced, &inserted), reference);
        }
    }

    /// The ends of the read that no gap of the CIGAR explains.
    fn add_ends(&mut self, read: &AlignedRead, reference: &ReferenceBlock, min_quality: u8) {
        for end in clipped_ends(read, self, min_quality) {
            match gap_at_end(read, &end, reference) {
                Some(edit) => {
                    self.take_back(&end);
                    self.push_gap(Some(edit), reference);
                }
                None if end.is_clip => self.clips.push(end.into_clip(read)),
                None => {}
            }
        }
    }

    /// Differences in an end that is explained by a gap are none.
    fn take_back(&mut self, end: &End) {
        let is_kept = |at: u64| {
            if end.is_right {
                at < end.at
            } else {
                at >= end.at
            }
        };
        self.substitutions.retain(|found| is_kept(found.at));
        for (at, quality) in (self.start..).zip(&mut self.qualities) {
            if !is_kept(at) {
                *quality = 0;
            }
        }
    }

    fn push_gap(&mut self, edit: Option<Edit>, reference: &ReferenceBlock) {
        let Some(edit) = edit else { return };
        let edit = edit.left_aligned(&stretch(reference));
        if edit.is_indel() && !self.gaps.contains(&edit) {
            self.gaps.push(edit);
        }
    }
}

/// The reference that is held, for normalisation.
pub(super) fn stretch(reference: &ReferenceBlock) -> Stretch<'_> {
    Stretch {
        start: reference.start(),
        bases: reference.slice(reference.start()..u64::MAX),
    }
}

/// The place of a base among A, C, G and T.
pub(super) fn base_index(base: u8) -> Option<usize> {
    b"ACGT".iter().position(|known| *known == base)
}

/// Returns true for A, C, G and T.
pub(super) fn is_base(base: u8) -> bool {
    base_index(base).is_some()
}
