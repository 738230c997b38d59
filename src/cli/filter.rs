//! `cnnfilter filter`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::calls::{CallsArgs, RegionsArgs};
use super::files::Files;
use super::multiqc::MultiqcArgs;
use super::output::CallsOutputArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::filter::{FilterPlan, TranchePlan};
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
#[command(mut_arg("regions", |arg| arg.help("Only records whose POS lies here, as for `score`. Tranches are made of these records alone, as in GATK")))]
#[command(mut_arg("threads", |arg| arg.help("Threads that compress; 0 for all. The output does not depend on it")))]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    calls: CallsArgs,

    /// The aim of the model's thresholds: f1, precision=P or sensitivity=S (shares, 0 to 1). A share that the model does not list takes the next stricter one.
    #[arg(long, value_name = "AIM", default_value = "f1")]
    aim: Aim,

    /// Model folder whose thresholds are used; left out, those in the header of the calls.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    /// Known sites for tranches: VCF, VCF.gz or BCF, without index; several times for several.
    #[arg(long, value_name = "FILE", help_heading = "Tranches")]
    resource: Vec<PathBuf>,

    /// INFO key of the score that makes the tranches. Left out: CNN_2D, or CNN_1D where the
    /// header defines that one only.
    #[arg(
        long,
        value_name = "KEY",
        requires = "resource",
        help_heading = "Tranches"
    )]
    info_key: Option<String>,

    /// Sensitivity to known SNPs in percent below which SNPs are filtered; several times for
    /// several. Left out: 99.95.
    #[arg(long, value_name = "PERCENT", requires = "resource", help_heading = "Tranches", value_parser = parse_percent)]
    snp_tranche: Vec<f64>,

    /// The same for indels. Left out: 99.4.
    #[arg(long, value_name = "PERCENT", requires = "resource", help_heading = "Tranches", value_parser = parse_percent)]
    indel_tranche: Vec<f64>,

    /// The way to go for SNPs or indels none of which stands in the resources. Left out: model where
    /// there are thresholds, else unfiltered; told either way.
    #[arg(
        long,
        value_name = "WAY",
        value_enum,
        requires = "resource",
        help_heading = "Tranches"
    )]
    on_no_resource: Option<OnMissing>,

    /// Folder for the copy of standard input that tranches need. Left out: the system's.
    #[arg(long, value_name = "DIR", help_heading = "Tranches")]
    tmp_dir: Option<PathBuf>,

    /// Take out the filters that stand in the file.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    invalidate_previous_filters: bool,

    /// Leave out what has a filter in the end, this one or an earlier one.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    exclude_filtered: bool,

    /// Set genotypes to missing (./.) where the record, or by FT the genotype, has a filter. AC, AN
    /// and AF are counted again.
    #[arg(long)]
    set_gt_missing: bool,

    /// Take out ALTs that fail by their own score (CNN_AS) while another passes, with their part
    /// of every list. Not with --resource.
    #[arg(long, conflicts_with = "resource")]
    trim_alts: bool,

    #[command(flatten)]
    regions: RegionsArgs,

    #[command(flatten)]
    output: CallsOutputArgs,

    #[command(flatten)]
    pub(super) multiqc: MultiqcArgs,

    #[command(flatten)]
    threads: ThreadsArgs,

    /// Accepted for GATK's sake; nothing is read from it.
    #[arg(short = 'R', long, value_name = "FILE", hide = true)]
    reference: Option<PathBuf>,

    /// Accepted for GATK's sake: what does not agree is told, and is no reason to stop.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", hide = true)]
    disable_sequence_dictionary_validation: Option<bool>,

    /// Accepted for GATK's sake: the header always says what was done.
    #[arg(long, value_name = "BOOL", hide = true)]
    add_output_vcf_command_line: Option<bool>,
}

/// The value of `--on-no-resource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnMissing {
    /// Its records stay as they are.
    Unfiltered,
    /// The model's threshold decides.
    Model,
    /// The run fails, as GATK's does.
    Fail,
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
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<FilterPlan, Wrong> {
        let output = self.output.resolve(self.threads.resolve())?;
        files.input("-V", &self.calls.variant);
        files.inputs("--resource", &self.resource);
        files.inputs("-L", &self.regions.regions);
        files.output("-o", &output.path);
        files.may_replace("-V", "-o");
        let tranches = |values: &[f64], default: f64| {
            let values = if values.is_empty() {
                &[default]
            } else {
                values
            };
            Tranches::new(values).map_err(|error| Wrong::value(error.to_string()))
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
            order: self.calls.order(),
            variants: self.calls.variant,
            output,
            aim: self.aim,
            model: self.model,
            tranches: (!tranches.resources.is_empty()).then_some(tranches),
            invalidate: self.invalidate_previous_filters,
            failing: Failing {
                set_gt_missing: self.set_gt_missing,
                exclude: self.exclude_filtered,
            },
            trim_alternates: self.trim_alts,
            regions: self.regions.regions,
            left_out: run.left_out(),
            quiet: run.quiet,
        })
    }
}
