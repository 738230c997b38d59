//! `cnnfilter completions`: a script for a shell to standard output.

use anyhow::Result;

use crate::io::standard_output;
use crate::terminal::summary::CompletionsSummary;

/// The script.
#[derive(Debug, Clone)]
pub(crate) struct CompletionsPlan {
    /// The shell's name.
    pub(crate) shell: String,
    /// In the language of the shell.
    pub(crate) script: Vec<u8>,
}

/// Writes the script.
///
/// # Errors
/// Where standard output takes no more, or was closed.
pub(crate) fn run(plan: &CompletionsPlan) -> Result<CompletionsSummary> {
    standard_output::write(&plan.script)?;
    Ok(CompletionsSummary {
        shell: plan.shell.clone(),
    })
}
