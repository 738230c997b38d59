//! A fresh folder, the program, the demo data, and models with random weights.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cnnfilter::io::model_dir;
use cnnfilter_core::networks::card::Source;
use cnnfilter_core::networks::gatk::{self, GatkSpec, spec};
use cnnfilter_core::testing::random_weights;
use tempfile::TempDir;

/// A folder that goes with the test.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Copies a file of the demo data, so that it can be damaged.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::copy(demo(name), &path).unwrap();
        path
    }

    /// Every fifth call of the demo's, for GATK's 2D network, which takes 40 ms a call.
    pub(crate) fn some_calls(&self) -> PathBuf {
        let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
        let lines = calls.lines().enumerate();
        let kept = lines.filter(|(at, line)| line.starts_with('#') || at % 5 == 0);
        let text: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        self.file("some.vcf", text)
    }

    /// A 2D model of GATK's `small_2d` architecture with seeded random weights.
    pub(crate) fn model_2d(&self) -> PathBuf {
        self.model(&spec::SMALL_2D)
    }

    /// A 1D model likewise.
    pub(crate) fn model_1d(&self) -> PathBuf {
        self.model(&spec::REFERENCE_1D)
    }

    fn model(&self, spec: &'static GatkSpec) -> PathBuf {
        let folder = self.path(spec.folder);
        if folder.exists() {
            return folder;
        }
        let source = Source {
            file: "random weights".into(),
            member: String::new(),
            sha256: String::new(),
            cnnfilter_version: "test".into(),
        };
        let model = gatk::assemble(spec, random_weights(spec, 11), source).unwrap();
        model_dir::save(self.folder.path(), &model).unwrap()
    }

    /// Names in the folder, hidden ones included.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .folder
            .path()
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Calls, reads, reference and truth of the demo, with their indexes.
pub(crate) const DEMO_FILES: [&str; 7] = [
    "calls.vcf",
    "reads.bam",
    "reads.bam.bai",
    "ref.fa",
    "ref.fa.fai",
    "truth.vcf.gz",
    "confident.bed",
];

/// A file of the demo data.
pub(crate) fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/demo")
        .join(name)
}

/// The program with arguments.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnfilter"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `score` on the demo reference with further arguments.
pub(crate) fn score_command(variants: &Path, model: &Path, more: &[&str]) -> Command {
    let reference = demo("ref.fa");
    let mut arguments = vec![
        "score",
        "-V",
        text(variants),
        "-R",
        text(&reference),
        "--model",
        text(model),
    ];
    arguments.extend(more);
    program(&arguments)
}

/// Runs `score` on the demo reference with further arguments.
pub(crate) fn score(variants: &Path, model: &Path, more: &[&str]) -> Output {
    score_command(variants, model, more).output().unwrap()
}

/// `score` on the demo reference, with the calls on its standard input.
pub(crate) fn score_of_stdin(model: &Path, more: &[&str]) -> Command {
    score_command(Path::new("-"), model, more)
}

/// Standard output of a run that must succeed.
pub(crate) fn succeed(output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Standard error of a run that must fail with exit code 1 and one line, without a panic.
pub(crate) fn fail(output: Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    let errors = message
        .lines()
        .filter(|line| line.starts_with("cnnfilter: error: "))
        .count();
    assert_eq!(errors, 1, "{message}");
    message
}

/// The value of an INFO key in a line of VCF.
pub(crate) fn info<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let column = line.split('\t').nth(7)?;
    column
        .split(';')
        .find_map(|entry| entry.strip_prefix(key)?.strip_prefix('='))
}

/// The record lines of a VCF.
pub(crate) fn records(vcf: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(vcf)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(String::from)
        .collect()
}
