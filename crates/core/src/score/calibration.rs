//! From scores to probabilities: Platt scaling, a type at a time.
//!
//! `p = sigmoid(slope·score + intercept)`, fitted by maximum likelihood to the scores of validation
//! examples at their natural prevalence (no balancing, no weights, no augmentation). The score is a
//! log-odds already, so a slope of 1 and an intercept of 0 say that the network was calibrated, the
//! intercept else carrying the prevalence that balanced batches took away.

use serde::{Deserialize, Serialize};

use super::logistic::{Likelihood, sigmoid};
use super::reliability::{Reliability, reliability};
use crate::genome::{PerKind, VariantKind};

/// Smallest slope. Where the data want less, since the score says nothing or the contrary, the
/// slope is this and the probability is close to the prevalence: order is never turned round.
pub const MIN_SLOPE: f64 = 1e-3;

/// Largest score that a fit takes; its square is still a number.
const LARGEST_SCORE: f64 = 1e100;

/// Why no calibration can be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// All examples are true, or all are false, or there are none.
    #[error(
        "calibration needs true and false calls; found {positives} true among {examples} examples"
    )]
    OneClass {
        /// Number of examples.
        examples: u64,
        /// True ones among them.
        positives: u64,
    },
    /// A score is NaN, or beyond ±1e100.
    #[error("score {index} of the calibration is {found}, expected a number within ±1e100")]
    Score {
        /// Index of the example.
        index: usize,
        /// Its score.
        found: f64,
    },
    /// Scores and labels differ in number.
    #[error("{scores} scores for {labels} labels")]
    Lengths {
        /// Number of scores.
        scores: usize,
        /// Number of labels.
        labels: usize,
    },
    /// The fit did not converge, as for one score far beyond all others.
    #[error("calibration did not converge: mean gradient {gradient:e}")]
    NotConverged {
        /// Mean gradient at the end.
        gradient: f64,
    },
    /// A calibration that was read is none.
    #[error(
        "calibration of {kind} has slope {slope} and intercept {intercept}; expected finite \
         numbers, the slope above 0"
    )]
    Invalid {
        /// The type of call.
        kind: VariantKind,
        /// Its slope.
        slope: f64,
        /// Its intercept.
        intercept: f64,
    },
}

/// `p = sigmoid(slope·score + intercept)` (Platt 1999).
///
/// In JSON an object with the counts of the fit, as model cards have it; without counts the pair
/// `[slope, intercept]`, as headers have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct PlattScaling {
    /// Above 0.
    pub slope: f64,
    /// In natural-log odds.
    pub intercept: f64,
    /// The calls it was fitted to, where they are known.
    pub fitted_to: Option<FittedTo>,
}

/// Number of calls of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FittedTo {
    /// Examples of the fit.
    pub examples: u64,
    /// True calls among them.
    pub positives: u64,
}

/// A scaling in JSON.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected slope, intercept, examples and positives, or the pair of slope and intercept"
)]
enum Written {
    Whole(WithCounts),
    Pair([f64; 2]),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithCounts {
    slope: f64,
    intercept: f64,
    examples: u64,
    positives: u64,
}

impl From<PlattScaling> for Written {
    fn from(scaling: PlattScaling) -> Self {
        let PlattScaling {
            slope, intercept, ..
        } = scaling;
        match scaling.fitted_to {
            None => Written::Pair([slope, intercept]),
            Some(FittedTo {
                examples,
                positives,
            }) => Written::Whole(WithCounts {
                slope,
                intercept,
                examples,
                positives,
            }),
        }
    }
}

impl From<Written> for PlattScaling {
    fn from(written: Written) -> Self {
        match written {
            Written::Pair([slope, intercept]) => Self {
                slope,
                intercept,
                fitted_to: None,
            },
            Written::Whole(whole) => Self {
                slope: whole.slope,
                intercept: whole.intercept,
                fitted_to: Some(FittedTo {
                    examples: whole.examples,
                    positives: whole.positives,
                }),
            },
        }
    }
}

/// A fitted scaling, and how good probabilities are on the data of the fit.
#[derive(Debug, Clone, PartialEq)]
pub struct PlattFit {
    /// The scaling.
    pub scaling: PlattScaling,
    /// Reliability of `sigmoid(score)`.
    pub before: Reliability,
    /// Reliability of the scaling.
    pub after: Reliability,
}

/// Calibration of a model, a scaling for each type of call it was fitted for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The scaling of each type that has one.
    pub kinds: PerKind<Option<PlattScaling>>,
}

impl Calibration {
    /// Probability that a call of type `kind` with this score (natural-log odds) is real. `None`
    /// for a type that was not calibrated, and for a score of NaN.
    pub fn probability(&self, kind: VariantKind, score: f64) -> Option<f64> {
        let scaling = self.kinds.get(kind)?.as_ref()?;
        (!score.is_nan()).then(|| scaling.probability(score))
    }

    /// The same for a score that is a number, where log odds of a type that was not calibrated
    /// are taken as they are.
    pub fn probability_or_odds(&self, kind: VariantKind, score: f64) -> f64 {
        let calibrated = self.probability(kind, score);
        calibrated.unwrap_or_else(|| sigmoid(score))
    }

    /// The same scalings without the counts of their fits, for a header.
    pub fn without_counts(&self) -> Self {
        let kinds = self.kinds.clone().map(|_, scaling| {
            scaling.map(|scaling| PlattScaling {
                fitted_to: None,
                ..scaling
            })
        });
        Self { kinds }
    }

    /// Checks a calibration that was read from a file.
    ///
    /// # Errors
    /// [`CalibrationError::Invalid`] for a slope that is not above 0, or a number that is not finite.
    pub fn check(&self) -> Result<(), CalibrationError> {
        for (kind, scaling) in self.kinds.present() {
            let &PlattScaling {
                slope, intercept, ..
            } = scaling;
            if !(slope > 0.0 && slope.is_finite() && intercept.is_finite()) {
                return Err(CalibrationError::Invalid {
                    kind,
                    slope,
                    intercept,
                });
            }
        }
        Ok(())
    }
}

impl PlattScaling {
    /// Probability that a call with this score is real.
    pub fn probability(&self, score: f64) -> f64 {
        sigmoid(self.slope * score + self.intercept)
    }

    /// Fits scores (natural-log odds; any scale will do) and labels of one type of call.
    ///
    /// Targets are Platt's (1999): with P true and N false examples, (P+1)/(P+2) for true and
    /// 1/(N+2) for false ones, so that perfectly separated scores have a finite slope. The
    /// likelihood is maximised by Newton's method with backtracking in the form that neither
    /// overflows nor cancels (Lin, Lin & Weng 2007, algorithm 1), on standardised scores. A slope
    /// below [`MIN_SLOPE`] is set to it and the intercept fitted again, which is the constrained
    /// maximum as the problem is convex.
    ///
    /// # Errors
    /// One class only, a score that is NaN or beyond ±1e100, a fit that does not converge.
    pub fn fit(scores: &[f64], labels: &[bool]) -> Result<PlattFit, CalibrationError> {
        if scores.len() != labels.len() {
            return Err(CalibrationError::Lengths {
                scores: scores.len(),
                labels: labels.len(),
            });
        }
        let n = scores.len() as f64;
        let positives = labels.iter().filter(|label| **label).count() as u64;
        let examples = scores.len() as u64;
        if positives == 0 || positives == examples {
            return Err(CalibrationError::OneClass {
                examples,
                positives,
            });
        }
        if let Some((index, &found)) = scores
            .iter()
            .enumerate()
            .find(|(_, score)| score.is_nan() || score.abs() > LARGEST_SCORE)
        {
            return Err(CalibrationError::Score { index, found });
        }
        let mean = scores.iter().sum::<f64>() / n;
        let variance = scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
        // Equal scores leave the slope open: it becomes the smallest.
        let spread = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let (true_target, false_target) = (
            (positives + 1) as f64 / (positives + 2) as f64,
            1.0 / (examples - positives + 2) as f64,
        );
        let likelihood = Likelihood {
            scores: scores.iter().map(|s| (s - mean) / spread).collect(),
            targets: labels
                .iter()
                .map(|&label| if label { true_target } else { false_target })
                .collect(),
        };
        let prior = ((positives + 1) as f64 / (examples - positives + 1) as f64).ln();
        let maximise = |start, slope_is_fixed| {
            likelihood
                .maximise(start, slope_is_fixed)
                .map_err(|gradient| CalibrationError::NotConverged { gradient })
        };
        let mut parameters = maximise([0.0, prior], false)?;
        let mut slope = parameters[0] / spread;
        if slope < MIN_SLOPE {
            slope = MIN_SLOPE;
            parameters = maximise([MIN_SLOPE * spread, prior], true)?;
        }
        let scaling = Self {
            slope,
            intercept: parameters[1] - slope * mean,
            fitted_to: Some(FittedTo {
                examples,
                positives,
            }),
        };
        Ok(PlattFit {
            before: reliability(scores.iter().copied(), labels),
            after: reliability(
                scores.iter().map(|s| scaling.slope * s + scaling.intercept),
                labels,
            ),
            scaling,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn uniform(random: &mut ChaCha8Rng) -> f64 {
        (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Scores from -8 to 8, labels drawn with probability sigmoid(slope·score + intercept).
    fn drawn(n: usize, slope: f64, intercept: f64) -> (Vec<f64>, Vec<bool>) {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        (0..n)
            .map(|_| {
                let score = 16.0 * uniform(&mut random) - 8.0;
                let label = uniform(&mut random) < sigmoid(slope * score + intercept);
                (score, label)
            })
            .unzip()
    }

    /// The gradient of the smoothed likelihood in the raw parameters, written out once more.
    fn gradient(scores: &[f64], labels: &[bool], scaling: &PlattScaling) -> [f64; 2] {
        let FittedTo {
            examples,
            positives,
        } = scaling.fitted_to.unwrap();
        let (p, n) = (positives as f64, (examples - positives) as f64);
        let mut sums = [0.0; 2];
        for (score, label) in scores.iter().zip(labels) {
            let target = if *label {
                (p + 1.0) / (p + 2.0)
            } else {
                1.0 / (n + 2.0)
            };
            let z = scaling.slope * score + scaling.intercept;
            let residual = 1.0 / (1.0 + (-z).exp()) - target;
            sums[0] += residual * score;
            sums[1] += residual;
        }
        sums.map(|sum| sum / (p + n))
    }

    #[test]
    fn the_slope_and_intercept_of_the_data_are_found() {
        let (scores, labels) = drawn(40_000, 0.6, -1.5);
        let fit = PlattScaling::fit(&scores, &labels).unwrap();
        // Standard errors are about 0.006 and 0.02.
        assert!((fit.scaling.slope - 0.6).abs() < 0.03, "{fit:?}");
        assert!((fit.scaling.intercept + 1.5).abs() < 0.1, "{fit:?}");
        assert!(fit.after.log_loss < fit.before.log_loss - 0.1);
        assert!(fit.after.brier < fit.before.brier);
        assert!(fit.after.expected_calibration_error < 0.01);
        assert!(fit.before.expected_calibration_error > 0.05);
    }

    /// Two scores, a and b, with shares of true calls: the fit goes through both smoothed shares,
    /// so slope and intercept follow in closed form. With P = 5 and N = 5: true targets 6/7, false
    /// 1/7; at score 1 four of five are true, mean target (4·6/7 + 1/7)/5 = 5/7; at score -1 2/7.
    #[test]
    fn two_scores_have_a_closed_solution() {
        let scores = [1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0];
        let labels = [1, 1, 1, 1, 0, 1, 0, 0, 0, 0].map(|label| label == 1);
        let scaling = PlattScaling::fit(&scores, &labels).unwrap().scaling;
        assert!((scaling.slope - 2.5_f64.ln()).abs() < 1e-9, "{scaling:?}");
        assert!(scaling.intercept.abs() < 1e-9, "{scaling:?}");
        let counts = FittedTo {
            examples: 10,
            positives: 5,
        };
        assert_eq!(scaling.fitted_to, Some(counts));
        // The same through another scale and origin.
        let moved: Vec<f64> = scores.iter().map(|s| 1e4 + 50.0 * s).collect();
        let scaling = PlattScaling::fit(&moved, &labels).unwrap().scaling;
        assert!(
            (scaling.slope - 2.5_f64.ln() / 50.0).abs() < 1e-9,
            "{scaling:?}"
        );
        assert!((scaling.probability(10_050.0) - 5.0 / 7.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_gradient_is_zero_or_the_slope_is_the_smallest(
            rows in prop::collection::vec((-16.2_f64..16.2, any::<bool>()), 2..200),
            inform in 0.0_f64..3.0,
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let scores: Vec<f64> = rows
                .iter()
                .map(|(score, label)| score + if *label { inform } else { -inform })
                .collect();
            prop_assume!(labels.iter().any(|l| *l) && labels.iter().any(|l| !*l));
            let fit = PlattScaling::fit(&scores, &labels).unwrap();
            let [slope, intercept] = gradient(&scores, &labels, &fit.scaling);
            prop_assert!(intercept.abs() < 1e-6, "{:?}", fit);
            if fit.scaling.slope > MIN_SLOPE {
                prop_assert!(slope.abs() < 1e-5, "{} {:?}", slope, fit);
            } else {
                prop_assert!(slope > -1e-5, "{} {:?}", slope, fit);
            }
        }

        #[test]
        fn higher_scores_never_have_lower_probabilities(
            labels in prop::collection::vec(any::<bool>(), 2..40),
            a in -40.0_f64..40.0,
            b in -40.0_f64..40.0,
        ) {
            prop_assume!(labels.iter().any(|l| *l) && labels.iter().any(|l| !*l));
            let scores: Vec<f64> = (0..labels.len()).map(|i| (i % 7) as f64).collect();
            let scaling = PlattScaling::fit(&scores, &labels).unwrap().scaling;
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(scaling.slope >= MIN_SLOPE);
            prop_assert!(scaling.probability(low) <= scaling.probability(high));
            prop_assert!((0.0..=1.0).contains(&scaling.probability(low)));
        }
    }

    #[test]
    fn separated_scores_have_a_finite_slope() {
        let scores: Vec<f64> = (0..100)
            .map(|i| if i < 50 { -15.0 } else { 15.0 })
            .collect();
        let labels: Vec<bool> = (0..100).map(|i| i >= 50).collect();
        let scaling = PlattScaling::fit(&scores, &labels).unwrap().scaling;
        // Both ends at Platt's targets, 51/52 and 1/52.
        assert!(
            (scaling.slope - 51_f64.ln() / 15.0).abs() < 1e-6,
            "{scaling:?}"
        );
        assert!((scaling.probability(15.0) - 51.0 / 52.0).abs() < 1e-6);
    }

    #[test]
    fn useless_scores_give_the_prevalence() {
        let labels: Vec<bool> = (0..1_000).map(|i| i % 4 == 0).collect();
        let against: Vec<f64> = labels.iter().map(|l| if *l { -3.0 } else { 3.0 }).collect();
        for scores in [vec![2.0; 1_000], against] {
            let scaling = PlattScaling::fit(&scores, &labels).unwrap().scaling;
            assert_eq!(scaling.slope, MIN_SLOPE);
            assert!(
                (scaling.probability(0.0) - 0.25).abs() < 0.005,
                "{scaling:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_fitted_says_why() {
        let fit = |scores: &[f64], labels: &[bool]| {
            PlattScaling::fit(scores, labels).unwrap_err().to_string()
        };
        assert_eq!(
            fit(&[1.0, 2.0], &[true, true]),
            "calibration needs true and false calls; found 2 true among 2 examples"
        );
        assert!(fit(&[], &[]).contains("found 0 true among 0"));
        assert_eq!(
            fit(&[1.0, f64::NAN], &[true, false]),
            "score 1 of the calibration is NaN, expected a number within ±1e100"
        );
        assert_eq!(fit(&[1.0], &[true, false]), "1 scores for 2 labels");
        assert!(fit(&[1e300, -1e300], &[true, false]).contains("score 0 of"));
    }

    #[test]
    fn a_calibration_is_looked_up_by_type() {
        let scaling = PlattScaling {
            slope: 2.0,
            intercept: -1.0,
            fitted_to: Some(FittedTo {
                examples: 10,
                positives: 4,
            }),
        };
        let mut calibration = Calibration::default();
        calibration.kinds.snp = Some(scaling);
        let json = serde_json::to_string(&calibration).unwrap();
        assert_eq!(
            json,
            r#"{"kinds":{"SNP":{"slope":2.0,"intercept":-1.0,"examples":10,"positives":4}}}"#
        );
        assert_eq!(
            serde_json::from_str::<Calibration>(&json).unwrap(),
            calibration
        );
        let (snp, indel) = (VariantKind::Snp, VariantKind::Indel);
        assert_eq!(calibration.probability(snp, 0.5), Some(0.5));
        assert_eq!(calibration.probability(snp, f64::INFINITY), Some(1.0));
        assert_eq!(calibration.probability(snp, f64::NAN), None);
        assert_eq!(calibration.probability(indel, 0.5), None);
        assert!(calibration.check().is_ok());
        let broken = json.replace("2.0", "-2.0");
        let broken: Calibration = serde_json::from_str(&broken).unwrap();
        assert_eq!(
            broken.check().unwrap_err().to_string(),
            "calibration of SNP has slope -2 and intercept -1; expected finite numbers, the slope \
             above 0"
        );
        let error = serde_json::from_str::<Calibration>(&json.replace("slope", "scale"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("expected slope, intercept"), "{error}");
    }

    #[test]
    fn without_counts_it_is_a_pair_and_other_kinds_keep_their_log_odds() {
        let json = r#"{"kinds":{"SNP":[0.5,1.0]}}"#;
        let calibration: Calibration = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&calibration).unwrap(), json);
        assert_eq!(calibration.without_counts(), calibration);
        let mut counted = calibration.clone();
        if let Some(scaling) = &mut counted.kinds.snp {
            scaling.fitted_to = Some(FittedTo {
                examples: 10,
                positives: 4,
            });
        }
        assert_eq!(counted.without_counts(), calibration);
        // 1 / (1 + exp(-(0.5 * 2 + 1))) and 1 / (1 + exp(-2)).
        for kind in [VariantKind::Snp, VariantKind::Indel] {
            let probability = calibration.probability_or_odds(kind, 2.0);
            assert!((probability - 0.880_797_077_977_882_3).abs() < 1e-12);
        }
        let none = Calibration::default();
        assert_eq!(none.probability_or_odds(VariantKind::Snp, 0.0), 0.5);
        assert_eq!(none.probability_or_odds(VariantKind::Snp, -2000.0), 0.0);
    }
}
