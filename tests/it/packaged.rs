//! What packages carry beside the program: manual pages, completions, and what `--version` tells.

use std::process::{Command, Stdio};

use crate::support::*;

/// Standard output of a run that is to succeed and to say nothing else.
fn said(arguments: &[&str]) -> String {
    let output = program(arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    assert_eq!(complaint, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command, those of `simulate` included.
const COMMANDS: [&str; 22] = [
    "score",
    "call",
    "tensors",
    "train",
    "simulate",
    "simulate-genome",
    "simulate-reads",
    "filter",
    "eval",
    "doctor",
    "view",
    "shards",
    "embed",
    "embed-map",
    "embed-summary",
    "serve",
    "inspect",
    "import",
    "measure",
    "quantize",
    "man",
    "completions",
];

#[test]
fn the_short_version_is_one_line_and_the_long_one_says_what_is_inside() {
    let line = concat!("cnnfilter ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(said(&["-V"]), line);
    let long = said(&["--version"]);
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], line.trim_end());
    let value = |name: &str| {
        let found = lines.iter().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_else(|| panic!("no `{name}` in {long}"))
    };
    let commit = value("commit: ");
    let is_name = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(commit == "unknown" || is_name, "{long}");
    assert!(["none", "cuda"].contains(&value("features: ")), "{long}");
    let path = value("CPU path: ");
    let paths = ["AVX-512 (", "AVX2 (", "NEON (", "portable ("];
    assert!(paths.iter().any(|start| path.starts_with(start)), "{long}");
    let expected = include_str!("../../third_party/hts-sys/htslib/VERSION");
    assert_eq!(value("htslib: "), expected.trim());
    assert_eq!(lines.len(), 5, "{long}");
}

#[test]
fn every_command_has_a_manual_page() {
    let lab = Lab::new();
    let folder = lab.path("man/man1");
    let mut command = program(&["man", "-o", text(&folder), "--summary-json", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut expected: Vec<String> = COMMANDS.map(|name| format!("cnnfilter-{name}.1")).into();
    expected.push("cnnfilter.1".into());
    expected.sort();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, expected);
    assert_eq!(summary["files"].as_array().unwrap().len(), names.len());
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for name in &names {
        let page = page(name);
        assert!(
            page.contains(".SH SYNOPSIS") && page.contains(".TH cnnfilter"),
            "{name}"
        );
        let version = concat!("\"cnnfilter ", env!("CARGO_PKG_VERSION"), "\"");
        assert!(page.contains(version), "{name}");
        assert!(!page.contains("htslib:"), "{name} tells of a machine");
    }
    let score = page("cnnfilter-score.1");
    assert!(score.contains("\\-\\-variant") && score.contains("\\-\\-summary\\-json"));

    // One page alone is the page in the folder.
    assert_eq!(said(&["man"]), page("cnnfilter.1"));
    assert_eq!(said(&["man", "score"]), score);
    assert_eq!(
        said(&["man", "simulate", "reads"]),
        page("cnnfilter-simulate-reads.1")
    );
}

#[test]
fn a_page_that_there_is_not_and_a_folder_that_is_none_are_refused() {
    for (arguments, expected) in [
        (&["man", "scores"][..], "there is no command `scores`"),
        (
            &["man", "simulate", "calls"],
            "there is no command `simulate calls`",
        ),
        (
            &["man", "-o", "-"],
            "several files cannot go to standard output",
        ),
        (&["man", "score", "-o", "x"], "cannot be used with"),
        (
            &["man", "--summary-json", "-"],
            "the page and --summary-json",
        ),
        (&["completions", "csh"], "invalid value 'csh'"),
        (
            &["completions", "bash", "--summary-json", "-"],
            "the script and --summary-json",
        ),
    ] {
        let output = program(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn shells_are_told_of_every_command() {
    for (shell, of_option) in [
        ("bash", "--summary-json"),
        ("zsh", "--summary-json"),
        ("fish", "-l summary-json"),
    ] {
        let script = said(&["completions", shell]);
        for name in COMMANDS {
            let word = name.rsplit('-').next().unwrap();
            assert!(script.contains(word), "{shell}: no `{name}`");
        }
        assert!(script.contains(of_option), "{shell}");
    }
}

/// Bash itself completes a command and an option with the script.
#[test]
fn bash_completes() {
    let script = said(&["completions", "bash"]);
    let lab = Lab::new();
    let file = lab.file("cnnfilter.bash", script);
    let ask = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); \
               _cnnfilter cnnfilter \"${@: -1}\" \"${@: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let complete = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", ask, "bash", text(&file)])
            .args(words);
        let output = bash.stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete(&["cnnfilter", "sc"]), "score\n");
    assert_eq!(
        complete(&["cnnfilter", "filter", "--snp-tr"]),
        "--snp-tranche\n"
    );
    assert_eq!(complete(&["cnnfilter", "simulate", "rea"]), "reads\n");
}
