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

#[cfg(test)]
mod tests {
    use super::super::to_json;
    use super::*;

    #[test]
    fn text_and_json_name_every_network() {
        let summary = ImportSummary {
            models: vec![Imported {
                folder: "m/gatk-1d".into(),
                architecture: "gatk_1d".into(),
                info_key: "CNN_1D".into(),
                source: "x.jar!a.pt".into(),
            }],
        };
        assert_eq!(
            summary.to_text(),
            "m/gatk-1d: gatk_1d (CNN_1D) from x.jar!a.pt\n"
        );
        let bytes = to_json(&summary).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["command"], "import");
        assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(json["models"][0]["folder"], "m/gatk-1d");
    }
}
