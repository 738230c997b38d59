//! Quality of probabilities, as a calibration reports it.

use serde::{Deserialize, Serialize};

use super::logistic::{sigmoid, softplus};

/// Bins of the expected calibration error, as many as in the reports of `cnnfilter-eval`. Its sum there
/// is rounded otherwise: the last digits differ, and cards and reports keep theirs.
const BINS: usize = 10;

/// Quality of probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reliability {
    /// Mean of -ln p(label), in nats.
    pub log_loss: f64,
    /// Mean of (p - label)².
    pub brier: f64,
    /// Σ (n_b/n)·|observed_b - mean p_b| over ten bins of equal width (Naeini, Cooper &
    /// Hauskrecht 2015).
    pub expected_calibration_error: f64,
}

/// Quality of the probabilities `sigmoid(logit)` for these labels; all 0 without examples.
pub fn reliability(logits: impl Iterator<Item = f64>, labels: &[bool]) -> Reliability {
    let mut bins = [(0_u64, 0.0, 0.0); BINS];
    let (mut n, mut loss, mut squares) = (0_u64, 0.0, 0.0);
    for (logit, &label) in logits.zip(labels) {
        let probability = sigmoid(logit);
        let target = f64::from(u8::from(label));
        n += 1;
        loss += softplus(if label { -logit } else { logit });
        squares += (probability - target).powi(2);
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += probability;
        bin.2 += target;
    }
    let n = n.max(1) as f64;
    Reliability {
        log_loss: loss / n,
        brier: squares / n,
        expected_calibration_error: bins
            .iter()
            .map(|(_, probabilities, targets): &(u64, f64, f64)| (targets - probabilities).abs())
            .sum::<f64>()
            / n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities 0.5, 0.5, 0.75 (logit ln 3), labels 1, 0, 1: log loss (2·ln 2 + ln(4/3))/3,
    /// Brier (0.25 + 0.25 + 0.0625)/3, bins at 0.5 and 0.75: (2/3)·0 + (1/3)·0.25.
    #[test]
    fn figures_are_those_of_their_definitions() {
        let found = reliability([0.0, 0.0, 3_f64.ln()].into_iter(), &[true, false, true]);
        let log_loss = (2.0 * 2_f64.ln() + (4.0_f64 / 3.0).ln()) / 3.0;
        assert!((found.log_loss - log_loss).abs() < 1e-12);
        assert!((found.brier - 0.1875).abs() < 1e-12);
        assert!((found.expected_calibration_error - 0.25 / 3.0).abs() < 1e-12);
        let certain = reliability([1e6, -1e6].into_iter(), &[true, true]);
        assert_eq!(certain.log_loss, 5e5);
    }
}
