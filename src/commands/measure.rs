//! `cnnfilter measure`: what a model's thresholds are worth on examples that had no say in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::example_sets::ExampleSets;
use crate::io::model_dir;
use crate::terminal::summary::MeasureSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::store::StoreHeader;
use cnnfilter_core::genome::{PerKind, VariantKind};
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_core::score::measured::MeasuredKind;
use cnnfilter_core::score::thresholds::HeldOut;
use cnnfilter_core::score::{CardThresholds, DataKind, DepthClass, Measured};
use cnnfilter_nn::DeviceChoice;

/// Examples that are decoded and scored together.
const CHUNK: usize = 1024;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct MeasurePlan {
    /// A model folder or the name of a built-in model.
    pub(crate) model: PathBuf,
    /// Files of examples, by where their calls come from.
    pub(crate) examples: Vec<(DataKind, PathBuf)>,
    /// The folder that gets the folder of the model.
    pub(crate) output: PathBuf,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// Calls of one sort.
#[derive(Default)]
struct Sort {
    sets: Vec<String>,
    calls: Vec<HeldOut>,
}

/// Writes the model with what was measured in its card.
///
/// # Errors
/// A model without thresholds or probabilities, examples that it does not read or that it was made with, or a folder that
/// cannot be written.
pub(crate) fn run(plan: &MeasurePlan) -> Result<MeasureSummary> {
    let pool = threads::pool(plan.threads)?;
    let model = model_dir::load_choice(Some(&plan.model), true, DeviceChoice::Cpu)?;
    let Some(thresholds) = model.card().thresholds.clone() else {
        bail!(
            "{}: its card has no thresholds; only a model that was trained with held-out calls has some",
            plan.model.display()
        );
    };
    let mut sorts = BTreeMap::<(DataKind, Option<DepthClass>), Sort>::new();
    let mut names = BTreeSet::new();
    for (data, path) in &plan.examples {
        let sets = ExampleSets::open(std::slice::from_ref(path), &model)?;
        for header in sets.headers() {
            refuse_seen(header, &model).with_context(|| path.display().to_string())?;
            if !names.insert(header.set.clone()) {
                bail!(
                    "{}: the set `{}` is given twice; its calls would count twice",
                    path.display(),
                    header.set
                );
            }
            let sort = (*data, header.sample_depth.map(DepthClass::of));
            let sort = sorts.entry(sort).or_default();
            sort.sets.push(header.set.clone());
            pool.install(|| score(&sets, &model, &mut sort.calls))?;
        }
    }
    let tested = sorts
        .into_iter()
        .map(|(sort, found)| measured(sort, found, &thresholds));
    let thresholds = CardThresholds {
        tested: tested.filter(|one| !one.kinds.is_empty()).collect(),
        ..thresholds
    };
    if thresholds.tested.is_empty() {
        bail!("no set of examples has a real call of a kind that the model has thresholds for");
    }
    let summary = MeasureSummary::new(&thresholds);
    let folder = model_dir::save(&plan.output, &model.with_thresholds(thresholds))?;
    Ok(MeasureSummary {
        model: folder,
        ..summary
    })
}

/// Fails where the model was trained or its thresholds were chosen on a set.
fn refuse_seen(header: &StoreHeader, model: &Model) -> Result<()> {
    let calls = header.inputs.iter().find(|input| input.role == "calls");
    let training = model.card().training.as_ref();
    let seen = training.and_then(|training| {
        training.sets.iter().find(|seen| {
            seen.set == header.set && calls.is_some_and(|calls| calls.sha256 == seen.calls_sha256)
        })
    });
    match seen {
        Some(seen) if seen.training.iter().sum::<u64>() > 0 => bail!(
            "model `{}` was trained on the calls of `{}`; give calls that it has not seen",
            model.card().name,
            header.set
        ),
        Some(_) => bail!(
            "the thresholds of model `{}` were chosen on the calls of `{}`; give others",
            model.card().name,
            header.set
        ),
        None => Ok(()),
    }
}

/// Adds the probabilities of all examples of a file; of a kind without probabilities none.
fn score(sets: &ExampleSets, model: &Model, calls: &mut Vec<HeldOut>) -> Result<()> {
    let mut at = 0;
    while at < sets.len() {
        let end = (at + CHUNK).min(sets.len());
        let labelled = (at..end).map(|index| sets.get(index));
        let labelled = labelled.collect::<Result<Vec<_>>>()?;
        let kinds: Vec<(VariantKind, bool)> = labelled
            .iter()
            .map(|one| {
                let kind = if one.is_indel {
                    VariantKind::Indel
                } else {
                    VariantKind::Snp
                };
                (kind, one.is_real)
            })
            .collect();
        let examples: Vec<_> = labelled.into_iter().map(|one| one.example).collect();
        let logits = model.logits(&examples)?;
        calls.extend(
            kinds
                .into_iter()
                .zip(logits)
                .filter_map(|((kind, is_real), logits)| {
                    let probability = model.probability(kind, log_odds(logits, kind))?;
                    Some(HeldOut {
                        kind,
                        probability,
                        is_real,
                    })
                }),
        );
        at = end;
    }
    Ok(())
}

/// What the thresholds are worth on calls of one sort.
fn measured(
    (data, depth): (DataKind, Option<DepthClass>),
    mut found: Sort,
    thresholds: &CardThresholds,
) -> Measured {
    // The order of the files does not matter.
    found.sets.sort();
    let kinds = PerKind::<()>::default().map(|kind, ()| {
        let thresholds = thresholds.kinds.get(kind)?.as_ref()?;
        let of_kind = found.calls.iter().filter(|call| call.kind == kind);
        let calls: Vec<HeldOut> = of_kind.copied().collect();
        MeasuredKind::of(&calls, thresholds)
    });
    Measured {
        data,
        depth,
        sets: found.sets,
        kinds,
    }
}
