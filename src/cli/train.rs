//! `cnnfilter train`.

use std::path::PathBuf;

use clap::Args;

use crate::commands::train::TrainPlan;
use crate::terminal::threads;
use cnnfilter_nn::DeviceChoice;

/// Train a network on files of examples (`cnnfilter tensors`) and write a model folder.
///
/// Batches hold the four classes (false and real SNPs and INDELs) equally often. The best epoch by
/// validation PR-AUC is kept, calibrated and given thresholds on the validation examples. The
/// folder of the run holds config.toml, history.tsv, a checkpoint and the model.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A file of examples to train on; several times for several sets.
    #[arg(short = 'e', long = "examples", value_name = "FILE", required = true, num_args = 1..)]
    pub examples: Vec<PathBuf>,

    /// A file of examples to validate on, whole; several times. Left out, `validation` of the
    /// configuration decides, and else the last tenth of every file, by position.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub validation: Vec<PathBuf>,

    /// The configuration: TOML. Every field has a default.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Sets a field of the configuration, as in `--set optimizer.learning_rate=0.0005`.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_override)]
    pub set: Vec<(String, String)>,

    /// A model folder whose weights to start from (fine-tuning).
    #[arg(long, value_name = "DIR")]
    pub init: Option<PathBuf>,

    /// Name of the model, and of its folder in the run's.
    #[arg(long, value_name = "NAME", default_value = "model", value_parser = parse_name)]
    pub name: String,

    /// Go on from the checkpoint in the run's folder.
    #[arg(long)]
    pub resume: bool,

    /// Threads; 0 for all. The weights do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub threads: u32,

    /// Where it runs: auto, cpu, cuda, cuda:N, cuda:N,M or cuda:all.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,

    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,

    /// The folder of the run.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    pub output: PathBuf,
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => Ok((path.to_owned(), value.to_owned())),
        _ => Err("expected PATH=VALUE".to_owned()),
    }
}

fn parse_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !text.is_empty() && !text.starts_with('.') && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, `.`, `_` and `-`, no `.` in front".to_owned())
    }
}

impl TrainArgs {
    /// The settings of the run, defaults filled in.
    pub fn resolve(self) -> TrainPlan {
        TrainPlan {
            examples: self.examples,
            validation: self.validation,
            config: self.config,
            overrides: self.set,
            init: self.init,
            name: self.name,
            output: self.output,
            resume: self.resume,
            threads: threads::resolve(self.threads as usize),
            device: self.device,
            quiet: self.quiet,
        }
    }
}
