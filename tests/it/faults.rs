//! Faults of the world around a run: inputs that end anywhere, disks that fill up, readers that leave,
//! signals, two runs at once. A run is whole or leaves nothing.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cnnfilter::Job;
use rust_htslib::bcf::{self, Read as _};

use crate::support::*;

/// How many places of a file are tried.
const PLACES: usize = 200;

/// A folder with a few calls of the demo on one contig, in every format, and what belongs to them.
struct Inputs {
    lab: Lab,
}

impl Inputs {
    fn new() -> Self {
        let lab = Lab::new();
        for name in [
            "reads.bam",
            "reads.bam.bai",
            "reads.cram",
            "reads.cram.crai",
            "ref.fa",
            "ref.fa.fai",
        ] {
            lab.copy(name);
        }
        let text = std::fs::read_to_string(demo("calls.vcf")).unwrap();
        let header = text.lines().filter(|line| line.starts_with('#'));
        let records = text.lines().filter(|line| line.starts_with("demo1\t"));
        let lines: Vec<&str> = header.chain(records.step_by(25)).collect();
        let calls = lab.file("calls.vcf", lines.join("\n") + "\n");
        compress(&calls, &lab.path("calls.vcf.gz"));
        let mut reader = bcf::Reader::from_path(&calls).unwrap();
        let header = bcf::Header::from_template(reader.header());
        let target = lab.path("calls.bcf");
        let mut writer = bcf::Writer::from_path(target, &header, false, bcf::Format::Bcf).unwrap();
        for record in reader.records() {
            writer.write(&record.unwrap()).unwrap();
        }
        drop(writer);
        compress(&lab.path("ref.fa"), &lab.path("zipped.fa.gz"));
        rust_htslib::faidx::build(lab.path("zipped.fa.gz")).unwrap();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/cnnfilter_reads");
        std::fs::create_dir(lab.path("m")).unwrap();
        for name in ["model.json", "model.safetensors"] {
            std::fs::copy(model.join(name), lab.path("m").join(name)).unwrap();
        }
        lab.file("regions.bed", "demo1\t0\t9000\ndemo1\t12000\t30000\n");
        std::fs::create_dir(lab.path("out")).unwrap();
        Self { lab }
    }

    /// Scores in this process; the records, or the error, which must leave nothing at the target.
    fn score(&self, changes: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let mut arguments = vec![
            ("-V", self.lab.path("calls.vcf")),
            ("-I", self.lab.path("reads.bam")),
            ("-R", self.lab.path("ref.fa")),
            ("-o", self.lab.path("out/scored.vcf")),
            ("--sample-depth", "30".into()),
            ("--threads", "1".into()),
        ];
        for (flag, name) in changes {
            arguments.retain(|(known, _)| known != flag);
            arguments.push((*flag, self.lab.path(name)));
        }
        let words = arguments
            .into_iter()
            .flat_map(|(flag, value)| [PathBuf::from(flag), value]);
        let program = ["cnnfilter", "score", "--quiet"].map(PathBuf::from);
        let words = program
            .into_iter()
            .chain(words)
            .map(PathBuf::into_os_string);
        let result = Job::parse(words).unwrap().run();
        let left: Vec<PathBuf> = self
            .lab
            .path("out")
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        match result {
            Ok(_) => {
                let target = self.lab.path("out/scored.vcf");
                assert_eq!(left, std::slice::from_ref(&target));
                let written = std::fs::read(&target).unwrap();
                std::fs::remove_file(target).unwrap();
                Ok(records(&written))
            }
            Err(error) => {
                assert!(left.is_empty(), "{left:?} is left behind {error:#}");
                Err(format!("{error:#}"))
            }
        }
    }

    /// Cuts a file at many places and scores: `is_whole` says whether the records are right for what is
    /// left of the file; else there is an error that says `name`. Returns how many runs failed.
    fn cut(
        &self,
        file: &str,
        name: &str,
        changes: &[(&str, &str)],
        is_whole: impl Fn(&[u8], &[String]) -> bool,
    ) -> usize {
        let path = self.lab.path(file);
        let whole = std::fs::read(&path).unwrap();
        let mut failed = 0;
        for place in 0..PLACES {
            // Evenly, and every byte at the end, where markers and last lines are.
            let length = if place % 4 == 3 {
                whole.len().saturating_sub(1 + place / 4)
            } else {
                whole.len() * place / PLACES
            };
            std::fs::write(&path, &whole[..length]).unwrap();
            match self.score(changes) {
                Ok(found) => assert!(
                    is_whole(&whole[..length], &found),
                    "{file} cut at {length} of {}: {found:?}",
                    whole.len()
                ),
                Err(error) => {
                    failed += 1;
                    assert!(
                        error.contains(name),
                        "{file} cut at {length}: expected `{name}` in {error}"
                    );
                }
            }
        }
        std::fs::write(&path, &whole).unwrap();
        failed
    }
}

fn compress(from: &Path, to: &Path) {
    let mut writer = rust_htslib::bgzf::Writer::from_path(to).unwrap();
    writer.write_all(&std::fs::read(from).unwrap()).unwrap();
}

#[test]
fn calls_may_end_anywhere() {
    let inputs = Inputs::new();
    let expected = inputs.score(&[]).unwrap();
    assert!(expected.len() >= 7);
    let whole = std::fs::read(inputs.lab.path("calls.vcf")).unwrap();
    // Plain text that ends behind a record is a whole file with fewer of them. One that lacks nothing
    // but the line feed, or digits of the last number, cannot be told from one.
    let failed = inputs.cut("calls.vcf", "calls.vcf", &[], |left, found| {
        let count = String::from_utf8_lossy(left)
            .lines()
            .filter(|line| line.starts_with("demo1"))
            .count();
        let mut lost = whole[left.len()..].split(|byte| *byte == b'\n');
        let looks_whole =
            left.ends_with(b"\n") || lost.next().unwrap().iter().all(u8::is_ascii_digit);
        looks_whole
            && found.len() == count
            && found
                .iter()
                .zip(&expected)
                .take(count.saturating_sub(1))
                .all(|(one, other)| one == other)
    });
    assert!(failed > PLACES * 9 / 10, "{failed}");
    for name in ["calls.vcf.gz", "calls.bcf"] {
        let failed = inputs.cut(name, name, &[("-V", name)], |_, _| false);
        assert_eq!(failed, PLACES, "{name}");
    }
}

#[test]
fn reads_may_end_anywhere() {
    let inputs = Inputs::new();
    let expected = inputs.score(&[]).unwrap();
    let same = |_: &[u8], found: &[String]| found == expected;
    assert_eq!(
        inputs.cut("reads.bam", "reads.bam", &[], |_, _| false),
        PLACES
    );
    // Behind the part of the index that is needed stands a count that is not.
    assert!(inputs.cut("reads.bam.bai", "reads.bam", &[], same) > PLACES / 2);
}

#[test]
fn crams_may_end_anywhere() {
    let inputs = Inputs::new();
    let cram = [("-I", "reads.cram")];
    let expected = inputs.score(&cram).unwrap();
    let same = |_: &[u8], found: &[String]| found == expected;
    // It ends in two empty containers, of which one is enough.
    let failed = inputs.cut("reads.cram", "reads.cram", &cram, same);
    assert!(failed >= PLACES - 1, "{failed}");
    assert!(inputs.cut("reads.cram.crai", "reads.cram", &cram, same) > 0);
}

#[test]
fn references_may_end_anywhere() {
    let inputs = Inputs::new();
    let expected = inputs.score(&[]).unwrap();
    let same = |_: &[u8], found: &[String]| found == expected;
    // The second contig is not needed.
    assert!(inputs.cut("ref.fa", "ref.fa", &[], same) > PLACES / 3);
    assert!(inputs.cut("ref.fa.fai", "ref.fa", &[], same) > PLACES / 4);
    let zipped = [("-R", "zipped.fa.gz")];
    assert_eq!(inputs.score(&zipped).unwrap(), expected);
    assert!(inputs.cut("zipped.fa.gz", "zipped.fa.gz", &zipped, same) > PLACES / 2);
    inputs.cut("zipped.fa.gz.gzi", "zipped.fa.gz", &zipped, same);
}

#[test]
fn models_may_end_anywhere() {
    let inputs = Inputs::new();
    let model = [("--model", "m")];
    let expected = inputs.score(&model).unwrap();
    // The card ends in a line feed that says nothing.
    let failed = inputs.cut("m/model.json", "model.json", &model, |_, found| {
        found == expected
    });
    assert!(failed >= PLACES - 1, "{failed}");
    let failed = inputs.cut("m/model.safetensors", "/m: ", &model, |_, _| false);
    assert_eq!(failed, PLACES);
}

#[test]
fn regions_may_end_anywhere() {
    let inputs = Inputs::new();
    let all = inputs.score(&[]).unwrap();
    let regions = [("-L", "regions.bed")];
    let expected = inputs.score(&regions).unwrap();
    assert!(!expected.is_empty() && expected.len() < all.len());
    // A number that lost its last digits is a number.
    let failed = inputs.cut("regions.bed", "regions.bed", &regions, |_, found| {
        found.iter().all(|record| all.contains(record))
    });
    assert!(failed > 0);
}

/// The program with arguments, in a folder, where no file may grow beyond some blocks of 512 or 1024
/// bytes (shells differ).
fn with_small_files(blocks: usize, folder: &Path, arguments: &[&str]) -> Command {
    let blocks = blocks.to_string();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"",
            &blocks,
            env!("CARGO_BIN_EXE_cnnfilter"),
        ])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

#[test]
fn a_disk_may_fill_up_anywhere() {
    let lab = Lab::new();
    for name in [
        "calls.vcf",
        "ref.fa",
        "ref.fa.fai",
        "truth.vcf.gz",
        "confident.bed",
    ] {
        lab.copy(name);
    }
    let score = "score -q -V calls.vcf -R ref.fa";
    let scored = format!("{score} -o scored.vcf");
    let run = |command: &str| {
        let arguments: Vec<&str> = command.split(' ').collect();
        program(&arguments)
            .current_dir(lab.path(""))
            .output()
            .unwrap()
    };
    succeed(run(&scored));
    let truth = "-R ref.fa --truth truth.vcf.gz --confident confident.bed";
    let commands = [
        format!("{score} -O v -o out"),
        format!("{score} -O z -o out"),
        format!("{score} -O b -o out"),
        "filter -q -V scored.vcf -O z -o out".to_owned(),
        format!("eval -V scored.vcf {truth} -o out"),
        format!("tensors -q -V calls.vcf {truth} --table out.tsv -o out"),
    ];
    for command in commands {
        let before = lab.names();
        let mut failed = 0;
        for blocks in [1, 2, 8, 24, 64, 150, 250, 400, 1000, 10_000] {
            let arguments: Vec<&str> = command.split(' ').collect();
            let output = with_small_files(blocks, &lab.path(""), &arguments)
                .output()
                .unwrap();
            if output.status.success() {
                break;
            }
            failed += 1;
            let message = fail(output);
            assert!(
                message.contains("error: out") && message.contains("cannot write"),
                "{command}, {blocks} blocks: {message}"
            );
            assert_eq!(lab.names(), before, "{command}, {blocks} blocks");
        }
        assert!((1..10).contains(&failed), "{command}: {failed} runs failed");
        for name in lab.names() {
            let path = lab.path(&name);
            if !before.contains(&name) && path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else if !before.contains(&name) {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

#[test]
fn a_full_device_is_named() {
    let lab = Lab::new();
    let calls = demo("calls.vcf");
    let reference = demo("ref.fa");
    let scored = lab.path("scored.vcf");
    let base = ["score", "-q", "-V", text(&calls), "-R", text(&reference)];
    let with = |more: &[&str]| program(&[&base[..], more].concat());
    succeed(with(&["-o", text(&scored)]).output().unwrap());
    for kind in ["v", "z", "b", "u"] {
        let message = fail(with(&["-O", kind, "-o", "/dev/full"]).output().unwrap());
        assert!(message.contains("/dev/full: cannot write"), "{message}");
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let message = fail(with(&["-O", kind]).stdout(full).output().unwrap());
        assert!(
            message.contains("error: -: cannot write"),
            "-O {kind}: {message}"
        );
        let arguments = ["filter", "-q", "-V", text(&scored), "-O", kind, "-o"];
        let command = [&arguments[..], &["/dev/full"]].concat();
        let message = fail(program(&command).output().unwrap());
        assert!(message.contains("/dev/full: cannot write"), "{message}");
    }
}

#[test]
fn folders_that_take_no_file_are_named() {
    let lab = Lab::new();
    let file = lab.file("file", "");
    let calls = demo("calls.vcf");
    let reference = demo("ref.fa");
    let (truth, confident) = (demo("truth.vcf.gz"), demo("confident.bed"));
    let below = file.join("out.vcf");
    // Not even root makes a file in either.
    for target in [Path::new("/proc/out.vcf"), &below] {
        let base = ["-V", text(&calls), "-R", text(&reference)];
        let labels = ["--truth", text(&truth), "--confident", text(&confident)];
        for command in [
            [&["score"][..], &base[..], &["-o", text(target)]].concat(),
            [&["tensors"][..], &base[..], &labels, &["-o", text(target)]].concat(),
            [&["eval"][..], &base[..], &labels, &["-o", text(target)]].concat(),
        ] {
            let message = fail(program(&command).output().unwrap());
            let expected = format!("error: {}: cannot create", target.display());
            assert!(message.contains(&expected), "{message}");
        }
    }
    assert_eq!(lab.names(), ["file"]);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let lab = Lab::new();
    let model = lab.model_1d();
    for kind in ["v", "z", "b", "u"] {
        let mut child = score_command(&demo("calls.vcf"), &model, &["-O", kind])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 16];
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut first).unwrap();
        drop(output);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "-O {kind}: {}", ended.status);
        assert!(!said.contains("error"), "-O {kind}: {said}");
    }
}

/// Waits until the folder holds a file that `is_it` says, for a minute at most.
fn wait_for(lab: &Lab, is_it: impl Fn(&str) -> bool) {
    for _ in 0..6000 {
        if lab.names().iter().any(|name| is_it(name)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came: {:?}", lab.names());
}

/// A run that reads from standard input, where it has been given the demo's calls but not their end.
fn waiting(lab: &Lab, arguments: &[&str], calls: &Path) -> Child {
    let mut child = program(arguments)
        .current_dir(lab.path(""))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = std::fs::read(calls).unwrap();
    let input = child.stdin.as_mut().unwrap();
    input.write_all(&bytes[..bytes.len() - 200]).unwrap();
    child
}

#[test]
fn a_run_that_is_told_to_stop_leaves_nothing() {
    let (reference, truth) = (demo("ref.fa"), demo("truth.vcf.gz"));
    let lab = Lab::new();
    let scored = lab.path("scored.vcf");
    let calls = demo("calls.vcf");
    let base = ["score", "-q", "-V", text(&calls), "-R", text(&reference)];
    let first = [&base[..], &["-o", text(&scored)]].concat();
    succeed(program(&first).output().unwrap());
    let of_stdin = ["score", "-V", "-", "-R", text(&reference), "-o"];
    let filter = [
        "filter",
        "-V",
        "-",
        "--resource",
        text(&truth),
        "--info-key",
        "CNN_1D",
        "--tmp-dir",
        ".",
        "-o",
    ];
    for (command, target) in [
        (&of_stdin[..], "out.vcf"),
        (&of_stdin[..], "out.vcf.gz"),
        (&of_stdin[..], "out.bcf"),
        (&filter[..], "out.vcf"),
    ] {
        for signal in ["INT", "TERM"] {
            let command = [command, &[target]].concat();
            let mut child = waiting(&lab, &command, &scored);
            // Held open: its end would be the end of the calls.
            let input = child.stdin.take();
            wait_for(&lab, |name| name.ends_with(".tmp"));
            let id = child.id().to_string();
            let told = Command::new("sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", signal, &id])
                .status();
            assert!(told.unwrap().success());
            let ended = child.wait_with_output().unwrap();
            drop(input);
            assert_eq!(ended.status.code(), Some(130), "{command:?} {signal}");
            assert_eq!(lab.names(), ["scored.vcf"], "{command:?} {signal}");
        }
    }
}

#[test]
fn of_two_runs_at_once_one_is_there_whole() {
    let lab = Lab::new();
    let reference = demo("ref.fa");
    let inputs = ["calls.vcf", "calls.freebayes.vcf"].map(demo);
    let start = |calls: &Path, target: &Path| {
        program(&[
            "score",
            "-q",
            "-V",
            text(calls),
            "-R",
            text(&reference),
            "-o",
            text(target),
        ])
        .spawn()
        .unwrap()
    };
    let alone = inputs.each_ref().map(|calls| {
        let target = lab.path("alone.vcf");
        assert!(start(calls, &target).wait().unwrap().success());
        std::fs::read(target).unwrap()
    });
    let target = lab.path("both.vcf");
    for _ in 0..3 {
        let both = inputs.each_ref().map(|calls| start(calls, &target));
        for mut child in both {
            assert!(child.wait().unwrap().success());
        }
        let found = std::fs::read(&target).unwrap();
        assert!(alone.contains(&found), "neither of both");
        assert_eq!(lab.names(), ["alone.vcf", "both.vcf"]);
    }
}
