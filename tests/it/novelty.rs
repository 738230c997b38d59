//! `score --novelty` and `embed summary`: how unlike the training calls a call is.

use std::path::{Path, PathBuf};

use crate::support::*;
use crate::tensors::tensors;

/// `score` on the demo's calls with further arguments.
fn run(reads: bool, more: &[&str]) -> std::process::Output {
    let (calls, reference, bam) = (demo("calls.vcf"), demo("ref.fa"), demo("reads.bam"));
    let mut arguments = vec!["score", "-V", text(&calls), "-R", text(&reference)];
    if reads {
        arguments.extend(["-I", text(&bam)]);
    }
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// The demo's calls as examples, with reads or without.
fn examples(lab: &Lab, name: &str, reads: bool) -> PathBuf {
    let (output, bam) = (lab.path(name), demo("reads.bam"));
    let more: &[&str] = if reads { &["-I", text(&bam)] } else { &[] };
    tensors(&demo("calls.vcf"), &output, more);
    output
}

fn summarise(examples: &Path, model: &str, output: &Path) -> std::process::Output {
    let arguments = [
        "embed",
        "summary",
        "-e",
        text(examples),
        "--model",
        model,
        "-o",
        text(output),
    ];
    program(&arguments).output().unwrap()
}

/// The file without the key and its definition.
fn without_novelty(vcf: &[u8]) -> String {
    let lines = String::from_utf8_lossy(vcf).into_owned();
    let kept = lines
        .lines()
        .filter(|line| !line.contains("<ID=CNN_NOVEL,"));
    let plain = kept.map(|line| match info(line, "CNN_NOVEL") {
        Some(value) => line.replace(&format!(";CNN_NOVEL={value}"), ""),
        None => line.to_owned(),
    });
    plain.map(|line| line + "\n").collect()
}

fn novelties(vcf: &[u8]) -> Vec<f64> {
    let lines = records(vcf);
    let values = lines.iter().filter_map(|line| info(line, "CNN_NOVEL"));
    values.map(|value| value.parse().unwrap()).collect()
}

#[test]
fn novelty_stands_beside_scores_and_reasons_and_changes_nothing_else() {
    for reads in [true, false] {
        let plain = succeed(run(reads, &[]));
        let told = succeed(run(reads, &["--novelty"]));
        assert_eq!(without_novelty(&told).as_bytes(), plain);
        let values = novelties(&told);
        assert_eq!(values.len(), records(&plain).len());
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        let explained = succeed(run(reads, &["--explain"]));
        let both = succeed(run(reads, &["--explain", "--novelty"]));
        assert_eq!(without_novelty(&both).as_bytes(), explained);
        assert_eq!(novelties(&both), values);
    }
}

#[test]
fn threads_and_batches_do_not_change_novelty() {
    let one = succeed(run(true, &["--novelty", "--threads", "1"]));
    let more = succeed(run(
        true,
        &["--novelty", "--threads", "3", "--batch-size", "7"],
    ));
    assert!(one == more);
}

#[test]
fn scoring_again_without_it_takes_novelty_away() {
    let lab = Lab::new();
    let told = lab.file("told.vcf", succeed(run(false, &["--novelty"])));
    let reference = demo("ref.fa");
    let again = ["score", "-V", text(&told), "-R", text(&reference)];
    let again = succeed(program(&again).output().unwrap());
    assert!(novelties(&again).is_empty());
}

#[test]
fn a_model_without_a_summary_says_so() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let message = fail(run(false, &["--model", text(&model), "--novelty"]));
    assert!(
        message.contains("--novelty: the card of model `gatk-1d` has no summary of its training calls; make one with `cnnfilter embed summary`"),
        "{message}"
    );
}

#[test]
fn a_summary_of_examples_goes_into_the_card_and_leaves_the_weights() {
    let lab = Lab::new();
    for (reads, name) in [(true, "cnnfilter_reads"), (false, "cnnfilter_reference")] {
        let set = examples(&lab, name, reads);
        let output = lab.path("models");
        succeed(summarise(&set, name, &output));
        let folder = output.join(name);
        let own = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models")
            .join(name);
        let bytes = |folder: &Path, name| std::fs::read(folder.join(name)).unwrap();
        assert!(bytes(&folder, "model.safetensors") == bytes(&own, "model.safetensors"));
        let card = |folder: &Path| -> serde_json::Value {
            serde_json::from_slice(&bytes(folder, "model.json")).unwrap()
        };
        let (mut made, mut shipped) = (card(&folder), card(&own));
        let novelty = made.as_object_mut().unwrap().remove("novelty").unwrap();
        shipped.as_object_mut().unwrap().remove("novelty");
        assert_eq!(made, shipped);
        assert_eq!(novelty["made_of"], format!("examples of {name}"));

        // Of its own calls a summary says that they are ordinary: half of them above 0.5, few near 1.
        let told = succeed(run(reads, &["--model", text(&folder), "--novelty"]));
        let values = novelties(&told);
        let above = |share: f64| {
            values.iter().filter(|value| **value > share).count() as f64 / values.len() as f64
        };
        assert!((0.35..0.65).contains(&above(0.5)), "{}", above(0.5));
        assert!(above(0.95) < 0.15, "{}", above(0.95));
        // Once more, over the folder itself.
        succeed(summarise(&set, text(&folder), &output));
        assert_eq!(card(&folder)["novelty"], novelty);
    }
}

#[test]
fn examples_that_a_summary_cannot_be_made_of_are_named() {
    let lab = Lab::new();
    let set = examples(&lab, "plain.examples", false);
    let message = fail(summarise(&set, "cnnfilter_reads", &lab.path("out")));
    assert!(
        message.contains("plain.examples: its examples are for `cnnfilter_reference`, but model `cnnfilter_reads` reads `cnnfilter_reads`"),
        "{message}"
    );
    let model = lab.model_1d();
    let message = fail(summarise(&set, text(&model), &lab.path("out")));
    assert!(
        message.contains("model `gatk-1d` reads `gatk_reference`"),
        "{message}"
    );
    let message = fail(summarise(
        &demo("calls.vcf"),
        "cnnfilter_reads",
        &lab.path("out"),
    ));
    assert!(
        message.contains("calls.vcf: it does not begin with `CNNFEX01`"),
        "{message}"
    );
    assert!(!lab.path("out").exists());
}

#[test]
fn a_summary_that_does_not_fit_the_network_is_refused() {
    let lab = Lab::new();
    let set = examples(&lab, "set.examples", false);
    succeed(summarise(&set, "cnnfilter_reference", &lab.path("models")));
    let folder = lab.path("models/cnnfilter_reference");
    let path = folder.join("model.json");
    let card = std::fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        (
            "\"numbers\"",
            "\"join7\"",
            "novelty must be a summary of layers of the network, found there is no layer `join7`",
        ),
        (
            "\"numbers\"",
            "\"join2\"",
            "numbers for the 64 of join2 (SNP)",
        ),
    ] {
        assert!(card.contains(from));
        std::fs::write(&path, card.replacen(from, to, 1)).unwrap();
        let message = fail(run(false, &["--model", text(&folder)]));
        assert!(message.contains(expected), "{message}");
    }
}
