//! `cnnfilter score`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::calls::{CallsArgs, RegionsArgs};
use super::files::Files;
use super::multiqc::MultiqcArgs;
use super::output::CallsOutputArgs;
use super::ploidy::PloidyArgs;
use super::reads::EncodingArgs;
use super::run::{DeviceArgs, RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::ploidies::GenotypePlan;
use crate::commands::score::ScorePlan;
use cnnfilter_core::genotype::Placement;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_core::score::Aim;

/// Score calls: one streaming pass over a VCF.
///
/// Every record comes out, once and in order. Records that can be scored get the model's key in
/// INFO (CNN_1D or CNN_2D: natural-log odds, three decimals), and where there are several samples
/// FORMAT CNN; every other byte of them stays.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    calls: CallsArgs,

    /// The model: a folder, as `cnnfilter train` and `cnnfilter import` write it, or one inside the
    /// program: cnnfilter_reads (the default with -I) or cnnfilter_reference (without).
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<PathBuf>,

    /// Fill FILTER by the model's thresholds in the same pass.
    #[arg(long)]
    filter: bool,

    /// The aim of the thresholds: f1, precision=P or sensitivity=S (shares, 0 to 1).
    #[arg(long, value_name = "AIM", default_value = "f1", requires = "filter")]
    aim: Aim,

    /// Say why: INFO CNN_WHY lists the topics that decided the score, as topic:contribution in
    /// natural-log odds. Those for the verdict come first.
    #[arg(long)]
    explain: bool,

    /// Write the network's genotypes beside the caller's: FORMAT CNN_GT, CNN_GQ (phred of the probability that it is
    /// wrong) and CNN_GP (probability of each genotype).
    #[arg(long, conflicts_with = "regenotype")]
    genotype: bool,

    /// Replace GT, GQ, PL and GP by the network's. The caller's stay as OGT and OGQ; AC, AN and AF in INFO
    /// follow. A record in which no sample has an ALT any more stays, with FILTER RefCall.
    #[arg(long)]
    regenotype: bool,

    /// Say how unlike the training calls each call is: INFO CNN_NOVEL is the share of them that are less unusual, 0
    /// to 1. 0.5 is ordinary, above 0.999 is unlike anything in training.
    #[arg(long)]
    novelty: bool,

    #[command(flatten)]
    regions: RegionsArgs,

    /// The kind of tensor, in GATK's words: which built-in model, or what --model must be.
    #[arg(long, value_name = "TYPE", value_enum)]
    tensor_type: Option<TensorType>,

    /// Folder for temporary files. Accepted for GATK's sake: the output is written under a
    /// temporary name beside its target, and nothing else is spooled.
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    tmp_dir: Option<PathBuf>,

    // clap gives the heading of a group to all plain options behind it.
    #[command(flatten)]
    encoding: EncodingArgs,

    #[command(flatten)]
    ploidy: PloidyArgs,

    #[command(flatten)]
    output: CallsOutputArgs,

    #[command(flatten)]
    pub(super) multiqc: MultiqcArgs,

    #[command(flatten)]
    threads: ThreadsArgs,

    #[command(flatten)]
    device: DeviceArgs,

    /// Calls that are held in memory together. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 4096, alias = "inference-batch-size",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Run")]
    batch_size: u32,

    /// Say where the time went.
    #[arg(long, help_heading = "Run")]
    pub(super) timings: bool,
}

/// GATK's names of the two kinds of tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum TensorType {
    /// Reference and annotations (1D).
    Reference,
    /// Reads, reference and annotations (2D).
    ReadTensor,
}

impl ScoreArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<ScorePlan, Wrong> {
        if self.tensor_type == Some(TensorType::ReadTensor) && self.encoding.is_without_reads() {
            return Err(Wrong::missing(
                "--tensor-type read_tensor scores from reads: give them with -I",
            ));
        }
        let placement = match (self.genotype, self.regenotype) {
            (true, _) => Some(Placement::Beside),
            (_, true) => Some(Placement::Replace),
            _ => None,
        };
        let ploidy = self.ploidy.resolve(files)?;
        if ploidy.table.is_some() && placement.is_none() {
            return Err(Wrong::missing(
                "--ploidy is for genotypes: ask for them (--genotype or --regenotype)",
            ));
        }
        let threads = self.threads.resolve();
        let output = self.output.resolve(threads)?;
        files.input("-V", &self.calls.variant);
        files.inputs("-L", &self.regions.regions);
        files.output("-o", &output.path);
        files.may_replace("-V", "-o");
        Ok(ScorePlan {
            order: self.calls.order(),
            variants: self.calls.variant,
            encoding: self.encoding.resolve(SampleChoice::Every, files)?,
            output,
            model: self.model,
            needs_reads: self.tensor_type.map(|kind| kind == TensorType::ReadTensor),
            regions: self.regions.regions,
            left_out: run.left_out(),
            threads,
            batch_size: self.batch_size as usize,
            device: self.device.device,
            filter: self.filter.then_some(self.aim),
            explain: self.explain,
            genotypes: placement.map(|placement| GenotypePlan { placement, ploidy }),
            novelty: self.novelty,
            quiet: run.quiet,
        })
    }
}
