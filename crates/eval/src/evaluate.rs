//! The whole evaluation: every score, kind and stratum over the same records.

use rayon::prelude::*;

use super::binned::{Binned, ResampledFigures};
use super::bootstrap::{Blocks, Interval, ResampleWeights, p_value, percentile_interval};
use super::calibration::{ReliabilityCurve, calibration};
use super::classes::Kind;
use super::curves::{Curves, PointFigures, figures, thin_curves};
use super::histogram::histogram;
use super::metrics::{Metric, PRECISIONS};
use super::ranking::Ranking;
use super::result::{Cell, Difference, Estimate, Evaluation, ScoreHistogram};
use super::strata::{Stratum, Totals, count};
use super::table::JudgedTable;
use super::undefined::{Figure, Undefined, ratio};

/// Settings of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalConfig {
    /// How labels were made (`allele`, `genotype`); named wherever a figure stands.
    pub match_rule: String,
    /// Score that the others are compared with; `None` for no comparison.
    pub baseline: Option<String>,
    /// Scores that claim to be probabilities.
    pub probabilities: Vec<String>,
    /// BEDs (bits) whose union is "difficult".
    pub difficult: u32,
    /// Bootstrap resamples; 0 for no intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Points of a curve over all records of a kind, about.
    pub curve_points: usize,
    /// Points of a curve within a BED or the difficult regions, about.
    pub stratum_curve_points: usize,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self {
            match_rule: "allele".to_owned(),
            baseline: None,
            probabilities: Vec::new(),
            difficult: u32::MAX,
            resamples: 1_000,
            seed: 42,
            curve_points: 600,
            stratum_curve_points: 120,
        }
    }
}

/// A configuration that does not fit the table.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// A score is named that the table does not have.
    #[error("no score `{found}`; the scores are {known:?}")]
    UnknownScore {
        /// Name asked for.
        found: String,
        /// Names of the table.
        known: Vec<String>,
    },
}

/// The figures of one score in one stratum, before it is compared with others.
struct ScoreInStratum {
    point: Result<PointFigures, Undefined>,
    resampled: Result<ResampledFigures, Undefined>,
    curves: Option<Curves>,
    calibration: Option<Result<ReliabilityCurve, Undefined>>,
    n_missing: u64,
}

/// Evaluates every score of `table`. The result depends on the table and the configuration alone, not on
/// the number of threads.
///
/// # Errors
/// [`EvalError::UnknownScore`] for a baseline or probability that is not a score of the table.
pub fn evaluate(table: &JudgedTable, config: &EvalConfig) -> Result<Evaluation, EvalError> {
    let run = Run::new(table, config)?;
    let mut cells = Vec::new();
    let mut histograms = Vec::new();
    let mut n_judged = 0;
    for kind in Kind::ALL {
        let strata = Stratum::enumerate(table, kind, config.difficult);
        let totals = count(table, kind, &strata);
        n_judged += (totals[0].n_true + totals[0].n_false) as usize;
        let by_score: Vec<Vec<ScoreInStratum>> = (0..table.score_names().len())
            .map(|score| {
                let (histogram, results) = run.score(kind, score, &strata, &totals);
                histograms.push(histogram);
                results
            })
            .collect();
        for (s, (&stratum, &totals)) in strata.iter().zip(&totals).enumerate() {
            for (score, results) in by_score.iter().enumerate() {
                let baseline = run.baseline.filter(|&b| b != score);
                let baseline = baseline.map(|b| &by_score[b][s]);
                let place = (kind, stratum, score);
                cells.push(cell(table, place, totals, &results[s], baseline));
            }
        }
    }
    Ok(Evaluation {
        match_rule: config.match_rule.clone(),
        baseline: config.baseline.clone(),
        scores: table.score_names().to_vec(),
        n_records: table.len(),
        n_judged,
        resamples: config.resamples,
        blocks: run.blocks.len(),
        seed: config.seed,
        cells,
        histograms,
    })
}

/// The parts of an evaluation that all kinds and scores share.
struct Run<'a> {
    table: &'a JudgedTable,
    config: &'a EvalConfig,
    /// Index of the score that the others are compared with.
    baseline: Option<usize>,
    /// Indices of the scores that are probabilities.
    probabilities: Vec<usize>,
    blocks: Blocks,
    weights: ResampleWeights,
}

impl<'a> Run<'a> {
    fn new(table: &'a JudgedTable, config: &'a EvalConfig) -> Result<Self, EvalError> {
        let index_of = |name: &String| {
            table
                .score_names()
                .iter()
                .position(|s| s == name)
                .ok_or_else(|| EvalError::UnknownScore {
                    found: name.clone(),
                    known: table.score_names().to_vec(),
                })
        };
        let baseline = config.baseline.as_ref().map(index_of).transpose()?;
        let probabilities = config
            .probabilities
            .iter()
            .map(index_of)
            .collect::<Result<_, _>>()?;
        let blocks = Blocks::new(table);
        let weights = ResampleWeights::draw(blocks.len(), config.resamples, config.seed);
        Ok(Self {
            table,
            config,
            baseline,
            probabilities,
            blocks,
            weights,
        })
    }

    /// The histogram of one score of one kind, and its figures in every stratum.
    fn score(
        &self,
        kind: Kind,
        score: usize,
        strata: &[Stratum],
        totals: &[Totals],
    ) -> (ScoreHistogram, Vec<ScoreInStratum>) {
        let ranking = Ranking::new(self.table, kind, score, self.blocks.by_record());
        let histogram = ScoreHistogram {
            kind,
            score: self.table.score_names()[score].clone(),
            histogram: histogram(&ranking),
        };
        let is_probability = self.probabilities.contains(&score);
        let results = strata
            .par_iter()
            .zip(totals)
            .map(|(&stratum, &totals)| ScoreInStratum {
                calibration: is_probability.then(|| calibration(self.table, kind, stratum, score)),
                ..score_in_stratum(&ranking, stratum, totals, &self.weights, self.config)
            })
            .collect();
        (histogram, results)
    }
}

/// One score in one stratum of one kind, beside the baseline.
fn cell(
    table: &JudgedTable,
    (kind, stratum, score): (Kind, Stratum, usize),
    totals: Totals,
    result: &ScoreInStratum,
    baseline: Option<&ScoreInStratum>,
) -> Cell {
    let n_judged = totals.n_true + totals.n_false;
    Cell {
        kind,
        stratum: stratum.name(table),
        score: table.score_names()[score].clone(),
        n_true: totals.n_true,
        n_false: totals.n_false,
        n_missed: totals.missed,
        prevalence: ratio(totals.n_true as f64, n_judged as f64, "judged records"),
        figures: estimates(result, totals),
        differences: baseline.map_or_else(Vec::new, |baseline| differences(result, baseline)),
        curves: result.curves.clone(),
        calibration: match &result.calibration {
            Some(Ok(calibration)) if has_curves(stratum) => Some(calibration.clone()),
            _ => None,
        },
    }
}

/// Strata that are drawn: their curves are part of the result.
fn has_curves(stratum: Stratum) -> bool {
    matches!(
        stratum,
        Stratum::All | Stratum::Difficult(_) | Stratum::NotDifficult(_) | Stratum::Bed(_)
    )
}

fn score_in_stratum(
    ranking: &Ranking,
    stratum: Stratum,
    totals: Totals,
    weights: &ResampleWeights,
    config: &EvalConfig,
) -> ScoreInStratum {
    let test = stratum.membership();
    let point = figures(ranking, test, totals);
    let resampled = match &point {
        Err(why) => Err(why.clone()),
        Ok(_) if weights.is_empty() => Err(Undefined::NoResamples),
        Ok(point) => {
            Binned::new(ranking, test, totals, point, weights.n_blocks()).resample(point, weights)
        }
    };
    let curves = match &point {
        Ok(point) if has_curves(stratum) => {
            let n_points = if stratum == Stratum::All {
                config.curve_points
            } else {
                config.stratum_curve_points
            };
            Some(thin_curves(ranking, test, totals, point, n_points))
        }
        _ => None,
    };
    ScoreInStratum {
        point,
        resampled,
        curves,
        calibration: None,
        n_missing: ranking.n_missing_in(test),
    }
}

/// The value of `metric`; a recall at a precision that is never reached is undefined.
fn point_value(point: &Result<PointFigures, Undefined>, metric: Metric) -> Figure {
    let point = point.as_ref().map_err(Clone::clone)?;
    if let Some(precision) = metric.precision()
        && point.recall_thresholds[metric as usize - Metric::FIRST_RECALL].is_none()
    {
        return Err(Undefined::PrecisionNotReached { precision });
    }
    Ok(point.values[metric as usize])
}

/// Interval of one metric of resampled figures.
fn interval(
    resampled: &Result<ResampledFigures, Undefined>,
    metric: Metric,
) -> Result<Interval, Undefined> {
    let resampled = resampled.as_ref().map_err(Clone::clone)?;
    percentile_interval(resampled.iter().map(|r| r.map(|v| v[metric as usize])))
}

/// All figures of a cell, in the order of every output.
fn estimates(result: &ScoreInStratum, totals: Totals) -> Vec<Estimate> {
    let mut out: Vec<Estimate> = Metric::ALL
        .into_iter()
        .map(|metric| {
            let value = point_value(&result.point, metric);
            let interval = match &value {
                Ok(_) => interval(&result.resampled, metric),
                Err(why) => Err(why.clone()),
            };
            Estimate {
                figure: metric.name().to_owned(),
                value,
                interval: Some(interval),
            }
        })
        .collect();
    let recalls = Metric::FIRST_RECALL..Metric::FIRST_RECALL + PRECISIONS.len();
    let with_missed = recalls_with_missed(&out[recalls], totals);
    out.extend(with_missed);
    out.extend(thresholds(result));
    out.push(Estimate::plain(
        "n_missing_score",
        Ok(result.n_missing as f64),
    ));
    if let Some(calibration) = &result.calibration {
        let pick =
            |f: fn(&ReliabilityCurve) -> f64| calibration.as_ref().map(f).map_err(Clone::clone);
        out.push(Estimate::plain(
            "expected_calibration_error",
            pick(|c| c.expected_calibration_error),
        ));
        out.push(Estimate::plain("brier", pick(|c| c.brier)));
    }
    out
}

/// The recalls among all truth variants, those that were never called too, and the recall ceiling.
/// Missed truth is not resampled: a recall and both ends of its interval shrink by one factor.
fn recalls_with_missed(recalls: &[Estimate], totals: Totals) -> Vec<Estimate> {
    let ceiling = match totals.missed {
        None => Err(Undefined::MissedUnknown),
        Some(missed) => ratio(
            totals.n_true as f64,
            (totals.n_true + missed) as f64,
            "truth variants",
        ),
    };
    let mut out = Vec::new();
    for recall in recalls {
        let figure = format!("{}_with_missed", recall.figure);
        let (value, interval) = match (&recall.value, &ceiling) {
            (Ok(value), Ok(c)) => (
                Ok(value * c),
                recall.interval.clone().map(|ends| {
                    ends.map(|e| Interval {
                        low: e.low * c,
                        high: e.high * c,
                    })
                }),
            ),
            (Err(why), _) | (_, Err(why)) => (Err(why.clone()), None),
        };
        out.push(Estimate {
            figure,
            value,
            interval,
        });
    }
    out.push(Estimate::plain("recall_ceiling", ceiling));
    out
}

/// The thresholds of best F1 and of every precision.
fn thresholds(result: &ScoreInStratum) -> Vec<Estimate> {
    let threshold = |value: Option<f32>| match value {
        Some(score) => Ok(shortest(score)),
        None => Err(Undefined::KeepAll {
            n_missing: result.n_missing,
        }),
    };
    let point = result.point.as_ref().map_err(Clone::clone);
    let best_f1 = point
        .clone()
        .and_then(|p| threshold(p.best_f1_threshold.value()));
    let mut out = vec![Estimate::plain("best_f1_threshold", best_f1)];
    for (i, precision) in PRECISIONS.into_iter().enumerate() {
        let value = point.clone().and_then(|p| {
            p.recall_thresholds[i].map_or(Err(Undefined::PrecisionNotReached { precision }), |t| {
                threshold(t.value())
            })
        });
        out.push(Estimate::plain(
            format!("threshold_at_precision_{:.0}", precision * 100.0),
            value,
        ));
    }
    out
}

fn differences(result: &ScoreInStratum, baseline: &ScoreInStratum) -> Vec<Difference> {
    Metric::ALL
        .into_iter()
        .map(|metric| {
            let value = match (
                point_value(&result.point, metric),
                point_value(&baseline.point, metric),
            ) {
                (Ok(a), Ok(b)) => Ok(a - b),
                (Err(why), _) | (_, Err(why)) => Err(why),
            };
            let resampled = match (&value, &result.resampled, &baseline.resampled) {
                (Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)) => Err(why.clone()),
                (Ok(_), Ok(a), Ok(b)) => Ok(a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| Some((*a)?[metric as usize] - (*b)?[metric as usize]))
                    .collect::<Vec<Option<f64>>>()),
            };
            let (interval, p) = match resampled {
                Err(why) => (Err(why.clone()), Err(why)),
                Ok(values) => (
                    percentile_interval(values.iter().copied()),
                    p_value(values.into_iter()),
                ),
            };
            Difference {
                metric,
                estimate: Estimate {
                    figure: format!("{}_difference", metric.name()),
                    value,
                    interval: Some(interval),
                },
                p_value: p,
            }
        })
        .collect()
}

/// The `f64` with the same shortest decimal as `score`, so that 265.77 is not printed as
/// 265.7699890136719.
fn shortest(score: f32) -> f64 {
    score.to_string().parse().unwrap_or(f64::from(score))
}
