//! Score histograms of true and false calls.

use serde::Serialize;

use super::ranking::Ranking;
use super::undefined::Undefined;

/// Number of bins.
pub(crate) const HISTOGRAM_BINS: usize = 40;

/// Counts of true and false calls by score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Lower edge of the first bin: the 0.5th percentile of the scores.
    pub low: f64,
    /// Upper edge of the last bin: the 99.5th percentile. Records beyond the edges count in the end bins.
    pub high: f64,
    /// True calls, one count a bin of equal width.
    pub n_true: Vec<u64>,
    /// False calls.
    pub n_false: Vec<u64>,
    /// True and false calls without the score.
    pub missing: [u64; 2],
}

/// Histogram of a ranking.
///
/// # Errors
/// Undefined for no records, or a score that is missing everywhere.
pub(crate) fn histogram(ranking: &Ranking) -> Result<Histogram, Undefined> {
    let present = ranking.present_scores();
    let n = present.len();
    if n == 0 {
        return Err(match ranking.n_missing() {
            0 => Undefined::Empty,
            n => Undefined::AllMissing { n },
        });
    }
    // The scores descend.
    let high = f64::from(present[n / 200]);
    let low = f64::from(present[n - 1 - n / 200]);
    let width = (high - low) / HISTOGRAM_BINS as f64;
    let mut out = Histogram {
        low,
        high,
        n_true: vec![0; HISTOGRAM_BINS],
        n_false: vec![0; HISTOGRAM_BINS],
        missing: [0; 2],
    };
    for (is_true, score) in ranking.labelled_scores() {
        if score.is_nan() {
            out.missing[usize::from(!is_true)] += 1;
            continue;
        }
        // A width of zero gives NaN or an infinity, which the cast turns into the first or last bin.
        let bin = ((f64::from(score) - low) / width).max(0.0) as usize;
        let counts = if is_true {
            &mut out.n_true
        } else {
            &mut out.n_false
        };
        counts[bin.min(HISTOGRAM_BINS - 1)] += 1;
    }
    Ok(out)
}
