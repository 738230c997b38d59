//! `cnnfilter man`: manual pages to standard output or into a folder.

use std::path::PathBuf;

use anyhow::Result;

use crate::io::{atomic, standard_output};
use crate::terminal::summary::ManSummary;

/// One manual page.
#[derive(Debug, Clone)]
pub(crate) struct ManPage {
    /// Name of its file.
    pub(crate) name: String,
    /// In the language of roff.
    pub(crate) text: Vec<u8>,
}

/// The pages, and where they go.
#[derive(Debug, Clone)]
pub(crate) enum ManPlan {
    /// One to standard output.
    Print(ManPage),
    /// All into a folder, which is made if need be.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The pages.
        pages: Vec<ManPage>,
    },
}

/// Writes the pages.
///
/// # Errors
/// Where an output cannot be written.
pub(crate) fn run(plan: &ManPlan) -> Result<ManSummary> {
    let mut files = Vec::new();
    match plan {
        ManPlan::Print(page) => standard_output::write(&page.text)?,
        ManPlan::Folder { folder, pages } => {
            atomic::create_folder(folder)?;
            for page in pages {
                let path = folder.join(&page.name);
                atomic::write(&path, &page.text)?;
                files.push(path);
            }
        }
    }
    Ok(ManSummary { files })
}
