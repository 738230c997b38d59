//! `call`: candidates of the demo's reads, the same for any number of threads and any regions, and what `score` makes of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::reads::write_reads;
use crate::support::*;

/// Records of a file.
fn records_of(path: &Path) -> Vec<String> {
    records(&std::fs::read(path).unwrap())
}

/// `call --candidates`.
fn call(lab: &Lab, name: &str, more: &[&str]) -> std::path::PathBuf {
    called(lab, name, &[&["--candidates"], more].concat())
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

/// Values of a sample's FORMAT keys.
fn value<'a>(line: &'a str, key: &str) -> &'a str {
    let fields: Vec<&str> = line.split('\t').collect();
    let at = fields[8].split(':').position(|name| name == key);
    let at = at.unwrap_or_else(|| panic!("{key} in {line}"));
    fields[9].split(':').nth(at).unwrap_or(".")
}

/// `call` with genotypes.
fn called(lab: &Lab, name: &str, more: &[&str]) -> std::path::PathBuf {
    let (reads, reference, output) = (demo("reads.bam"), demo("ref.fa"), lab.path(name));
    let first = [
        "call",
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

#[test]
fn the_depth_of_the_sample_can_be_given() {
    let lab = Lab::new();
    let region = ["-L", "demo1:1-9000"];
    let sampled = records_of(&called(&lab, "sampled.vcf", &region));
    let given = [&region[..], &["--sample-depth", "300"]].concat();
    let given = called(&lab, "given.vcf", &given);
    let places = |lines: &[String]| -> Vec<_> { lines.iter().map(|line| place(line)).collect() };
    assert_eq!(places(&sampled), places(&records_of(&given)));
    assert_ne!(sampled, records_of(&given));
    assert!(
        std::fs::read_to_string(given)
            .unwrap()
            .contains(" --sample-depth 300 ")
    );
}

#[test]
fn calls_have_genotypes_that_agree_with_themselves_and_the_truth() {
    let lab = Lab::new();
    let whole = called(&lab, "whole.vcf", &["--threads", "1"]);
    let threaded = called(&lab, "threaded.vcf", &["--threads", "3"]);
    let bytes = std::fs::read(&whole).unwrap();
    assert!(bytes == std::fs::read(&threaded).unwrap());
    let found = records_of(&whole);
    let parts = ["demo1:1-15000", "demo1:15001-20000000", "demo2"];
    let parts = parts.map(|region| records_of(&called(&lab, "part.vcf", &["-L", region])));
    assert_eq!(parts.concat(), found);

    for line in &found {
        let fields: Vec<&str> = line.split('\t').collect();
        let numbers = |key| -> Vec<f64> {
            let list = value(line, key).split(',');
            list.map(|number| number.parse().unwrap()).collect()
        };
        let (likelihoods, shares) = (numbers("PL"), numbers("GP"));
        let best = likelihoods.iter().position(|one| *one == 0.0).unwrap();
        assert_eq!(likelihoods.len(), shares.len(), "{line}");
        let most = shares.iter().copied().fold(0.0, f64::max);
        assert!((shares[best] - most).abs() < 0.06, "{line}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{line}");
        // Reference alone, and nothing else, is a RefCall.
        assert_eq!(value(line, "GT") == "0/0", fields[6] == "RefCall", "{line}");
        assert!(
            ["PASS", "LowQual", "RefCall"].contains(&fields[6]),
            "{line}"
        );
        let quality: f64 = fields[5].parse().unwrap();
        assert!((0.0..=99.0).contains(&quality), "{line}");
    }

    // Of the truth's alleles most are called, and of these nearly all with its genotype.
    let (mut all, mut alleles, mut genotypes) = (0, 0, 0);
    for line in truth() {
        let (contig, start, reference, alternates) = place(&line);
        if reference.len() > 20 || alternates.len() > 1 || alternates[0].len() > 20 {
            continue;
        }
        all += 1;
        let call = found.iter().find(|call| {
            let (c, s, r, a) = place(call);
            (c, s) == (contig.clone(), start)
                && (r, a) == (reference.clone(), alternates.clone())
                && call.contains("\tPASS\t")
        });
        if let Some(call) = call {
            alleles += 1;
            let mut copies = [value(call, "GT"), value(&line, "GT")]
                .map(|genotype| genotype.matches('1').count());
            copies.sort_unstable();
            genotypes += usize::from(copies[0] == copies[1]);
        }
    }
    assert!(all > 100 && alleles * 10 >= all * 8, "{alleles} of {all}");
    assert!(genotypes * 100 >= alleles * 97, "{genotypes} of {alleles}");
}

/// Records of the demo's truth.
fn truth() -> Vec<String> {
    let compressed = std::fs::File::open(demo("truth.vcf.gz")).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::MultiGzDecoder::new(compressed),
        &mut bytes,
    )
    .unwrap();
    records(&bytes)
}

/// Neighbours of one phase set that are heterozygous in the truth lie to each other as they do there.
#[test]
fn phase_is_that_of_the_truth() {
    let lab = Lab::new();
    let found = records_of(&called(&lab, "calls.vcf", &[]));
    let is_het = |genotype: &str| ["0|1", "1|0"].contains(&genotype);
    let truth: BTreeMap<_, String> = truth()
        .iter()
        .filter(|line| is_het(value(line, "GT")))
        .map(|line| (place(line), value(line, "GT").to_owned()))
        .collect();
    // Of each call in the truth: its set, and whether its genotype is the truth's or that turned around.
    let mut phased: Vec<(String, bool)> = Vec::new();
    let mut sets: BTreeMap<String, usize> = BTreeMap::new();
    for line in &found {
        let genotype = value(line, "GT");
        let has_set = line.split('\t').nth(8).unwrap().ends_with(":PS");
        assert_eq!(genotype.contains('|'), has_set, "{line}");
        if !has_set {
            continue;
        }
        let (contig, start, ..) = place(line);
        let set = value(line, "PS");
        assert!(set.parse::<u64>().unwrap() <= start, "{line}");
        let set = format!("{contig}:{set}");
        *sets.entry(set.clone()).or_default() += 1;
        if let (Some(of_truth), true) = (truth.get(&place(line)), is_het(genotype)) {
            phased.push((set, of_truth == genotype));
        }
    }
    assert!(sets.len() > 3, "{sets:?}");
    let pairs = phased.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let agree: Vec<bool> = pairs.map(|pair| pair[0].1 == pair[1].1).collect();
    let right = agree.iter().filter(|one| **one).count();
    assert!(
        agree.len() > 30 && right * 20 >= agree.len() * 19,
        "{right} of {}",
        agree.len()
    );
}

#[test]
fn genotypes_stand_beside_the_callers_or_in_their_place() {
    let lab = Lab::new();
    let (calls, reads, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let run = |option: &[&str]| {
        let first = [
            "score",
            "-q",
            "-V",
            text(&calls),
            "-I",
            text(&reads),
            "-R",
            text(&reference),
        ];
        records(&succeed(
            program(&[&first[..], option].concat()).output().unwrap(),
        ))
    };
    let plain = run(&[]);
    let beside = run(&["--genotype"]);
    let replaced = run(&["--regenotype"]);
    assert_eq!(
        beside,
        run(&["--genotype", "--threads", "3", "--batch-size", "7"])
    );
    let mut same = 0;
    for ((plain, beside), replaced) in plain.iter().zip(&beside).zip(&replaced) {
        // Scores do not depend on it; all that is new are keys of the sample.
        let columns = |line: &str| line.split('\t').map(String::from).collect::<Vec<_>>();
        assert_eq!(columns(plain)[..8], columns(beside)[..8]);
        assert_eq!(value(replaced, "OGT"), value(plain, "GT"), "{replaced}");
        if value(beside, "CNN_GT") == "." {
            // An allele that cannot be scored: the caller's genotype stays.
            assert_eq!(value(replaced, "GT"), value(plain, "GT"));
            continue;
        }
        assert_eq!(value(replaced, "GQ"), value(beside, "CNN_GQ"));
        let unphased = |genotype: &str| genotype.replace('|', "/");
        assert_eq!(
            unphased(value(replaced, "GT")),
            unphased(value(beside, "CNN_GT"))
        );
        same += usize::from(unphased(value(plain, "GT")) == unphased(value(beside, "CNN_GT")));
        let is_reference = unphased(value(replaced, "GT")) == "0/0";
        assert_eq!(replaced.contains("\tRefCall\t"), is_reference, "{replaced}");
    }
    assert!(same * 10 > plain.len() * 7, "{same} of {}", plain.len());

    // A table of ploidies; a sex that is not given.
    let haploid = lab.file("ploidy.txt", "demo1 1 30000 F 1\n* * * F 2\n");
    let of_table = run(&["--regenotype", "--ploidy", text(&haploid)]);
    let one = of_table
        .iter()
        .find(|line| line.starts_with("demo1"))
        .unwrap();
    assert_eq!(value(one, "GT").len(), 1, "{one}");
    let first = [
        "score",
        "-q",
        "-V",
        text(&calls),
        "-I",
        text(&reads),
        "-R",
        text(&reference),
    ];
    for (more, part) in [
        (&["--genotype", "--ploidy", "GRCh38"][..], "--sex demo=F"),
        (
            &["--genotype", "--model", "cnnfilter_reference"],
            "no genotype head",
        ),
        (
            &["--genotype", "--ploidy", "GRCh38", "--sex", "other=F"],
            "there is no such sample",
        ),
    ] {
        let message = fail(program(&[&first[..], more].concat()).output().unwrap());
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_gvcf_covers_each_base_once_with_the_calls_of_a_plain_run() {
    let lab = Lab::new();
    let plain = records_of(&called(&lab, "plain.vcf", &[]));
    let whole = records_of(&called(&lab, "whole.g.vcf", &["--gvcf", "--threads", "1"]));
    let threaded = records_of(&called(
        &lab,
        "threaded.g.vcf",
        &["--gvcf", "--threads", "3"],
    ));
    assert!(whole == threaded);
    let is_block = |line: &&String| line.split('\t').nth(4) == Some("<NON_REF>");
    let (blocks, calls): (Vec<&String>, Vec<&String>) = whole.iter().partition(is_block);
    let scores = |lines: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        lines
            .map(|line| info(line, "CNN_2D").unwrap().to_owned())
            .collect()
    };
    assert_eq!(scores(&mut calls.into_iter()), scores(&mut plain.iter()));
    assert!(blocks.len() > 100);
    let mut end = ("demo1".to_owned(), 0);
    for line in &whole {
        let (contig, start, reference, _) = place(line);
        let last = match info(line, "END") {
            Some(end) => end.parse().unwrap(),
            None => start + reference.len() as u64 - 1,
        };
        if contig == end.0 {
            // Calls may overlap one another; blocks overlap nothing and leave no gap.
            assert!(start <= end.1 + 1, "{line}");
            assert!(info(line, "END").is_none() || start == end.1 + 1, "{line}");
            end.1 = end.1.max(last);
        } else {
            end = (contig, last);
        }
        let alternates = line.split('\t').nth(4).unwrap().split(',').count();
        let genotypes = (alternates + 1) * (alternates + 2) / 2;
        assert_eq!(value(line, "PL").split(',').count(), genotypes, "{line}");
    }
    let part = records_of(&called(
        &lab,
        "part.g.vcf",
        &["--gvcf", "-L", "demo1:101-200"],
    ));
    assert_eq!(part[0].split('\t').nth(1), Some("101"));
    let last = part.iter().rev().find_map(|line| info(line, "END"));
    assert!(last.unwrap().parse::<u64>().unwrap() <= 200);
}

/// A share of the fragments of demo2 is there, and demo2 is what sexes have in other numbers.
#[test]
fn the_depth_tells_sexes() {
    let lab = Lab::new();
    let table = "demo2 1 10000 M 1\n* * * M 2\n* * * F 2\n";
    let table = lab.file("ploidy.txt", table);
    let reference = demo("ref.fa");
    let run = |percent: u32, more: &[&str]| {
        let reads = lab.path("thinned.bam");
        write_reads(&reads, &mut |record, all| {
            let letters = record.qname().iter().map(|letter| u32::from(*letter));
            let is_kept = letters.fold(7u32, |sum, letter| sum.wrapping_mul(31) + letter) % 100;
            if record.tid() != 1 || is_kept < percent {
                all.push(record);
            }
        });
        let first = ["call", "-I", text(&reads), "-R", text(&reference)];
        let ploidy = ["--ploidy", text(&table), "--sex", "depth"];
        program(&[&first[..], &ploidy, more].concat())
            .output()
            .unwrap()
    };
    let genotype_on_demo2 = |output: Output| {
        let records = records(&succeed(output));
        let of_demo2 = records.iter().find(|line| line.starts_with("demo2\t"));
        value(of_demo2.unwrap(), "GT").len()
    };
    let output = run(50, &[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("sample `demo`: sex M, by 0."), "{told}");
    assert_eq!(genotype_on_demo2(output), 1);
    assert_eq!(genotype_on_demo2(run(100, &[])), 3);
    let unclear = fail(run(72, &[]));
    assert!(unclear.contains("expected 1.00 (F), 0.50 (M)"), "{unclear}");
    // One that is given is taken.
    assert_eq!(genotype_on_demo2(run(72, &["--sex", "demo=M"])), 1);
}
