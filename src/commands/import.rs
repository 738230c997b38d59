//! `cnnfilter import`: GATK's own weights into model folders.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::io::{gatk_archive, model_dir};
use crate::terminal::summary::{ImportSummary, Imported};
use cnnfilter_core::networks::import;

/// The settings of an import.
#[derive(Debug, Clone)]
pub(crate) struct ImportPlan {
    /// A GATK jar, a release zip or a `.pt` file.
    pub(crate) file: PathBuf,
    /// The folder that gets one folder a network.
    pub(crate) output: PathBuf,
}

/// Imports every network in the file.
///
/// # Errors
/// Where the file holds no network that can be read, or a folder cannot be written.
pub(crate) fn run(plan: &ImportPlan) -> Result<ImportSummary> {
    let name = plan
        .file
        .file_name()
        .unwrap_or(plan.file.as_os_str())
        .to_string_lossy();
    let files = gatk_archive::open(&plan.file)?;
    let mut summary = ImportSummary::default();
    for file in files {
        let model = import::from_bytes(&file.bytes, &name, &file.member)
            .with_context(|| describe(&plan.file, &file.member))?;
        let folder = model_dir::save(&plan.output, &model)?;
        summary.models.push(Imported {
            folder,
            architecture: model.card().architecture.clone(),
            info_key: model.card().info_key.clone(),
            source: describe(&plan.file, &file.member),
        });
    }
    Ok(summary)
}

fn describe(file: &Path, member: &str) -> String {
    if member.is_empty() {
        file.display().to_string()
    } else {
        format!("{}!{member}", file.display())
    }
}
