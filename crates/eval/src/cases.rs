//! One case a rule: what is undefined, what is counted, what does not change.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::bootstrap::{Blocks, MAX_BLOCKS, p_value};
use super::classes::*;
use super::reference::{Row, assert_close, generated, record, run, table_of, value};
use super::table::TableError;
use super::*;
use crate::strata::Stratum;

#[test]
fn what_does_not_exist_says_why() {
    let all = |rows: &[Row]| value(&run(&table_of(rows), 50), "all", "pr_auc");
    assert_eq!(all(&[]), Err(Undefined::Empty));
    assert_eq!(
        all(&[(true, Some(1.0)), (true, None)]),
        Err(Undefined::NoFalse { n_true: 2 })
    );
    assert_eq!(
        all(&[(false, Some(1.0))]),
        Err(Undefined::NoTrue { n_false: 1 })
    );
    assert_eq!(
        all(&[(false, None), (true, None)]),
        Err(Undefined::AllMissing { n: 2 })
    );
    assert_eq!(
        all(&[(false, Some(3.0)), (true, Some(3.0))]),
        Err(Undefined::AllTied { n: 2 })
    );
    // The sign of zero makes no difference, an infinite score is a score.
    assert_eq!(
        all(&[(false, Some(0.0)), (true, Some(-0.0))]),
        Err(Undefined::AllTied { n: 2 })
    );
    assert_eq!(
        all(&[
            (false, Some(f32::NEG_INFINITY)),
            (true, Some(f32::INFINITY))
        ]),
        Ok(1.0)
    );
    let evaluation = run(&table_of(&[(false, Some(2.0)), (true, Some(1.0))]), 50);
    assert_eq!(
        value(&evaluation, "all", "recall_at_precision_70"),
        Err(Undefined::PrecisionNotReached { precision: 0.7 })
    );
    let estimate = evaluation.cells[0].figure("pr_auc").unwrap();
    assert_eq!(
        estimate.interval,
        Some(Err(Undefined::TooFewBlocks { found: 2, need: 10 }))
    );
    assert!(estimate.reason().unwrap().contains("blocks"));
    // The whole table serialises without a NaN.
    let json = serde_json::to_string(&evaluation).unwrap();
    assert!(!json.contains("NaN") && json.contains("\"value\":null"));
}

#[test]
fn a_rare_class_that_resamples_miss_has_no_interval() {
    let mut rows = vec![(true, Some(2.0)); 50];
    rows[7] = (false, Some(1.0));
    let evaluation = run(&table_of(&rows), 200);
    match evaluation.cells[0].figure("pr_auc").unwrap().interval {
        Some(Err(Undefined::TooFewResamples {
            defined,
            resamples: 200,
        })) => assert!((90..160).contains(&defined)),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn unjudged_records_are_not_ranked() {
    let mut table = table_of(&[(true, Some(3.0)), (false, Some(1.0)), (true, Some(2.0))]);
    table
        .push(record(Kind::Snp, Label::Unjudged, 0, 9, &[2.5]))
        .unwrap();
    let evaluation = run(&table, 0);
    assert_eq!((evaluation.n_records, evaluation.n_judged), (4, 3));
    assert_eq!(value(&evaluation, "all", "pr_auc"), Ok(1.0));
}

#[test]
fn missed_truth_lowers_recall_by_the_ceiling() {
    let mut table = table_of(&[(true, Some(3.0)), (false, Some(1.0)), (true, Some(2.0))]);
    let classes = record(Kind::Snp, Label::Unjudged, 0, 0, &[0.0]).classes;
    table
        .push_missed(MissedTruth { classes, strata: 0 })
        .unwrap();
    let evaluation = run(&table, 0);
    let of = |figure: &str| value(&evaluation, "all", figure);
    assert_eq!(of("recall_ceiling"), Ok(2.0 / 3.0));
    assert_eq!(of("recall_at_precision_99"), Ok(1.0));
    assert_eq!(of("recall_at_precision_99_with_missed"), Ok(2.0 / 3.0));
    assert_eq!(
        value(&evaluation, "depth:20-39", "recall_ceiling"),
        Err(Undefined::MissedUnknown)
    );
    let [all, _] = at_filter::at_filter(&table, Kind::Snp, Stratum::All);
    assert_eq!(all.recall, Ok(2.0 / 3.0));
    assert_eq!(all.precision, Ok(2.0 / 3.0));
}

#[test]
fn the_filter_row_counts_a_filtered_true_call_as_not_found() {
    let mut table = JudgedTable::new(vec![], vec![]).unwrap();
    for (label, filter, n) in [
        (Label::True, FilterState::Pass, 6),
        (Label::True, FilterState::Unfiltered, 2),
        (Label::True, FilterState::Filtered, 2),
        (Label::False, FilterState::Pass, 1),
        (Label::False, FilterState::Filtered, 3),
        (Label::Unjudged, FilterState::Pass, 4),
    ] {
        for _ in 0..n {
            let mut r = record(Kind::Indel, label, 0, 0, &[]);
            r.classes.filter = filter;
            table.push(r).unwrap();
        }
    }
    let [all, pass] = at_filter::at_filter(&table, Kind::Indel, Stratum::All);
    assert_eq!((all.recall, all.precision), (Ok(1.0), Ok(10.0 / 14.0)));
    assert_eq!((pass.recall, pass.precision), (Ok(0.8), Ok(8.0 / 9.0)));
    assert_close(pass.f1.unwrap(), 2.0 * 8.0 / (9.0 + 10.0), "F1");
    assert_eq!(pass.counts.query_unk, 4);
    let [none, _] = at_filter::at_filter(&table, Kind::Snp, Stratum::All);
    assert!(none.recall.is_err() && none.precision.is_err() && none.f1.is_err());
}

/// Expected calibration error by hand: bins 0.2–0.3 (two records, mean .25, half true) and 0.9–1
/// (two records, mean .95, all true): ½·.25 + ½·.05 = .15.
#[test]
fn calibration_by_hand() {
    let rows = [
        (true, Some(0.25)),
        (false, Some(0.25)),
        (true, Some(0.9)),
        (true, Some(1.0)),
        (true, None),
    ];
    let c = calibration::calibration(&table_of(&rows), Kind::Snp, Stratum::All, 0).unwrap();
    assert!((c.expected_calibration_error - 0.15).abs() < 1e-7);
    assert!((c.brier - (0.5625 + 0.0625 + 0.01) / 4.0).abs() < 1e-7);
    assert_eq!((c.n, c.n_missing, c.bins.len()), (4, 1, 2));
    let outside = table_of(&[(true, Some(1.5)), (false, Some(0.5))]);
    assert_eq!(
        calibration::calibration(&outside, Kind::Snp, Stratum::All, 0),
        Err(Undefined::NotAProbability { outside: 1, n: 2 })
    );
}

#[test]
fn score_bins_keep_ties_together_and_missing_apart() {
    let mut rows: Vec<_> = (0..9).map(|i| (true, Some((i / 3) as f32))).collect();
    rows.push((true, None));
    let bins = no_truth::by_score_bin(&table_of(&rows), Kind::Snp, 0, 4).unwrap();
    let counts: Vec<u64> = bins.iter().map(|b| b.n).collect();
    assert_eq!(counts, [3, 3, 3, 1]);
    assert_eq!((bins[0].high, bins[3].high), (Some(2.0), None));
    assert_eq!(
        bins[0].ti_tv,
        Err(Undefined::ZeroDenominator {
            what: "transversions"
        })
    );
    let none = table_of(&[(true, None)]);
    assert_eq!(
        no_truth::by_score_bin(&none, Kind::Snp, 0, 4),
        Err(Undefined::AllMissing { n: 1 })
    );
}

#[test]
fn the_worst_records_are_those_most_wrong() {
    let table = table_of(&[
        (false, Some(5.0)),
        (false, Some(9.0)),
        (false, None),
        (true, Some(4.0)),
        (true, None),
        (true, Some(1.0)),
        (false, Some(5.0)),
    ]);
    let found = worst::worst_among(&table, Kind::Snp, 0, 2, 0..table.len());
    assert_eq!(found.false_positives, [1, 0]);
    assert_eq!(found.false_negatives, [4, 5]);
    assert_eq!(
        worst::worst_among(&table, Kind::Snp, 0, 9, 0..table.len()).false_positives,
        [1, 0, 6]
    );
}

#[test]
fn a_better_score_has_a_small_p_value_and_an_equal_one_has_not() {
    let mut table =
        JudgedTable::new(["good", "bad", "same"].map(String::from).to_vec(), vec![]).unwrap();
    for (i, (is_true, score)) in generated(2_000, 1 << 20).into_iter().enumerate() {
        let good = score.unwrap() + if is_true { 20.0 } else { 0.0 };
        let label = if is_true { Label::True } else { Label::False };
        let scores = [good, score.unwrap(), good * 3.0];
        table
            .push(record(Kind::Snp, label, 0, i as u32 * 1_000, &scores))
            .unwrap();
    }
    let config = EvalConfig {
        baseline: Some("good".into()),
        ..EvalConfig::default()
    };
    let evaluation = evaluate(&table, &config).unwrap();
    let [good, bad, same] = &evaluation.cells[..3] else {
        panic!("three scores")
    };
    assert!(good.differences.is_empty());
    let bad = bad.difference(Metric::PrAuc).unwrap();
    assert!(bad.p_value.clone().unwrap() <= 2.0 / 1_001.0);
    assert!(bad.estimate.ends().unwrap().high < 0.0);
    let same = same.difference(Metric::PrAuc).unwrap();
    assert_eq!(same.p_value, Ok(1.0));
    assert_eq!(same.estimate.value, Ok(0.0));
    assert_eq!(p_value(std::iter::empty()), Err(Undefined::NoResamples));
}

#[test]
fn blocks_keep_neighbours_together_and_are_at_most_a_thousand() {
    let mut table = JudgedTable::new(vec![], vec![]).unwrap();
    for (contig, pos) in [(0, 100), (0, 600), (0, 1_101), (1, 1_102), (1, 1_102)] {
        let mut r = record(Kind::Snp, Label::True, 0, pos, &[]);
        r.contig = contig;
        table.push(r).unwrap();
    }
    assert_eq!(Blocks::new(&table).by_record(), [0, 0, 1, 2, 2]);
    let many = Blocks::new(&table_of(&vec![(true, Some(0.0)); 12_345]));
    assert_eq!(many.len(), MAX_BLOCKS);
    let mut sizes = vec![0; MAX_BLOCKS];
    for &b in many.by_record() {
        sizes[usize::from(b)] += 1;
    }
    assert!(sizes.iter().all(|&n| (12..=13).contains(&n)));
}

#[test]
fn same_figures_for_any_number_of_threads() {
    let names = ["A", "B"].map(String::from).to_vec();
    let mut table = JudgedTable::new(vec!["S".into()], names).unwrap();
    for (i, (is_true, score)) in generated(30_000, 1 << 20).into_iter().enumerate() {
        let kind = if i % 5 == 0 { Kind::Indel } else { Kind::Snp };
        let label = if is_true { Label::True } else { Label::False };
        let strata = u32::from(i % 3 == 0) | u32::from(i % 7 == 0) << 1;
        table
            .push(record(
                kind,
                label,
                strata,
                i as u32 * 1_000,
                &[score.unwrap()],
            ))
            .unwrap();
    }
    let bytes = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| serde_json::to_string(&run(&table, 100)).unwrap())
    };
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(5));
}

#[test]
fn the_table_refuses_what_does_not_fit() {
    let mut table = JudgedTable::new(vec!["S".into()], vec!["A".into()]).unwrap();
    assert_eq!(
        table.push(record(Kind::Snp, Label::True, 0, 0, &[])),
        Err(TableError::ScoreCount {
            found: 0,
            expected: 1
        })
    );
    assert_eq!(
        table.push(record(Kind::Snp, Label::True, 2, 0, &[0.0])),
        Err(TableError::StratumBits {
            found: 2,
            expected: 1
        })
    );
    assert!(JudgedTable::new(vec![], vec![String::new(); 33]).is_err());
    let config = EvalConfig {
        baseline: Some("X".into()),
        ..EvalConfig::default()
    };
    assert!(evaluate(&table, &config).is_err());
}
