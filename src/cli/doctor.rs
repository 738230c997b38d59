//! `cnnfilter doctor`.

use clap::Args;

use super::colour::Colour;
use super::files::{Files, check_read_twice};
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
        check_read_twice("-V", &score.variants)?;
        files.forget_standard_output();
        Ok(DoctorPlan { score, colour })
    }
}
