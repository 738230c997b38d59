//! The commands for a program that has this one inside: values instead of files and summaries.
//!
//! Options are words of the command line (`-V`, `calls.vcf`, `-L`, `chr20`), so they mean the same
//! and are checked alike. Messages for the user go to [`log`].

use std::ffi::OsString;

use anyhow::{Result, bail};
use rayon::ThreadPool;

use crate::cli;
use crate::commands::encoding::{Inputs, Workers, encode_calls, inputs, read_notes};
use crate::commands::labelled::{LabelledCalls, LabelledContig};
use crate::commands::labels::warn_of_truth;
use crate::commands::score::read_chunk;
use crate::commands::tensors::TensorsPlan;
use crate::commands::{Plan, eval};
use crate::io::regions;
use crate::io::vcf_reader::{ContigGroups, Counts, VcfReader};
use crate::stop::Stop;
use crate::terminal::summary::ScoreSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::{Encoder, Outcome};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::label::AltState;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_eval::report::Report;

/// Options that the command refuses.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongOptions(String);

/// The plan of a command.
fn plan(command: &str, options: Vec<OsString>, output: Option<&str>) -> Result<Plan> {
    let mut words = vec!["cnnfilter".into(), command.into()];
    words.extend(options);
    // A command wants to know where its files go; nothing is written there.
    words.extend(output.iter().flat_map(|path| ["-o".into(), path.into()]));
    let resolved = cli::parse(words).map_err(|error| {
        let text = error.to_string();
        let message = text.split("\n\n").next().unwrap_or_default();
        WrongOptions(message.trim_start_matches("error: ").to_owned())
    })?;
    Ok(resolved.plan)
}

fn another_command() -> anyhow::Error {
    WrongOptions("these are options of another command".to_owned()).into()
}

/// A call of a file, encoded.
#[derive(Debug)]
pub struct EncodedCall {
    /// Number of the record in the file, from 1; among the records of the regions where an index leads
    /// to these.
    pub number: u64,
    /// The record.
    pub record: VcfRecord,
    /// Its examples, or why it has none.
    pub outcome: Outcome,
}

/// Calls that are encoded a batch at a time, as `score` does it.
pub struct EncodedCalls {
    reader: VcfReader,
    wanted: Option<IntervalSet>,
    inputs: Inputs,
    pool: ThreadPool,
    workers: Workers,
    stop: Stop,
    /// Records of a batch.
    most: usize,
    is_finished: bool,
}

impl EncodedCalls {
    /// Opens the files that the options of `score` name, for this encoder and for one sample of the
    /// calls where it is named.
    ///
    /// # Errors
    /// [`WrongOptions`]; anything that is wrong with the inputs.
    pub fn open(
        options: Vec<OsString>,
        encoder: Encoder,
        sample: Option<String>,
        stop: Stop,
    ) -> Result<Self> {
        let Plan::Score(mut plan, _) = plan("score", options, None)? else {
            return Err(another_command());
        };
        if encoder.uses_reads() && plan.encoding.reads.is_empty() {
            bail!("the encoder `{}` reads reads: give them", encoder.name());
        }
        if sample.is_some() {
            plan.encoding.samples = SampleChoice::One(sample);
        }
        let pool = threads::pool(plan.threads)?;
        let mut reader = VcfReader::open(&plan.variants)?.with_order(plan.order);
        let calls = (reader.path(), reader.header());
        let inputs = pool.install(|| inputs::open(&plan.encoding, encoder, calls))?;
        let wanted = regions::wanted(&plan.regions, &inputs.known_contigs())?;
        if let Some(wanted) = &wanted {
            reader.restrict(wanted, Counts::Welcome)?;
        }
        Ok(Self {
            most: (plan.batch_size / inputs.samples.len()).max(1),
            reader,
            wanted,
            inputs,
            pool,
            workers: Workers::stopped_by(stop.clone()),
            stop,
            is_finished: false,
        })
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.inputs.encoder
    }

    /// Names of the samples that are encoded, in the order of
    /// [`EncodedAllele::sample`](cnnfilter_core::encode::EncodedAllele::sample); nothing for calls
    /// without samples.
    pub fn samples(&self) -> impl Iterator<Item = Option<&str>> {
        self.inputs.samples.iter().map(|one| one.name.as_deref())
    }

    /// The next calls in the order of the file; none at its end.
    ///
    /// # Errors
    /// A damaged file, a record that cannot belong to the reference, or that the run was told to
    /// stop.
    pub fn next_batch(&mut self) -> Result<Vec<EncodedCall>> {
        self.stop.check()?;
        let mut counts = ScoreSummary::default();
        let wanted = self.wanted.as_ref();
        let chunk = read_chunk(&mut self.reader, self.most, wanted, &mut counts)?;
        if chunk.is_empty() && !self.is_finished {
            self.is_finished = true;
            for note in read_notes(&self.workers.read_counts(), &self.inputs) {
                log::warn!("{note}");
            }
        }
        let encoded = encode_calls(chunk, &self.inputs, &self.pool, &self.workers)?;
        let calls = encoded.into_iter().map(|(call, outcome)| EncodedCall {
            number: call.number,
            record: call.record,
            outcome,
        });
        Ok(calls.collect())
    }
}

/// A call of a file with the verdict on each of its ALTs.
pub type LabelledCall = (VcfRecord, Vec<AltState>);

/// Labels calls as `tensors` does; the options are those of `tensors`, without its output.
///
/// # Errors
/// [`WrongOptions`]; anything that is wrong with the inputs, or that the run was told to stop.
pub fn label(options: Vec<OsString>, stop: &Stop) -> Result<Vec<LabelledCall>> {
    let Plan::Tensors(plan) = plan("tensors", options, Some("/dev/null"))? else {
        return Err(another_command());
    };
    let TensorsPlan {
        variants, labels, ..
    } = &plan;
    let calls = ContigGroups::open(variants)?;
    // Labels need the reference alone.
    let encoder = Encoder::allele(false, Vec::new());
    let inputs = inputs::open(&plan.encoding, encoder, (variants, calls.header()))?;
    let mut source = LabelledCalls::open(calls, labels, &plan.regions, &inputs)?;
    let mut labelled = Vec::new();
    while let Some(LabelledContig { calls, .. }) = source.next_contig()? {
        stop.check()?;
        labelled.extend(calls.into_iter().map(|call| (call.record, call.states)));
    }
    warn_of_truth(labels, source.truth_records());
    Ok(labelled)
}

/// Evaluates the scores of calls; the options are those of `eval`, without its output.
///
/// # Errors
/// [`WrongOptions`]; anything that is wrong with the inputs, or that the run was told to stop.
pub fn evaluate(options: Vec<OsString>, stop: &Stop) -> Result<Report> {
    let Plan::Eval(plan) = plan("eval", options, Some("/dev/null"))? else {
        return Err(another_command());
    };
    eval::report(&plan, stop)
}
