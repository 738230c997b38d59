//! `doctor`: one screen about the files of a run, and whether `score` can run.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::read_groups::{TWO, write_reads};
use crate::support::*;

/// A run of the demo.
const RUN: &str = "-V calls.vcf -I reads.bam -R ref.fa";

/// A folder with copies of the demo data.
fn lab() -> Lab {
    let lab = Lab::new();
    let more = [
        "ref.dict",
        "reads.cram",
        "reads.cram.crai",
        "truth.vcf.gz.tbi",
    ];
    for name in DEMO_FILES.iter().chain(&more) {
        lab.copy(name);
    }
    lab
}

/// What a run said.
struct Said {
    code: Option<i32>,
    screen: String,
    errors: String,
    json: Value,
}

impl Said {
    /// Findings of a check: status and text, advice included.
    fn of(&self, check: &str) -> Vec<(String, String)> {
        let checks = self.json["checks"].as_array().unwrap().iter();
        checks
            .filter(|finding| finding["check"] == check)
            .map(|finding| {
                let text = |key: &str| finding[key].as_str().unwrap_or_default();
                let status = text("status").to_owned();
                (status, format!("{}; {}", text("found"), text("advice")))
            })
            .collect()
    }
}

fn run_in(lab: &Lab, command: &str, line: &str) -> std::process::Output {
    let words: Vec<&str> = [command].into_iter().chain(line.split(' ')).collect();
    let mut program = program(&words);
    program.current_dir(lab.path("")).output().unwrap()
}

fn doctor(lab: &Lab, line: &str) -> Said {
    let before = lab.names();
    let output = run_in(lab, "doctor", &format!("{line} --summary-json doctor.json"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (screen, errors) = (text(output.stdout), text(output.stderr));
    assert!(!errors.contains("panicked"), "{errors}");
    let json = std::fs::read(lab.path("doctor.json"));
    let json = json.unwrap_or_else(|_| panic!("no summary of `{line}`: {errors}"));
    std::fs::remove_file(lab.path("doctor.json")).unwrap();
    assert_eq!(lab.names(), before, "nothing else is written");
    Said {
        code: output.status.code(),
        screen,
        errors,
        json: serde_json::from_slice(&json).unwrap(),
    }
}

/// Replaces text in a file.
fn change(lab: &Lab, name: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(lab.path(name)).unwrap();
    assert!(text.contains(from), "{name} has no `{from}`");
    lab.file(name, text.replace(from, to));
}

/// Takes the last bytes away.
fn cut(lab: &Lab, name: &str, bytes: usize) {
    let mut whole = std::fs::read(lab.path(name)).unwrap();
    whole.truncate(whole.len() - bytes);
    lab.file(name, whole);
}

/// Makes a file an hour younger than it is.
fn renew(lab: &Lab, name: &str) {
    let file = std::fs::File::options()
        .write(true)
        .open(lab.path(name))
        .unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3_600))
        .unwrap();
}

/// A copy of calls that other programs made.
fn made_by_others(lab: &Lab, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/callers")
        .join(name);
    std::fs::copy(path, lab.path(name)).unwrap();
}

#[test]
fn a_good_run_fits_on_one_screen() {
    let lab = lab();
    for calls in ["calls.vcf", "truth.vcf.gz"] {
        let said = doctor(&lab, &RUN.replace("calls.vcf", calls));
        assert_eq!(said.code, Some(0), "{}", said.screen);
        assert!(said.screen.lines().count() <= 24, "{}", said.screen);
        assert!(
            said.screen.lines().all(|line| line.len() <= 100),
            "{}",
            said.screen
        );
        assert!(!said.screen.contains('\x1b'), "no colour in a pipe");
    }
    let said = doctor(&lab, RUN);
    assert!(
        said.screen
            .ends_with("\nscore can run: no fault, no warning\n"),
        "{}",
        said.screen
    );
    assert_eq!(
        (&said.json["verdict"], said.errors.as_str()),
        (&Value::from("ok"), "")
    );
    let checks = [
        "model",
        "reference",
        "calls",
        "caller",
        "reads",
        "contigs",
        "samples",
        "read_groups",
        "depth",
        "read_length",
        "flags",
        "annotations",
        "genotypes",
        "trial",
    ];
    for check in checks {
        assert_eq!(said.of(check).len(), 1, "{check}");
        assert_eq!(said.of(check)[0].0, "ok", "{check}");
    }
    let facts = &said.json["facts"];
    assert_eq!(facts["caller"]["name"], "HaplotypeCaller");
    assert_eq!(facts["read_length_median"], 125);
    assert_eq!(facts["ploidies"]["2"], facts["calls_sampled"]);
    assert!(
        facts["depths"]["demo"]
            .as_f64()
            .is_some_and(|depth| depth > 25.0 && depth < 35.0)
    );
    let cram = doctor(&lab, &RUN.replace("reads.bam", "reads.cram"));
    assert!(cram.of("contigs")[0].1.contains("MD5"), "{}", cram.screen);
    let mut facts_of_cram = cram.json["facts"].clone();
    facts_of_cram["depths"] = facts["depths"].clone();
    assert_eq!(&facts_of_cram, facts, "BAM and CRAM hold the same reads");
    let coloured = run_in(&lab, "doctor", &format!("{RUN} --color always"));
    assert!(
        String::from_utf8(coloured.stdout)
            .unwrap()
            .contains("\x1b[32mok")
    );
}

/// Name, what is broken, the command line, the check that finds it, parts of what it says.
type Row = (
    &'static str,
    fn(&Lab),
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// What makes `score` fail: `doctor` says it in the same words, and ends with 1.
const FAULTS: &[Row] = &[
    (
        "no index",
        |lab| std::fs::remove_file(lab.path("reads.bam.bai")).unwrap(),
        RUN,
        "reads",
        &["reads.bam: it has no index", "samtools index"],
    ),
    (
        "cut off",
        |lab| cut(lab, "reads.bam", 28),
        RUN,
        "reads",
        &["reads.bam: the file is cut off"],
    ),
    (
        "the index of another file",
        |lab| drop(lab.file("reads.bam.bai", b"BAI\x01\x01\0\0\0\0\0\0\0\0\0\0\0")),
        RUN,
        "reads",
        &["it is the index of another file"],
    ),
    (
        "damaged in the middle",
        |lab| {
            let mut bytes = std::fs::read(lab.path("reads.bam")).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..middle + 64].fill(0x55);
            lab.file("reads.bam", bytes);
        },
        RUN,
        "reads",
        &["reads.bam: ", "the file is damaged"],
    ),
    (
        "another reference",
        |lab| {
            change(lab, "calls.vcf", "demo1", "chrdemo1");
            change(lab, "calls.vcf", "demo2", "chrdemo2");
        },
        RUN,
        "contigs",
        &[
            "one says `chrdemo1` where the other says `demo1`",
            "--rename-chrs",
        ],
    ),
    (
        "another length",
        |lab| change(lab, "calls.vcf", "length=30000", "length=30001"),
        RUN,
        "contigs",
        &["contig `demo1` has 30001 bases in one and 30000"],
    ),
    (
        "another base in the reference",
        |lab| {
            change(
                lab,
                "calls.vcf",
                "demo1\t2407\t.\tA\tT",
                "demo1\t2407\t.\tG\tT",
            )
        },
        RUN,
        "trial",
        &["demo1:2407"],
    ),
    (
        "no index of the reference",
        |lab| std::fs::remove_file(lab.path("ref.fa.fai")).unwrap(),
        RUN,
        "reference",
        &["samtools faidx"],
    ),
    (
        "no samples in common",
        |lab| made_by_others(lab, "gatk.cohort.vcf"),
        "-V gatk.cohort.vcf -I reads.bam -R ref.fa",
        "samples",
        &["`part0`, `part1`", "they have `demo`", "--sample-map"],
    ),
    (
        "a map of other samples",
        |lab| drop(lab.file("map", "nobody\treads.bam\n")),
        "-V calls.vcf -I reads.bam -R ref.fa --sample-map map",
        "samples",
        &["`nobody`"],
    ),
    (
        "reads of no known group",
        |lab| drop(write_reads(lab, "lost.bam", &TWO, |_| Some("lost"))),
        "-V calls.vcf -I lost.bam -R ref.fa",
        "read_groups",
        &["none of its first", "`lost`"],
    ),
    (
        "calls that are cut off",
        |lab| cut(lab, "truth.vcf.gz", 28),
        "-V truth.vcf.gz -I reads.bam -R ref.fa",
        "calls",
        &["truth.vcf.gz: the file is cut off"],
    ),
    (
        "calls that are none",
        |lab| drop(lab.file("calls.vcf", "hello\n")),
        RUN,
        "calls",
        &["calls.vcf: "],
    ),
    (
        "a model without its reads",
        |_| (),
        "-V calls.vcf -R ref.fa --model cnnfilter_reads",
        "model",
        &["scores from reads: give them with -I"],
    ),
    (
        "no such model",
        |_| (),
        "-V calls.vcf -R ref.fa --model none",
        "model",
        &["there is no such model folder"],
    ),
    (
        "a model without thresholds",
        |lab| drop(lab.model_1d()),
        "-V calls.vcf -R ref.fa --model gatk-1d --filter",
        "model",
        &["--filter: model `gatk-1d` has no thresholds"],
    ),
    (
        "an unknown region",
        |_| (),
        "-V calls.vcf -I reads.bam -R ref.fa -L nowhere",
        "regions",
        &["`nowhere`"],
    ),
    (
        "no folder for the output",
        |_| (),
        "-V calls.vcf -I reads.bam -R ref.fa -o none/out.vcf",
        "output",
        &["none/out.vcf"],
    ),
];

#[test]
fn what_makes_score_fail_is_a_fault_in_its_words() {
    for (name, broken, line, check, parts) in FAULTS {
        let lab = lab();
        broken(&lab);
        let said = doctor(&lab, line);
        assert_eq!(said.code, Some(1), "{name}: {}", said.screen);
        assert_eq!(said.json["verdict"], "fault", "{name}");
        assert!(
            said.errors.contains("cnnfilter: error: score would fail: "),
            "{name}: {}",
            said.errors
        );
        let faults: Vec<String> = said
            .of(check)
            .into_iter()
            .filter(|(status, _)| status == "fault")
            .map(|(_, text)| text)
            .collect();
        assert!(!faults.is_empty(), "{name}: {}", said.screen);
        for part in *parts {
            assert!(
                faults.iter().any(|text| text.contains(part)),
                "{name}: {part}: {faults:?}"
            );
        }
        let line = if line.contains(" -o ") {
            (*line).to_owned()
        } else {
            format!("{line} -o out.vcf")
        };
        let message = fail(run_in(&lab, "score", &line));
        let message = message
            .lines()
            .find_map(|line| line.strip_prefix("cnnfilter: error: "))
            .unwrap();
        // A temporary file has another name each time.
        let message = message.split(" at path ").next().unwrap();
        let is_same = faults.iter().any(|text| text.starts_with(message));
        assert!(is_same, "{name}: score says {message}, doctor {faults:?}");
    }
}

/// What `score` goes on with: a warning, and the end is 0.
const WARNINGS: &[Row] = &[
    (
        "an old index",
        |lab| renew(lab, "reads.bam"),
        RUN,
        "reads",
        &["reads.bam.bai: it is older than reads.bam"],
    ),
    (
        "an old index of the reference",
        |lab| renew(lab, "ref.fa"),
        RUN,
        "reference",
        &["ref.fa.fai is older than ref.fa", "samtools faidx"],
    ),
    (
        "an old index of the calls",
        |lab| renew(lab, "truth.vcf.gz"),
        "-V truth.vcf.gz -I reads.bam -R ref.fa",
        "calls",
        &["truth.vcf.gz.tbi is older than it"],
    ),
    (
        "the dictionary of another reference",
        |lab| change(lab, "ref.dict", "LN:30000", "LN:30001"),
        RUN,
        "reference",
        &["`demo1` has 30001 bases", "samtools dict"],
    ),
    (
        "other bases",
        |lab| change(lab, "ref.dict", "M5:7", "M5:8"),
        "-V calls.vcf -I reads.cram -R ref.fa",
        "contigs",
        &["`demo1`: the same name and another MD5 in reads.cram than in ref.fa"],
    ),
    (
        "regions without an index",
        |_| (),
        "-V calls.vcf -I reads.bam -R ref.fa -L demo2",
        "calls",
        &["all of it is read for -L"],
    ),
    (
        "a last line without its end",
        |lab| cut(lab, "calls.vcf", 1),
        RUN,
        "calls",
        &["the last line has no line feed"],
    ),
    (
        "two names for one sample",
        |lab| change(lab, "calls.vcf", "FORMAT\tdemo", "FORMAT\tsomeone"),
        RUN,
        "samples",
        &["the calls are of `someone`, the reads of `demo`"],
    ),
    (
        "some reads of no known group",
        |lab| {
            drop(write_reads(lab, "half.bam", &TWO, |number| {
                match number % 2 {
                    0 => Some("1"),
                    _ => Some("lost"),
                }
            }))
        },
        "-V calls.vcf -I half.bam -R ref.fa",
        "read_groups",
        &["reads over calls are left out", "`lost`"],
    ),
    (
        "another caller",
        |lab| made_by_others(lab, "deepvariant.vcf"),
        "-V deepvariant.vcf -I reads.bam -R ref.fa",
        "caller",
        &["DeepVariant 1.6.1; the model was trained on calls of HaplotypeCaller, freebayes"],
    ),
    (
        "few annotations",
        |lab| made_by_others(lab, "deepvariant.vcf"),
        "-V deepvariant.vcf -I reads.bam -R ref.fa",
        "annotations",
        &["of the model's 36", "none has "],
    ),
    (
        "one copy",
        |lab| made_by_others(lab, "gatk.haploid.vcf"),
        "-V gatk.haploid.vcf -I reads.bam -R ref.fa",
        "genotypes",
        &["100 % of the genotypes are haploid"],
    ),
    (
        "four copies",
        |lab| made_by_others(lab, "gatk.tetraploid.vcf"),
        "-V gatk.tetraploid.vcf -I reads.bam -R ref.fa",
        "genotypes",
        &["ploidy of up to 4"],
    ),
    (
        "a gVCF",
        |lab| made_by_others(lab, "gatk.gvcf.vcf"),
        "-V gatk.gvcf.vcf -I reads.bam -R ref.fa",
        "trial",
        &["no score for 102 of 107 calls", "gVCF"],
    ),
    (
        "a contig that is nowhere",
        |lab| made_by_others(lab, "letters.vcf"),
        "-V letters.vcf -I reads.bam -R ref.fa",
        "contigs",
        &["ref.fa lacks 1 contig of letters.vcf (`elsewhere`)"],
    ),
    (
        "a depth that was not trained on",
        |_| (),
        "-V calls.vcf -I reads.bam -R ref.fa --sample-depth 300",
        "depth",
        &["300.0 reads", "training"],
    ),
    (
        "reads that are not used",
        |_| (),
        "-V calls.vcf -I reads.bam -R ref.fa --model cnnfilter_reference",
        "model",
        &["does not use reads"],
    ),
];

#[test]
fn what_score_goes_on_with_is_a_warning() {
    for (name, broken, line, check, parts) in WARNINGS {
        let lab = lab();
        broken(&lab);
        let said = doctor(&lab, line);
        assert_eq!(said.code, Some(0), "{name}: {}{}", said.screen, said.errors);
        assert_eq!(said.json["verdict"], "warning", "{name}");
        let found = said.of(check);
        for part in *parts {
            let is_said =
                |(status, text): &(String, String)| status == "warning" && text.contains(part);
            assert!(found.iter().any(is_said), "{name}: {part}: {found:?}");
        }
        succeed(run_in(&lab, "score", &format!("{line} -o out.vcf")));
    }
}

#[test]
fn an_index_lets_calls_of_the_whole_genome_be_looked_at() {
    let lab = lab();
    let said = doctor(&lab, "-V truth.vcf.gz -I reads.bam -R ref.fa");
    let records = said.json["facts"]["records"].as_u64().unwrap();
    assert!(records > 50, "{records}");
    assert_eq!(
        said.json["facts"]["calls_sampled"], records,
        "all of so few"
    );
    assert!(
        said.of("calls")[0]
            .1
            .contains(&format!("with an index of {records} records"))
    );
}

#[test]
fn calls_of_a_pipe_are_refused() {
    let output = run_in(&lab(), "doctor", "-V - -R ref.fa");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("give a file"), "{said}");
}
