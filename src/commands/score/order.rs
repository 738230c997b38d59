//! Calls that are not sorted: a chunk at a time is swept in order and written as it was read.

use super::scores::ScoredShard;
use crate::commands::encoding::Call;
use crate::terminal::summary::ScoreSummary;

/// Sorts the calls of a chunk by contig and position, those of one position as they were. Returns
/// their numbers in the new order.
pub(super) fn by_position(chunk: &mut [Call]) -> Vec<u64> {
    chunk.sort_by_cached_key(|call| (call.record.contig().to_vec(), call.record.position()));
    chunk.iter().map(|call| call.number).collect()
}

/// Puts the records of a sorted chunk, whose numbers are `numbers`, back into the order in which
/// they were read.
pub(super) fn as_read(shards: Vec<ScoredShard>, numbers: &[u64]) -> ScoredShard {
    let mut summary = ScoreSummary::default();
    let mut records = Vec::with_capacity(numbers.len());
    for shard in shards {
        summary.add(&shard.summary);
        records.extend(shard.records);
    }
    let mut numbered: Vec<_> = numbers.iter().zip(records).collect();
    numbered.sort_by_key(|(number, _)| **number);
    ScoredShard {
        records: numbered.into_iter().map(|(_, record)| record).collect(),
        summary,
    }
}
