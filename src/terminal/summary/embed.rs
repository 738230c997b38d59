//! The end of `embed`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Summary, count_line};
use cnnfilter_core::networks::pooled::Selection;

/// Calls that were embedded.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct EmbedSummary {
    /// The file.
    pub(crate) output: PathBuf,
    /// Rows: one an ALT and sample for our encoder, one a record and sample for GATK's.
    pub(crate) calls: u64,
    /// Numbers a call, by layer.
    pub(crate) layers: BTreeMap<String, usize>,
    /// Records without a row, by reason.
    pub(crate) left_out: BTreeMap<String, u64>,
    /// Records outside the regions asked for.
    pub(crate) outside_regions: u64,
}

impl EmbedSummary {
    /// A summary of no calls.
    pub(crate) fn new(output: &Path, layers: &Selection) -> Self {
        let layers = layers.layers().iter();
        Self {
            output: output.to_owned(),
            layers: layers
                .map(|layer| (layer.name.clone(), layer.width))
                .collect(),
            ..Self::default()
        }
    }
}

impl Summary for EmbedSummary {
    const COMMAND: &'static str = "embed";

    fn to_text(&self) -> String {
        let numbers: usize = self.layers.values().sum();
        let mut text = format!(
            "{}: {numbers} numbers a call, of {} layers\n",
            self.output.display(),
            self.layers.len()
        );
        count_line(&mut text, "calls embedded", self.calls);
        for (reason, count) in &self.left_out {
            count_line(&mut text, &format!("  not embedded: {reason}"), *count);
        }
        if self.outside_regions > 0 {
            count_line(&mut text, "outside the regions", self.outside_regions);
        }
        text
    }
}
