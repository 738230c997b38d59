//! FILTER in the same pass as the score.

use anyhow::{Context, Result};

use crate::terminal::summary::ScoreSummary;
use cnnfilter_core::filter::{Decision, ThresholdFilter};
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::Aim;
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// The thresholds of a model for an aim that `option` asks for.
///
/// # Errors
/// A model without thresholds, or without one for such an aim.
pub(crate) fn thresholds(model: &Model, aim: Aim, option: &str) -> Result<ThresholdFilter> {
    let card = model.card();
    let thresholds = card.thresholds.as_ref().with_context(|| {
        format!(
            "{option}: model `{}` has no thresholds; take one that has, or filter with `cnnfilter filter --resource`",
            card.name
        )
    })?;
    ThresholdFilter::new(thresholds, aim, &card.name).with_context(|| option.to_owned())
}

/// The thresholds of a model for one aim.
pub(crate) struct Filter {
    thresholds: ThresholdFilter,
}

impl Filter {
    /// Takes the model's thresholds and defines their names in the header.
    ///
    /// # Errors
    /// A model without thresholds, or without one for such an aim.
    pub(crate) fn new(model: &Model, aim: Aim, header: &mut VcfHeader) -> Result<Self> {
        let thresholds = thresholds(model, aim, "--filter")?;
        thresholds.extend_header(header);
        Ok(Self { thresholds })
    }

    /// Fills FILTER of a record that has been scored; one that has not keeps its own.
    pub(super) fn apply(&self, record: &mut VcfRecord, summary: &mut ScoreSummary) {
        let decision = self.thresholds.decide(record);
        match decision {
            Decision::NotJudged(_) => summary.not_filtered += 1,
            Decision::Judged { filter: None, .. } => summary.passed += 1,
            Decision::Judged { .. } => summary.failed += 1,
        }
        decision.apply(record, false);
    }
}
