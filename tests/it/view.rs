//! `cnnfilter view`: pages and pictures. `tests/view_page.py` looks at a page in a browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

/// Calls of the demo, scored, filtered and named after a rule.
fn scored(lab: &Lab) -> PathBuf {
    let out = lab.path("scored.vcf.gz");
    let run = program(&["score", "--filter", "--no-index", "-V"])
        .arg(demo("calls.vcf"))
        .args(["-L", "demo1:1-9000", "-I"])
        .arg(demo("reads.bam"))
        .arg("-R")
        .arg(demo("ref.fa"))
        .arg("-o")
        .arg(&out)
        .output();
    succeed(run.unwrap());
    out
}

fn view(calls: &Path, output: &Path, more: &[&str]) -> std::process::Output {
    let mut run = program(&["view", "--fast", "-V"]);
    run.arg(calls).arg("-R").arg(demo("ref.fa"));
    if !more.contains(&"--no-reads") {
        run.arg("-I").arg(demo("reads.bam"));
    }
    let more = more.iter().filter(|one| **one != "--no-reads");
    run.args(more).arg("-o").arg(output).output().unwrap()
}

/// The page, and how many calls it says it has.
fn page(calls: &Path, output: &Path, more: &[&str]) -> (String, usize) {
    succeed(view(calls, output, more));
    let text = std::fs::read_to_string(output).unwrap();
    let before = text.split(", scored with").next().unwrap();
    let before = before.trim_end_matches(" calls").trim_end_matches(" call");
    let count = before.rsplit('>').next().unwrap().parse().unwrap();
    (text, count)
}

#[test]
fn rules_choose_calls_and_the_page_fetches_nothing() {
    let lab = Lab::new();
    let (calls, out) = (scored(&lab), lab.path("view.html"));
    let (text, all) = page(&calls, &out, &[]);
    assert!(text.contains("default-src 'none'; script-src 'sha256-"));
    assert!(!text.contains("http://") && !text.contains("https://"));
    let (_, failed) = page(&calls, &out, &["--failed"]);
    assert!(0 < failed && failed < all, "{failed} of {all}");
    for rule in [
        &["--lowest", "3"][..],
        &["--near-threshold", "3"],
        &["--random", "3", "--seed", "5"],
        &["--disagree", "QUAL,CNN_PROB", "--max-calls", "3"],
    ] {
        let (text, count) = page(&calls, &out, rule);
        assert!((3..=4).contains(&count), "{rule:?}: {count}");
        let (again, _) = page(&calls, &out, &[rule, &["--threads", "1"]].concat());
        assert!(text == again, "{rule:?}: another page");
    }
    let (text, none) = page(&calls, &out, &["-L", "demo2"]);
    assert_eq!(none, 0);
    assert!(text.contains("No record lies in the regions asked for"));
}

#[test]
fn labels_are_shown_and_choose_the_worst() {
    let lab = Lab::new();
    let (calls, out) = (scored(&lab), lab.path("view.html"));
    std::fs::remove_file(&out).unwrap_or_default();
    let silent = view(&calls, &out, &["--quiet"]);
    assert!(silent.status.success() && silent.stderr.is_empty() && out.exists());
    let labels = lab.file(
        "labels.tsv",
        "chrom\tpos\tref\talt\tlabel\ndemo1\t20\tA\tG\tFP\n",
    );
    let (_, count) = page(&calls, &out, &["--worst", "5", "--labels", text(&labels)]);
    assert_eq!(count, 1);
    let wrong = view(&calls, &out, &["--worst", "5"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--labels"));
}

/// `eval` on scored calls of the demo, with a report in this folder.
fn evaluation(calls: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = program(&["eval", "--resamples", "0", "--worst", "3", "-V"]);
    command
        .arg(calls)
        .arg("--truth")
        .arg(demo("truth.vcf.gz"))
        .arg("--confident")
        .arg(demo("confident.bed"))
        .args(["-L", "demo1:1-9000", "-R"])
        .arg(demo("ref.fa"))
        .args(more)
        .arg("-o")
        .arg(out);
    command
}

/// Runs [`evaluation`] and returns the folder of its report.
fn report(lab: &Lab, calls: &Path, name: &str, more: &[&str]) -> PathBuf {
    let out = lab.path(name);
    succeed(evaluation(calls, &out, more).output().unwrap());
    out
}

/// The lines of a table, without its header, by their fields.
fn fields(table: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(table).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| line.split('\t').map(String::from).collect())
        .collect()
}

/// ALTs of the records of a table: each is a call of a page.
fn alternates(lines: &[Vec<String>]) -> usize {
    lines.iter().map(|line| line[3].split(',').count()).sum()
}

#[test]
fn the_worst_calls_of_eval_lead_to_their_reads() {
    let lab = Lab::new();
    let calls = scored(&lab);
    let reads = demo("reads.bam");
    let plain = report(&lab, &calls, "plain", &[]);
    let with_page = ["--view", "--fast", "-I", text(&reads)];
    let shown = report(&lab, &calls, "shown", &with_page);
    let read = |folder: &Path, name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for name in ["eval.tsv", "eval.json", "eval.txt"] {
        assert!(read(&plain, name) == read(&shown, name), "{name}");
    }
    assert!(!plain.join("view.html").exists() && !plain.join("worst.tsv").exists());
    assert!(!read(&plain, "eval.html").contains("<a "));

    let (page, worst) = (read(&shown, "eval.html"), fields(&shown.join("worst.tsv")));
    assert!(worst.len() > 6, "{worst:?}");
    for line in &worst {
        let link = format!("<a href=\"view.html#{}\">", line[..4].join(":"));
        assert!(page.contains(&link), "{link}");
    }
    let of_page = format!(">{} calls, scored with", alternates(&worst));
    assert!(read(&shown, "view.html").contains(&of_page), "{of_page}");

    // What was read from a stream cannot be read again.
    let from_stream = program(&["eval", "--view", "-V", "-", "-R", "r", "--truth", "t"])
        .args(["-o", text(&lab.path("none"))])
        .output()
        .unwrap();
    assert_eq!(from_stream.status.code(), Some(2));
    let message = String::from_utf8_lossy(&from_stream.stderr).into_owned();
    assert!(
        message.contains("--view: the calls are read twice"),
        "{message}"
    );
}

#[test]
fn eval_opens_the_reads_before_it_works_and_tells_of_a_page_that_stays() {
    let lab = Lab::new();
    let calls = scored(&lab);
    let (out, absent) = (lab.path("report"), lab.path("absent.bam"));
    // A stratum is absent, too: only what is opened later tells of it.
    let missing = ["--view", "-I", text(&absent), "--stratify", "s=absent.bed"];
    let error = fail(evaluation(&calls, &out, &missing).output().unwrap());
    assert!(error.contains("absent.bam"), "{error}");
    assert!(!out.exists());

    let reads = demo("reads.bam");
    report(
        &lab,
        &calls,
        "report",
        &["--view", "--fast", "-I", text(&reads)],
    );
    let again = evaluation(&calls, &out, &[]).output().unwrap();
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    succeed(again);
    for name in ["view.html", "worst.tsv"] {
        assert!(
            told.contains(&format!("{name}: it is of an earlier run")),
            "{told}"
        );
        assert!(out.join(name).exists());
    }
}

/// `view --worst` takes the table that `eval --view` writes, and finds the same call to be the worst.
#[test]
fn labels_of_eval_choose_the_worst() {
    let lab = Lab::new();
    let calls = scored(&lab);
    let reads = demo("reads.bam");
    let folder = report(
        &lab,
        &calls,
        "report",
        &["--view", "--fast", "-I", text(&reads)],
    );
    let table = folder.join("worst.tsv");
    let probability = |line: &Vec<String>| {
        let mut scores = line[5].split(';');
        let value = scores.find_map(|one| one.strip_prefix("CNN_PROB="))?;
        value.parse::<f64>().ok()
    };
    let lines = fields(&table);
    let wrong = lines.iter().filter(|line| line[4] == "FP");
    let highest = wrong
        .filter(|line| probability(line).is_some())
        .max_by(|a, b| probability(a).partial_cmp(&probability(b)).unwrap())
        .unwrap();
    let pictures = lab.path("pictures");
    let more = ["--worst", "1", "--labels", text(&table), "--format", "svg"];
    succeed(view(&calls, &pictures, &more));
    assert!(
        pictures
            .join(format!("{}.svg", highest[..4].join("_")))
            .exists()
    );
    let (_, count) = page(
        &calls,
        &lab.path("view.html"),
        &["--worst", "999", "--labels", text(&table)],
    );
    assert_eq!(count, alternates(&lines));
}

#[test]
fn other_models_and_odd_calls_have_a_page() {
    let lab = Lab::new();
    let out = lab.path("view.html");
    let long = "ACGT".repeat(50);
    let odd = lab.file(
        "odd.vcf",
        format!(
            "##fileformat=VCFv4.2\n##contig=<ID=demo1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\
             demo1\t20\t<b>\tA\tA{long},<DEL>,G\t.\t.\t.\ndemo1\t48\t.\tC\t<DEL>\t.\t.\t.\n"
        ),
    );
    let (text_of_page, count) = page(&odd, &out, &[]);
    assert_eq!(count, 2);
    assert!(text_of_page.contains("1 records are not shown: no ALT spelled in bases"));
    let (_, count) = page(&odd, &out, &["--no-reads"]);
    assert_eq!(count, 2);
    let gatk_reads = lab.model_2d();
    let (_, count) = page(&odd, &out, &["--model", text(&gatk_reads)]);
    assert_eq!(count, 1);
    let gatk = lab.model_1d();
    let (_, count) = page(&odd, &out, &["--no-reads", "--model", text(&gatk)]);
    assert_eq!(count, 1);
}

#[test]
fn pictures_are_files_of_a_folder() {
    let lab = Lab::new();
    let (calls, out) = (scored(&lab), lab.path("pictures"));
    for format in ["png", "svg", "gif"] {
        succeed(view(&calls, &out, &["--lowest", "2", "--format", format]));
    }
    succeed(view(
        &calls,
        &out,
        &["-L", "demo1:20", "--format", "png", "--tensor", "gatk"],
    ));
    let mut names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(
        names.contains(&"calls.gif".to_owned()) && names.contains(&"demo1_20_A_G.png".to_owned())
    );
    let count = |suffix: &str| names.iter().filter(|name| name.ends_with(suffix)).count();
    assert_eq!(
        (count(".png"), count(".svg"), count(".gif")),
        (3, 2, 1),
        "{names:?}"
    );
}

/// The calls are read twice, without an index both times.
#[test]
fn what_is_said_of_a_file_is_said_once() {
    let lab = Lab::new();
    let out = lab.path("view.html");
    let shown = view(&demo("calls.vcf"), &out, &["-L", "demo1:1-500"]);
    let told = String::from_utf8_lossy(&shown.stderr).into_owned();
    succeed(shown);
    assert_eq!(told.matches("all of it is read").count(), 1, "{told}");
}

#[test]
fn errors_say_what_to_do() {
    let lab = Lab::new();
    let out = lab.path("view.html");
    let calls = demo("calls.vcf");
    for (more, expected) in [
        (&["--lowest", "3"][..], "score the calls first"),
        (&["--near-threshold", "3"], "CNN_PROB"),
        (&["--disagree", "QUAL,NOPE"], "QUAL and NOPE"),
    ] {
        let error = fail(view(&calls, &out, more));
        assert!(error.contains(expected), "{error}");
    }
    let pipe = lab.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for once in [Path::new("-"), Path::new("/dev/stdin"), &pipe] {
        let wrong = view(once, &out, &[]);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("read twice"));
    }
    assert_eq!(view(&calls, Path::new("-"), &[]).status.code(), Some(2));
    for more in [&["--lowest", "3", "--failed"][..], &["--disagree", "QUAL"]] {
        assert_eq!(view(&calls, &out, more).status.code(), Some(2), "{more:?}");
    }
    assert!(!out.exists());
}
