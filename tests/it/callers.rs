//! Calls of any caller: what is scored, what is left alone and why, and that nothing else changes.
//!
//! The files stand in `tests/data/callers`, whose README says who made them. The table below is the one statement of what
//! becomes of their records; docs/src/formats/vcf.md has it in words.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::*;

/// The reasons as the summary prints them.
const NO_ALT: &str = "no ALT allele";
const NO_BASES: &str = "no ALT spelled in bases (symbolic, breakend or `*` only)";
const TELOMERE: &str = "POS is 0";
const NO_CONTIG: &str = "contig not in the reference";

/// INFO keys that a model may fill.
const KEYS: [&str; 4] = ["CNN_1D", "CNN_2D", "CNN_AS", "CNN_PROB"];

/// Fate of the records of one file.
struct Case {
    file: &'static str,
    records: u64,
    scored: u64,
    left_alone: &'static [(&'static str, u64)],
    /// Of those scored: records whose only ALT in bases is REF again. Our models have nothing to say about them and leave them
    /// alone with [`NO_BASES`]; GATK's networks score them, as GATK does.
    repeats_reference: u64,
}

const fn case(
    file: &'static str,
    records: u64,
    scored: u64,
    left_alone: &'static [(&'static str, u64)],
) -> Case {
    Case {
        file,
        records,
        scored,
        left_alone,
        repeats_reference: 0,
    }
}

const CASES: [Case; 32] = [
    case("gatk.all_sites.vcf", 51, 1, &[(NO_ALT, 49), (NO_BASES, 1)]),
    case("gatk.bp_resolution.vcf", 60, 2, &[(NO_BASES, 58)]),
    case("gatk.cohort.vcf", 25, 25, &[]),
    case("gatk.genotypegvcfs.vcf", 22, 22, &[]),
    case("gatk.gvcf.vcf", 107, 5, &[(NO_BASES, 102)]),
    case("gatk.haploid.vcf", 13, 13, &[]),
    case("gatk.haplotypecaller.vcf", 14, 14, &[]),
    case("gatk.mnp.vcf", 6, 6, &[]),
    case("gatk.tetraploid.vcf", 27, 27, &[]),
    case("freebayes.cohort.vcf", 6, 6, &[]),
    case("freebayes.gvcf.vcf", 23, 6, &[(NO_BASES, 17)]),
    case("freebayes.haploid.vcf", 6, 6, &[]),
    case("freebayes.triploid.vcf", 6, 6, &[]),
    case("freebayes.vcf", 12, 12, &[]),
    case("bcftools.all_sites.vcf", 61, 3, &[(NO_ALT, 58)]),
    case("bcftools.consensus.vcf", 22, 22, &[]),
    case("bcftools.gvcf.vcf", 25, 10, &[(NO_ALT, 15)]),
    case("bcftools.haploid_cohort.vcf", 14, 14, &[]),
    case("bcftools.mpileup.vcf", 61, 3, &[(NO_BASES, 58)]),
    case("bcftools.vcf", 22, 22, &[]),
    case("deepvariant.gvcf.vcf", 7, 3, &[(NO_BASES, 4)]),
    case("deepvariant.vcf", 10, 10, &[]),
    case("strelka.germline.vcf", 9, 8, &[(NO_BASES, 1)]),
    case("strelka.gvcf.vcf", 7, 2, &[(NO_ALT, 5)]),
    case("strelka.somatic.indels.vcf", 2, 2, &[]),
    case("strelka.somatic.snvs.vcf", 3, 2, &[(NO_ALT, 1)]),
    case("octopus.vcf", 8, 6, &[(NO_BASES, 2)]),
    case("dragen.gvcf.vcf", 3, 1, &[(NO_BASES, 2)]),
    case("dragen.ploidy.vcf", 2, 0, &[(NO_ALT, 1), (NO_BASES, 1)]),
    case("dragen.vcf", 8, 8, &[]),
    case("structural.vcf", 14, 3, &[(NO_BASES, 11)]),
    Case {
        repeats_reference: 1,
        ..case(
            "letters.vcf",
            20,
            16,
            &[(NO_ALT, 1), (NO_BASES, 1), (NO_CONTIG, 1), (TELOMERE, 1)],
        )
    },
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/callers")
        .join(name)
}

/// A record without what a run may add: the INFO keys of ours, and FORMAT `CNN`.
pub(crate) fn bare(line: &str) -> String {
    let mut columns: Vec<String> = line.split('\t').map(String::from).collect();
    let kept: Vec<&str> = columns[7]
        .split(';')
        .filter(|entry| !KEYS.contains(&entry.split('=').next().unwrap()))
        .collect();
    columns[7] = if kept.is_empty() {
        ".".to_owned()
    } else {
        kept.join(";")
    };
    let at = columns
        .get(8)
        .and_then(|format| format.split(':').position(|key| key == "CNN"));
    if let Some(at) = at {
        for column in &mut columns[8..] {
            let mut fields: Vec<&str> = column.split(':').collect();
            if at < fields.len() {
                fields.remove(at);
            }
            *column = fields.join(":");
        }
    }
    columns.join("\t")
}

/// The counts of a summary: what is said in front of the last number of each line.
fn counts(message: &str) -> Vec<(&str, u64)> {
    message
        .lines()
        .filter_map(|line| line.strip_prefix("cnnfilter: "))
        .filter_map(|line| {
            let (what, count) = line.trim().rsplit_once(' ')?;
            Some((what.trim(), count.parse().ok()?))
        })
        .collect()
}

/// True where the caller spelled the ALT in bases and it is another than REF.
fn is_spelled(reference: &str, alternate: &str) -> bool {
    alternate.bytes().all(|letter| letter.is_ascii_alphabetic())
        && !alternate.eq_ignore_ascii_case(reference)
}

/// Checks one run against the table.
fn check(case: &Case, key: &str, ours: bool, output: Output) {
    let context = format!("{} with {key}, ours: {ours}", case.file);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let scored_lines = records(&succeed(output));
    let lines = records(&std::fs::read(file(case.file)).unwrap());
    assert_eq!(lines.len() as u64, case.records, "{context}");

    // Every record, in order, and nothing of it changed but our keys.
    assert_eq!(scored_lines.len(), lines.len(), "{context}");
    let mut with_score = 0;
    for (before, after) in lines.iter().zip(&scored_lines) {
        assert_eq!(&bare(after), before, "{context}");
        let Some(score) = info(after, key) else {
            assert_eq!(after, before, "{context}: it has no score");
            continue;
        };
        with_score += 1;
        assert!(
            score.parse::<f64>().unwrap().abs() < 16.2,
            "{context}: {after}"
        );
        if ours {
            let columns: Vec<&str> = after.split('\t').collect();
            let expected: Vec<bool> = columns[4]
                .split(',')
                .map(|alternate| is_spelled(columns[3], alternate))
                .collect();
            let found: Vec<bool> = info(after, "CNN_AS")
                .unwrap()
                .split(',')
                .map(|score| score != ".")
                .collect();
            assert_eq!(found, expected, "{context}: {after}");
            let probability: f64 = info(after, "CNN_PROB").unwrap().parse().unwrap();
            assert!((0.0..=1.0).contains(&probability), "{context}: {after}");
        }
    }

    // The summary says the same, and accounts for every record.
    let mut left_alone: Vec<(&str, u64)> = case.left_alone.to_vec();
    let mut scored = case.scored;
    if ours && case.repeats_reference > 0 {
        scored -= case.repeats_reference;
        let no_bases = left_alone
            .iter_mut()
            .find(|(reason, _)| *reason == NO_BASES);
        no_bases.unwrap().1 += case.repeats_reference;
    }
    assert_eq!(with_score, scored, "{context}");
    let counts = counts(&message);
    let sum_of = |prefix: &str| -> u64 {
        counts
            .iter()
            .filter(|(what, _)| what.starts_with(prefix))
            .map(|(_, count)| count)
            .sum()
    };
    assert_eq!(sum_of("records read"), case.records, "{context}");
    assert_eq!(sum_of("records written"), case.records, "{context}");
    assert_eq!(sum_of(&format!("scored ({key})")), scored, "{context}");
    let mut found: Vec<(&str, u64)> = counts
        .iter()
        .filter_map(|(what, count)| Some((what.strip_prefix("not scored: ")?, *count)))
        .collect();
    found.sort_unstable();
    left_alone.sort_unstable();
    assert_eq!(found, left_alone, "{context}");
    let skipped: u64 = found.iter().map(|(_, count)| count).sum();
    assert_eq!(scored + skipped, case.records, "{context}");
}

fn run(case: &Case, model: Option<&Path>, more: &[&str]) -> Output {
    let (variants, reference) = (file(case.file), demo("ref.fa"));
    let mut arguments = vec!["score", "-V", text(&variants), "-R", text(&reference)];
    if let Some(model) = model {
        arguments.extend(["--model", text(model)]);
    }
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// Runs a model with the demo's reads. Of several samples they are the first one's.
fn run_with_reads(case: &Case, model: Option<&Path>) -> Output {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let calls = std::fs::read_to_string(file(case.file)).unwrap();
    let names = calls.lines().find(|line| line.starts_with("#CHROM"));
    let samples: Vec<&str> = names.unwrap().split('\t').skip(9).collect();
    if let [first, _, ..] = samples[..] {
        let map = lab.file("map.tsv", format!("{first}\treads.bam\n"));
        return run(case, model, &["-I", text(&bam), "--sample-map", text(&map)]);
    }
    run(case, model, &["-I", text(&bam)])
}

#[test]
fn the_built_in_model_with_reads_does_what_the_table_says() {
    for case in &CASES {
        check(case, "CNN_2D", true, run_with_reads(case, None));
    }
}

#[test]
fn the_built_in_model_without_reads_does_what_the_table_says() {
    for case in &CASES {
        check(case, "CNN_1D", true, run(case, None, &[]));
    }
}

#[test]
fn networks_of_gatk_do_what_the_table_says() {
    let lab = Lab::new();
    let (one, two) = (lab.model_1d(), lab.model_2d());
    for case in &CASES {
        check(case, "CNN_1D", false, run(case, Some(&one), &[]));
    }
    // The network over reads is slow, and the records are read as for the others.
    for case in CASES.iter().step_by(4) {
        check(case, "CNN_2D", false, run_with_reads(case, Some(&two)));
    }
}

#[test]
fn the_table_has_every_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/callers");
    let mut found: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".vcf"))
        .collect();
    found.sort();
    let mut expected: Vec<&str> = CASES.iter().map(|case| case.file).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// The same records stay whole on their way through FILTER as well.
#[test]
fn filter_changes_filter_only() {
    for case in &CASES {
        let lines = records(&std::fs::read(file(case.file)).unwrap());
        let filtered = records(&succeed(run(case, None, &["--filter"])));
        assert_eq!(filtered.len(), lines.len(), "{}", case.file);
        for (before, after) in lines.iter().zip(&filtered) {
            let after = bare(after);
            let mut columns: Vec<&str> = after.split('\t').collect();
            if info(&after, "CNN_1D").is_none() {
                columns[6] = before.split('\t').nth(6).unwrap();
            }
            assert_eq!(columns.join("\t"), *before, "{}", case.file);
        }
    }
}
