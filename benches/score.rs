//! Encoding, the networks and writing, one call at a time on one thread.

use std::hint::black_box;
use std::sync::Arc;

use cnnfilter_core::encode::SiteTensor;
use cnnfilter_core::encode::gatk::{ReadTensor, ReferenceTensor};
use cnnfilter_core::genome::{AlignedRead, Cigar, CigarOp, ReadFlags, ReferenceBlock, Variant};
use cnnfilter_core::networks::Builtin;
use cnnfilter_core::networks::gatk::{GatkNetwork, spec};
use cnnfilter_core::testing;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::kernel::Isa;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Calls that a network scores together.
const CALLS: usize = 32;

fn site(reads: i64) -> (Variant, Vec<Arc<AlignedRead>>, ReferenceBlock) {
    let variant = Variant {
        contig: "c".into(),
        start: 500,
        end: 501,
        reference: b"A".to_vec(),
        alternates: vec![b"C".to_vec()],
    };
    let reads = (0..reads)
        .map(|at| {
            Arc::new(AlignedRead {
                start: 370 + at * 3 % 130,
                flags: ReadFlags(0x63),
                mapping_quality: 60,
                cigar: Cigar(vec![
                    (CigarOp::Match, 70),
                    (CigarOp::Insertion, (1 + at % 3) as u32),
                    (CigarOp::Match, 77),
                ]),
                bases: vec![b'A'; 147 + 1 + (at % 3) as usize],
                qualities: vec![37; 147 + 1 + (at % 3) as usize],
                ..AlignedRead::default()
            })
        })
        .collect();
    (
        variant,
        reads,
        ReferenceBlock::new(0, vec![b'A'; 1000], 1000),
    )
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for depth in [30, 128] {
        let (variant, reads, block) = site(depth);
        group.bench_function(format!("read tensor, {depth} reads"), |b| {
            b.iter(|| ReadTensor::encode(black_box(&variant), black_box(&reads), &block));
        });
        let tensor = ReadTensor::encode(&variant, &reads, &block);
        let mut floats = Vec::new();
        group.bench_function(format!("floats of {depth} reads"), |b| {
            b.iter(|| {
                floats.clear();
                tensor.write_floats(black_box(&mut floats));
            });
        });
    }
    let (variant, _, block) = site(0);
    group.bench_function("reference tensor", |b| {
        b.iter(|| SiteTensor::Reference(ReferenceTensor::encode(black_box(&variant), &block)));
    });
    group.finish();
}

fn networks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("network");
    for (spec, reads) in [
        (&spec::REFERENCE_1D, 0),
        (&spec::SMALL_2D, 30),
        (&spec::SMALL_2D, 128),
    ] {
        let weights = testing::random_weights(spec, 1);
        let Ok(network) = GatkNetwork::new(spec, &weights) else {
            continue;
        };
        let example = testing::example(spec, 1, reads);
        group.bench_function(format!("{}, {reads} reads", spec.architecture), |b| {
            b.iter(|| network.logits_of_one(black_box(&example)));
        });
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let model = Builtin::default_for(true).load(DeviceChoice::Cpu);
    let (Ok(pool), Ok(model)) = (pool, model) else {
        return;
    };
    let examples = testing::examples(&[40; CALLS]);
    group.throughput(Throughput::Elements(CALLS as u64));
    for isa in [Isa::detect(), Isa::Portable] {
        group.bench_function(format!("{}, 40 reads, {isa}", model.card().name), |b| {
            b.iter(|| pool.install(|| isa.computing_with(|| model.logits(black_box(&examples)))));
        });
    }
    group.finish();
}

fn records(criterion: &mut Criterion) {
    let line = "chr22\t16600150\t.\tC\tT\t363.64\t.\tAC=1;AF=0.5;AN=2;BaseQRankSum=1.443;DP=28;ExcessHet=0;FS=1.527;MLEAC=1;MLEAF=0.5;MQ=58.33;MQRankSum=1.544;QD=13.47;ReadPosRankSum=0.558;SOR=1.179\tGT:AD:DP:GQ:PL\t0/1:14,13:27:99:371,0,385";
    criterion.bench_function("record: parse, add a key, write", |b| {
        let mut out = Vec::new();
        b.iter(|| {
            out.clear();
            if let Ok(mut record) = VcfRecord::parse(black_box(line).as_bytes().to_vec(), 10) {
                record.set_info(b"CNN_2D", Some(b"8.504"));
                record.write_to(&mut out);
            }
            black_box(&out);
        });
    });
}

criterion_group!(benches, encoding, networks, records);
criterion_main!(benches);
