use super::*;
use crate::encode::SiteTensor;
use crate::genome::{Cigar, CigarOp, ReadFlags};

const LENGTH: usize = 3000;

/// A contig of 3,000 bases with period 20, but for the `G` of each period.
fn block() -> ReferenceBlock {
    let bases = b"ACCTTGATCAGGCATTCAAC".repeat(LENGTH / 20);
    ReferenceBlock::new(0, bases, LENGTH as u64)
}

fn table(names: &[&str]) -> ContigTable {
    ContigTable::new(names.iter().map(|name| Contig {
        name: (*name).to_owned(),
        length: Some(LENGTH as u64),
    }))
}

fn record(line: &str) -> VcfRecord {
    let line = line.replace(' ', "\t").into_bytes();
    let columns = line.split(|byte| *byte == b'\t').count();
    VcfRecord::parse(line, columns).unwrap()
}

fn encoder(reads: bool) -> Encoder {
    let annotations = ["QUAL", "FORMAT/DP"].map(|name| name.parse().unwrap());
    Encoder::allele(reads, annotations.to_vec())
}

fn gatk(reads: bool) -> Encoder {
    Encoder::Gatk {
        reads,
        annotations: vec!["MQ".to_owned()],
    }
}

const SAMPLES: [SampleInput; 2] = [
    SampleInput {
        column: 0,
        mean_depth: 20.0,
    },
    SampleInput {
        column: 1,
        mean_depth: 20.0,
    },
];

fn shard<'a>(
    encoder: &'a Encoder,
    samples: &'a [SampleInput],
    records: &'a [VcfRecord],
) -> Result<ShardEncoder<'a>, EncodeError> {
    let (reference, reads) = (table(&["a", "b", "chrc"]), [table(&["a", "chrc"])]);
    let contigs = KnownContigs {
        reference: &reference,
        reads: &reads,
    };
    ShardEncoder::new(encoder, samples, records, contigs)
}

/// A read of the reference from `start` on, with another base at each of `changes` that it reaches.
fn read(start: usize, changes: &[(usize, u8)]) -> AlignedRead {
    let mut bases = block().slice(start as u64..start as u64 + 100).to_vec();
    for (at, base) in changes {
        if let Some(shown) = at.checked_sub(start).and_then(|at| bases.get_mut(at)) {
            *shown = *base;
        }
    }
    AlignedRead {
        start: start as i64,
        mapping_quality: 60,
        cigar: Cigar(vec![(CigarOp::Match, 100)]),
        qualities: vec![30; 100],
        bases,
        ..AlignedRead::default()
    }
}

#[test]
fn each_record_has_its_outcome_in_its_place() {
    let records = [
        record("a 1001 . A C 50 . . DP 7 9"),
        record("a 1002 . C . 50 . . DP 7 9"),
        record("a 1003 . C <DEL>,CT 50 . . DP 7 9"),
        record("d 1004 . C T 50 . . DP 7 9"),
        record("b 1004 . C T 50 . . DP 7 9"),
        record("a 0 . N T 50 . . DP 7 9"),
        record("a 1021 . A C,G . . . GT . ."),
    ];
    let encoder = encoder(true);
    let encoding = shard(&encoder, &SAMPLES, &records).unwrap();
    let (contig, span) = encoding.reference_span().unwrap();
    assert_eq!(contig, "a");
    assert!(
        span.start <= 1000 - 900 && span.end >= 1021 + 1000,
        "{span:?}"
    );
    let mut reads = encoding.with_reference(block()).unwrap();
    let (contig, sinks) = reads.sinks().unwrap();
    assert_eq!((contig, sinks.len()), ("a", 2));
    for (sink, count) in sinks.iter_mut().zip([8, 3]) {
        for at in 0..count {
            let read = read(950 + at, &[(1000, b'C')]);
            sink.offer(read.start, read.end(), || read.clone());
        }
    }
    let outcomes = reads.finish();
    assert_eq!(outcomes.len(), records.len());
    let skips: Vec<Option<Skip>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Encoded(_) => None,
            Outcome::Skipped(skip) => Some(*skip),
        })
        .collect();
    assert_eq!(
        skips,
        [
            None,
            Some(Skip::NoAlternate),
            None,
            Some(Skip::ContigNotInReference),
            Some(Skip::ContigNotInReads),
            Some(Skip::Telomere),
            None,
        ]
    );
    let site = |at: usize| match &outcomes[at] {
        Outcome::Encoded(site) => site,
        Outcome::Skipped(skip) => panic!("{skip:?}"),
    };
    let places = |at: usize| -> Vec<(usize, Option<usize>)> {
        let alleles = site(at).alleles.iter();
        alleles.map(|one| (one.sample, one.alternate)).collect()
    };
    assert_eq!(places(0), [(0, Some(0)), (1, Some(0))]);
    assert_eq!(places(2), [(0, Some(1)), (1, Some(1))], "ALT 1 is symbolic");
    assert_eq!(places(6).len(), 4);
    assert_eq!(
        (site(0).kind, site(2).kind),
        (VariantKind::Snp, VariantKind::Indel)
    );
    assert_eq!((site(0).reads, site(0).alternates), (Some(8), 1));
    assert!(!site(0).without_annotations && site(6).without_annotations);
    let depths: Vec<f32> = site(0)
        .alleles
        .iter()
        .map(|allele| allele.example.annotations[1])
        .collect();
    assert_eq!(depths, [7.0, 9.0], "each sample has its own column");
}

#[test]
fn gatk_networks_take_whole_records() {
    let records = [record("a 1001 . A C,G 50 . MQ=60")];
    for (with_reads, examples) in [(true, 2), (false, 1)] {
        let encoder = gatk(with_reads);
        let samples = if with_reads {
            &SAMPLES[..]
        } else {
            &SAMPLES[..1]
        };
        let encoding = shard(&encoder, samples, &records).unwrap();
        let mut reads = encoding.with_reference(block()).unwrap();
        assert_eq!(reads.sinks().is_some(), with_reads);
        let Outcome::Encoded(site) = reads.finish().remove(0) else {
            panic!("it is encoded");
        };
        assert_eq!(site.alleles.len(), examples);
        assert_eq!(site.reads, with_reads.then_some(0));
        assert_eq!(site.alleles[0].alternate, None);
        let is_reads = matches!(site.alleles[0].example.tensor, SiteTensor::Reads(_));
        assert_eq!(is_reads, with_reads);
    }
}

#[test]
fn records_of_another_reference_are_errors() {
    let fail = |records: &[VcfRecord]| {
        let encoder = encoder(false);
        let made = shard(&encoder, &SAMPLES, records);
        made.and_then(|shard| shard.with_reference(block()).map(|_| ()))
            .unwrap_err()
    };
    let good = record("a 1001 . A C . . .");
    for (bad, problem) in [
        (
            record("a 2999 . ACC A . . ."),
            EncodeProblem::PastContig {
                end: 3001,
                length: 3000,
            },
        ),
        (
            record("c 5 . T A . . ."),
            EncodeProblem::Spelling {
                contig: "c".into(),
                other: "chrc".into(),
            },
        ),
        (
            record("a 1001 . GC G . . ."),
            EncodeProblem::Reference {
                called: "GC".into(),
                found: "AC".into(),
            },
        ),
        (
            record("b 1001 . A C . . ."),
            EncodeProblem::AnotherContig { first: "a".into() },
        ),
    ] {
        let error = fail(&[good.clone(), bad]);
        assert_eq!((error.index, &error.problem), (1, &problem));
    }
    let message = fail(&[record("a 1001 . GC G . . .")]).to_string();
    assert_eq!(
        message,
        "a:1001 GC>G: REF is `GC`, but in the reference there is `AC`; give the reference that the calls were made with"
    );
}

#[test]
fn a_shard_without_scored_records_needs_nothing() {
    let records = [record("a 0 . N T . . ."), record("d 7 . A T . . .")];
    let encoder = encoder(true);
    let encoding = shard(&encoder, &SAMPLES, &records).unwrap();
    assert_eq!(encoding.reference_span(), None);
    let mut reads = encoding.with_reference(ReferenceBlock::default()).unwrap();
    assert!(reads.sinks().is_none());
    assert_eq!(reads.finish().len(), 2);
}

#[test]
fn one_record_is_encoded_as_in_a_shard() {
    let records = [record("a 1001 . A C 50 . . DP 7")];
    let mut reads: Vec<AlignedRead> = (0..9)
        .map(|at| read(920 + 10 * at, &[(1015, b'G'), (1040, b'T')]))
        .collect();
    let encoder = encoder(true);
    let encoding = shard(&encoder, &SAMPLES[..1], &records).unwrap();
    let mut waiting = encoding.with_reference(block()).unwrap();
    let (_, sinks) = waiting.sinks().unwrap();
    for read in &reads {
        sinks[0].offer(read.start, read.end(), || read.clone());
    }
    let Outcome::Encoded(expected) = waiting.finish().remove(0) else {
        panic!("it is encoded");
    };
    // Out of order, with a duplicate and a read from elsewhere.
    reads.reverse();
    let mut duplicate = reads[3].clone();
    duplicate.flags = ReadFlags(0x400);
    reads.extend([duplicate, read(2850, &[])]);
    let outcome = encode_record(&encoder, &records[0], SAMPLES[0], &reads, &block()).unwrap();
    let Outcome::Encoded(found) = outcome else {
        panic!("it is encoded");
    };
    assert_eq!(found.reads, expected.reads);
    assert_eq!(found.alleles[0].example, expected.alleles[0].example);
}

/// Every row names the read that it shows: here a read's MAPQ is one more than its name.
#[test]
fn rows_name_their_reads() {
    let record = record("a 1001 . A C 50 . . DP 7");
    let reads: Vec<AlignedRead> = (0..90)
        .map(|name| {
            let change = [(1000, if name % 3 == 0 { b'C' } else { b'A' })];
            AlignedRead {
                name,
                mapping_quality: name as u8 + 1,
                ..read(if name == 89 { 300 } else { 910 + name as usize }, &change)
            }
        })
        .collect();
    for (encoder, rows, seen) in [(encoder(true), 64, 89), (gatk(true), 89, 89)] {
        let outcome = encode_record(&encoder, &record, SAMPLES[0], &reads, &block()).unwrap();
        let Outcome::Encoded(site) = outcome else {
            panic!("{outcome:?}")
        };
        let allele = &site.alleles[0];
        let found = allele.reads.as_ref().unwrap();
        assert_eq!((found.rows.len(), found.seen), (rows, seen));
        assert!(found.span.overlaps(1000, 1001) && !found.span.overlaps(300, 400));
        let shown: Vec<u64> = match (&allele.example.tensor, &encoder) {
            (SiteTensor::Reads(tensor), _) => {
                let rows = tensor.rows.iter();
                rows.map(|row| u64::from(row.mapping_quality)).collect()
            }
            (SiteTensor::Allele(tensor), Encoder::Allele { layout, .. }) => {
                let names: Vec<&str> = layout.read_names().collect();
                let at = names.iter().position(|name| *name == "mapping_quality");
                let rows = tensor.reads.chunks(names.len());
                rows.map(|row| (row[at.unwrap()] * 60.0).round() as u64)
                    .collect()
            }
            other => panic!("{other:?}"),
        };
        for (name, mapping_quality) in found.rows.iter().zip(shown) {
            assert_eq!((name + 1).min(60), mapping_quality.min(60));
        }
    }
}
