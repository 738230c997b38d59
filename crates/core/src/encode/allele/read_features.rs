//! One read as numbers.

use super::support::{Haplotypes, Side, Support, aligned_bases};
use crate::genome::ReferenceBlock;
use crate::genome::{AlignedRead, CigarOp};

/// What is said of a read, in order; see [`ReadFeatures::values`].
pub const NAMES: [&str; 22] = [
    "log_ratio",
    "misfit",
    "supports_alt",
    "supports_ref",
    "supports_neither",
    "mapping_quality",
    "mapping_quality_0",
    "reverse",
    "mate_reverse",
    "second_of_pair",
    "proper_pair",
    "mate_elsewhere",
    "other_mismatches",
    "other_gaps",
    "clipped_share",
    "distance_to_end",
    "cycle",
    "quality_at_call",
    "covers_call",
    "template_length",
    "mate_overlaps",
    "weight",
];

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
    /// Whether it reaches over the whole change and the repeat it stands in.
    pub covers: bool,
    /// Whether its mate lies over the call as well.
    pub mate_overlaps: bool,
    /// The fragment's share of this read in counts: a half where the mate overlaps and agrees,
    /// none where it says the opposite.
    pub weight: f32,
    /// Flags that are passed on as they are: mate reverse, second of pair, proper pair, mate on
    /// another contig or unmapped.
    flags: [bool; 4],
    template_length: f32,
}

impl ReadFeatures {
    /// Looks at one read; mates are matched later ([`join_mates`]).
    pub fn new(read: &AlignedRead, haplotypes: &Haplotypes, block: &ReferenceBlock) -> Self {
        let core = haplotypes.core;
        let (mut clipped, mut gaps) = (0u32, 0u32);
        let mut end = read.start;
        for block in read.cigar.blocks(read.start) {
            let covered = block.reference();
            match block.op {
                CigarOp::SoftClip => clipped = clipped.saturating_add(block.count),
                CigarOp::Insertion | CigarOp::Deletion => {
                    let is_away = covered.end < core.0 - OWN || covered.start > core.1 + OWN;
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
            if (core.0 - OWN..core.1 + OWN).contains(&place) {
                continue;
            }
            let (base, other) = (read.bases[at], shown[(place - shown_from) as usize]);
            mismatches +=
                u32::from(base != other && base != b'N' && read.qualities[at] >= MIN_QUALITY);
        }
        let length = read.bases.len().max(1) as f32;
        // Where the call lies in the stored bases, clips included, taken from the nearer end.
        let middle = (core.0 + core.1) / 2;
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
            covers: read.start < core.0 && end > core.1,
            mate_overlaps: false,
            weight: 1.0,
            flags: [
                flags.is_mate_reverse(),
                flags.is_second(),
                flags.is_proper_pair(),
                read.mate_elsewhere || flags.is_mate_unmapped(),
            ],
            template_length: read.template_length.unsigned_abs() as f32,
        }
    }

    /// The numbers of [`NAMES`], each about -4 to 4.
    pub fn values(&self) -> [f32; NAMES.len()] {
        let bit = |is: bool| f32::from(u8::from(is));
        [
            self.support.log_ratio / 5.0,
            (self.support.misfit / 10.0).min(4.0),
            bit(self.support.side == Side::Alternate),
            bit(self.support.side == Side::Reference),
            bit(self.support.side == Side::Neither),
            f32::from(self.mapping_quality.min(60)) / 60.0,
            bit(self.mapping_quality == 0),
            bit(self.is_reverse),
            bit(self.flags[0]),
            bit(self.flags[1]),
            bit(self.flags[2]),
            bit(self.flags[3]),
            (self.mismatches as f32).ln_1p(),
            (self.gaps as f32).ln_1p(),
            self.clipped,
            (self.distance_to_end / 25.0).min(3.0),
            self.cycle,
            self.quality / 40.0,
            bit(self.covers),
            self.template_length.ln_1p() / 7.0,
            bit(self.mate_overlaps),
            self.weight,
        ]
    }

    /// The read back from [`ReadFeatures::values`], with what these have bounded left bounded.
    pub fn from_values(values: &[f32; NAMES.len()]) -> Self {
        let bit = |at: usize| values[at] > 0.5;
        Self {
            support: Support {
                log_ratio: values[0] * 5.0,
                misfit: values[1] * 10.0,
                side: if bit(2) {
                    Side::Alternate
                } else if bit(3) {
                    Side::Reference
                } else {
                    Side::Neither
                },
            },
            mapping_quality: (values[5] * 60.0).round() as u8,
            is_reverse: bit(7),
            mismatches: values[12].exp_m1().round() as u32,
            gaps: values[13].exp_m1().round() as u32,
            clipped: values[14],
            distance_to_end: values[15] * 25.0,
            cycle: values[16],
            quality: values[17] * 40.0,
            covers: bit(18),
            mate_overlaps: bit(20),
            weight: values[21],
            flags: [bit(8), bit(9), bit(10), bit(11)],
            template_length: (values[19] * 7.0).exp_m1(),
        }
    }

    /// The same read on the other strand of everything: what strand-flip augmentation makes of
    /// [`ReadFeatures::values`].
    pub fn flip_strand(values: &mut [f32; NAMES.len()]) {
        values[7] = 1.0 - values[7];
        values[8] = 1.0 - values[8];
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
        let values = found.values();
        assert!(values.iter().all(|value| value.abs() <= 4.0));
        let again = ReadFeatures::from_values(&values).values();
        for ((name, a), b) in NAMES.iter().zip(values).zip(again) {
            assert!((a - b).abs() < 1e-4, "{name}: {a} {b}");
        }
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
