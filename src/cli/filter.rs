//! `cnnfilter filter`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, ValueEnum};

use super::score::parse_output_type;
use super::{Cli, LogLevel};
use crate::commands::filter::{FilterPlan, TranchePlan};
use crate::io::vcf_reader::Order;
use crate::io::vcf_writer::{OutputFormat, OutputOptions};
use crate::terminal::threads;
use cnnfilter_core::filter::tranches::{DEFAULT_INDEL_TRANCHE, DEFAULT_SNP_TRANCHE};
use cnnfilter_core::filter::{Failing, OnNoResource, Tranches};
use cnnfilter_core::genome::PerKind;
use cnnfilter_core::score::Aim;

/// Filter scored calls: by the model's thresholds, or by tranches as GATK makes them.
///
/// Without --resource: one pass, by thresholds on CNN_PROB that the header of the scored file (or
/// --model) carries; the same call gets the same filter whatever else is in the file. With
/// --resource: GATK's FilterVariantTranches, in two passes (standard input is copied to --tmp-dir).
/// Every record comes out, once and in order, unless --exclude-filtered says otherwise.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// The scored calls: VCF, VCF.gz, BCF, or `-` for standard input. Sorted, unless
    /// --allow-unsorted is given.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    pub variant: PathBuf,

    /// The filtered calls; `-`, or none given, is standard output.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Output format: v VCF, z VCF.gz, b BCF, u uncompressed BCF; the suffix of the output decides
    /// where this is left out. A file name here is the output, as in GATK.
    #[arg(short = 'O', long = "output-type", value_name = "u|b|v|z", value_parser = parse_output)]
    pub output_type: Option<OutputArgument>,

    /// What the model's threshold was chosen for: f1, precision=P or sensitivity=S (shares, 0 to
    /// 1). A share that the model does not list takes the next stricter one.
    #[arg(long, value_name = "AIM", default_value = "f1")]
    pub aim: Aim,

    /// Model folder whose thresholds are used; left out, those in the header of the calls.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,

    /// Known sites for tranches: VCF, VCF.gz or BCF, without index; several times for several.
    #[arg(long, value_name = "FILE")]
    pub resource: Vec<PathBuf>,

    /// INFO key of the score that makes the tranches. Left out: CNN_2D, or CNN_1D where the
    /// header defines that one only.
    #[arg(long, value_name = "KEY", requires = "resource")]
    pub info_key: Option<String>,

    /// Sensitivity to known SNPs in percent below which SNPs are filtered; several times for
    /// several. Left out: 99.95.
    #[arg(long, value_name = "PERCENT", requires = "resource", value_parser = parse_percent)]
    pub snp_tranche: Vec<f64>,

    /// The same for indels. Left out: 99.4.
    #[arg(long, value_name = "PERCENT", requires = "resource", value_parser = parse_percent)]
    pub indel_tranche: Vec<f64>,

    /// What becomes of SNPs or indels none of which stands in the resources. Left out: model where
    /// there are thresholds, else unfiltered; told either way.
    #[arg(long, value_name = "WAY", value_enum, requires = "resource")]
    pub on_no_resource: Option<OnMissing>,

    /// Take out the filters that stand in the file.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub invalidate_previous_filters: bool,

    /// Leave out what has a filter in the end, this one or an earlier one.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub exclude_filtered: bool,

    /// Set genotypes to missing (./.) where the record, or by FT the genotype, has a filter. AC, AN
    /// and AF are counted again.
    #[arg(long)]
    pub set_gt_missing: bool,

    /// Take out ALTs that fail by their own score (CNN_AS) while another passes, with their part
    /// of every list. Not with --resource.
    #[arg(long, conflicts_with = "resource")]
    pub trim_alts: bool,

    /// Write the summary as JSON.
    #[arg(long, value_name = "FILE")]
    pub summary_json: Option<PathBuf>,

    /// Filter only records whose POS lies here, and write only those; as for `score`. Tranches are
    /// made of these records alone, as in GATK.
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

    /// Threads that compress; 0 for all. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub threads: u32,

    /// No index beside a compressed output.
    #[arg(long)]
    pub no_index: bool,

    /// GATK's way to say the same as --no-index, with `false`.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, hide = true)]
    pub create_output_variant_index: bool,

    /// Folder for the copy of standard input that tranches need. Left out: the system's.
    #[arg(long, value_name = "DIR")]
    pub tmp_dir: Option<PathBuf>,

    /// Accepted for GATK's sake; nothing is read from it.
    #[arg(short = 'R', long, value_name = "FILE", hide = true)]
    pub reference: Option<PathBuf>,

    /// Accepted for GATK's sake: what does not agree is told, and is no reason to stop.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", hide = true)]
    pub disable_sequence_dictionary_validation: Option<bool>,

    /// Accepted for GATK's sake: the header always says what was done.
    #[arg(long, value_name = "BOOL", hide = true)]
    pub add_output_vcf_command_line: Option<bool>,

    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,

    /// How much to say on standard error.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// The value of `-O`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputArgument {
    /// A format, as in bcftools.
    Format(OutputFormat),
    /// The output, as in GATK.
    File(PathBuf),
}

/// The value of `--on-no-resource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnMissing {
    /// Its records stay as they are.
    Unfiltered,
    /// The model's threshold decides.
    Model,
    /// The run fails, as GATK's does.
    Fail,
}

fn parse_output(text: &str) -> Result<OutputArgument, String> {
    match parse_output_type(text) {
        Ok(format) => Ok(OutputArgument::Format(format)),
        Err(_) if text.contains(['.', '/']) || text == "-" => {
            Ok(OutputArgument::File(PathBuf::from(text)))
        }
        Err(error) => Err(format!("{error}, or a file name")),
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let value: f64 = text
        .parse()
        .map_err(|_| "expected a percentage".to_owned())?;
    Tranches::new(&[value]).map_err(|error| error.to_string())?;
    Ok(value)
}

impl FilterArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Two outputs.
    pub fn resolve(self) -> Result<FilterPlan, clap::Error> {
        let usage = |message: &str| Cli::command().error(ErrorKind::ArgumentConflict, message);
        let (format, path) = match (self.output_type, self.output) {
            (Some(OutputArgument::File(_)), Some(_)) => {
                return Err(usage("-o and -O both name an output"));
            }
            (Some(OutputArgument::File(path)), None) => (None, path),
            (Some(OutputArgument::Format(format)), path) => {
                (Some(format), path.unwrap_or_else(|| "-".into()))
            }
            (None, path) => (None, path.unwrap_or_else(|| "-".into())),
        };
        let is_standard_output = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
            .iter()
            .any(|name| path == std::path::Path::new(name));
        let tranches = |values: &[f64], default: f64| {
            let values = if values.is_empty() {
                &[default]
            } else {
                values
            };
            Tranches::new(values).map_err(|error| usage(&error.to_string()))
        };
        let tranches = TranchePlan {
            info_key: self.info_key,
            tranches: PerKind {
                snp: tranches(&self.snp_tranche, DEFAULT_SNP_TRANCHE)?,
                indel: tranches(&self.indel_tranche, DEFAULT_INDEL_TRANCHE)?,
            },
            on_no_resource: self.on_no_resource.map(|way| match way {
                OnMissing::Unfiltered => OnNoResource::Unfiltered,
                OnMissing::Model => OnNoResource::Model,
                OnMissing::Fail => OnNoResource::Fail,
            }),
            resources: self.resource,
            tmp_dir: self.tmp_dir.unwrap_or_else(std::env::temp_dir),
        };
        Ok(FilterPlan {
            variants: self.variant,
            output: OutputOptions {
                format: format
                    .or_else(|| OutputFormat::from_suffix(&path))
                    .unwrap_or(OutputFormat::Vcf),
                path: if is_standard_output { "-".into() } else { path },
                index: !self.no_index && self.create_output_variant_index,
                threads: threads::resolve(self.threads as usize),
            },
            aim: self.aim,
            model: self.model,
            tranches: (!tranches.resources.is_empty()).then_some(tranches),
            invalidate: self.invalidate_previous_filters,
            failing: Failing {
                set_gt_missing: self.set_gt_missing,
                exclude: self.exclude_filtered,
            },
            trim_alternates: self.trim_alts,
            summary_json: self.summary_json,
            regions: self.regions,
            order: Order::allowed(self.allow_unsorted),
            quiet: self.quiet,
        })
    }
}
