//! `cnnfilter tensors`: labelled calls become examples in a file, once, for training.

mod table;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::table::Table;
use super::encoding::{Call, EncodingPlan, Inputs, Workers, encode_calls, inputs, read_notes};
use super::labelled::{LabelledCall, LabelledCalls};
use super::labels::{LabelPlan, warn_of_truth};
use crate::io::example_file::ExampleWriter;
use crate::io::vcf_reader::ContigGroups;
use crate::io::{atomic, checksum};
use crate::terminal::progress::Progress;
use crate::terminal::summary::TensorsSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::encode::annotations::AnnotationSource;
use cnnfilter_core::encode::labelled::ExampleCounts;
use cnnfilter_core::encode::store::{StoreHeader, StoreInput};
use cnnfilter_core::label::TruthRecords;
use cnnfilter_core::networks::card::TensorSpec;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct TensorsPlan {
    /// The calls.
    pub(crate) variants: PathBuf,
    /// Reads (none for a model without) and reference.
    pub(crate) encoding: EncodingPlan,
    /// Where labels come from.
    pub(crate) labels: LabelPlan,
    /// Annotations, by name.
    pub(crate) annotations: Vec<AnnotationSource>,
    /// Name of the set.
    pub(crate) set: String,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// The file of examples.
    pub(crate) output: PathBuf,
    /// The numbers of every example as a table, too.
    pub(crate) table: Option<PathBuf>,
    /// Threads that work.
    pub(crate) threads: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Calls encoded together.
const CHUNK: usize = 2048;

/// Writes the examples and returns a summary.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written.
pub(crate) fn run(plan: &TensorsPlan) -> Result<TensorsSummary> {
    let pool = threads::pool(plan.threads)?;
    let calls = ContigGroups::open(&plan.variants)?;
    let with_reads = !plan.encoding.reads.is_empty();
    let encoder = Encoder::allele(with_reads, plan.annotations.clone());
    let header = calls.header();
    let inputs =
        pool.install(|| inputs::open(&plan.encoding, encoder, (&plan.variants, header)))?;
    let mut labelled = LabelledCalls::open(calls, &plan.labels, &plan.regions, &inputs)?;
    if let Some(path) = &plan.table {
        atomic::check_target(path)?;
    }
    let mut output = Output {
        plan,
        inputs: &inputs,
        pool: &pool,
        workers: Workers::default(),
        writer: ExampleWriter::create(&plan.output)?,
        table: Table::open(plan, &inputs.encoder)?,
        counts: ExampleCounts::default(),
        progress: Progress::new(plan.quiet),
        records: 0,
    };
    while let Some(contig) = labelled.next_contig()? {
        output.add_contig(&contig.name, contig.calls.into_iter())?;
    }
    let outside = labelled.outside();
    output.counts.leave_out("outside the regions", outside);
    output.finish(labelled.truth_records())
}

/// The files that get the examples.
struct Output<'a> {
    plan: &'a TensorsPlan,
    inputs: &'a Inputs,
    pool: &'a rayon::ThreadPool,
    workers: Workers,
    writer: ExampleWriter,
    table: Option<Table>,
    counts: ExampleCounts,
    progress: Progress,
    /// Records taken so far.
    records: u64,
}

impl Output<'_> {
    /// Encodes the records of a contig, each with the verdict on its ALTs, and writes their
    /// examples.
    fn add_contig(
        &mut self,
        contig: &str,
        mut labelled: impl Iterator<Item = LabelledCall>,
    ) -> Result<()> {
        loop {
            let chunk: Vec<LabelledCall> = labelled.by_ref().take(CHUNK).collect();
            let Some(last) = chunk.last().map(|call| call.record.position()) else {
                return Ok(());
            };
            let size = chunk.len() as u64;
            self.add_chunk(chunk)?;
            let share = self.inputs.share_passed(contig, last);
            self.progress
                .advance(size, &format!("{contig}:{last}"), share);
        }
    }

    fn add_chunk(&mut self, chunk: Vec<LabelledCall>) -> Result<()> {
        let (mut calls, mut verdicts) = (Vec::new(), Vec::new());
        for call in chunk {
            self.records += 1;
            if self.counts.takes(&call.states) {
                verdicts.push((call.states, call.copies));
                calls.push(Call {
                    number: self.records,
                    record: call.record,
                });
            }
        }
        let encoded = encode_calls(calls, self.inputs, self.pool, &self.workers)?;
        for ((call, outcome), (states, copies)) in encoded.into_iter().zip(verdicts) {
            for example in (self.counts).label(&call.record, outcome, &states, &copies) {
                if let Some(table) = &mut self.table {
                    table.add(&example)?;
                }
                self.writer.push(&example)?;
            }
        }
        Ok(())
    }

    /// Tells what was odd, closes the files and returns the summary.
    ///
    /// # Errors
    /// No example, or a file that cannot be written.
    fn finish(self, truth_records: &TruthRecords) -> Result<TensorsSummary> {
        let Self {
            plan,
            inputs,
            counts,
            ..
        } = self;
        self.progress.finish();
        warn_of_truth(&plan.labels, truth_records);
        for note in read_notes(&self.workers.read_counts(), inputs) {
            log::warn!("{note}");
        }
        if counts.examples() == 0 {
            bail!(
                "{}: no call is judged by the labels given; nothing to train on ({})",
                plan.variants.display(),
                counts.left_out_text()
            );
        }
        let header = store_header(plan, inputs, &counts)?;
        // Both or none: the table waits under its temporary name for the examples.
        let (path, text) = (
            plan.table.as_deref(),
            self.table.map(Table::finish).transpose()?,
        );
        let text = text.unwrap_or_default();
        let file = path.filter(|path| !atomic::is_special(path));
        let prepared = file.map(|path| atomic::prepare(path, &text)).transpose()?;
        self.writer.finish(&header)?;
        match (prepared, path) {
            (Some(pending), _) => pending.commit()?,
            (None, Some(pipe)) => atomic::write(pipe, &text)?,
            (None, None) => {}
        }
        Ok(TensorsSummary {
            set: plan.set.clone(),
            classes: counts.classes,
            left_out: counts.left_out,
            sample_depth: header.sample_depth,
        })
    }
}

/// The header of the file of examples.
fn store_header(
    plan: &TensorsPlan,
    inputs: &Inputs,
    counts: &ExampleCounts,
) -> Result<StoreHeader> {
    let tensor = TensorSpec::of_allele(inputs.encoder.uses_reads());
    Ok(StoreHeader {
        set: plan.set.clone(),
        encoder: tensor.encoder,
        annotations: inputs.encoder.annotation_names(),
        site_features: tensor.site_features,
        read_features: tensor.channels,
        sample_depth: inputs
            .encoder
            .uses_reads()
            .then_some(inputs.sample_inputs[0].mean_depth),
        inputs: input_files(plan, inputs)?,
        left_out: counts.left_out.clone().into_iter().collect(),
        classes: counts.classes,
        cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The files that the examples were made of. Reads and references are large: their indexes stand for
/// them.
fn input_files(plan: &TensorsPlan, inputs: &Inputs) -> Result<Vec<StoreInput>> {
    let mut files: Vec<(&str, PathBuf)> = vec![("calls", plan.variants.clone())];
    let reads = inputs.reads.iter();
    files.extend(reads.map(|file| ("reads", index_of(&file.path))));
    files.push(("reference", index_of(&plan.encoding.reference)));
    match &plan.labels {
        LabelPlan::Truth {
            truth, confident, ..
        } => {
            files.push(("truth", truth.clone()));
            files.extend(confident.iter().map(|path| ("confident", path.clone())));
        }
        LabelPlan::Table(path) => files.push(("labels", path.clone())),
        LabelPlan::Happy | LabelPlan::Vcfeval | LabelPlan::Nothing => {}
    }
    files
        .into_iter()
        .filter(|(_, path)| path != Path::new("-"))
        .map(|(role, path)| {
            Ok(StoreInput {
                role: role.to_owned(),
                file: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                sha256: checksum::sha256_of_file(&path)?,
            })
        })
        .collect()
}

/// The index beside a file, under the name it has there; the file itself without one.
fn index_of(path: &Path) -> PathBuf {
    ["bai", "csi", "crai", "fai"]
        .into_iter()
        .flat_map(|suffix| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(format!(".{suffix}"));
            [PathBuf::from(beside), path.with_extension(suffix)]
        })
        .find(|index| index.is_file())
        .unwrap_or_else(|| path.to_owned())
}
