//! Files of regions: one reader for every command and every format.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::support::*;

const HEADER: &str = "@HD\tVN:1.6\n@SQ\tSN:demo1\tLN:30000\n@SQ\tSN:demo2\tLN:10000\n";
/// The calls at 48 and 101 of demo1 lie in it, and the one at 787 as its last base; that at 20 does not.
const COLUMNS: &str = "demo1\t48\t787\t+\tx\n";

/// Files that all name bases 48 to 787 (from 1) of demo1.
fn files(lab: &Lab) -> Vec<PathBuf> {
    let with_header = format!("{HEADER}{COLUMNS}");
    let packed = |name: &str, text: &str| {
        let path = lab.path(name);
        let mut writer = rust_htslib::bgzf::Writer::from_path(&path).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        path
    };
    let reference = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let contig: String = reference.lines().skip(1).take(20).collect();
    let span = &contig[47..787];
    vec![
        lab.file("r.bed", "demo1\t47\t787\n"),
        lab.file("upper.BED", "#chrom\tbeg\tend\ndemo1\t47\t787\n"),
        lab.file("track.txt", "track name=x\ndemo1\t47\t787\n"),
        packed("r.bed.gz", "demo1\t47\t787\n"),
        lab.file("r.interval_list", &with_header),
        lab.file("bare.interval_list", COLUMNS),
        packed("r.interval_list.gz", &with_header),
        lab.file("r.intervals", &with_header),
        lab.file("r.list", &with_header),
        lab.file("r.picard", &with_header),
        lab.file("header.txt", &with_header),
        lab.file("header", &with_header),
        lab.file("typed.intervals", "demo1:48-787\n"),
        lab.file("typed.list", "demo1:48-787"),
        lab.file("typed.txt", "demo1:48-100\ndemo1:101-787\n"),
        lab.file(
            "r.vcf",
            format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\ndemo1\t48\t.\t{span}\tA\t.\t.\t.\n"),
        ),
    ]
}

/// Positions of the records that `score -L` writes.
fn positions(region: &Path) -> Vec<String> {
    let (calls, reference) = (demo("calls.vcf"), demo("ref.fa"));
    let scored = program(&[
        "score",
        "-V",
        text(&calls),
        "-R",
        text(&reference),
        "-L",
        text(region),
    ]);
    let scored = succeed({ scored }.output().unwrap());
    let place = |line: &String| line.split('\t').take(2).collect::<Vec<_>>().join(":");
    records(&scored).iter().map(place).collect()
}

/// The figures of `eval` with further arguments, and what the terminal shows but the files' names.
fn report(lab: &Lab, more: &[&str]) -> String {
    let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
    let folder = lab.path("report");
    let mut arguments = vec!["eval", "-V", text(&calls), "--truth", text(&truth), "-R"];
    arguments.extend([text(&reference), "-o", text(&folder), "--resamples", "0"]);
    arguments.extend(more);
    succeed(program(&arguments).output().unwrap());
    std::fs::read_to_string(folder.join("eval.tsv")).unwrap()
}

#[test]
fn every_format_names_the_same_bases_to_every_command() {
    let lab = Lab::new();
    let files = files(&lab);
    let expected = positions(&files[0]);
    assert_eq!(expected.first().map(String::as_str), Some("demo1:48"));
    assert_eq!(expected.last().map(String::as_str), Some("demo1:787"));
    let confident = report(&lab, &["--confident", text(&files[0])]);
    let of_stratum = |file: &Path| format!("inside={}", text(file));
    let stratified = report(&lab, &["--stratify", &of_stratum(&files[0])]);
    for file in &files {
        let name = file.display();
        assert_eq!(positions(file), expected, "{name}");
        let found = report(&lab, &["--confident", text(file)]);
        assert!(found == confident, "--confident {name}");
        let found = report(&lab, &["--stratify", &of_stratum(file)]);
        assert!(found == stratified, "--stratify {name}");
    }
}

#[test]
fn examples_are_labelled_by_an_interval_list_as_by_a_bed() {
    let lab = Lab::new();
    let tables = [
        lab.file("r.bed", "demo1\t47\t908\n"),
        lab.file("r.interval_list", format!("{HEADER}demo1\t48\t908\t+\tx\n")),
    ]
    .map(|confident| {
        let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
        let (examples, table) = (lab.path("x.examples"), lab.path("x.tsv"));
        let mut arguments = vec!["tensors", "-V", text(&calls), "-R", text(&reference)];
        arguments.extend(["--truth", text(&truth), "--confident", text(&confident)]);
        arguments.extend(["-o", text(&examples), "--table", text(&table)]);
        succeed(program(&arguments).output().unwrap());
        std::fs::read_to_string(table).unwrap()
    });
    assert!(tables[0].contains("\t908\t"), "the last base counts");
    assert!(tables[0] == tables[1]);
}

#[test]
fn what_might_count_from_0_or_from_1_is_refused_with_advice() {
    let lab = Lab::new();
    let (calls, truth, reference) = (demo("calls.vcf"), demo("truth.vcf.gz"), demo("ref.fa"));
    let vcf = std::fs::read(&calls).unwrap();
    let columns = "demo1\t48\t787\n";
    for (name, content, parts) in [
        (
            "p.txt",
            columns.as_bytes().to_vec(),
            &["columns may count from 0 or from 1", "name the file .bed"][..],
        ),
        (
            "p.list",
            columns.into(),
            &["columns may count from 0 or from 1"],
        ),
        (
            "p.intervals",
            columns.into(),
            &["columns may count from 0 or from 1"],
        ),
        ("p.narrow", columns.into(), &["add a line `track`"]),
        (
            "h.bed",
            format!("{HEADER}{COLUMNS}").into(),
            &["the name says BED", "name the file .interval_list"],
        ),
        (
            "i.bed",
            COLUMNS.into(),
            &["columns are those of an interval_list"],
        ),
        (
            "t.interval_list",
            "track x\ndemo1\t1\t9\n".into(),
            &["name the file .bed"],
        ),
        ("v.bed", vcf.clone(), &["it is a VCF; name the file .vcf"]),
        ("v.list", vcf, &["it is a VCF"]),
        (
            "z.interval_list",
            "demo1\t0\t9\t+\tx\n".into(),
            &["line 1: positions of this format begin with 1"],
        ),
        (
            "joined.bed",
            format!("demo1\t47\t787\n{HEADER}{COLUMNS}").into(),
            &["line 2: a header of another format stands among the regions"],
        ),
        (
            "words.txt",
            "hello world\n".into(),
            &["line 1: expected a region, chr:beg-end"],
        ),
    ] {
        let file = lab.file(name, content);
        let folder = lab.path("report");
        let stratum = format!("x={}", text(&file));
        for flags in [
            ["-L", text(&file)],
            ["--confident", text(&file)],
            ["--stratify", &stratum],
        ] {
            let mut arguments = vec!["eval", "-V", text(&calls), "--truth", text(&truth)];
            arguments.extend(["-R", text(&reference), "-o", text(&folder)]);
            arguments.extend(flags);
            let message = fail(program(&arguments).output().unwrap());
            for part in parts.iter().chain([&name]) {
                assert!(
                    message.contains(part),
                    "{flags:?}: expected `{part}` in\n{message}"
                );
            }
        }
    }
}

#[test]
fn a_missing_file_is_told_from_a_contig() {
    let (calls, reference) = (demo("calls.vcf"), demo("ref.fa"));
    let run = |region: &str| {
        let arguments = [
            "score",
            "-V",
            text(&calls),
            "-R",
            text(&reference),
            "-L",
            region,
        ];
        fail(program(&arguments).output().unwrap())
    };
    let message = run("none.txt");
    assert!(
        message.contains("contig `none.txt` is not known"),
        "{message}"
    );
    assert!(
        message.contains("there is no file of that name"),
        "{message}"
    );
    let folder = Lab::new();
    let message = run(text(&folder.path("")));
    assert!(
        message.contains("expected a file, found a folder"),
        "{message}"
    );
}
