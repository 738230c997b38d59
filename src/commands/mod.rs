//! The recipes: open the inputs, run the stages in order, close the outputs.

pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod encoding;
pub(crate) mod eval;
pub(crate) mod filter;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod labelled;
pub(crate) mod labels;
pub(crate) mod man;
pub(crate) mod score;
pub(crate) mod simulate;
pub(crate) mod tensors;
pub(crate) mod train;
pub(crate) mod view;

use std::path::Path;

use anyhow::Result;

use crate::io::standard_output;
use crate::terminal::summary::{Summary, to_json};
use cnnfilter_core::genome::contigs::ContigMismatch;

/// The plan of a run, by command.
#[derive(Debug)]
pub(crate) enum Plan {
    /// `score`, and true where the user asks where the time went.
    Score(score::ScorePlan, bool),
    /// `filter`.
    Filter(filter::FilterPlan),
    /// `eval`.
    Eval(eval::EvalPlan),
    /// `tensors`.
    Tensors(tensors::TensorsPlan),
    /// `train`.
    Train(train::TrainPlan),
    /// `simulate genome`.
    Genome(simulate::GenomePlan),
    /// `simulate reads`.
    Reads(simulate::ReadsPlan),
    /// `doctor`.
    Doctor {
        /// The run to look at.
        plan: doctor::DoctorPlan,
        /// Nothing goes to the screen.
        quiet: bool,
    },
    /// `view`.
    View(view::ViewPlan),
    /// `inspect`.
    Inspect(inspect::InspectPlan),
    /// `import`.
    Import(import::ImportPlan),
    /// `man`.
    Man(man::ManPlan),
    /// `completions`.
    Completions(completions::CompletionsPlan),
}

/// The end of a command.
pub(crate) struct Ran {
    /// Its summary.
    pub(crate) json: Vec<u8>,
    /// Why the program fails nevertheless, once the summary is written.
    pub(crate) failure: Option<String>,
}

impl Plan {
    /// Runs the command and says what came of it; returns that as JSON, too.
    ///
    /// # Errors
    /// Those of the command.
    pub(crate) fn run(&self) -> Result<Ran> {
        let json = match self {
            Self::Score(plan, timings) => {
                let summary = score::run(plan)?;
                let json = say(&summary)?;
                if *timings {
                    say_lines(&summary.times.to_text());
                }
                json
            }
            Self::Doctor { plan, quiet } => {
                let summary = doctor::run(plan)?;
                let json = match quiet {
                    true => to_json(&summary)?,
                    false => show(&summary)?,
                };
                let failure = summary.failure();
                return Ok(Ran { json, failure });
            }
            Self::Filter(plan) => say(&filter::run(plan)?)?,
            Self::Eval(plan) => show(&eval::run(plan)?)?,
            Self::Tensors(plan) => say(&tensors::run(plan)?)?,
            Self::Train(plan) => say(&train::run(plan)?)?,
            Self::Genome(plan) => say(&simulate::genome(plan)?)?,
            Self::Reads(plan) => say(&simulate::reads(plan)?)?,
            Self::View(plan) => say(&view::run(plan)?)?,
            Self::Inspect(plan) => show(&inspect::run(plan)?)?,
            Self::Import(plan) => say(&import::run(plan)?)?,
            Self::Man(plan) => say(&man::run(plan)?)?,
            Self::Completions(plan) => say(&completions::run(plan)?)?,
        };
        Ok(Ran {
            json,
            failure: None,
        })
    }
}

/// Writes the summary to standard output, and returns it as JSON.
fn show<S: Summary>(summary: &S) -> Result<Vec<u8>> {
    standard_output::write(summary.to_text().as_bytes())?;
    Ok(to_json(summary)?)
}

/// Says the summary on standard error, and returns it as JSON.
fn say<S: Summary>(summary: &S) -> Result<Vec<u8>> {
    say_lines(&summary.to_text());
    Ok(to_json(summary)?)
}

fn say_lines(text: &str) {
    for line in text.lines() {
        log::info!("{line}");
    }
}

/// Two files that are not about the same reference.
fn another_reference(
    left: &Path,
    right: &Path,
    mismatch: &ContigMismatch,
    advice: &str,
) -> anyhow::Error {
    anyhow::anyhow!(
        "{} and {} are not about the same reference: {mismatch}; {advice}",
        left.display(),
        right.display()
    )
}
