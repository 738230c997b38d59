//! From a network's four outputs to the score in the VCF.

use crate::genome::VariantKind;

/// The outputs of every network, in order.
pub const LABELS: [&str; 4] = ["NOT_SNP", "NOT_INDEL", "SNP", "INDEL"];

/// Keeps the score finite: it lies between ln(1e-7) = -16.118 and about +16.118.
const EPSILON: f64 = 1e-7;

/// Softmax over the four outputs, in `f64`.
pub fn probabilities(logits: [f32; 4]) -> [f64; 4] {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials = logits.map(|logit| f64::from(logit - largest).exp());
    let sum: f64 = exponentials.iter().sum();
    exponentials.map(|exponential| exponential / sum)
}

/// Natural-log odds of a real call against a false one of its kind, `ln(1e-7 + p(real) / (p(false)
/// + 1e-7))`; a call that is neither SNP nor INDEL takes the larger of the two.
///
/// Follows `predictions_to_score` of GATK's `scorevariants/models/common.py` (2c15b15f38).
pub fn log_odds(logits: [f32; 4], kind: VariantKind) -> f64 {
    let [not_snp, not_indel, snp, indel] = probabilities(logits);
    let odds = |real: f64, false_: f64| (EPSILON + real / (false_ + EPSILON)).ln();
    match kind {
        VariantKind::Snp => odds(snp, not_snp),
        VariantKind::Indel => odds(indel, not_indel),
        VariantKind::Other => odds(snp, not_snp).max(odds(indel, not_indel)),
    }
}

/// A score as it is written: three decimals, never `-0.000`.
pub fn format_score(score: f64) -> String {
    let text = format!("{score:.3}");
    if text == "-0.000" {
        "0.000".to_owned()
    } else {
        text
    }
}

/// A probability as it is written: seven decimals, so that calls near 1 keep their order as far as
/// their scores have one.
pub fn format_probability(probability: f64) -> String {
    format!("{probability:.7}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch.softmax(torch.tensor([1., -2., 3.5, 0.]), 0) = .0740, .0037, .9012, .0272 and
    /// torch.log(1e-7 + p[2] / (p[0] + 1e-7)) = 2.5000.
    #[test]
    fn scores_are_differences_of_logits_away_from_the_ends() {
        let logits = [1.0, -2.0, 3.5, 0.0];
        assert!((log_odds(logits, VariantKind::Snp) - 2.5).abs() < 1e-5);
        assert!((log_odds(logits, VariantKind::Indel) - 2.0).abs() < 1e-4);
        assert!((log_odds(logits, VariantKind::Other) - 2.5).abs() < 1e-5);
    }

    #[test]
    fn scores_saturate() {
        let certain = log_odds([-500.0, 0.0, 500.0, 0.0], VariantKind::Snp);
        let hopeless = log_odds([500.0, 0.0, -500.0, 0.0], VariantKind::Snp);
        assert_eq!(format_score(certain), "16.118");
        assert_eq!(format_score(hopeless), "-16.118");
    }

    #[test]
    fn probabilities_sum_to_one() {
        let sum: f64 = probabilities([80.0, -90.0, 3.0, f32::MIN]).iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn three_decimals() {
        assert_eq!(format_score(-0.0001), "0.000");
        assert_eq!(format_score(2.14), "2.140");
        assert_eq!(format_score(-12.3456), "-12.346");
    }
}
