//! Decisions on single records.

use super::*;
use crate::genome::PerKind;
use crate::score::calibration::PlattScaling;

fn record(line: &str) -> VcfRecord {
    VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
}

fn site(alleles: &str, filter: &str, info: &str) -> VcfRecord {
    record(&format!("1\t5\t.\t{alleles}\t.\t{filter}\t{info}"))
}

fn entry(probability: f64) -> AimThreshold {
    AimThreshold {
        aim: Aim::F1,
        probability,
        precision: 0.99,
        recall: 0.98,
    }
}

fn thresholds() -> CardThresholds {
    CardThresholds {
        measured_on: "a \"held-out\" contig".into(),
        kinds: PerKind {
            snp: Some(vec![entry(0.5)]),
            indel: Some(vec![entry(0.25)]),
        },
        tested: Vec::new(),
    }
}

fn filter() -> ThresholdFilter {
    ThresholdFilter::new(&thresholds(), Aim::F1, "m").unwrap()
}

#[test]
fn a_record_is_compared_with_the_threshold_of_its_kind() {
    let filter = filter();
    let (snp, indel) = ("CNN_LOW_SNP_F1", "CNN_LOW_INDEL_F1");
    for (alleles, info, expected) in [
        ("A\tC", "CNN_PROB=0.5", Ok((1, None))),
        ("A\tC", "CNN_PROB=0.499", Ok((1, Some(snp)))),
        ("AT\tGC", "CNN_PROB=0.4", Ok((1, Some(snp)))),
        // A mixed record has the kind of its best ALT, of equal ones the first.
        ("A\tC,AT", "CNN_PROB=0.3;CNN_AS=1,0", Ok((1, Some(snp)))),
        ("A\tC,AT", "CNN_PROB=0.3;CNN_AS=0,1", Ok((0, None))),
        ("A\tC,AT", "CNN_PROB=0.2;CNN_AS=0,1", Ok((0, Some(indel)))),
        ("A\tC,AT", "CNN_PROB=0.3;CNN_AS=1,1", Ok((1, Some(snp)))),
        ("A\tAT,C", "CNN_PROB=0.3;CNN_AS=1,1", Ok((0, None))),
        ("A\tC,AT,*", "CNN_PROB=0.3;CNN_AS=0,.,9", Ok((1, Some(snp)))),
        // Without the scores of its ALTs it is an indel where any ALT is one.
        ("A\tC,AT", "CNN_PROB=0.3", Ok((0, None))),
        ("A\tC,AT", "CNN_PROB=0.3;CNN_AS=1", Ok((0, None))),
        ("A\tC,AT", "CNN_PROB=0.3;CNN_AS=.,.", Ok((0, None))),
        ("A\tAT", "CNN_PROB=0.2", Ok((0, Some(indel)))),
        ("A\t<DEL>", "CNN_PROB=0.2", Err(NotJudged::OtherKind)),
        ("A\tC", "DP=3", Err(NotJudged::NoScore)),
        ("A\tC", "CNN_PROB=.", Err(NotJudged::NoScore)),
        ("A\tC", "CNN_PROB", Err(NotJudged::NoScore)),
        ("A\tC", "CNN_PROB=nan", Err(NotJudged::NotANumber)),
        ("A\tC", "CNN_PROB=1.5", Err(NotJudged::NotANumber)),
        ("A\tC", "CNN_PROB=0.1,0.2", Err(NotJudged::NotANumber)),
    ] {
        let record = site(alleles, ".", info);
        let found = match filter.decide(&record) {
            Decision::Judged { row, filter } => Ok((row, filter)),
            Decision::NotJudged(why) => Err(why),
        };
        assert_eq!(found, expected, "{alleles} {info}");
    }
    let snps_only = CardThresholds {
        kinds: PerKind {
            snp: Some(vec![entry(0.5)]),
            indel: None,
        },
        ..thresholds()
    };
    let snps_only = ThresholdFilter::new(&snps_only, Aim::F1, "m").unwrap();
    assert_eq!(
        snps_only.decide(&site("A\tAT", ".", "CNN_PROB=0.2")),
        Decision::NotJudged(NotJudged::NoThresholdForIndels)
    );
}

#[test]
fn filters_of_others_stay_and_own_ones_are_replaced() {
    let filter = filter();
    for (before, info, invalidate, after) in [
        (".", "CNN_PROB=0.9", false, "PASS"),
        ("PASS", "CNN_PROB=0.1", false, "CNN_LOW_SNP_F1"),
        ("q10", "CNN_PROB=0.9", false, "q10"),
        ("q10", "CNN_PROB=0.9", true, "PASS"),
        ("z;a", "CNN_PROB=0.1", false, "z;a;CNN_LOW_SNP_F1"),
        ("CNN_LOW_SNP_F1", "CNN_PROB=0.9", false, "PASS"),
        (
            "CNN_LOW_SNP_PRECISION_0.9;q10",
            "CNN_PROB=0.1",
            false,
            "q10;CNN_LOW_SNP_F1",
        ),
        (".", "DP=1", false, "."),
        ("PASS", "DP=1", true, "PASS"),
        ("q10", "DP=1", false, "q10"),
        ("q10", "DP=1", true, "."),
        ("CNN_LOW_SNP_F1", "DP=1", false, "."),
    ] {
        let mut record = site("A\tC", before, info);
        let decision = filter.decide(&record);
        decision.apply(&mut record, invalidate);
        assert_eq!(
            record.filter(),
            after.as_bytes(),
            "{before} {info} {invalidate}"
        );
        // Twice is once.
        let decision = filter.decide(&record);
        decision.apply(&mut record, invalidate);
        assert_eq!(record.filter(), after.as_bytes());
    }
}

#[test]
fn the_header_says_threshold_expectation_and_source() {
    let lines = filter().header_lines();
    assert_eq!(lines[0].0, "CNN_LOW_INDEL_F1");
    assert_eq!(
        lines[0].1,
        "##FILTER=<ID=CNN_LOW_INDEL_F1,Description=\"INDEL with CNN_PROB below the threshold of model m for aim f1: 0.25 (expected precision 0.9900, recall 0.9800); measured on a \\\"held-out\\\" contig\">"
    );
    assert!(lines[1].1.contains("0.5 (expected"), "{}", lines[1].1);
    let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
    let old = "##FILTER=<ID=CNN_LOW_SNP_PRECISION_0.9,Description=\"x\">";
    let lines = ["##fileformat=VCFv4.2", old, columns]
        .map(String::from)
        .to_vec();
    let mut header = VcfHeader::parse(lines).unwrap();
    filter().extend_header(&mut header);
    filter().extend_header(&mut header);
    assert_eq!(header.meta().len(), 3);
    assert!(!header.meta().contains(&old.to_owned()));
}

#[test]
fn an_alt_fails_beside_one_that_passes() {
    let filter = filter();
    let none = Calibration::default();
    // sigmoid(-1) = .27: above .25 for indels, below .5 for SNPs; sigmoid(0) = .5.
    for (alleles, values, expected) in [
        ("A\tC,G", "0,-1", &[1][..]),
        ("A\tC,AT", "0,-1", &[]),
        ("A\tC,AT,G", "-1,-1,-1", &[0, 2]),
        ("A\tC,G", "-1,-1", &[]),
        ("A\tC,*", "0,.", &[]),
        ("A\tC,G", "0", &[]),
        ("A\tC,G", "0,x", &[]),
    ] {
        let record = site(alleles, ".", &format!("CNN_AS={values}"));
        assert_eq!(
            filter.failing_alternates(&record, &none),
            expected,
            "{alleles} {values}"
        );
    }
    let strict = Calibration {
        kinds: PerKind {
            snp: Some(PlattScaling {
                slope: 1.0,
                intercept: -1.0,
                fitted_to: None,
            }),
            indel: None,
        },
    };
    let record = site("A\tC,AT", ".", "CNN_AS=0,0");
    assert_eq!(filter.failing_alternates(&record, &strict), [0]);
    assert!(
        filter
            .failing_alternates(&site("A\tC,G", ".", "DP=1"), &none)
            .is_empty()
    );
}

#[test]
fn samples_are_judged_by_their_own_log_odds() {
    let filter = filter();
    let none = Calibration::default();
    let r = record("1\t5\t.\tA\tC\t.\t.\t.\tGT:CNN\t0/1:1.5\t0/1:-1\t0/0:.\t./.");
    let (passes, name) = filter.judge_samples(&r, &none).unwrap();
    assert_eq!(passes, [Some(true), Some(false), None, None]);
    assert_eq!(name, "CNN_LOW_SNP_F1");
    // In a mixed record by the threshold of its best ALT: sigmoid(-.5) = .38.
    for (values, passes, name) in [
        ("1,0", Some(false), "CNN_LOW_SNP_F1"),
        ("0,1", Some(true), "CNN_LOW_INDEL_F1"),
    ] {
        let mixed = record(&format!(
            "1\t5\t.\tA\tC,AT\t.\t.\tCNN_AS={values}\tGT:CNN\t0/1:-.5"
        ));
        let found = filter.judge_samples(&mixed, &none);
        assert_eq!(found, Some((vec![passes], name)), "{values}");
    }
    let without = record("1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1");
    assert_eq!(filter.judge_samples(&without, &none), None);
}
