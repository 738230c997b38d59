//! One self-contained HTML page: nothing is fetched, and the page's own policy forbids it.
//!
//! Tables are written here, so that they show and print without scripts; `assets/report.js` draws the
//! charts with uPlot (MIT licence, inlined with its notice) from the JSON inside the page.

use super::escape::escape;
use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::html_tables::{at_filter, glance, no_truth, provenance, strata, worst};
use super::{Report, number};
use crate::{Cell, ScoreHistogram};

const TEMPLATE: &str = include_str!("assets/report.html");
const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");
const UPLOT_SCRIPT: &str = include_str!("assets/uplot-1.6.32.iife.min.js");
const UPLOT_STYLE: &str = include_str!("assets/uplot-1.6.32.min.css");
const UPLOT_LICENCE: &str = include_str!("assets/uplot-LICENSE.txt");

/// The page.
///
/// # Errors
/// As [`super::json`].
pub fn html(report: &Report) -> Result<String, serde_json::Error> {
    let e = &report.evaluation;
    let data = serde_json::to_string(&PageData {
        scores: &e.scores,
        cells: PageCells(&e.cells),
        histograms: &e.histograms,
    })?
    // Inside a script element only `<` can end the data.
    .replace('<', "\\u003c");
    let mut summary = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        summary,
        "{} records, {} judged. Labels by <b>{}</b> match. 95 % intervals from {} resamples of {} blocks of \
         neighbouring records (seed {}).",
        number::count(e.n_records as u64),
        number::count(e.n_judged as u64),
        escape(&e.match_rule),
        number::count(e.resamples as u64),
        number::count(e.blocks as u64),
        e.seed,
    );
    if let Some(baseline) = &e.baseline {
        let _ = write!(summary, " Compared with <b>{}</b>.", escape(baseline));
    }
    // One pass over the template: a value that holds a placeholder's text is not replaced again.
    let values: [(&str, &str); 14] = [
        ("title", &escape(&report.title)),
        ("summary", &summary),
        ("glance", &glance(e)),
        ("strata", &strata(e)),
        ("filter", &at_filter(&report.at_filter)),
        ("no_truth", &no_truth(&report.no_truth)),
        ("worst", &worst(&report.worst)),
        ("provenance", &provenance(&report.provenance)),
        ("style", STYLE),
        ("uplot_style", UPLOT_STYLE),
        ("uplot_licence", UPLOT_LICENCE),
        ("uplot_script", UPLOT_SCRIPT),
        ("script", SCRIPT),
        ("data", &data),
    ];
    let mut out = String::with_capacity(TEMPLATE.len() + data.len() + UPLOT_SCRIPT.len() + 200_000);
    let mut pieces = TEMPLATE.split("{{");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(value);
        }
        out.push_str(rest);
    }
    Ok(out)
}

/// What the charts are drawn from.
#[derive(Serialize)]
struct PageData<'a> {
    scores: &'a [String],
    cells: PageCells<'a>,
    histograms: &'a [ScoreHistogram],
}

/// The cells with curves, without the figures that are in the tables.
struct PageCells<'a>(&'a [Cell]);

impl Serialize for PageCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct PageCell<'a> {
            kind: crate::classes::Kind,
            stratum: &'a str,
            score: &'a str,
            n_true: u64,
            n_false: u64,
            pr_auc: Option<f64>,
            roc_auc: Option<f64>,
            reason: Option<String>,
            curves: Option<&'a crate::curves::Curves>,
            calibration: Option<&'a crate::calibration::Calibration>,
        }
        // Strata that are drawn for one score are listed for all, so that a reason can be shown.
        let drawn: std::collections::BTreeSet<(crate::classes::Kind, &str)> = self
            .0
            .iter()
            .filter(|c| c.curves.is_some() || c.calibration.is_some())
            .map(|c| (c.kind, c.stratum.as_str()))
            .collect();
        let mut seq = serializer.serialize_seq(None)?;
        for cell in self.0 {
            if !drawn.contains(&(cell.kind, cell.stratum.as_str())) && cell.stratum != "all" {
                continue;
            }
            let value = |name: &str| {
                cell.figure(name)
                    .and_then(|e| e.value.as_ref().ok().copied())
            };
            seq.serialize_element(&PageCell {
                kind: cell.kind,
                stratum: &cell.stratum,
                score: &cell.score,
                n_true: cell.n_true,
                n_false: cell.n_false,
                pr_auc: value("pr_auc"),
                roc_auc: value("roc_auc"),
                reason: cell
                    .figure("pr_auc")
                    .and_then(|e| e.value.as_ref().err().map(ToString::to_string)),
                curves: cell.curves.as_ref(),
                calibration: cell.calibration.as_ref(),
            })?;
        }
        seq.end()
    }
}
