//! The encoder against a slow and obvious one, which works on whole float tensors and on lists
//! that grow, step by step as the original does.

use proptest::prelude::*;

use super::*;
use crate::genome::{Cigar, ReadFlags};

/// `[128][128][15]` floats of a call, the obvious way.
fn obvious(variant: &Variant, reads: &[Arc<AlignedRead>], contig: &[u8]) -> Vec<f32> {
    let position = variant.start as i64;
    let mut end = position + 64;
    let start = position - 64;
    end += (-start).max(0).min(variant.reference.len() as i64 - 1);

    let mut open: BTreeMap<i64, i64> = BTreeMap::new();
    for read in reads {
        let shift = start - read_start(read);
        if shift.abs() >= 128 {
            continue;
        }
        let mut at = 0;
        for (op, length) in read.cigar.ops() {
            if op.letter() == b'I' {
                let longest = open.entry(at - shift).or_insert(0);
                *longest = i64::from(*length).max(*longest);
            }
            if b"MISD".contains(&op.letter()) {
                at += i64::from(*length);
            }
        }
    }

    let from = start.max(0) as usize;
    let to = ((end + i64::from(start < 0)).max(0) as usize).min(contig.len());
    let mut reference: Vec<u8> = contig[from.min(to)..to].to_vec();
    for (column, length) in open.iter().rev() {
        let stars = vec![b'*'; *length as usize];
        if *column < 0 {
            reference = [stars, reference].concat();
        } else if *column as usize <= reference.len() {
            let tail = reference.split_off(*column as usize);
            reference = [reference, stars, tail].concat();
        } else if *column < 128 {
            reference.resize(*column as usize, 0);
            reference.extend(stars);
        }
    }

    let mut order: Vec<&AlignedRead> = reads.iter().map(AsRef::as_ref).collect();
    order.sort_by_key(|read| read_start(read));
    order.sort_by_key(|read| sort_letter(read, variant));

    let mut tensor = vec![0f32; 128 * 128 * 15];
    for row in 0..128 {
        for (column, letter) in reference.iter().take(128).enumerate() {
            let cell = &mut tensor[(row * 128 + column) * 15..][..15];
            match letter {
                b'A' => cell[5] = 1.0,
                b'C' => cell[6] = 1.0,
                b'G' => cell[7] = 1.0,
                b'T' => cell[8] = 1.0,
                b'*' => cell[9] = 1.0,
                b'N' => cell[5..9].fill(0.25),
                _ => {}
            }
        }
    }
    for (row, read) in order.into_iter().enumerate() {
        let shift = start - read_start(read);
        let mut mine: BTreeMap<i64, i64> = BTreeMap::new();
        let mut at = 0;
        for (op, length) in read.cigar.ops() {
            let length = i64::from(*length);
            let column = at - shift;
            if op.letter() == b'I' && open.contains_key(&column) {
                mine.insert(column, open[&column] - length);
            } else if op.letter() == b'D' {
                mine.insert(column, length);
            }
            if b"MISD".contains(&op.letter()) {
                at += length;
            }
        }
        for (column, length) in &open {
            mine.entry(*column).or_insert(*length);
        }
        let mut line: Vec<(u8, u8)> = read.bases[..read.bases.len().min(128)]
            .iter()
            .zip(&read.qualities)
            .map(|(base, quality)| (*base, *quality))
            .collect();
        if shift > 0 {
            line = line.into_iter().skip(shift as usize).collect();
        } else if shift < 0 {
            line = [vec![(b'~', 0); (-shift) as usize], line].concat();
        }
        for (column, length) in mine.iter().rev() {
            let stars = vec![(b'*', 0); (*length).max(0) as usize];
            if *column < 1 {
                line = [stars, line].concat();
            } else {
                let tail = line.split_off((*column as usize).min(line.len()));
                line = [line, stars, tail].concat();
            }
        }
        let (mut flag_start, mut flag_end) = (-1i64, 0i64);
        for (column, (letter, quality)) in line.iter().take(128).enumerate() {
            if *letter == b'~' {
                continue;
            } else if flag_start == -1 {
                flag_start = column as i64;
            } else {
                flag_end = column as i64;
            }
            let cell = &mut tensor[(row * 128 + column) * 15..][..15];
            match letter {
                b'*' => cell[4] = 1.0,
                b'N' => cell[..4].fill(0.25),
                letter => {
                    let p = 1.0 - 10f64.powf(-f64::from(*quality) / 10.0);
                    for (channel, base) in b"ACGT".iter().enumerate() {
                        cell[channel] = if base == letter { p } else { (1.0 - p) / 3.0 } as f32;
                    }
                }
            }
        }
        for column in flag_start.max(0)..flag_end {
            let cell = &mut tensor[(row * 128 + column as usize) * 15..][..15];
            for (channel, bit) in [0x10, 0x20, 0x40, 0x80].into_iter().enumerate() {
                cell[10 + channel] = f32::from(u8::from(read.flags.0 & bit != 0));
            }
            cell[14] = f32::from(read.mapping_quality) / 60.0;
        }
    }
    tensor
}

/// All 128 rows of an encoded tensor.
fn full(tensor: &ReadTensor) -> Vec<f32> {
    let mut floats = Vec::new();
    tensor.write_floats(&mut floats);
    assert_eq!(floats.len(), tensor.distinct_rows() * ReadTensor::ROW_LEN);
    while floats.len() < READ_LIMIT * ReadTensor::ROW_LEN {
        floats.extend_from_within(floats.len() - ReadTensor::ROW_LEN..);
    }
    floats
}

fn cigar() -> impl Strategy<Value = Cigar> {
    let inner = prop::collection::vec(
        (
            prop_oneof![
                6 => Just(CigarOp::Match),
                2 => Just(CigarOp::Insertion),
                2 => Just(CigarOp::Deletion),
                1 => Just(CigarOp::Equal),
                1 => Just(CigarOp::Diff),
                1 => Just(CigarOp::Skip),
                1 => Just(CigarOp::Pad),
            ],
            1u32..40,
        ),
        1..7,
    );
    (inner, 0u32..30, 0u32..30, 0u32..3).prop_map(|(mut ops, left, right, hard)| {
        if left > 10 {
            ops.insert(0, (CigarOp::SoftClip, left));
        }
        if hard > 1 {
            ops.insert(0, (CigarOp::HardClip, hard));
        }
        if right > 10 {
            ops.push((CigarOp::SoftClip, right));
        }
        Cigar(ops)
    })
}

fn read(contig_length: i64) -> impl Strategy<Value = AlignedRead> {
    (
        cigar(),
        0..contig_length,
        any::<u16>(),
        any::<u8>(),
        prop::collection::vec((prop::sample::select(b"ACGTN".to_vec()), 0u8..60), 300),
    )
        .prop_map(|(cigar, start, flags, mapping_quality, bases)| {
            let length = cigar.read_len() as usize;
            AlignedRead {
                start,
                flags: ReadFlags(flags & !0x4 | if start % 17 == 0 { 0x4 } else { 0 }),
                mapping_quality,
                bases: bases[..length].iter().map(|(base, _)| *base).collect(),
                qualities: bases[..length]
                    .iter()
                    .map(|(_, quality)| *quality)
                    .collect(),
                cigar: if start % 17 == 0 {
                    Cigar::default()
                } else {
                    cigar
                },
                ..AlignedRead::default()
            }
        })
}

fn allele() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ACGT".to_vec()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn equals_the_obvious_encoder(
        contig in prop::collection::vec(prop::sample::select(b"ACGTN".to_vec()), 20..400),
        at in 0.0f64..1.0,
        reference in allele(),
        alternate in allele(),
        reads in prop::collection::vec(read(400), 0..12),
    ) {
        let start = (at * contig.len() as f64) as u64;
        let variant = Variant {
            contig: "c".into(),
            start,
            end: start + reference.len() as u64,
            reference,
            alternates: vec![alternate],
        };
        let reads: Vec<Arc<AlignedRead>> = reads.into_iter().map(Arc::new).collect();
        let length = contig.len() as u64;
        let block = ReferenceBlock::new(0, contig.clone(), length);
        let tensor = ReadTensor::encode(&variant, &reads, &block);
        let (found, expected) = (full(&tensor), obvious(&variant, &reads, &contig));
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            prop_assert!(
                (found - expected).abs() < 1e-7,
                "row {} column {} channel {}: {found} instead of {expected}",
                at / ReadTensor::ROW_LEN, at / CHANNELS % WINDOW, at % CHANNELS
            );
        }
    }
}

fn simple_read(start: i64, ops: &[(CigarOp, u32)], letter: u8) -> Arc<AlignedRead> {
    let cigar = Cigar(ops.to_vec());
    let length = cigar.read_len() as usize;
    Arc::new(AlignedRead {
        start,
        flags: ReadFlags(0x1 | 0x10 | 0x40),
        mapping_quality: 60,
        cigar,
        bases: vec![letter; length],
        qualities: vec![30; length],
        ..AlignedRead::default()
    })
}

fn snp_at_500() -> (Variant, ReferenceBlock) {
    let variant = Variant {
        contig: "c".into(),
        start: 500,
        end: 501,
        reference: b"A".to_vec(),
        alternates: vec![b"C".to_vec()],
    };
    (variant, ReferenceBlock::new(400, vec![b'A'; 300], 10_000))
}

#[test]
fn a_long_read_is_cut_before_it_is_shifted() {
    let (variant, block) = snp_at_500();
    // The window begins at 436; 60 of the first 128 bases lie left of it, so 68 columns are left.
    let read = simple_read(376, &[(CigarOp::Match, 150)], b'C');
    let tensor = ReadTensor::encode(&variant, &[read], &block);
    let row = &tensor.rows[0];
    assert_eq!(
        row.letters.iter().filter(|letter| **letter == b'C').count(),
        68
    );
    assert_eq!((row.from, row.to), (0, 67), "flags end one column early");
}

#[test]
fn rows_are_sorted_by_base_then_start() {
    let (variant, block) = snp_at_500();
    let m = [(CigarOp::Match, 100)];
    let reads = [
        simple_read(450, &m, b'T'),
        simple_read(440, &m, b'C'),
        simple_read(460, &m, b'C'),
        simple_read(455, &m, b'A'),
    ];
    let tensor = ReadTensor::encode(&variant, &reads, &block);
    let found: Vec<(u8, u8)> = tensor
        .rows
        .iter()
        .map(|row| (row.letters[64], row.from))
        .collect();
    assert_eq!(found, [(b'A', 19), (b'C', 4), (b'C', 24), (b'T', 14)]);
}

#[test]
fn an_insertion_opens_columns_in_every_row() {
    let (variant, block) = snp_at_500();
    let inserted = simple_read(
        480,
        &[
            (CigarOp::Match, 20),
            (CigarOp::Insertion, 3),
            (CigarOp::Match, 20),
        ],
        b'C',
    );
    let plain = simple_read(480, &[(CigarOp::Match, 40)], b'G');
    let tensor = ReadTensor::encode(&variant, &[inserted, plain], &block);
    assert_eq!(&tensor.reference[63..68], b"A***A");
    assert_eq!(&tensor.rows[0].letters[63..68], b"CCCCC");
    assert_eq!(&tensor.rows[1].letters[63..68], b"G***G");
}

#[test]
fn permuted_ambiguity_codes_are_copied() {
    assert_eq!(base_channels(b'R', 40), [0.5, 0.0, 0.0, 0.5]);
    assert_eq!(base_channels(b'K', 40), [0.0, 0.0, 0.5, 0.5]);
    assert_eq!(base_channels(b'=', 40), [0.0; 4]);
}
