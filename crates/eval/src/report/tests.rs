//! The four forms of one small report.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::at_filter::at_filter;
use crate::classes::{Classes, FilterState, Label, RangeClass, SizeClass, Substitution, Zygosity};
use crate::genotypes::GenotypeTally;
use crate::no_truth::by_score_bin;
use crate::strata::Stratum;
use crate::{EvalConfig, JudgedTable, Record, evaluate};
use cnnfilter_core::label::LabelTable;

const HOSTILE: &str = "</script><b>{{data}}\t&\"";

/// A report of 60 SNPs and no indel, with a hostile stratum name.
fn report() -> Report {
    let scores = ["QUAL", "P", "NONE"].map(String::from).to_vec();
    let mut table = JudgedTable::new(scores, vec![HOSTILE.into()]).unwrap();
    for i in 0..60_u32 {
        table
            .push(Record {
                classes: Classes {
                    kind: Kind::Snp,
                    label: if i % 4 == 0 {
                        Label::False
                    } else {
                        Label::True
                    },
                    filter: FilterState::Pass,
                    size: SizeClass::None,
                    alt_fraction: RangeClass::UNKNOWN,
                    depth: RangeClass::depth(12.0),
                    zygosity: Zygosity::Het,
                    substitution: Substitution::Transversion,
                },
                strata: i % 2,
                contig: 0,
                pos: i * 1_000,
                scores: &[(i * 7 % 60) as f32, i as f32 / 60.0, f32::NAN],
            })
            .unwrap();
    }
    let config = EvalConfig {
        baseline: Some("QUAL".into()),
        probabilities: vec!["P".into()],
        resamples: 100,
        ..EvalConfig::default()
    };
    Report {
        title: HOSTILE.into(),
        provenance: vec![("calls".into(), HOSTILE.into())],
        evaluation: evaluate(&table, &config).unwrap(),
        at_filter: vec![FilterRows {
            kind: Kind::Indel,
            stratum: "all".into(),
            rows: at_filter(&table, Kind::Indel, Stratum::All).to_vec(),
        }],
        genotypes: {
            let mut tally = GenotypeTally::default();
            for (truth, called, quality) in [(1, 1, 31.0), (2, 2, 40.0), (1, 2, 8.0), (0, 1, 3.0)] {
                tally.add(truth, called, Some(quality));
            }
            [tally.rows(Kind::Snp, "all"), tally.rows(Kind::Snp, HOSTILE)]
                .into_iter()
                .flatten()
                .collect()
        },
        no_truth: vec![
            NoTruthRows {
                kind: Kind::Snp,
                score: "QUAL".into(),
                bins: by_score_bin(&table, Kind::Snp, 0, 3),
            },
            NoTruthRows {
                kind: Kind::Indel,
                score: "QUAL".into(),
                bins: by_score_bin(&table, Kind::Indel, 0, 3),
            },
        ],
        worst: vec![WorstRecord {
            score: "QUAL".into(),
            kind: Kind::Snp,
            sort: WorstSort::FalsePositive,
            label: GivenLabel::AlleleOnly,
            contig: HOSTILE.into(),
            pos: 1,
            reference: "A".into(),
            alternate: "C".repeat(100),
            value: None,
            filter: ".".into(),
            depth: None,
            alt_fraction: None,
            mapping_quality: Some(60.0),
            repeat: Some("A×12".into()),
            strata: vec![HOSTILE.into()],
            link: None,
        }],
    }
}

#[test]
fn every_tsv_row_has_every_column_and_a_reason_for_what_is_missing() {
    let text = tsv(&report()).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(
        header,
        [
            "score",
            "kind",
            "stratum",
            "match",
            "figure",
            "value",
            "ci_low",
            "ci_high",
            "n_true",
            "n_false",
            "n_missed",
            "prevalence",
            "baseline",
            "p_value",
            "reason",
        ]
    );
    let column = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (value, reason) = (column("value"), column("reason"));
    let mut undefined = 0;
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), header.len(), "{line}");
        assert!(
            !fields.contains(&"NaN") && !fields.contains(&"inf"),
            "{line}"
        );
        if fields[value] == "NA" {
            undefined += 1;
            assert_ne!(fields[reason], "NA", "{line}");
        }
    }
    assert!(undefined > 0);
    assert!(text.contains("\npr_auc\t") || text.contains("\tpr_auc\t"));
    assert!(text.contains("FILTER:PASS\tINDEL\tall\tallele\trecall\tNA"));
    assert!(text.contains("QUAL\tSNP\tscore_bin:1\tnone\tti_tv\t0\t"));
}

#[test]
fn json_parses_and_holds_null_with_a_reason() {
    let value: serde_json::Value = serde_json::from_str(&json(&report()).unwrap()).unwrap();
    let cells = value["evaluation"]["cells"].as_array().unwrap();
    let missing = cells
        .iter()
        .find(|c| c["score"] == "NONE" && c["kind"] == "SNP" && c["stratum"] == "all")
        .unwrap();
    assert_eq!(missing["figures"][0]["figure"], "pr_auc");
    assert!(missing["figures"][0]["value"].is_null());
    assert_eq!(
        missing["figures"][0]["reason"],
        "the score is missing from all 60 records"
    );
}

#[test]
fn the_page_fetches_nothing_and_escapes_what_it_shows() {
    let page = html(&report()).unwrap();
    assert!(!page.contains("<b>{{data}}"), "a value was not escaped");
    assert!(page.contains("&lt;/script&gt;&lt;b&gt;{{data}}"));
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script>").count(), 3);
    for fetched in [
        "src=",
        "href=\"http",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("The MIT License"));
    assert!(!page.contains("NaN</td>"));
    // What stands between the tags of the data is JSON.
    let data = page
        .split("id=\"data\">")
        .nth(1)
        .and_then(|rest| rest.split("</script>").next())
        .unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["scores"][0], "QUAL");
}

#[test]
fn the_summary_names_prevalence_match_rule_and_reasons() {
    let summary = text(&report());
    assert!(summary.contains("match by allele"));
    assert!(summary.contains("SNP all: 45 true, 15 false, prevalence 0.7500"));
    assert!(summary.contains("NONE: the score is missing from all 60 records"));
    assert!(summary.contains("INDEL all: 0 true, 0 false, prevalence –"));
    assert!(summary.contains("QUAL: no judged records"));
}

#[test]
fn the_worst_are_a_table_of_labels_with_one_line_a_record() {
    let mut report = report();
    let again = WorstRecord {
        score: "P".into(),
        value: Some(0.25),
        ..report.worst[0].clone()
    };
    let other = WorstRecord {
        pos: 2,
        label: GivenLabel::Right,
        ..again.clone()
    };
    report.worst.extend([again, other]);
    let text = worst_table(&report);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].ends_with("\tAM\tQUAL=NA;P=0.25"), "{text}");
    assert!(lines[2].ends_with("\tTP\tP=0.25"), "{text}");
    let mut table = LabelTable::from_header(lines[0].as_bytes()).unwrap();
    table.add_line(lines[2].as_bytes()).unwrap();
    let (contig, long) = (HOSTILE.replace('\t', " "), "C".repeat(100));
    assert_eq!(
        table.label(&contig, 1, b"A", long.as_bytes()),
        GivenLabel::Right
    );
}

#[test]
fn a_record_with_an_address_is_a_link() {
    let mut report = report();
    assert!(!html(&report).unwrap().contains("<a "));
    report.worst[0].link = Some("view.html#\"<".into());
    let page = html(&report).unwrap();
    assert!(page.contains("<a href=\"view.html#&quot;&lt;\">"));
    assert!(page.contains("leads to its reads"));
}

#[test]
fn genotypes_stand_in_every_output() {
    let report = report();
    let page = html(&report).unwrap();
    for part in [
        "<h2>Genotypes</h2>",
        "share of wrong genotypes by GQ",
        "<circle",
        "<path d=",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let table = tsv(&report).unwrap();
    let line = table
        .lines()
        .find(|line| line.contains("genotype_concordance"))
        .unwrap();
    assert!(line.starts_with("GENOTYPE\tSNP\tall\t"), "{line}");
    assert!(
        text(&report).contains("SNP genotypes: 2 of 3 real ALTs"),
        "{}",
        text(&report)
    );
    assert!(
        json(&report)
            .unwrap()
            .contains("\"matrix\":[[0,1,0],[0,1,1],[0,0,1]]")
    );
}
