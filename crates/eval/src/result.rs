//! The result of an evaluation, and its JSON.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::bootstrap::Interval;
use super::calibration::ReliabilityCurve;
use super::classes::Kind;
use super::curves::Curves;
use super::histogram::Histogram;
use super::metrics::Metric;
use super::undefined::{Figure, Undefined, serialize_figure};

/// One figure of a score in a stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Name in the outputs.
    pub figure: String,
    /// The value.
    pub value: Figure,
    /// The bootstrap interval; `None` for figures that have none by design.
    pub interval: Option<Result<Interval, Undefined>>,
}

impl Estimate {
    pub(super) fn plain(figure: impl Into<String>, value: Figure) -> Self {
        Self {
            figure: figure.into(),
            value,
            interval: None,
        }
    }

    /// Both ends of the interval, where there is one.
    pub fn ends(&self) -> Option<Interval> {
        match self.interval {
            Some(Ok(interval)) => Some(interval),
            _ => None,
        }
    }

    /// Why the value, or else its interval, is missing.
    pub fn reason(&self) -> Option<String> {
        match (&self.value, &self.interval) {
            (Err(why), _) => Some(why.to_string()),
            (Ok(_), Some(Err(why))) => Some(format!("no interval: {why}")),
            _ => None,
        }
    }
}

impl Serialize for Estimate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("figure", &self.figure)?;
        map.serialize_entry("value", &self.value.as_ref().ok())?;
        if self.interval.is_some() {
            map.serialize_entry("ci_low", &self.ends().map(|i| i.low))?;
            map.serialize_entry("ci_high", &self.ends().map(|i| i.high))?;
        }
        if let Some(reason) = self.reason() {
            map.serialize_entry("reason", &reason)?;
        }
        map.end()
    }
}

/// Difference of a figure between a score and the baseline, over the same records and resamples.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which figure.
    pub metric: Metric,
    /// Figure of the score minus figure of the baseline, with its paired interval.
    pub estimate: Estimate,
    /// Two-sided bootstrap p-value.
    pub p_value: Figure,
}

impl Serialize for Difference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            #[serde(flatten)]
            estimate: &'a Estimate,
            p_value: Option<f64>,
        }
        Flat {
            estimate: &self.estimate,
            p_value: self.p_value.as_ref().ok().copied(),
        }
        .serialize(serializer)
    }
}

/// Everything about one score in one stratum of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// SNP or indel.
    pub kind: Kind,
    /// Name of the stratum.
    pub stratum: String,
    /// Name of the score.
    pub score: String,
    /// True calls.
    pub n_true: u64,
    /// False calls.
    pub n_false: u64,
    /// Truth variants never called; `None` where the stratum is not a property of the truth.
    pub n_missed: Option<u64>,
    /// Share of the judged calls that is true.
    #[serde(serialize_with = "serialize_figure")]
    pub prevalence: Figure,
    /// The figures.
    pub figures: Vec<Estimate>,
    /// Differences from the baseline; empty for the baseline itself.
    pub differences: Vec<Difference>,
    /// Thinned curves, for all records, difficult regions and BEDs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
    /// Reliability, for probabilities, where there are curves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<ReliabilityCurve>,
}

impl Cell {
    /// The figure with this name.
    pub fn figure(&self, name: &str) -> Option<&Estimate> {
        self.figures.iter().find(|e| e.figure == name)
    }

    /// The difference from the baseline in this figure.
    pub fn difference(&self, metric: Metric) -> Option<&Difference> {
        self.differences.iter().find(|d| d.metric == metric)
    }
}

/// Histogram of one score for one kind.
#[derive(Debug, Clone)]
pub struct ScoreHistogram {
    /// SNP or indel.
    pub kind: Kind,
    /// Name of the score.
    pub score: String,
    /// The counts, or why there are none.
    pub histogram: Result<Histogram, Undefined>,
}

impl Serialize for ScoreHistogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("score", &self.score)?;
        match &self.histogram {
            Ok(histogram) => map.serialize_entry("histogram", histogram)?,
            Err(why) => map.serialize_entry("reason", &why.to_string())?,
        }
        map.end()
    }
}

/// The whole result.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// How labels were made.
    pub match_rule: String,
    /// Score that the others are compared with.
    pub baseline: Option<String>,
    /// Names of the scores, in the order of the table.
    pub scores: Vec<String>,
    /// Records of the table, judged or not.
    pub n_records: usize,
    /// Records that are judged.
    pub n_judged: usize,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Blocks of neighbouring records that are resampled.
    pub blocks: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// By kind, stratum, score.
    pub cells: Vec<Cell>,
    /// By kind, score.
    pub histograms: Vec<ScoreHistogram>,
}
