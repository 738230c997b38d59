//! Broken inputs, a table a command: exit 1, one message that names the file and the place and says what
//! was found and what to do, no file at the target, no temporary file beside it, no hang.

mod archives;
mod calls;
mod labels;
mod models;
mod outputs;
mod reads;
mod reference;
mod regions;
mod scored;
mod training;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::*;

/// A run that takes longer has hung.
const LIMIT: Duration = Duration::from_secs(10);

/// A command in a folder with the demo data, of which one file is broken.
struct Case {
    lab: Lab,
    arguments: Vec<String>,
}

/// Name of the case, how the inputs are broken, what the message says.
type Row = (&'static str, fn(&mut Case), &'static [&'static str]);

impl Case {
    /// The command line (words apart by blanks) in a folder that holds `files` of the demo data.
    fn new(command: &str, files: &[&str]) -> Self {
        let lab = Lab::new();
        files.iter().for_each(|name| drop(lab.copy(name)));
        let arguments = command.split(' ').map(String::from).collect();
        Self { lab, arguments }
    }

    /// `score` with the built-in model and reads.
    fn score() -> Self {
        Self::new(
            "score -V calls.vcf -I reads.bam -R ref.fa -o out.vcf.gz",
            &[
                "calls.vcf",
                "reads.bam",
                "reads.bam.bai",
                "ref.fa",
                "ref.fa.fai",
            ],
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.lab.path(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.lab.file(name, bytes);
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Changes the bytes of a file.
    fn change(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        self.write(name, change(self.bytes(name)));
    }

    /// Keeps the first share of a file.
    fn truncate(&self, name: &str, share: f64) {
        self.change(name, |mut bytes| {
            bytes.truncate((bytes.len() as f64 * share) as usize);
            bytes
        });
    }

    /// Replaces the first `from` in a text.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{from}");
        self.write(name, text.replacen(from, to, 1));
    }

    /// Keeps the lines of a text that `stays` says.
    fn keep_lines(&self, name: &str, stays: impl Fn(&str) -> bool) {
        let text = self.text(name);
        let lines: Vec<&str> = text.lines().filter(|line| stays(line)).collect();
        self.write(name, lines.join("\n") + "\n");
    }

    /// Gives a flag of the command another value.
    fn set(&mut self, flag: &str, value: &str) {
        let at = self.arguments.iter().position(|word| word == flag).unwrap();
        self.arguments[at + 1] = value.to_owned();
    }

    /// Adds arguments, words apart by blanks.
    fn add(&mut self, more: &str) {
        self.arguments.extend(more.split(' ').map(String::from));
    }

    /// Runs the command, which must fail as it should, and returns its one error message.
    fn message(&self) -> String {
        let before = tree(&self.path(""));
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut command = program(&arguments);
        command.current_dir(self.path(""));
        let output = assert_cmd::Command::from_std(command)
            .timeout(LIMIT)
            .output()
            .unwrap();
        let message = fail(output);
        assert_eq!(tree(&self.path("")), before, "what lies there\n{message}");
        message
    }
}

/// All files and folders below a folder, hidden ones included.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// Runs each case of a table.
fn check(case: fn() -> Case, rows: &[Row]) {
    for (name, break_it, expected) in rows {
        let mut case = case();
        break_it(&mut case);
        let message = case.message();
        for part in *expected {
            assert!(
                message.contains(part),
                "{name}: expected `{part}` in\n{message}"
            );
        }
    }
}

/// Writes a copy in BGZF blocks.
fn compress(case: &Case, name: &str, target: &str) {
    let mut writer = rust_htslib::bgzf::Writer::from_path(case.path(target)).unwrap();
    std::io::Write::write_all(&mut writer, &case.bytes(name)).unwrap();
}
