//! The end of a filtering run.

use super::super::multiqc::{Column, Section, Show};
use super::Summary;
use cnnfilter_core::filter::FilterSummary;

impl Summary for FilterSummary {
    const COMMAND: &'static str = "filter";

    fn to_text(&self) -> String {
        self.to_text()
    }

    fn section(&self) -> Option<Section> {
        let passed: u64 = self.rows.iter().map(|row| row.passed).sum();
        let failed = self.rows.iter().map(|row| row.filtered).sum();
        let bar = |id, title, count, color| Column::bar(id, title, count, color);
        Some(Section {
            id: "cnnfilter_filter",
            name: "cnnfilter filter",
            description: "Records by what became of them: compared with a threshold, or not.",
            show: Show::Bars,
            columns: vec![
                bar("passed", "Passed", passed, "#0072b2"),
                bar("failed", "Failed", failed, "#d55e00"),
                bar(
                    "not_judged",
                    "Not judged",
                    self.not_judged.values().sum(),
                    "#999999",
                ),
            ],
        })
    }
}
