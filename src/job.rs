//! One run of the program, from its command line to its summary.

use std::ffi::OsString;

use anyhow::{Result, anyhow};

use crate::cli::{self, Resolved, UsageError};
use crate::commands::Told;
use crate::io::{atomic, standard_output};

/// A command line that was understood, ready to run.
#[derive(Debug)]
pub struct Job(Resolved);

impl Job {
    /// Reads a command line; its first word is the program's name.
    ///
    /// # Errors
    /// A wrong command line (exit code 2), or a request for help or the version.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        cli::parse(arguments).map(Self)
    }

    /// The lowest level of messages that the user wants to see.
    pub fn level(&self) -> log::LevelFilter {
        self.0.level
    }

    /// Runs the command, says its summary and writes it as JSON where that is asked for.
    ///
    /// # Errors
    /// Anything that is wrong with the inputs, or an output that cannot be written; a run that `doctor`
    /// finds to fail.
    pub fn run(&self) -> Result<()> {
        let target = self.0.summary_json.as_deref();
        let multiqc = self.0.multiqc.as_ref();
        // A target that cannot be is told before the work, not after it.
        if let Some(multiqc) = multiqc {
            atomic::check_target(&multiqc.path)?;
        }
        if let Some(target) = target {
            standard_output::check(target)?;
            atomic::check_target(target)?;
        }
        let Told {
            json,
            section,
            failure,
        } = self.0.plan.run()?;
        if let (Some(multiqc), Some(section)) = (multiqc, section) {
            atomic::write(&multiqc.path, &section.to_json(&multiqc.sample)?)?;
        }
        match target {
            Some(target) if standard_output::is_meant(target) => standard_output::write(&json)?,
            Some(target) => atomic::write(target, &json)?,
            None => {}
        }
        match failure {
            Some(failure) => Err(anyhow!(failure)),
            None => Ok(()),
        }
    }
}
