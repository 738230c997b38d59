//! Reliability of a score that claims to be a probability.

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

use super::bootstrap::{COVERAGE, Interval};
use super::classes::{FALSE_BIT, Kind, TRUE_BIT};
use super::strata::Stratum;
use super::table::JudgedTable;
use super::undefined::Undefined;

/// Number of bins of equal width in [0, 1].
pub(crate) const CALIBRATION_BINS: usize = 10;

/// One bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Lower edge; the bin is [low, high), the last one [low, 1].
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// Records in the bin.
    pub n: u64,
    /// Records that are true.
    pub n_true: u64,
    /// Mean probability of the records.
    pub mean_probability: f64,
    /// Share of the records that is true.
    pub observed: f64,
    /// Exact binomial interval of `observed`.
    pub interval: Interval,
}

/// Reliability curve of one probability in one stratum, with its summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityCurve {
    /// Bins that hold records.
    pub bins: Vec<ReliabilityBin>,
    /// Expected calibration error Σ (n_b/n)·|observed_b − mean probability_b| over the bins
    /// (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017).
    pub expected_calibration_error: f64,
    /// Brier score: mean of (probability − label)².
    pub brier: f64,
    /// Records with a probability.
    pub n: u64,
    /// Records without one; they are left out.
    pub n_missing: u64,
}

/// Reliability curve, expected calibration error and Brier score of column `score` in a stratum.
///
/// # Errors
/// Undefined for no records, a score that is missing everywhere, values outside [0, 1].
pub(crate) fn calibration(
    table: &JudgedTable,
    kind: Kind,
    stratum: Stratum,
    score: usize,
) -> Result<ReliabilityCurve, Undefined> {
    let test = stratum.membership_of(kind);
    let mut bins = [(0_u64, 0_u64, 0.0_f64); CALIBRATION_BINS];
    let (mut n, mut n_missing, mut outside, mut squares) = (0_u64, 0_u64, 0_u64, 0.0_f64);
    for ((&bits, &beds), &value) in table
        .bits
        .iter()
        .zip(&table.strata)
        .zip(table.column(score))
    {
        if !test.contains(beds, bits) || bits & (TRUE_BIT | FALSE_BIT) == 0 {
            continue;
        }
        if value.is_nan() {
            n_missing += 1;
            continue;
        }
        n += 1;
        if !(0.0..=1.0).contains(&value) {
            outside += 1;
            continue;
        }
        let is_true = bits & TRUE_BIT != 0;
        let probability = f64::from(value);
        // In 32 bits, so that a 0.9 of 32 bits, which is a little less, falls into [0.9, 1].
        let index = ((value * CALIBRATION_BINS as f32) as usize).min(CALIBRATION_BINS - 1);
        bins[index].0 += 1;
        bins[index].1 += u64::from(is_true);
        bins[index].2 += probability;
        squares += (probability - f64::from(u8::from(is_true))).powi(2);
    }
    if n + n_missing == 0 {
        return Err(Undefined::Empty);
    }
    if n == 0 {
        return Err(Undefined::AllMissing { n: n_missing });
    }
    if outside > 0 {
        return Err(Undefined::NotAProbability { outside, n });
    }
    let mut error = 0.0;
    let mut out = Vec::new();
    for (i, (in_bin, n_true, sum)) in bins.into_iter().enumerate() {
        if in_bin == 0 {
            continue;
        }
        let mean_probability = sum / in_bin as f64;
        let observed = n_true as f64 / in_bin as f64;
        error += in_bin as f64 / n as f64 * (observed - mean_probability).abs();
        out.push(ReliabilityBin {
            low: i as f64 / CALIBRATION_BINS as f64,
            high: (i + 1) as f64 / CALIBRATION_BINS as f64,
            n: in_bin,
            n_true,
            mean_probability,
            observed,
            interval: binomial_interval(n_true, in_bin),
        });
    }
    Ok(ReliabilityCurve {
        bins: out,
        expected_calibration_error: error,
        brier: squares / n as f64,
        n,
        n_missing,
    })
}

/// Clopper–Pearson interval of a proportion `successes / n`; [0, 1] for n = 0.
pub(crate) fn binomial_interval(successes: u64, n: u64) -> Interval {
    let tail = (1.0 - COVERAGE) / 2.0;
    let failures = n.saturating_sub(successes);
    let quantile = |a: u64, b: u64, q: f64| {
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(q))
    };
    let low = match successes {
        0 => 0.0,
        _ => quantile(successes, failures + 1, tail),
    };
    let high = match failures {
        0 => 1.0,
        _ => quantile(successes + 1, failures, 1.0 - tail),
    };
    Interval { low, high }
}
