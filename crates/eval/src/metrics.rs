//! The threshold-free figures, accumulated while walking down a ranking.

use serde::Serialize;

/// Precisions at which recall is given.
pub(crate) const PRECISIONS: [f64; 5] = [0.70, 0.80, 0.90, 0.95, 0.99];

/// Number of figures in a [`Metric`] array.
pub(crate) const N_METRICS: usize = 9;

/// A figure of a ranking that has a bootstrap interval.
///
/// With TP and FP the true and false calls at or above a threshold, P and N all of them, R = TP/P, and the
/// sums over distinct thresholds in descending order (ties are one threshold):
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Average precision Σ (Rₙ − Rₙ₋₁) · TPₙ/(TPₙ+FPₙ), at the prevalence P/(P+N) of the data: the
    /// step-wise sum of scikit-learn's `average_precision_score`.
    PrAuc,
    /// The same with every true call weighted 1/P and every false call 1/N, so that both classes weigh the
    /// same: Σ (Rₙ − Rₙ₋₁) · (TPₙ/P) / (TPₙ/P + FPₙ/N).
    PrAucBalanced,
    /// Probability that a true call scores higher than a false one, ties half:
    /// Σ (FPₙ − FPₙ₋₁) · (TPₙ₋₁ + TPₙ)/2 / (P·N).
    RocAuc,
    /// Largest 2TP/(TP+FP+P) over all thresholds, at the data's prevalence.
    BestF1,
    /// Largest R among the thresholds with TP/(TP+FP) ≥ .70.
    RecallAtPrecision70,
    /// As before, .80.
    RecallAtPrecision80,
    /// As before, .90.
    RecallAtPrecision90,
    /// As before, .95.
    RecallAtPrecision95,
    /// As before, .99.
    RecallAtPrecision99,
}

impl Metric {
    /// All of them, in the order of every array and output.
    pub const ALL: [Metric; N_METRICS] = [
        Metric::PrAuc,
        Metric::PrAucBalanced,
        Metric::RocAuc,
        Metric::BestF1,
        Metric::RecallAtPrecision70,
        Metric::RecallAtPrecision80,
        Metric::RecallAtPrecision90,
        Metric::RecallAtPrecision95,
        Metric::RecallAtPrecision99,
    ];
    /// Index of the first recall at a precision; that of `PRECISIONS[i]` is `FIRST_RECALL + i`.
    pub const FIRST_RECALL: usize = 4;

    /// Name in the outputs.
    pub fn name(self) -> &'static str {
        match self {
            Metric::PrAuc => "pr_auc",
            Metric::PrAucBalanced => "pr_auc_balanced",
            Metric::RocAuc => "roc_auc",
            Metric::BestF1 => "best_f1",
            Metric::RecallAtPrecision70 => "recall_at_precision_70",
            Metric::RecallAtPrecision80 => "recall_at_precision_80",
            Metric::RecallAtPrecision90 => "recall_at_precision_90",
            Metric::RecallAtPrecision95 => "recall_at_precision_95",
            Metric::RecallAtPrecision99 => "recall_at_precision_99",
        }
    }

    /// The precision of a recall at a precision.
    pub fn precision(self) -> Option<f64> {
        (self as usize)
            .checked_sub(Self::FIRST_RECALL)
            .map(|i| PRECISIONS[i])
    }
}

/// The improvement by one step down the ranking.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Improved {
    /// A new best F1.
    pub(crate) f1: bool,
    /// Bit i: a new largest recall at `PRECISIONS[i]`.
    pub(crate) recalls: u8,
}

/// Running sums of all metrics. Both class totals must be positive.
#[derive(Debug, Clone)]
pub(crate) struct Accumulator {
    total_true: f64,
    total_false: f64,
    tp: f64,
    fp: f64,
    ap: f64,
    ap_balanced: f64,
    auc: f64,
    f1: f64,
    tp_at_precision: [f64; PRECISIONS.len()],
}

impl Accumulator {
    pub(crate) fn new(total_true: f64, total_false: f64) -> Self {
        Self {
            total_true,
            total_false,
            tp: 0.0,
            fp: 0.0,
            ap: 0.0,
            ap_balanced: 0.0,
            auc: 0.0,
            f1: 0.0,
            tp_at_precision: [0.0; PRECISIONS.len()],
        }
    }

    /// Goes past `d_true` true and `d_false` false calls that are tied: one threshold.
    #[inline]
    pub(crate) fn step(&mut self, d_true: f64, d_false: f64) -> Improved {
        self.auc += d_false * (self.tp + 0.5 * d_true);
        self.tp += d_true;
        self.fp += d_false;
        // Without a new true call recall stands still and precision falls: nothing can improve.
        if d_true <= 0.0 {
            return Improved::default();
        }
        let precision = self.tp / (self.tp + self.fp);
        self.ap += d_true * precision;
        self.ap_balanced += d_true * self.balanced_precision(self.tp, self.fp);
        self.end_of_step(precision)
    }

    /// Goes past `d_true` and `d_false` calls of many thresholds, taken as evenly mixed: TP and FP rise
    /// along a straight line, over which the sums are integrals in closed form.
    #[inline]
    pub(crate) fn ramp(&mut self, d_true: f64, d_false: f64) {
        let (tp, fp) = (self.tp, self.fp);
        self.auc += d_false * (tp + 0.5 * d_true);
        self.tp += d_true;
        self.fp += d_false;
        if d_true <= 0.0 {
            return;
        }
        self.ap += d_true * mean_ratio(tp, d_true, tp + fp, d_true + d_false);
        let (p, n) = (self.total_true, self.total_false);
        self.ap_balanced += d_true
            * mean_ratio(
                tp / p,
                d_true / p,
                tp / p + fp / n,
                d_true / p + d_false / n,
            );
        let precision = self.tp / (self.tp + self.fp);
        self.end_of_step(precision);
        // Precision may fall below a target inside the bin: recall is then read where it does.
        for (q, best) in PRECISIONS.into_iter().zip(&mut self.tp_at_precision) {
            if precision < q && tp > 0.0 && tp >= q * (tp + fp) {
                let crossing = (tp - q * (tp + fp)) / (q * (d_true + d_false) - d_true);
                *best = best.max(tp + crossing.clamp(0.0, 1.0) * d_true);
            }
        }
    }

    #[inline]
    fn end_of_step(&mut self, precision: f64) -> Improved {
        let mut improved = Improved::default();
        let f1 = 2.0 * self.tp / (self.tp + self.fp + self.total_true);
        if f1 > self.f1 {
            self.f1 = f1;
            improved.f1 = true;
        }
        for (i, q) in PRECISIONS.into_iter().enumerate() {
            if precision >= q {
                self.tp_at_precision[i] = self.tp;
                improved.recalls |= 1 << i;
            }
        }
        improved
    }

    #[inline]
    fn balanced_precision(&self, tp: f64, fp: f64) -> f64 {
        // (TP/P) / (TP/P + FP/N), multiplied by P·N to save two divisions.
        let weighted = tp * self.total_false;
        weighted / (weighted + fp * self.total_true)
    }

    /// The figures in the order of [`Metric::ALL`]; a recall whose precision was never reached is 0.
    pub(crate) fn finish(&self) -> [f64; N_METRICS] {
        let mut values = [0.0; N_METRICS];
        values[Metric::PrAuc as usize] = self.ap / self.total_true;
        values[Metric::PrAucBalanced as usize] = self.ap_balanced / self.total_true;
        values[Metric::RocAuc as usize] = self.auc / (self.total_true * self.total_false);
        values[Metric::BestF1 as usize] = self.f1;
        for (value, tp) in values[Metric::FIRST_RECALL..]
            .iter_mut()
            .zip(self.tp_at_precision)
        {
            *value = tp / self.total_true;
        }
        values
    }
}

/// Mean over t in [0, 1] of (a + b·t)/(c + d·t), for c ≥ 0, d > 0 and a = 0 where c = 0.
fn mean_ratio(a: f64, b: f64, c: f64, d: f64) -> f64 {
    if c <= 0.0 {
        return b / d;
    }
    let x = d / c;
    // For small d/c the logarithm cancels; the midpoint is then exact to (d/c)²/12.
    if x < 1e-4 {
        (a + 0.5 * b) / (c + 0.5 * d)
    } else {
        b / d + (a - b * c / d) / d * x.ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_order_matches_the_arrays() {
        for (i, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, i);
        }
        assert_eq!(Metric::PrAuc.precision(), None);
        assert_eq!(Metric::RecallAtPrecision70.precision(), Some(0.70));
        assert_eq!(Metric::RecallAtPrecision99.precision(), Some(0.99));
    }

    #[test]
    fn mean_ratio_agrees_with_a_fine_sum() {
        for (a, b, c, d) in [
            (3.0, 2.0, 5.0, 4.0),
            (0.0, 2.0, 0.0, 8.0),
            (1e6, 10.0, 1.1e6, 20.0),
            (0.0, 1.0, 7.0, 1.0),
        ] {
            let steps = 200_000;
            let sum: f64 = (0..steps)
                .map(|i| {
                    let t = (f64::from(i) + 0.5) / f64::from(steps);
                    (a + b * t) / (c + d * t)
                })
                .sum();
            let expected = sum / f64::from(steps);
            let found = mean_ratio(a, b, c, d);
            assert!(
                (found - expected).abs() < 1e-7,
                "{a} {b} {c} {d}: {found} {expected}"
            );
        }
    }

    /// A ramp is the limit of many small steps.
    #[test]
    fn a_ramp_equals_many_small_steps() {
        let mut ramp = Accumulator::new(100.0, 60.0);
        let mut steps = ramp.clone();
        let pieces = 100_000;
        for (d_true, d_false) in [(50.0, 1.0), (30.0, 19.0), (20.0, 40.0)] {
            ramp.ramp(d_true, d_false);
            for _ in 0..pieces {
                steps.step(d_true / f64::from(pieces), d_false / f64::from(pieces));
            }
        }
        for (i, (a, b)) in ramp.finish().into_iter().zip(steps.finish()).enumerate() {
            assert!((a - b).abs() < 1e-4, "{:?}: {a} {b}", Metric::ALL[i]);
        }
    }
}
