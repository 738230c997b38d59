//! What all commands have in common: the options of a run, a summary as text and as JSON, and exit
//! code 2 for what is wrong with the command line alone.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::*;

/// Small runs of every command but `import`, each with its output and what it needs.
struct Runs {
    lab: Lab,
}

/// The commands, with their command lines in a folder that has the demo and what earlier ones left.
const RUNS: [(&str, &str); 12] = [
    (
        "score",
        "score -V calls.vcf -I reads.bam -R ref.fa --filter -o scored.vcf",
    ),
    ("doctor", "doctor -V calls.vcf -I reads.bam -R ref.fa"),
    ("filter", "filter -V scored.vcf --aim f1 -o filtered.vcf"),
    (
        "eval",
        "eval -V scored.vcf -R ref.fa --truth truth.vcf.gz --confident confident.bed --resamples 20 -o report",
    ),
    (
        "tensors",
        "tensors -V calls.vcf -R ref.fa --truth truth.vcf.gz --confident confident.bed -o examples",
    ),
    (
        "embed",
        "embed -V calls.vcf -I reads.bam -R ref.fa --layers join2 -o run.emb",
    ),
    ("embed map", "embed map run.emb -o map.emb --clusters 4"),
    (
        "embed summary",
        "embed summary -e examples --model cnnfilter_reference -o models",
    ),
    (
        "measure",
        "measure --model cnnfilter_reference --simulated examples -o measured",
    ),
    (
        "train",
        "train -e examples --set epochs=1 --set batches.per_class=2 --set batches.steps_per_epoch=2 \
         --set validation.last_fraction=0.4 --set architecture.base_filters=4 -o RUN",
    ),
    ("simulate genome", "simulate genome -R ref.fa -o genome"),
    (
        "simulate reads",
        "simulate reads --in 1.fq --in 2.fq --out o1.fq --out o2.fq",
    ),
];

impl Runs {
    fn new() -> Self {
        let lab = Lab::new();
        for name in DEMO_FILES {
            lab.copy(name);
        }
        for mate in [1, 2] {
            let pair = |at: u32| format!("@f{at}/{mate}\nACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIII\n");
            let text: String = (0..3).map(pair).collect();
            lab.file(&format!("{mate}.fq"), text);
        }
        Self { lab }
    }

    /// Runs a command line, words apart by blanks.
    fn run(&self, line: &str, more: &[&str]) -> Output {
        let words: Vec<&str> = line
            .split_whitespace()
            .chain(more.iter().copied())
            .collect();
        let mut command = program(&words);
        command.current_dir(self.lab.path(""));
        command.output().unwrap()
    }

    fn json(&self, name: &str) -> (Vec<u8>, Value) {
        let bytes = std::fs::read(self.lab.path(name)).unwrap();
        let value = serde_json::from_slice(&bytes).unwrap();
        (bytes, value)
    }
}

/// The number at the end of the line that begins so.
fn told(said: &str, what: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains(what))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Checks that the JSON of a command has the numbers of its text.
fn agrees(command: &str, json: &Value, said: &str) {
    let same = |key: &Value, what: &str| {
        let found = told(said, what);
        assert!(found.is_some(), "{command}: no `{what}` in\n{said}");
        assert_eq!(key.as_u64(), found, "{command}: {what}");
    };
    match command {
        "score" => {
            same(&json["records_read"], "records read");
            same(&json["records_written"], "records written");
            same(&json["scored"]["SNP"], "scored (CNN_2D), SNP");
            same(&json["scored"]["INDEL"], "scored (CNN_2D), INDEL");
            same(&json["passed"], "passed the filter");
            same(&json["failed"], "failed the filter");
            same(&json["not_judged"], "not judged by the filter");
        }
        "doctor" => {
            let checks = json["checks"].as_array().unwrap();
            assert_eq!(checks.len(), said.matches("ok       ").count());
        }
        "filter" => {
            same(&json["records_read"], "records read");
            same(&json["records_written"], "records written");
        }
        "eval" => {
            let head = format!("{} records, {} judged", json["records"], json["judged"]);
            assert!(said.contains(&head), "{head}:\n{said}");
            let cell = json["cells"].as_array().unwrap().iter().find(|cell| {
                cell["score"] == "CNN_2D" && cell["kind"] == "SNP" && cell["stratum"] == "all"
            });
            let table = format!("SNP all: {} true", cell.unwrap()["n_true"]);
            assert!(said.contains(&table), "{table}:\n{said}");
        }
        "tensors" => {
            for class in ["false SNPs", "false INDELs", "real SNPs", "real INDELs"] {
                same(&json["classes"][class], class);
            }
            for (reason, count) in json["not_used"].as_object().unwrap() {
                same(count, &format!("not used: {reason}"));
            }
        }
        "embed" => same(&json["calls"], "calls embedded"),
        "embed map" => same(&json["calls"], "calls on the map"),
        "embed summary" => {
            same(&json["calls"]["SNP"], "calls summarised, SNP");
            same(&json["calls"]["INDEL"], "calls summarised, INDEL");
        }
        "measure" => {
            let rows = json["thresholds"].as_array().unwrap();
            let f1 = rows
                .iter()
                .find(|row| row["kind"] == "SNP" && row["aim"] == "f1");
            let precision = f1.unwrap()["tested"][0]["precision"]["value"].as_f64();
            let row = "SNP    simulated";
            assert!(
                said.contains(row) && said.contains(&format!("{:.4} (", precision.unwrap())),
                "{said}"
            );
        }
        "train" => {
            let head = format!(
                "{} epochs, the best was {}",
                json["epochs"], json["best_epoch"]
            );
            assert!(said.contains(&head), "{head}:\n{said}");
            let examples = format!("({} examples)", json["validation_examples"]);
            assert!(said.contains(&examples), "{examples}:\n{said}");
        }
        "simulate genome" => {
            let line = format!(
                "{} regions, {} bases ({} confident); {} SNPs, {} indels, {} multi-nucleotide",
                json["regions"],
                json["bases"],
                json["confident_bases"],
                json["snps"],
                json["indels"],
                json["multi"]
            );
            assert!(said.contains(&line), "{line}:\n{said}");
        }
        "simulate reads" => {
            assert_eq!(json["pairs"], 3);
            assert!(said.contains("3 pairs"), "{said}");
        }
        other => unreachable!("{other}"),
    }
}

#[test]
fn every_command_ends_with_a_summary_that_the_threads_do_not_change() {
    let runs = Runs::new();
    for (command, line) in RUNS {
        let mut summaries = Vec::new();
        for threads in ["1", "2"] {
            let line = line.replace("RUN", &format!("run{threads}/run"));
            let mut more = vec!["--summary-json", "summary.json"];
            if command != "simulate genome" {
                more.extend(["--threads", threads]);
            }
            let output = runs.run(&line, &more);
            let said = [&output.stderr[..], &output.stdout].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(output.status.success(), "{command}: {said}");
            let (bytes, mut json) = runs.json("summary.json");
            assert_eq!(json["command"], command);
            assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
            agrees(command, &json, &said);
            // The one path in a summary is where the user wants the model.
            if command == "train" {
                assert_eq!(json["model"], format!("run{threads}/run/model"));
                json["model"] = Value::Null;
                summaries.push(json.to_string().into_bytes());
            } else {
                summaries.push(bytes);
            }
        }
        assert!(summaries[0] == summaries[1], "{command}: threads matter");
    }
}

#[test]
fn every_command_can_be_quiet_and_say_its_summary_on_standard_output() {
    let runs = Runs::new();
    for (command, line) in RUNS {
        let line = line.replace("RUN", "run");
        let more: &[&str] = match command {
            "eval" => &["-q", "--summary-json", "eval.json"],
            _ => &["-q", "--summary-json", "-"],
        };
        let output = runs.run(&line, more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && said.is_empty(),
            "{command}: {said}"
        );
        if command != "eval" {
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(json["command"], command);
        }
    }
    // What import says of a file that is none of GATK's, at both ends of the levels.
    runs.lab.file("x.jar", "hello");
    for level in [&["--quiet"][..], &["--log-level", "debug"]] {
        let more = [level, &["--summary-json", "import.json"]].concat();
        let message = fail(runs.run("import x.jar -o models", &more));
        assert!(message.contains("no readable zip archive"), "{message}");
    }
    assert!(!runs.lab.path("import.json").exists());
    // Warnings only: the summary is not said.
    let output = runs.run(RUNS[0].1, &["--log-level", "warn"]);
    assert!(output.stderr.is_empty() && output.status.success());
}

/// Command lines that are wrong whatever lies on the disk, and what the message says.
const WRONG: [(&str, &str); 39] = [
    // One place for two outputs.
    (
        "score -V calls.vcf -R ref.fa --summary-json -",
        "standard output: -o and --summary-json cannot both go there",
    ),
    (
        "score -V calls.vcf -R ref.fa -O o.vcf --summary-json ./o.vcf",
        "./o.vcf: -o and --summary-json cannot both go there",
    ),
    (
        "filter -V calls.vcf -o o.vcf --summary-json o.vcf",
        "-o and --summary-json cannot both go there",
    ),
    (
        "filter -V calls.vcf -o /dev/stdout --summary-json -",
        "standard output: -o and --summary-json",
    ),
    (
        "filter -V calls.vcf -o a.vcf -O b.vcf",
        "-o and -O both name an output",
    ),
    (
        "eval -V calls.vcf --no-truth -o report --summary-json -",
        "standard output: the report and --summary-json",
    ),
    (
        "eval -V calls.vcf --no-truth -o report --summary-json report/eval.json",
        "the report and --summary-json",
    ),
    (
        "tensors -V calls.vcf -R ref.fa --labels happy -o e --table e",
        "--table and -o cannot both go there",
    ),
    (
        "tensors -V calls.vcf -R ref.fa --labels happy -o e --table e.tsv --summary-json e.tsv",
        "--table and --summary-json cannot both go there",
    ),
    (
        "tensors -V calls.vcf -R ref.fa --labels happy -o e --table - --summary-json -",
        "--table: it cannot go to standard output",
    ),
    (
        "tensors -V calls.vcf -R ref.fa --labels happy -o -",
        "-o: it cannot go to standard output",
    ),
    (
        "train -e examples -o -",
        "-o: several files cannot go to standard output",
    ),
    (
        "eval -V calls.vcf --no-truth -o /dev/stdout",
        "the report: several files cannot go to standard output",
    ),
    (
        "simulate genome -R ref.fa -o -",
        "-o: several files cannot go to standard output",
    ),
    (
        "import x.jar -o -",
        "-o: several files cannot go to standard output",
    ),
    (
        "train -e examples --validation examples -o run",
        "examples: examples that are given twice",
    ),
    (
        "train -e examples -o run --summary-json run/history.tsv",
        "-o and --summary-json cannot both go there",
    ),
    (
        "simulate reads --in 1.fq --in 2.fq --out o.fq --out o.fq",
        "--out takes two different files",
    ),
    (
        "simulate reads --in 1.fq --in 2.fq --out o.fq --out ./o.fq",
        "--out and --out cannot both go there",
    ),
    // An output in the place of an input.
    (
        "score -V calls.vcf -R ref.fa -o ref.fa",
        "ref.fa: it is an input of this run (-R) and would be replaced",
    ),
    (
        "score -V calls.vcf -R ref.fa -L confident.bed -o link",
        "link: it is an input of this run (-L)",
    ),
    (
        "filter -V calls.vcf -o o.vcf --summary-json calls.vcf",
        "calls.vcf: it is an input of this run (-V)",
    ),
    (
        "tensors -V calls.vcf -R ref.fa --truth truth.vcf.gz -o truth.vcf.gz",
        "truth.vcf.gz: it is an input of this run (--truth)",
    ),
    (
        "simulate genome -R ref.fa -o genome --summary-json ref.fa",
        "ref.fa: it is an input of this run (-R)",
    ),
    (
        "import x.jar -o models --summary-json x.jar",
        "x.jar: it is an input of this run (FILE)",
    ),
    // Inputs that cannot be.
    (
        "eval -V - --truth - -R ref.fa -o report",
        "cannot both read standard input",
    ),
    (
        "score -V calls.vcf -R ref.fa -I reads.bam -I reads.bam -o o.vcf",
        "reads.bam: its reads would count twice",
    ),
    (
        "score -V calls.vcf -R ref.fa --tensor-type read_tensor -o o.vcf",
        "give them with -I",
    ),
    (
        "simulate reads --in 1.fq --in 1.fq --out o1.fq --out o2.fq",
        "--in takes two different files",
    ),
    // Values that cannot be, and options that contradict each other.
    (
        "eval -V calls.vcf --no-truth --stratify a=confident.bed --stratify a=other.bed -o report",
        "--stratify: the name `a` stands twice",
    ),
    (
        "eval -V calls.vcf --no-truth --score QUAL QD --baseline DP -o report",
        "--baseline DP: it is none of the scores that --score names (QUAL, QD)",
    ),
    (
        "eval -V calls.vcf --no-truth --match allele -o report",
        "cannot be used with",
    ),
    (
        "eval -V calls.vcf --no-truth --fail-on-empty -o report",
        "cannot be used with",
    ),
    (
        "train -e examples -o run --set speed=1",
        "--set: there is no speed; the configuration has architecture",
    ),
    (
        "train -e examples -o run --set optimizer.rate=1",
        "there is no optimizer.rate; optimizer has clip_norm",
    ),
    (
        "train -e examples -o run --set epochs=0",
        "epochs is 0; allowed is",
    ),
    (
        "train -e examples -o run --set epochs=many",
        "--set: epochs=many: invalid type",
    ),
    (
        "simulate genome -R ref.fa -o genome --snp-rate 0.5",
        "--snp-rate is 0.5; expected a rate per base from 0 to 0.05",
    ),
    (
        "simulate reads --in 1.fq --in 2.fq --out o1.fq --out o2.fq --chimeras 2",
        "--chimeras is 2; expected a part from 0 to 1",
    ),
];

#[test]
fn what_is_wrong_with_the_arguments_alone_exits_with_2_and_writes_nothing() {
    let runs = Runs::new();
    std::os::unix::fs::symlink("confident.bed", runs.lab.path("link")).unwrap();
    runs.lab.file("x.jar", "hello");
    let contents = || -> Vec<(PathBuf, Vec<u8>)> {
        let names = runs.lab.names().into_iter();
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        names
            .map(|name| runs.lab.path(&name))
            .map(|path| (path.clone(), read(&path)))
            .collect()
    };
    let before = contents();
    for (line, expected) in WRONG {
        let output = runs.run(line, &[]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}\n{message}");
        assert!(message.contains(expected), "{line}\n{message}");
        let command = line.split(" -").next().unwrap();
        let usage = format!("Usage: cnnfilter {}", command.trim_end_matches(" x.jar"));
        assert!(message.contains(&usage), "{line}\n{message}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(contents() == before, "{line}: something was written");
    }
}

#[test]
fn what_only_looks_wrong_is_done() {
    let runs = Runs::new();
    for line in [
        // The calls may be replaced, and devices are no places.
        "score -V calls.vcf -R ref.fa -o calls.vcf --summary-json calls.json",
        "score -V calls.vcf -R ref.fa -O /dev/null --summary-json /dev/null",
        "simulate reads --in 1.fq --in 2.fq --out 1.fq --out 2.fq",
    ] {
        succeed(runs.run(line, &[]));
    }
}

#[test]
fn a_summary_that_cannot_be_written_is_told_before_the_work() {
    let runs = Runs::new();
    for (command, line) in RUNS {
        let message = fail(runs.run(line, &["--summary-json", "none/x.json"]));
        assert!(
            message.contains("none/x.json: cannot create"),
            "{command}: {message}"
        );
    }
    assert!(!runs.lab.path("scored.vcf").exists() && !runs.lab.path("report").exists());
}
