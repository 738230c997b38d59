//! `score` with the models inside the program.

use std::path::Path;
use std::process::Output;

use crate::support::*;

/// Runs `score` on the demo reference without naming a model.
fn score_by_default(variants: &Path, more: &[&str]) -> Output {
    let reference = demo("ref.fa");
    let mut arguments = vec!["score", "-V", text(variants), "-R", text(&reference)];
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// The arguments for reads or none, and the key of the model's score.
fn both() -> [(Vec<String>, &'static str); 2] {
    let bam = text(&demo("reads.bam")).to_owned();
    [
        (vec!["-I".to_owned(), bam], "CNN_2D"),
        (Vec::new(), "CNN_1D"),
    ]
}

fn arguments<'a>(first: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    first
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect()
}

fn header(vcf: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(vcf)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(String::from)
        .collect()
}

/// CHROM, POS, REF, ALT and FILTER of each record.
fn filters(vcf: &[u8]) -> Vec<[String; 5]> {
    records(vcf)
        .iter()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            [0, 1, 3, 4, 6].map(|at| columns[at].to_owned())
        })
        .collect()
}

#[test]
fn every_callers_records_get_score_scores_of_alleles_and_probability() {
    for (reads, key) in both() {
        for calls in ["calls.vcf", "calls.freebayes.vcf", "calls.bcftools.vcf"] {
            let scored = succeed(score_by_default(&demo(calls), &arguments(&reads, &[])));
            for definition in [
                format!("##INFO=<ID={key},Number=1,Type=Float,"),
                "##INFO=<ID=CNN_AS,Number=A,Type=Float,".to_owned(),
                "##INFO=<ID=CNN_PROB,Number=1,Type=Float,".to_owned(),
                "##cnnfilterModel=<ID=cnnfilter_".to_owned(),
            ] {
                let lines = header(&scored);
                let count = lines
                    .iter()
                    .filter(|line| line.starts_with(&definition))
                    .count();
                assert_eq!(count, 1, "{definition}");
            }
            let lines = records(&scored);
            assert_eq!(
                lines.len(),
                records(&std::fs::read(demo(calls)).unwrap()).len()
            );
            let mut scores = Vec::new();
            for line in &lines {
                let score: f64 = info(line, key).expect(line).parse().unwrap();
                assert!(score.abs() < 16.2, "{line}");
                let alternates: Vec<&str> = line.split('\t').nth(4).unwrap().split(',').collect();
                let each: Vec<&str> = info(line, "CNN_AS").expect(line).split(',').collect();
                assert_eq!(each.len(), alternates.len(), "{line}");
                for (value, alternate) in each.iter().zip(&alternates) {
                    assert_eq!(*value == ".", *alternate == "*", "{line}");
                }
                let best = each
                    .iter()
                    .filter_map(|value| value.parse::<f64>().ok())
                    .fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(score, best, "the site's score is its best ALT's: {line}");
                let probability: f64 = info(line, "CNN_PROB").expect(line).parse().unwrap();
                assert!((0.0..=1.0).contains(&probability), "{line}");
                scores.push(info(line, key).unwrap());
            }
            scores.sort_unstable();
            scores.dedup();
            assert!(
                scores.len() > 100,
                "{calls}: {} different scores",
                scores.len()
            );
        }
    }
}

#[test]
fn within_a_type_a_higher_score_is_a_higher_probability() {
    for (reads, key) in both() {
        let scored = succeed(score_by_default(
            &demo("calls.vcf"),
            &arguments(&reads, &[]),
        ));
        for wants_indels in [false, true] {
            let mut pairs: Vec<(f64, f64)> = records(&scored)
                .iter()
                .filter(|line| {
                    let columns: Vec<&str> = line.split('\t').collect();
                    let is_indel = columns[3].len() != columns[4].len();
                    !columns[4].contains(',') && is_indel == wants_indels
                })
                .map(|line| {
                    [key, "CNN_PROB"].map(|key| info(line, key).unwrap().parse::<f64>().unwrap())
                })
                .map(|[score, probability]| (score, probability))
                .collect();
            assert!(pairs.len() > 20, "{}", pairs.len());
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            for pair in pairs.windows(2) {
                let rises = pair[0].1 <= pair[1].1;
                assert!(rises, "{key}, indels {wants_indels}: {pair:?}");
            }
        }
    }
}

#[test]
fn names_say_the_same_as_the_default_and_unknown_ones_list_them() {
    for ((reads, _), name) in both()
        .into_iter()
        .zip(["cnnfilter_reads", "cnnfilter_reference"])
    {
        let run = |more: &[&str]| {
            succeed(score_by_default(
                &demo("calls.vcf"),
                &arguments(&reads, more),
            ))
        };
        assert!(run(&[]) == run(&["--model", name]), "{name}");
    }
    let message = fail(score_by_default(
        &demo("calls.vcf"),
        &["--model", "gatk-1d"],
    ));
    for part in ["gatk-1d", "cnnfilter_reads, cnnfilter_reference"] {
        assert!(message.contains(part), "{message}");
    }
    let run = score_by_default(&demo("calls.vcf"), &["--model", "cnnfilter_reads"]);
    let message = fail(run);
    assert!(
        message.contains("scores from reads: give them with -I"),
        "{message}"
    );
}

#[test]
fn threads_batches_and_scatter_change_nothing() {
    let lab = Lab::new();
    let bed = lab.file("b.bed", "demo1\t4999\t17000\n");
    for (reads, key) in both() {
        let run = |more: &[&str]| {
            succeed(score_by_default(
                &demo("calls.vcf"),
                &arguments(&reads, more),
            ))
        };
        let whole = run(&["--threads", "1", "--batch-size", "1"]);
        for (threads, batch) in [("1", "1000"), ("2", "1"), ("2", "1000")] {
            let found = run(&["--threads", threads, "--batch-size", batch]);
            assert!(
                found == whole,
                "{key}: {threads} threads, batches of {batch}"
            );
        }
        let parts = [
            run(&["-L", "demo1:1-4999"]),
            run(&["-L", text(&bed)]),
            run(&["-L", "demo1:17,001-", "-L", "demo2"]),
        ];
        let mut together = Vec::new();
        for part in &parts {
            assert_eq!(header(part), header(&whole), "{key}");
            assert!(!records(part).is_empty());
            together.extend(records(part));
        }
        assert_eq!(together, records(&whole), "{key}");
    }
}

#[test]
fn running_twice_changes_nothing() {
    let lab = Lab::new();
    for (reads, key) in both() {
        let once = lab.path(&format!("{key}.vcf"));
        succeed(score_by_default(
            &demo("calls.vcf"),
            &arguments(&reads, &["-o", text(&once)]),
        ));
        let twice = succeed(score_by_default(&once, &arguments(&reads, &[])));
        assert!(twice == std::fs::read(&once).unwrap(), "{key}");
    }
}

#[test]
fn score_with_filter_is_score_and_then_filter() {
    let lab = Lab::new();
    for (reads, key) in both() {
        let scored = lab.path(&format!("{key}.vcf"));
        succeed(score_by_default(
            &demo("calls.vcf"),
            &arguments(&reads, &["-o", text(&scored)]),
        ));
        for aim in ["f1", "precision=0.9", "sensitivity=0.95"] {
            let more = arguments(&reads, &["--filter", "--aim", aim]);
            let at_once = succeed(score_by_default(&demo("calls.vcf"), &more));
            let then = program(&["filter", "-V", text(&scored), "--aim", aim])
                .output()
                .unwrap();
            let then = succeed(then);
            let found = filters(&at_once);
            assert_eq!(found, filters(&then), "{key}, {aim}");
            let definitions = |vcf: &[u8]| {
                let mut lines = header(vcf);
                lines.retain(|line| line.starts_with("##FILTER=<ID=CNN_"));
                lines.sort();
                lines
            };
            assert_eq!(definitions(&at_once), definitions(&then), "{key}, {aim}");
            let suffix = aim.to_ascii_uppercase().replace('=', "_");
            let names = ["SNP", "INDEL"].map(|kind| format!("CNN_LOW_{kind}_{suffix}"));
            let passed = found.iter().filter(|record| record[4] == "PASS").count();
            let failed = found
                .iter()
                .filter(|record| names.contains(&record[4]))
                .count();
            assert_eq!(passed + failed, found.len(), "{key}, {aim}");
            assert!(passed > 0, "{key}, {aim}: nothing passes");
            // The demo holds 82 false calls, and neither model is blind to all of them.
            assert!(failed > 0, "{key}, {aim}: everything passes");
        }
    }
}

#[test]
fn a_model_without_thresholds_cannot_filter() {
    let lab = Lab::new();
    let output = lab.path("out.vcf");
    let run = score(
        &demo("calls.vcf"),
        &lab.model_1d(),
        &["--filter", "-o", text(&output)],
    );
    let message = fail(run);
    assert!(message.contains("has no thresholds"), "{message}");
    assert!(!output.exists());
}
