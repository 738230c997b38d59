//! One read as numbers.
//!
//! [`ALL`] has one entry a number: its name, its unit, how it is computed and read back, and what a
//! change of strands makes of it. A model's card lists the numbers that its network takes, by name
//! and in its order; a new entry changes no existing model.

use super::support::{Haplotypes, Side, Support, aligned_bases};
use crate::encode::topic::Topic;
use crate::genome::{AlignedRead, CigarOp, ReferenceBlock};

/// One number of a read.
#[derive(Debug)]
pub struct ReadFeature {
    /// Its name in a model's card.
    pub name: &'static str,
    /// Its unit and scale.
    pub unit: &'static str,
    /// The aspect of the call that it tells of.
    pub topic: Topic,
    pub(super) value: fn(&ReadFeatures) -> f32,
    strand_flip: StrandFlip,
    restoring: Restoring,
}

/// Effect on a number when everything changes strands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrandFlip {
    /// It stays.
    Keeps,
    /// It is 0 or 1 and becomes the other.
    Inverts,
}

/// How a number is put back into a [`ReadFeatures`], from which numbers of the call are counted anew
/// when reads are taken away.
#[derive(Debug, Clone, Copy)]
enum Restoring {
    /// No number of a call is counted from it, or [`ReadFeatures::support`] tells it already.
    NotCounted,
    /// Numbers of the call are counted from it.
    Counted(fn(&mut ReadFeatures, f32)),
}

impl ReadFeature {
    const fn new(
        name: &'static str,
        unit: &'static str,
        topic: Topic,
        value: fn(&ReadFeatures) -> f32,
    ) -> Self {
        Self {
            name,
            unit,
            topic,
            value,
            strand_flip: StrandFlip::Keeps,
            restoring: Restoring::NotCounted,
        }
    }

    const fn counted(mut self, restore: fn(&mut ReadFeatures, f32)) -> Self {
        self.restoring = Restoring::Counted(restore);
        self
    }

    const fn inverts(mut self) -> Self {
        self.strand_flip = StrandFlip::Inverts;
        self
    }

    /// Effect of a change of strands on it.
    pub fn strand_flip(&self) -> StrandFlip {
        self.strand_flip
    }

    /// Returns true if numbers of a call are counted from it.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.restoring, Restoring::Counted(_))
    }

    /// Puts its value back into a read, with what the value bounds left bounded.
    pub(super) fn restore(&self, read: &mut ReadFeatures, value: f32) {
        if let Restoring::Counted(restore) = self.restoring {
            restore(read, value);
        }
    }
}

/// The entry of a name.
pub fn known(name: &str) -> Option<&'static ReadFeature> {
    ALL.iter().find(|feature| feature.name == name)
}

/// How many entries of [`ALL`], from the first on, networks are trained with. What stands behind
/// them is computed for models only whose card lists it.
pub const USUAL: usize = 22;
/// Number of entries.
const TOTAL: usize = 22;

/// Names of the numbers that networks are trained with, in order.
pub fn usual() -> impl Iterator<Item = &'static str> {
    ALL[..USUAL].iter().map(|feature| feature.name)
}

/// The numbers that say which allele a read supports.
pub(crate) const SUPPORTS_ALT: &str = "supports_alt";
/// See [`SUPPORTS_ALT`].
pub(crate) const SUPPORTS_REF: &str = "supports_ref";

/// All numbers of a read that are known, each about -4 to 4.
pub static ALL: [ReadFeature; TOTAL] = {
    use ReadFeature as F;
    [
        F::new("log_ratio", "log odds / 5", Topic::Support, |read| {
            read.support.log_ratio / 5.0
        })
        .counted(|read, value| read.support.log_ratio = value * 5.0),
        F::new("misfit", "log likelihood / 10", Topic::Support, |read| {
            (read.support.misfit / 10.0).min(4.0)
        })
        .counted(|read, value| read.support.misfit = value * 10.0),
        F::new(SUPPORTS_ALT, "0 or 1", Topic::Support, |read| {
            bit(read.support.side == Side::Alternate)
        }),
        F::new(SUPPORTS_REF, "0 or 1", Topic::Support, |read| {
            bit(read.support.side == Side::Reference)
        }),
        F::new("supports_neither", "0 or 1", Topic::Support, |read| {
            bit(read.support.side == Side::Neither)
        }),
        F::new("mapping_quality", "MAPQ / 60", Topic::Mapping, |read| {
            f32::from(read.mapping_quality.min(60)) / 60.0
        })
        .counted(|read, value| read.mapping_quality = (value * 60.0).round() as u8),
        F::new("mapping_quality_0", "0 or 1", Topic::Mapping, |read| {
            bit(read.mapping_quality == 0)
        }),
        F::new("reverse", "0 or 1", Topic::Strand, |read| {
            bit(read.is_reverse)
        })
        .counted(|read, value| read.is_reverse = value > 0.5)
        .inverts(),
        F::new("mate_reverse", "0 or 1", Topic::Strand, |read| {
            bit(read.mate_reverse)
        })
        .inverts(),
        F::new("second_of_pair", "0 or 1", Topic::Strand, |read| {
            bit(read.second_of_pair)
        }),
        F::new("proper_pair", "0 or 1", Topic::Mapping, |read| {
            bit(read.proper_pair)
        }),
        F::new("mate_elsewhere", "0 or 1", Topic::Mapping, |read| {
            bit(read.mate_elsewhere)
        }),
        F::new(
            "other_mismatches",
            "ln(1 + bases)",
            Topic::Mismatches,
            |read| (read.mismatches as f32).ln_1p(),
        )
        .counted(|read, value| read.mismatches = value.exp_m1().round() as u32),
        F::new("other_gaps", "ln(1 + gaps)", Topic::Mismatches, |read| {
            (read.gaps as f32).ln_1p()
        })
        .counted(|read, value| read.gaps = value.exp_m1().round() as u32),
        F::new(
            "clipped_share",
            "share of the read",
            Topic::Mismatches,
            |read| read.clipped,
        )
        .counted(|read, value| read.clipped = value),
        F::new("distance_to_end", "bases / 25", Topic::Position, |read| {
            (read.distance_to_end / 25.0).min(3.0)
        })
        .counted(|read, value| read.distance_to_end = value * 25.0),
        F::new("cycle", "share of the read", Topic::Position, |read| {
            read.cycle
        })
        .counted(|read, value| read.cycle = value),
        F::new("quality_at_call", "phred / 40", Topic::Quality, |read| {
            read.quality / 40.0
        })
        .counted(|read, value| read.quality = value * 40.0),
        F::new("covers_call", "0 or 1", Topic::Support, |read| {
            bit(read.covers)
        })
        .counted(|read, value| read.covers = value > 0.5),
        F::new(
            "template_length",
            "ln(1 + bases) / 7",
            Topic::Mapping,
            |read| read.template_length.ln_1p() / 7.0,
        ),
        F::new("mate_overlaps", "0 or 1", Topic::Support, |read| {
            bit(read.mate_overlaps)
        }),
        F::new("weight", "fragments", Topic::Support, |read| read.weight)
            .counted(|read, value| read.weight = value),
    ]
};

fn bit(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// Bases around the change whose differences are the change's own.
const OWN: i64 = 5;
/// Bases below this quality do not count as different.
const MIN_QUALITY: u8 = 15;

/// A read over a call.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFeatures {
    /// Which allele it supports.
    pub support: Support,
    /// MAPQ.
    pub mapping_quality: u8,
    /// It lies on the reverse strand.
    pub is_reverse: bool,
    /// Bases of fair quality that differ from the reference, away from the call.
    pub mismatches: u32,
    /// Gaps away from the call.
    pub gaps: u32,
    /// Share of its bases that are soft-clipped, 0 to 1.
    pub clipped: f32,
    /// Bases from the call to the nearer end of the read; 0 where the call is at or past an end.
    pub distance_to_end: f32,
    /// Where the call lies along the read as it was sequenced, 0 to 1.
    pub cycle: f32,
    /// Mean phred quality of the seven bases around the call.
    pub quality: f32,
    /// True if it reaches over the whole change and the repeat it stands in.
    pub covers: bool,
    /// True if its mate lies over the call as well.
    pub mate_overlaps: bool,
    /// The fragment's share of this read in counts: a half where the mate overlaps and agrees,
    /// none where it says the opposite.
    pub weight: f32,
    /// Its mate lies on the reverse strand.
    mate_reverse: bool,
    second_of_pair: bool,
    proper_pair: bool,
    /// Its mate lies on another contig, or is unmapped.
    mate_elsewhere: bool,
    template_length: f32,
}

impl ReadFeatures {
    /// Looks at one read; mates are matched later ([`join_mates`]).
    pub fn new(read: &AlignedRead, haplotypes: &Haplotypes, block: &ReferenceBlock) -> Self {
        let core = haplotypes.place(read);
        let (mut clipped, mut gaps) = (0u32, 0u32);
        let mut end = read.start;
        for block in read.cigar.blocks(read.start) {
            let covered = block.reference();
            match block.op {
                CigarOp::SoftClip => clipped = clipped.saturating_add(block.count),
                CigarOp::Insertion | CigarOp::Deletion => {
                    let is_away = covered.end < core.start - OWN || covered.start > core.end + OWN;
                    gaps += u32::from(is_away);
                }
                _ => {}
            }
            end = covered.end;
        }
        let shown_from = block.start() as i64;
        let mut mismatches = 0;
        let shown = block.slice(block.start()..u64::MAX);
        for (place, at) in aligned_bases(read, shown_from, shown_from + shown.len() as i64) {
            if (core.start - OWN..core.end + OWN).contains(&place) {
                continue;
            }
            let (base, other) = (read.bases[at], shown[(place - shown_from) as usize]);
            mismatches +=
                u32::from(base != other && base != b'N' && read.qualities[at] >= MIN_QUALITY);
        }
        let length = read.bases.len().max(1) as f32;
        // Where the call lies in the stored bases, clips included, taken from the nearer end.
        let middle = (core.start + core.end) / 2;
        let left = read.unclipped_start();
        let from_left = (middle - left) as f32;
        let from_right = length - from_left;
        let along = (from_left / length).clamp(0.0, 1.0);
        let near = aligned_bases(read, middle - 3, middle + 4);
        let (mut sum, mut count) = (0.0, 0.0);
        for (_, at) in near {
            let quality = read.qualities[at];
            sum += f32::from(if quality == u8::MAX { 20 } else { quality });
            count += 1.0;
        }
        let flags = read.flags;
        Self {
            support: haplotypes.support(read),
            mapping_quality: read.mapping_quality,
            is_reverse: flags.is_reverse(),
            mismatches,
            gaps,
            clipped: clipped as f32 / length,
            distance_to_end: from_left.min(from_right).max(0.0),
            cycle: if flags.is_reverse() {
                1.0 - along
            } else {
                along
            },
            quality: if count > 0.0 { sum / count } else { 0.0 },
            covers: read.start < core.start && end > core.end,
            mate_overlaps: false,
            weight: 1.0,
            mate_reverse: flags.is_mate_reverse(),
            second_of_pair: flags.is_second(),
            proper_pair: flags.is_proper_pair(),
            mate_elsewhere: read.mate_elsewhere || flags.is_mate_unmapped(),
            template_length: read.template_length.unsigned_abs() as f32,
        }
    }

    /// A read of which nothing is known but the allele it supports.
    pub(super) fn blank(side: Side) -> Self {
        Self {
            support: Support {
                log_ratio: 0.0,
                misfit: 0.0,
                side,
            },
            mapping_quality: 0,
            is_reverse: false,
            mismatches: 0,
            gaps: 0,
            clipped: 0.0,
            distance_to_end: 0.0,
            cycle: 0.0,
            quality: 0.0,
            covers: false,
            mate_overlaps: false,
            weight: 1.0,
            mate_reverse: false,
            second_of_pair: false,
            proper_pair: false,
            mate_elsewhere: false,
            template_length: 0.0,
        }
    }
}

/// Finds mates that both lie over the call: a fragment counts once.
pub fn join_mates(names: &[u64], reads: &mut [ReadFeatures]) {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|at| (names[*at], *at));
    for pair in order.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if names[a] != names[b] || reads[a].mate_overlaps {
            continue;
        }
        let (side_a, side_b) = (reads[a].support.side, reads[b].support.side);
        let (weight_a, weight_b) = match (side_a, side_b) {
            (a, b) if a == b => (0.5, 0.5),
            (Side::Neither, _) => (0.0, 1.0),
            (_, Side::Neither) => (1.0, 0.0),
            _ => (0.0, 0.0),
        };
        for (at, weight) in [(a, weight_a), (b, weight_b)] {
            reads[at].mate_overlaps = true;
            reads[at].weight = weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Edit;
    use crate::genome::{Cigar, ReadFlags};
    use CigarOp::*;

    fn features(read: &AlignedRead) -> ReadFeatures {
        let block = ReferenceBlock::new(0, b"ACGT".repeat(50), 200);
        let edit = Edit {
            start: 100,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        ReadFeatures::new(read, &Haplotypes::new(&edit, &block), &block)
    }

    fn read() -> AlignedRead {
        let mut bases = b"ACGT".repeat(15);
        bases[20] = b'T';
        AlignedRead {
            start: 80,
            flags: ReadFlags(0x53),
            mapping_quality: 60,
            cigar: Cigar(vec![(Match, 60)]),
            qualities: vec![30; 60],
            bases,
            ..AlignedRead::default()
        }
    }

    #[test]
    fn a_plain_carrier() {
        let found = features(&read());
        assert_eq!(found.support.side, Side::Alternate);
        assert_eq!((found.mismatches, found.gaps, found.clipped), (0, 0, 0.0));
        assert_eq!(found.distance_to_end, 20.0);
        assert!(
            (found.cycle - (1.0 - 20.0 / 60.0)).abs() < 1e-6,
            "reverse read"
        );
        assert!(found.covers);
        let mut again = ReadFeatures::blank(found.support.side);
        for feature in &ALL {
            let value = (feature.value)(&found);
            assert!(value.abs() <= 4.0, "{}", feature.name);
            feature.restore(&mut again, value);
        }
        for feature in ALL.iter().filter(|feature| feature.is_counted()) {
            let (a, b) = ((feature.value)(&found), (feature.value)(&again));
            assert!((a - b).abs() < 1e-4, "{}: {a} {b}", feature.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(usual().count(), USUAL);
        assert!(known("cycle").is_some() && known("cycles").is_none());
    }

    #[test]
    fn differences_away_from_the_call_are_counted() {
        let mut other = read();
        other.bases[2] = b'A';
        other.bases[50] = b'A';
        other.qualities[50] = 5;
        other.bases[22] = b'A';
        assert_eq!(
            features(&other).mismatches,
            1,
            "poor bases and the call's own do not count"
        );
        other.cigar = Cigar(vec![
            (SoftClip, 6),
            (Match, 40),
            (Insertion, 2),
            (Match, 12),
        ]);
        other.start = 86;
        let found = features(&other);
        assert_eq!(found.gaps, 1);
        assert!((found.clipped - 0.1).abs() < 1e-6);
    }

    #[test]
    fn a_fragment_counts_once() {
        let one = features(&read());
        let mut against = one.clone();
        against.support.side = Side::Reference;
        let mut reads = vec![one.clone(), one.clone(), one.clone(), against, one];
        join_mates(&[7, 8, 7, 8, 9], &mut reads);
        let weights: Vec<f32> = reads.iter().map(|read| read.weight).collect();
        assert_eq!(weights, [0.5, 0.0, 0.5, 0.0, 1.0]);
        assert!(!reads[4].mate_overlaps);
    }
}
