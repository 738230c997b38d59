//! The end of `measure`.

use std::path::PathBuf;

use serde::Serialize;

use super::Summary;
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::score::measured::{Worth, worth_table};
use cnnfilter_core::score::{Aim, CardThresholds};

/// What the thresholds of a model are worth, aim by aim.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct MeasureSummary {
    /// The model folder.
    pub(crate) model: PathBuf,
    /// A row for each threshold of the card.
    pub(crate) thresholds: Vec<MeasuredThreshold>,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MeasuredThreshold {
    /// `SNP` or `INDEL`.
    pub(crate) kind: &'static str,
    /// Its aim.
    pub(crate) aim: Aim,
    /// A record passes when its probability is at least this.
    pub(crate) probability: f64,
    /// What it is worth, by sort of calls.
    pub(crate) tested: Vec<Worth>,
}

impl MeasureSummary {
    /// The thresholds of a card with what was measured.
    pub(crate) fn new(card: &CardThresholds) -> Self {
        let kinds = [VariantKind::Snp, VariantKind::Indel].into_iter();
        let entries = kinds.filter_map(|kind| Some((kind, card.kinds.get(kind)?.as_ref()?)));
        let rows = entries.flat_map(|(kind, entries)| {
            entries.iter().map(move |entry| MeasuredThreshold {
                kind: kind.name(),
                aim: entry.aim,
                probability: entry.probability,
                tested: card.worth(kind, entry),
            })
        });
        Self {
            model: PathBuf::new(),
            thresholds: rows.collect(),
        }
    }
}

impl Summary for MeasureSummary {
    const COMMAND: &'static str = "measure";

    fn to_text(&self) -> String {
        let of_f1 = self.thresholds.iter().filter(|row| row.aim == Aim::F1);
        let rows = of_f1.flat_map(|row| row.tested.iter().map(|worth| (row.kind, worth)));
        format!(
            "at the thresholds of aim f1 (95 % intervals):\n{}model: {}\n",
            worth_table(rows),
            self.model.display()
        )
    }
}
