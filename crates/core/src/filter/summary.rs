//! Summary of a filtering run: a table for the terminal, and JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::decision::{Decision, NotJudged, ThresholdFilter};
use crate::score::measured::{Worth, worth_table};
use crate::table::write_table;

/// One threshold, cut-off or band, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SummaryRow {
    /// `SNP` or `INDEL`.
    pub kind: &'static str,
    /// FILTER name of what fails here.
    pub filter: String,
    /// Name of the threshold: `aim f1`, `tranche 99.95`.
    pub rule: String,
    /// A record passes when its score is at least this (thresholds) or above it (tranches).
    pub threshold: f64,
    /// Records that passed the threshold; of several tranches those of the bands above count with them.
    pub passed: u64,
    /// Records that got this filter.
    pub filtered: u64,
    /// Precision of what passes, on the held-out calls of the model; not known for tranches.
    pub expected_precision: Option<f64>,
    /// Share of real calls that pass: on the held-out calls, or the sensitivity of the tranche.
    pub expected_recall: Option<f64>,
    /// Known calls that a cut-off rests on; for tranches only.
    pub known_calls: Option<u64>,
    /// What the threshold is worth on calls that had no say in it, as far as the model's card knows.
    pub tested: Vec<Worth>,
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FilterSummary {
    /// `tranches` or `thresholds`.
    pub mode: &'static str,
    /// INFO key of the score.
    pub info_key: String,
    /// Name of the model whose thresholds were used.
    pub model: Option<String>,
    /// The held-out calls that expected precision and recall were measured on.
    pub measured_on: Option<String>,
    /// Records read.
    pub records_read: u64,
    /// Records outside the regions asked for, not written.
    pub outside_regions: u64,
    /// Filtered records that were left out (`--exclude-filtered`).
    pub excluded: u64,
    /// Records written.
    pub records_written: u64,
    /// One row a threshold or band.
    pub rows: Vec<SummaryRow>,
    /// Records that were not judged, by reason.
    pub not_judged: BTreeMap<&'static str, u64>,
    /// ALT alleles taken out (`--trim-alts`).
    pub trimmed_alternates: u64,
    /// Records that kept a failed ALT, by reason.
    pub not_trimmed: BTreeMap<String, u64>,
    /// Genotypes that fail by FORMAT CNN.
    pub failed_genotypes: u64,
    /// Genotypes set to missing (`--set-gt-missing`).
    pub missing_genotypes: u64,
}

impl FilterSummary {
    /// Adds the rows of a model's thresholds, nothing counted yet, with the model and its held-out calls.
    pub fn add_thresholds(&mut self, filter: &ThresholdFilter) {
        self.model = Some(filter.model().to_owned());
        self.measured_on = Some(filter.measured_on().to_owned());
        let rows = filter.rows().iter().map(|row| SummaryRow {
            kind: row.kind.name(),
            filter: row.filter.clone(),
            rule: format!("aim {}", row.entry.aim),
            threshold: row.entry.probability,
            passed: 0,
            filtered: 0,
            expected_precision: Some(row.entry.precision),
            expected_recall: Some(row.entry.recall),
            known_calls: None,
            tested: row.tested.clone(),
        });
        self.rows.extend(rows);
    }

    /// Counts what became of a record; the rows of the thresholds begin at `first_row`.
    pub(super) fn count_decision(&mut self, decision: Decision<'_>, first_row: usize) {
        match decision {
            Decision::NotJudged(why) => self.count_not_judged(why),
            Decision::Judged { row, filter } => self.count(first_row + row, filter.is_none()),
        }
    }

    /// Number of records that were compared with a threshold or a cut-off.
    pub fn judged(&self) -> u64 {
        self.rows.iter().map(|row| row.passed + row.filtered).sum()
    }

    /// Counts a record that was compared with the threshold of a row.
    fn count(&mut self, row: usize, passes: bool) {
        if let Some(row) = self.rows.get_mut(row) {
            *(if passes {
                &mut row.passed
            } else {
                &mut row.filtered
            }) += 1;
        }
    }

    /// Counts a record that was not judged.
    pub(super) fn count_not_judged(&mut self, why: NotJudged) {
        *self.not_judged.entry(why.reason()).or_default() += 1;
    }

    /// The summary as lines of text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, count: u64| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<58} {count:>10}");
        };
        line("records read", self.records_read);
        for (what, count) in [
            ("outside the regions, not written", self.outside_regions),
            ("filtered, left out (--exclude-filtered)", self.excluded),
        ] {
            if count > 0 {
                line(what, count);
            }
        }
        line("records written", self.records_written);
        for (reason, count) in &self.not_judged {
            line(
                &format!("  not judged: {reason} ({})", self.info_key),
                *count,
            );
        }
        for (what, count) in [
            ("  ALT alleles trimmed", self.trimmed_alternates),
            ("  genotypes that fail (FT)", self.failed_genotypes),
            ("  genotypes set to missing", self.missing_genotypes),
        ] {
            if count > 0 {
                line(what, count);
            }
        }
        for (reason, count) in &self.not_trimmed {
            line(&format!("  not trimmed: {reason}"), *count);
        }
        self.table(&mut text);
        if let Some(measured_on) = &self.measured_on {
            let model = self.model.as_deref().unwrap_or("the model");
            let _ = writeln!(text, "expected: of {model}, measured on {measured_on}");
        }
        self.tested(&mut text);
        text
    }

    fn table(&self, text: &mut String) {
        if self.rows.is_empty() {
            return;
        }
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        let heads = [
            "kind",
            "rule",
            "threshold",
            "passed",
            "filtered",
            "exp. precision",
            "exp. recall",
        ];
        let mut cells = vec![heads.map(String::from)];
        for row in &self.rows {
            cells.push([
                row.kind.to_owned(),
                row.rule.clone(),
                format!("{}", row.threshold),
                row.passed.to_string(),
                row.filtered.to_string(),
                share(row.expected_precision),
                share(row.expected_recall),
            ]);
        }
        write_table(text, &cells);
    }

    /// What the thresholds are worth on calls that had no say in them.
    fn tested(&self, text: &mut String) {
        let rows = self.rows.iter();
        let rows = rows.flat_map(|row| row.tested.iter().map(|worth| (row.kind, worth)));
        let table = worth_table(rows);
        if !table.is_empty() {
            text.push_str(
                "at these thresholds, on calls that the model has never seen (95 % intervals):\n",
            );
            text.push_str(&table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::PerKind;
    use crate::score::thresholds::{Aim, AimThreshold, CardThresholds};

    #[test]
    fn every_record_is_accounted_for() {
        let entry = AimThreshold {
            aim: Aim::F1,
            probability: 0.625,
            precision: 0.99,
            recall: 0.98,
        };
        let thresholds = CardThresholds {
            measured_on: "chr20".into(),
            kinds: PerKind {
                snp: Some(vec![entry]),
                indel: None,
            },
            tested: Vec::new(),
        };
        let filter = ThresholdFilter::new(&thresholds, Aim::F1, "m").unwrap();
        let mut summary = FilterSummary {
            mode: "thresholds",
            info_key: "CNN_PROB".into(),
            records_read: 4,
            records_written: 4,
            ..FilterSummary::default()
        };
        summary.add_thresholds(&filter);
        summary.count(0, true);
        summary.count(0, true);
        summary.count(0, false);
        summary.count_not_judged(NotJudged::NoScore);
        assert_eq!(summary.judged(), 3);
        let text = summary.to_text();
        let row = text.lines().find(|line| line.starts_with("SNP")).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            ["SNP", "aim", "f1", "0.625", "2", "1", "0.9900", "0.9800"]
        );
        assert!(text.contains("not judged: no score (CNN_PROB)"), "{text}");
        assert!(text.contains("expected: of m, measured on chr20"), "{text}");
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["rows"][0]["filtered"], 1);
        assert_eq!(json["not_judged"]["no score"], 1);
    }
}
