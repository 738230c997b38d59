//! `cnnfilter embed`: what a network makes of calls, one streaming pass.

mod columns;
mod examples;
mod map;
mod page;
mod source;
mod tables;

use std::path::PathBuf;

use anyhow::{Result, bail};

use self::columns::{Column, Describer};
use self::source::{Chunk, Source};
use super::encoding::{
    Call, EncodingPlan, Inputs, Workers, for_each_shard, inputs as encoding_inputs, read_notes,
};
use super::labels::{LabelPlan, warn_of_truth};
use crate::io::embedding_file::{EmbeddingWriter, Value};
use crate::io::model_dir;
use crate::io::vcf_reader::VcfReader;
use crate::terminal::progress::Progress;
use crate::terminal::summary::EmbedSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::{Example, Outcome};
use cnnfilter_core::label::AltState;
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::pooled::Selection;
use cnnfilter_embed::embedding::FORMAT;
use cnnfilter_embed::{LayerMeta, Meta};
use cnnfilter_nn::DeviceChoice;
pub(crate) use examples::{EmbedExamplesPlan, run as of_examples};
pub(crate) use map::{EmbedMapPlan, run as make_map};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct EmbedPlan {
    /// The calls; `-` for standard input where no labels are given.
    pub(crate) variants: PathBuf,
    /// Reads and reference.
    pub(crate) encoding: EncodingPlan,
    /// A model folder or the name of a built-in model; the default without.
    pub(crate) model: Option<PathBuf>,
    /// Layers by name; empty for all.
    pub(crate) layers: Vec<String>,
    /// INFO keys that become columns.
    pub(crate) info: Vec<String>,
    /// Files of regions that become columns, with the names of these.
    pub(crate) tracks: Vec<(String, PathBuf)>,
    /// Files of calls that become columns likewise.
    pub(crate) sites: Vec<(String, PathBuf)>,
    /// Where labels come from.
    pub(crate) labels: LabelPlan,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// The file of embeddings.
    pub(crate) output: PathBuf,
    /// Threads that work.
    pub(crate) threads: usize,
    /// Calls per chunk.
    pub(crate) batch_size: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Writes the embeddings and returns a summary.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written.
pub(crate) fn run(plan: &EmbedPlan) -> Result<EmbedSummary> {
    let pool = threads::pool(plan.threads)?;
    let reads = !plan.encoding.reads.is_empty();
    let model = model_dir::load_choice(plan.model.as_deref(), reads, DeviceChoice::Cpu)?;
    check(plan, &model)?;
    let wanted = selection(&plan.layers, &model)?;
    let reader = VcfReader::open(&plan.variants)?;
    let header = reader.header().clone();
    let calls = (plan.variants.as_path(), &header);
    let encoder = model.encoder().clone();
    let inputs = pool.install(|| encoding_inputs::open(&plan.encoding, encoder, calls))?;
    let describer = Describer::open(plan, &model, &inputs, &header)?;
    let mut source = Source::open(plan, reader, &inputs)?;
    let mut output = Output {
        writer: EmbeddingWriter::create(&plan.output, begun(&model, &wanted, &describer))?,
        summary: EmbedSummary::new(&plan.output, &wanted),
        progress: Progress::new(plan.quiet),
        inputs: &inputs,
    };
    let most = (plan.batch_size / inputs.samples.len()).max(1);
    let workers = Workers::default();
    while let Some(chunk) = source.next(most)? {
        let Chunk { calls, states } = chunk;
        let last = calls.last().map(|call| {
            let contig = String::from_utf8_lossy(call.record.contig()).into_owned();
            (contig, call.record.position(), calls.len() as u64)
        });
        let first = calls.first().map_or(0, |call| call.number);
        let states_of = |call: &Call| states.get((call.number - first) as usize);
        let shards = for_each_shard(calls, &inputs, &pool, &workers, |encoded, _| {
            embed_shard(encoded, &model, &wanted, &describer, &states_of)
        })?;
        output.add(shards)?;
        if let Some((contig, position, size)) = last {
            let share = inputs.share_passed(&contig, position);
            (output.progress).advance(size, &format!("{contig}:{position}"), share);
        }
    }
    if let Some(records) = source.truth_records() {
        warn_of_truth(&plan.labels, records);
    }
    for note in read_notes(&workers.read_counts(), &inputs) {
        log::warn!("{note}");
    }
    output.summary.outside_regions = source.outside();
    output.finish(plan)
}

/// Checks the model against what it is given.
///
/// # Errors
/// A model that needs reads, without reads.
fn check(plan: &EmbedPlan, model: &Model) -> Result<()> {
    let name = &model.card().name;
    if model.uses_reads() && plan.encoding.reads.is_empty() {
        bail!("model `{name}` looks at reads: give them with -I, or take a model without reads");
    }
    if !model.uses_reads() && !plan.encoding.reads.is_empty() {
        log::warn!("model `{name}` does not use reads: -I is ignored");
    }
    Ok(())
}

/// The layers that are wanted.
///
/// # Errors
/// A name that is no layer of the model.
fn selection(layers: &[String], model: &Model) -> Result<Selection> {
    let known = model.pooled_layers()?;
    let names: Vec<&str> = match layers.is_empty() {
        true => known.iter().map(|layer| layer.name.as_str()).collect(),
        false => layers.iter().map(String::as_str).collect(),
    };
    Ok(Selection::new(&names, &known)?)
}

/// What the file says of itself before the first call.
fn begun(model: &Model, wanted: &Selection, describer: &Describer) -> Meta {
    let card = model.card();
    let layers = wanted.layers().iter().map(|layer| LayerMeta {
        name: layer.name.clone(),
        width: layer.width,
        pools: layer.pools.text().to_owned(),
    });
    Meta {
        format: FORMAT,
        cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: card.name.clone(),
        architecture: card.architecture.clone(),
        weights_sha256: card.weights_sha256.clone(),
        layers: layers.collect(),
        columns: describer.columns().iter().map(Column::meta).collect(),
        ..Meta::default()
    }
}

/// Calls of a shard with their numbers and values, and records that have none.
#[derive(Default)]
struct EmbeddedShard {
    rows: Vec<(Vec<f32>, Vec<Value>)>,
    skipped: Vec<&'static str>,
}

fn embed_shard<'a>(
    encoded: Vec<(Call, Outcome)>,
    model: &Model,
    wanted: &Selection,
    describer: &Describer,
    states_of: &impl Fn(&Call) -> Option<&'a Vec<AltState>>,
) -> Result<EmbeddedShard> {
    let mut shard = EmbeddedShard::default();
    for (call, outcome) in encoded {
        let site = match outcome {
            Outcome::Encoded(site) => site,
            Outcome::Skipped(skip) => {
                shard.skipped.push(skip.reason());
                continue;
            }
        };
        let Some(variant) = call.record.variant() else {
            continue;
        };
        let states = states_of(&call).map(Vec::as_slice);
        for allele in site.alleles {
            let example: &[Example] = std::slice::from_ref(&allele.example);
            for found in model.pooled(example, wanted)? {
                let values = describer.values(&call, &variant, &allele, found.logits, states);
                shard.rows.push((found.numbers, values));
            }
        }
    }
    Ok(shard)
}

/// Where embedded calls go.
struct Output<'a> {
    writer: EmbeddingWriter,
    summary: EmbedSummary,
    progress: Progress,
    inputs: &'a Inputs,
}

impl Output<'_> {
    fn add(&mut self, shards: Vec<EmbeddedShard>) -> Result<()> {
        for shard in shards {
            for (numbers, values) in shard.rows {
                self.writer.push(&numbers, &values)?;
            }
            for reason in shard.skipped {
                *self.summary.left_out.entry(reason.to_owned()).or_default() += 1;
            }
        }
        Ok(())
    }

    fn finish(self, plan: &EmbedPlan) -> Result<EmbedSummary> {
        let Self {
            writer,
            mut summary,
            progress,
            inputs,
        } = self;
        progress.finish();
        summary.calls = writer.calls();
        if summary.calls == 0 {
            log::warn!("no call is embedded; the file has no rows");
        }
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        writer.finish(|meta| {
            meta.inputs.push(("calls".to_owned(), name(&plan.variants)));
            let reads = inputs.reads.iter();
            meta.inputs
                .extend(reads.map(|file| ("reads".to_owned(), name(&file.path))));
            let reference = name(&plan.encoding.reference);
            meta.inputs.push(("reference".to_owned(), reference));
            meta.left_out.clone_from(&summary.left_out);
        })?;
        Ok(summary)
    }
}
