//! The end of `completions`.

use serde::Serialize;

use super::Summary;

/// The script that was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct CompletionsSummary {
    /// The shell that it is for.
    pub(crate) shell: String,
}

impl Summary for CompletionsSummary {
    const COMMAND: &'static str = "completions";

    fn to_text(&self) -> String {
        String::new()
    }
}
