//! `cnnfilter quantize`: a model's weights in 8 bits, and what that changes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rayon::ThreadPool;

use super::encoding::{Call, EncodingPlan, Workers, for_each_shard, inputs, read_notes};
use crate::io::model_dir;
use crate::io::vcf_reader::VcfReader;
use crate::terminal::progress::Progress;
use crate::terminal::summary::QuantizeSummary;
use crate::terminal::threads;
use cnnfilter_core::annotate::Annotator;
use cnnfilter_core::encode::Outcome;
use cnnfilter_core::filter::Agreement;
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::card::Compared;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_nn::DeviceChoice;

/// The settings of a run.
#[derive(Debug, Clone)]
pub(crate) struct QuantizePlan {
    /// A model folder or the name of a built-in model.
    pub(crate) model: PathBuf,
    /// Calls to compare on.
    pub(crate) sets: Vec<CallSet>,
    /// The folder that gets the folder of the model.
    pub(crate) output: PathBuf,
    /// Name of the new model.
    pub(crate) name: Option<String>,
    /// Threads that work.
    pub(crate) threads: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// A file of calls with what they are encoded from.
#[derive(Debug, Clone)]
pub(crate) struct CallSet {
    /// The calls; `-` for standard input.
    pub(crate) calls: PathBuf,
    /// Reads and reference.
    pub(crate) encoding: EncodingPlan,
}

/// Behind the name of a model: that of its quantised one.
const SUFFIX: &str = "_8bit";

/// Calls that are compared together.
const CHUNK: usize = 2048;

/// Writes the model and returns a summary.
///
/// # Errors
/// A model that cannot be quantised, anything that is wrong with the calls, or a folder that cannot be
/// written.
pub(crate) fn run(plan: &QuantizePlan) -> Result<QuantizeSummary> {
    let pool = threads::pool(plan.threads)?;
    let load = || model_dir::load_choice(Some(&plan.model), true, DeviceChoice::Cpu);
    let model = pool.install(load)?;
    let name = plan.name.clone();
    let name = name.unwrap_or_else(|| format!("{}{SUFFIX}", model.card().name));
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
        bail!("--name {name:?}: it names a folder; take letters, digits, `-` and `_`");
    }
    let mut small = (model.quantize(name)).with_context(|| plan.model.display().to_string())?;
    if plan.sets.is_empty() {
        log::warn!("no calls are given (-V), so the card does not say what 8 bits change");
    }
    let mut compared = Vec::new();
    for set in &plan.sets {
        compared.push(compare(set, &model, &small, plan, &pool)?);
    }
    compared
        .iter()
        .for_each(|found| small.add_comparison(found.clone()));
    let folder = model_dir::save(&plan.output, &small)?;
    let bytes = |model: &Model| model.to_files().map(|(_, weights)| weights.len());
    Ok(QuantizeSummary {
        folder,
        bytes_before: bytes(&model)?,
        bytes: bytes(&small)?,
        compared,
    })
}

/// Scores calls with both models.
fn compare(
    set: &CallSet,
    model: &Model,
    small: &Model,
    plan: &QuantizePlan,
    pool: &ThreadPool,
) -> Result<Compared> {
    if model.uses_reads() && set.encoding.reads.is_empty() {
        bail!(
            "model `{}` looks at reads: give those of {} with -I",
            model.card().name,
            set.calls.display()
        );
    }
    let mut reader = VcfReader::open(&set.calls)?;
    let (encoder, calls) = (model.encoder().clone(), (reader.path(), reader.header()));
    let inputs = pool.install(|| inputs::open(&set.encoding, encoder, calls))?;
    let columns: Vec<usize> = inputs.samples.iter().map(|sample| sample.column).collect();
    let annotators = [model, small].map(|one| Annotator::new(one, columns.clone(), inputs.columns));
    let mut agreement = Agreement::new(model.card(), name(&set.calls))?;
    let mut progress = Progress::new(plan.quiet);
    let workers = Workers::default();
    let most = (CHUNK / inputs.samples.len()).max(1);
    loop {
        let mut chunk = Vec::new();
        while chunk.len() < most {
            let Some((number, record)) = reader.next_record()? else {
                break;
            };
            chunk.push(Call { number, record });
        }
        let Some(last) = chunk.last() else {
            break;
        };
        let place = (
            String::from_utf8_lossy(last.record.contig()).into_owned(),
            last.record.position(),
        );
        let size = chunk.len() as u64;
        let shards = for_each_shard(chunk, &inputs, pool, &workers, |encoded, _| {
            scored_twice(encoded, &annotators)
        })?;
        for [before, after] in shards {
            before
                .iter()
                .zip(&after)
                .for_each(|(one, other)| agreement.add(one, other));
        }
        let share = inputs.share_passed(&place.0, place.1);
        progress.advance(size, &format!("{}:{}", place.0, place.1), share);
    }
    progress.finish();
    for note in read_notes(&workers.read_counts(), &inputs) {
        log::warn!("{note}");
    }
    Ok(agreement.finish())
}

/// The records of a shard as each of two models scores them.
fn scored_twice(
    encoded: Vec<(Call, Outcome)>,
    [one, other]: &[Annotator<'_>; 2],
) -> Result<[Vec<VcfRecord>; 2]> {
    let records = encoded
        .into_iter()
        .map(|(call, outcome)| (call.record, outcome));
    let unscored = one.begin(records);
    let (before, after) = (one.compute(&unscored)?, other.compute(&unscored)?);
    let (records, _) = unscored.clone().finish(one, before);
    Ok([records, unscored.finish(other, after).0])
}

/// The name of a file without its folder.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
