//! `cnnfilter score`: one streaming pass over the calls.
//!
//! Calls are read in chunks. A chunk is cut into stretches of the genome; each stretch is swept
//! once over the reads and encoded, stretches side by side. The network then scores the chunk, and
//! its records are written in the order in which they came. Memory is bounded by the chunk.

mod checks;
mod header;
mod stretch;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;

use self::checks::Inputs;
use self::stretch::{Call, Outcome, StretchReader};
use crate::encode::Example;
use crate::genome::IntervalSet;
use crate::io::regions;
use crate::io::vcf_reader::VcfReader;
use crate::io::vcf_writer::{OutputOptions, VcfWriter};
use crate::io::{IoError, model_dir};
use crate::model::log_odds::{format_score, log_odds};
use crate::model::{DeviceChoice, Model};
use crate::runtime::progress::Progress;
use crate::runtime::summary::ScoreSummary;
use crate::runtime::threads;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct ScorePlan {
    /// The calls; `-` for standard input.
    pub variants: PathBuf,
    /// BAM and CRAM files; empty for a model without reads.
    pub reads: Vec<PathBuf>,
    /// Indexed FASTA.
    pub reference: PathBuf,
    /// The scored calls.
    pub output: OutputOptions,
    /// The model folder.
    pub model: PathBuf,
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
    let model = pool.install(|| model_dir::load(&plan.model, plan.device))?;
    let mut reader = VcfReader::open(&plan.variants)?;
    let inputs = checks::open(plan, &model, &reader)?;
    let wanted = if plan.regions.is_empty() {
        None
    } else {
        Some(regions::read(&plan.regions, &inputs.known_contigs)?)
    };
    let mut header = reader.header().clone();
    header::extend(&mut header, plan, &model);
    let mut writer = VcfWriter::create(plan.output.clone(), &header)?;

    let mut summary = ScoreSummary {
        key: model.card().info_key.clone(),
        ..ScoreSummary::default()
    };
    let mut progress = Progress::new(plan.quiet);
    let stretch_readers = Mutex::new(Vec::new());
    loop {
        let begun = Instant::now();
        let chunk = read_chunk(&mut reader, plan, wanted.as_ref(), &mut summary)?;
        summary.times.reading += begun.elapsed();
        if chunk.is_empty() {
            break;
        }
        let chunk = score_chunk(
            chunk,
            plan,
            &model,
            &inputs,
            &pool,
            &stretch_readers,
            &mut summary,
        )?;
        let begun = Instant::now();
        for call in &chunk {
            writer.write(&call.record)?;
        }
        summary.times.writing += begun.elapsed();
        if let Some(last) = chunk.last() {
            let contig = String::from_utf8_lossy(last.record.contig()).into_owned();
            let position = last.record.position();
            let share = inputs.share_passed(&contig, position);
            progress.advance(chunk.len() as u64, &format!("{contig}:{position}"), share);
        }
    }
    progress.finish();
    let begun = Instant::now();
    writer.finish()?;
    summary.times.writing += begun.elapsed();
    Ok(summary)
}

/// Reads the next calls that lie in the regions asked for.
fn read_chunk(
    reader: &mut VcfReader,
    plan: &ScorePlan,
    wanted: Option<&IntervalSet>,
    summary: &mut ScoreSummary,
) -> Result<Vec<Call>, IoError> {
    let mut chunk = Vec::new();
    while chunk.len() < plan.batch_size {
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
    plan: &ScorePlan,
    model: &Model,
    inputs: &Inputs,
    pool: &rayon::ThreadPool,
    stretch_readers: &Mutex<Vec<StretchReader>>,
    summary: &mut ScoreSummary,
) -> Result<Vec<Call>> {
    let begun = Instant::now();
    let stretches = stretch::cut(chunk, plan.threads);
    let encode = |calls: Vec<Call>| -> Result<Vec<(Call, Outcome)>> {
        // Files are opened once a thread and handed from stretch to stretch.
        let idle = stretch_readers.lock().ok().and_then(|mut idle| idle.pop());
        let mut reader = match idle {
            Some(reader) => reader,
            None => StretchReader::open(&plan.reads, inputs)?,
        };
        let outcomes = reader.encode(&calls, model, inputs)?;
        if let Ok(mut idle) = stretch_readers.lock() {
            idle.push(reader);
        }
        Ok(calls.into_iter().zip(outcomes).collect())
    };
    // All of them, so that of several errors the first in the file is told, whichever came first.
    let encoded: Vec<Result<Vec<(Call, Outcome)>>> =
        pool.install(|| stretches.into_par_iter().map(encode).collect());
    let encoded: Vec<Vec<(Call, Outcome)>> = encoded.into_iter().collect::<Result<_>>()?;
    summary.times.encoding += begun.elapsed();

    let begun = Instant::now();
    let mut calls = Vec::new();
    let mut examples: Vec<Example> = Vec::new();
    let mut scored = Vec::new();
    for (mut call, outcome) in encoded.into_iter().flatten() {
        match outcome {
            Outcome::Encoded(site) => {
                *summary.scored.entry(site.kind).or_default() += 1;
                summary.without_annotations += u64::from(site.without_annotations);
                summary.without_reads += u64::from(site.reads == Some(0));
                summary.sampled += u64::from(site.is_sampled());
                scored.push((calls.len(), site.kind));
                examples.push(site.example);
            }
            Outcome::Skipped(skip) => {
                *summary.skipped.entry(skip).or_default() += 1;
                // A score of an earlier run under this key would be taken for one of this run.
                call.record.set_info(model.card().info_key.as_bytes(), None);
            }
        }
        calls.push(call);
    }
    let logits = pool.install(|| model.logits(&examples))?;
    for ((at, kind), logits) in scored.into_iter().zip(logits) {
        let score = format_score(log_odds(logits, kind));
        let key = model.card().info_key.as_bytes();
        calls[at].record.set_info(key, Some(score.as_bytes()));
    }
    summary.times.network += begun.elapsed();
    Ok(calls)
}
