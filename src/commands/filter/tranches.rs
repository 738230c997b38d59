//! Two passes, by tranches: GATK's FilterVariantTranches, which goes on where GATK stops.

use anyhow::{Result, anyhow, bail};

use super::{FilterPlan, Output, TranchePlan, begin_header, known, model, restrict};
use crate::io::regions;
use crate::io::spool::Replay;
use crate::io::vcf_reader::{Order, VcfReader};
use cnnfilter_core::filter::decision::score_of;
use cnnfilter_core::filter::{
    Cutoffs, FilterSummary, ModelLine, OnNoResource, ScoredCalls, ThresholdFilter, TrancheFilter,
    cutoffs,
};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::vcf::quote;

/// Filters the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written.
pub(super) fn run(plan: &FilterPlan, tranches: &TranchePlan) -> Result<FilterSummary> {
    let input = Replay::new(&plan.variants, &tranches.tmp_dir)?;
    if input.is_copied() {
        log::info!(
            "{}: tranches need two passes; it is read from a copy in {}",
            plan.variants.display(),
            tranches.tmp_dir.display()
        );
    }
    let mut reader = input.open()?.with_order(plan.order);
    let info_key = cutoffs::score_key(reader.header(), tranches.info_key.as_deref())
        .map_err(|error| anyhow!("{}: {error}", reader.path().display()))?;
    let thresholds = thresholds(plan, tranches, &reader)?;
    let wanted = regions::wanted(&plan.regions, &reader.header().contigs())?;
    let by_index = restrict(plan, &mut reader, wanted.as_ref())?;
    let order = plan.order;
    let calls = first_pass(&mut reader, order, tranches, &info_key, wanted.as_ref())?;
    let cutoffs = Cutoffs::of_calls(tranches.tranches.clone(), &calls);
    drop(calls);
    for (_, cutoffs) in cutoffs.iter() {
        if let Some(warning) = cutoffs.warning(tranches.on_no_resource, thresholds.is_some())? {
            log::warn!("{warning}");
        }
    }
    let command = command(tranches, &info_key);
    let filter = TrancheFilter::new(info_key, cutoffs, thresholds, plan.invalidate);
    let mut reader = input.open()?.with_order(plan.order);
    if by_index {
        restrict(plan, &mut reader, wanted.as_ref())?;
    }
    second_pass(plan, reader, &filter, &command, wanted.as_ref())
}

/// The model's thresholds, for kinds without known calls.
fn thresholds(
    plan: &FilterPlan,
    tranches: &TranchePlan,
    reader: &VcfReader,
) -> Result<Option<ThresholdFilter>> {
    match tranches.on_no_resource {
        Some(OnNoResource::Unfiltered | OnNoResource::Fail) => return Ok(None),
        Some(OnNoResource::Model) | None => {}
    }
    let found = model::thresholds(plan, reader);
    if let (Err(error), None) = (&found, tranches.on_no_resource)
        && ModelLine::is_of_several(reader.header())
    {
        log::warn!("{error}; there is no threshold for types without known calls");
        return Ok(None);
    }
    let found = found?;
    if found.is_none() && tranches.on_no_resource == Some(OnNoResource::Model) {
        bail!(
            "{}: --on-no-resource model needs thresholds, and its header has none (`##cnnfilterModel`); give a model with --model",
            reader.path().display()
        );
    }
    Ok(found.map(|(thresholds, _)| thresholds))
}

/// Collects the scores, and marks the calls that stand in the resources.
fn first_pass(
    reader: &mut VcfReader,
    order: Order,
    tranches: &TranchePlan,
    info_key: &str,
    wanted: Option<&IntervalSet>,
) -> Result<ScoredCalls> {
    let mut calls = ScoredCalls::default();
    while let Some((_, record)) = reader.next_record()? {
        if !regions::hold(wanted, &record) {
            continue;
        }
        if let (Ok(score), Some(variant)) = (score_of(&record, info_key), record.variant()) {
            calls.add(&variant, score);
        }
    }
    if order == Order::Any {
        calls.sort();
    }
    let of_calls = reader.header().contigs();
    for path in &tranches.resources {
        known::mark(path, &mut calls, &of_calls)?;
    }
    Ok(calls)
}

/// Filters and writes the records.
fn second_pass(
    plan: &FilterPlan,
    mut reader: VcfReader,
    filter: &TrancheFilter,
    command: &str,
    wanted: Option<&IntervalSet>,
) -> Result<FilterSummary> {
    let mut header = reader.header().clone();
    begin_header(&mut header, plan, command);
    filter.extend_header(&mut header);
    let mut summary = filter.summary();
    let mut output = Output::create(plan, &header)?;
    while let Some((_, mut record)) = reader.next_record()? {
        summary.records_read += 1;
        if !regions::hold(wanted, &record) {
            summary.outside_regions += 1;
            continue;
        }
        filter.apply(&mut record, &mut summary);
        output.write(&mut record, &[], &mut summary)?;
    }
    summary.records_read += reader.left_out();
    summary.outside_regions += reader.left_out();
    output.finish()?;
    Ok(summary)
}

/// The arguments that decide the filters, for the header.
fn command(tranches: &TranchePlan, info_key: &str) -> String {
    let mut command = format!("--info-key {}", quote(info_key));
    for (flag, tranches) in [
        ("--snp-tranche", &tranches.tranches.snp),
        ("--indel-tranche", &tranches.tranches.indel),
    ] {
        for value in tranches.values() {
            command += &format!(" {flag} {value}");
        }
    }
    for path in &tranches.resources {
        command += &format!(" --resource {}", quote(&path.to_string_lossy()));
    }
    command
}
