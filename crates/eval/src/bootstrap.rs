//! Bootstrap intervals: blocks of neighbouring records are resampled, the same blocks for every score.
//!
//! **Unit.** Calls that lie together fail together (one misplaced read pile, one unmodelled repeat, one
//! haplotype block), so records are not independent and resampling them one by one makes intervals too
//! narrow. The unit here is a block of neighbours: records within [`CLUSTER_GAP`] bases of the one before
//! are never parted, and clusters are joined in file order until at most [`MAX_BLOCKS`] blocks of about
//! equal size are left (Künsch 1989 with fixed blocks; 1,000 blocks leave a relative error of
//! 1/√2000 ≈ 2 % in the width of an interval).
//!
//! **Resamples.** Each draws as many blocks as there are, with replacement, from its own ChaCha8 stream of
//! the seed, so the weights depend on the seed alone. All scores, kinds and strata see the same weights:
//! the difference of two scores is taken within each resample.
//!
//! **Cost.** See `binned`: a resample costs the same for ten thousand records as for five million.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde::Serialize;
use statrs::statistics::{Data, OrderStatistics};

use super::table::JudgedTable;
use super::undefined::Undefined;

/// Records at most this many bases apart are never resampled apart: about the length of a read pair.
pub(crate) const CLUSTER_GAP: u32 = 500;
/// Largest number of blocks.
pub(crate) const MAX_BLOCKS: usize = 1_000;
/// A stratum whose records lie in fewer blocks has no interval.
pub(crate) const MIN_BLOCKS: usize = 10;
/// Share of the resamples that must hold both classes for an interval.
pub(crate) const MIN_DEFINED: f64 = 0.9;
/// Coverage of the intervals.
pub(crate) const COVERAGE: f64 = 0.95;

/// The block of each record of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocks {
    by_record: Vec<u16>,
    n: usize,
}

impl Blocks {
    /// Joins the records of `table` into at most [`MAX_BLOCKS`] runs of neighbours.
    pub(crate) fn new(table: &JudgedTable) -> Self {
        let mut clusters: Vec<usize> = Vec::new();
        for i in 0..table.len() {
            let together = i > 0
                && table.contig[i] == table.contig[i - 1]
                && table.pos[i].abs_diff(table.pos[i - 1]) <= CLUSTER_GAP;
            if !together {
                clusters.push(i);
            }
        }
        let join = clusters.len() > MAX_BLOCKS;
        let mut by_record = Vec::with_capacity(table.len());
        let mut n = 0_u16;
        let mut last_share = 0;
        for (c, &start) in clusters.iter().enumerate() {
            let end = clusters.get(c + 1).copied().unwrap_or(table.len());
            let share = if join {
                start as u64 * MAX_BLOCKS as u64 / table.len() as u64
            } else {
                c as u64
            };
            if c == 0 || share != last_share {
                n += 1;
                last_share = share;
            }
            by_record.resize(end, n - 1);
        }
        Self {
            by_record,
            n: usize::from(n),
        }
    }

    /// Block of each record, 0 to `len() - 1`.
    pub(crate) fn by_record(&self) -> &[u16] {
        &self.by_record
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.n
    }
}

/// How often each block was drawn in each resample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResampleWeights {
    n_blocks: usize,
    n_resamples: usize,
    weights: Vec<u16>,
}

impl ResampleWeights {
    /// Draws `n_resamples` times `n_blocks` blocks out of `n_blocks`, with replacement.
    ///
    /// `n_blocks` is at most [`MAX_BLOCKS`], which `binned` relies on.
    pub(crate) fn draw(n_blocks: usize, n_resamples: usize, seed: u64) -> Self {
        let mut weights = vec![0; n_blocks * n_resamples];
        if n_blocks > 0 {
            weights
                .par_chunks_mut(n_blocks)
                .enumerate()
                .for_each(|(resample, row)| {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed);
                    rng.set_stream(resample as u64);
                    for _ in 0..n_blocks {
                        // Multiply-shift instead of a library's range, so that the draw does not change with it;
                        // the bias is below n_blocks / 2^32.
                        let block = (u64::from(rng.next_u32()) * n_blocks as u64) >> 32;
                        row[block as usize] += 1;
                    }
                });
        }
        Self {
            n_blocks,
            n_resamples,
            weights,
        }
    }

    /// Weights of one resample, one a block.
    pub(crate) fn resample(&self, index: usize) -> &[u16] {
        &self.weights[index * self.n_blocks..(index + 1) * self.n_blocks]
    }

    /// Number of resamples.
    pub(crate) fn len(&self) -> usize {
        self.n_resamples
    }

    /// True without a resample.
    pub(crate) fn is_empty(&self) -> bool {
        self.n_resamples == 0
    }

    /// Number of blocks.
    pub(crate) fn n_blocks(&self) -> usize {
        self.n_blocks
    }
}

/// A confidence interval at `COVERAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Percentile interval of the resampled values of one figure; `None` stands for a resample in which the
/// figure does not exist.
///
/// # Errors
/// [`Undefined::NoResamples`], or [`Undefined::TooFewResamples`] when fewer than [`MIN_DEFINED`] of them
/// hold a value.
pub(crate) fn percentile_interval(
    values: impl Iterator<Item = Option<f64>>,
) -> Result<Interval, Undefined> {
    let all: Vec<Option<f64>> = values.collect();
    let defined: Vec<f64> = all.iter().flatten().copied().collect();
    check_defined(defined.len(), all.len())?;
    let mut data = Data::new(defined);
    let tail = (1.0 - COVERAGE) / 2.0;
    Ok(Interval {
        low: data.quantile(tail),
        high: data.quantile(1.0 - tail),
    })
}

/// Two-sided p-value that a difference is zero, from its resampled values: twice the smaller share of
/// resamples on one side of zero, (count + 1)/(resamples + 1) as in Davison & Hinkley 1997, 4.2.
/// The smallest possible value is 2/(resamples + 1).
///
/// # Errors
/// As [`percentile_interval`].
pub(crate) fn p_value(differences: impl Iterator<Item = Option<f64>>) -> Result<f64, Undefined> {
    let (mut n, mut defined, mut low, mut high) = (0_usize, 0_usize, 0_usize, 0_usize);
    for difference in differences {
        n += 1;
        if let Some(d) = difference {
            defined += 1;
            low += usize::from(d <= 0.0);
            high += usize::from(d >= 0.0);
        }
    }
    check_defined(defined, n)?;
    Ok((2.0 * (low.min(high) + 1) as f64 / (defined + 1) as f64).min(1.0))
}

fn check_defined(defined: usize, resamples: usize) -> Result<(), Undefined> {
    if resamples == 0 {
        return Err(Undefined::NoResamples);
    }
    if (defined as f64) < MIN_DEFINED * resamples as f64 {
        return Err(Undefined::TooFewResamples { defined, resamples });
    }
    Ok(())
}
