//! The end of an evaluation.

use serde::Serialize;

use super::Summary;
use cnnfilter_eval::Cell;
use cnnfilter_eval::report::{FilterRows, Report};

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
}
