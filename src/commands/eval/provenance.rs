//! The lines of a report that say where it comes from.

use super::{EvalPlan, Tallies};
use crate::commands::labels::LabelPlan;
use cnnfilter_eval::calls::CallCollector;

/// Inputs by name, and the counts of all records.
pub(super) fn lines(
    plan: &EvalPlan,
    collector: &CallCollector,
    tallies: &Tallies,
) -> Vec<(String, String)> {
    let version = format!("cnnfilter {}", env!("CARGO_PKG_VERSION"));
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| lines.push((what.to_owned(), value));
    if !matches!(plan.labels, LabelPlan::Nothing) && collector.judged() == 0 {
        line("NOTHING IS JUDGED", "no call has a label".to_owned());
    }
    line("program", version);
    for path in &plan.variants {
        line("calls", path.display().to_string());
    }
    match &plan.labels {
        LabelPlan::Truth {
            truth, confident, ..
        } => {
            line("truth", truth.display().to_string());
            let everywhere = "not given: the truth counts as complete everywhere".to_owned();
            let path = confident.as_ref().map(|path| path.display().to_string());
            line("confident regions", path.unwrap_or(everywhere));
        }
        LabelPlan::Happy => line("labels", "hap.py's, from FORMAT/BD".to_owned()),
        LabelPlan::Vcfeval => line("labels", "vcfeval's, from INFO/CALL".to_owned()),
        LabelPlan::Table(path) => line("labels", path.display().to_string()),
        LabelPlan::Nothing => line("labels", "none".to_owned()),
    }
    if let Some(path) = &plan.reference {
        line("reference", path.display().to_string());
    }
    for (name, path) in &plan.strata {
        line(&format!("stratum {name}"), path.display().to_string());
    }
    for (what, value) in tallies.truth_records.notes() {
        line(what, value);
    }
    if tallies.outside > 0 {
        line("records outside the regions", tallies.outside.to_string());
    }
    lines.extend(collector.label_lines());
    if matches!(plan.labels, LabelPlan::Truth { .. }) {
        for (kind, counts) in tallies.truth.texts() {
            lines.push((format!("truth alleles, {}", kind.name()), counts));
        }
    }
    lines
}
