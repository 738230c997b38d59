//! Obvious, slow references, golden numbers and properties of the whole evaluation.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::strata::Stratum;
use proptest::prelude::*;

use super::bootstrap::{Blocks, Interval, ResampleWeights, percentile_interval};
use super::classes::*;
use super::metrics::{N_METRICS, PRECISIONS};
use super::*;

/// Label and score of a record.
pub(super) type Row = (bool, Option<f32>);
/// Label, score and weight of a record.
type Weighted = (bool, Option<f32>, f64);

/// A table of one kind and one score, 1,000 bases between records.
pub(super) fn table_of(rows: &[Row]) -> JudgedTable {
    let mut table = JudgedTable::new(vec!["S".into()], vec![]).unwrap();
    for (i, &(is_true, score)) in rows.iter().enumerate() {
        let label = if is_true { Label::True } else { Label::False };
        table
            .push(record(
                Kind::Snp,
                label,
                0,
                i as u32 * 1_000,
                &[score.unwrap_or(f32::NAN)],
            ))
            .unwrap();
    }
    table
}

pub(super) fn record(
    kind: Kind,
    label: Label,
    strata: u32,
    pos: u32,
    scores: &[f32],
) -> Record<'_> {
    Record {
        classes: Classes {
            kind,
            label,
            filter: FilterState::Unfiltered,
            size: match kind {
                Kind::Snp => SizeClass::None,
                Kind::Indel => SizeClass::I1To5,
            },
            alt_fraction: RangeClass::alt_fraction(0.5),
            depth: RangeClass::depth(30.0),
            zygosity: Zygosity::Het,
            substitution: Substitution::Transition,
        },
        strata,
        contig: 0,
        pos,
        scores,
    }
}

pub(super) fn run(table: &JudgedTable, resamples: usize) -> Evaluation {
    let config = EvalConfig {
        resamples,
        ..EvalConfig::default()
    };
    evaluate(table, &config).unwrap()
}

pub(super) fn value(evaluation: &Evaluation, stratum: &str, figure: &str) -> Figure {
    let cell = evaluation
        .cells
        .iter()
        .find(|c| c.kind == Kind::Snp && c.stratum == stratum)
        .unwrap();
    cell.figure(figure).unwrap().value.clone()
}

pub(super) fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{what}: {found} is not {expected}"
    );
}

/// All metrics of weighted records by comparing every record with every threshold; `None` ranks last.
fn slow_metrics(rows: &[Weighted]) -> [f64; N_METRICS] {
    let rank = |s: Option<f32>| s.map_or(f64::NEG_INFINITY, f64::from);
    let mut thresholds: Vec<f64> = rows.iter().map(|r| rank(r.1)).collect();
    thresholds.sort_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    let weight = |test: &dyn Fn(&Weighted) -> bool| -> f64 {
        rows.iter().filter(|r| test(r)).map(|r| r.2).sum()
    };
    let (p, n) = (weight(&|r| r.0), weight(&|r| !r.0));
    let mut out = [0.0; N_METRICS];
    let mut recall_before = 0.0;
    for t in thresholds {
        let tp = weight(&|r| r.0 && rank(r.1) >= t);
        let fp = weight(&|r| !r.0 && rank(r.1) >= t);
        if tp + fp == 0.0 {
            continue;
        }
        let (recall, precision) = (tp / p, tp / (tp + fp));
        out[0] += (recall - recall_before) * precision;
        out[1] += (recall - recall_before) * (tp / p / (tp / p + fp / n));
        out[3] = f64::max(out[3], 2.0 * tp / (tp + fp + p));
        for (i, q) in PRECISIONS.into_iter().enumerate() {
            if precision >= q {
                out[4 + i] = f64::max(out[4 + i], recall);
            }
        }
        recall_before = recall;
    }
    let mut pairs = 0.0;
    for a in rows.iter().filter(|r| r.0) {
        for b in rows.iter().filter(|r| !r.0) {
            let (x, y) = (rank(a.1), rank(b.1));
            let wins = if x > y {
                1.0
            } else if x < y {
                0.0
            } else {
                0.5
            };
            pairs += a.2 * b.2 * wins;
        }
    }
    out[2] = pairs / (p * n);
    out
}

fn rows_strategy() -> impl Strategy<Value = Vec<Row>> {
    let score = prop_oneof![
        1 => Just(None),
        4 => (0_i8..6).prop_map(|v| Some(f32::from(v))),
        4 => (-1e3_f32..1e3).prop_map(Some),
    ];
    prop::collection::vec((any::<bool>(), score), 0..60)
}

proptest! {
    #[test]
    fn figures_equal_the_slow_reference(rows in rows_strategy()) {
        let evaluation = run(&table_of(&rows), 0);
        let n_true = rows.iter().filter(|r| r.0).count();
        let mut scores: Vec<Option<u32>> = rows.iter().map(|r| r.1.map(|s| (s + 0.0).to_bits())).collect();
        scores.sort_unstable();
        scores.dedup();
        let defined = n_true > 0 && n_true < rows.len() && scores.len() > 1;
        let weighted: Vec<_> = rows.iter().map(|&(t, s)| (t, s, 1.0)).collect();
        let expected = slow_metrics(&weighted);
        for (metric, expected) in Metric::ALL.into_iter().zip(expected) {
            match value(&evaluation, "all", metric.name()) {
                Ok(found) => {
                    prop_assert!(defined);
                    prop_assert!((found - expected).abs() < 1e-12, "{metric:?} {found} {expected}");
                }
                Err(Undefined::PrecisionNotReached { .. }) => prop_assert!(defined && expected == 0.0),
                Err(_) => prop_assert!(!defined),
            }
        }
    }

    /// With few distinct scores the bins are the scores, and resampled figures are exact.
    #[test]
    fn resampled_figures_equal_the_slow_reference(rows in rows_strategy(), seed in 0_u64..50) {
        let table = table_of(&rows);
        let blocks = Blocks::new(&table);
        let weights = ResampleWeights::draw(blocks.len(), 8, seed);
        let Some(resampled) = resampled(&table, &weights) else { return Ok(()) };
        for (r, found) in resampled.into_iter().enumerate() {
            let w = weights.resample(r);
            let weighted: Vec<_> = rows.iter().zip(blocks.by_record())
                .map(|(&(t, s), &b)| (t, s, f64::from(w[usize::from(b)])))
                .collect();
            let total = |label: bool| weighted.iter().filter(|r| r.0 == label).map(|r| r.2).sum::<f64>();
            match found {
                None => prop_assert!(total(true) == 0.0 || total(false) == 0.0),
                Some(found) => for (metric, (a, b)) in Metric::ALL.iter().zip(found.into_iter().zip(slow_metrics(&weighted))) {
                    prop_assert!((a - b).abs() < 1e-9, "{metric:?} {a} {b}");
                },
            }
        }
    }

    /// A score and any increasing function of it rank alike.
    #[test]
    fn figures_depend_on_ranks_only(rows in rows_strategy()) {
        let scaled: Vec<_> = rows.iter().map(|&(t, s)| (t, s.map(|v| v * 2.0))).collect();
        let (a, b) = (run(&table_of(&rows), 0), run(&table_of(&scaled), 0));
        for metric in Metric::ALL {
            prop_assert_eq!(value(&a, "all", metric.name()), value(&b, "all", metric.name()));
        }
    }

    #[test]
    fn thinned_curves_ascend_and_end_at_one(rows in rows_strategy(), points in 2_usize..20) {
        let config = EvalConfig { resamples: 0, curve_points: points, ..EvalConfig::default() };
        let evaluation = evaluate(&table_of(&rows), &config).unwrap();
        for curves in evaluation.cells.iter().filter_map(|c| c.curves.as_ref()) {
            for curve in [&curves.pr, &curves.roc] {
                prop_assert!(curve.len() <= 2 * points + 2);
                prop_assert!(curve.windows(2).all(|p| p[0].0 < p[1].0));
                prop_assert!(curve.iter().all(|p| (0.0..=1.0).contains(&p.1)));
                prop_assert_eq!(curve.last().unwrap().0, 1.0);
            }
        }
    }

    #[test]
    fn a_stratum_and_its_complement_part_the_records(
        records in prop::collection::vec((any::<bool>(), any::<bool>(), 0_u32..8), 1..80),
    ) {
        let names = ["A", "B", "C"].map(String::from).to_vec();
        let mut table = JudgedTable::new(vec!["S".into()], names).unwrap();
        for (i, &(snp, is_true, strata)) in records.iter().enumerate() {
            let kind = if snp { Kind::Snp } else { Kind::Indel };
            let label = if is_true { Label::True } else { Label::False };
            table.push(record(kind, label, strata, i as u32, &[i as f32])).unwrap();
        }
        let evaluation = run(&table, 0);
        for kind in Kind::ALL {
            let counts = |name: &str| {
                let cell = evaluation.cells.iter().find(|c| c.kind == kind && c.stratum == name).unwrap();
                (cell.n_true, cell.n_false)
            };
            let expected = |test: &dyn Fn(u32) -> bool| {
                let count = |label: bool| records.iter()
                    .filter(|r| r.0 == (kind == Kind::Snp) && r.1 == label && test(r.2)).count() as u64;
                (count(true), count(false))
            };
            prop_assert_eq!(counts("all"), expected(&|_| true));
            prop_assert_eq!(counts("B"), expected(&|s| s & 2 != 0));
            prop_assert_eq!(counts("not:B"), expected(&|s| s & 2 == 0));
            prop_assert_eq!(counts("difficult"), expected(&|s| s != 0));
            prop_assert_eq!(counts("not:difficult"), expected(&|s| s == 0));
            prop_assert_eq!(counts("genotype:het"), expected(&|_| true));
            prop_assert_eq!(counts("genotype:hom_alt"), (0, 0));
        }
    }
}

fn ranking_parts(table: &JudgedTable) -> (ranking::Ranking, strata::Membership, strata::Totals) {
    let blocks = Blocks::new(table);
    let ranking = ranking::Ranking::new(table, Kind::Snp, 0, blocks.by_record());
    let totals = strata::count(table, Kind::Snp, &[Stratum::All])[0];
    (ranking, Stratum::All.membership(), totals)
}

fn resampled(table: &JudgedTable, weights: &ResampleWeights) -> Option<binned::ResampledFigures> {
    let (ranking, test, totals) = ranking_parts(table);
    let point = curves::figures(&ranking, test, totals).ok()?;
    binned::Binned::new(&ranking, test, totals, &point, weights.n_blocks())
        .resample(&point, weights)
        .ok()
}

/// Records of a linear congruential generator: 90 % true, scores of 0 to 63, true ones 12 higher.
pub(super) fn generated(n: usize, spread: u64) -> Vec<Row> {
    let mut state = 12_345_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..n)
        .map(|_| {
            let is_true = (next() as f64) / 2_147_483_648.0 < 0.9;
            let score = (next() % spread) as f32 * (64.0 / spread as f32);
            (is_true, Some(score + if is_true { 12.0 } else { 0.0 }))
        })
        .collect()
}

/// Golden numbers of scikit-learn 1.9.1, a missing score replaced by -1e30:
///
/// ```python
/// ap = average_precision_score(y, s)
/// balanced = average_precision_score(y, s, sample_weight=np.where(y == 1, 1 / P, 1 / N))
/// roc = roc_auc_score(y, s)
/// p, r, _ = precision_recall_curve(y, s); f1 = (2 * p * r / (p + r)).max()
/// recalls = [r[:-1][p[:-1] >= q].max() for q in (.7, .8, .9, .95, .99)]
/// ```
#[test]
fn figures_equal_scikit_learn() {
    let y = [1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1];
    let s = [0.9, 0.8, 0.8, 0.7, 0.7, 0.7, 0.5, 0.5, 0.3, 0.3, 0.3, 0.1];
    let ties: Vec<_> = y.iter().zip(s).map(|(&y, s)| (y == 1, Some(s))).collect();
    let y = [1, 1, 0, 1, 0, 1, 1, 0, 0, 1];
    let s = [5.0, 4.0, 4.0, -1.0, 3.0, 3.0, 2.0, -1.0, 1.0, -1.0];
    let missing: Vec<_> = y
        .iter()
        .zip(s)
        .map(|(&y, s)| (y == 1, (s > 0.0).then_some(s)))
        .collect();
    let seventh = 1.0 / 7.0;
    let sixth = 1.0 / 6.0;
    let cases: [(&str, Vec<Row>, [f64; N_METRICS]); 3] = [
        (
            "ties",
            ties,
            [
                0.679112554112554,
                0.6099603721087098,
                0.5714285714285714,
                0.7368421052631579,
                seventh,
                seventh,
                seventh,
                seventh,
                seventh,
            ],
        ),
        (
            "missing",
            missing,
            [
                0.6888888888888888,
                0.6071428571428572,
                0.5416666666666666,
                0.75,
                sixth,
                sixth,
                sixth,
                sixth,
                sixth,
            ],
        ),
        (
            "generated",
            generated(500, 64),
            [
                0.9108746488035716,
                0.6748141579331532,
                0.6222588235294116,
                0.9249183895538629,
                1.0,
                1.0,
                0.4258823529411765,
                0.24705882352941178,
                0.20705882352941177,
            ],
        ),
    ];
    for (name, rows, expected) in cases {
        let evaluation = run(&table_of(&rows), 0);
        for (metric, expected) in Metric::ALL.into_iter().zip(expected) {
            let found = value(&evaluation, "all", metric.name()).unwrap();
            assert_close(found, expected, &format!("{name} {metric:?}"));
        }
    }
}

/// `scipy.stats.beta.ppf(.025, k, n - k + 1)` and `ppf(.975, k + 1, n - k)`, SciPy with scikit-learn 1.9.1.
#[test]
fn binomial_intervals_equal_scipy() {
    for (k, n, low, high) in [
        (3, 10, 0.06673951117773447, 0.6524528500599973),
        (0, 7, 0.0, 0.40961639722500337),
        (7, 7, 0.5903836027749966, 1.0),
        (950, 1000, 0.9346095120845064, 0.9626646023953382),
    ] {
        let found = calibration::binomial_interval(k, n);
        assert!((found.low - low).abs() < 1e-9, "{k}/{n}: {found:?}");
        assert!((found.high - high).abs() < 1e-9, "{k}/{n}: {found:?}");
    }
}

/// Bins of many scores lose little: each resampled area is within 2e-3 of the exact one, the interval's
/// ends of PR-AUC within 2e-4.
#[test]
fn binned_resamples_follow_exact_ones() {
    let rows = generated(6_000, 1 << 20);
    let table = table_of(&rows);
    let blocks = Blocks::new(&table);
    let weights = ResampleWeights::draw(blocks.len(), 40, 3);
    let found = resampled(&table, &weights).unwrap();
    let mut exact = Vec::new();
    for (r, found) in found.iter().enumerate() {
        let w = weights.resample(r);
        // Sorted once, so that the reference is O(n): one threshold a record, scores being distinct enough.
        let mut weighted: Vec<(f32, bool, f64)> = rows
            .iter()
            .zip(blocks.by_record())
            .map(|(&(t, s), &b)| (s.unwrap(), t, f64::from(w[usize::from(b)])))
            .collect();
        weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total = |label| {
            weighted
                .iter()
                .filter(|x| x.1 == label)
                .map(|x| x.2)
                .sum::<f64>()
        };
        let mut sums = metrics::Accumulator::new(total(true), total(false));
        for group in weighted.chunk_by(|a, b| a.0.to_bits() == b.0.to_bits()) {
            let of = |label| {
                group
                    .iter()
                    .filter(|x| x.1 == label)
                    .map(|x| x.2)
                    .sum::<f64>()
            };
            sums.step(of(true), of(false));
        }
        let expected = sums.finish();
        for (metric, (a, b)) in Metric::ALL
            .into_iter()
            .zip(found.unwrap().into_iter().zip(expected))
        {
            // A recall at a precision jumps where precision is flat.
            let tolerance = if (metric as usize) < 4 { 2e-3 } else { 4e-2 };
            assert!(
                (a - b).abs() < tolerance,
                "resample {r} {metric:?}: {a} {b}"
            );
        }
        exact.push(Some(expected[0]));
    }
    let a = percentile_interval(exact.into_iter()).unwrap();
    let b = percentile_interval(found.iter().map(|f| f.map(|f| f[0]))).unwrap();
    assert!(
        (a.low - b.low).abs() < 2e-4 && (a.high - b.high).abs() < 2e-4,
        "{a:?} {b:?}"
    );
}

#[test]
fn sparse_and_dense_histograms_are_the_same() {
    // 100 records a block and few scores, so that counts need more than one digit.
    for (n, spread) in [(3_000, 1 << 20), (100_000, 4)] {
        let table = table_of(&generated(n, spread));
        let weights = ResampleWeights::draw(Blocks::new(&table).len(), 7, 1);
        let (ranking, test, totals) = ranking_parts(&table);
        let point = curves::figures(&ranking, test, totals).unwrap();
        let binned = binned::Binned::new(&ranking, test, totals, &point, weights.n_blocks());
        let n_slots = binned.n_slots();
        assert!(n_slots <= 4 * binned::MAX_BINS + 2);
        let dense = binned.dense_histograms(n_slots, &weights);
        assert_eq!(binned.sparse_histograms(n_slots, &weights), dense);
        let sums: Vec<u32> = dense.chunks(n_slots).map(|h| h.iter().sum()).collect();
        let per_block = (n / weights.n_blocks()) as u32;
        assert!(sums.iter().all(|s| s.abs_diff(n as u32) <= per_block * 2));
    }
}

/// 95 % intervals hold the true value in about 95 % of samples: of 200, at least 180 and not all.
#[test]
fn intervals_cover_the_value_of_the_population() {
    let population = generated(200 * 400, 1 << 20);
    let expected = value(&run(&table_of(&population), 0), "all", "roc_auc").unwrap();
    let covered = population
        .chunks(400)
        .filter(|sample| {
            let evaluation = run(&table_of(sample), 300);
            let cell = &evaluation.cells[0];
            let Interval { low, high } = cell.figure("roc_auc").unwrap().ends().unwrap();
            (low..=high).contains(&expected)
        })
        .count();
    assert!((180..200).contains(&covered), "{covered} of 200");
}
