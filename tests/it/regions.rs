//! `-L`: by the index of the calls the same as without.

use std::path::{Path, PathBuf};

use rust_htslib::bcf::{self, Read as _, index};

use crate::support::*;

/// A file as `format`, with an index or without.
fn write(from: &Path, path: PathBuf, format: bcf::Format, kind: Option<index::Type>) -> PathBuf {
    let mut reader = bcf::Reader::from_path(from).unwrap();
    let header = bcf::Header::from_template(reader.header());
    let mut writer = bcf::Writer::from_path(&path, &header, false, format).unwrap();
    for record in reader.records() {
        writer.write(&record.unwrap()).unwrap();
    }
    drop(writer);
    if let Some(kind) = kind {
        index::build(&path, None, 1, kind).unwrap();
    }
    path
}

/// Folders with the same file of calls, `calls.vcf.gz` or `calls.bcf`: the first without an index.
fn calls(lab: &Lab, from: &Path) -> Vec<Vec<PathBuf>> {
    let place = |folder: &str, name: &str| {
        let folder = lab.path(folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    };
    let text =
        |folder: &str, kind| write(from, place(folder, "calls.vcf.gz"), bcf::Format::Vcf, kind);
    let binary =
        |folder: &str, kind| write(from, place(folder, "calls.bcf"), bcf::Format::Bcf, kind);
    vec![
        vec![
            text("none", None),
            text("tbi", Some(index::Type::Tbx)),
            text("csi", Some(index::Type::Csi(14))),
        ],
        vec![
            binary("none", None),
            binary("csi", Some(index::Type::Csi(14))),
        ],
    ]
}

const REGIONS: [&[&str]; 5] = [
    &["demo1:1-2000"],
    &["demo2"],
    &[
        "demo2:100-900",
        "demo1:20",
        "demo1:29000-30000",
        "demo1:9000-9100",
    ],
    &["demo1:20"],
    &["demo2:9999-10000"],
];

/// Arguments for some regions.
fn flags<'a>(regions: &[&'a str]) -> Vec<&'a str> {
    regions.iter().flat_map(|region| ["-L", region]).collect()
}

/// Runs in the folder of `calls`, which the command names by its file name; what it writes and says.
fn run(calls: &Path, arguments: &[&str]) -> (Vec<u8>, String) {
    let mut command = program(arguments);
    let output = command
        .current_dir(calls.parent().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (succeed(output), said)
}

/// True where a run says that it reads all of the calls, which it does once at most.
fn reads_through(said: &str) -> bool {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("all of it is read for -L"))
        .collect();
    assert!(lines.len() <= 1, "{said}");
    assert!(lines.iter().all(|line| !line.contains("warning")), "{said}");
    !lines.is_empty()
}

#[test]
fn score_and_filter_write_the_same() {
    let lab = Lab::new();
    let scored = lab.path("scored.vcf");
    let (reads, reference, truth) = (demo("reads.bam"), demo("ref.fa"), demo("truth.vcf.gz"));
    let more = ["-I", text(&reads), "-o", text(&scored)];
    succeed(score(
        &demo("calls.vcf"),
        Path::new("cnnfilter_reads"),
        &more,
    ));
    for files in calls(&lab, &scored) {
        let name = files[0].file_name().unwrap().to_str().unwrap();
        let commands: [&[&str]; 4] = [
            &[
                "score",
                "-V",
                name,
                "-R",
                text(&reference),
                "-I",
                text(&reads),
                "--sample-depth",
                "30",
            ],
            &[
                "score",
                "-V",
                name,
                "-R",
                text(&reference),
                "--allow-unsorted",
                "-O",
                "b",
            ],
            &[
                "filter",
                "-V",
                name,
                "--aim",
                "f1",
                "--summary-json",
                "summary.json",
            ],
            &[
                "filter",
                "-V",
                name,
                "--resource",
                text(&truth),
                "--summary-json",
                "summary.json",
            ],
        ];
        for (regions, commands) in REGIONS.iter().zip([
            &commands[..],
            &commands[2..],
            &commands,
            &commands[2..],
            &commands[2..],
        ]) {
            for command in commands {
                let arguments = [*command, &flags(regions)[..]].concat();
                let all = |file: &PathBuf| {
                    let (written, said) = run(file, &arguments);
                    let summary = file.with_file_name("summary.json");
                    (written, std::fs::read(summary).ok(), said)
                };
                let (written, summary, said) = all(&files[0]);
                assert!(reads_through(&said), "{said}");
                for indexed in &files[1..] {
                    let found = all(indexed);
                    assert!(found.0 == written, "{} {arguments:?}", indexed.display());
                    assert_eq!(found.1.is_some(), summary.is_some());
                    assert!(found.1 == summary, "{} {arguments:?}", indexed.display());
                    assert!(!reads_through(&found.2), "{}", found.2);
                    let outside = |said: &str| {
                        let mut lines = said.lines();
                        lines
                            .find(|line| line.contains("outside the regions"))
                            .map(String::from)
                    };
                    assert_eq!(outside(&found.2), outside(&said));
                }
            }
        }
    }
}

#[test]
fn eval_and_tensors_write_the_same() {
    let lab = Lab::new();
    let (reference, truth, confident) =
        (demo("ref.fa"), demo("truth.vcf.gz"), demo("confident.bed"));
    for files in calls(&lab, &demo("calls.vcf")) {
        let name = files[0].file_name().unwrap().to_str().unwrap();
        let labels = [
            "-R",
            text(&reference),
            "--truth",
            text(&truth),
            "--confident",
            text(&confident),
        ];
        let eval = ["eval", "-V", name, "--score", "QUAL", "-o", "eval"];
        let tensors = [
            "tensors",
            "-V",
            name,
            "-o",
            "tensors",
            "--table",
            "table.tsv",
        ];
        for regions in &REGIONS[..3] {
            let all = |file: &PathBuf| {
                let (text, said) = run(file, &[&eval[..], &labels, &flags(regions)].concat());
                let (_, of_tensors) = run(file, &[&tensors[..], &labels, &flags(regions)].concat());
                let read = |name: &str| std::fs::read(file.with_file_name(name)).unwrap();
                let written = [
                    text,
                    read("eval/eval.tsv"),
                    read("eval/eval.json"),
                    read("table.tsv"),
                ];
                let lines = of_tensors.lines().filter(|line| !line.contains("-L"));
                (
                    written,
                    lines.map(String::from).collect::<Vec<_>>(),
                    reads_through(&said),
                )
            };
            let (written, summary, through) = all(&files[0]);
            assert!(through);
            for indexed in &files[1..] {
                let found = all(indexed);
                assert!(found.0 == written, "{} {regions:?}", indexed.display());
                assert_eq!(found.1, summary);
                assert!(!found.2);
            }
        }
    }
}

#[test]
fn the_wrong_index_is_not_used() {
    let lab = Lab::new();
    let scored = demo("calls.vcf");
    let path = write(
        &scored,
        lab.path("calls.vcf.gz"),
        bcf::Format::Vcf,
        Some(index::Type::Tbx),
    );
    let arguments = [
        "score",
        "-V",
        "calls.vcf.gz",
        "-R",
        text(&demo("ref.fa")),
        "-L",
        "demo2",
    ]
    .map(String::from);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (expected, said) = run(&path, &arguments);
    assert!(!reads_through(&said), "{said}");
    let expect = |why: &str| {
        let (found, said) = run(&path, &arguments);
        assert!(found == expected);
        assert!(reads_through(&said) && said.contains(why), "{why}: {said}");
    };
    let index = lab.path("calls.vcf.gz.tbi");
    let whole = std::fs::read(&index).unwrap();
    // Of a file with other records.
    let text = std::fs::read_to_string(&scored).unwrap();
    let lines = text
        .lines()
        .enumerate()
        .filter(|(number, line)| line.starts_with('#') || number % 2 == 0);
    let half = lab.file(
        "half.vcf",
        lines
            .map(|(_, line)| format!("{line}\n"))
            .collect::<String>(),
    );
    write(
        &half,
        lab.path("half.vcf.gz"),
        bcf::Format::Vcf,
        Some(index::Type::Tbx),
    );
    std::fs::copy(lab.path("half.vcf.gz.tbi"), &index).unwrap();
    expect("calls.vcf.gz.tbi is the index of another file");
    std::fs::write(&index, &whole[..whole.len() / 2]).unwrap();
    expect("calls.vcf.gz.tbi is damaged");
    std::fs::write(&index, "hello").unwrap();
    expect("calls.vcf.gz.tbi is damaged");
    std::fs::write(&index, &whole).unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(100_000);
    let file = std::fs::File::options().write(true).open(&index).unwrap();
    file.set_modified(long_ago).unwrap();
    expect("calls.vcf.gz.tbi is older");
    std::fs::remove_file(&index).unwrap();
    expect("it has no index");
    // Calls that are cut off are told as ever.
    std::fs::write(&index, &whole).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 28]).unwrap();
    let mut command = program(&arguments);
    let message = fail(command.current_dir(lab.path("")).output().unwrap());
    assert!(message.contains("the file is cut off"), "{message}");
}
