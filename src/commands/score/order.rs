//! Calls that are not sorted: a chunk at a time is swept in order and written as it was read.

use super::shards::ScoredShard;
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

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::annotate::ScoreCounts;
    use cnnfilter_core::vcf::VcfRecord;

    #[test]
    fn records_go_back_to_where_they_were() {
        let call = |number: u64, contig: &str, position: u64| {
            let line = format!("{contig}\t{position}\tid{number}\tA\tC\t.\t.\t.");
            Call {
                number,
                record: VcfRecord::parse(line.into_bytes(), 8).unwrap(),
            }
        };
        let mut chunk = vec![
            call(5, "b", 3),
            call(6, "a", 9),
            call(7, "a", 2),
            call(8, "b", 3),
        ];
        let numbers = by_position(&mut chunk);
        assert_eq!(numbers, [7, 6, 5, 8]);
        let mut shards: Vec<ScoredShard> = Vec::new();
        for call in chunk {
            shards.push(ScoredShard {
                records: vec![call.record],
                summary: ScoreSummary {
                    counts: ScoreCounts {
                        sampled: 1,
                        ..ScoreCounts::default()
                    },
                    ..ScoreSummary::default()
                },
            });
        }
        let whole = as_read(shards, &numbers);
        let positions: Vec<u64> = whole.records.iter().map(VcfRecord::position).collect();
        assert_eq!(positions, [3, 9, 2, 3]);
        assert_eq!(whole.summary.counts.sampled, 4);
    }
}
