//! One self-contained HTML page: nothing is fetched, and the page's own policy forbids it.
//!
//! Tables are written here, so that they show and print without scripts; `assets/report.js` draws the
//! charts with uPlot (MIT licence, inlined with its notice) from the JSON inside the page. The markup
//! is maud's, which checks the tags when it compiles and escapes every value.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::html_tables::{at_filter, genotypes, glance, no_truth, strata, worst};
use super::{Report, number};
use crate::calibration::ReliabilityCurve;
use crate::classes::Kind;
use crate::curves::Curves;
use crate::{Cell, Evaluation, ScoreHistogram};

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");
const UPLOT_SCRIPT: &str = include_str!("assets/uplot-1.6.32.iife.min.js");
const UPLOT_STYLE: &str = include_str!("assets/uplot-1.6.32.min.css");
const UPLOT_LICENCE: &str = include_str!("assets/uplot-LICENSE.txt");

/// Nothing is loaded; styles and scripts stand in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

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
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            (head(&report.title))
            body { "\n"
                header { "\n"
                    h1 { (report.title) } "\n"
                    p { (summary(e)) } "\n"
                } "\n"
                (main(report)) "\n"
                (PreEscaped(format!("<!--\n{UPLOT_LICENCE}\n-->"))) "\n"
                script { (PreEscaped(UPLOT_SCRIPT)) } "\n"
                script type="application/json" id="data" { (PreEscaped(data)) } "\n"
                script { (PreEscaped(SCRIPT)) } "\n"
            } "\n"
        } "\n"
    };
    Ok(page.into_string())
}

fn head(title: &str) -> Markup {
    html! {
        head { "\n"
            meta charset="utf-8"; "\n"
            meta name="viewport" content="width=device-width, initial-scale=1"; "\n"
            meta name="color-scheme" content="light dark"; "\n"
            meta http-equiv="Content-Security-Policy" content=(POLICY); "\n"
            link rel="icon" href="data:,"; "\n"
            title { (title) } "\n"
            style { (PreEscaped(UPLOT_STYLE)) } "\n"
            style { (PreEscaped(STYLE)) } "\n"
        } "\n"
    }
}

/// The sentence below the title.
fn summary(e: &Evaluation) -> Markup {
    html! {
        (number::count(e.n_records as u64)) " records, "
        (number::count(e.n_judged as u64)) " judged. Labels by " b { (e.match_rule) }
        " match. 95 % intervals from " (number::count(e.resamples as u64)) " resamples of "
        (number::count(e.blocks as u64)) " blocks of neighbouring records (seed " (e.seed) ")."
        @if let Some(baseline) = &e.baseline {
            " Compared with " b { (baseline) } "."
        }
    }
}

fn main(report: &Report) -> Markup {
    let e = &report.evaluation;
    html! {
        main { "\n"
            section { "\n"
                h2 { "All records" } "\n"
                (glance(e)) "\n"
                p.note {
                    "PR-AUC is the step-wise average precision at the prevalence of the data; \
                    “balanced” weighs true and false calls alike. Small print: 95 % interval. \
                    Bold: best of the column. A dash is undefined; its tooltip says why."
                } "\n"
            } "\n"
            (curves()) "\n"
            (calibration()) "\n"
            (histograms()) "\n"
            section id="strata" { "\n"
                h2 { "Strata" } "\n"
                div.controls.needs-script {
                    label { "figure " select id="metric" {} }
                } "\n"
                (strata(e)) "\n"
            } "\n"
            (at_filter(&report.at_filter)) "\n"
            (genotypes(&report.genotypes)) "\n"
            (no_truth(&report.no_truth)) "\n"
            (worst(&report.worst)) "\n"
            section { "\n"
                h2 { "Where this comes from" } "\n"
                dl {
                    @for (name, value) in &report.provenance {
                        dt { (name) }
                        dd { (value) }
                    }
                } "\n"
            } "\n"
        }
    }
}

/// The place of a chart and of the values under the pointer.
fn chart(caption: &str, id: &str) -> Markup {
    html! {
        figure {
            figcaption { (caption) }
            div id=(id) class="chart" {}
            div id={ (id) "-read" } class="read" {}
        }
    }
}

fn curves() -> Markup {
    html! {
        section id="curves" class="needs-script" { "\n"
            h2 { "Curves" } "\n"
            div.controls { "\n"
                label { "kind " select id="kind" {} } "\n"
                label { "stratum " select id="stratum" {} } "\n"
                label { input type="checkbox" id="full-axes"; " full axes" } "\n"
            } "\n"
            p class="note" id="counts" {} "\n"
            div id="legend" class="legend" {} "\n"
            div.charts { "\n"
                (chart("Precision by recall", "pr")) "\n"
                (chart("True by false positive rate", "roc")) "\n"
            } "\n"
            p.note {
                "Move over a chart to read values and thresholds; drag to zoom, double-click to go \
                back; click a name to hide its curve. Curves are thinned for drawing; the figures \
                are not."
            } "\n"
        }
    }
}

fn calibration() -> Markup {
    html! {
        section id="calibration" class="needs-script" hidden { "\n"
            h2 { "Calibration" } "\n"
            p class="note" id="calibration-note" {} "\n"
            div.charts { (chart("Share of true calls by probability", "cal")) } "\n"
        }
    }
}

fn histograms() -> Markup {
    html! {
        section id="histograms" class="needs-script" { "\n"
            h2 { "Score histograms" } "\n"
            p.note {
                "Share of the true and of the false calls in each bin, all records of the kind chosen \
                above. End bins hold what lies beyond the 0.5th and 99.5th percentile."
            } "\n"
            div.legend {
                span.swatch-true { "true calls" }
                span.swatch-false { "false calls" }
            } "\n"
            div id="hist" class="charts small" {} "\n"
        }
    }
}

/// The data of the charts.
#[derive(Serialize)]
struct PageData<'a> {
    scores: &'a [String],
    cells: PageCells<'a>,
    histograms: &'a [ScoreHistogram],
}

/// The cells with curves, without the figures that are in the tables.
struct PageCells<'a>(&'a [Cell]);

/// A cell as the charts take it.
#[derive(Serialize)]
struct PageCell<'a> {
    kind: Kind,
    stratum: &'a str,
    score: &'a str,
    n_true: u64,
    n_false: u64,
    pr_auc: Option<f64>,
    roc_auc: Option<f64>,
    reason: Option<String>,
    curves: Option<&'a Curves>,
    calibration: Option<&'a ReliabilityCurve>,
}

impl<'a> From<&'a Cell> for PageCell<'a> {
    fn from(cell: &'a Cell) -> Self {
        let value = |name: &str| {
            cell.figure(name)
                .and_then(|e| e.value.as_ref().ok().copied())
        };
        Self {
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
        }
    }
}

impl Serialize for PageCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Strata that are drawn for one score are listed for all, so that a reason can be shown.
        let drawn: BTreeSet<(Kind, &str)> = self
            .0
            .iter()
            .filter(|c| c.curves.is_some() || c.calibration.is_some())
            .map(|c| (c.kind, c.stratum.as_str()))
            .collect();
        let mut seq = serializer.serialize_seq(None)?;
        for cell in self.0 {
            if drawn.contains(&(cell.kind, cell.stratum.as_str())) || cell.stratum == "all" {
                seq.serialize_element(&PageCell::from(cell))?;
            }
        }
        seq.end()
    }
}
