//! `cnnfilter filter`: from scores to FILTER.
//!
//! Without resources one streaming pass, by the thresholds of a model (`thresholds`); with
//! resources two passes, by tranches (`tranches`). Both hand each record to `finish`.

pub(in crate::commands) mod finish;
mod known;
mod thresholds;
mod tranches;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::finish::Output;
use crate::io::vcf_reader::{Counts, Order, VcfReader};
use crate::io::vcf_writer::OutputOptions;
use crate::io::{atomic, model_dir, regions};
use cnnfilter_core::filter::tranches::Tranches;
use cnnfilter_core::filter::{FilterSummary, ModelLine, ThresholdFilter};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::score::Aim;
use cnnfilter_core::vcf::VcfHeader;

/// What becomes of SNPs or indels of which no call stands in the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNoResource {
    /// They stay as they are.
    Unfiltered,
    /// The model's threshold decides.
    Model,
    /// The run fails.
    Fail,
}

/// What tranches need to know.
#[derive(Debug, Clone)]
pub struct TranchePlan {
    /// Known sites; at least one file.
    pub resources: Vec<PathBuf>,
    /// INFO key of the score, where the user names one.
    pub info_key: Option<String>,
    /// Sensitivities for SNPs.
    pub snp: Tranches,
    /// Sensitivities for indels.
    pub indel: Tranches,
    /// What to do without overlap; left out, the model's threshold where there is one.
    pub on_no_resource: Option<OnNoResource>,
    /// Folder for a copy of standard input.
    pub tmp_dir: PathBuf,
}

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct FilterPlan {
    /// The scored calls; `-` for standard input.
    pub variants: PathBuf,
    /// The filtered calls.
    pub output: OutputOptions,
    /// What the model's thresholds are to reach.
    pub aim: Aim,
    /// Model folder; left out, the header of the calls has the thresholds.
    pub model: Option<PathBuf>,
    /// Tranches; left out, thresholds decide.
    pub tranches: Option<TranchePlan>,
    /// Whether earlier filters go.
    pub invalidate: bool,
    /// Whether filtered records are left out.
    pub exclude_filtered: bool,
    /// Whether filtered genotypes are set to missing.
    pub set_gt_missing: bool,
    /// Whether ALTs that fail beside a better one are taken out.
    pub trim_alternates: bool,
    /// Where the summary goes as JSON.
    pub summary_json: Option<PathBuf>,
    /// Regions as typed; empty for everything.
    pub regions: Vec<String>,
    /// What is asked of the order of the calls.
    pub order: Order,
    /// No progress.
    pub quiet: bool,
}

/// Filters the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written; then nothing stands
/// at the target.
pub fn run(plan: &FilterPlan) -> Result<FilterSummary> {
    refuse_inputs_as_output(plan)?;
    let summary = match &plan.tranches {
        Some(tranches) => tranches::run(plan, tranches)?,
        None => thresholds::run(plan)?,
    };
    if let Some(path) = &plan.summary_json {
        atomic::write(path, &summary.to_json()?)?;
    }
    Ok(summary)
}

/// Neither output may take the place of an input; the calls themselves may be replaced.
fn refuse_inputs_as_output(plan: &FilterPlan) -> Result<()> {
    let resources = plan
        .tranches
        .iter()
        .flat_map(|tranches| &tranches.resources);
    let inputs: Vec<PathBuf> = resources
        .map(PathBuf::as_path)
        .chain(plan.regions.iter().map(Path::new))
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    for output in [Some(&plan.output.path), plan.summary_json.as_ref()] {
        let Some(output) = output else { continue };
        if output
            .canonicalize()
            .is_ok_and(|path| inputs.contains(&path))
        {
            bail!(
                "{}: it is an input of this run and would be replaced; give another output",
                output.display()
            );
        }
        atomic::check_target(output)?;
    }
    if plan.summary_json.as_ref() == Some(&plan.output.path) {
        bail!(
            "{}: calls and summary cannot both go there; give another file",
            plan.output.path.display()
        );
    }
    Ok(())
}

/// The regions that were asked for, if any.
fn regions_of(plan: &FilterPlan, header: &VcfHeader) -> Result<Option<IntervalSet>> {
    if plan.regions.is_empty() {
        return Ok(None);
    }
    Ok(Some(regions::read(&plan.regions, &header.contigs())?))
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
    let counts = match plan.summary_json {
        Some(_) => Counts::Needed,
        None => Counts::Welcome,
    };
    Ok(reader.restrict(wanted, counts)?.is_some())
}

/// The thresholds of the model, with the model they belong to; nothing where it has none.
fn thresholds_of(
    plan: &FilterPlan,
    reader: &VcfReader,
) -> Result<Option<(ThresholdFilter, ModelLine)>> {
    let of_header = ModelLine::of_header(reader.header());
    let in_file = |error| anyhow::anyhow!("{}: {error}", reader.path().display());
    let model = match &plan.model {
        None => of_header.map_err(in_file)?,
        // Log odds would become probabilities by the wrong calibration.
        Some(_) if ModelLine::is_of_several(reader.header()) => of_header.map_err(in_file)?,
        Some(folder) => {
            let mut model = model_dir::thresholds(folder)?;
            if model.thresholds.is_none() {
                bail!(
                    "{}: the card of model `{}` has no thresholds; give --resource for tranches, or a model that was trained with held-out calls",
                    folder.display(),
                    model.name
                );
            }
            if let Some(scored_by) = of_header.ok().flatten() {
                if scored_by.sha256 != model.sha256 {
                    log::warn!(
                        "{}: its scores are those of model `{}`, the thresholds those of `{}`: what they are expected to reach does not hold",
                        reader.path().display(),
                        scored_by.name,
                        model.name
                    );
                }
                model.calibration = scored_by.calibration;
            }
            Some(model)
        }
    };
    let Some(model) = model else { return Ok(None) };
    let Some(thresholds) = &model.thresholds else {
        return Ok(None);
    };
    let filter = ThresholdFilter::new(thresholds, plan.aim, &model.name)?;
    for row in filter.rows() {
        if row.entry.aim != plan.aim {
            log::warn!(
                "model `{}` lists no aim {} for {}s: {} is used",
                model.name,
                plan.aim,
                row.kind,
                row.entry.aim
            );
        }
    }
    Ok(Some((filter, model)))
}

/// Leaves in the header what made the filters, and takes out earlier filters where that is asked for.
fn begin_header(header: &mut VcfHeader, plan: &FilterPlan, command: &str) {
    if plan.invalidate {
        header.remove_filters(|_| true);
    }
    let version = env!("CARGO_PKG_VERSION");
    header.put_meta(
        "##cnnfilterVersion=",
        format!("##cnnfilterVersion={version}"),
    );
    let mut command = format!("##cnnfilterCommand=filter {command}");
    for (is_set, flag) in [
        (plan.invalidate, "--invalidate-previous-filters"),
        (plan.exclude_filtered, "--exclude-filtered"),
        (plan.set_gt_missing, "--set-gt-missing"),
        (plan.trim_alternates, "--trim-alts"),
    ] {
        if is_set {
            command += " ";
            command += flag;
        }
    }
    header.put_meta("##cnnfilterCommand=filter ", command);
}
