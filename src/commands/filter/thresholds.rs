//! One streaming pass, by the thresholds of a model.

use anyhow::{Result, bail};

use super::{FilterPlan, Output, begin_header, model, restrict};
use crate::io::regions;
use crate::io::vcf_reader::VcfReader;
use cnnfilter_core::filter::model_line::score_of_another_model;
use cnnfilter_core::filter::{CallFilter, FilterSummary};
use cnnfilter_core::score::keys::PROBABILITY_KEY;
use cnnfilter_core::vcf::quote;

/// Filters the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, thresholds that are nowhere, or an output that cannot be
/// written.
pub(super) fn run(plan: &FilterPlan) -> Result<FilterSummary> {
    let mut reader = VcfReader::open(&plan.variants)?.with_order(plan.order);
    let wanted = regions::wanted(&plan.regions, &reader.header().contigs())?;
    let Some((thresholds, model)) = model::thresholds(plan, &reader)? else {
        return without_thresholds(plan, reader);
    };
    let mut header = reader.header().clone();
    if !header.defines_info(PROBABILITY_KEY) {
        log::warn!(
            "{}: the header does not define {PROBABILITY_KEY}; was the file scored by a model that gives probabilities?",
            reader.path().display()
        );
    }
    restrict(plan, &mut reader, wanted.as_ref())?;
    let score_key = model.score_key(&header).map(String::from);
    let calibration = model.calibration.unwrap_or_default();
    let filter = CallFilter::new(thresholds, calibration, &header)
        .trimming(plan.trim_alternates)
        .invalidating(plan.invalidate);
    let command = format!(
        "--aim {} --model {} --model-sha256 {}",
        plan.aim,
        quote(&model.name),
        quote(&model.sha256)
    );
    begin_header(&mut header, plan, &command);
    filter.extend_header(&mut header);
    let mut summary = filter.summary();

    let mut output = Output::create(plan, &header)?;
    while let Some((number, mut record)) = reader.next_record()? {
        summary.records_read += 1;
        if !regions::hold(wanted.as_ref(), &record) {
            summary.outside_regions += 1;
            continue;
        }
        if let Some(other) = score_key
            .as_deref()
            .and_then(|key| score_of_another_model(&record, key))
        {
            bail!(
                "{}: record {number} ({}:{}) has a probability and the score {other}, but not the score of model `{}`, whose thresholds the header has: files scored by different models were joined; filter each of them before you join them, or score the joined file again",
                plan.variants.display(),
                String::from_utf8_lossy(record.contig()),
                record.position(),
                model.name
            );
        }
        let failing = filter.apply(&mut record, &mut summary);
        output.write(&mut record, &failing, &mut summary)?;
    }
    summary.records_read += reader.left_out();
    summary.outside_regions += reader.left_out();
    output.finish()?;
    if summary.judged() == 0 && summary.records_read > summary.outside_regions {
        log::warn!(
            "{}: no record was judged: none is filtered, and none is marked PASS",
            plan.variants.display()
        );
    }
    Ok(summary)
}

/// A file without thresholds: fine when it is empty, for then there is nothing to filter.
fn without_thresholds(plan: &FilterPlan, mut reader: VcfReader) -> Result<FilterSummary> {
    if reader.next_record()?.is_some() {
        bail!(
            "{}: its header has no thresholds (`##cnnfilterModel`); score it with a model that has them, give one with --model, or known sites with --resource",
            reader.path().display()
        );
    }
    log::warn!(
        "{}: it has no record, and no thresholds in its header",
        reader.path().display()
    );
    let mut header = reader.header().clone();
    begin_header(&mut header, plan, &format!("--aim {}", plan.aim));
    Output::create(plan, &header)?.finish()?;
    Ok(FilterSummary {
        mode: "thresholds",
        info_key: PROBABILITY_KEY.to_owned(),
        ..FilterSummary::default()
    })
}
