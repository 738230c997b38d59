//! Figures that have no value, and why.

use serde::{Serialize, Serializer};

/// Why a figure or an interval does not exist for the records at hand.
///
/// It takes the place of NaN (and of the 0.5 that some tools report for a ROC-AUC without classes), so
/// that a reader of any output learns the reason.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Undefined {
    /// The stratum holds no judged record of this kind.
    #[error("no judged records")]
    Empty,
    /// Every judged record is false.
    #[error("one class only: no true calls among {n_false} records")]
    NoTrue {
        /// Number of false calls.
        n_false: u64,
    },
    /// Every judged record is true.
    #[error("one class only: no false calls among {n_true} records")]
    NoFalse {
        /// Number of true calls.
        n_true: u64,
    },
    /// No record carries the score.
    #[error("the score is missing from all {n} records")]
    AllMissing {
        /// Number of records.
        n: u64,
    },
    /// All records have one and the same score, so nothing is ranked.
    #[error("all {n} records have the same score")]
    AllTied {
        /// Number of records.
        n: u64,
    },
    /// No threshold reaches the precision asked for.
    #[error("precision {precision} is never reached")]
    PrecisionNotReached {
        /// Precision asked for, 0 to 1.
        precision: f64,
    },
    /// A ratio has a zero denominator.
    #[error("no {what}")]
    ZeroDenominator {
        /// The things counted in the denominator.
        what: &'static str,
    },
    /// Values lie outside [0, 1], so they are not probabilities.
    #[error("{outside} of {n} values lie outside [0, 1]: not a probability")]
    NotAProbability {
        /// Number of values outside [0, 1].
        outside: u64,
        /// Number of values.
        n: u64,
    },
    /// Too few independent blocks of records for a bootstrap.
    #[error("records in {found} blocks only, an interval needs {need}")]
    TooFewBlocks {
        /// Blocks that hold at least one record.
        found: usize,
        /// Blocks that are needed.
        need: usize,
    },
    /// Too many resamples lack one of the classes.
    #[error("only {defined} of {resamples} resamples hold both classes")]
    TooFewResamples {
        /// Resamples with both classes.
        defined: usize,
        /// Resamples drawn.
        resamples: usize,
    },
    /// Intervals were not asked for (zero resamples).
    #[error("no resamples were asked for")]
    NoResamples,
    /// The threshold is below every score: all calls are kept, those without the score too.
    #[error("all calls are kept, {n_missing} without the score too")]
    KeepAll {
        /// Calls without the score.
        n_missing: u64,
    },
    /// Truth variants that were missed are unknown, or unknown for this stratum.
    #[error("truth variants that were never called are not known here")]
    MissedUnknown,
}

/// A figure, or the reason for its absence. A value is always finite.
pub type Figure = Result<f64, Undefined>;

/// The ratio `numerator / denominator`, undefined with `what` when the denominator is zero.
pub(crate) fn ratio(numerator: f64, denominator: f64, what: &'static str) -> Figure {
    if denominator > 0.0 {
        Ok(numerator / denominator)
    } else {
        Err(Undefined::ZeroDenominator { what })
    }
}

/// Serialises a figure as `{"value": number or null}` with a `"reason"` where there is none.
pub(crate) fn serialize_figure<S: Serializer>(
    figure: &Figure,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    FigureJson::from(figure).serialize(serializer)
}

/// The serialised form of a [`Figure`].
#[derive(Debug, Serialize)]
pub(crate) struct FigureJson {
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&Figure> for FigureJson {
    fn from(figure: &Figure) -> Self {
        match figure {
            Ok(value) => Self {
                value: Some(*value),
                reason: None,
            },
            Err(why) => Self {
                value: None,
                reason: Some(why.to_string()),
            },
        }
    }
}
