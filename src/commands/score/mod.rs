//! `cnnfilter score`: one streaming pass over the calls.
//!
//! Calls are read in chunks. A chunk is cut into shards of the genome; each shard is swept
//! once over the reads, encoded and scored in one thread, shards side by side. Meanwhile the next
//! chunk is read and the one before is written, in the order in which its records came. Memory is
//! bounded by the chunk.

pub(crate) mod checks;
pub(crate) mod filters;
mod order;
pub(crate) mod shards;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use anyhow::Result;

use super::encoding::{Call, EncodingPlan, Inputs, Workers, inputs as encoding_inputs, read_notes};
use super::ploidies::GenotypePlan;
use crate::io::regions;
use crate::io::vcf_reader::{Counts, Order, VcfReader};
use crate::io::vcf_writer::{OutputOptions, VcfWriter};
use crate::io::{IoError, model_dir};
use crate::terminal::progress::Progress;
use crate::terminal::summary::ScoreSummary;
use crate::terminal::threads;
use cnnfilter_core::annotate::{Annotator, ScoreCommand};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::Aim;
use cnnfilter_nn::DeviceChoice;
use shards::{ScoredShard, score_chunk};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ScorePlan {
    /// The calls; `-` for standard input.
    pub(crate) variants: PathBuf,
    /// Reads and reference.
    pub(crate) encoding: EncodingPlan,
    /// The scored calls.
    pub(crate) output: OutputOptions,
    /// A model folder or the name of a built-in model; the default without.
    pub(crate) model: Option<PathBuf>,
    /// True where the user says that the model reads reads (`--tensor-type`), false where not.
    pub(crate) needs_reads: Option<bool>,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// Counting the records outside of them: read through for it where the index does not say.
    pub(crate) left_out: Counts,
    /// The order that the calls must have.
    pub(crate) order: Order,
    /// Threads that work.
    pub(crate) threads: usize,
    /// Calls per chunk.
    pub(crate) batch_size: usize,
    /// Where the network runs.
    pub(crate) device: DeviceChoice,
    /// Fill FILTER by the model's thresholds for this aim.
    pub(crate) filter: Option<Aim>,
    /// Say which topics decided each score.
    pub(crate) explain: bool,
    /// Genotypes to write.
    pub(crate) genotypes: Option<GenotypePlan>,
    /// Say how unlike the training calls each call is.
    pub(crate) novelty: bool,
    /// No progress.
    pub(crate) quiet: bool,
}

impl ScorePlan {
    /// Loads the model.
    ///
    /// # Errors
    /// Where there is none of that name, a file of it is damaged, or the device cannot be used.
    pub(crate) fn load_model(&self) -> Result<Model, IoError> {
        let reads = self.needs_reads.unwrap_or(!self.encoding.reads.is_empty());
        model_dir::load_choice(self.model.as_deref(), reads, self.device.clone())
    }
}

/// Chunks that are being scored at a time: while one waits for its last shard the next one begins.
const IN_FLIGHT: usize = 2;

/// Scores the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written; then nothing stands
/// at the target.
pub(crate) fn run(plan: &ScorePlan) -> Result<ScoreSummary> {
    let begun = Instant::now();
    let pool = threads::pool(plan.threads)?;
    let model = pool.install(|| plan.load_model())?;
    let mut reader = VcfReader::open(&plan.variants)?.with_order(plan.order);
    checks::check(plan, &model, &reader)?;
    if plan.genotypes.is_some() {
        GenotypePlan::check(&model)?;
    }
    let (encoder, calls) = (model.encoder().clone(), (reader.path(), reader.header()));
    let inputs = pool.install(|| encoding_inputs::open(&plan.encoding, encoder, calls))?;
    let wanted = regions::wanted(&plan.regions, &inputs.known_contigs())?;
    if let Some(wanted) = &wanted {
        reader.restrict(wanted, plan.left_out)?;
    }
    let mut header = reader.header().clone();
    let columns = inputs.samples.iter().map(|sample| sample.column).collect();
    let genotyper = plan.genotypes.as_ref();
    let genotyper = genotyper
        .map(|plan| plan.open(&header, &inputs))
        .transpose()?;
    let annotator = Annotator::new(&model, columns, inputs.columns)
        .with_reasons(plan.explain)
        .with_genotypes(genotyper)
        .with_novelty(plan.novelty)?;
    let command = ScoreCommand {
        genotypes: plan
            .genotypes
            .as_ref()
            .map(GenotypePlan::words)
            .unwrap_or_default(),
        ..plan.encoding.command()
    };
    annotator.extend_header(&mut header, &command)?;
    let filter = plan
        .filter
        .map(|aim| filters::Filter::new(&model, aim, &mut header))
        .transpose()?;
    let mut output = ChunkWriter {
        annotator: &annotator,
        writer: VcfWriter::create(plan.output.clone(), &header)?,
        filter,
        progress: Progress::new(plan.quiet),
        inputs: &inputs,
        summary: ScoreSummary {
            key: model.card().info_key.clone(),
            read_limit: model.encoder().read_limit(),
            samples: inputs.samples.len(),
            novelty: plan.novelty,
            ..ScoreSummary::default()
        },
    };
    output.summary.times.threads = plan.threads;
    output.summary.times.starting = begun.elapsed();

    let workers = Workers::default();
    // Each sample of a call is an example: memory must not grow with the cohort.
    let most = (plan.batch_size / inputs.samples.len()).max(1);
    std::thread::scope(|scope| -> Result<()> {
        let mut in_flight: VecDeque<ScopedJoinHandle<'_, Result<Vec<ScoredShard>>>> =
            VecDeque::with_capacity(IN_FLIGHT);
        loop {
            let chunk = read_chunk(&mut reader, most, wanted.as_ref(), &mut output.summary);
            // What is wrong with an earlier record is told first.
            let is_last = chunk.as_ref().map_or(true, Vec::is_empty);
            while in_flight.len() == IN_FLIGHT || (is_last && !in_flight.is_empty()) {
                if let Some(worker) = in_flight.pop_front() {
                    let written = join(worker).and_then(|chunk| output.write(chunk));
                    written.inspect_err(|_| workers.stop())?;
                }
            }
            let chunk = chunk?;
            if chunk.is_empty() {
                return Ok(());
            }
            let (annotator, inputs, pool, workers) = (&annotator, &inputs, &pool, &workers);
            in_flight.push_back(
                scope.spawn(move || {
                    score_chunk(chunk, plan.order, annotator, inputs, pool, workers)
                }),
            );
        }
    })?;
    output.progress.finish();
    output.summary.records_in += reader.left_out();
    output.summary.outside_regions += reader.left_out();
    for note in read_notes(&workers.read_counts(), &inputs) {
        log::warn!("{note}");
    }
    let writing = Instant::now();
    output.writer.finish()?;
    let mut summary = output.summary;
    summary.times.writing += writing.elapsed();
    summary.times.whole = begun.elapsed();
    Ok(summary)
}

/// The result of a thread; its panic goes on here.
fn join<T>(worker: ScopedJoinHandle<'_, T>) -> T {
    worker
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where scored chunks go.
struct ChunkWriter<'a> {
    annotator: &'a Annotator<'a>,
    writer: VcfWriter,
    filter: Option<filters::Filter>,
    progress: Progress,
    inputs: &'a Inputs,
    summary: ScoreSummary,
}

impl ChunkWriter<'_> {
    /// Filters and writes the next chunk.
    fn write(&mut self, shards: Vec<ScoredShard>) -> Result<()> {
        let begun = Instant::now();
        let mut written = 0;
        let mut last = None;
        for shard in shards {
            self.summary.add(&shard.summary);
            for mut record in shard.records {
                if let Some(filter) = &self.filter {
                    filter.apply(&mut record, &mut self.summary);
                    self.annotator.mark_ref_call(&mut record);
                }
                self.writer.write(&record)?;
                written += 1;
                last = Some(record);
            }
        }
        self.summary.times.writing += begun.elapsed();
        if let Some(last) = last {
            let contig = String::from_utf8_lossy(last.contig()).into_owned();
            let position = last.position();
            let share = self.inputs.share_passed(&contig, position);
            self.progress
                .advance(written, &format!("{contig}:{position}"), share);
        }
        Ok(())
    }
}

/// Reads the next calls that lie in the regions asked for, `most` at most.
pub(crate) fn read_chunk(
    reader: &mut VcfReader,
    most: usize,
    wanted: Option<&IntervalSet>,
    summary: &mut ScoreSummary,
) -> Result<Vec<Call>, IoError> {
    let begun = Instant::now();
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
    summary.times.reading += begun.elapsed();
    Ok(chunk)
}
