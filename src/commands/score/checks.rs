//! Checks before the long loop: a model and inputs that belong together.

use anyhow::{Result, bail};

use super::ScorePlan;
use crate::io::vcf_reader::VcfReader;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::networks::Model;

/// Checks the model against what it is given, and warns.
///
/// # Errors
/// As [`check_options`].
pub(super) fn check(plan: &ScorePlan, model: &Model, reader: &VcfReader) -> Result<()> {
    check_options(plan, model)?;
    let notes = [
        ignored_reads(plan, model),
        undefined_annotations(model, reader),
    ];
    for note in notes.iter().flatten() {
        log::warn!("{note}");
    }
    Ok(())
}

/// Checks the model against the options.
///
/// # Errors
/// A model that needs what is not there.
pub(crate) fn check_options(plan: &ScorePlan, model: &Model) -> Result<()> {
    let name = &model.card().name;
    if let Some(needs_reads) = plan.needs_reads
        && needs_reads != model.uses_reads()
    {
        let tensor = |reads| if reads { "read_tensor" } else { "reference" };
        bail!(
            "--tensor-type {} was asked for, but model `{name}` takes {}; give the other model",
            tensor(needs_reads),
            tensor(model.uses_reads())
        );
    }
    if model.uses_reads() && plan.encoding.reads.is_empty() {
        bail!("model `{name}` scores from reads: give them with -I, or take a model without reads");
    }
    if plan.novelty && model.card().novelty.is_none() {
        bail!(
            "--novelty: the card of model `{name}` has no summary of its training calls; make one with `cnnfilter embed summary`, or leave --novelty out"
        );
    }
    Ok(())
}

/// A warning where reads are given that the model does not use.
pub(crate) fn ignored_reads(plan: &ScorePlan, model: &Model) -> Option<String> {
    let name = &model.card().name;
    (!model.uses_reads() && !plan.encoding.reads.is_empty())
        .then(|| format!("model `{name}` does not use reads: -I is ignored"))
}

/// A warning where the header of the calls lacks annotations of a network of GATK.
pub(crate) fn undefined_annotations(model: &Model, reader: &VcfReader) -> Option<String> {
    let Encoder::Gatk { annotations, .. } = model.encoder() else {
        return None;
    };
    let missing: Vec<&str> = annotations
        .iter()
        .filter(|name| !reader.header().defines_info(name))
        .map(String::as_str)
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "{}: the header defines no {}; model `{}` takes a missing annotation as 0, which lowers its accuracy",
            reader.path().display(),
            missing.join(", "),
            model.card().name,
        )
    })
}
