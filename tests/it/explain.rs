//! `score --explain`: reasons beside the scores.

use std::collections::BTreeSet;

use crate::support::*;

/// Arguments for each of the four kinds of models.
fn models(lab: &Lab) -> Vec<Vec<String>> {
    let bam = text(&demo("reads.bam")).to_owned();
    let own = |path: std::path::PathBuf| ["--model".to_owned(), text(&path).to_owned()];
    let reads = ["-I".to_owned(), bam];
    vec![
        reads.to_vec(),
        Vec::new(),
        [
            own(lab.model_2d()),
            reads,
            ["-L", "demo1:1-4000"].map(String::from),
        ]
        .concat(),
        own(lab.model_1d()).to_vec(),
    ]
}

fn run(given: &[String], more: &[&str]) -> Vec<u8> {
    let (calls, reference) = (demo("calls.vcf"), demo("ref.fa"));
    let mut arguments = vec!["score", "-V", text(&calls), "-R", text(&reference)];
    arguments.extend(given.iter().map(String::as_str));
    arguments.extend(more);
    succeed(program(&arguments).output().unwrap())
}

/// The file without the key and its definition.
fn without_reasons(vcf: &[u8]) -> String {
    let lines = String::from_utf8_lossy(vcf).into_owned();
    let kept = lines.lines().filter(|line| !line.contains("<ID=CNN_WHY,"));
    let plain = kept.map(|line| match info(line, "CNN_WHY") {
        Some(value) => line.replace(&format!(";CNN_WHY={value}"), ""),
        None => line.to_owned(),
    });
    plain.map(|line| line + "\n").collect()
}

#[test]
fn reasons_stand_beside_scores_and_change_nothing_else() {
    let lab = Lab::new();
    for model in models(&lab) {
        let plain = run(&model, &[]);
        let explained = run(&model, &["--explain"]);
        assert_eq!(without_reasons(&explained).as_bytes(), plain, "{model:?}");
        let lines = records(&explained);
        let with = lines.iter().filter(|line| info(line, "CNN_WHY").is_some());
        assert!(with.count() * 10 > lines.len() * 9, "{model:?}");
    }
}

#[test]
fn threads_and_batches_do_not_change_reasons() {
    for model in models(&Lab::new()).into_iter().take(2) {
        let one = run(&model, &["--explain", "--threads", "1"]);
        let more = run(
            &model,
            &["--explain", "--threads", "3", "--batch-size", "7"],
        );
        assert!(one == more, "{model:?}");
    }
}

/// The words of docs/src/view.md: those in the first column of its tables, in code.
fn vocabulary() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/view.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn every_word_is_in_the_docs_and_those_for_the_verdict_come_first() {
    let words = vocabulary();
    for model in models(&Lab::new()) {
        let mut suspects = 0;
        for line in records(&run(&model, &["--explain"])) {
            let Some(value) = info(&line, "CNN_WHY") else {
                continue;
            };
            let mut opposed = false;
            let is_real = match info(&line, "CNN_PROB") {
                Some(probability) => probability.parse::<f64>().unwrap() >= 0.5,
                None => !["CNN_2D", "CNN_1D"]
                    .iter()
                    .any(|key| info(&line, key).is_some_and(|score| score.starts_with('-'))),
            };
            for (at, part) in value.split(',').enumerate() {
                let Some((word, contribution)) = part.split_once(':') else {
                    assert!(words.contains(part), "{part}");
                    assert!(at == 0 && !is_real, "a suspect: {value}");
                    suspects += 1;
                    continue;
                };
                assert!(words.contains(word), "{word}");
                let contribution: f64 = contribution.parse().unwrap();
                assert!(contribution.abs() > 0.09, "{value}");
                let opposes = (contribution > 0.0) != is_real;
                assert!(opposes || !opposed, "{value}");
                opposed = opposes;
            }
        }
        let of_our_own = !model.iter().any(|argument| argument == "--model");
        assert_eq!(suspects > 10, of_our_own, "{suspects} of {model:?}");
    }
}
