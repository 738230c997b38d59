//! Outputs that cannot be written, and command lines that are wrong.

use super::*;

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let run = |target: &str| fail(score(&demo("calls.vcf"), &model, &["-o", target]));
    let message = run("/no/such/folder/out.vcf");
    assert!(
        message.contains("/no/such/folder/out.vcf: cannot create"),
        "{message}"
    );
    let message = run(text(&lab.path("")));
    assert!(
        message.contains("expected a file name for the output, found a folder"),
        "{message}"
    );
    for kind in ["v", "z", "b"] {
        let message = fail(score(
            &demo("calls.vcf"),
            &model,
            &["-o", "/dev/full", "-O", kind],
        ));
        assert!(message.contains("/dev/full"), "-O {kind}: {message}");
    }
}

#[test]
fn a_model_without_reads_needs_none_and_says_so() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let output = score(&demo("calls.vcf"), &lab.model_1d(), &["-I", text(&bam)]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    succeed(output);
    assert!(
        message.contains("does not use reads: -I is ignored"),
        "{message}"
    );
    let message = fail(score(&demo("calls.vcf"), &lab.model_2d(), &[]));
    assert!(message.contains("give them with -I"), "{message}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for arguments in [
        &["score"][..],
        &["score", "-V", "x", "-R", "y", "--model", "m", "-O", "q"],
        &[
            "score",
            "-V",
            "x",
            "-R",
            "y",
            "--model",
            "m",
            "--batch-size",
            "0",
        ],
        &[
            "score", "-V", "x", "-R", "y", "--model", "m", "--device", "gpu",
        ],
        &["simulate", "reads", "--in", "a.fq", "--out", "b.fq"],
        &["paint"],
        &[],
    ] {
        let output = program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// The program with standard output closed.
fn closed(arguments: &[&str]) -> std::process::Output {
    let mut shell = std::process::Command::new("sh");
    shell.args([
        "-c",
        "exec \"$0\" \"$@\" >&-",
        env!("CARGO_BIN_EXE_cnnfilter"),
    ]);
    shell.args(arguments).output().unwrap()
}

#[test]
fn closed_standard_output_is_an_error() {
    let lab = Lab::new();
    let (calls, reference, truth) = (demo("calls.vcf"), demo("ref.fa"), demo("truth.vcf.gz"));
    let score = ["score", "-q", "-V", text(&calls), "-R", text(&reference)];
    let filter = [
        "filter",
        "-V",
        text(&calls),
        "--resource",
        text(&truth),
        "--info-key",
        "QD",
    ];
    let (folder, target) = (lab.path("eval"), lab.path("o.vcf"));
    let eval = [
        "eval",
        "-V",
        text(&calls),
        "--truth",
        text(&truth),
        "-R",
        text(&reference),
        "-o",
        text(&folder),
    ];
    for arguments in [
        score.to_vec(),
        [&score[..], &["-o", "/dev/stdout", "-O", "b"]].concat(),
        filter.to_vec(),
        [&filter[..], &["-O", "z"]].concat(),
        eval.to_vec(),
    ] {
        let message = fail(closed(&arguments));
        assert!(message.contains("standard output is closed"), "{message}");
    }
    assert!(!folder.exists());
    // What goes elsewhere needs none, and /dev/null is open.
    succeed(closed(&[&score[..], &["-o", text(&target)]].concat()));
    assert!(target.exists());
    let mut command = program(&score);
    assert!(
        command
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn names_may_be_as_long_as_the_system_allows() {
    let lab = Lab::new();
    let (calls, model) = (demo("calls.vcf"), lab.model_1d());
    let name = |length: usize, suffix: &str| "x".repeat(length - suffix.len()) + suffix;
    for name in [name(240, ".vcf"), name(255, ".vcf"), name(251, ".vcf.gz")] {
        succeed(score(&calls, &model, &["-o", text(&lab.path(&name))]));
        assert!(lab.path(&name).is_file());
    }
    // Told at once, not when all is done; the index has a name as well.
    let before = lab.names();
    for name in [name(256, ".vcf"), name(255, ".vcf.gz")] {
        let message = fail(score(&calls, &model, &["-o", text(&lab.path(&name))]));
        assert!(
            message.contains("cannot create: File name too long"),
            "{message}"
        );
    }
    assert_eq!(lab.names(), before);
}

#[test]
fn links_to_files_that_are_not_there_yet_stay() {
    let lab = Lab::new();
    let (calls, model) = (demo("calls.vcf"), lab.model_1d());
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, lab.path(name)).unwrap();
    std::fs::create_dir(lab.path("folder")).unwrap();
    link("folder/second.vcf.gz", "first.vcf.gz");
    link("../real.vcf.gz", "folder/second.vcf.gz");
    succeed(score(
        &calls,
        &model,
        &["-o", text(&lab.path("first.vcf.gz"))],
    ));
    assert!(lab.path("first.vcf.gz").is_symlink() && lab.path("folder/second.vcf.gz").is_symlink());
    assert!(!lab.path("real.vcf.gz").is_symlink() && lab.path("real.vcf.gz").is_file());
    assert!(lab.path("real.vcf.gz.tbi").is_file());
    link("none/o.vcf", "lost.vcf");
    let message = fail(score(&calls, &model, &["-o", text(&lab.path("lost.vcf"))]));
    assert!(message.contains("none/o.vcf: cannot create"), "{message}");
    assert!(lab.path("lost.vcf").is_symlink());
}
