//! `cnnfilter score`: one streaming pass over the calls.
//!
//! Calls are read in chunks. A chunk is cut into stretches of the genome; each stretch is swept
//! once over the reads and encoded, stretches side by side. The network then scores the chunk, and
//! its records are written in the order in which they came. Memory is bounded by the chunk.

mod checks;
mod filters;
mod header;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Result;

use super::encoding::{
    Call, EncodingPlan, Inputs, Outcome, StretchReader, encode_calls, inputs as encoding_inputs,
};
use crate::encode::{Encoder, Example};
use crate::filter::Aim;
use crate::filter::decision::{ALLELE_KEY, PROBABILITY_KEY};
use crate::genome::{IntervalSet, VariantKind};
use crate::io::regions;
use crate::io::vcf_reader::VcfReader;
use crate::io::vcf_writer::{OutputOptions, VcfWriter};
use crate::io::{IoError, model_dir};
use crate::model::log_odds::{format_probability, format_score, log_odds};
use crate::model::{DeviceChoice, Model};
use crate::runtime::progress::Progress;
use crate::runtime::summary::ScoreSummary;
use crate::runtime::threads;
use crate::vcf::VcfRecord;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct ScorePlan {
    /// The calls; `-` for standard input.
    pub variants: PathBuf,
    /// Reads and reference.
    pub encoding: EncodingPlan,
    /// The scored calls.
    pub output: OutputOptions,
    /// A model folder or the name of a built-in model; the default without.
    pub model: Option<PathBuf>,
    /// Whether the user says that the model reads reads (`--tensor-type`).
    pub needs_reads: Option<bool>,
    /// Regions as typed; empty for everything.
    pub regions: Vec<String>,
    /// Threads that work.
    pub threads: usize,
    /// Calls per chunk.
    pub batch_size: usize,
    /// Where the network runs.
    pub device: DeviceChoice,
    /// Fill FILTER by the model's thresholds for this aim.
    pub filter: Option<Aim>,
    /// No progress.
    pub quiet: bool,
}

/// Scores the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written; then nothing stands
/// at the target.
pub fn run(plan: &ScorePlan) -> Result<ScoreSummary> {
    let pool = threads::pool(plan.threads)?;
    let reads = plan.needs_reads.unwrap_or(!plan.encoding.reads.is_empty());
    let model =
        pool.install(|| model_dir::load_choice(plan.model.as_deref(), reads, plan.device))?;
    let mut reader = VcfReader::open(&plan.variants)?;
    checks::check(plan, &model, &reader)?;
    let inputs = encoding_inputs::open(
        &plan.encoding,
        model.encoder().clone(),
        (reader.path(), reader.header()),
    )?;
    let wanted = if plan.regions.is_empty() {
        None
    } else {
        Some(regions::read(&plan.regions, &inputs.known_contigs)?)
    };
    let mut header = reader.header().clone();
    header::extend(&mut header, plan, &model, &inputs)?;
    let filter = plan
        .filter
        .map(|aim| filters::Filter::new(&model, aim, &mut header))
        .transpose()?;
    let mut writer = VcfWriter::create(plan.output.clone(), &header)?;

    let mut summary = ScoreSummary {
        key: model.card().info_key.clone(),
        read_limit: model.encoder().read_limit(),
        samples: inputs.samples.len(),
        ..ScoreSummary::default()
    };
    let mut progress = Progress::new(plan.quiet);
    let stretch_readers = Mutex::new(Vec::new());
    // Each sample of a call is an example: memory must not grow with the cohort.
    let most = (plan.batch_size / inputs.samples.len()).max(1);
    loop {
        let begun = Instant::now();
        let chunk = read_chunk(&mut reader, most, wanted.as_ref(), &mut summary)?;
        summary.times.reading += begun.elapsed();
        if chunk.is_empty() {
            break;
        }
        let chunk = score_chunk(
            chunk,
            &model,
            &inputs,
            &pool,
            &stretch_readers,
            &mut summary,
        )?;
        let begun = Instant::now();
        let written = chunk.len() as u64;
        let mut last = None;
        for mut call in chunk {
            if let Some(filter) = &filter {
                filter.apply(&mut call.record, &mut summary);
            }
            writer.write(&call.record)?;
            last = Some(call);
        }
        summary.times.writing += begun.elapsed();
        if let Some(last) = last {
            let contig = String::from_utf8_lossy(last.record.contig()).into_owned();
            let position = last.record.position();
            let share = inputs.share_passed(&contig, position);
            progress.advance(written, &format!("{contig}:{position}"), share);
        }
    }
    progress.finish();
    let begun = Instant::now();
    writer.finish()?;
    summary.times.writing += begun.elapsed();
    Ok(summary)
}

/// Reads the next calls that lie in the regions asked for, `most` at most.
fn read_chunk(
    reader: &mut VcfReader,
    most: usize,
    wanted: Option<&IntervalSet>,
    summary: &mut ScoreSummary,
) -> Result<Vec<Call>, IoError> {
    let mut chunk = Vec::new();
    while chunk.len() < most {
        let Some((number, record)) = reader.next_record()? else {
            break;
        };
        summary.records_in += 1;
        if regions::hold(wanted, &record) {
            chunk.push(Call { number, record });
        } else {
            summary.outside_regions += 1;
        }
    }
    Ok(chunk)
}

/// Encodes and scores one chunk; the records come back in their order, with their scores.
fn score_chunk(
    chunk: Vec<Call>,
    model: &Model,
    inputs: &Inputs,
    pool: &rayon::ThreadPool,
    stretch_readers: &Mutex<Vec<StretchReader>>,
    summary: &mut ScoreSummary,
) -> Result<Vec<Call>> {
    let begun = Instant::now();
    let encoded = encode_calls(chunk, inputs, pool, stretch_readers)?;
    summary.times.encoding += begun.elapsed();

    let begun = Instant::now();
    let mut calls = Vec::new();
    let mut examples: Vec<Example> = Vec::new();
    let mut scored: Vec<ScoredRecord> = Vec::new();
    for (mut call, outcome) in encoded {
        match outcome {
            Outcome::Encoded(site) => {
                *summary.scored.entry(site.kind).or_default() += 1;
                summary.without_annotations += u64::from(site.without_annotations);
                summary.without_reads += u64::from(site.reads == Some(0));
                summary.sampled += u64::from(site.is_sampled);
                let mut of_record = ScoredRecord {
                    call: calls.len(),
                    alternates: site.alternates,
                    alleles: Vec::new(),
                };
                for allele in site.alleles {
                    of_record
                        .alleles
                        .push((allele.sample, allele.alternate, allele.kind));
                    examples.push(allele.example);
                }
                scored.push(of_record);
            }
            Outcome::Skipped(skip) => {
                *summary.skipped.entry(skip).or_default() += 1;
                // A score of an earlier run under a key would be taken for one of this run.
                for key in keys(model) {
                    call.record.set_info(key.as_bytes(), None);
                }
                call.record.set_sample_values(SAMPLE_KEY.as_bytes(), None);
            }
        }
        calls.push(call);
    }
    let logits = pool.install(|| model.logits(&examples))?;
    let mut logits = logits.into_iter();
    for of_record in scored {
        let record = &mut calls[of_record.call].record;
        of_record.write(record, model, inputs, &mut logits);
    }
    summary.times.network += begun.elapsed();
    Ok(calls)
}

/// The INFO keys that a model fills.
fn keys(model: &Model) -> Vec<&str> {
    let mut keys = vec![model.card().info_key.as_str()];
    if matches!(model.encoder(), Encoder::Evidence { .. }) {
        keys.push(ALLELE_KEY);
    }
    if model.card().calibration.is_some() {
        keys.push(PROBABILITY_KEY);
    }
    keys
}

/// A record whose outputs are still to come.
struct ScoredRecord {
    /// Index of the call in the chunk.
    call: usize,
    /// ALTs of the record.
    alternates: usize,
    /// Sample, ALT (nothing for the whole record) and kind of each of its examples.
    alleles: Vec<(usize, Option<usize>, VariantKind)>,
}

impl ScoredRecord {
    /// Takes the outputs of its examples and writes its scores: the best ALT's, the first of
    /// equals, and where the model tells them apart each ALT's. Of several samples each gets its
    /// own, and the record the best sample's.
    fn write(
        &self,
        record: &mut VcfRecord,
        model: &Model,
        inputs: &Inputs,
        logits: &mut impl Iterator<Item = [f32; 4]>,
    ) {
        let mut best: Option<(f64, VariantKind)> = None;
        let mut of_alternates: Vec<Option<f64>> = vec![None; self.alternates];
        let mut of_samples: Vec<Option<f64>> = vec![None; inputs.samples.len()];
        let raise = |place: Option<&mut Option<f64>>, score: f64| {
            if let Some(place) = place {
                *place = Some(place.map_or(score, |highest| highest.max(score)));
            }
        };
        for ((sample, alternate, kind), logits) in self.alleles.iter().zip(logits) {
            let score = log_odds(logits, *kind);
            raise(
                of_alternates.get_mut(alternate.unwrap_or(usize::MAX)),
                score,
            );
            raise(of_samples.get_mut(*sample), score);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, *kind));
            }
        }
        let Some((score, kind)) = best else {
            return;
        };
        let key = model.card().info_key.as_bytes();
        record.set_info(key, Some(format_score(score).as_bytes()));
        let text = |score: Option<f64>| score.map_or(".".to_owned(), format_score);
        if matches!(model.encoder(), Encoder::Evidence { .. }) {
            let list: Vec<String> = of_alternates.into_iter().map(text).collect();
            record.set_info(ALLELE_KEY.as_bytes(), Some(list.join(",").as_bytes()));
        }
        if model.card().calibration.is_some() {
            let probability = model.probability(kind, score);
            let text = probability.map(format_probability);
            record.set_info(
                PROBABILITY_KEY.as_bytes(),
                text.as_deref().map(str::as_bytes),
            );
        }
        if tells_samples_apart(model, inputs) {
            let mut values = vec![".".to_owned(); inputs.columns];
            for (sample, score) in inputs.samples.iter().zip(of_samples) {
                values[sample.column] = text(score);
            }
            record.set_sample_values(SAMPLE_KEY.as_bytes(), Some(&values));
        } else {
            record.set_sample_values(SAMPLE_KEY.as_bytes(), None);
        }
    }
}

/// FORMAT key of the score of each sample.
const SAMPLE_KEY: &str = "CNN";

/// Whether each sample of the calls gets a score of its own.
fn tells_samples_apart(model: &Model, inputs: &Inputs) -> bool {
    let looks_at_samples =
        model.uses_reads() || matches!(model.encoder(), Encoder::Evidence { .. });
    inputs.columns > 1 && looks_at_samples
}
