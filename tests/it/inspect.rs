//! `inspect`: a call or a model in the terminal.

use crate::support::*;

fn inspect(arguments: &[&str]) -> std::process::Output {
    program(&[&["inspect"], arguments].concat())
        .output()
        .unwrap()
}

/// Arguments for a locus of the demo.
fn at<'a>(locus: &'a str, calls: &'a str, bam: &'a str, reference: &'a str) -> Vec<&'a str> {
    vec![locus, "-V", calls, "-I", bam, "-R", reference]
}

#[test]
fn a_call_is_shown_with_its_score_reasons_and_reads() {
    let lab = Lab::new();
    let (calls, bam, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let (calls, bam, reference) = (text(&calls), text(&bam), text(&reference));
    let json = lab.path("inspect.json");
    let mut arguments = at("demo1:2814", calls, bam, reference);
    arguments.extend(["--summary-json", text(&json)]);
    let output = succeed(inspect(&arguments));
    let shown = String::from_utf8(output).unwrap();
    assert!(!shown.contains('\x1b'), "no colour in a pipe");
    let scored = succeed(
        program(&["score", "-V", calls, "-I", bam, "-R", reference])
            .output()
            .unwrap(),
    );
    let line = records(&scored)
        .into_iter()
        .find(|line| line.starts_with("demo1\t2814\t"))
        .unwrap();
    let score = info(&line, "CNN_2D").unwrap();
    for part in [
        "demo1:2814 CA>C  INDEL",
        &format!("score {score}  probability "),
        "looks like a slip of a repeat",
        "against ",
        " REF\n",
        " ALT 60 ",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    let written = std::fs::read(&json).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let call = &summary["calls"][0];
    assert_eq!(format!("{:.3}", call["score"].as_f64().unwrap()), score);
    assert_eq!(call["suspect"], "slippage");
    assert_eq!(call["reasons"][0]["code"], "support");
    assert!(call["reads"].as_object().unwrap().len() > 20);

    let mut arguments = at("demo1:2814", calls, bam, reference);
    arguments.extend(["--color", "always", "--fast"]);
    let coloured = String::from_utf8(succeed(inspect(&arguments))).unwrap();
    assert!(coloured.contains("\x1b[31m"), "{coloured}");
}

#[test]
fn a_model_is_described() {
    let lab = Lab::new();
    let shown = String::from_utf8(succeed(inspect(&["cnnfilter_reads"]))).unwrap();
    assert!(
        shown.contains("\nThresholds,\nmeasured on   held-out calls of "),
        "{shown}"
    );
    let folder = lab.model_2d();
    let shown = String::from_utf8(succeed(inspect(&[text(&folder)]))).unwrap();
    for part in [
        "gatk_small_2d",
        "there is no CNN_PROB",
        "filter takes tranches",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let (calls, bam, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let (calls, bam, reference) = (text(&calls), text(&bam), text(&reference));
    for (arguments, message) in [
        (
            at("demo1:1-2", calls, bam, reference),
            "no call to show at demo1:1-2",
        ),
        (at("chrX:7", calls, bam, reference), "chrX"),
        (vec!["no_such_model"], "no_such_model"),
    ] {
        let message_shown = fail(inspect(&arguments));
        assert!(message_shown.contains(message), "{message_shown}");
    }
}
