//! The judged records of one kind in the order of one score: sorted once, walked by every stratum.

use rayon::prelude::*;

use super::classes::{FALSE_BIT, KIND_MASK, Kind, LABEL_MASK, TRUE_BIT};
use super::strata::Membership;
use super::table::JudgedTable;

/// Bit of [`Row::bits`] that is set when the record's score differs from that of the record before it.
const STARTS_GROUP: u32 = 1 << 31;

/// One record: stratum bits and class bits.
#[derive(Debug, Clone, Copy)]
struct Row {
    strata: u32,
    bits: u32,
}

/// Judged records of one kind by descending score; records without the score come last, all tied.
#[derive(Debug)]
pub(crate) struct Ranking {
    rows: Vec<Row>,
    scores: Vec<f32>,
    blocks: Vec<u16>,
    n_missing: u64,
}

/// A run of tied records within a stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TieGroup {
    /// The score; NaN for the group of records without it.
    pub(crate) score: f32,
    /// True calls in the group.
    pub(crate) n_true: u64,
    /// False calls in the group.
    pub(crate) n_false: u64,
}

/// Position of a score in an ascending order of unsigned integers; NaN comes first.
fn ascending_key(score: f32) -> u32 {
    if score.is_nan() {
        return 0;
    }
    let bits = score.to_bits();
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

impl Ranking {
    /// Sorts the judged records of `kind` by score column `score`. `blocks[i]` is the bootstrap block of
    /// record i, or `blocks` is empty.
    pub(crate) fn new(table: &JudgedTable, kind: Kind, score: usize, blocks: &[u16]) -> Self {
        let column = table.column(score);
        let mut keys: Vec<u64> = (0_u32..)
            .zip(&table.bits)
            .filter(|&(_, &bits)| bits & KIND_MASK == kind as u32 && bits & LABEL_MASK != 0)
            .map(|(index, _)| {
                u64::from(!ascending_key(column[index as usize])) << 32 | u64::from(index)
            })
            .collect();
        keys.par_sort_unstable();
        let record = |key: u64| (key & u64::from(u32::MAX)) as usize;
        let scores: Vec<f32> = keys.par_iter().map(|&key| column[record(key)]).collect();
        let rows = keys
            .par_iter()
            .enumerate()
            .map(|(rank, &key)| {
                let starts = rank == 0 || keys[rank - 1] >> 32 != key >> 32;
                Row {
                    strata: table.strata[record(key)],
                    bits: table.bits[record(key)] | if starts { STARTS_GROUP } else { 0 },
                }
            })
            .collect();
        let blocks = if blocks.is_empty() {
            Vec::new()
        } else {
            keys.par_iter().map(|&key| blocks[record(key)]).collect()
        };
        let n_missing = scores.iter().rev().take_while(|s| s.is_nan()).count() as u64;
        Self {
            rows,
            scores,
            blocks,
            n_missing,
        }
    }

    /// Number of records without the score.
    pub(crate) fn n_missing(&self) -> u64 {
        self.n_missing
    }

    /// Number of members without the score.
    pub(crate) fn n_missing_in(&self, test: Membership) -> u64 {
        self.rows[self.present_scores().len()..]
            .iter()
            .filter(|row| test.contains(row.strata, row.bits))
            .count() as u64
    }

    /// Scores in descending order, without the missing ones.
    pub(crate) fn present_scores(&self) -> &[f32] {
        &self.scores[..self.scores.len() - self.n_missing as usize]
    }

    /// Calls `visit` for every group of tied members, in descending order of score.
    #[inline]
    pub(crate) fn for_each_group(&self, test: Membership, mut visit: impl FnMut(TieGroup)) {
        let mut group = TieGroup {
            score: f32::NAN,
            n_true: 0,
            n_false: 0,
        };
        for (row, &score) in self.rows.iter().zip(&self.scores) {
            if row.bits & STARTS_GROUP != 0 {
                if group.n_true + group.n_false > 0 {
                    visit(group);
                }
                group = TieGroup {
                    score,
                    n_true: 0,
                    n_false: 0,
                };
            }
            let member = test.contains(row.strata, row.bits);
            group.n_true += u64::from(member & (row.bits & TRUE_BIT != 0));
            group.n_false += u64::from(member & (row.bits & FALSE_BIT != 0));
        }
        if group.n_true + group.n_false > 0 {
            visit(group);
        }
    }

    /// Calls `visit(starts_group, is_true, block)` for every member, in descending order of score;
    /// `starts_group` tells that its score differs from that of the member before it.
    #[inline]
    pub(crate) fn for_each_member(&self, test: Membership, mut visit: impl FnMut(bool, bool, u16)) {
        let mut starts = false;
        for (row, &block) in self.rows.iter().zip(&self.blocks) {
            starts |= row.bits & STARTS_GROUP != 0;
            if test.contains(row.strata, row.bits) {
                visit(starts, row.bits & TRUE_BIT != 0, block);
                starts = false;
            }
        }
    }

    /// Label and score of every record, in descending order of score; missing scores are NaN.
    pub(crate) fn labelled_scores(&self) -> impl Iterator<Item = (bool, f32)> + '_ {
        self.rows
            .iter()
            .zip(&self.scores)
            .map(|(row, &score)| (row.bits & TRUE_BIT != 0, score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_numbers_and_put_nan_first() {
        let ascending = [
            f32::NAN,
            f32::MIN,
            -1.0,
            -f32::MIN_POSITIVE,
            0.0,
            f32::MIN_POSITIVE,
            1.0,
            f32::MAX,
        ];
        for pair in ascending.windows(2) {
            assert!(ascending_key(pair[0]) < ascending_key(pair[1]), "{pair:?}");
        }
    }
}
