//! Chooses the records of the page, in one pass over the calls.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{Opened, ViewPlan};
use crate::io::regions;
use crate::io::vcf_reader::VcfReader;
use cnnfilter_core::filter::filter_column;
use cnnfilter_core::genome::record_kind;
use cnnfilter_core::label::GivenLabel;
use cnnfilter_core::score::keys::{PROBABILITY_KEY, SCORE_KEYS};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_view::{Choice, Chooser, Facts};

/// Which calls are shown.
#[derive(Debug, Clone)]
pub(crate) struct ViewChoice {
    /// The rule.
    pub(crate) rule: Choice,
    /// Most records.
    pub(crate) most: usize,
    /// The two keys of [`Choice::Disagree`].
    pub(crate) pair: Vec<String>,
}

/// Numbers of the records chosen, and notes on what was left out.
///
/// # Errors
/// A damaged file, or a choice that no record has the values for.
pub(super) fn choose(
    plan: &ViewPlan,
    opened: &Opened,
    mut reader: VcfReader,
) -> Result<(BTreeSet<u64>, Vec<String>)> {
    let choice = &plan.choice;
    let mut chooser = Chooser::new(choice.rule.clone(), choice.most);
    let mut records = 0u64;
    while let Some((number, record)) = reader.next_record()? {
        if regions::hold(opened.wanted.as_ref(), &record) {
            records += 1;
            chooser.offer(facts(plan, opened, number, &record));
        }
    }
    let eligible = chooser.eligible();
    let needs = match choice.rule {
        Choice::Lowest => Some(format!("{PROBABILITY_KEY}, {}", SCORE_KEYS.join(" or "))),
        Choice::NearThreshold => Some(PROBABILITY_KEY.to_owned()),
        Choice::Disagree => Some(choice.pair.join(" and ")),
        Choice::Worst => Some(format!("a label and {PROBABILITY_KEY}")),
        Choice::First | Choice::Failed | Choice::Labelled | Choice::Random { .. } => None,
    };
    if let Some(needs) = needs.filter(|_| eligible == 0 && records > 0) {
        bail!(
            "{}: none of {records} records has {needs}; score the calls first with `cnnfilter score`, \
             or choose others",
            plan.variants.display()
        );
    }
    let chosen = chooser.finish();
    let mut notes = Vec::new();
    if chosen.is_empty() {
        notes.push(match (records, &choice.rule) {
            (0, _) => "No record lies in the regions asked for, or the file has none.".to_owned(),
            (_, Choice::Failed) => format!("FILTER fails none of {records} records."),
            _ => format!("None of {records} records is chosen."),
        });
    } else if (chosen.len() as u64) < eligible && !is_limited(&choice.rule) {
        notes.push(format!(
            "The first {} of {eligible} records: --max-calls says how many, -L where.",
            chosen.len()
        ));
    }
    for note in &notes {
        log::warn!("{note}");
    }
    Ok((chosen, notes))
}

/// Returns true for a rule that names its number of calls.
fn is_limited(rule: &Choice) -> bool {
    !matches!(rule, Choice::First | Choice::Failed)
}

fn facts(plan: &ViewPlan, opened: &Opened, number: u64, record: &VcfRecord) -> Facts {
    let probability = record.info_float(PROBABILITY_KEY.as_bytes()).map(f64::from);
    let other = || SCORE_KEYS.iter().find_map(|key| value_of(record, key));
    let threshold = || {
        let variant = record.variant()?;
        let kind = record_kind(&variant.reference, &variant.alternates);
        let thresholds = opened.model.card().thresholds.as_ref()?;
        Some(thresholds.find(kind, plan.aim).ok()??.probability)
    };
    Facts {
        number,
        has_failed: filter_column::fails(record.filter()),
        score: probability.or_else(other),
        from_threshold: (plan.choice.rule == Choice::NearThreshold)
            .then(|| probability.map(|one| (one - threshold().unwrap_or(0.5)).abs()))
            .flatten(),
        pair: match &plan.choice.pair[..] {
            [left, right] => value_of(record, left).zip(value_of(record, right)),
            _ => None,
        },
        is_real: opened.label(record).and_then(|label| match label {
            GivenLabel::Right | GivenLabel::AlleleOnly => Some(true),
            GivenLabel::False => Some(false),
            GivenLabel::NotAssessed => None,
        }),
    }
}

/// QUAL, or the first value of an INFO key.
fn value_of(record: &VcfRecord, key: &str) -> Option<f64> {
    let value = if key == "QUAL" {
        record.quality()
    } else {
        record.info_float(key.as_bytes())
    };
    value.map(f64::from)
}
