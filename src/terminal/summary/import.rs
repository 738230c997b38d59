//! The end of an import.

use std::path::PathBuf;

use serde::Serialize;

use super::Summary;

/// One network that was imported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Imported {
    /// The model folder.
    pub(crate) folder: PathBuf,
    /// Name of the architecture.
    pub(crate) architecture: String,
    /// INFO key of its score.
    pub(crate) info_key: String,
    /// The file it was in, with the member of the archive behind a `!`.
    pub(crate) source: String,
}

/// The networks that were imported.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ImportSummary {
    /// In the order of the archive.
    pub(crate) models: Vec<Imported>,
}

impl Summary for ImportSummary {
    const COMMAND: &'static str = "import";

    fn to_text(&self) -> String {
        let lines = self.models.iter().map(|model| {
            format!(
                "{}: {} ({}) from {}\n",
                model.folder.display(),
                model.architecture,
                model.info_key,
                model.source
            )
        });
        lines.collect()
    }
}
