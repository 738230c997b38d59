//! The end of `man`.

use std::path::PathBuf;

use serde::Serialize;

use super::Summary;

/// The manual pages that were written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ManSummary {
    /// Their files; none where a page went to standard output.
    pub(crate) files: Vec<PathBuf>,
}

impl Summary for ManSummary {
    const COMMAND: &'static str = "man";

    fn to_text(&self) -> String {
        match self.files.first().and_then(|file| file.parent()) {
            Some(folder) => format!("{} pages in {}\n", self.files.len(), folder.display()),
            None => String::new(),
        }
    }
}
