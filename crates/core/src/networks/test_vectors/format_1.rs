//! The inputs of cards of format 1, as version 0.1.0 made them: made-up reads that are encoded.
//!
//! The numbers are those of `ChaCha8Rng` and `random_range` of `rand` 0.10, written out here so that
//! another `rand` changes nothing.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::encode::allele::read_set::MARGIN;
use crate::encode::allele::{
    AlleleLayout, AlleleTensor, Haplotypes, ReadCollector, SAMPLE_LIMIT, SampleEvidence,
};
use crate::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor};
use crate::encode::{Encoder, Example, SiteTensor};
use crate::genome::{
    AlignedRead, Cigar, CigarOp, Edit, ReadFlags, ReadSink, ReferenceBlock, Variant,
};
use crate::networks::gatk::GatkSpec;

/// Random numbers as `rand` 0.10 draws them from `ChaCha8Rng`.
struct Random(ChaCha8Rng);

impl Random {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `count` (Canon's method): the upper half of a word times `count`, and where
    /// the lower half leaves a doubt, the carry of a second word's.
    fn below(&mut self, count: u32) -> u32 {
        let (upper, lower) = self.product(count);
        if lower <= count.wrapping_neg() {
            return upper;
        }
        let (more, _) = self.product(count);
        upper + u32::from(lower.checked_add(more).is_none())
    }

    /// The halves of a word times `count`.
    fn product(&mut self, count: u32) -> (u32, u32) {
        let product = u64::from(self.0.next_u32()) * u64::from(count);
        ((product >> 32) as u32, product as u32)
    }

    /// A number from `low` to below `high`, of 23 bits of a word.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        let unit = f32::from_bits(0x3f80_0000 | (self.0.next_u32() >> 9)) - 1.0;
        unit * (high - low) + low
    }

    fn base(&mut self) -> u8 {
        b"ACGT"[self.below(4) as usize]
    }
}

/// A made-up call with reads, the same for the same seed on every machine.
struct MadeUp {
    random: Random,
    variant: Variant,
    block: ReferenceBlock,
    reads: Vec<Arc<AlignedRead>>,
}

impl MadeUp {
    fn new(seed: u64, reads: usize) -> Self {
        let mut random = Random::new(seed);
        let length = 400;
        let contig: Vec<u8> = (0..length).map(|_| random.base()).collect();
        let start = 200;
        let variant = Variant {
            contig: "seed".into(),
            start,
            end: start + 1,
            reference: vec![contig[start as usize]],
            alternates: vec![vec![random.base()]],
        };
        let reads = (0..reads)
            .map(|_| Arc::new(read(&mut random, &contig)))
            .collect();
        let block = ReferenceBlock::new(0, contig, length as u64);
        Self {
            random,
            variant,
            block,
            reads,
        }
    }
}

/// A made-up call with `reads` reads and plausible annotations, for a network of GATK's.
pub fn example(spec: &GatkSpec, seed: u64, reads: usize) -> Example {
    let reads = if spec.uses_reads() {
        reads.min(READ_LIMIT)
    } else {
        0
    };
    let MadeUp {
        mut random,
        variant,
        block,
        reads,
    } = MadeUp::new(seed, reads);
    let tensor = if spec.uses_reads() {
        SiteTensor::Reads(ReadTensor::encode(&variant, &reads, &block))
    } else {
        SiteTensor::Reference(ReferenceTensor::encode(&variant, &block))
    };
    // MQ, DP, SOR, FS, QD, MQRankSum, ReadPosRankSum around what a 30x genome has.
    let annotations = [
        (58.0, 3.0),
        (30.0, 10.0),
        (1.0, 0.8),
        (3.0, 3.0),
        (17.0, 9.0),
        (0.0, 1.5),
        (0.0, 1.0),
    ]
    .map(|(middle, spread): (f32, f32)| middle + spread * random.between(-1.0, 1.0));
    Example {
        tensor,
        annotations: annotations.to_vec(),
    }
}

/// A made-up call with `reads` reads for one of our own networks: the insertion of one base, every
/// third annotation missing.
pub fn allele_example(encoder: &Encoder, seed: u64, reads: usize) -> Example {
    let made_up = MadeUp::new(seed, if encoder.uses_reads() { reads } else { 0 });
    let MadeUp {
        mut random,
        variant,
        block,
        mut reads,
    } = made_up;
    let edit = Edit {
        start: variant.start,
        deleted: 0,
        inserted: variant.alternates.concat(),
    };
    let haplotypes = Haplotypes::new(&edit, &block);
    let usual = AlleleLayout::usual(encoder.uses_reads());
    let layout = match encoder {
        Encoder::Allele { layout, .. } => layout,
        Encoder::Gatk { .. } => &usual,
    };
    let set = if encoder.uses_reads() {
        reads.sort_by_key(|read| read.start);
        let mut survey = ReadCollector::new(&[haplotypes.core], MARGIN, SAMPLE_LIMIT, &block);
        for read in &reads {
            survey.offer(read.start, read.end(), || AlignedRead::clone(read));
        }
        survey.landscape.finish();
        let piled = survey.pileup.into_reads();
        let piled = piled.first().map_or(&[][..], |piled| &piled.reads);
        let sample = SampleEvidence {
            reads: piled,
            around: &survey.landscape,
            mean_depth: 30.0,
        };
        AlleleTensor::encode(layout, &edit, &haplotypes, 1, sample, &block)
    } else {
        AlleleTensor::encode_reference(layout, &edit, 1, &block)
    };
    let annotations = (0..encoder.annotation_names().len())
        .map(|at| {
            let value = random.between(0.0, 40.0);
            if at % 3 == 2 { f32::NAN } else { value }
        })
        .collect();
    Example {
        tensor: SiteTensor::Allele(set),
        annotations,
    }
}

/// A read of 100 bases over the call, now and then with an insertion.
fn read(random: &mut Random, contig: &[u8]) -> AlignedRead {
    let start = 105 + random.below(95) as usize;
    let mut bases = contig[start..start + 100].to_vec();
    let cigar = if random.below(5) == 0 {
        vec![
            (CigarOp::Match, 50),
            (CigarOp::Insertion, 2),
            (CigarOp::Match, 48),
        ]
    } else {
        vec![(CigarOp::Match, 100)]
    };
    for _ in 0..3 {
        let at = random.below(100) as usize;
        bases[at] = random.base();
    }
    AlignedRead {
        start: start as i64,
        flags: ReadFlags(random.below(256) as u16 & !0x4),
        mapping_quality: random.below(61) as u8,
        cigar: Cigar(cigar),
        qualities: (0..100).map(|_| 2 + random.below(39) as u8).collect(),
        bases,
        ..AlignedRead::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of `rand` 0.10.3, computed by another program too.
    #[test]
    fn numbers_are_those_of_0_1_0() {
        let mut random = Random::new(7);
        let counts = [
            4,
            95,
            256,
            61,
            39,
            100,
            5,
            4_000_000_000,
            4_000_000_000,
            4_000_000_000,
        ];
        assert_eq!(
            counts.map(|count| random.below(count)),
            [
                0,
                14,
                46,
                10,
                10,
                70,
                0,
                2_906_965_186,
                2_405_036_061,
                1_437_457_475
            ]
        );
        assert_eq!(random.between(-1.0, 1.0), -0.833_881_14);
        assert_eq!(random.between(0.0, 40.0), 10.224_023);
    }
}
