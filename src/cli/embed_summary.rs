//! `cnnfilter embed summary`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::run::ThreadsArgs;
use super::usage::Wrong;
use crate::commands::summary_of_training::NoveltyPlan;

/// Give a model a summary of its training calls, for `score --novelty`.
///
/// It goes into the card of a copy of the model's folder; the weights keep their bytes. `train` writes such a
/// summary by itself: this is for models that have none, or for other calls.
#[derive(Debug, Args)]
pub(crate) struct EmbedSummaryArgs {
    /// A file of training examples (`cnnfilter tensors`); several times for several sets.
    #[arg(short = 'e', long = "examples", value_name = "FILE", required = true, num_args = 1..)]
    examples: Vec<PathBuf>,

    /// The model: a folder or the name of a built-in one.
    #[arg(long, value_name = "NAME|DIR")]
    model: PathBuf,

    /// The layers that are summarised, by name; left out, `numbers` and `read_dense2` where the network has them, else
    /// its last.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    layers: Vec<String>,

    /// The folder that gets the model's folder, under the model's name.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    #[command(flatten)]
    threads: ThreadsArgs,
}

impl EmbedSummaryArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// An output that is standard output.
    pub(super) fn resolve(self, files: &mut Files) -> Result<NoveltyPlan, Wrong> {
        files.inputs("-e", &self.examples);
        files.folder("-o", &self.output, &[])?;
        Ok(NoveltyPlan {
            examples: self.examples,
            model: self.model,
            layers: self.layers,
            output: self.output,
            threads: self.threads.resolve(),
        })
    }
}
