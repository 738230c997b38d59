//! Genotypes against the truth: copies of each ALT called, copies that the truth has, and what GQ promised.

use serde::Serialize;

use super::bootstrap::Interval;
use super::calibration::binomial_interval;
use super::classes::Kind;
use super::undefined::{Figure, ratio, serialize_figure};

/// Bins of GQ, ten units each; the last one has no upper end.
const GQ_BINS: usize = 10;

/// Counts of ALTs in one stratum.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct GenotypeTally {
    /// By copies in the truth and copies called, 0 to 2 each (more count as 2).
    matrix: [[u64; 3]; 3],
    /// By GQ: called ALTs, those with another number of copies than the truth, and the sum of the probabilities of
    /// that by GQ.
    by_quality: [(u64, u64, f64); GQ_BINS],
}

/// Genotypes of one kind in one stratum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GenotypeRows {
    /// SNP or indel.
    pub kind: Kind,
    /// Name of the stratum.
    pub stratum: String,
    /// ALTs by copies in the truth (0, 1, 2) and copies called (0, 1, 2). Nothing is called of an ALT that is missed, or
    /// whose record is filtered.
    pub matrix: [[u64; 3]; 3],
    /// Share of the ALTs that are real and called whose number of copies is right.
    pub concordance: GenotypeFigure,
    /// The same of all ALTs that are called or in the truth.
    pub nonref_concordance: GenotypeFigure,
    /// Share of the called ALTs that are right with their copies.
    pub precision: GenotypeFigure,
    /// Share of the truth's ALTs that are called with their copies.
    pub recall: GenotypeFigure,
    /// Harmonic mean of the two, as hap.py counts.
    #[serde(serialize_with = "serialize_figure")]
    pub f1: Figure,
    /// GQ against the share of wrong numbers of copies; empty where the calls have no GQ.
    pub by_quality: Vec<GenotypeQualityBin>,
}

/// A share with its exact binomial interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GenotypeFigure {
    /// The share.
    #[serde(serialize_with = "serialize_figure")]
    pub value: Figure,
    /// Clopper-Pearson, 95 %.
    pub interval: Interval,
}

/// Called ALTs of similar GQ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GenotypeQualityBin {
    /// Lowest GQ.
    pub low: u32,
    /// ALTs.
    pub n: u64,
    /// Of these, ALTs with another number of copies in the truth.
    pub wrong: u64,
    /// Mean of 10^(-GQ/10): the share that GQ promises to be wrong.
    pub promised: f64,
    /// The share that is wrong.
    pub observed: f64,
    /// Its exact binomial interval.
    pub interval: Interval,
}

impl GenotypeTally {
    /// Adds an ALT: copies that the truth has, copies called, and GQ where there is one.
    pub(crate) fn add(&mut self, truth: usize, called: usize, quality: Option<f32>) {
        let (truth, called) = (truth.min(2), called.min(2));
        if truth == 0 && called == 0 {
            return;
        }
        self.matrix[truth][called] += 1;
        if let (Some(quality), true) = (quality, called > 0) {
            let bin = ((quality.max(0.0) / 10.0) as usize).min(GQ_BINS - 1);
            let (n, wrong, promised) = &mut self.by_quality[bin];
            *n += 1;
            *wrong += u64::from(truth != called);
            *promised += 10f64.powf(-f64::from(quality) / 10.0);
        }
    }

    /// The figures; nothing where no ALT was added.
    pub(crate) fn rows(&self, kind: Kind, stratum: &str) -> Option<GenotypeRows> {
        let m = &self.matrix;
        if m.iter().flatten().sum::<u64>() == 0 {
            return None;
        }
        let right = m[1][1] + m[2][2];
        let swapped = m[1][2] + m[2][1];
        let (false_calls, missed) = (m[0][1] + m[0][2], m[1][0] + m[2][0]);
        let share = |of: u64, what| GenotypeFigure {
            value: ratio(right as f64, of as f64, what),
            interval: binomial_interval(right, of),
        };
        let bins = self.by_quality.iter().enumerate();
        let bins = bins.filter(|(_, (n, ..))| *n > 0);
        Some(GenotypeRows {
            kind,
            stratum: stratum.to_owned(),
            matrix: self.matrix,
            concordance: share(right + swapped, "no ALT is real and called"),
            nonref_concordance: share(
                right + swapped + false_calls + missed,
                "no ALT is real or called",
            ),
            precision: share(right + swapped + false_calls, "no ALT is called"),
            recall: share(right + swapped + missed, "no ALT is real"),
            f1: ratio(
                2.0 * right as f64,
                (2 * (right + swapped) + false_calls + missed) as f64,
                "no ALT is real or called",
            ),
            by_quality: bins
                .map(|(bin, &(n, wrong, promised))| GenotypeQualityBin {
                    low: 10 * bin as u32,
                    n,
                    wrong,
                    promised: promised / n as f64,
                    observed: wrong as f64 / n as f64,
                    interval: binomial_interval(wrong, n),
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_the_matrix() {
        let mut tally = GenotypeTally::default();
        assert_eq!(tally.rows(Kind::Snp, "all"), None);
        for (truth, called, times) in [
            (1, 1, 6),
            (2, 2, 2),
            (1, 2, 1),
            (0, 1, 1),
            (2, 0, 2),
            (0, 0, 9),
        ] {
            for _ in 0..times {
                tally.add(
                    truth,
                    called,
                    Some(if truth == called { 35.0 } else { 12.0 }),
                );
            }
        }
        let rows = tally.rows(Kind::Snp, "all").unwrap();
        assert_eq!(rows.matrix, [[0, 1, 0], [0, 6, 1], [2, 0, 2]]);
        assert_eq!(rows.concordance.value, Ok(8.0 / 9.0));
        assert_eq!(rows.nonref_concordance.value, Ok(8.0 / 12.0));
        assert_eq!(rows.precision.value, Ok(8.0 / 10.0));
        assert_eq!(rows.recall.value, Ok(8.0 / 11.0));
        let f1 = rows.f1.unwrap();
        assert!((f1 - 2.0 * 0.8 * (8.0 / 11.0) / (0.8 + 8.0 / 11.0)).abs() < 1e-12);
        let bins: Vec<(u32, u64, u64)> = rows
            .by_quality
            .iter()
            .map(|bin| (bin.low, bin.n, bin.wrong))
            .collect();
        assert_eq!(bins, [(10, 2, 2), (30, 8, 0)]);
        assert!((rows.by_quality[1].promised - 10f64.powf(-3.5)).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_exist_has_a_reason() {
        let mut tally = GenotypeTally::default();
        tally.add(2, 0, None);
        let rows = tally.rows(Kind::Indel, "all").unwrap();
        assert!(rows.precision.value.is_err() && rows.by_quality.is_empty());
        assert_eq!(rows.recall.value, Ok(0.0));
    }
}
