//! Arbitrary reads around an arbitrary call: GATK's tensors and our own.
//!
//! What must hold: nothing panics, whatever CIGAR, bases, qualities and flags say and however little
//! their lengths agree; no cell leaves the tensor; a huge CIGAR takes no more time than a long one.

#![no_main]

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use cnnfilter_core::encode::allele::{
    AlleleLayout, AlleleTensor, Haplotypes, READ_LIMIT, ReadCollector, SAMPLE_LIMIT,
    SampleEvidence, Thinner, read_set,
};
use cnnfilter_core::encode::gatk::{self, ReadTensor, ReferenceTensor};
use cnnfilter_core::encode::pileup::Pileup;
use cnnfilter_core::genome::Edit;
use cnnfilter_core::genome::ReadSink;
use cnnfilter_core::genome::ReferenceBlock;
use cnnfilter_core::genome::{AlignedRead, Cigar, CigarOp, ReadFlags, Variant};
use libfuzzer_sys::fuzz_target;

const OPS: [CigarOp; 9] = [
    CigarOp::Match,
    CigarOp::Insertion,
    CigarOp::Deletion,
    CigarOp::Skip,
    CigarOp::SoftClip,
    CigarOp::HardClip,
    CigarOp::Pad,
    CigarOp::Equal,
    CigarOp::Diff,
];

#[derive(Debug)]
struct Input {
    variant: Variant,
    block: ReferenceBlock,
    reads: Vec<AlignedRead>,
}

fn letters(u: &mut Unstructured<'_>, count: usize) -> arbitrary::Result<Vec<u8>> {
    (0..count)
        .map(|_| Ok(b"ACGTACGTACGTNR=."[usize::from(u.arbitrary::<u8>()? & 15)]))
        .collect()
}

fn read(u: &mut Unstructured<'_>, from: u64, to: u64) -> arbitrary::Result<AlignedRead> {
    let start = match u.int_in_range(0..=15)? {
        0 => u.int_in_range(-1..=i64::from(i32::MAX))?,
        _ => u.int_in_range(from.saturating_sub(150)..=to)? as i64,
    };
    let mut cigar = Vec::new();
    for _ in 0..u.int_in_range(0..=12)? {
        let op = OPS[u.int_in_range(0..=OPS.len() - 1)?];
        // A CIGAR's lengths have 28 bits.
        let length = match u.int_in_range(0..=31)? {
            0 => u.int_in_range(0..=(1 << 28) - 1)?,
            _ => u.int_in_range(0..=80)?,
        };
        cigar.push((op, length));
    }
    let cigar = Cigar(cigar);
    // Mostly as many bases as the CIGAR says, as files have it; else any number.
    let fitting = cigar.read_len().clamp(0, 600) as usize;
    let any = |u: &mut Unstructured<'_>| -> arbitrary::Result<usize> {
        Ok(match u.int_in_range(0..=7)? {
            0 => u.int_in_range(0..=300)?,
            1 => 0,
            _ => fitting,
        })
    };
    let (bases, qualities) = (any(u)?, any(u)?);
    Ok(AlignedRead {
        start,
        flags: ReadFlags(u.arbitrary()?),
        mapping_quality: u.arbitrary()?,
        cigar,
        bases: letters(u, bases)?,
        qualities: (0..qualities)
            .map(|_| u.arbitrary())
            .collect::<Result<_, _>>()?,
        template_length: u.arbitrary()?,
        mate_elsewhere: u.arbitrary()?,
        name: u.int_in_range(0..=7)?,
    })
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let contig_length: u64 = u.int_in_range(1..=1500)?;
        let contig_start: u64 = *u.choose(&[0, 1_000_000])?;
        let start = u.int_in_range(0..=contig_length - 1)?;
        let length = u.int_in_range(1..=(contig_length - start).min(60))?;
        let few: u64 = u.int_in_range(0..=255)?;
        // Repetitive as genomes are: a unit, written again and again.
        let size = u.int_in_range(1..=24)?;
        let unit = letters(u, size)?;
        let mut bases: Vec<u8> = unit
            .iter()
            .cycle()
            .take(contig_length as usize)
            .copied()
            .collect();
        if few & 1 == 1 {
            let at = u.int_in_range(0..=bases.len() - 1)?;
            bases[at] = b'N';
        }
        let reference = bases[start as usize..(start + length) as usize].to_vec();
        let mut alternates = Vec::new();
        for _ in 0..u.int_in_range(1..=3)? {
            let count = u.int_in_range(1..=40)?;
            alternates.push(match u.int_in_range(0..=15)? {
                0 => b"<DEL>".to_vec(),
                1 => b"*".to_vec(),
                _ => letters(u, count)?,
            });
        }
        let begin = contig_start + start;
        let variant = Variant {
            contig: "c".into(),
            start: begin,
            end: begin + length,
            reference,
            alternates,
        };
        let mut reads = Vec::new();
        for _ in 0..u.int_in_range(0..=24)? {
            reads.push(read(u, begin, begin + length)?);
        }
        reads.sort_by_key(|read| read.start);
        Ok(Self {
            variant,
            block: ReferenceBlock::new(contig_start, bases, contig_start + contig_length),
            reads,
        })
    }
}

fuzz_target!(|input: Input| {
    let Input {
        variant,
        block,
        reads,
    } = &input;
    let mut pileup = Pileup::new([variant], gatk::READ_LIMIT);
    for read in reads {
        pileup.offer(read.start, read.end(), || read.clone());
    }
    let piled = pileup.into_reads().remove(0);
    let tensor = ReadTensor::encode(variant, &piled.reads, block);
    let mut floats = Vec::new();
    tensor.write_floats(&mut floats);
    assert_eq!(floats.len(), tensor.distinct_rows() * ReadTensor::ROW_LEN);
    assert!(floats.iter().all(|x| x.is_finite()));
    // Reads that do not lie over the call at all may come out of a sweep of several files.
    let all: Vec<Arc<AlignedRead>> = reads.iter().cloned().map(Arc::new).collect();
    let _ = ReadTensor::encode(variant, &all, block);
    let _ = ReferenceTensor::encode(variant, block);

    for alternate in &variant.alternates {
        if !Variant::is_sequence(alternate) {
            continue;
        }
        let Some(edit) = Edit::trimmed(variant.start, &variant.reference, alternate) else {
            continue;
        };
        let haplotypes = Haplotypes::new(&edit, block);
        let mut survey =
            ReadCollector::new(&[haplotypes.core], read_set::MARGIN, SAMPLE_LIMIT, block);
        for read in reads {
            survey.offer(read.start, read.end(), || read.clone());
        }
        survey.landscape.finish();
        let piled = survey.pileup.into_reads().remove(0);
        let count = variant.alternates.len();
        let layout = AlleleLayout::usual(true);
        let sample = SampleEvidence {
            reads: &piled.reads,
            around: &survey.landscape,
            mean_depth: 30.0,
        };
        let mut set = AlleleTensor::encode(&layout, &edit, &haplotypes, count, sample, block);
        assert!(set.rows.len() <= READ_LIMIT && set.rows.len() == set.supports.len());
        assert_eq!(set.reads.len(), set.rows.len() * layout.read().len());
        assert!(
            set.site.iter().chain(&set.reads).all(|x| x.is_finite()),
            "{set:?}"
        );
        assert_eq!(set.site.len(), layout.site().len());
        if let Ok(thinner) = Thinner::new(layout) {
            thinner.thin(&mut set, &[0, 2, 5], 0.5);
        }
        let without = AlleleLayout::usual(false);
        let _ = AlleleTensor::encode_reference(&without, &edit, count, block);
    }
});
