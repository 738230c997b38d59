//! `--multiqc`: sections of a report, as MultiQC's custom content has them.

use serde_json::Value;

use crate::support::*;

/// What a run writes as a section.
fn section(lab: &Lab, arguments: &[&str], file: &str) -> Value {
    let path = lab.path(file);
    let all = [arguments, &["-q", "--multiqc", text(&path)]].concat();
    succeed(program(&all).output().unwrap());
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn each_command_writes_the_figures_of_its_sample() {
    let lab = Lab::new();
    let [calls, reads, reference] = ["calls.vcf", "reads.bam", "ref.fa"].map(demo);
    let [truth, confident] = ["truth.vcf.gz", "confident.bed"].map(demo);
    let (scored, filtered, report) = (lab.path("s.vcf"), lab.path("f.vcf"), lab.path("report"));
    let score = [
        &[
            "score",
            "-V",
            text(&calls),
            "-I",
            text(&reads),
            "-R",
            text(&reference),
        ][..],
        &["--filter", "-o", text(&scored)],
    ];
    let json = section(&lab, &score.concat(), "NA1.score_mqc.json");
    let row = &json["data"]["NA1"];
    let count = |name: &str| row[name].as_u64().unwrap();
    let records = records(&std::fs::read(&scored).unwrap());
    assert_eq!(count("records"), records.len() as u64);
    let passed = records
        .iter()
        .filter(|line| line.split('\t').nth(6) == Some("PASS"));
    assert_eq!(count("passed"), passed.count() as u64);
    assert!(count("snps") > 0 && count("indels") > 0 && count("failed") > 0);
    assert!(json["headers"]["passed_share"].is_object());

    let filter = ["filter", "-V", text(&scored), "-o", text(&filtered)];
    let json = section(&lab, &filter, "NA1.filter_mqc.json");
    assert_eq!(
        (&json["plot_type"], &json["id"]),
        (&"bargraph".into(), &"cnnfilter_filter".into())
    );
    assert_eq!(json["data"]["NA1"]["passed"], count("passed"));
    assert_eq!(json["categories"]["failed"]["name"], "Failed");

    let eval = [
        &[
            "eval",
            "-V",
            text(&filtered),
            "-R",
            text(&reference),
            "--truth",
            text(&truth),
        ][..],
        &[
            "--confident",
            text(&confident),
            "--resamples",
            "0",
            "-o",
            text(&report),
        ],
    ];
    let json = section(&lab, &eval.concat(), "NA1.eval_mqc.json");
    let row = &json["data"]["NA1"];
    let figure = |name: &str| row[name].as_f64().unwrap();
    assert!(
        figure("pr_auc_SNP_CNN_2D") > figure("pr_auc_SNP_QUAL"),
        "{row}"
    );
    assert!(
        figure("precision_SNP") > 50.0 && figure("recall_INDEL") > 50.0,
        "{row}"
    );
}

#[test]
fn a_name_that_multiqc_overlooks_is_refused() {
    let output = program(&["filter", "-V", "x.vcf", "--multiqc", "x.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ends in _mqc.json"), "{said}");
}
