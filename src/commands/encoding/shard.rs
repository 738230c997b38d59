//! Shards of the genome side by side: the calls of each, one sweep over its reads, its examples.
//!
//! Files and threads are handled here; how records are encoded is
//! [`cnnfilter_core::encode::shard`].

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::inputs::Inputs;
use crate::Stop;
use crate::clock::Instant;
use crate::io::alignment::{AlignmentSource, ReadCounts};
use crate::io::fasta::FastaReader;
use cnnfilter_core::encode::{EncodeError, KnownContigs, Outcome, ShardEncoder};
use cnnfilter_core::genome::ReferenceBlock;
use cnnfilter_core::vcf::VcfRecord;

/// Calls further apart than this are not swept together: an indexed seek costs about as much as
/// reading this many bases (BAM's linear index has steps of 16 kb).
const MAX_GAP: u64 = 16_384;

/// Fewest calls of a shard that is cut only to keep all threads busy.
const MIN_CALLS: usize = 32;

/// Shards into which a chunk is cut for each thread, so that none waits long for the last.
const SHARDS_A_THREAD: usize = 8;

/// One record with its number in the file, from 1.
#[derive(Debug)]
pub(crate) struct Call {
    /// Number in the file, from 1.
    pub(crate) number: u64,
    /// The record.
    pub(crate) record: VcfRecord,
}

/// Cuts a chunk into shards: of one contig, without wide gaps, and enough of them for all
/// threads. How it is cut changes no score.
pub(crate) fn cut(chunk: Vec<Call>, threads: usize, samples: usize) -> Vec<Vec<Call>> {
    let fewest = (MIN_CALLS / samples.max(1)).max(1);
    let most = (chunk.len() / (SHARDS_A_THREAD * threads.max(1))).max(fewest);
    let mut shards: Vec<Vec<Call>> = Vec::new();
    for call in chunk {
        match shards.last_mut() {
            Some(shard)
                if shard.len() < most && shard.last().is_some_and(|last| near(last, &call)) =>
            {
                shard.push(call);
            }
            _ => shards.push(vec![call]),
        }
    }
    shards
}

fn near(last: &Call, next: &Call) -> bool {
    last.record.contig() == next.record.contig()
        && next
            .record
            .position()
            .saturating_sub(last.record.position())
            <= MAX_GAP
}

/// Time that a shard took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShardTimes {
    /// Sweeping the reads: seeking, decompressing, sorting them to their calls.
    pub(crate) sweeping: Duration,
    /// Everything else that makes tensors.
    pub(crate) encoding: Duration,
}

/// Encodes calls, shards side by side in `pool`, and hands each shard to `work` in the thread
/// that encoded it; what `work` makes comes back in the order of the calls.
///
/// # Errors
/// As [`ShardReader::encode`] and `work`. All shards are tried, so that of several errors the
/// first in the file is told, whichever came first; but for [`Workers::stop`].
pub(crate) fn for_each_shard<T: Send>(
    calls: Vec<Call>,
    inputs: &Inputs,
    pool: &ThreadPool,
    workers: &Workers,
    work: impl Fn(Vec<(Call, Outcome)>, ShardTimes) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let encode = |calls: Vec<Call>| -> Result<T> {
        workers.stop.check()?;
        let mut reader = workers.borrow(inputs)?;
        let begun = Instant::now();
        let outcomes = reader.encode(&calls, inputs)?;
        let sweeping = std::mem::take(&mut reader.sweeping);
        workers.idle.give_back(reader);
        let times = ShardTimes {
            sweeping,
            encoding: begun.elapsed().saturating_sub(sweeping),
        };
        work(calls.into_iter().zip(outcomes).collect(), times)
    };
    let shards = cut(calls, pool.current_num_threads(), inputs.samples.len());
    let made: Vec<Result<T>> = pool.install(|| shards.into_par_iter().map(encode).collect());
    made.into_iter().collect()
}

/// [`for_each_shard`] for calls that are wanted back as they are, with their outcomes.
///
/// # Errors
/// As [`for_each_shard`].
pub(crate) fn encode_calls(
    calls: Vec<Call>,
    inputs: &Inputs,
    pool: &ThreadPool,
    workers: &Workers,
) -> Result<Vec<(Call, Outcome)>> {
    let shards = for_each_shard(calls, inputs, pool, workers, |encoded, _| Ok(encoded))?;
    Ok(shards.into_iter().flatten().collect())
}

/// Files that are open and idle: they are opened once a thread and handed from piece to piece of the work.
#[derive(Debug)]
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Idle<T> {
    /// Some that are idle, or newly opened ones.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn borrow(&self, open: impl FnOnce() -> Result<T>) -> Result<T> {
        let found = self.0.lock().ok().and_then(|mut idle| idle.pop());
        found.map_or_else(open, Ok)
    }

    /// Hands them back.
    pub(crate) fn give_back(&self, files: T) {
        if let Ok(mut idle) = self.0.lock() {
            idle.push(files);
        }
    }
}

/// State that the threads of a run share: open, idle files, and whether there is any use in
/// going on.
#[derive(Default)]
pub(crate) struct Workers {
    idle: Idle<ShardReader>,
    stop: Stop,
}

impl Workers {
    /// Those of a run that somebody else may stop.
    pub(crate) fn stopped_by(stop: Stop) -> Self {
        Self {
            stop,
            ..Self::default()
        }
    }

    /// No shard is begun any more: the run has failed, or nobody wants what it makes.
    pub(crate) fn stop(&self) {
        self.stop.say();
    }

    /// What there is to tell about the reads, once all shards are done.
    pub(crate) fn read_counts(&self) -> ReadCounts {
        let mut counts = ReadCounts::default();
        for reader in self.idle.0.lock().iter().flat_map(|idle| idle.iter()) {
            counts.add(reader.reads.counts());
        }
        counts
    }

    /// Lends the reads to `look`, beside the shards.
    ///
    /// # Errors
    /// As [`ShardReader::open`] and `look`.
    pub(crate) fn with_reads<T>(
        &self,
        inputs: &Inputs,
        look: impl FnOnce(&mut AlignmentSource) -> Result<T>,
    ) -> Result<T> {
        let mut reader = self.borrow(inputs)?;
        let found = look(&mut reader.reads)?;
        self.idle.give_back(reader);
        Ok(found)
    }

    /// The files of one thread, open.
    fn borrow(&self, inputs: &Inputs) -> Result<ShardReader> {
        self.idle.borrow(|| ShardReader::open(inputs))
    }
}

/// The files of one thread.
pub(crate) struct ShardReader {
    reads: AlignmentSource,
    reference: FastaReader,
    /// Time spent in sweeps since it was last asked for.
    sweeping: Duration,
}

impl ShardReader {
    /// Opens reads (for a model that reads them) and reference for one thread.
    ///
    /// # Errors
    /// Where a file cannot be opened any more.
    pub(crate) fn open(inputs: &Inputs) -> Result<Self> {
        Ok(Self {
            reads: AlignmentSource::open(&inputs.reads, inputs.read_filter, &inputs.reference)?,
            reference: inputs.reference.reader()?,
            sweeping: Duration::ZERO,
        })
    }

    /// Encodes the calls of one shard, in their order.
    ///
    /// # Errors
    /// A damaged file, or a record that cannot belong to this reference.
    pub(crate) fn encode(&mut self, calls: &[Call], inputs: &Inputs) -> Result<Vec<Outcome>> {
        let explain = |error: EncodeError| explain(&error, calls, inputs);
        let contigs = KnownContigs {
            reference: inputs.reference.contigs(),
            reads: &inputs.reads_contigs,
        };
        let records = calls.iter().map(|call| &call.record);
        let shard = ShardEncoder::new(&inputs.encoder, &inputs.sample_inputs, records, contigs)
            .map_err(explain)?;
        let block = match shard.reference_span() {
            Some((contig, span)) => self.reference.block(contig, span.start, span.end)?,
            None => ReferenceBlock::default(),
        };
        let mut shard = shard.with_reference(block).map_err(explain)?;
        if let Some((contig, sinks)) = shard.sinks() {
            let begun = Instant::now();
            self.reads.sweep(contig, sinks)?;
            self.sweeping += begun.elapsed();
        }
        Ok(shard.finish())
    }
}

/// Says which record of which file cannot be encoded, and why.
fn explain(error: &EncodeError, calls: &[Call], inputs: &Inputs) -> anyhow::Error {
    anyhow!(
        "{}: record {} ({}): {}",
        inputs.variants.display(),
        calls.get(error.index).map_or(0, |call| call.number),
        error.variant,
        error
            .problem
            .describe(&inputs.reference.path().display().to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(contig: &str, position: u64) -> Call {
        let line = format!("{contig}\t{position}\t.\tA\tC\t.\t.\t.");
        Call {
            number: position,
            record: VcfRecord::parse(line.into_bytes(), 8).unwrap(),
        }
    }

    fn sizes(calls: Vec<Call>, threads: usize, samples: usize) -> Vec<usize> {
        let shards = cut(calls, threads, samples);
        shards.iter().map(Vec::len).collect()
    }

    #[test]
    fn shards_end_at_contigs_and_wide_gaps() {
        let calls = vec![
            call("a", 1),
            call("a", 1 + MAX_GAP),
            call("a", 2 + 2 * MAX_GAP),
            call("b", 2 + 2 * MAX_GAP),
        ];
        assert_eq!(sizes(calls, 1, 1), [2, 1, 1]);
    }

    #[test]
    fn a_chunk_is_cut_for_all_threads_but_not_too_small() {
        let calls = |count: u64| (1..=count).map(|at| call("a", at)).collect();
        assert_eq!(sizes(calls(1024), 4, 1), [MIN_CALLS; 32]);
        assert_eq!(sizes(calls(100), 4, 1), [32, 32, 32, 4]);
        assert_eq!(sizes(calls(100), 4, 2)[0], MIN_CALLS / 2);
        assert_eq!(sizes(calls(100), 4, 1000).len(), 34);
    }
}
