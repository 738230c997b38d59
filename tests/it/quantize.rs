//! `quantize`: a quarter of the bytes, the same model to `score`, and a card that says what changed.

use crate::support::*;

/// Runs it on the demo's calls, twice: with reads and as a second set from another caller.
fn quantized(lab: &Lab, more: &[&str]) -> serde_json::Value {
    let (calls, other, reads, reference) = (
        demo("calls.vcf"),
        demo("calls.freebayes.vcf"),
        demo("reads.bam"),
        demo("ref.fa"),
    );
    let output = lab.path("models");
    let mut run = program(&[
        "quantize",
        "--model",
        "cnnfilter_reads",
        "-o",
        text(&output),
    ]);
    for set in [&calls, &other] {
        run.args(["-V", text(set), "-I", text(&reads)]);
    }
    run.args(["-R", text(&reference), "--summary-json", "-"])
        .args(more);
    serde_json::from_slice(&succeed(run.output().unwrap())).unwrap()
}

#[test]
fn decisions_stay_and_the_card_says_so() {
    let lab = Lab::new();
    let summary = quantized(&lab, &["--threads", "2"]);
    let sizes = ["bytes", "bytes_before"].map(|key| summary[key].as_u64().unwrap());
    assert!(sizes[0] * 10 < sizes[1] * 3, "{sizes:?}");
    let sets = summary["compared"].as_array().unwrap();
    let names: Vec<&str> = sets
        .iter()
        .map(|set| set["calls"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["calls.vcf", "calls.freebayes.vcf"]);
    for set in sets {
        let shift = set["largest_shift"].as_f64().unwrap();
        assert!(shift > 0.0 && shift < 0.02, "{set}");
        assert_eq!(set["other_decisions"], 0, "{set}");
        assert!(set["records"].as_u64().unwrap() > 100, "{set}");
    }

    let folder = lab.path("models/cnnfilter_reads_8bit");
    let card: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("model.json")).unwrap()).unwrap();
    assert_eq!(card["name"], "cnnfilter_reads_8bit");
    assert_eq!(card["quantization"]["of_model"], "cnnfilter_reads");
    assert_eq!(card["quantization"]["compared"], summary["compared"]);
    let weights = std::fs::metadata(folder.join("model.safetensors")).unwrap();
    assert_eq!(weights.len(), sizes[0]);
    let said = String::from_utf8(succeed(
        program(&["inspect", text(&folder)]).output().unwrap(),
    ))
    .unwrap();
    assert!(
        said.contains("in 8 bits; made of cnnfilter_reads"),
        "{said}"
    );

    // The whole pipeline takes it: what it writes differs from the other model's by no more than the card says.
    let reads = demo("reads.bam");
    let scored = |model: &str| {
        let more = ["--filter", "-I", text(&reads), "-O", "v", "-o", "-"];
        records(&succeed(score(&demo("calls.vcf"), model.as_ref(), &more)))
    };
    let (before, after) = (scored("cnnfilter_reads"), scored(text(&folder)));
    assert_eq!(before.len(), after.len());
    let largest = sets[0]["largest_shift"].as_f64().unwrap();
    let mut found = 0.0f64;
    for (one, other) in before.iter().zip(&after) {
        let column = |line: &str| line.split('\t').nth(6).unwrap().to_owned();
        assert_eq!(column(one), column(other));
        let probability =
            |line: &str| info(line, "CNN_PROB").map(|text| text.parse::<f64>().unwrap());
        if let (Some(one), Some(other)) = (probability(one), probability(other)) {
            found = found.max((one - other).abs());
        }
    }
    assert!((found - largest).abs() < 1e-9, "{found} {largest}");
}

#[test]
fn threads_change_no_byte_and_a_name_can_be_given() {
    let lab = Lab::new();
    let files = |name: &str| {
        ["model.json", "model.safetensors"]
            .map(|file| std::fs::read(lab.path("models").join(name).join(file)).unwrap())
    };
    quantized(&lab, &["--threads", "1"]);
    let one = files("cnnfilter_reads_8bit");
    quantized(&lab, &["--threads", "3"]);
    assert_eq!(files("cnnfilter_reads_8bit"), one);
    quantized(&lab, &["--name", "small"]);
    assert_eq!(files("small")[1], one[1]);
}

#[test]
fn any_family_is_quantised_and_none_twice() {
    let lab = Lab::new();
    let output = lab.path("models");
    let quantize = |model: &str| {
        let arguments = ["quantize", "--model", model, "-o", text(&output)];
        program(&arguments).output().unwrap()
    };
    for model in [text(&lab.model_1d()), "cnnfilter_reference"] {
        let made = quantize(model);
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        succeed(made);
        assert!(
            said.contains("the card does not say what 8 bits change"),
            "{said}"
        );
    }
    let small = output.join("gatk-1d_8bit");
    let scored = records(&succeed(score(
        &demo("calls.vcf"),
        &small,
        &["-O", "v", "-o", "-"],
    )));
    assert!(scored.iter().any(|line| info(line, "CNN_1D").is_some()));
    let message = fail(quantize(text(&small)));
    assert!(message.contains("8 bits already"), "{message}");
    assert!(message.contains("gatk-1d_8bit"), "{message}");

    // A file of another kind is refused under either card.
    let card = small.join("model.json");
    let json = std::fs::read_to_string(&card).unwrap();
    let at = json.find("\"quantization\"").unwrap();
    let end = json[at..].find("\"source\"").unwrap();
    std::fs::write(&card, format!("{}{}", &json[..at], &json[at + end..])).unwrap();
    let message = fail(score(&demo("calls.vcf"), &small, &["-O", "v", "-o", "-"]));
    assert!(
        message.contains("model.safetensors cannot be read"),
        "{message}"
    );
}

#[test]
fn sets_that_are_not_whole_are_refused() {
    let lab = Lab::new();
    let (calls, reads, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let output = lab.path("models");
    let usual = [
        "quantize",
        "--model",
        "cnnfilter_reads",
        "-o",
        text(&output),
    ];
    let set = ["-V", text(&calls), "-V", text(&calls)];
    for (more, code, expected) in [
        (vec!["-V", text(&calls)], 2, "--reference"),
        (vec!["-I", text(&reads)], 2, "--variant"),
        (
            [&set[..], &["-I", text(&reads), "-R", text(&reference)]].concat(),
            2,
            "-I is given 1 times and -V 2 times",
        ),
        (
            [&set[..], &["-R", "a", "-R", "b", "-R", "c"]].concat(),
            2,
            "-R is given 3 times and -V 2 times",
        ),
        (
            vec!["-V", text(&calls), "-R", text(&reference)],
            1,
            "looks at reads: give those of",
        ),
        (vec!["--name", "a/b"], 1, "it names a folder"),
    ] {
        let run = program(&usual).args(&more).output().unwrap();
        let message = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(code), "{more:?}: {message}");
        assert!(message.contains(expected), "{more:?}: {message}");
        assert!(!output.exists(), "{more:?} left a folder");
    }
}
