//! Whose thresholds filter: those of the header of the calls, or of a model folder.

use anyhow::{Result, bail};

use super::FilterPlan;
use crate::io::model_dir;
use crate::io::vcf_reader::VcfReader;
use cnnfilter_core::filter::{ModelLine, ThresholdFilter};

/// The thresholds of the model, with the model they belong to; nothing where it has none.
///
/// # Errors
/// A model that cannot be read or has no thresholds for the aim, or calls that several models scored.
pub(super) fn thresholds(
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
