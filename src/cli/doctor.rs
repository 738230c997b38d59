//! `cnnfilter doctor`.

use std::path::Path;

use clap::Args;

use super::colour::Colour;
use super::files::{Files, is_standard_input};
use super::output::plain;
use super::run::RunArgs;
use super::score::ScoreArgs;
use super::usage::Wrong;
use crate::commands::doctor::DoctorPlan;

// The page of `score` would stand here; that of this command stands at the list of commands.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    score: ScoreArgs,

    /// Colours: when standard output is a terminal and NO_COLOR is not set, always, or never.
    #[arg(long, alias = "colour", value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Run")]
    color: Colour,
}

impl DoctorArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that `score` would refuse, and calls that are no file.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<DoctorPlan, Wrong> {
        let colour = self.color.is_wanted();
        let score = self.score.resolve(run, files)?;
        if plain(&score.variants) == Path::new("-") || is_standard_input(&score.variants) {
            return Err(Wrong::value(
                "-V: the calls are looked at more than once, so not from standard input; give a file",
            ));
        }
        files.forget_standard_output();
        Ok(DoctorPlan { score, colour })
    }
}
