//! Training calls become a summary in a model's card, for `score --novelty`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::example_sets::ExampleSets;
use crate::io::model_dir;
use crate::terminal::summary::NoveltySummary;
use crate::terminal::threads;
use cnnfilter_core::encode::store::LabelledExample;
use cnnfilter_core::genome::{PerKind, VariantKind};
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::pooled::Selection;
use cnnfilter_core::score::Novelty;
use cnnfilter_core::score::novelty::{Direction, KindSummary, Numbers, SHARES, UnitVector};
use cnnfilter_embed::Matrix;
use cnnfilter_embed::pca::Pca;
use cnnfilter_nn::DeviceChoice;

/// Calls of a kind that are looked at, evenly taken; of fewer all.
const MOST: usize = 20_000;
/// Calls of a kind without which there is no summary of it: shares of fewer say little.
const LEAST: usize = 50;
/// Layers that are summarised where the network has them: what it is given beside the reads, and what it makes of the
/// reads before all is joined. Layers behind that have learned not to see what does not matter for a score.
const USUAL: [&str; 2] = ["numbers", "read_dense2"];
/// Directions that a summary keeps.
const DIRECTIONS: usize = 8;
/// Least deviation of a number, as a share of the mean deviation of all. A number that hardly varies in training is
/// novel where it does.
const LEAST_DEVIATION: f64 = 0.05;
/// Examples decoded together.
const CHUNK: usize = 1024;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct NoveltyPlan {
    /// Files of examples.
    pub(crate) examples: Vec<PathBuf>,
    /// A model folder or the name of a built-in model.
    pub(crate) model: PathBuf,
    /// Layers by name; empty for the usual one.
    pub(crate) layers: Vec<String>,
    /// The folder that gets the model's folder.
    pub(crate) output: PathBuf,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// Writes the model with a summary of the examples in its card.
///
/// # Errors
/// Examples that the model does not read, too few of them, or a folder that cannot be written.
pub(crate) fn run(plan: &NoveltyPlan) -> Result<NoveltySummary> {
    let pool = threads::pool(plan.threads)?;
    let model = model_dir::load_choice(Some(&plan.model), true, DeviceChoice::Cpu)?;
    let sets = ExampleSets::open(&plan.examples, &model)?;
    let mut kinds = PerKind::<Vec<usize>>::default();
    for index in 0..sets.len() {
        match sets.is_indel(index)? {
            false => kinds.snp.push(index),
            true => kinds.indel.push(index),
        }
    }
    let names: Vec<&str> = sets.headers().map(|header| header.set.as_str()).collect();
    let made_of = format!("examples of {}", names.join(", "));
    let get = |index| sets.get(index);
    let layers = plan.layers.clone();
    let Some(novelty) = pool.install(|| summarise(&model, layers, kinds, made_of, &get))? else {
        bail!(
            "-e: there are fewer than {LEAST} SNPs and fewer than {LEAST} INDELs; give more examples"
        );
    };
    let calls = novelty.kinds.present();
    let calls = calls
        .map(|(kind, one)| (kind.name().to_owned(), one.calls))
        .collect();
    let model = model.with_novelty(novelty)?;
    Ok(NoveltySummary {
        calls,
        model: model_dir::save(&plan.output, &model)?,
    })
}

/// The summary of the training examples of these numbers, by kind; nothing where no kind has enough. Without `layers`
/// the usual ones are summarised, or the last of a network that has none of them.
///
/// # Errors
/// Examples that cannot be read, or that the model does not.
pub(crate) fn summarise(
    model: &Model,
    mut layers: Vec<String>,
    kinds: PerKind<Vec<usize>>,
    made_of: String,
    get: &(impl Fn(usize) -> Result<LabelledExample> + Sync),
) -> Result<Option<Novelty>> {
    let known = model.pooled_layers()?;
    if layers.is_empty() {
        let names = known.iter().map(|layer| layer.name.clone());
        layers.extend(names.filter(|name| USUAL.contains(&name.as_str())));
    }
    if layers.is_empty() {
        layers.extend(known.last().map(|layer| layer.name.clone()));
    }
    let names: Vec<&str> = layers.iter().map(String::as_str).collect();
    let wanted = Selection::new(&names, &known)?;
    let mut novelty = Novelty {
        layers: wanted
            .layers()
            .iter()
            .map(|layer| layer.name.clone())
            .collect(),
        made_of,
        kinds: PerKind::default(),
    };
    for (kind, indices) in kinds.iter() {
        if indices.len() < LEAST {
            log::warn!(
                "{kind}s: {} training calls, fewer than {LEAST}: no novelty is told of them",
                indices.len()
            );
            continue;
        }
        let found = of_kind(&pooled(model, &wanted, &evenly(indices), get)?);
        match kind {
            VariantKind::Indel => novelty.kinds.indel = Some(found),
            _ => novelty.kinds.snp = Some(found),
        }
    }
    Ok((!novelty.kinds.is_empty()).then_some(novelty))
}

/// At most [`MOST`] of them, evenly.
fn evenly(indices: &[usize]) -> Vec<usize> {
    let most = indices.len().min(MOST);
    (0..most)
        .map(|at| indices[at * indices.len() / most])
        .collect()
}

/// The pooled outputs of examples, a row each.
fn pooled(
    model: &Model,
    wanted: &Selection,
    indices: &[usize],
    get: &(impl Fn(usize) -> Result<LabelledExample> + Sync),
) -> Result<Matrix> {
    let mut rows = Vec::with_capacity(indices.len() * wanted.width());
    for chunk in indices.chunks(CHUNK) {
        let found: Vec<Vec<f32>> = chunk
            .par_iter()
            .map(|index| Ok(model.pooled_of(&get(*index)?.example, wanted)?.numbers))
            .collect::<Result<_>>()?;
        rows.extend(found.into_iter().flatten());
    }
    Ok(Matrix::new(wanted.width(), rows))
}

/// The summary of rows of pooled outputs.
fn of_kind(rows: &Matrix) -> KindSummary {
    let (mean, deviation) = moments(rows);
    let mut scaled = rows.clone();
    for at in 0..rows.rows() {
        let row = scaled.row_mut(at).iter_mut();
        for ((number, mean), deviation) in row.zip(&mean.0).zip(&deviation.0) {
            *number = ((f64::from(*number) - mean) / deviation) as f32;
        }
    }
    let pca = Pca::fit(&scaled, DIRECTIONS.min(rows.columns() / 2));
    let kept: f64 = pca.variance.iter().sum();
    let left = (rows.columns() - pca.components()).max(1) as f64;
    let directions = (pca.variance.iter().enumerate()).map(|(at, variance)| Direction {
        variance: rounded(*variance),
        vector: UnitVector::nearest(pca.axes.row(at)),
    });
    let mut summary = KindSummary {
        calls: rows.rows() as u64,
        mean,
        deviation,
        directions: directions.collect(),
        rest: rounded(((pca.total - kept) / left).max(1e-6)),
        distances: Numbers(Vec::new()),
    };
    let mut distances: Vec<f64> = (0..rows.rows())
        .into_par_iter()
        .map(|at| summary.distance(rows.row(at)))
        .collect();
    distances.sort_by(f64::total_cmp);
    let last = distances.len() - 1;
    summary.distances =
        Numbers::rounded(SHARES.map(|share| distances[(share * last as f64).round() as usize]));
    summary
}

/// Mean and deviation of each column, as they will be read again.
fn moments(rows: &Matrix) -> (Numbers, Numbers) {
    let count = rows.rows() as f64;
    let sum = |of: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; rows.columns()];
        for at in 0..rows.rows() {
            for (column, (sum, number)) in sums.iter_mut().zip(rows.row(at)).enumerate() {
                *sum += of(column, f64::from(*number));
            }
        }
        sums
    };
    let mean = Numbers::rounded(sum(&|_, number| number).into_iter().map(|sum| sum / count));
    let squares = sum(&|column, number| (number - mean.0[column]).powi(2));
    let variances: Vec<f64> = squares.into_iter().map(|sum| sum / count).collect();
    let typical = (variances.iter().sum::<f64>() / variances.len().max(1) as f64).sqrt();
    let least = (LEAST_DEVIATION * typical).max(f64::MIN_POSITIVE.sqrt());
    let deviation = Numbers::rounded(variances.iter().map(|one| one.sqrt().max(least)));
    (mean, deviation)
}

fn rounded(number: f64) -> f64 {
    Numbers::rounded([number]).0[0]
}
