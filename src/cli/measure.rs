//! `cnnfilter measure`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::run::ThreadsArgs;
use super::usage::Wrong;
use crate::commands::measure::MeasurePlan;
use cnnfilter_core::score::DataKind;

/// Measure what the thresholds of a model are worth on calls that it has not seen.
///
/// The figures go into the card of a new folder with the model's weights, real and simulated calls apart and by the depth of
/// their samples; the weights keep their bytes. `filter` and `inspect` show them with intervals. What was measured
/// before is replaced. Sets that the card lists, which the model was trained on or its thresholds chosen on, are refused.
#[derive(Debug, Args)]
pub(crate) struct MeasureArgs {
    /// The model: a folder or the name of a built-in one.
    #[arg(long, value_name = "NAME|DIR")]
    model: PathBuf,

    /// Files of labelled examples (`cnnfilter tensors`) of real reads.
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "simulated")]
    real: Vec<PathBuf>,

    /// Files of labelled examples of simulated reads.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    simulated: Vec<PathBuf>,

    /// The folder that gets the model's folder, under the model's name.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    #[command(flatten)]
    threads: ThreadsArgs,
}

impl MeasureArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// An output that is standard output.
    pub(super) fn resolve(self, files: &mut Files) -> Result<MeasurePlan, Wrong> {
        files.inputs("--real", &self.real);
        files.inputs("--simulated", &self.simulated);
        files.folder("-o", &self.output, &[])?;
        let real = self.real.into_iter().map(|path| (DataKind::Real, path));
        let simulated = self.simulated.into_iter();
        let simulated = simulated.map(|path| (DataKind::Simulated, path));
        Ok(MeasurePlan {
            model: self.model,
            examples: real.chain(simulated).collect(),
            output: self.output,
            threads: self.threads.resolve(),
        })
    }
}
