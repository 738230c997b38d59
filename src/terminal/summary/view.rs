//! The end of `view`.

use std::path::PathBuf;

use serde::Serialize;

use super::Summary;

/// Calls that were shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ViewSummary {
    /// The page, or the folder of pictures.
    pub(crate) output: PathBuf,
    /// Calls on the page or with a picture: one an ALT.
    pub(crate) calls: u64,
    /// Bytes of the page; nothing for pictures.
    pub(crate) page_bytes: Option<usize>,
}

impl Summary for ViewSummary {
    const COMMAND: &'static str = "view";

    fn to_text(&self) -> String {
        let output = self.output.display();
        match self.page_bytes {
            Some(bytes) => format!(
                "{output}: {} calls on a page of {:.1} MB\n",
                self.calls,
                bytes as f64 / 1e6
            ),
            None => format!("{output}: pictures of {} calls\n", self.calls),
        }
    }
}
