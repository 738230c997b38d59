//! Encodes and scores chunks of calls.

use std::time::Instant;

use anyhow::Result;

use super::order;
use crate::commands::encoding::{Call, Inputs, ShardTimes, Workers, encode_calls, for_each_shard};
use crate::io::vcf_reader::Order;
use crate::terminal::summary::ScoreSummary;
use cnnfilter_core::annotate::Annotator;
use cnnfilter_core::encode::Outcome;
use cnnfilter_core::vcf::VcfRecord;

/// Records of a shard, in their order, with their scores.
pub(crate) struct ScoredShard {
    pub(crate) records: Vec<VcfRecord>,
    /// Counts of them.
    pub(crate) summary: ScoreSummary,
}

/// Encodes and scores one chunk, shard by shard; on a GPU all of it together. The records come
/// back in the order in which they were read, whether that is sorted or not.
///
/// # Errors
/// As [`for_each_shard`] and the network.
pub(crate) fn score_chunk(
    mut chunk: Vec<Call>,
    order: Order,
    annotator: &Annotator<'_>,
    inputs: &Inputs,
    pool: &rayon::ThreadPool,
    workers: &Workers,
) -> Result<Vec<ScoredShard>> {
    let numbers = (order == Order::Any).then(|| order::by_position(&mut chunk));
    let scored = if annotator.model().on_gpu() {
        let begun = Instant::now();
        let encoded = encode_calls(chunk, inputs, pool, workers)?;
        let times = ShardTimes {
            encoding: begun.elapsed(),
            ..ShardTimes::default()
        };
        vec![score_shard(encoded, times, annotator)?]
    } else {
        for_each_shard(chunk, inputs, pool, workers, |encoded, times| {
            score_shard(encoded, times, annotator)
        })?
    };
    Ok(match numbers {
        None => scored,
        Some(numbers) => vec![order::as_read(scored, &numbers)],
    })
}

/// Scores encoded calls.
fn score_shard(
    encoded: Vec<(Call, Outcome)>,
    times: ShardTimes,
    annotator: &Annotator<'_>,
) -> Result<ScoredShard> {
    let records = encoded
        .into_iter()
        .map(|(call, outcome)| (call.record, outcome));
    let unscored = annotator.begin(records);
    let begun = Instant::now();
    let outputs = annotator.compute(&unscored)?;
    let network = begun.elapsed();
    let (records, counts) = unscored.finish(annotator, outputs);
    let mut summary = ScoreSummary {
        counts,
        ..ScoreSummary::default()
    };
    summary.times.sweeping = times.sweeping;
    summary.times.encoding = times.encoding;
    summary.times.network = network;
    Ok(ScoredShard { records, summary })
}
