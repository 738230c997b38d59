//! All figures as a long table, one figure a row, for R and pandas.

use super::Report;
use crate::Undefined;
use crate::at_filter::{FilterFigures, FilterRow};
use crate::bootstrap::Interval;
use crate::no_truth::ScoreBin;
use crate::{Cell, Estimate, Figure};

/// Names of the columns.
pub(super) const COLUMNS: [&str; 15] = [
    "score",
    "kind",
    "stratum",
    "match",
    "figure",
    "value",
    "ci_low",
    "ci_high",
    "n_true",
    "n_false",
    "n_missed",
    "prevalence",
    "baseline",
    "p_value",
    "reason",
];

/// One row.
#[derive(Default)]
struct Row<'a> {
    score: &'a str,
    kind: &'a str,
    stratum: &'a str,
    match_rule: &'a str,
    figure: &'a str,
    value: Option<f64>,
    interval: Option<Interval>,
    counts: Option<(u64, u64)>,
    missed: Option<u64>,
    prevalence: Option<f64>,
    baseline: &'a str,
    p_value: Option<f64>,
    reason: Option<String>,
}

/// The long table with a header line; what does not exist is `NA`, and `reason` says why.
///
/// Figures at the FILTER column stand under the score `FILTER:ALL` and `FILTER:PASS`, those of score bins
/// under the stratum `score_bin:i` (1 = highest scores).
pub fn tsv(report: &Report) -> String {
    let mut out = COLUMNS.join("\t");
    out.push('\n');
    let match_rule = report.evaluation.match_rule.as_str();
    let baseline = report.evaluation.baseline.as_deref().unwrap_or("");
    for cell in &report.evaluation.cells {
        write_cell(&mut out, cell, match_rule, baseline);
    }
    for group in &report.at_filter {
        for figures in &group.rows {
            write_filter(
                &mut out,
                group.kind.name(),
                &group.stratum,
                match_rule,
                figures,
            );
        }
    }
    for group in &report.no_truth {
        match &group.bins {
            Ok(bins) => {
                for (i, bin) in bins.iter().enumerate() {
                    write_bin(&mut out, group.kind.name(), &group.score, i + 1, bin);
                }
            }
            Err(why) => Row {
                score: &group.score,
                kind: group.kind.name(),
                stratum: "score_bin",
                match_rule: "none",
                figure: "ti_tv",
                reason: Some(why.to_string()),
                ..Row::default()
            }
            .write(&mut out),
        }
    }
    out
}

impl Row<'_> {
    fn write(&self, out: &mut String) {
        let number = |value: Option<f64>| value.map_or_else(|| "NA".to_owned(), |v| v.to_string());
        let whole = |value: Option<u64>| value.map_or_else(|| "NA".to_owned(), |v| v.to_string());
        // A name with a tab or a line end would break the table.
        let text = |value: &str| match value {
            "" => "NA".to_owned(),
            value => value.replace(['\t', '\n', '\r'], " "),
        };
        let fields = [
            text(self.score),
            text(self.kind),
            text(self.stratum),
            text(self.match_rule),
            text(self.figure),
            number(self.value),
            number(self.interval.map(|i| i.low)),
            number(self.interval.map(|i| i.high)),
            whole(self.counts.map(|c| c.0)),
            whole(self.counts.map(|c| c.1)),
            whole(self.missed),
            number(self.prevalence),
            text(self.baseline),
            number(self.p_value),
            text(self.reason.as_deref().unwrap_or("")),
        ];
        out.push_str(&fields.join("\t"));
        out.push('\n');
    }
}

fn write_cell(out: &mut String, cell: &Cell, match_rule: &str, baseline: &str) {
    let row = |estimate: &Estimate| {
        (
            estimate.value.as_ref().ok().copied(),
            estimate.ends(),
            estimate.reason(),
        )
    };
    for estimate in &cell.figures {
        let (value, interval, reason) = row(estimate);
        Row {
            score: &cell.score,
            kind: cell.kind.name(),
            stratum: &cell.stratum,
            match_rule,
            figure: &estimate.figure,
            value,
            interval,
            counts: Some((cell.n_true, cell.n_false)),
            missed: cell.n_missed,
            prevalence: cell.prevalence.as_ref().ok().copied(),
            reason,
            ..Row::default()
        }
        .write(out);
    }
    for difference in &cell.differences {
        let (value, interval, reason) = row(&difference.estimate);
        Row {
            score: &cell.score,
            kind: cell.kind.name(),
            stratum: &cell.stratum,
            match_rule,
            figure: &difference.estimate.figure,
            value,
            interval,
            counts: Some((cell.n_true, cell.n_false)),
            missed: cell.n_missed,
            prevalence: cell.prevalence.as_ref().ok().copied(),
            baseline,
            p_value: difference.p_value.as_ref().ok().copied(),
            reason,
        }
        .write(out);
    }
}

fn write_filter(
    out: &mut String,
    kind: &str,
    stratum: &str,
    match_rule: &str,
    figures: &FilterFigures,
) {
    let score = match figures.filter {
        FilterRow::All => "FILTER:ALL",
        FilterRow::Pass => "FILTER:PASS",
    };
    let c = figures.counts;
    let judged = c.query_tp + c.query_fp;
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
        ("truth_tp", whole(c.truth_tp), None),
        (
            "truth_fn",
            c.truth_fn.map_or(Err(Undefined::MissedUnknown), whole),
            None,
        ),
        ("query_tp", whole(c.query_tp), None),
        ("query_fp", whole(c.query_fp), None),
        ("query_unk", whole(c.query_unk), None),
    ];
    for (figure, value, interval) in rows {
        Row {
            score,
            kind,
            stratum,
            match_rule,
            figure,
            interval,
            counts: Some((c.query_tp, c.query_fp)),
            prevalence: (judged > 0).then(|| c.query_tp as f64 / judged as f64),
            reason: value.as_ref().err().map(ToString::to_string),
            value: value.ok(),
            ..Row::default()
        }
        .write(out);
    }
}

fn write_bin(out: &mut String, kind: &str, score: &str, number: usize, bin: &ScoreBin) {
    let stratum = format!("score_bin:{number}");
    let edge = |value: Option<f32>| {
        value
            .and_then(|v| v.to_string().parse().ok())
            .ok_or("the score is missing")
    };
    let mut row = |figure: &str, value: Result<f64, String>| {
        Row {
            score,
            kind,
            stratum: &stratum,
            match_rule: "none",
            figure,
            reason: value.as_ref().err().cloned(),
            value: value.ok(),
            ..Row::default()
        }
        .write(out);
    };
    row("score_high", edge(bin.high).map_err(str::to_owned));
    row("score_low", edge(bin.low).map_err(str::to_owned));
    row("n_records", Ok(bin.n as f64));
    row("ti_tv", bin.ti_tv.clone().map_err(|why| why.to_string()));
    row(
        "het_hom",
        bin.het_hom.clone().map_err(|why| why.to_string()),
    );
}
