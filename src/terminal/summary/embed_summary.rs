//! The end of `embed summary`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Summary, count_line};

/// A summary of training calls that a card was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NoveltySummary {
    /// Calls that it was made of, by kind.
    pub(crate) calls: BTreeMap<String, u64>,
    /// The model folder.
    pub(crate) model: PathBuf,
}

impl Summary for NoveltySummary {
    const COMMAND: &'static str = "embed summary";

    fn to_text(&self) -> String {
        let mut text = format!("model: {}\n", self.model.display());
        for (kind, calls) in &self.calls {
            count_line(&mut text, &format!("calls summarised, {kind}"), *calls);
        }
        text
    }
}
