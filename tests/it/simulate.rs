//! `simulate`: a sample with its truth, and reads with errors.

use std::path::Path;
use std::process::Output;

use crate::support::*;

/// Runs `simulate genome` on the demo reference.
fn genome(output: &Path, more: &[&str]) -> Output {
    let reference = demo("ref.fa");
    let mut arguments = vec![
        "simulate",
        "genome",
        "-R",
        text(&reference),
        "-o",
        text(output),
    ];
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// Names and bytes of all files of a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = folder
        .read_dir()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The demo reference: names and bases of its contigs.
fn reference() -> Vec<(String, String)> {
    let fasta = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let contig = |text: &str| {
        let (name, bases) = text.split_once('\n').unwrap();
        let bases: String = bases.lines().collect();
        (name.to_owned(), bases.to_ascii_uppercase())
    };
    fasta.split('>').skip(1).map(contig).collect()
}

#[test]
fn divergent_haplotypes_put_more_variants_into_the_truth() {
    let lab = Lab::new();
    let variants = |per_mb: &str| {
        let folder = lab.path(per_mb);
        succeed(genome(&folder, &["--divergent-per-mb", per_mb]));
        let truth = std::fs::read_to_string(folder.join("truth.vcf")).unwrap();
        truth.lines().filter(|line| !line.starts_with('#')).count()
    };
    // Some forty stretches of three variants and more.
    assert!(variants("1000") > variants("0") + 60);
}

#[test]
fn a_genome_follows_from_its_seed() {
    let lab = Lab::new();
    let run = |name: &str, seed: &str| {
        let folder = lab.path(name);
        // More than by default, so that 40 kb hold some of each.
        let more = [
            "--seed",
            seed,
            "--paralogues-per-mb",
            "300",
            "--mosaics-per-mb",
            "500",
        ];
        succeed(genome(&folder, &more));
        files(&folder)
    };
    let (first, again, other) = (run("first", "7"), run("again", "7"), run("other", "8"));
    assert!(first == again);
    let of = |files: &[(String, Vec<u8>)], name: &str| {
        let found = files.iter().find(|(found, _)| found == name);
        found.expect(name).1.clone()
    };
    for name in ["haplotype1.fa", "haplotype2.fa", "contaminant1.fa"] {
        assert!(of(&first, name) != of(&other, name), "{name}");
    }
    assert_ne!(
        records(&of(&first, "truth.vcf")),
        records(&of(&other, "truth.vcf"))
    );

    let mixture = String::from_utf8(of(&first, "mixture.tsv")).unwrap();
    let listed: Vec<&str> = mixture
        .lines()
        .skip(1)
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    let mut fastas: Vec<&str> = first
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| name.ends_with(".fa"))
        .collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    fastas.sort_unstable();
    assert_eq!(sorted, fastas);
    for source in ["paralogues", "mosaic_"] {
        assert!(
            listed.iter().any(|name| name.starts_with(source)),
            "{listed:?}"
        );
    }
}

#[test]
fn the_truth_is_sorted_and_of_the_reference() {
    let lab = Lab::new();
    let folder = lab.path("sample");
    succeed(genome(
        &folder,
        &[
            "--snp-rate",
            "0.005",
            "--indel-rate",
            "0.002",
            "--sample",
            "s",
        ],
    ));
    let vcf = std::fs::read(folder.join("truth.vcf")).unwrap();
    let header = String::from_utf8_lossy(&vcf).into_owned();
    assert!(
        header.lines().any(|line| line.ends_with("\tFORMAT\ts")),
        "{header}"
    );
    let contigs = reference();
    let lines = records(&vcf);
    assert!(lines.len() > 100, "{} records", lines.len());
    let mut before = (0, 0);
    for line in &lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let rank = contigs
            .iter()
            .position(|(name, _)| name == columns[0])
            .unwrap();
        let position: usize = columns[1].parse().unwrap();
        assert!(before <= (rank, position), "{line}");
        before = (rank, position);
        let here = &contigs[rank].1[position - 1..position - 1 + columns[3].len()];
        assert_eq!(here, columns[3], "{line}");
        let genotype = columns[9].split(':').next().unwrap();
        assert!(genotype.contains('1'), "{line}");
    }
    let confident = std::fs::read_to_string(folder.join("confident.bed")).unwrap();
    let bases: u64 = confident
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [start, end] = [1, 2].map(|at| columns[at].parse::<u64>().unwrap());
            end - start
        })
        .sum();
    assert!((20_000..40_000).contains(&bases), "{bases}");
    // The truth can label calls: here it labels itself.
    let (truth, bed, examples) = (
        folder.join("truth.vcf"),
        folder.join("confident.bed"),
        lab.path("examples.bin"),
    );
    let reference = demo("ref.fa");
    let arguments = [
        "tensors",
        "-V",
        text(&truth),
        "-R",
        text(&reference),
        "--truth",
        text(&truth),
        "--confident",
        text(&bed),
        "-o",
        text(&examples),
    ];
    let output = program(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    succeed(output);
    for name in ["false SNPs", "false INDELs"] {
        let line = said.lines().find(|line| line.contains(name)).expect(name);
        assert!(line.ends_with(" 0"), "{line}");
    }
}

#[test]
fn a_genome_needs_sequence() {
    let lab = Lab::new();
    let folder = lab.path("sample");
    let message = fail(genome(&folder, &["-L", "demo1:9001-9100"]));
    let expected = "no stretch of 500 or more bases without N";
    assert!(message.contains(expected), "{message}");
}

/// Two files of read pairs with names `f0/1`, `f0/2` and so on, out of random bases with some runs.
fn write_pairs(lab: &Lab, count: usize) -> [std::path::PathBuf; 2] {
    let mut state = 88_172_645_463_325_252u64;
    // xorshift64 (Marsaglia 2003)
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut texts = [String::new(), String::new()];
    for number in 0..count {
        for (mate, text) in texts.iter_mut().enumerate() {
            let mut bases = String::new();
            while bases.len() < 60 {
                let base = ["A", "C", "G", "T"][next(4) as usize];
                let run = if next(12) == 0 { 10 } else { 1 };
                bases += &base.repeat(run);
            }
            bases.truncate(60);
            let qualities = "I".repeat(60);
            *text += &format!("@f{number}/{}\n{bases}\n+\n{qualities}\n", mate + 1);
        }
    }
    let [first, second] = texts;
    [lab.file("r1.fq", first), lab.file("r2.fq", second)]
}

/// Runs `simulate reads`.
fn reads(inputs: [&Path; 2], outputs: [&Path; 2], more: &[&str]) -> Output {
    let mut arguments = vec!["simulate", "reads"];
    for input in inputs {
        arguments.extend(["--in", text(input)]);
    }
    for output in outputs {
        arguments.extend(["--out", text(output)]);
    }
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// Names, bases and qualities.
fn fastq(bytes: &[u8]) -> Vec<[String; 3]> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len() % 4, 0);
    lines
        .chunks(4)
        .map(|lines| {
            assert!(
                lines[0].starts_with('@') && lines[2].starts_with('+'),
                "{lines:?}"
            );
            [&lines[0][1..], lines[1], lines[3]].map(String::from)
        })
        .collect()
}

#[test]
fn pairs_stay_pairs_whatever_the_threads() {
    // More than two blocks of the program's, so that threads have something to share.
    const PAIRS: usize = 20_500;
    let lab = Lab::new();
    let [first, second] = write_pairs(&lab, PAIRS);
    let run = |name: &str, more: &[&str]| {
        let outputs = [1, 2].map(|mate| lab.path(&format!("{name}_{mate}.fq")));
        let arguments = [
            "--chimeras",
            "0.05",
            "--duplicates",
            "0.1",
            "--quality-bins",
            "2,12,37",
        ];
        let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
        succeed(reads(
            [&first, &second],
            [&outputs[0], &outputs[1]],
            &arguments,
        ));
        outputs.map(|output| std::fs::read(output).unwrap())
    };
    let one = run("one", &["--threads", "1"]);
    assert!(one == run("two", &["--threads", "2"]), "two threads");
    assert!(one != run("other", &["--seed", "2"]), "another seed");

    let [mates, others] = [fastq(&one[0]), fastq(&one[1])];
    assert_eq!(mates.len(), others.len());
    let (mut originals, mut changed) = (0, 0);
    let inputs = [&first, &second].map(|path| fastq(&std::fs::read(path).unwrap()));
    for (mate, other) in mates.iter().zip(&others) {
        let fragment = mate[0].strip_suffix("/1").unwrap();
        assert_eq!(other[0].strip_suffix("/2").unwrap(), fragment);
        for read in [mate, other] {
            assert_eq!(read[1].len(), read[2].len(), "{read:?}");
            assert!(
                read[2]
                    .bytes()
                    .all(|quality| [2, 12, 37].contains(&(quality - 33)))
            );
        }
        if !fragment.contains(":copy") {
            assert_eq!(fragment, format!("f{originals}"));
            changed += usize::from(inputs[0][originals][1] != mate[1]);
            originals += 1;
        }
    }
    assert_eq!(originals, PAIRS);
    let copies = mates.len() - PAIRS;
    assert!((PAIRS / 20..PAIRS / 5).contains(&copies), "{copies} copies");
    assert!(changed > PAIRS / 100, "{changed} first reads with errors");
}

#[test]
fn reads_that_are_no_pairs_are_refused() {
    let lab = Lab::new();
    let [first, second] = write_pairs(&lab, 5);
    let outputs = [lab.path("o1.fq"), lab.path("o2.fq")];
    let outputs = [outputs[0].as_path(), outputs[1].as_path()];
    let text = std::fs::read_to_string(&second).unwrap();
    let shifted = lab.file("shifted.fq", text.replace("@f3/2", "@f4/2"));
    let shorter: String = text
        .lines()
        .take(16)
        .map(|line| format!("{line}\n"))
        .collect();
    let shorter = lab.file("shorter.fq", shorter);
    for (inputs, expected) in [
        ([&first, &shifted], "pair 4: "),
        ([&first, &shorter], "the mates of the same fragments"),
    ] {
        let message = fail(reads([inputs[0], inputs[1]], outputs, &[]));
        assert!(message.contains(expected), "{message}");
        assert!(!outputs[0].exists() && !outputs[1].exists());
    }
}

#[test]
fn given_variants_are_taken_in_any_spelling_and_none_is_dropped_in_silence() {
    let lab = Lab::new();
    let reference = reference();
    let at = |position: usize| &reference[0].1[position - 1..position];
    let other = |base: &str| if base == "A" { "C" } else { "A" };
    let write = |name: &str, genotypes: [&str; 4], more: &str, end: &str| {
        let lines: Vec<String> = [3000, 3300, 3600, 3900]
            .iter()
            .zip(genotypes)
            .map(|(position, genotype)| {
                let base = at(*position);
                format!(
                    "demo1\t{position}\t.\t{base}\t{}\t30\tPASS\t.\tGT\t{genotype}",
                    other(base)
                )
            })
            .collect();
        lab.file(
            name,
            format!("##fileformat=VCFv4.4\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n{more}{}{end}", lines.join("\n")),
        )
    };
    let run = |variants: &Path| {
        let folder = lab.path("sample");
        let more = [
            "--variants",
            text(variants),
            "-L",
            "demo1:1-7700",
            "--seed",
            "3",
        ];
        let output = genome(&folder, &more);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        succeed(output);
        (
            shown + &message,
            std::fs::read(folder.join("truth.vcf")).unwrap(),
        )
    };
    let plain = write("plain.vcf", ["1/1", "0/1", "0|1", "1"], "", "\n");
    let leading = write("leading.vcf", ["/1/1", "/0/1", "|0|1", "|1"], "", "\n");
    let bare = write("bare.vcf", ["1/1", "0/1", "0|1", "1/1"], "", "");
    let (shown, truth) = run(&plain);
    assert!(shown.contains("4 of 4 given ones"), "{shown}");
    assert!(!shown.contains("left out"), "{shown}");
    assert!(run(&leading) == (shown, truth.clone()));
    assert!(run(&bare).1 == truth);
    // Each that cannot be taken is told with its reason.
    let base = at(5000);
    let odd: String = [
        format!(
            "demo1\t8000\t.\t{}\t{}\t9\tPASS\t.\tGT\t1/1",
            at(8000),
            other(at(8000))
        ),
        format!(
            "demo1\t5000\t.\t{base}\t{}\t9\tLowQ\t.\tGT\t1/1",
            other(base)
        ),
        format!(
            "demo1\t5000\t.\t{base}\t{}\t9\tPASS\t.\tGT\t./.",
            other(base)
        ),
        format!(
            "demo1\t5000\t.\t{base}\t{}\t9\tPASS\t.\tGT\t0/0",
            other(base)
        ),
        format!("demo1\t5000\t.\t{base}\t<DEL>\t9\tPASS\t.\tGT\t0/1"),
        format!(
            "demo1\t5000\t.\t{base}\t{}\t9\tPASS\t.\tGT\t0/1/1",
            other(base)
        ),
    ]
    .map(|line| line + "\n")
    .concat();
    let (shown, _) = run(&write("odd.vcf", ["1/1", "0/1", "0|1", "1"], &odd, "\n"));
    assert!(shown.contains("4 of 4 given ones"), "{shown}");
    for part in [
        "given variants left out, of 10 read: ",
        "1 filtered",
        "1 genotype missing",
        "1 genotype without ALT (0/0)",
        "1 an allele that is not spelled in A, C, G, T",
        "1 more than two alleles in the genotype",
        "1 outside the regions",
    ] {
        assert!(shown.contains(part), "expected `{part}` in\n{shown}");
    }
}
