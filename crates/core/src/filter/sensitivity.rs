//! Calibration sensitivity, as VETS has it: the share of known calls that score at least as high.

/// INFO key of the calibration sensitivity.
pub(super) const SENSITIVITY_KEY: &str = "CNN_SENS";

/// The definition line of [`SENSITIVITY_KEY`].
pub(super) fn header_line(info_key: &str) -> String {
    format!(
        "##INFO=<ID={SENSITIVITY_KEY},Number=1,Type=Float,Description=\"Calibration sensitivity: share of this file's calls of the same type (SNP or INDEL) at known sites whose {info_key} is at least as high\">"
    )
}

/// Scores of the known calls of one type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sensitivity {
    descending: Vec<f64>,
}

impl Sensitivity {
    /// Takes the scores in any order.
    pub(super) fn new(mut scores: Vec<f64>) -> Self {
        scores.sort_by(|a, b| b.total_cmp(a));
        Self { descending: scores }
    }

    /// The scores, highest first.
    pub(super) fn descending(&self) -> &[f64] {
        &self.descending
    }

    /// Share of the known calls that score at least `score`, 0 to 1; nothing where there are none.
    ///
    /// As ScoreVariantAnnotations of GATK (VETS) defines calibration sensitivity.
    pub(super) fn at(&self, score: f64) -> Option<f64> {
        if self.descending.is_empty() || score.is_nan() {
            return None;
        }
        let reached = self.descending.partition_point(|known| *known >= score);
        Some(reached as f64 / self.descending.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_known_calls_that_score_as_high() {
        let sensitivity = Sensitivity::new(vec![1.0, 3.0, 2.0, 2.0]);
        for (score, share) in [
            (4.0, 0.0),
            (3.0, 0.25),
            (2.0, 0.75),
            (1.5, 0.75),
            (-9.0, 1.0),
        ] {
            assert_eq!(sensitivity.at(score), Some(share), "{score}");
        }
        assert_eq!(sensitivity.at(f64::NAN), None);
        assert_eq!(Sensitivity::new(Vec::new()).at(1.0), None);
        assert_eq!(sensitivity.descending(), [3.0, 2.0, 2.0, 1.0]);
    }
}
