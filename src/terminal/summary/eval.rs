//! The end of an evaluation.

use serde::Serialize;

use super::super::multiqc::{Column, Section, Show};
use super::Summary;
use cnnfilter_eval::report::{FilterRows, Report};
use cnnfilter_eval::{Cell, Figure, FilterFigures, FilterRow};

/// The figures over all calls and over the difficult ones, in the form that eval.json has.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EvalSummary {
    records: usize,
    judged: usize,
    match_rule: String,
    baseline: Option<String>,
    cells: Vec<Cell>,
    at_filter: Vec<FilterRows>,
    /// Calls on the page of the worst, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_shown: Option<u64>,
    #[serde(skip)]
    text: String,
}

impl EvalSummary {
    /// The figures of a report that its text shows.
    pub(crate) fn new(report: &Report, text: String, worst_shown: Option<u64>) -> Self {
        let figures = &report.evaluation;
        let shown = figures
            .cells
            .iter()
            .filter(|cell| ["all", "difficult"].contains(&cell.stratum.as_str()));
        let at_filter = report.at_filter.iter().filter(|rows| rows.stratum == "all");
        Self {
            records: figures.n_records,
            judged: figures.n_judged,
            match_rule: figures.match_rule.clone(),
            baseline: figures.baseline.clone(),
            cells: shown
                .map(|cell| Cell {
                    // Hundreds of points each, which eval.json has.
                    curves: None,
                    calibration: None,
                    ..cell.clone()
                })
                .collect(),
            at_filter: at_filter.cloned().collect(),
            worst_shown,
            text,
        }
    }
}

impl Summary for EvalSummary {
    const COMMAND: &'static str = "eval";

    fn to_text(&self) -> String {
        self.text.clone()
    }

    /// What FILTER lets pass, and PR-AUC of the scores, over all calls. Of the scores the first and the one that
    /// it is compared with are shown, the others on demand.
    fn section(&self) -> Option<Section> {
        let judged = self.judged as u64;
        let mut columns = vec![Column::count(
            "judged",
            "Judged",
            "Calls with a label",
            judged,
        )];
        for of_kind in &self.at_filter {
            let passing = of_kind.rows.iter();
            for row in passing.filter(|row| row.filter == FilterRow::Pass) {
                columns.extend(at_filter(of_kind.kind.name(), row));
            }
        }
        let cells = || self.cells.iter().filter(|cell| cell.stratum == "all");
        let first = cells().next().map(|cell| &cell.score);
        for cell in cells() {
            let (kind, score) = (cell.kind.name(), &cell.score);
            let figure = cell.figure("pr_auc").map(|figure| figure.value.as_ref());
            let column = Column::figure(
                &format!("pr_auc_{kind}_{score}"),
                &format!("{kind} PR-AUC, {score}"),
                &format!("Area under precision and recall of {kind}s by {score}"),
                figure.and_then(Result::ok).copied(),
            );
            let is_shown = Some(score) == first || Some(score) == self.baseline.as_ref();
            columns.push(if is_shown { column } else { column.hidden() });
        }
        Some(Section {
            id: "cnnfilter_eval",
            name: "cnnfilter eval",
            description: "Calls compared with a truth set.",
            show: Show::Table,
            columns,
        })
    }
}

/// Precision and recall of the calls of a kind that pass.
fn at_filter(kind: &str, row: &FilterFigures) -> [Column; 2] {
    let column = |id: &str, what: &str, value: &Figure| {
        Column::share(
            &format!("{id}_{kind}"),
            &format!("{kind} {id}, PASS"),
            what,
            value.as_ref().ok().copied(),
        )
    };
    [
        column(
            "precision",
            "Calls that pass: the share that is true",
            &row.precision,
        ),
        column("recall", "The share of the truth that passes", &row.recall),
    ]
}
