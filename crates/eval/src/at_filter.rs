//! Precision, recall and F1 at the FILTER column, in the terms of hap.py's summary.

use serde::Serialize;

use super::bootstrap::Interval;
use super::calibration::binomial_interval;
use super::classes::{ClassBits, Kind, Label};
use super::strata::Stratum;
use super::table::JudgedTable;
use super::undefined::{Figure, Undefined, ratio, serialize_figure};

/// Which calls count as made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FilterRow {
    /// All calls, whatever FILTER says.
    All,
    /// Calls with FILTER `PASS` or `.`.
    Pass,
}

impl FilterRow {
    /// `ALL` or `PASS`.
    pub fn name(self) -> &'static str {
        match self {
            FilterRow::All => "ALL",
            FilterRow::Pass => "PASS",
        }
    }
}

/// Counts with the names of hap.py's `summary.csv`.
///
/// hap.py counts the truth side by truth variants and the query side by calls; the two differ where one
/// event is spelled as two records. Made from a table of calls, `truth_tp` is the number of true calls;
/// a caller that has matched the truth itself fills in its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FilterCounts {
    /// `TRUTH.TP`: truth variants that were called.
    pub truth_tp: u64,
    /// `TRUTH.FN`: truth variants that were not called, or whose call was filtered out; `None` where
    /// those that were never called are not known.
    pub truth_fn: Option<u64>,
    /// Calls that are true.
    pub query_tp: u64,
    /// `QUERY.FP`: calls that are false.
    pub query_fp: u64,
    /// `QUERY.UNK`: calls outside the confident regions.
    pub query_unk: u64,
}

/// Figures of hap.py's summary, from counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterFigures {
    /// Which calls count as made.
    pub filter: FilterRow,
    /// The counts.
    pub counts: FilterCounts,
    /// `METRIC.Recall` = TRUTH.TP / (TRUTH.TP + TRUTH.FN).
    #[serde(serialize_with = "serialize_figure")]
    pub recall: Figure,
    /// Exact binomial interval of the recall.
    pub recall_interval: Option<Interval>,
    /// `METRIC.Precision` = true calls / (true calls + QUERY.FP).
    #[serde(serialize_with = "serialize_figure")]
    pub precision: Figure,
    /// Exact binomial interval of the precision.
    pub precision_interval: Option<Interval>,
    /// `METRIC.F1_Score`: harmonic mean of the two.
    #[serde(serialize_with = "serialize_figure")]
    pub f1: Figure,
    /// `METRIC.Frac_NA` = QUERY.UNK / all calls.
    #[serde(serialize_with = "serialize_figure")]
    pub fraction_unjudged: Figure,
}

impl FilterFigures {
    /// Figures from counts.
    pub fn from_counts(filter: FilterRow, counts: FilterCounts) -> Self {
        let FilterCounts {
            truth_tp,
            truth_fn,
            query_tp,
            query_fp,
            query_unk,
        } = counts;
        let truth_total = truth_fn.map(|truth_fn| truth_tp + truth_fn);
        let recall = match truth_total {
            Some(total) => ratio(truth_tp as f64, total as f64, "truth variants"),
            None => Err(Undefined::MissedUnknown),
        };
        let precision = ratio(
            query_tp as f64,
            (query_tp + query_fp) as f64,
            "judged calls that pass",
        );
        let f1 = match (&recall, &precision) {
            (Ok(r), Ok(p)) => ratio(2.0 * p * r, p + r, "true calls that pass"),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        };
        Self {
            filter,
            counts,
            recall_interval: truth_total
                .filter(|_| recall.is_ok())
                .map(|total| binomial_interval(truth_tp, total)),
            precision_interval: precision
                .is_ok()
                .then(|| binomial_interval(query_tp, query_tp + query_fp)),
            recall,
            precision,
            f1,
            fraction_unjudged: ratio(
                query_unk as f64,
                (query_tp + query_fp + query_unk) as f64,
                "calls that pass",
            ),
        }
    }
}

/// The rows `ALL` and `PASS` for one kind in one stratum.
///
/// A true call that is filtered out leaves its truth variant uncalled: it adds to `truth_fn`. Where the
/// stratum is not a property of the truth (ALT fraction, depth) missed variants are taken as none.
pub(crate) fn at_filter(table: &JudgedTable, kind: Kind, stratum: Stratum) -> [FilterFigures; 2] {
    let test = stratum.membership_of(kind);
    let missed = table
        .missed
        .iter()
        .filter(|&&(bits, beds)| stratum.is_known_for_missed() && test.contains(beds, bits))
        .count() as u64;
    // [all, pass][unjudged, true, false]
    let mut counts = [[0_u64; 3]; 2];
    for (&bits, &beds) in table.bits.iter().zip(&table.strata) {
        if test.contains(beds, bits) {
            let classes = ClassBits(bits);
            let label = match classes.label() {
                Label::Unjudged => 0,
                Label::True => 1,
                Label::False => 2,
            };
            counts[0][label] += 1;
            counts[1][label] += u64::from(classes.passes());
        }
    }
    let n_true = counts[0][1];
    [(FilterRow::All, counts[0]), (FilterRow::Pass, counts[1])].map(
        |(filter, [query_unk, query_tp, query_fp])| {
            FilterFigures::from_counts(
                filter,
                FilterCounts {
                    truth_tp: query_tp,
                    truth_fn: table.knows_missed.then_some(n_true - query_tp + missed),
                    query_tp,
                    query_fp,
                    query_unk,
                },
            )
        },
    )
}
