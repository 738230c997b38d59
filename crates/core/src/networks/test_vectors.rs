//! Inputs made from a seed, to check that a network computes what it should.
//!
//! A card carries a few [`TestVector`]s: a seed and the outputs that candle's own layers gave for
//! it when the model was made. They are recomputed whenever the model is loaded, so a damaged
//! weight file, a miscompiled kernel or a wrong instruction set shows before the first call.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::gatk::GatkSpec;
use crate::encode::allele::read_set::MARGIN;
use crate::encode::allele::{
    AlleleLayout, AlleleTensor, Haplotypes, ReadCollector, SAMPLE_LIMIT, SampleEvidence,
};
use crate::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor};
use crate::encode::{Encoder, Example, SiteTensor};
use crate::genome::{
    AlignedRead, Cigar, CigarOp, Edit, ReadFlags, ReadSink, ReferenceBlock, Variant,
};

/// An input by its seed, and what the network makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestVector {
    /// Seed of [`example`].
    pub seed: u64,
    /// Reads of the made-up site, 0 to 128.
    pub reads: usize,
    /// The four outputs before softmax, in the order of [`crate::score::log_odds::LABELS`].
    pub logits: [f32; 4],
}

/// A made-up call with reads, the same for the same seed on every machine.
struct MadeUp {
    random: ChaCha8Rng,
    variant: Variant,
    block: ReferenceBlock,
    reads: Vec<Arc<AlignedRead>>,
}

impl MadeUp {
    fn new(seed: u64, reads: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let length = 400;
        let contig: Vec<u8> = (0..length).map(|_| base(&mut random)).collect();
        let start = 200;
        let variant = Variant {
            contig: "seed".into(),
            start,
            end: start + 1,
            reference: vec![contig[start as usize]],
            alternates: vec![vec![b"ACGT"[random.random_range(0..4)]]],
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
    .map(|(middle, spread): (f32, f32)| middle + spread * random.random_range(-1.0f32..1.0));
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
            let value = random.random_range(0.0f32..40.0);
            if at % 3 == 2 { f32::NAN } else { value }
        })
        .collect();
    Example {
        tensor: SiteTensor::Allele(set),
        annotations,
    }
}

fn base(random: &mut ChaCha8Rng) -> u8 {
    b"ACGT"[random.random_range(0..4)]
}

/// A read of 100 bases over the call, now and then with an insertion.
fn read(random: &mut ChaCha8Rng, contig: &[u8]) -> AlignedRead {
    let start = random.random_range(105..200usize);
    let mut bases = contig[start..start + 100].to_vec();
    let cigar = if random.random_range(0..5) == 0 {
        vec![
            (CigarOp::Match, 50),
            (CigarOp::Insertion, 2),
            (CigarOp::Match, 48),
        ]
    } else {
        vec![(CigarOp::Match, 100)]
    };
    for _ in 0..3 {
        let at = random.random_range(0..100);
        bases[at] = base(random);
    }
    AlignedRead {
        start: start as i64,
        flags: ReadFlags(random.random_range(0..256u16) & !0x4),
        mapping_quality: random.random_range(0..61),
        cigar: Cigar(cigar),
        qualities: (0..100).map(|_| random.random_range(2..41)).collect(),
        bases,
        ..AlignedRead::default()
    }
}
