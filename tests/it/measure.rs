//! `measure`: what thresholds are worth on calls that had no say in them, and how `filter` and `inspect` say it.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::*;
use crate::tensors::tensors;

/// The demo's calls as examples with reads.
fn examples(lab: &Lab, more: &[&str]) -> PathBuf {
    let (output, bam) = (lab.path("demo.examples"), demo("reads.bam"));
    let mut arguments = vec!["-I", text(&bam), "--set", "demo.test"];
    arguments.extend(more);
    tensors(&demo("calls.vcf"), &output, &arguments);
    output
}

fn measure(model: &str, more: &[&str], output: &Path) -> Output {
    let mut arguments = vec!["measure", "--model", model, "-o", text(output)];
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// The rows of a table under its head: the cells of each line that begins with a kind of record.
fn rows<'a>(said: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let lines = said.lines().skip_while(|line| !line.contains(head));
    let plain = lines.map(|line| line.trim_start_matches("cnnfilter: "));
    let rows = plain.filter(|line| line.starts_with("SNP ") || line.starts_with("INDEL "));
    rows.map(|line| line.split_whitespace().collect()).collect()
}

/// What a run that must succeed says on the screen.
fn said(output: Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    succeed(output);
    text
}

#[test]
fn filter_and_inspect_say_what_was_measured() {
    let lab = Lab::new();
    let (output, examples) = (lab.path("models"), examples(&lab, &[]));
    let made = measure(
        "cnnfilter_reads",
        &["--simulated", text(&examples)],
        &output,
    );
    let made = said(made);
    let measured = rows(&made, "kind   calls");
    // The demo's sample is simulated at 31x.
    assert_eq!(
        measured[0][..4],
        ["SNP", "simulated,", "20x", "to"],
        "{made}"
    );

    let (model, scored) = (output.join("cnnfilter_reads"), lab.path("scored.vcf"));
    let bam = demo("reads.bam");
    let more = ["-I", text(&bam), "-o", text(&scored)];
    succeed(score(&demo("calls.vcf"), &model, &more));
    let filtered = lab.path("filtered.vcf");
    let filter = program(&["filter", "-V", text(&scored), "-o", text(&filtered)]).output();
    let filtered = said(filter.unwrap());
    let mut of_filter = rows(&filtered, "that the model has never seen");
    of_filter.reverse();
    assert_eq!(of_filter, measured, "{filtered}");

    let card = program(&["inspect", text(&model)]).output().unwrap();
    let card = String::from_utf8(succeed(card)).unwrap();
    assert_eq!(rows(&card, "that the model has never seen"), measured);
    let end = &measured[0][measured[0].len() - 2..];
    assert_eq!(
        end,
        ["not", "known"],
        "182 calls are too few for a calibration error"
    );
}

#[test]
fn real_and_simulated_calls_and_depths_stand_apart() {
    let lab = Lab::new();
    let output = lab.path("models");
    let at_31 = examples(&lab, &[]);
    let at_8 = lab.path("at_8.examples");
    let bam = demo("reads.bam");
    let shallow = [
        "-I",
        text(&bam),
        "--set",
        "demo.shallow",
        "--sample-depth",
        "8",
    ];
    tensors(&demo("calls.vcf"), &at_8, &shallow);
    let made_up = lab.path("made_up.examples");
    let deep = ["-I", text(&bam), "--set", "demo.made_up"];
    tensors(&demo("calls.vcf"), &made_up, &deep);
    let twice = ["--real", text(&at_31), "--simulated", text(&at_31)];
    let message = fail(measure("cnnfilter_reads", &twice, &output));
    assert!(message.contains("`demo.test` is given twice"), "{message}");
    let more = [
        "--real",
        text(&at_8),
        text(&at_31),
        "--simulated",
        text(&made_up),
    ];
    let json = lab.path("summary.json");
    let mut more = more.to_vec();
    more.extend(["--summary-json", text(&json)]);
    succeed(measure("cnnfilter_reads", &more, &output));
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let tested = json["thresholds"][0]["tested"].as_array().unwrap();
    let sorts: Vec<(&str, &str)> = tested
        .iter()
        .map(|one| {
            (
                one["data"].as_str().unwrap(),
                one["depth"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        sorts,
        [
            ("real", "below 10x"),
            ("real", "20x to 40x"),
            ("simulated", "20x to 40x")
        ]
    );
    for one in tested {
        let share = &one["precision"];
        let (low, high) = (&share["interval"][0], &share["interval"][1]);
        let [low, value, high] = [low, &share["value"], high].map(|one| one.as_f64().unwrap());
        assert!(low <= value && value <= high, "{one}");
    }
    // Measured anew, it replaces what stood there; the weights keep their bytes.
    let model = output.join("cnnfilter_reads");
    let again = lab.path("again");
    succeed(measure(text(&model), &["--real", text(&at_8)], &again));
    let card = std::fs::read_to_string(again.join("cnnfilter_reads/model.json")).unwrap();
    assert!(
        card.contains("demo.shallow") && !card.contains("demo.test"),
        "{card}"
    );
    let weights = |folder: &Path| std::fs::read(folder.join("cnnfilter_reads/model.safetensors"));
    assert_eq!(weights(&output).unwrap(), weights(&again).unwrap());
}

#[test]
fn calls_that_the_model_has_seen_are_refused() {
    let lab = Lab::new();
    let (run, examples) = (lab.path("run"), examples(&lab, &[]));
    let settings = [
        "epochs=1",
        "batches.per_class=2",
        "batches.steps_per_epoch=2",
        "validation.last_fraction=0.4",
        "architecture.base_filters=4",
    ];
    let mut arguments = vec![
        "train",
        "-e",
        text(&examples),
        "--name",
        "small",
        "-o",
        text(&run),
    ];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    succeed(program(&arguments).output().unwrap());
    let model = run.join("small");
    let message = fail(measure(
        text(&model),
        &["--real", text(&examples)],
        &lab.path("out"),
    ));
    assert!(
        message.contains("was trained on the calls of `demo.test`"),
        "{message}"
    );
    assert!(message.contains("demo.examples"), "{message}");
}

#[test]
fn examples_of_another_tensor_are_refused_and_none_is_a_wrong_command_line() {
    let lab = Lab::new();
    let (output, examples) = (lab.path("out"), examples(&lab, &[]));
    let message = fail(measure(
        "cnnfilter_reference",
        &["--real", text(&examples)],
        &output,
    ));
    assert!(
        message.contains("model `cnnfilter_reference` reads"),
        "{message}"
    );
    let nothing = measure("cnnfilter_reads", &[], &output);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(!output.exists());
}
