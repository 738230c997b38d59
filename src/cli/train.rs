//! `cnnfilter train`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::run::{DeviceArgs, RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::train::TrainPlan;
use crate::io::run_dir;
use cnnfilter_train::config::{ConfigError, TrainConfig};

/// Train a network on files of examples (`cnnfilter tensors`) and write a model folder.
///
/// Batches hold the four classes (false and real SNPs and INDELs) equally often. The best epoch by
/// validation PR-AUC (the mean over SNPs and INDELs, and over the sets of the validation examples) is
/// kept, calibrated and given thresholds on the validation examples. The folder of the run holds
/// config.toml, history.tsv, a checkpoint and the model.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// A file of examples to train on; several times for several sets.
    #[arg(short = 'e', long = "examples", value_name = "FILE", required = true, num_args = 1..)]
    examples: Vec<PathBuf>,

    /// The folder of the run.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    /// A file of examples to validate on, whole; several times. Left out, `validation` of the
    /// configuration decides, and else the last tenth of every file, by position.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    validation: Vec<PathBuf>,

    /// The configuration: TOML. Every field has a default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Sets a field of the configuration, as in `--set optimizer.learning_rate=0.0005`.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_override)]
    set: Vec<(String, String)>,

    /// A model folder whose weights to start from (fine-tuning).
    #[arg(long, value_name = "DIR")]
    init: Option<PathBuf>,

    /// Name of the model, and of its folder in the run's.
    #[arg(long, value_name = "NAME", default_value = "model", value_parser = parse_name)]
    name: String,

    /// Go on from the checkpoint in the run's folder.
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    threads: ThreadsArgs,

    #[command(flatten)]
    device: DeviceArgs,
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
    /// Refuses fields that no configuration has and values that a field cannot have. Values that
    /// only make no sense together may do so with the file, which is not read here.
    fn check_overrides(&self) -> Result<(), Wrong> {
        match TrainConfig::default().apply_overrides(&self.set) {
            Err(error)
                if self.config.is_none()
                    || matches!(
                        error,
                        ConfigError::Override { .. } | ConfigError::UnknownField { .. }
                    ) =>
            {
                Err(Wrong::value(format!("--set: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<TrainPlan, Wrong> {
        self.check_overrides()?;
        let mut given: Vec<&PathBuf> = Vec::new();
        for path in self.examples.iter().chain(&self.validation) {
            if given.contains(&path) {
                return Err(Wrong::conflict(format!(
                    "{}: examples that are given twice would be trained on twice, or validated on after they were trained on; give each file once, with -e or with --validation",
                    path.display()
                )));
            }
            given.push(path);
        }
        files.inputs("-e", &self.examples);
        files.inputs("--validation", &self.validation);
        files.inputs("--config", &self.config);
        files.folder("-o", &self.output, &[run_dir::CONFIG, run_dir::HISTORY])?;
        // A run goes on with the configuration that it left in its folder.
        files.may_replace("--config", "-o");
        Ok(TrainPlan {
            examples: self.examples,
            validation: self.validation,
            config: self.config,
            overrides: self.set,
            init: self.init,
            name: self.name,
            output: self.output,
            resume: self.resume,
            threads: self.threads.resolve(),
            device: self.device.device,
            quiet: run.quiet,
        })
    }
}
