//! `cnnfilter score`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::LogLevel;
use super::reads::ReadsArgs;
use crate::commands::score::ScorePlan;
use crate::io::vcf_reader::Order;
use crate::io::vcf_writer::{OutputFormat, OutputOptions};
use crate::terminal::threads;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_core::score::Aim;
use cnnfilter_nn::DeviceChoice;

/// Score calls: one streaming pass over a VCF.
///
/// Every record comes out, once and in order. Records that can be scored get the model's key in
/// INFO (CNN_1D or CNN_2D: natural-log odds, three decimals), and where there are several samples
/// FORMAT CNN; every other byte of them stays.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// The calls: VCF, VCF.gz, BCF, or `-` for standard input. Sorted, unless
    /// --allow-unsorted is given.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    pub variant: PathBuf,

    /// Reads and reference.
    #[command(flatten)]
    pub reads: ReadsArgs,

    /// The scored calls; `-` is standard output.
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "-")]
    pub output: PathBuf,

    /// Output format: v VCF, z VCF.gz, b BCF, u uncompressed BCF. The suffix of -o decides where
    /// this is left out, and VCF where there is none.
    #[arg(short = 'O', long = "output-type", value_name = "u|b|v|z", value_parser = parse_output_type)]
    pub output_type: Option<OutputFormat>,

    /// The model: a folder, as `cnnfilter train` and `cnnfilter import` write it, or one inside the
    /// program: cnnfilter_reads (the default with -I) or cnnfilter_reference (without).
    #[arg(long, value_name = "NAME|DIR")]
    pub model: Option<PathBuf>,

    /// Fill FILTER by the model's thresholds in the same pass.
    #[arg(long)]
    pub filter: bool,

    /// What the thresholds are for: f1, precision=P or sensitivity=S (shares of 1).
    #[arg(long, value_name = "AIM", default_value = "f1", requires = "filter")]
    pub aim: Aim,

    /// Score only records whose POS lies here, and write only those: chr, chr:pos, chr:beg-end, or
    /// a BED, interval_list, VCF or .list file; several times for several.
    #[arg(
        short = 'L',
        long = "regions",
        visible_alias = "intervals",
        value_name = "REGION|FILE"
    )]
    pub regions: Vec<String>,

    /// Take calls that are not sorted, and write them as they come, without an index.
    #[arg(long)]
    pub allow_unsorted: bool,

    /// Threads; 0 for all. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub threads: u32,

    /// Calls that are held in memory together. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 4096, alias = "inference-batch-size",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch_size: u32,

    /// Where the network runs: auto, cpu, cuda, cuda:N, cuda:N,M or cuda:all.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,

    /// The kind of tensor, in GATK's words: which built-in model, or what --model must be.
    #[arg(long, value_name = "TYPE", value_enum)]
    pub tensor_type: Option<TensorType>,

    /// No index beside a compressed output.
    #[arg(long)]
    pub no_index: bool,

    /// GATK's way to say the same as --no-index, with `false`.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, hide = true)]
    pub create_output_variant_index: bool,

    /// Folder for temporary files. Accepted for GATK's sake: the output is written under a
    /// temporary name beside its target, and nothing else is spooled.
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub tmp_dir: Option<PathBuf>,

    /// Say where the time went.
    #[arg(long)]
    pub timings: bool,

    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,

    /// How much to say on standard error.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// GATK's names of the two kinds of tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TensorType {
    /// Reference and annotations (1D).
    Reference,
    /// Reads, reference and annotations (2D).
    ReadTensor,
}

pub(super) fn parse_output_type(text: &str) -> Result<OutputFormat, String> {
    // A compression level may follow, as bcftools has it; ours is fixed.
    match text.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "v" => Ok(OutputFormat::Vcf),
        "z" => Ok(OutputFormat::VcfGz),
        "b" => Ok(OutputFormat::Bcf),
        "u" => Ok(OutputFormat::BcfUncompressed),
        _ => Err("expected v (VCF), z (VCF.gz), b (BCF) or u (uncompressed BCF)".to_owned()),
    }
}

impl ScoreArgs {
    /// The settings of the run, defaults filled in.
    pub fn resolve(self) -> ScorePlan {
        let threads = threads::resolve(self.threads as usize);
        let is_standard_output = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
            .iter()
            .any(|name| self.output == std::path::Path::new(name));
        let format = self
            .output_type
            .or_else(|| OutputFormat::from_suffix(&self.output))
            .unwrap_or(OutputFormat::Vcf);
        ScorePlan {
            variants: self.variant,
            encoding: self.reads.resolve(SampleChoice::Every),
            output: OutputOptions {
                path: if is_standard_output {
                    PathBuf::from("-")
                } else {
                    self.output
                },
                format,
                index: !self.no_index && self.create_output_variant_index,
                threads,
            },
            model: self.model,
            needs_reads: self.tensor_type.map(|kind| kind == TensorType::ReadTensor),
            regions: self.regions,
            order: Order::allowed(self.allow_unsorted),
            threads,
            batch_size: self.batch_size as usize,
            device: self.device,
            filter: self.filter.then_some(self.aim),
            quiet: self.quiet,
        }
    }
}
