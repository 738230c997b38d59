//! `cnnfilter embed`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::calls::RegionsArgs;
use super::embed_map::EmbedMapArgs;
use super::embed_summary::EmbedSummaryArgs;
use super::files::Files;
use super::labels::LabelArgs;
use super::output::plain;
use super::reads::ReadsArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::Plan;
use crate::commands::embed::{EmbedExamplesPlan, EmbedPlan};
use crate::commands::labels::LabelPlan;
use cnnfilter_core::samples::SampleChoice;

/// Explore what a network knows: outputs of its layers for each call, and (`embed map`) maps of them.
///
/// One streaming pass, as `score` makes it. The outputs of each layer are pooled into a short vector a call
/// while the network runs; columns describe each call. The file is a zip of NumPy arrays: `numpy.load`
/// reads it. `cnnfilter inspect MODEL` lists the layers of a model.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct EmbedArgs {
    #[command(subcommand)]
    command: Option<EmbedCommand>,
    #[command(flatten)]
    calls: EmbedCallsArgs,
}

/// Commands beside it.
#[derive(Debug, Subcommand)]
enum EmbedCommand {
    Map(Box<EmbedMapArgs>),
    Summary(EmbedSummaryArgs),
}

impl EmbedArgs {
    /// The command as the user types it.
    pub(super) fn name(&self) -> &'static str {
        match self.command {
            Some(EmbedCommand::Map(_)) => "embed map",
            Some(EmbedCommand::Summary(_)) => "embed summary",
            None => "embed",
        }
    }

    /// The plan of the command.
    ///
    /// # Errors
    /// As those of the commands.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<Plan, Wrong> {
        match self.command {
            Some(EmbedCommand::Map(args)) => Ok(Plan::EmbedMap(args.resolve(files)?)),
            Some(EmbedCommand::Summary(args)) => Ok(Plan::Novelty(args.resolve(files)?)),
            None => self.calls.resolve(run, files),
        }
    }
}

// The calls and the file they are embedded into; what is required is an option here, as a command behind
// `embed` does without. (See `run` for why this is no page.)
#[derive(Debug, Args)]
pub(crate) struct EmbedCallsArgs {
    /// The calls: VCF, VCF.gz, BCF, or `-` for standard input where no labels are given.
    #[arg(
        short = 'V',
        long = "variant",
        value_name = "FILE",
        required_unless_present = "examples"
    )]
    variant: Option<PathBuf>,

    /// A file of examples (`cnnfilter tensors`) in place of calls, reads and reference; several times for several.
    #[arg(short = 'e', long = "examples", value_name = "FILE", num_args = 1.., conflicts_with_all = ["variant",
          "reference", "input", "sample_map", "sample_depth", "min_mapq", "require_flags", "exclude_flags", "sample",
          "truth", "labels", "regions"])]
    examples: Vec<PathBuf>,

    /// The file of embeddings: .emb or .npz (the same bytes), or .h5ad for AnnData and scanpy, which is
    /// made in memory.
    #[arg(short = 'o', long = "output", value_name = "FILE", required = true)]
    output: Option<PathBuf>,

    /// The model: a folder or the name of a built-in one, as for `score`.
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<PathBuf>,

    /// Layers, by name; left out, all.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    layers: Vec<String>,

    /// The sample of the calls that is embedded; left out, every sample.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    /// INFO keys that become columns.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',', help_heading = "Columns")]
    info: Vec<String>,

    /// A column that says which calls overlap regions (BED, interval_list, ...); several times for
    /// several.
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file, help_heading = "Columns")]
    track: Vec<(String, PathBuf)>,

    /// A column that says which calls are in a file of calls (VCF or BCF), by position, REF and ALT;
    /// several times for several.
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file, help_heading = "Columns")]
    sites: Vec<(String, PathBuf)>,

    #[command(flatten)]
    labels: LabelArgs,

    #[command(flatten)]
    regions: RegionsArgs,

    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(
        short = 'R',
        long = "reference",
        value_name = "FILE",
        required_unless_present = "examples",
        help_heading = "Reads and reference"
    )]
    reference: Option<PathBuf>,

    #[command(flatten)]
    reads: ReadsArgs,

    #[command(flatten)]
    threads: ThreadsArgs,

    /// Calls that are held in memory together. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Run")]
    batch_size: u32,
}

/// A name and a file, as `LINE=rmsk.bed.gz`.
fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if is_column(name) && !file.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(file)))
        }
        _ => Err(
            "expected a name (letters, digits, `_`, `-`, `.`) and a file, as in LINE=rmsk.bed.gz"
                .to_owned(),
        ),
    }
}

fn is_column(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    !name.is_empty() && name.chars().all(allowed)
}

impl EmbedCallsArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<Plan, Wrong> {
        let Some(output) = self.output else {
            return Err(Wrong::missing("give -o"));
        };
        if plain(&output) == Path::new("-") {
            return Err(Wrong::value(
                "-o: it cannot go to standard output; give a file name".to_owned(),
            ));
        }
        files.output("-o", &output);
        let paths = |named: &[(String, PathBuf)]| -> Vec<PathBuf> {
            named.iter().map(|(_, path)| path.clone()).collect()
        };
        files.inputs("--track", paths(&self.track));
        files.inputs("--sites", paths(&self.sites));
        if !self.examples.is_empty() {
            files.inputs("-e", &self.examples);
            return Ok(Plan::EmbedExamples(EmbedExamplesPlan {
                examples: self.examples,
                model: self.model,
                layers: self.layers,
                info: self.info,
                tracks: self.track,
                sites: self.sites,
                output,
                threads: self.threads.resolve(),
                batch_size: self.batch_size as usize,
                quiet: run.quiet,
            }));
        }
        let (Some(variant), Some(reference)) = (self.variant, self.reference) else {
            return Err(Wrong::missing("give -V and -R, or -e"));
        };
        files.input("-V", &variant);
        files.input("-R", &reference);
        files.inputs("-L", &self.regions.regions);
        let labels = self.labels.resolve(files);
        if !matches!(labels, LabelPlan::Nothing) {
            super::files::check_read_twice("-V", &variant)?;
        }
        let samples = match self.sample {
            None if matches!(labels, LabelPlan::Nothing) => SampleChoice::Every,
            // Labels are about one sample.
            sample => SampleChoice::One(sample),
        };
        Ok(Plan::Embed(EmbedPlan {
            variants: variant,
            encoding: self.reads.resolve(reference, samples, files)?,
            model: self.model,
            layers: self.layers,
            info: self.info,
            tracks: self.track,
            sites: self.sites,
            labels,
            regions: self.regions.regions,
            output,
            threads: self.threads.resolve(),
            batch_size: self.batch_size as usize,
            quiet: run.quiet,
        }))
    }
}
