//! The end of `serve`.

use serde::Serialize;

use super::Summary;

/// A page that is served no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ServeSummary {
    /// Where it was.
    pub(crate) url: String,
    /// Requests that were answered.
    pub(crate) answered: u64,
}

impl Summary for ServeSummary {
    const COMMAND: &'static str = "serve";

    fn to_text(&self) -> String {
        format!("{}: {} requests answered\n", self.url, self.answered)
    }
}
