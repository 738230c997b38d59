use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::genome::CigarOp::{self, Deletion, Insertion, Match, SoftClip};
use crate::genome::{AlignedRead, Cigar, Edit, ReadFlags, ReadSink, ReferenceBlock};

/// Random bases.
fn bases(count: usize, seed: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| b"ACGT"[random.random_range(0..4)])
        .collect()
}

fn read(start: i64, cigar: &[(CigarOp, u32)], bases: &[u8]) -> AlignedRead {
    AlignedRead {
        start,
        mapping_quality: 60,
        cigar: Cigar(cigar.to_vec()),
        bases: bases.to_vec(),
        qualities: vec![30; bases.len()],
        ..AlignedRead::default()
    }
}

/// The candidates of a whole contig.
fn found(contig: &[u8], reads: &[AlignedRead]) -> Vec<CandidateSite> {
    let length = contig.len() as u64;
    let block = ReferenceBlock::new(0, contig.to_vec(), length);
    let options = CandidateOptions::default();
    let mut sweep = SampleSweep::new(0..length, &block, options);
    let mut reads = reads.to_vec();
    reads.sort_by_key(|read| read.start);
    for read in reads {
        sweep.offer(read.start, read.end(), || read.clone());
    }
    candidates(vec![sweep], 0..length, &block, &options)
}

/// POS, REF>ALT, and reads of REF and of the ALTs.
fn texts(sites: &[CandidateSite]) -> Vec<String> {
    let text = |site: &CandidateSite| {
        let bases = |bases: &[u8]| String::from_utf8_lossy(bases).into_owned();
        let alternates: Vec<String> = site.alternates.iter().map(|one| bases(one)).collect();
        let sample = &site.samples[0];
        let depths: Vec<u32> = std::iter::once(&sample.reference)
            .chain(&sample.alternates)
            .map(|strands| strands.iter().sum())
            .collect();
        format!(
            "{} {}>{} {depths:?} of {}",
            site.start + 1,
            bases(&site.reference),
            alternates.join(","),
            sample.depth
        )
    };
    sites.iter().map(text).collect()
}

/// `count` reads of the contig with one base changed.
fn with_base(contig: &[u8], at: usize, base: u8, count: usize) -> Vec<AlignedRead> {
    let start = at - 40;
    let mut changed = contig[start..start + 100].to_vec();
    changed[40] = base;
    vec![read(start as i64, &[(Match, 100)], &changed); count]
}

#[test]
fn enough_reads_of_good_quality_make_a_candidate() {
    let mut contig = bases(400, 1);
    contig[200] = b'A';
    let plain = with_base(&contig, 200, b'A', 10);
    let reads = |carriers: Vec<AlignedRead>| [plain.clone(), carriers].concat();
    let sites = found(&contig, &reads(with_base(&contig, 200, b'G', 3)));
    assert_eq!(texts(&sites), ["201 A>G [10, 3] of 13"]);
    assert_eq!(sites[0].samples[0].reference, [10, 0]);
    assert_eq!(
        sites[0].vcf_line("c"),
        "c\t201\t.\tA\tG\t.\t.\tDP=13\tGT:DP:AD:VAF:SB\t./.:13:10,3:0.2308:10,0,3,0"
    );
    // One read, too small a share, bases or a place of low quality, another alignment of a read.
    assert!(found(&contig, &reads(with_base(&contig, 200, b'G', 1))).is_empty());
    let many = [
        plain.clone(),
        plain.clone(),
        with_base(&contig, 200, b'G', 2),
    ]
    .concat();
    assert!(found(&contig, &many).is_empty());
    let mut carriers = with_base(&contig, 200, b'G', 3);
    carriers[0].qualities[40] = 9;
    carriers[1].mapping_quality = 4;
    carriers[2].flags = ReadFlags(0x800);
    assert!(found(&contig, &reads(carriers)).is_empty());
}

#[test]
fn alleles_of_one_position_are_one_record() {
    let mut contig = bases(400, 2);
    contig[199..202].copy_from_slice(b"CAG");
    let carriers = [
        with_base(&contig, 200, b'G', 3),
        with_base(&contig, 200, b'T', 4),
        with_base(&contig, 200, b'A', 5),
    ];
    let sites = found(&contig, &carriers.concat());
    assert_eq!(texts(&sites), ["201 A>G,T [5, 3, 4] of 12"]);
}

#[test]
fn the_reads_of_a_fragment_count_once() {
    let mut contig = bases(400, 3);
    contig[200] = b'A';
    let pair = |first: u8, second: u8, qualities: [u8; 2], name: u64| {
        let mut reads = [
            with_base(&contig, 200, first, 1).remove(0),
            with_base(&contig, 200, second, 1).remove(0),
        ];
        for (at, read) in reads.iter_mut().enumerate() {
            read.flags = ReadFlags(if at == 0 { 0x63 } else { 0x93 });
            read.name = name;
            read.qualities[40] = qualities[at];
        }
        reads.to_vec()
    };
    let agree: Vec<_> = (0..4)
        .flat_map(|name| pair(b'G', b'G', [30, 20], name))
        .collect();
    assert_eq!(texts(&found(&contig, &agree)), ["201 A>G [0, 4] of 4"]);
    // The base of higher quality counts, whichever read it is in.
    let differ: Vec<_> = (0..2)
        .flat_map(|name| pair(b'G', b'A', [30, 20], name))
        .chain((2..6).flat_map(|name| pair(b'G', b'A', [20, 30], name)))
        .collect();
    assert_eq!(texts(&found(&contig, &differ)), ["201 A>G [4, 2] of 6"]);
}

#[test]
fn a_gap_that_only_the_second_read_shows_counts_its_fragment_once() {
    let contig = bases(400, 9);
    // The first read ends with the base in front of the deletion, which it has seen better.
    let pair = |name: u64| {
        let mut reads = [
            read(120, &[(Match, 81)], &contig[120..201]),
            read(
                150,
                &[(Match, 51), (Deletion, 3), (Match, 49)],
                &[&contig[150..201], &contig[204..253]].concat(),
            ),
        ];
        reads[1].qualities[50] = 20;
        for (read, flags) in reads.iter_mut().zip([0x41, 0x81]) {
            (read.name, read.flags, read.template_length) = (name, ReadFlags(flags), 133);
        }
        reads.to_vec()
    };
    let sites = found(&contig, &[pair(1), pair(2), pair(3)].concat());
    assert_eq!(sites.len(), 1);
    let sample = &sites[0].samples[0];
    assert_eq!((sample.depth, sample.reference), (3, [0, 0]), "{sites:?}");
    assert_eq!(sample.alternates, [[3, 0]]);
}

#[test]
fn indels_are_left_aligned_and_spellings_joined() {
    let contig = [bases(100, 4), b"GTACACACACACACTG".to_vec(), bases(100, 5)].concat();
    // Two bases of the repeat are missing; aligners put the gap anywhere.
    let sequence = [&contig[60..102], &contig[104..160]].concat();
    let at = |front: u32| {
        read(
            60,
            &[(Match, front), (Deletion, 2), (Match, 98 - front)],
            &sequence,
        )
    };
    let sites = found(&contig, &[at(42), at(46), at(50)]);
    assert_eq!(texts(&sites), ["102 TAC>T [0, 3] of 3"]);
}

#[test]
fn clipped_ends_show_deletions_and_insertions() {
    let contig = bases(600, 6);
    let deleted = [&contig[200..260], &contig[290..330]].concat();
    let right = read(200, &[(Match, 60), (SoftClip, 40)], &deleted);
    let left_bases = [&contig[220..260], &contig[290..350]].concat();
    let left = read(290, &[(SoftClip, 40), (Match, 60)], &left_bases);
    let sites = found(&contig, &[right.clone(), left]);
    let expected = Edit {
        start: 260,
        deleted: 30,
        inserted: Vec::new(),
    };
    let expected = expected.left_aligned(&contig[..]);
    assert_eq!(sites.len(), 1);
    assert_eq!(sites[0].start, expected.start - 1);
    assert_eq!(sites[0].samples[0].alternates, [[2, 0]]);

    let insertion = bases(18, 7);
    let inserted = [&contig[200..260], &insertion, &contig[260..282]].concat();
    let carrier = read(200, &[(Match, 60), (SoftClip, 40)], &inserted);
    // The end may be laid over the reference with many differences instead.
    let forced = read(200, &[(Match, 100)], &inserted);
    for pair in [[carrier.clone(), carrier.clone()], [carrier, forced]] {
        let sites = found(&contig, &pair);
        let gaps: Vec<&CandidateSite> = sites
            .iter()
            .filter(|site| site.reference.len() == 1 && site.alternates[0].len() == 19)
            .collect();
        assert_eq!(gaps.len(), 1, "{:?}", texts(&sites));
        assert_eq!(gaps[0].samples[0].alternates, [[2, 0]]);
        assert_eq!(sites.len(), 1, "{:?}", texts(&sites));
    }
    assert!(found(&contig, &[right]).is_empty());
}

#[test]
fn piles_of_clips_show_an_insertion_that_no_read_spans() {
    let contig = bases(600, 8);
    let insertion = bases(50, 9);
    let haplotype = [&contig[..300], &insertion, &contig[300..]].concat();
    let mut reads = Vec::new();
    for tail in [32, 35, 38] {
        let end = 300 + tail;
        reads.push(read(
            200 + tail as i64,
            &[(Match, 100 - tail as u32), (SoftClip, tail as u32)],
            &haplotype[end - 100..end],
        ));
        let start = 350 - tail;
        reads.push(read(
            300,
            &[(SoftClip, tail as u32), (Match, 100 - tail as u32)],
            &haplotype[start..start + 100],
        ));
    }
    let sites = found(&contig, &reads);
    assert_eq!(sites.len(), 1, "{:?}", texts(&sites));
    let edit = Edit {
        start: 300,
        deleted: 0,
        inserted: insertion,
    };
    let edit = edit.left_aligned(&contig[..]);
    let (start, reference, alternate) = edit.to_vcf(&contig[..]).unwrap();
    assert_eq!((sites[0].start, &sites[0].reference), (start, &reference));
    assert_eq!(sites[0].alternates, [alternate]);
    assert_eq!(sites[0].samples[0].alternates, [[6, 0]]);
}

#[test]
fn damaged_and_overhanging_reads_are_survived() {
    let contig = bases(120, 10);
    let mut short = read(10, &[(Match, 100)], &contig[10..60]);
    short.qualities.clear();
    let reads = [
        read(-5, &[(Match, 50)], &contig[..50]),
        read(100, &[(Match, 60)], &bases(60, 11)),
        read(
            110,
            &[(SoftClip, 30), (Match, 10), (SoftClip, 30)],
            &bases(70, 12),
        ),
        read(0, &[(SoftClip, 40), (Match, 10)], &bases(50, 13)),
        read(20, &[(Deletion, 5), (Insertion, 5)], &bases(5, 14)),
        short,
    ];
    let twice: Vec<AlignedRead> = reads.iter().chain(&reads).cloned().collect();
    for site in found(&contig, &twice) {
        assert!(site.start < 120);
    }
}

/// The haplotype with these changes, laid out over the contig: operation, base and position of each column.
fn laid_out(contig: &[u8], edits: &[Edit]) -> Vec<(CigarOp, u8, i64)> {
    let mut columns = Vec::new();
    for (at, base) in (0u64..).zip(contig) {
        let begins = edits.iter().find(|edit| edit.start == at);
        for inserted in begins
            .iter()
            .filter(|edit| edit.is_indel())
            .flat_map(|edit| &edit.inserted)
        {
            columns.push((Insertion, *inserted, at as i64));
        }
        let over = edits
            .iter()
            .find(|edit| (edit.start..edit.end()).contains(&at));
        match over {
            Some(edit) if edit.is_indel() => columns.push((Deletion, b'-', at as i64)),
            Some(edit) => columns.push((Match, edit.inserted[0], at as i64)),
            None => columns.push((Match, *base, at as i64)),
        }
    }
    columns
}

/// Reads of 100 columns, ten columns apart, those cut that begin or end in a gap.
fn tiled(columns: &[(CigarOp, u8, i64)]) -> Vec<AlignedRead> {
    let windows = columns.windows(100).step_by(10);
    windows
        .map(|window| {
            let is_gap = |column: &&(CigarOp, u8, i64)| column.0 != Match;
            let front = window.iter().take_while(is_gap).count();
            let back = window.iter().rev().take_while(is_gap).count();
            let kept = &window[front..100 - back];
            let mut cigar: Vec<(CigarOp, u32)> = Vec::new();
            for (op, ..) in kept {
                match cigar.last_mut() {
                    Some((last, count)) if last == op => *count += 1,
                    _ => cigar.push((*op, 1)),
                }
            }
            let bases: Vec<u8> = (kept.iter().filter(|column| column.0 != Deletion))
                .map(|column| column.1)
                .collect();
            read(kept[0].2, &cigar, &bases)
        })
        .collect()
}

proptest! {
    #[test]
    fn what_all_reads_show_is_found_and_nothing_else(
        seed in 0u64..1000,
        kinds in prop::collection::vec((0usize..3, 1usize..25), 1..6),
    ) {
        let contig = bases(1_000, seed);
        let edits: Vec<Edit> = (kinds.iter().zip((200u64..).step_by(120)))
            .map(|((kind, length), start)| match kind {
                0 => {
                    let other = match contig[start as usize] { b'A' => b'C', _ => b'A' };
                    Edit { start, deleted: 1, inserted: vec![other] }
                }
                1 => Edit { start, deleted: *length as u64, inserted: Vec::new() },
                _ => Edit { start, deleted: 0, inserted: bases(*length, seed + start) },
            })
            .collect();
        let reads = tiled(&laid_out(&contig, &edits));
        let mut expected: Vec<(u64, Vec<u8>, Vec<u8>)> = (edits.iter())
            .map(|edit| edit.left_aligned(&contig[..]).to_vcf(&contig[..]).unwrap())
            .collect();
        expected.sort();
        let sites = found(&contig, &reads);
        let spelled: Vec<(u64, Vec<u8>, Vec<u8>)> = (sites.iter())
            .map(|site| (site.start, site.reference.clone(), site.alternates[0].clone()))
            .collect();
        prop_assert_eq!(spelled, expected);

        // Tiles of another size give the same sites.
        let block = ReferenceBlock::new(0, contig.clone(), 1_000);
        let mut in_tiles = Vec::new();
        for start in (0..1_000).step_by(250) {
            let tile = start..start + 250;
            let options = CandidateOptions::default();
            let mut sweep = SampleSweep::new(tile.clone(), &block, options);
            for read in reads.iter().filter(|read| sweep.span().is_some_and(|span| span.overlaps(read.start, read.end()))).cloned().collect::<Vec<_>>() {
                sweep.offer(read.start, read.end(), || read.clone());
            }
            in_tiles.extend(candidates(vec![sweep], tile, &block, &options));
        }
        prop_assert_eq!(in_tiles, sites);
    }
}

/// The phases of a whole contig.
fn phased(contig: &[u8], reads: &[AlignedRead]) -> Vec<Option<Phase>> {
    let length = contig.len() as u64;
    let block = ReferenceBlock::new(0, contig.to_vec(), length);
    let options = CandidateOptions::default();
    let mut sweep = SampleSweep::new(0..length, &block, options).with_phase();
    let mut reads = reads.to_vec();
    reads.sort_by_key(|read| read.start);
    for read in reads {
        sweep.offer(read.start, read.end(), || read.clone());
    }
    let found = swept(vec![sweep], 0..length, &block, &options, None);
    assert_eq!(found.phases.len(), found.sites.len());
    found.phases.into_iter().map(|phases| phases[0]).collect()
}

/// A read of 100 bases with other bases at some places.
fn changed(contig: &[u8], start: usize, places: &[usize], name: u64) -> AlignedRead {
    let mut bases = contig[start..start + 100].to_vec();
    for place in places {
        let base = &mut bases[place - start];
        *base = if *base == b'A' { b'C' } else { b'A' };
    }
    AlignedRead {
        name,
        ..read(start as i64, &[(Match, 100)], &bases)
    }
}

fn phase(set: u64, is_second: bool) -> Option<Phase> {
    Some(Phase {
        set,
        alternate: 0,
        is_second,
    })
}

#[test]
fn fragments_that_show_two_sites_tell_their_phase() {
    let contig = bases(900, 8);
    let of = |copies: &[(usize, &[usize])]| -> Vec<AlignedRead> {
        let copies = copies.iter().enumerate();
        let four = copies.flat_map(|(at, (start, places))| {
            (0..4).map(move |copy| (4 * at + copy, *start, *places))
        });
        four.map(|(name, start, places)| changed(&contig, start, places, name as u64 + 1))
            .collect()
    };
    // 220 and 250 lie on one copy, 280 on the other; no read reaches 500.
    let far: &[(usize, &[usize])] = &[(450, &[500]), (450, &[])];
    let near: &[(usize, &[usize])] = &[(200, &[220, 250]), (200, &[280])];
    let reads = of(&[near, far].concat());
    assert_eq!(
        phased(&contig, &reads),
        [phase(220, true), phase(220, true), phase(220, false), None]
    );
    // Half of the reads say the opposite: nothing is known of the third, and the others stay.
    let both: &[(usize, &[usize])] = &[(200, &[220, 250, 280]), (200, &[280]), (200, &[])];
    let reads = of(&[near, both].concat());
    assert_eq!(
        phased(&contig, &reads),
        [phase(220, true), phase(220, true), None]
    );
}

#[test]
fn the_two_reads_of_a_fragment_are_one() {
    let contig = bases(900, 9);
    let pair = |name: u64, places: [&[usize]; 2]| {
        let flags = [0x1 | 0x2 | 0x20 | 0x40, 0x1 | 0x2 | 0x10 | 0x80];
        [(200, 0), (400, 1)].map(|(start, at)| AlignedRead {
            flags: ReadFlags(flags[at]),
            template_length: if at == 0 { 300 } else { -300 },
            ..changed(&contig, start, places[at], name)
        })
    };
    let cis = (0..3).flat_map(|at| pair(1 + at, [&[250], &[450]]));
    let plain = (0..3).flat_map(|at| pair(11 + at, [&[], &[]]));
    let reads: Vec<AlignedRead> = cis.chain(plain).collect();
    assert_eq!(
        phased(&contig, &reads),
        [phase(250, true), phase(250, true)]
    );
    let trans = (0..3).flat_map(|at| pair(1 + at, [&[250], &[]]));
    let other = (0..3).flat_map(|at| pair(11 + at, [&[], &[450]]));
    let reads: Vec<AlignedRead> = trans.chain(other).collect();
    assert_eq!(
        phased(&contig, &reads),
        [phase(250, true), phase(250, false)]
    );
}
