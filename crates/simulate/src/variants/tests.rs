//! Numbers and kinds of drawn variants on made-up sequence.

use super::*;
use crate::random::stream;

/// Even sequence with runs of up to 20 As and up to 15 CAs.
fn sequence(length: usize) -> Vec<u8> {
    let mut random = stream(99, 0);
    let mut bases = Vec::with_capacity(length + 100);
    while bases.len() < length {
        bases.extend((0..200).map(|_| base(&mut random)));
        let copies = random.random_range(6..=20usize);
        if chance(&mut random, 0.5) {
            bases.extend(b"A".repeat(copies));
        } else {
            bases.extend(b"CA".repeat(copies.min(15)));
        }
    }
    bases
}

fn drawn(bases: &[u8], counts: Counts) -> Diploid {
    let mut sample = Diploid::default();
    VariantModel::new(bases).fill(&mut stream(3, 0), counts, &mut sample);
    sample
}

const COUNTS: Counts = Counts {
    snps: 8_000,
    indels: 2_000,
    multi: 300,
};

#[test]
fn there_are_as_many_as_asked_for() {
    let bases = sequence(1_000_000);
    let sample = drawn(&bases, COUNTS);
    assert_eq!(Counts::of(sample.records()), COUNTS);
    for record in sample.records() {
        let change = &record.change;
        assert_eq!(bases[change.range()], change.reference);
        assert_eq!(change.clone().normalised(&bases).as_ref(), Some(change));
        assert!(is_inside(change, bases.len()));
        for allele in &change.alternates {
            assert!(allele.len().abs_diff(change.reference.len()) <= MAX_INDEL);
        }
    }
    let homozygous = sample.records().filter(|r| r.genotype == [1, 1]).count();
    let part = homozygous as f64 / sample.len() as f64;
    assert!((part - HOMOZYGOUS).abs() < 0.02, "{part}");
}

#[test]
fn a_crowded_region_ends_with_fewer() {
    let bases = sequence(2_000);
    let counts = Counts {
        snps: 10_000,
        ..Counts::default()
    };
    let sample = drawn(&bases, counts);
    assert!(
        sample.len() > 1_000 && sample.len() <= bases.len(),
        "{}",
        sample.len()
    );
    assert_eq!(
        drawn(&bases[..15], counts).len(),
        0,
        "no place far from both ends"
    );
}

#[test]
fn transitions_are_as_frequent_as_in_human_genomes() {
    let bases = sequence(2_000_000);
    let snps = Counts {
        snps: 30_000,
        ..Counts::default()
    };
    let sample = drawn(&bases, snps);
    let (mut transitions, mut at_cpg, mut elsewhere) = (0, 0, 0);
    for record in sample.records() {
        let at = record.change.start;
        if record.change.alternates[0] != [transition(bases[at])] {
            continue;
        }
        transitions += 1;
        match (bases[at - 1], bases[at], bases[at + 1]) {
            (_, b'C', b'G') | (b'C', b'G', _) => at_cpg += 1,
            _ => elsewhere += 1,
        }
    }
    let ratio = f64::from(transitions) / (sample.len() as f64 - f64::from(transitions));
    // Neighbours of variants are put anywhere, which blurs both numbers a little.
    assert!((ratio / TI_TV - 1.0).abs() < 0.08, "{ratio}");
    let cpg = bases.windows(2).filter(|pair| *pair == b"CG").count() as f64 * 2.0;
    let per_place = f64::from(at_cpg) / cpg;
    let others = f64::from(elsewhere) / (bases.len() as f64 - cpg);
    let factor = per_place / others;
    assert!((6.5..8.5).contains(&factor), "{factor}");
}

#[test]
fn half_of_the_indels_change_units_of_repeats_long_ones_more_often() {
    let bases = sequence(1_000_000);
    let model = VariantModel::new(&bases);
    let mut random = stream(4, 0);
    let (mut in_units, mut long, mut short) = (0, 0, 0);
    let drawn = 4_000;
    for _ in 0..drawn {
        let Some(change) = model.indel(&mut random) else {
            continue;
        };
        let repeat = model
            .repeats
            .iter()
            .find(|r| r.span.start == change.start + 1);
        let Some(repeat) = repeat else { continue };
        let is_whole = |allele: &Vec<u8>| {
            let changed = allele.len().abs_diff(change.reference.len());
            changed.is_multiple_of(repeat.unit)
        };
        if change.alternates.iter().all(is_whole) {
            in_units += 1;
            if repeat.unit == 1 {
                *if repeat.copies() > 13 {
                    &mut long
                } else {
                    &mut short
                } += 1;
            }
        }
    }
    let part = f64::from(in_units) / f64::from(drawn);
    // A few of the others fall on repeats by chance.
    assert!((0.46..0.58).contains(&part), "{part}");
    // Lengths 6 to 20 are equally frequent.
    assert!(long > 3 * short, "{long} {short}");
}

#[test]
fn some_sites_have_two_alternates_one_on_each_haplotype() {
    let bases = sequence(1_000_000);
    let sample = drawn(&bases, COUNTS);
    let mut kinds = [0, 0];
    for record in sample.records() {
        if let [first, second] = &record.change.alternates[..] {
            assert_ne!(first, second);
            let mut genotype = record.genotype;
            genotype.sort_unstable();
            assert_eq!(genotype, [1, 2]);
            kinds[usize::from(record.change.is_indel())] += 1;
        }
    }
    assert!(kinds[0] > 5 && kinds[1] > 20, "{kinds:?}");
}

#[test]
fn some_are_close_neighbours() {
    let bases = sequence(1_000_000);
    let sample = drawn(
        &bases,
        Counts {
            snps: 1_000,
            ..Counts::default()
        },
    );
    let places: Vec<usize> = sample.records().map(|r| r.change.start).collect();
    let close = places
        .windows(2)
        .filter(|p| p[1] - p[0] <= CLUSTER_REACH)
        .count();
    // By chance alone one in a hundred would be.
    assert!((30..100).contains(&close), "{close}");
}
