//! Resampled figures of one score in one stratum, at a cost that does not grow with the records.
//!
//! The ranking is cut into at most about [`MAX_BINS`] bins of equal class-balanced weight
//! (½·TP/P + ½·FP/N each), so that the few false calls are resolved as finely as the many true ones. Tied
//! records are never parted, and with no more than [`MAX_BINS`] distinct scores every score is its own bin:
//! the resampled figures are then exact. A bin of several scores is taken as evenly mixed
//! ([`Accumulator::ramp`]); what that changes in the figure itself is known, because the figure is also
//! computed from all records, and is added to every resample. Per resample a histogram of bins and labels
//! is the sum of the blocks' histograms times the blocks' weights: a sparse sum for few records, a dense
//! matrix product for many. Both are sums of whole numbers and give the same bytes.

use super::bootstrap::{MAX_BLOCKS, MIN_BLOCKS, ResampleWeights};
use super::curves::PointFigures;
use super::metrics::{Accumulator, N_METRICS};
use super::ranking::Ranking;
use super::strata::{Membership, Totals};
use super::undefined::Undefined;

/// Aim for the number of bins; there are never more than twice as many and one.
pub(crate) const MAX_BINS: usize = 256;

/// Slots of the dense product that are summed together.
const SLOT_CHUNK: usize = 256;

/// Bits of a block's count that enter one dense product: the weights of a resample add up to the number of
/// blocks, at most [`MAX_BLOCKS`], so that sums of such digits stay below 2¹⁶ and 16-bit lanes hold them.
const DIGIT_BITS: u32 = 6;
const _: () = assert!(MAX_BLOCKS * ((1 << DIGIT_BITS) - 1) <= u16::MAX as usize);

/// Figures of each resample in the order of [`super::metrics::Metric::ALL`], `None` where the resample
/// holds one class only.
pub(crate) type ResampledFigures = Vec<Option<[f64; N_METRICS]>>;

/// A stratum of a ranking in bins.
#[derive(Debug)]
pub(crate) struct Binned {
    /// Bin i is one tied group.
    tied: Vec<bool>,
    /// Bootstrap block and slot of every record; the slot is twice the bin, plus one for a false call.
    entries: Vec<(u16, u16)>,
    /// Blocks that hold at least one record.
    n_blocks_used: usize,
}

impl Binned {
    pub(crate) fn new(
        ranking: &Ranking,
        test: Membership,
        totals: Totals,
        point: &PointFigures,
        n_blocks: usize,
    ) -> Self {
        let (p, n) = (totals.n_true as f64, totals.n_false as f64);
        let share = |n_true: u32, n_false: u32| {
            0.5 * (f64::from(n_true) / p + f64::from(n_false) / n) * MAX_BINS as f64
        };
        let all_apart = point.n_groups <= MAX_BINS;
        let mut entries = Vec::with_capacity((totals.n_true + totals.n_false) as usize);
        let mut bins = BinEdges::default();
        let mut used = vec![false; n_blocks];
        // Records of the current group and bin.
        let (mut group, mut bin) = ([0_u32; 2], [0_u32; 2]);
        let mut group_start = 0;
        ranking.for_each_member(test, |starts, is_true, block| {
            if starts {
                let full = |counts: [u32; 2]| all_apart || share(counts[0], counts[1]) >= 1.0;
                bins.end_group(&mut entries, group_start, &mut bin, group, full);
                group = [0; 2];
                group_start = entries.len();
            }
            group[usize::from(!is_true)] += 1;
            used[usize::from(block)] = true;
            entries.push((block, u16::from(!is_true)));
        });
        bins.end_group(&mut entries, group_start, &mut bin, group, |_| false);
        bins.close();
        Self {
            tied: bins.tied,
            entries,
            n_blocks_used: used.into_iter().filter(|&u| u).count(),
        }
    }

    /// Number of slots: two a bin.
    pub(super) fn n_slots(&self) -> usize {
        2 * self.tied.len()
    }

    /// Figures of every resample.
    ///
    /// # Errors
    /// [`Undefined::TooFewBlocks`] when the records lie in fewer than [`MIN_BLOCKS`] blocks.
    pub(crate) fn resample(
        &self,
        point: &PointFigures,
        weights: &ResampleWeights,
    ) -> Result<ResampledFigures, Undefined> {
        if self.n_blocks_used < MIN_BLOCKS {
            return Err(Undefined::TooFewBlocks {
                found: self.n_blocks_used,
                need: MIN_BLOCKS,
            });
        }
        let n_slots = self.n_slots();
        let mut whole = vec![0; n_slots];
        for &(_, slot) in &self.entries {
            whole[usize::from(slot)] += 1;
        }
        let binned = self.figures(&whole).unwrap_or([0.0; N_METRICS]);
        let shift: [f64; N_METRICS] = std::array::from_fn(|i| point.values[i] - binned[i]);
        let corrected = |histogram: &[u32]| {
            let mut values = self.figures(histogram)?;
            for (value, shift) in values.iter_mut().zip(shift) {
                *value = (*value + shift).clamp(0.0, 1.0);
            }
            Some(values)
        };
        // The dense product does about 30 sums in the time of one scattered one.
        let histograms = if self.entries.len() * 30 < weights.n_blocks() * n_slots {
            self.sparse_histograms(n_slots, weights)
        } else {
            self.dense_histograms(n_slots, weights)
        };
        Ok(histograms.chunks_exact(n_slots).map(corrected).collect())
    }

    /// Histograms of all resamples, `[resample][slot]`, record by record.
    pub(super) fn sparse_histograms(&self, n_slots: usize, weights: &ResampleWeights) -> Vec<u32> {
        let mut out = vec![0_u32; weights.len() * n_slots];
        for (r, histogram) in out.chunks_exact_mut(n_slots).enumerate() {
            let w = weights.resample(r);
            for &(block, slot) in &self.entries {
                histogram[usize::from(slot)] += u32::from(w[usize::from(block)]);
            }
        }
        out
    }

    /// The same by blocks: weights `[resample][block]` times counts
    /// `[block][slot]`, one digit of the counts at a time.
    pub(super) fn dense_histograms(&self, n_slots: usize, weights: &ResampleWeights) -> Vec<u32> {
        let n_blocks = weights.n_blocks();
        let mut chunks = vec![[0_u32; SLOT_CHUNK]; n_slots.div_ceil(SLOT_CHUNK) * n_blocks];
        for &(block, slot) in &self.entries {
            let (chunk, column) = (
                usize::from(slot) / SLOT_CHUNK,
                usize::from(slot) % SLOT_CHUNK,
            );
            chunks[chunk * n_blocks + usize::from(block)][column] += 1;
        }
        let mut out = vec![0_u32; weights.len() * n_slots];
        let mut digits = vec![[0_u16; SLOT_CHUNK]; n_blocks];
        for (chunk, counts) in chunks.chunks_exact_mut(n_blocks).enumerate() {
            let first = chunk * SLOT_CHUNK;
            let width = SLOT_CHUNK.min(n_slots - first);
            let mut shift = 0;
            while counts.as_flattened().iter().any(|&count| count > 0) {
                let lowest = digits.as_flattened_mut().iter_mut();
                for (digit, count) in lowest.zip(counts.as_flattened_mut()) {
                    *digit = (*count & ((1 << DIGIT_BITS) - 1)) as u16;
                    *count >>= DIGIT_BITS;
                }
                for r in 0..weights.len() {
                    let sums = weighted_sum(weights.resample(r), &digits);
                    let to = &mut out[r * n_slots + first..][..width];
                    for (to, sum) in to.iter_mut().zip(sums) {
                        *to += u32::from(sum) << shift;
                    }
                }
                shift += DIGIT_BITS;
            }
        }
        out
    }

    /// Figures of one histogram of slots; `None` when it holds one class only.
    fn figures(&self, histogram: &[u32]) -> Option<[f64; N_METRICS]> {
        let (bins, _) = histogram.as_chunks::<2>();
        let (mut p, mut n) = (0.0, 0.0);
        for &[n_true, n_false] in bins {
            p += f64::from(n_true);
            n += f64::from(n_false);
        }
        if p <= 0.0 || n <= 0.0 {
            return None;
        }
        let mut sums = Accumulator::new(p, n);
        for (&[n_true, n_false], &tied) in bins.iter().zip(&self.tied) {
            let (n_true, n_false) = (f64::from(n_true), f64::from(n_false));
            if tied {
                sums.step(n_true, n_false);
            } else {
                sums.ramp(n_true, n_false);
            }
        }
        Some(sums.finish())
    }
}

/// Sum of the rows times their weights, which must not exceed 16 bits.
fn weighted_sum(weights: &[u16], rows: &[[u16; SLOT_CHUNK]]) -> [u16; SLOT_CHUNK] {
    let mut sums = [0_u16; SLOT_CHUNK];
    for (&weight, row) in weights.iter().zip(rows) {
        // A third of the blocks are not drawn in a resample.
        if weight > 0 {
            for (sum, &count) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(weight.wrapping_mul(count));
            }
        }
    }
    sums
}

/// The bins that are closed, and the number of groups in the open one.
#[derive(Debug, Default)]
struct BinEdges {
    tied: Vec<bool>,
    groups_in_bin: usize,
}

impl BinEdges {
    /// Puts a finished group into the open bin, or into one of its own when it fills one.
    fn end_group(
        &mut self,
        entries: &mut [(u16, u16)],
        group_start: usize,
        bin: &mut [u32; 2],
        group: [u32; 2],
        full: impl Fn([u32; 2]) -> bool,
    ) {
        if group == [0; 2] {
            return;
        }
        if full(group) {
            self.close();
            *bin = [0; 2];
        }
        let first_slot = 2 * self.tied.len();
        for (_, slot) in &mut entries[group_start..] {
            *slot += first_slot as u16;
        }
        self.groups_in_bin += 1;
        bin[0] += group[0];
        bin[1] += group[1];
        if full(*bin) {
            self.close();
            *bin = [0; 2];
        }
    }

    fn close(&mut self) {
        if self.groups_in_bin > 0 {
            self.tied.push(self.groups_in_bin == 1);
            self.groups_in_bin = 0;
        }
    }
}
