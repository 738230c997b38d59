//! When a run has learned what it will learn.

use serde::{Deserialize, Serialize};

/// The validation metric of an epoch, higher is better: the mean of the types' PR-AUC, of those
/// that are defined (a validation set may lack a type). `None` where neither is.
pub fn validation_metric(pr_auc_snp: Option<f64>, pr_auc_indel: Option<f64>) -> Option<f64> {
    let (sum, n) = [pr_auc_snp, pr_auc_indel]
        .into_iter()
        .flatten()
        .filter(|value| value.is_finite())
        .fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// The verdict on an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: its weights are to be kept.
    Improved,
    /// Not better, but the patience is not at its end.
    Waiting,
    /// Not better for as many epochs as the patience allows: the run ends.
    Stop,
}

/// The best epoch so far and how long ago it was; part of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Best metric so far.
    pub best: Option<f64>,
    /// Its epoch, from 1.
    pub best_epoch: Option<u64>,
    /// Epochs since then.
    pub epochs_since_best: u64,
}

impl EarlyStopping {
    /// Takes the metric of an epoch (from 1). A metric that is undefined or NaN is no
    /// improvement, nor is one that equals the best. The first epoch is the best so far whatever
    /// its metric, so that there always are weights to keep. A patience of 0 never stops.
    pub fn end_epoch(&mut self, epoch: u64, metric: Option<f64>, patience: u64) -> Verdict {
        let metric = metric.filter(|value| value.is_finite());
        let better = match (metric, self.best) {
            (Some(metric), Some(best)) => metric > best,
            (Some(_), None) => true,
            (None, _) => self.best_epoch.is_none(),
        };
        if better {
            self.best = metric;
            self.best_epoch = Some(epoch);
            self.epochs_since_best = 0;
            return Verdict::Improved;
        }
        self.epochs_since_best += 1;
        if self.is_exhausted(patience) {
            Verdict::Stop
        } else {
            Verdict::Waiting
        }
    }

    /// True where the patience is at its end, as for a checkpoint of a run that had stopped.
    pub fn is_exhausted(&self, patience: u64) -> bool {
        patience > 0 && self.epochs_since_best >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Improved, Stop, Waiting};

    #[test]
    fn it_stops_after_the_patience() {
        let mut stopping = EarlyStopping::default();
        let metrics = [0.5, 0.6, 0.6, 0.55, 0.61, 0.1, 0.2, 0.3];
        let verdicts: Vec<Verdict> = (1..)
            .zip(metrics)
            .map(|(epoch, metric)| stopping.end_epoch(epoch, Some(metric), 3))
            .collect();
        assert_eq!(
            verdicts,
            [
                Improved, Improved, Waiting, Waiting, Improved, Waiting, Waiting, Stop
            ]
        );
        assert_eq!((stopping.best, stopping.best_epoch), (Some(0.61), Some(5)));
        assert!(stopping.is_exhausted(3) && !stopping.is_exhausted(4) && !stopping.is_exhausted(0));
    }

    #[test]
    fn undefined_metrics_are_no_improvement_but_the_first_epoch_is_kept() {
        let mut stopping = EarlyStopping::default();
        assert_eq!(stopping.end_epoch(1, None, 5), Improved);
        assert_eq!(stopping.end_epoch(2, Some(f64::NAN), 5), Waiting);
        assert_eq!(stopping.end_epoch(3, Some(0.1), 5), Improved);
        assert_eq!(stopping.end_epoch(4, None, 5), Waiting);
        assert_eq!(stopping.best_epoch, Some(3));
    }

    #[test]
    fn patience_zero_never_stops() {
        let mut stopping = EarlyStopping::default();
        stopping.end_epoch(1, Some(0.9), 0);
        assert!((2..500).all(|epoch| stopping.end_epoch(epoch, Some(0.1), 0) == Waiting));
    }

    #[test]
    fn the_metric_is_the_mean_of_what_is_defined() {
        assert_eq!(validation_metric(Some(0.9), Some(0.5)), Some(0.7));
        assert_eq!(validation_metric(None, Some(0.5)), Some(0.5));
        assert_eq!(validation_metric(Some(0.5), Some(f64::NAN)), Some(0.5));
        assert_eq!(validation_metric(None, None), None);
    }
}
