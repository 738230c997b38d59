//! The sample against its own truth.

use proptest::prelude::*;

use super::*;
use crate::random::base;

fn regions(seed: u64, lengths: &[usize]) -> Vec<Region> {
    let mut random = stream(seed, 0);
    let mut start = 0;
    let mut regions = Vec::new();
    for length in lengths {
        let mut bases = Vec::new();
        while bases.len() < *length {
            bases.extend((0..30).map(|_| base(&mut random)));
            let unit = [base(&mut random), base(&mut random)];
            bases.extend(unit.repeat(bases.len() % 11));
        }
        bases.truncate(*length);
        start += 1_000;
        regions.push(Region {
            contig: "20".into(),
            start,
            bases,
        });
        start += *length as u64;
    }
    regions
}

fn options(seed: u64) -> GenomeOptions {
    GenomeOptions {
        seed,
        rates: Rates {
            snp: 0.01,
            indel: 0.005,
            multi: 0.001,
        },
        divergent_per_megabase: 100.0,
        long_per_megabase: 100.0,
        paralogues_per_megabase: 100.0,
        mosaics_per_megabase: 500.0,
        contamination: 0.03,
    }
}

/// The haplotype (0 or 1) that the text of a truth VCF describes, by the columns alone.
fn by_truth(region: &Region, truth: &[String], haplotype: usize) -> Vec<u8> {
    let mut bases = region.bases.clone();
    for line in truth.iter().rev() {
        let columns: Vec<&str> = line.split('\t').collect();
        let at = columns[1].parse::<u64>().unwrap() - 1 - region.start;
        let span = at as usize..at as usize + columns[3].len();
        assert_eq!(
            region.bases[span.clone()],
            *columns[3].as_bytes(),
            "REF of {line}"
        );
        let number: usize = columns[9]
            .split('|')
            .nth(haplotype)
            .unwrap()
            .parse()
            .unwrap();
        if number > 0 {
            let allele = columns[4].split(',').nth(number - 1).unwrap();
            bases.splice(span, allele.bytes());
        }
    }
    bases
}

fn position(line: &str) -> u64 {
    line.split('\t').nth(1).unwrap().parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_truth_applied_to_the_reference_gives_the_haplotypes(
        seed in any::<u64>(),
        length in 500usize..20_000,
    ) {
        let regions = regions(seed, &[700, length]);
        let made = simulate_region(&regions, 1, &GivenVariants::default(), &options(seed));
        for haplotype in 0..2 {
            let source = Source::Haplotype(haplotype as u8 + 1);
            let expected = by_truth(&regions[1], &made.truth, haplotype);
            prop_assert_eq!(&made.sequences[&source][0].bases, &expected);
        }
        prop_assert!(made.truth.iter().map(|line| position(line)).is_sorted_by(|a, b| a < b));
        prop_assert!(made.confident.is_sorted_by(|a, b| a.end < b.start));
        for range in &made.confident {
            prop_assert!(range.start >= regions[1].start + EDGE as u64);
            prop_assert!(range.end + EDGE as u64 <= regions[1].end());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_sample() {
    let regions = regions(5, &[60_000, 40_000]);
    let made = |options: &GenomeOptions, at| {
        let made = simulate_region(&regions, at, &GivenVariants::default(), options);
        (made.sequences, made.truth, made.confident)
    };
    assert_eq!(made(&options(1), 0), made(&options(1), 0));
    assert_ne!(made(&options(1), 0).1, made(&options(2), 0).1);
    assert_ne!(made(&options(1), 0).1.len(), 0);
    let mut fewer = options(1);
    fewer.paralogues_per_megabase = 0.0;
    fewer.contamination = 0.0;
    let (full, less) = (made(&options(1), 1), made(&fewer, 1));
    assert_eq!(full.1, less.1, "knobs of other parts change nothing");
    assert_eq!(full.2, less.2);
    let kinds = |sequences: &BTreeMap<Source, Vec<FastaRecord>>| {
        sequences.keys().map(Source::file_name).collect::<Vec<_>>()
    };
    assert!(kinds(&full.0).contains(&"contaminant2.fa".to_owned()));
    assert!(
        kinds(&less.0)
            .iter()
            .all(|name| name.starts_with("haplotype") || name.starts_with("mosaic"))
    );
}

#[test]
fn names_of_sequences_are_unique() {
    let regions = regions(6, &[300_000]);
    let made = simulate_region(&regions, 0, &GivenVariants::default(), &options(3));
    let records = made.sequences.values().flatten();
    let mut names: Vec<&str> = records.map(|record| record.name.as_str()).collect();
    let count = names.len();
    assert!(count > 100);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| !name.contains(' ')));
}

#[test]
fn mosaic_variants_are_not_judged() {
    let regions = regions(7, &[200_000]);
    let mut none = options(4);
    none.mosaics_per_megabase = 0.0;
    let given = GivenVariants::default();
    let whole = simulate_region(&regions, 0, &given, &none).confident;
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0], regions[0].start + 300..regions[0].end() - 300);
    let made = simulate_region(&regions, 0, &given, &options(4));
    let count: usize = made
        .sequences
        .iter()
        .filter(|(source, _)| matches!(source, Source::Mosaics(_)))
        .map(|(_, records)| records.len())
        .sum();
    assert!((70..135).contains(&count), "{count}");
    let judged: u64 = made
        .confident
        .iter()
        .map(|range| range.end - range.start)
        .sum();
    let left_out = whole[0].end - whole[0].start - judged;
    assert!(
        left_out >= count as u64 * 18 && left_out <= count as u64 * 60,
        "{left_out}"
    );
}

#[test]
fn shares_add_up() {
    let of = |source: Source| source.share(0.02);
    let all = [Source::Haplotype, Source::Contaminant].map(|kind| of(kind(1)) + of(kind(2)));
    assert!((all[0] - 0.98).abs() < 1e-12 && (all[1] - 0.02).abs() < 1e-12);
    assert!((of(Source::Paralogues(1)) - 0.5).abs() < 1e-12);
    let text = mixture_text([Source::Haplotype(1), Source::Mosaics(5)], 0.02);
    assert_eq!(
        text,
        "file\tshare\nhaplotype1.fa\t0.490000\nmosaic_05.fa\t0.052632\n"
    );
    assert!(Source::all().is_sorted_by(|a, b| a < b));
    assert_eq!(Source::all().count(), 13);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let mut wrong = options(1);
    wrong.contamination = 0.7;
    let message = wrong.check().unwrap_err().to_string();
    assert!(message.contains("--contamination is 0.7"), "{message}");
    wrong = options(1);
    wrong.rates.indel = f64::NAN;
    assert!(wrong.check().is_err());
    options(1).check().unwrap();
}
