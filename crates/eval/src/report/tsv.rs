//! All figures as a long table, one figure a row, for R and pandas.

use csv::{QuoteStyle, Writer, WriterBuilder};
use serde::{Serialize, Serializer};

use super::Report;
use crate::at_filter::{FilterFigures, FilterRow};
use crate::bootstrap::Interval;
use crate::genotypes::GenotypeRows;
use crate::no_truth::ScoreBin;
use crate::{Cell, Estimate, Figure, Undefined};

/// One row; the names of the fields are those of the columns.
#[derive(Clone, Default, Serialize)]
struct Row<'a> {
    #[serde(serialize_with = "text")]
    score: &'a str,
    #[serde(serialize_with = "text")]
    kind: &'a str,
    #[serde(serialize_with = "text")]
    stratum: &'a str,
    #[serde(rename = "match", serialize_with = "text")]
    match_rule: &'a str,
    #[serde(serialize_with = "text")]
    figure: &'a str,
    #[serde(serialize_with = "number")]
    value: Option<f64>,
    #[serde(serialize_with = "number")]
    ci_low: Option<f64>,
    #[serde(serialize_with = "number")]
    ci_high: Option<f64>,
    #[serde(serialize_with = "number")]
    n_true: Option<u64>,
    #[serde(serialize_with = "number")]
    n_false: Option<u64>,
    #[serde(serialize_with = "number")]
    n_missed: Option<u64>,
    #[serde(serialize_with = "number")]
    prevalence: Option<f64>,
    #[serde(serialize_with = "text")]
    baseline: &'a str,
    #[serde(serialize_with = "number")]
    p_value: Option<f64>,
    #[serde(serialize_with = "text")]
    reason: String,
}

/// A value that does not exist.
const ABSENT: &str = "NA";

/// A name; one with a tab or a line end would break the table.
fn text<S: Serializer>(value: impl AsRef<str>, serializer: S) -> Result<S::Ok, S::Error> {
    match value.as_ref() {
        "" => serializer.serialize_str(ABSENT),
        value => serializer.serialize_str(&value.replace(['\t', '\n', '\r'], " ")),
    }
}

/// A number in the fewest digits that give it back, without an exponent.
fn number<T: ToString, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_str(&value.to_string()),
        None => serializer.serialize_str(ABSENT),
    }
}

/// The long table with a header line; an absent value is `NA`, and `reason` says why.
///
/// Figures at the FILTER column stand under the score `FILTER:ALL` and `FILTER:PASS`, those of score bins
/// under the stratum `score_bin:i` (1 = highest scores).
///
/// # Errors
/// None for a report that [`crate::evaluate`] made: it has rows, and all have the same columns.
pub fn tsv(report: &Report) -> Result<String, csv::Error> {
    let mut table = WriterBuilder::new()
        .delimiter(b'\t')
        .quote_style(QuoteStyle::Never)
        .from_writer(Vec::new());
    let match_rule = report.evaluation.match_rule.as_str();
    let baseline = report.evaluation.baseline.as_deref().unwrap_or("");
    for cell in &report.evaluation.cells {
        write_cell(&mut table, cell, match_rule, baseline)?;
    }
    for group in &report.at_filter {
        for figures in &group.rows {
            let place = Row {
                kind: group.kind.name(),
                stratum: &group.stratum,
                match_rule,
                ..Row::default()
            };
            write_filter(&mut table, place, figures)?;
        }
    }
    for rows in &report.genotypes {
        write_genotypes(&mut table, rows, match_rule)?;
    }
    for group in &report.no_truth {
        let place = Row {
            score: &group.score,
            kind: group.kind.name(),
            match_rule: "none",
            ..Row::default()
        };
        match &group.bins {
            Ok(bins) => {
                for (number, bin) in (1..).zip(bins) {
                    write_bin(&mut table, &place, number, bin)?;
                }
            }
            Err(why) => table.serialize(Row {
                stratum: "score_bin",
                figure: "ti_tv",
                reason: why.to_string(),
                ..place
            })?,
        }
    }
    let bytes = table
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

type Table = Writer<Vec<u8>>;

impl<'a> Row<'a> {
    /// The row with an estimate, or with the reason for its absence.
    fn with_estimate(self, estimate: &'a Estimate) -> Self {
        let row = Self {
            figure: &estimate.figure,
            value: estimate.value.as_ref().ok().copied(),
            reason: estimate.reason().unwrap_or_default(),
            ..self
        };
        row.with_interval(estimate.ends())
    }

    fn with_interval(self, interval: Option<Interval>) -> Self {
        Self {
            ci_low: interval.map(|ends| ends.low),
            ci_high: interval.map(|ends| ends.high),
            ..self
        }
    }

    /// The row with a value, or with the reason for its absence.
    fn with_value<E: ToString>(self, figure: &'a str, value: Result<f64, E>) -> Self {
        let (value, reason) = match value {
            Ok(value) => (Some(value), String::new()),
            Err(why) => (None, why.to_string()),
        };
        Self {
            figure,
            value,
            reason,
            ..self
        }
    }
}

fn write_cell(
    table: &mut Table,
    cell: &Cell,
    match_rule: &str,
    baseline: &str,
) -> Result<(), csv::Error> {
    let place = Row {
        score: &cell.score,
        kind: cell.kind.name(),
        stratum: &cell.stratum,
        match_rule,
        n_true: Some(cell.n_true),
        n_false: Some(cell.n_false),
        n_missed: cell.n_missed,
        prevalence: cell.prevalence.as_ref().ok().copied(),
        ..Row::default()
    };
    for estimate in &cell.figures {
        table.serialize(place.clone().with_estimate(estimate))?;
    }
    for difference in &cell.differences {
        table.serialize(Row {
            baseline,
            p_value: difference.p_value.as_ref().ok().copied(),
            ..place.clone().with_estimate(&difference.estimate)
        })?;
    }
    Ok(())
}

fn write_filter(
    table: &mut Table,
    place: Row<'_>,
    figures: &FilterFigures,
) -> Result<(), csv::Error> {
    let counts = figures.counts;
    let judged = counts.query_tp + counts.query_fp;
    let whole = |n: u64| Ok(n as f64);
    let rows: [(&str, Figure, Option<Interval>); 9] = [
        ("recall", figures.recall.clone(), figures.recall_interval),
        (
            "precision",
            figures.precision.clone(),
            figures.precision_interval,
        ),
        ("f1", figures.f1.clone(), None),
        ("fraction_unjudged", figures.fraction_unjudged.clone(), None),
        ("truth_tp", whole(counts.truth_tp), None),
        (
            "truth_fn",
            counts.truth_fn.map_or(Err(Undefined::MissedUnknown), whole),
            None,
        ),
        ("query_tp", whole(counts.query_tp), None),
        ("query_fp", whole(counts.query_fp), None),
        ("query_unk", whole(counts.query_unk), None),
    ];
    let place = Row {
        score: match figures.filter {
            FilterRow::All => "FILTER:ALL",
            FilterRow::Pass => "FILTER:PASS",
        },
        n_true: Some(counts.query_tp),
        n_false: Some(counts.query_fp),
        prevalence: (judged > 0).then(|| counts.query_tp as f64 / judged as f64),
        ..place
    };
    for (figure, value, interval) in rows {
        let row = place.clone().with_interval(interval);
        table.serialize(row.with_value(figure, value))?;
    }
    Ok(())
}

fn write_genotypes(
    table: &mut Table,
    rows: &GenotypeRows,
    match_rule: &str,
) -> Result<(), csv::Error> {
    let place = Row {
        score: "GENOTYPE",
        kind: rows.kind.name(),
        stratum: &rows.stratum,
        match_rule,
        ..Row::default()
    };
    let figures = [
        ("genotype_concordance", &rows.concordance),
        ("genotype_nonref_concordance", &rows.nonref_concordance),
        ("genotype_precision", &rows.precision),
        ("genotype_recall", &rows.recall),
    ];
    for (name, figure) in figures {
        let interval = figure.value.is_ok().then_some(figure.interval);
        let row = place.clone().with_interval(interval);
        table.serialize(row.with_value(name, figure.value.clone()))?;
    }
    table.serialize(place.clone().with_value("genotype_f1", rows.f1.clone()))?;
    for (truth, counts) in rows.matrix.iter().enumerate() {
        for (called, count) in counts.iter().enumerate() {
            let name = format!("genotype_truth{truth}_called{called}");
            let value = Figure::Ok(*count as f64);
            table.serialize(place.clone().with_value(&name, value))?;
        }
    }
    Ok(())
}

fn write_bin(
    table: &mut Table,
    place: &Row<'_>,
    number: usize,
    bin: &ScoreBin,
) -> Result<(), csv::Error> {
    let stratum = format!("score_bin:{number}");
    let place = Row {
        stratum: &stratum,
        ..place.clone()
    };
    // The number with the digits of the 32-bit score.
    let edge = |value: Option<f32>| {
        value
            .and_then(|v| v.to_string().parse().ok())
            .ok_or("the score is missing")
    };
    table.serialize(place.clone().with_value("score_high", edge(bin.high)))?;
    table.serialize(place.clone().with_value("score_low", edge(bin.low)))?;
    let count = Figure::Ok(bin.n as f64);
    table.serialize(place.clone().with_value("n_records", count))?;
    table.serialize(place.clone().with_value("ti_tv", bin.ti_tv.clone()))?;
    table.serialize(place.with_value("het_hom", bin.het_hom.clone()))
}
