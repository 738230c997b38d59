//! `cnnfilter filter`: from scores to FILTER.
//!
//! Without resources one streaming pass, by the thresholds of a model (`thresholds`); with
//! resources two passes, by tranches (`tranches`). Both hand each record to `output`.

mod known;
mod model;
mod output;
mod thresholds;
mod tranches;

use std::path::PathBuf;

use anyhow::Result;

use self::output::Output;
use crate::io::atomic;
use crate::io::vcf_reader::{Counts, Order, VcfReader};
use crate::io::vcf_writer::OutputOptions;
use cnnfilter_core::filter::{Failing, FilterSummary, OnNoResource, Tranches};
use cnnfilter_core::genome::{IntervalSet, PerKind};
use cnnfilter_core::score::Aim;
use cnnfilter_core::vcf::VcfHeader;

/// The settings of tranches.
#[derive(Debug, Clone)]
pub(crate) struct TranchePlan {
    /// Known sites; at least one file.
    pub(crate) resources: Vec<PathBuf>,
    /// INFO key of the score, where the user names one.
    pub(crate) info_key: Option<String>,
    /// Sensitivities to known calls.
    pub(crate) tranches: PerKind<Tranches>,
    /// The way to go without overlap; left out, the model's threshold where there is one.
    pub(crate) on_no_resource: Option<OnNoResource>,
    /// Folder for a copy of standard input.
    pub(crate) tmp_dir: PathBuf,
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub(crate) struct FilterPlan {
    /// The scored calls; `-` for standard input.
    pub(crate) variants: PathBuf,
    /// The filtered calls.
    pub(crate) output: OutputOptions,
    /// The aim of the model's thresholds.
    pub(crate) aim: Aim,
    /// Model folder; left out, the header of the calls has the thresholds.
    pub(crate) model: Option<PathBuf>,
    /// Tranches; left out, thresholds decide.
    pub(crate) tranches: Option<TranchePlan>,
    /// Earlier filters go.
    pub(crate) invalidate: bool,
    /// The settings for records and genotypes that fail.
    pub(crate) failing: Failing,
    /// ALTs that fail beside a better one are taken out.
    pub(crate) trim_alternates: bool,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// Counting the records outside of them: read through for it where the index does not say.
    pub(crate) left_out: Counts,
    /// The order that the calls must have.
    pub(crate) order: Order,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Filters the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written; then nothing stands
/// at the target.
pub(crate) fn run(plan: &FilterPlan) -> Result<FilterSummary> {
    atomic::check_target(&plan.output.path)?;
    match &plan.tranches {
        Some(tranches) => tranches::run(plan, tranches),
        None => thresholds::run(plan),
    }
}

/// Reads the regions by the index of the calls, where there is one: whether that is so.
fn restrict(
    plan: &FilterPlan,
    reader: &mut VcfReader,
    wanted: Option<&IntervalSet>,
) -> Result<bool> {
    let Some(wanted) = wanted else {
        return Ok(false);
    };
    Ok(reader.restrict(wanted, plan.left_out)?.is_some())
}

/// Leaves in the header what made the filters, and takes out earlier filters where that is asked for.
fn begin_header(header: &mut VcfHeader, plan: &FilterPlan, command: &str) {
    if plan.invalidate {
        header.remove_filters(|_| true);
    }
    header.put_version(env!("CARGO_PKG_VERSION"));
    let mut command = format!("##cnnfilterCommand=filter {command}");
    for (is_set, flag) in [
        (plan.invalidate, "--invalidate-previous-filters"),
        (plan.failing.exclude, "--exclude-filtered"),
        (plan.failing.set_gt_missing, "--set-gt-missing"),
        (plan.trim_alternates, "--trim-alts"),
    ] {
        if is_set {
            command += " ";
            command += flag;
        }
    }
    header.put_meta("##cnnfilterCommand=filter ", command);
}
