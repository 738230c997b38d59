//! Calls that are not sorted: an error, or with `--allow-unsorted` the same scores and filters in
//! the order of the input.

use std::path::Path;

use crate::support::*;

/// The demo's calls in an order that has nothing to do with their positions, contigs mixed.
fn shuffled(vcf: &str) -> String {
    let (header, records): (Vec<&str>, Vec<&str>) =
        vcf.lines().partition(|line| line.starts_with('#'));
    // 97 and the 274 records have no common divisor: each comes once.
    let order = (0..records.len()).map(|at| records[at * 97 % records.len()]);
    let lines: Vec<&str> = header.into_iter().chain(order).collect();
    lines.join("\n") + "\n"
}

fn run(command: &str, calls: &Path, more: &[&str]) -> Vec<u8> {
    let (reference, reads) = (demo("ref.fa"), demo("reads.bam"));
    let mut arguments = vec![command, "-V", text(calls)];
    if command == "score" {
        arguments.extend(["-R", text(&reference), "-I", text(&reads)]);
    }
    arguments.extend(more);
    succeed(program(&arguments).output().unwrap())
}

#[test]
fn scores_are_those_of_the_sorted_file_and_the_order_is_kept() {
    let lab = Lab::new();
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let mixed = lab.file("mixed.vcf", shuffled(&calls));
    let expected = shuffled(&String::from_utf8(run("score", &demo("calls.vcf"), &[])).unwrap());
    for (threads, batch) in [("1", "4096"), ("3", "50"), ("2", "1")] {
        let more = [
            "--allow-unsorted",
            "--threads",
            threads,
            "--batch-size",
            batch,
        ];
        let found = String::from_utf8(run("score", &mixed, &more)).unwrap();
        assert!(found == expected, "{threads} threads, batches of {batch}");
    }
}

#[test]
fn filters_are_those_of_the_sorted_file() {
    let lab = Lab::new();
    let sorted = lab.file("sorted.vcf", run("score", &demo("calls.vcf"), &[]));
    let scored = std::fs::read_to_string(&sorted).unwrap();
    let mixed = lab.file("mixed.vcf", shuffled(&scored));
    let truth = demo("truth.vcf.gz");
    for more in [&[][..], &["--resource", text(&truth)]] {
        let expected = String::from_utf8(run("filter", &sorted, more)).unwrap();
        assert!(expected.contains("\tPASS\t"), "{more:?}");
        let more: Vec<&str> = ["--allow-unsorted"].iter().chain(more).copied().collect();
        let found = String::from_utf8(run("filter", &mixed, &more)).unwrap();
        assert!(found == shuffled(&expected), "{more:?}");
    }
}

#[test]
fn an_index_is_made_for_what_is_sorted_only() {
    let lab = Lab::new();
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let target = lab.path("scored.vcf.gz");
    let run = |calls: &Path| {
        let more = ["--allow-unsorted", "-o", text(&target)];
        let output = score(calls, &lab.model_1d(), &more);
        let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
        succeed(output);
        (lab.path("scored.vcf.gz.tbi").exists(), warnings)
    };
    let (is_indexed, warnings) = run(&demo("calls.vcf"));
    assert!(
        is_indexed && !warnings.contains("out of order"),
        "{warnings}"
    );
    let mixed = lab.file("mixed.vcf", shuffled(&calls));
    // The index of the run before would point into another file.
    let (is_indexed, warnings) = run(&mixed);
    assert!(!is_indexed);
    assert!(warnings.contains("records are out of order"), "{warnings}");
}

#[test]
fn without_the_option_the_message_names_it() {
    let lab = Lab::new();
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let mixed = lab.file("mixed.vcf", shuffled(&calls));
    let message = fail(score(&mixed, &lab.model_1d(), &[]));
    assert!(message.contains("mixed.vcf: record "), "{message}");
    assert!(message.contains("--allow-unsorted"), "{message}");
}
