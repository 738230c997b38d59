//! Precision-recall and ROC curves of one score in one stratum, and the figures read from them.

use serde::Serialize;

use super::metrics::{Accumulator, N_METRICS, PRECISIONS};
use super::ranking::{Ranking, TieGroup};
use super::strata::{Membership, Totals};
use super::undefined::Undefined;

/// Exact figures of one score in one stratum, from all records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PointFigures {
    /// In the order of [`super::metrics::Metric::ALL`]; 0 for a recall whose precision is never reached.
    pub values: [f64; N_METRICS],
    /// Threshold of the best F1: calls with this score or a higher one are kept.
    pub best_f1_threshold: Threshold,
    /// Thresholds of the recalls; `None` where the precision is never reached.
    pub recall_thresholds: [Option<Threshold>; PRECISIONS.len()],
    /// Number of distinct thresholds.
    pub n_groups: usize,
    /// Length of the thinned curves, see [`thin_curves`].
    path_length: [f64; 2],
}

/// A threshold on a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Keep calls with this score or a higher one.
    AtLeast(f32),
    /// Keep all calls, those without the score too.
    KeepAll,
}

impl Threshold {
    fn of(group: &TieGroup) -> Self {
        if group.score.is_nan() {
            Self::KeepAll
        } else {
            Self::AtLeast(group.score)
        }
    }

    /// The score, or `None` to keep all calls.
    pub fn value(self) -> Option<f32> {
        match self {
            Self::AtLeast(score) => Some(score),
            Self::KeepAll => None,
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// Says why a stratum with these counts has no ranking figures, if it has none.
///
/// # Errors
/// The reason: no records, or one class only.
pub(crate) fn check_classes(totals: Totals) -> Result<(), Undefined> {
    match (totals.n_true, totals.n_false) {
        (0, 0) => Err(Undefined::Empty),
        (0, n_false) => Err(Undefined::NoTrue { n_false }),
        (n_true, 0) => Err(Undefined::NoFalse { n_true }),
        _ => Ok(()),
    }
}

/// Exact figures by one walk down the ranking.
///
/// # Errors
/// Undefined for no records, one class only, a score that is missing everywhere, one score for all.
pub(crate) fn figures(
    ranking: &Ranking,
    test: Membership,
    totals: Totals,
) -> Result<PointFigures, Undefined> {
    check_classes(totals)?;
    let (p, n) = (totals.n_true as f64, totals.n_false as f64);
    let mut sums = Accumulator::new(p, n);
    let mut best_f1_threshold = Threshold::KeepAll;
    let mut recall_thresholds = [None; PRECISIONS.len()];
    let mut n_groups = 0;
    let mut only_score = f32::NAN;
    let mut walk = PathLength::new(p, n);
    ranking.for_each_group(test, |group| {
        n_groups += 1;
        only_score = group.score;
        let improved = sums.step(group.n_true as f64, group.n_false as f64);
        if improved.f1 {
            best_f1_threshold = Threshold::of(&group);
        }
        for (i, threshold) in recall_thresholds.iter_mut().enumerate() {
            if improved.recalls >> i & 1 == 1 {
                *threshold = Some(Threshold::of(&group));
            }
        }
        walk.step(&group);
    });
    if n_groups <= 1 {
        let n = totals.n_true + totals.n_false;
        return Err(if only_score.is_nan() {
            Undefined::AllMissing { n }
        } else {
            Undefined::AllTied { n }
        });
    }
    Ok(PointFigures {
        values: sums.finish(),
        best_f1_threshold,
        recall_thresholds,
        n_groups,
        path_length: [walk.pr, walk.roc],
    })
}

/// A point of a curve: x, y (to six decimals) and the threshold that gives it (`None`: keep all calls).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint(pub f64, pub f64, pub Threshold);

/// Six decimals: a drawing shows no more, and the page is smaller by half.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Both curves of one score in one stratum, thinned for drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// Recall (ascending) and the precision of the first threshold that reaches it. Drawn as steps that
    /// reach back to the recall before, the area below is the average precision.
    pub pr: Vec<CurvePoint>,
    /// False positive rate (ascending, from 0) and the highest true positive rate at it. Drawn as steps
    /// that reach forward to the next.
    pub roc: Vec<CurvePoint>,
}

/// Length of both curves in the unit square, |dx| + |dy| summed over all steps.
#[derive(Debug)]
struct PathLength {
    p: f64,
    n: f64,
    tp: f64,
    fp: f64,
    precision: f64,
    pr: f64,
    roc: f64,
}

impl PathLength {
    fn new(p: f64, n: f64) -> Self {
        Self {
            p,
            n,
            tp: 0.0,
            fp: 0.0,
            precision: 1.0,
            pr: 0.0,
            roc: 0.0,
        }
    }

    #[inline]
    fn step(&mut self, group: &TieGroup) {
        let (d_true, d_false) = (group.n_true as f64, group.n_false as f64);
        self.tp += d_true;
        self.fp += d_false;
        self.roc += d_true / self.p + d_false / self.n;
        if group.n_true > 0 {
            let precision = self.tp / (self.tp + self.fp);
            self.pr += d_true / self.p + (precision - self.precision).abs();
            self.precision = precision;
        }
    }
}

/// Both curves with about `max_points` points each, evenly spaced along the length of the curve, always
/// with the first and the last point; all points when there are no more than that.
pub(crate) fn thin_curves(
    ranking: &Ranking,
    test: Membership,
    totals: Totals,
    point: &PointFigures,
    max_points: usize,
) -> Curves {
    let spacing = |length: f64| {
        if point.n_groups <= max_points {
            0.0
        } else {
            length / max_points.max(2) as f64
        }
    };
    let (pr_spacing, roc_spacing) = (spacing(point.path_length[0]), spacing(point.path_length[1]));
    let (p, n) = (totals.n_true as f64, totals.n_false as f64);
    let mut walk = PathLength::new(p, n);
    let mut curves = Curves {
        pr: Vec::new(),
        roc: Vec::new(),
    };
    let (mut next_pr, mut next_roc) = (0.0, 0.0);
    // A ROC point is held back until the false positive rate moves on from it.
    let mut held: Option<CurvePoint> = None;
    let mut last_pr: Option<CurvePoint> = None;
    ranking.for_each_group(test, |group| {
        if group.n_false > 0
            && let Some(point) = held.take()
            && walk.roc >= next_roc
        {
            curves.roc.push(point);
            next_roc = walk.roc + roc_spacing;
        }
        walk.step(&group);
        let threshold = Threshold::of(&group);
        held = Some(CurvePoint(
            rounded(walk.fp / n),
            rounded(walk.tp / p),
            threshold,
        ));
        if group.n_true > 0 {
            let point = CurvePoint(rounded(walk.tp / p), rounded(walk.precision), threshold);
            if walk.pr >= next_pr {
                curves.pr.push(point);
                next_pr = walk.pr + pr_spacing;
                last_pr = None;
            } else {
                last_pr = Some(point);
            }
        }
    });
    curves.pr.extend(last_pr);
    curves.roc.extend(held);
    curves
}
