//! Checks before the long loop: a model and inputs that belong together.

use anyhow::{Result, bail};

use super::ScorePlan;
use crate::io::vcf_reader::VcfReader;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::networks::Model;

/// Checks the model against what it is given.
///
/// # Errors
/// A model that needs what is not there.
pub(super) fn check(plan: &ScorePlan, model: &Model, reader: &VcfReader) -> Result<()> {
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
    let reads = &plan.encoding.reads;
    if model.uses_reads() && reads.is_empty() {
        bail!("model `{name}` scores from reads: give them with -I, or take a model without reads");
    }
    if !model.uses_reads() && !reads.is_empty() {
        log::warn!("model `{name}` does not use reads: -I is ignored");
    }
    if let Encoder::Gatk { annotations, .. } = model.encoder() {
        let missing: Vec<&str> = annotations
            .iter()
            .filter(|name| !reader.header().defines_info(name))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            log::warn!(
                "{}: the header defines no {}; model `{name}` takes a missing annotation as 0, which lowers its accuracy",
                reader.path().display(),
                missing.join(", "),
            );
        }
    }
    Ok(())
}
