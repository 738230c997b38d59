//! `eval`: figures, tables and the page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::*;

fn eval(arguments: &[&str]) -> Output {
    let mut all = vec!["eval"];
    all.extend(arguments);
    program(&all).output().unwrap()
}

/// The rows of `eval.tsv`, by score, kind, stratum and figure.
struct Figures(BTreeMap<[String; 4], BTreeMap<String, String>>);

impl Figures {
    fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("eval.tsv")).unwrap();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
        let rows = lines.map(|line| {
            let row: BTreeMap<String, String> = names
                .iter()
                .zip(line.split('\t'))
                .map(|(name, value)| ((*name).to_owned(), value.to_owned()))
                .collect();
            let key = ["score", "kind", "stratum", "figure"].map(|name| row[name].clone());
            (key, row)
        });
        Self(rows.collect())
    }

    fn row(&self, key: [&str; 4]) -> &BTreeMap<String, String> {
        self.0
            .get(&key.map(String::from))
            .unwrap_or_else(|| panic!("no row {key:?}"))
    }

    fn value(&self, score: &str, kind: &str, stratum: &str, figure: &str) -> f64 {
        let row = self.row([score, kind, stratum, figure]);
        row["value"].parse().unwrap_or_else(|_| panic!("{row:?}"))
    }

    fn counts(&self, score: &str, kind: &str) -> (String, String) {
        let row = self.row([score, kind, "all", "pr_auc"]);
        (row["n_true"].clone(), row["n_false"].clone())
    }
}

/// Evaluates the demo's calls against its truth.
fn demo_report(lab: &Lab, name: &str, calls: &Path, more: &[&str]) -> (PathBuf, String) {
    let folder = lab.path(name);
    let (truth, confident, reference) =
        (demo("truth.vcf.gz"), demo("confident.bed"), demo("ref.fa"));
    let mut arguments = vec![
        "-V",
        text(calls),
        "--truth",
        text(&truth),
        "--confident",
        text(&confident),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ];
    arguments.extend(more);
    let summary = String::from_utf8(succeed(eval(&arguments))).unwrap();
    (folder, summary)
}

#[test]
fn the_demo_is_labelled_as_its_recipe_counts() {
    let lab = Lab::new();
    let (folder, summary) = demo_report(&lab, "report", &demo("calls.vcf"), &[]);
    assert!(summary.contains("match by allele"), "{summary}");
    let figures = Figures::read(&folder);
    // tests/data/demo/README.md: 191 true, 82 false in the confident regions, none missed.
    let (snps, indels) = (
        figures.counts("QUAL", "SNP"),
        figures.counts("QUAL", "INDEL"),
    );
    let sum = |a: &str, b: &str| a.parse::<u32>().unwrap() + b.parse::<u32>().unwrap();
    assert_eq!(sum(&snps.0, &indels.0), 191);
    assert_eq!(sum(&snps.1, &indels.1), 82);
    for (score, kind) in [("QUAL", "SNP"), ("QD", "INDEL")] {
        let value = figures.value(score, kind, "all", "pr_auc");
        assert!((0.8..1.0).contains(&value), "{score} {kind} {value}");
    }
    for name in ["eval.json", "eval.html", "eval.txt"] {
        assert!(
            std::fs::metadata(folder.join(name)).unwrap().len() > 100,
            "{name}"
        );
    }
    assert_eq!(
        std::fs::read_to_string(folder.join("eval.txt")).unwrap(),
        summary
    );
    let page = std::fs::read_to_string(folder.join("eval.html")).unwrap();
    assert!(page.contains("calls.vcf"));
    for word in ["http://", "https://", "src=", "@import"] {
        let loads = page
            .matches(word)
            .filter(|_| !word.starts_with("http"))
            .count();
        assert_eq!(loads, 0, "the page loads something by `{word}`");
    }
}

/// The figures over all records and the summary are those of version 0.1.0, byte for byte; figures of genotypes came later.
#[test]
fn figures_of_the_demo_stay_as_they_were() {
    let lab = Lab::new();
    let more = ["--score", "QUAL,QD", "--resamples", "100"];
    let (folder, summary) = demo_report(&lab, "report", &demo("calls.vcf"), &more);
    let table = std::fs::read_to_string(folder.join("eval.tsv")).unwrap();
    let kept: String = table
        .split_inclusive('\n')
        .enumerate()
        .filter(|(at, line)| {
            let stratum = line.split('\t').nth(2).unwrap();
            let is_old = !line.starts_with("GENOTYPE\t");
            *at == 0 || (is_old && ["all", "score_bin:1", "score_bin:10"].contains(&stratum))
        })
        .map(|(_, line)| line)
        .collect();
    assert_eq!(kept, include_str!("../data/eval/demo.tsv"));
    let lines = summary.split_inclusive('\n');
    let (later, old): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.contains(" genotypes: "));
    assert_eq!(old.concat(), include_str!("../data/eval/demo.txt"));
    // The caller's genotypes of the demo against the truth's.
    assert!(later[0].starts_with("SNP genotypes: "), "{later:?}");
    assert_eq!(later.len(), 2);
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("GENOTYPE\tSNP\tall"))
        .collect();
    let count = |copies: &str| -> f64 {
        let name = format!("\tgenotype_{copies}\t");
        let row = rows.iter().find(|row| row.contains(&name)).unwrap();
        row.split('\t').nth(5).unwrap().parse().unwrap()
    };
    let real: f64 = [
        "truth1_called1",
        "truth1_called2",
        "truth2_called1",
        "truth2_called2",
    ]
    .iter()
    .map(|copies| count(copies))
    .sum();
    assert!(real > 100.0 && count("truth1_called1") + count("truth2_called2") > 0.95 * real);
}

#[test]
fn a_call_set_that_is_the_truth_is_all_true() {
    let lab = Lab::new();
    for rule in ["allele", "genotype"] {
        let truth = demo("truth.vcf.gz");
        let (folder, _) = demo_report(&lab, rule, &truth, &["--match", rule]);
        let figures = Figures::read(&folder);
        let row = figures.row(["QUAL", "SNP", "all", "pr_auc"]);
        assert_eq!(
            (row["n_false"].as_str(), row["n_missed"].as_str()),
            ("0", "0"),
            "{row:?}"
        );
        assert_eq!(row["value"], "NA", "one class only is undefined: {row:?}");
        assert!(!row["reason"].is_empty());
    }
}

#[test]
fn missed_truth_is_counted_apart() {
    let lab = Lab::new();
    let text_of = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let mut kept = String::new();
    for (at, line) in text_of.lines().enumerate() {
        if line.starts_with('#') || at % 2 == 0 {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    let half = lab.file("half.vcf", kept);
    let (folder, _) = demo_report(&lab, "report", &half, &[]);
    let figures = Figures::read(&folder);
    let missed: u32 = ["SNP", "INDEL"]
        .iter()
        .map(|kind| {
            figures.row(["QUAL", kind, "all", "pr_auc"])["n_missed"]
                .parse::<u32>()
                .unwrap()
        })
        .sum();
    let found: u32 = ["SNP", "INDEL"]
        .iter()
        .map(|kind| figures.counts("QUAL", kind).0.parse::<u32>().unwrap())
        .sum();
    assert!(missed > 60 && found > 60, "{missed} missed, {found} found");
}

#[test]
fn strata_regions_and_threads() {
    let lab = Lab::new();
    let bed = lab.file("s.bed", "demo1\t15000\t16500\n");
    let stratum = format!("paralogue={}", text(&bed));
    let more = ["--stratify", &stratum, "--threads"];
    let with = |threads: &str, name: &str| {
        let mut more = more.to_vec();
        more.push(threads);
        demo_report(&lab, name, &demo("calls.vcf"), &more).0
    };
    let (one, three) = (with("1", "one"), with("3", "three"));
    for file in ["eval.tsv", "eval.json", "eval.html", "eval.txt"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert!(read(&one) == read(&three), "{file} depends on the threads");
    }
    let figures = Figures::read(&one);
    let inside = figures.row(["QUAL", "SNP", "paralogue", "pr_auc"]);
    assert!(
        inside["n_false"].parse::<u32>().unwrap() >= 10,
        "{inside:?}"
    );
    assert!(figures.0.keys().any(|key| key[2] == "not:paralogue"));
    // Two scattered regions add up to the whole.
    let counts = |region: &str| {
        let name = region.replace(':', "_");
        let (folder, _) = demo_report(&lab, &name, &demo("calls.vcf"), &["-L", region]);
        Figures::read(&folder)
            .counts("QUAL", "SNP")
            .0
            .parse::<u32>()
            .unwrap()
    };
    let whole: u32 = figures.counts("QUAL", "SNP").0.parse().unwrap();
    assert_eq!(
        counts("demo1:1-15000") + counts("demo1:15001-") + counts("demo2"),
        whole
    );
}

#[test]
fn several_files_stand_side_by_side() {
    let lab = Lab::new();
    let (one, two) = (lab.path("one.vcf"), lab.path("two.bcf"));
    let bam = demo("reads.bam");
    succeed(score(
        &demo("calls.vcf"),
        &lab.model_1d(),
        &["-o", text(&one)],
    ));
    succeed(score(
        &demo("calls.vcf"),
        &lab.model_2d(),
        &["-I", text(&bam), "-o", text(&two)],
    ));
    let (folder, _) = demo_report(
        &lab,
        "report",
        &one,
        &["-V", text(&two), "--score", "CNN_1D,CNN_2D,QUAL"],
    );
    let figures = Figures::read(&folder);
    for score in ["CNN_1D", "CNN_2D", "QUAL"] {
        figures.value(score, "SNP", "all", "pr_auc");
    }
    let (qual, again) = (
        figures.value("QUAL", "SNP", "all", "pr_auc"),
        figures.value("QUAL@two.bcf", "SNP", "all", "pr_auc"),
    );
    assert_eq!(qual, again, "the same score out of either file");
}

const HAPPY: &str = "##fileformat=VCFv4.2
##INFO=<ID=S,Number=1,Type=Float,Description=\"x\">
##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">
##FORMAT=<ID=BD,Number=1,Type=String,Description=\"x\">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tTRUTH\tQUERY
1\t10\t.\tA\tC\t9\tPASS\tS=9\tGT:BD\t0/1:TP\t0/1:TP
1\t20\t.\tA\tC\t8\tPASS\tS=8\tGT:BD\t.:.\t0/1:FP
1\t30\t.\tA\tC\t7\tq\tS=7\tGT:BD\t0/1:TP\t0/1:TP
1\t40\t.\tA\tC\t.\tPASS\t.\tGT:BD\t0/1:FN\t.:.
1\t50\t.\tA\tC\t6\tPASS\tS=6\tGT:BD\t.:.\t0/1:UNK
";

#[test]
fn happys_labels_give_happys_counts() {
    let lab = Lab::new();
    let calls = lab.file("happy.vcf", HAPPY);
    let folder = lab.path("report");
    let arguments = [
        "-V",
        text(&calls),
        "--labels",
        "happy",
        "--match",
        "genotype",
        "--score",
        "S",
        "-o",
        text(&folder),
    ];
    let summary = String::from_utf8(succeed(eval(&arguments))).unwrap();
    // Of three truth variants two are called, one of them filtered; one call is false, one outside.
    let line = summary
        .lines()
        .find(|line| line.starts_with("SNP FILTER PASS"))
        .expect(&summary);
    for part in [
        "precision 0.5000",
        "recall 0.3333",
        "1 found, 2 not",
        "1 false calls, 1 unjudged",
    ] {
        assert!(line.contains(part), "{line}");
    }
    // Average precision of 9 true, 8 false, 7 true: (1 + 2/3) / 2.
    let value = Figures::read(&folder).value("S", "SNP", "all", "pr_auc");
    assert!((value - 5.0 / 6.0).abs() < 1e-6, "{value}");
}

#[test]
fn undefined_figures_say_why() {
    let lab = Lab::new();
    // No truth inside the confident regions: nothing is judged.
    let nowhere = lab.file("nowhere.bed", "demo1\t0\t1\n");
    let folder = lab.path("none");
    let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
    succeed(eval(&[
        "-V",
        text(&calls),
        "--truth",
        text(&truth),
        "--confident",
        text(&nowhere),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ]));
    let row = Figures::read(&folder)
        .row(["QUAL", "SNP", "all", "pr_auc"])
        .clone();
    assert_eq!((row["value"].as_str(), row["n_true"].as_str()), ("NA", "0"));
    assert!(!row["reason"].is_empty(), "{row:?}");
    let all = std::fs::read_to_string(folder.join("eval.tsv")).unwrap();
    assert!(!all.contains("NaN") && !all.contains("inf\t"), "{all}");

    // Without a truth there are Ti/Tv and het/hom.
    let folder = lab.path("no_truth");
    let summary = succeed(eval(&[
        "-V",
        text(&calls),
        "--no-truth",
        "-o",
        text(&folder),
    ]));
    let all = std::fs::read_to_string(folder.join("eval.tsv")).unwrap();
    assert!(all.contains("ti_tv") && !all.contains("NaN"));
    let summary = String::from_utf8(summary).unwrap();
    assert!(
        summary.contains("SNP by QUAL") && summary.contains("het/hom"),
        "{summary}"
    );
    assert!(summary.contains("match by none"), "{summary}");

    // Ties everywhere, and a score that no record has.
    let header = "##fileformat=VCFv4.2\n##INFO=<ID=T,Number=1,Type=Float,Description=\"x\">\n##INFO=<ID=M,Number=1,Type=Float,Description=\"x\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let mut vcf = header.to_owned();
    let mut table = "#chrom\tpos\tref\talt\tlabel\n".to_owned();
    for at in 1..40 {
        vcf += &format!("1\t{}\t.\tA\tC\t.\t.\tT=1\n", at * 1000);
        table += &format!(
            "1\t{}\tA\tC\t{}\n",
            at * 1000,
            if at % 3 == 0 { "FP" } else { "TP" }
        );
    }
    let (calls, labels, folder) = (
        lab.file("t.vcf", vcf),
        lab.file("t.tsv", table),
        lab.path("ties"),
    );
    succeed(eval(&[
        "-V",
        text(&calls),
        "--labels",
        text(&labels),
        "--score",
        "T",
        "M",
        "-o",
        text(&folder),
    ]));
    let figures = Figures::read(&folder);
    for score in ["T", "M"] {
        let row = figures.row([score, "SNP", "all", "roc_auc"]);
        assert!(row["value"] == "NA" && !row["reason"].is_empty(), "{row:?}");
    }
}

#[test]
fn wrong_inputs_are_named() {
    let lab = Lab::new();
    let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
    let folder = lab.path("report");
    let strange = lab.file("s.bed", "chrdemo1\t1\t2\n");
    let stratum = format!("s={}", text(&strange));
    let base = [
        "-V",
        text(&calls),
        "--truth",
        text(&truth),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ];
    for (more, part) in [
        (vec!["--score", "NOPE"], "does not define `NOPE`"),
        (vec!["--baseline", "NOPE"], "no score `NOPE`"),
        (vec!["--sample", "nobody"], "there is no sample `nobody`"),
        (
            vec!["--stratify", &stratum],
            "no contig in common with the calls (`chrdemo1` there is `demo1`",
        ),
        (vec!["-V", "none.vcf"], "none.vcf: cannot open"),
        (vec!["-L", "chr7"], "contig `chr7` is not known"),
    ] {
        let mut arguments = base.to_vec();
        arguments.extend(&more);
        let message = fail(eval(&arguments));
        assert!(message.contains(part), "{more:?}: {message}");
        assert!(!folder.join("eval.tsv").exists());
    }
    let message = fail(eval(&[
        "-V",
        text(&calls),
        "--labels",
        "happy",
        "-o",
        text(&folder),
    ]));
    assert!(
        message.contains("there is no sample `QUERY`; --labels happy takes"),
        "{message}"
    );
    let spelled = std::fs::read_to_string(&calls).unwrap();
    let other = lab.file("chr.vcf", spelled.replace("demo1", "chrdemo1"));
    let message = fail(eval(&[
        "-V",
        text(&other),
        "--truth",
        text(&truth),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ]));
    assert!(message.contains("`chrdemo1`"), "{message}");
    assert_eq!(
        eval(&["-V", "x", "-o", "y"]).status.code(),
        Some(2),
        "no labels at all"
    );
}

#[test]
fn a_wrong_genotype_is_missed_truth_under_the_genotype_rule() {
    let lab = Lab::new();
    // One true SNP of the demo, with its genotype turned from het to hom or back.
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let mut turned = String::new();
    for line in calls.lines() {
        let line = if line.contains("\t0/1:") {
            line.replace("\t0/1:", "\t1/1:")
        } else {
            line.to_owned()
        };
        turned += &line;
        turned.push('\n');
    }
    let calls = lab.file("turned.vcf", turned);
    let total = |rule: &str| {
        let (folder, _) = demo_report(&lab, rule, &calls, &["--match", rule]);
        let figures = Figures::read(&folder);
        let row = figures.row(["QUAL", "SNP", "all", "pr_auc"]);
        let number = |name: &str| row[name].parse::<u32>().unwrap();
        (number("n_true"), number("n_missed"))
    };
    let (allele, genotype) = (total("allele"), total("genotype"));
    assert_eq!(allele.1, 0);
    assert!(
        genotype.1 > 50 && genotype.0 < allele.0,
        "{allele:?} {genotype:?}"
    );
}

#[test]
fn labels_of_a_table_say_nothing_of_missed_truth() {
    let lab = Lab::new();
    let header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let calls = lab.file(
        "c.vcf",
        format!("{header}1\t10\t.\tA\tC\t9\tPASS\t.\n1\t20\t.\tA\tC\t5\tq\t.\n"),
    );
    let labels = lab.file(
        "l.tsv",
        "chrom\tpos\tref\talt\tlabel\n1\t10\tA\tC\tTP\n1\t20\tA\tC\tFP\n",
    );
    let folder = lab.path("report");
    let arguments = [
        "-V",
        text(&calls),
        "--labels",
        text(&labels),
        "-o",
        text(&folder),
    ];
    let summary = String::from_utf8(succeed(eval(&arguments))).unwrap();
    for part in [
        "match by genotype",
        "? truth variants without a matching call",
        "recall –",
        "precision 1.0000",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let figures = Figures::read(&folder);
    assert_eq!(
        figures.row(["QUAL", "SNP", "all", "recall_ceiling"])["value"],
        "NA"
    );
}

#[test]
fn vcfevals_combined_file_is_read() {
    let lab = Lab::new();
    let calls = lab.file(
        "combined.vcf",
        "##fileformat=VCFv4.2
##INFO=<ID=CALL,Number=1,Type=String,Description=\"x\">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"x\">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tBASELINE\tCALLS
1\t10\t.\tA\tC\t.\t.\tBASE=TP;CALL=TP\tGT:GQ\t0/1:.\t0/1:60
1\t20\t.\tA\tC\t.\t.\tBASE=FN\tGT:GQ\t0/1:.\t.:.
1\t30\t.\tA\tC\t.\t.\tCALL=FP\tGT:GQ\t.:.\t0/1:20
",
    );
    let folder = lab.path("report");
    succeed(eval(&[
        "-V",
        text(&calls),
        "--labels",
        "vcfeval",
        "--score",
        "FORMAT/GQ",
        "-o",
        text(&folder),
    ]));
    let figures = Figures::read(&folder);
    assert_eq!(figures.counts("FORMAT/GQ", "SNP"), ("1".into(), "1".into()));
    assert_eq!(figures.value("FORMAT/GQ", "SNP", "all", "pr_auc"), 1.0);
}

#[test]
fn names_that_do_not_meet_are_errors() {
    let lab = Lab::new();
    let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
    let folder = lab.path("report");
    let bed = lab.file("c.bed", "chrdemo1\t0\t30000\n");
    let table = lab.file(
        "l.tsv",
        "chrom\tpos\tref\talt\tlabel\nchrdemo1\t10\tA\tC\tTP\n",
    );
    let base = [
        "-V",
        text(&calls),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ];
    for (more, part) in [
        (
            vec!["--truth", text(&truth), "--confident", text(&bed)],
            "the confident regions: no contig in common",
        ),
        (
            vec!["--labels", text(&table)],
            "the table of labels: no contig in common",
        ),
        (
            vec!["--truth", text(&truth), "--truth-sample", "nobody"],
            "there is no sample `nobody`",
        ),
        (
            vec!["--truth", text(&truth), "--stratify", "a=x.bed"],
            "x.bed: cannot open",
        ),
    ] {
        let mut arguments = base.to_vec();
        arguments.extend(&more);
        let message = fail(eval(&arguments));
        assert!(message.contains(part), "{more:?}: {message}");
        assert!(!folder.exists(), "a failed run leaves no folder");
    }
    for name in ["all=x.bed", "a:b=x.bed", "x.bed"] {
        let mut arguments = base.to_vec();
        arguments.extend(["--no-truth", "--stratify", name]);
        assert_eq!(eval(&arguments).status.code(), Some(2), "{name}");
    }
}
