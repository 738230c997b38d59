//! The summary for a terminal.

use std::fmt::Write as _;

use super::{Report, number};
use crate::at_filter::FilterRow;
use crate::classes::Kind;
use crate::{Cell, Metric};

/// Headings of the score table.
const HEADINGS: [&str; 8] = [
    "score",
    "PR-AUC [95 % CI]",
    "balanced",
    "ROC-AUC",
    "best F1",
    "R@P95",
    "R@P99",
    "p vs baseline",
];

/// A summary for a terminal, at most about 110 columns wide: for each kind the scores over all records and
/// over the difficult regions, figures at the filter, and the reasons for what is undefined.
pub fn text(report: &Report) -> String {
    let e = &report.evaluation;
    let mut out = String::new();
    line(
        &mut out,
        format_args!(
            "{}: {} records, {} judged; match by {}; {} resamples of {} blocks, seed {}{}",
            report.title,
            number::count(e.n_records as u64),
            number::count(e.n_judged as u64),
            e.match_rule,
            e.resamples,
            e.blocks,
            e.seed,
            match &e.baseline {
                Some(name) => format!("; baseline {name}"),
                None => String::new(),
            }
        ),
    );
    for (what, value) in report.provenance.iter().filter(|(what, _)| is_shown(what)) {
        line(&mut out, format_args!("{what}: {value}"));
    }
    if e.n_judged == 0 {
        write_no_truth(&mut out, report);
        return out;
    }
    for kind in Kind::ALL {
        for stratum in ["all", "difficult"] {
            let cells: Vec<&Cell> = e
                .cells
                .iter()
                .filter(|c| c.kind == kind && c.stratum == stratum)
                .collect();
            if let Some(first) = cells.first() {
                write_table(&mut out, kind, stratum, first, &cells);
            }
        }
    }
    for group in report.at_filter.iter().filter(|g| g.stratum == "all") {
        for row in &group.rows {
            line(
                &mut out,
                format_args!(
                    "{} FILTER {} (match by {}): precision {}, recall {}, F1 {} (truth {} found, {} not; {} false calls, {} unjudged)",
                    group.kind.name(),
                    match row.filter {
                        FilterRow::All => "any",
                        FilterRow::Pass => "PASS",
                    },
                    e.match_rule,
                    number::figure(&row.precision),
                    number::figure(&row.recall),
                    number::figure(&row.f1),
                    number::count(row.counts.truth_tp),
                    row.counts
                        .truth_fn
                        .map_or_else(|| "?".to_owned(), number::count),
                    number::count(row.counts.query_fp),
                    number::count(row.counts.query_unk),
                ),
            );
        }
    }
    for rows in report.genotypes.iter().filter(|rows| rows.stratum == "all") {
        let [_, one, two] = rows.matrix;
        line(
            &mut out,
            format_args!(
                "{} genotypes: {} of {} real ALTs that are called have their copies ({}); precision {}, recall {}, F1 {}, non-reference concordance {}",
                rows.kind.name(),
                number::count(one[1] + two[2]),
                number::count(one[1] + one[2] + two[1] + two[2]),
                number::figure(&rows.concordance.value),
                number::figure(&rows.precision.value),
                number::figure(&rows.recall.value),
                number::figure(&rows.f1),
                number::figure(&rows.nonref_concordance.value),
            ),
        );
    }
    out
}

/// True for lines of the provenance that stand at the head of the summary: the fate of records.
fn is_shown(what: &str) -> bool {
    ["records", "truth records", "NOTHING"]
        .iter()
        .any(|start| what.starts_with(start))
}

/// Ti/Tv and het/hom of the best and of the worst scored calls: all there is without labels.
fn write_no_truth(out: &mut String, report: &Report) {
    for rows in &report.no_truth {
        let Ok(bins) = &rows.bins else {
            continue;
        };
        line(
            out,
            format_args!("\n{} by {}", rows.kind.name(), rows.score),
        );
        let row = |cells: [String; 4]| {
            format!(
                "  {:<24}  {:>9}  {:>7}  {:>7}",
                cells[0], cells[1], cells[2], cells[3]
            )
        };
        let headings = ["score", "calls", "Ti/Tv", "het/hom"].map(str::to_owned);
        line(out, format_args!("{}", row(headings)));
        for bin in bins {
            let cells = [
                format!("{} to {}", number::score(bin.high), number::score(bin.low)),
                number::count(bin.n),
                number::figure(&bin.ti_tv),
                number::figure(&bin.het_hom),
            ];
            line(out, format_args!("{}", row(cells)));
        }
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

fn write_table(out: &mut String, kind: Kind, stratum: &str, first: &Cell, cells: &[&Cell]) {
    line(
        out,
        format_args!(
            "\n{} {stratum}: {} true, {} false, prevalence {}; {} truth variants without a matching call",
            kind.name(),
            number::count(first.n_true),
            number::count(first.n_false),
            number::figure(&first.prevalence),
            first.n_missed.map_or_else(|| "?".to_owned(), number::count),
        ),
    );
    let mut rows: Vec<[String; HEADINGS.len()]> = vec![HEADINGS.map(str::to_owned)];
    let mut reasons = Vec::new();
    for cell in cells {
        let value = |metric: Metric| {
            cell.figure(metric.name())
                .map_or_else(String::new, |e| number::figure(&e.value))
        };
        let pr_auc = cell.figure(Metric::PrAuc.name());
        let p = cell
            .difference(Metric::PrAuc)
            .and_then(|d| d.p_value.as_ref().ok());
        rows.push([
            cell.score.clone(),
            pr_auc.map_or_else(String::new, number::with_interval),
            value(Metric::PrAucBalanced),
            value(Metric::RocAuc),
            value(Metric::BestF1),
            value(Metric::RecallAtPrecision95),
            value(Metric::RecallAtPrecision99),
            p.map_or_else(String::new, |p| number::p_value(*p)),
        ]);
        if let Some(reason) = pr_auc.and_then(|e| e.reason()) {
            reasons.push(format!("  {}: {reason}", cell.score));
        }
    }
    let widths: [usize; HEADINGS.len()] = std::array::from_fn(|i| {
        rows.iter()
            .map(|row| row[i].chars().count())
            .max()
            .unwrap_or(0)
    });
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(text, width)| format!("{text:<width$}"))
            .collect();
        line(out, format_args!("  {}", cells.join("  ").trim_end()));
    }
    for reason in reasons {
        line(out, format_args!("{reason}"));
    }
}
