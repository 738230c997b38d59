//! PR-AUC of a validation set.

use crate::metrics::Accumulator;
use crate::{Metric, Undefined};

/// Average precision of `scores` (one for each label, higher is more likely true) at the prevalence
/// of the labels: the step-wise sum of scikit-learn's `average_precision_score`, tied scores being
/// one threshold (see [`Metric::PrAuc`]). A score of NaN is missing: those come last, tied.
///
/// Of slices of different lengths the surplus is not looked at.
///
/// # Errors
/// Undefined for no labels, one class only, or scores that are all missing.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64, Undefined> {
    let mut ranked: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    let n = ranked.len() as u64;
    let n_true = ranked.iter().filter(|(_, label)| *label).count() as u64;
    match (n_true, n - n_true) {
        (0, 0) => return Err(Undefined::Empty),
        (0, n_false) => return Err(Undefined::NoTrue { n_false }),
        (n_true, 0) => return Err(Undefined::NoFalse { n_true }),
        _ => {}
    }
    if ranked.iter().all(|(score, _)| score.is_nan()) {
        return Err(Undefined::AllMissing { n });
    }
    // Within a tie the order does not reach the result.
    ranked.sort_unstable_by(|(a, _), (b, _)| {
        a.is_nan().cmp(&b.is_nan()).then_with(|| b.total_cmp(a))
    });
    let mut sums = Accumulator::new(n_true as f64, (n - n_true) as f64);
    for tied in ranked.chunk_by(|(a, _), (b, _)| a == b || (a.is_nan() && b.is_nan())) {
        let n_true = tied.iter().filter(|(_, label)| *label).count();
        sums.step(n_true as f64, (tied.len() - n_true) as f64);
    }
    Ok(sums.finish()[Metric::PrAuc as usize])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '1').collect()
    }

    /// By hand: the first is 1/3·(1 + 2/2 + 3/4), the second (ties at 0.5) 1/3·1 + 2/3·3/5.
    #[test]
    fn golden_values() {
        for (scores, truth, expected) in [
            (&[0.9, 0.8, 0.7, 0.6, 0.1][..], "11010", 11.0 / 12.0),
            (&[0.9, 0.5, 0.5, 0.5, 0.5], "11100", 1.0 / 3.0 + 2.0 / 5.0),
            (&[0.9, 0.5, 0.5, 0.5, 0.5], "10101", 1.0 / 3.0 + 2.0 / 5.0),
            (&[0.3, 0.3], "10", 0.5),
            (&[0.1, 0.9], "10", 0.5),
            (&[0.0, -0.0, 1.0], "100", 1.0 / 3.0),
            (
                &[f64::NAN, 2.0, f64::NAN, 3.0],
                "1001",
                0.5 + 0.5 * 2.0 / 4.0,
            ),
            (&[f64::INFINITY, f64::NEG_INFINITY], "10", 1.0),
        ] {
            let found = average_precision(scores, &labels(truth)).unwrap();
            assert!((found - expected).abs() < 1e-12, "{scores:?}: {found}");
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        for (scores, truth, expected) in [
            (&[][..], "", Undefined::Empty),
            (&[1.0, 2.0], "11", Undefined::NoFalse { n_true: 2 }),
            (&[1.0], "0", Undefined::NoTrue { n_false: 1 }),
            (&[f64::NAN; 2], "01", Undefined::AllMissing { n: 2 }),
        ] {
            assert_eq!(average_precision(scores, &labels(truth)), Err(expected));
        }
    }

    proptest! {
        /// The definition: over the distinct scores, precision at each times the rise in recall.
        #[test]
        fn it_is_the_sum_over_thresholds(
            rows in prop::collection::vec((0_u8..12, any::<bool>()), 2..80)
        ) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let labels: Vec<bool> = rows.iter().map(|(_, label)| *label).collect();
            let positives = labels.iter().filter(|label| **label).count() as f64;
            prop_assume!(positives > 0.0 && positives < labels.len() as f64);
            let (mut expected, mut recall) = (0.0, 0.0);
            for threshold in (0_u8..12).rev() {
                let called: Vec<bool> = rows
                    .iter()
                    .filter(|(score, _)| *score >= threshold)
                    .map(|(_, label)| *label)
                    .collect();
                if called.is_empty() {
                    continue;
                }
                let hits = called.iter().filter(|label| **label).count() as f64;
                expected += (hits / positives - recall) * hits / called.len() as f64;
                recall = hits / positives;
            }
            let found = average_precision(&scores, &labels).unwrap();
            prop_assert!((found - expected).abs() < 1e-12, "{} {}", found, expected);
        }
    }
}
