//! From log odds to probability.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Platt scaling by kind of record: `probability = sigmoid(slope * log odds + intercept)`, natural
/// logarithm. A temperature T is a slope of 1/T. A kind that is not listed keeps its log odds.
///
/// Platt, "Probabilistic outputs for support vector machines", 1999.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// By kind (`SNP`, `INDEL`): slope and intercept.
    pub kinds: BTreeMap<String, [f64; 2]>,
}

impl From<&crate::score::calibration::Calibration> for Calibration {
    fn from(fitted: &crate::score::calibration::Calibration) -> Self {
        let kinds = fitted.kinds.iter();
        Self {
            kinds: kinds
                .map(|(kind, fit)| (kind.clone(), [fit.slope, fit.intercept]))
                .collect(),
        }
    }
}

impl Calibration {
    /// The probability that belongs to log odds of a record or ALT of `kind`, 0 to 1.
    pub fn probability(&self, kind: &str, log_odds: f64) -> f64 {
        let [slope, intercept] = self.kinds.get(kind).copied().unwrap_or([1.0, 0.0]);
        1.0 / (1.0 + (-(slope * log_odds + intercept)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_become_probabilities() {
        let calibration = Calibration {
            kinds: BTreeMap::from([("SNP".to_owned(), [0.5, 1.0])]),
        };
        // 1 / (1 + exp(-(0.5 * 2 + 1))) and 1 / (1 + exp(-2)).
        assert!((calibration.probability("SNP", 2.0) - 0.880_797_077_977_882_3).abs() < 1e-12);
        assert!((calibration.probability("INDEL", 2.0) - 0.880_797_077_977_882_3).abs() < 1e-12);
        assert_eq!(Calibration::default().probability("SNP", 0.0), 0.5);
        assert_eq!(Calibration::default().probability("SNP", -2000.0), 0.0);
    }
}
