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
        &["paint"],
        &[],
    ] {
        let output = program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
