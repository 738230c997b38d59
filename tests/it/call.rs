//! `call`: candidates of the demo's reads, the same for any number of threads and any regions, and what `score` makes of them.

use std::path::Path;

use crate::support::*;

/// Records of a file.
fn records_of(path: &Path) -> Vec<String> {
    records(&std::fs::read(path).unwrap())
}

fn call(lab: &Lab, name: &str, more: &[&str]) -> std::path::PathBuf {
    let (reads, reference, output) = (demo("reads.bam"), demo("ref.fa"), lab.path(name));
    let first = [
        "call",
        "--candidates",
        "-q",
        "-I",
        text(&reads),
        "-R",
        text(&reference),
        "-o",
    ];
    let all = [&first[..], &[text(&output)], more].concat();
    succeed(program(&all).output().unwrap());
    output
}

/// CHROM, POS, REF and ALTs of a record.
fn place(line: &str) -> (String, u64, String, Vec<String>) {
    let fields: Vec<&str> = line.split('\t').collect();
    let alternates = fields[4].split(',').map(String::from).collect();
    (
        fields[0].into(),
        fields[1].parse().unwrap(),
        fields[3].into(),
        alternates,
    )
}

#[test]
fn candidates_hold_what_a_caller_found_and_keep_their_bytes() {
    let lab = Lab::new();
    let whole = call(&lab, "whole.vcf", &["--threads", "1"]);
    let threaded = call(&lab, "threaded.vcf", &["--threads", "3"]);
    assert_eq!(
        std::fs::read(&whole).unwrap(),
        std::fs::read(&threaded).unwrap()
    );
    let found = records_of(&whole);

    // Regions cut the same records out of the whole.
    let parts = [
        records_of(&call(&lab, "left.vcf", &["-L", "demo1:1-15000"])),
        records_of(&call(
            &lab,
            "right.vcf",
            &["-L", "demo1:15001-20000000", "-L", "demo2"],
        )),
    ];
    assert!(parts.iter().all(|part| !part.is_empty()));
    assert_eq!(parts.concat(), found);

    // Nearly all SNPs of the caller that pass its own thresholds are among them.
    let places: Vec<_> = found.iter().map(|line| place(line)).collect();
    let calls = records_of(&demo("calls.vcf"));
    let snps: Vec<_> = (calls.iter().map(|line| place(line)))
        .filter(|(_, _, reference, alternates)| {
            reference.len() == 1 && alternates.iter().all(|one| one.len() == 1 && one != "*")
        })
        .collect();
    let known = snps.iter().filter(|call| {
        let mut same = places
            .iter()
            .filter(|one| (&one.0, one.1) == (&call.0, call.1));
        same.any(|one| one.3.contains(&call.3[0]))
    });
    let known = known.count();
    assert!(
        snps.len() > 20 && known * 10 >= snps.len() * 9,
        "{known} of {}",
        snps.len()
    );
}

#[test]
fn score_takes_candidates_from_a_pipe() {
    let lab = Lab::new();
    let (reads, reference) = (demo("reads.bam"), demo("ref.fa"));
    let candidates = call(&lab, "candidates.vcf", &["-L", "demo1:1-20000"]);
    let output = lab.path("scored.vcf");
    let input = std::fs::File::open(&candidates).unwrap();
    let arguments = [
        "score",
        "-V",
        "-",
        "-I",
        text(&reads),
        "-R",
        text(&reference),
        "--filter",
        "-o",
        text(&output),
    ];
    succeed(program(&arguments).stdin(input).output().unwrap());
    let scored = records_of(&output);
    assert_eq!(scored.len(), records_of(&candidates).len());
    assert!(
        scored.iter().all(|line| line.contains("CNN_2D=")),
        "{scored:?}"
    );
    let passing = scored
        .iter()
        .filter(|line| line.contains("\tPASS\t"))
        .count();
    assert!(
        passing > 10 && passing < scored.len(),
        "{passing} of {}",
        scored.len()
    );
}

#[test]
fn empty_regions_and_wrong_files_are_told() {
    let lab = Lab::new();
    // Nothing is there, so the file is valid and empty.
    let empty = call(
        &lab,
        "empty.vcf",
        &["-L", "demo1:1-2", "--min-reads", "1000"],
    );
    assert!(records_of(&empty).is_empty());
    assert!(std::fs::read_to_string(&empty).unwrap().contains("#CHROM"));
    let (reads, reference) = (demo("reads.bam"), demo("ref.fa"));
    let reads_alone = lab.path("alone.bam");
    std::fs::copy(&reads, &reads_alone).unwrap();
    for (reads, region, part) in [
        (&reads, "nowhere", "`nowhere`"),
        (&reads_alone, "demo1", "samtools index"),
    ] {
        let arguments = [
            "call",
            "--candidates",
            "-I",
            text(reads),
            "-R",
            text(&reference),
            "-L",
            region,
        ];
        let told = fail(program(&arguments).output().unwrap());
        assert!(told.contains(part), "{told}");
    }
}
