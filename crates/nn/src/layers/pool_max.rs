//! The largest of a site's rows, per column.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::{elements, with_elements};
use super::on_kernels;
use super::segments::check;

/// For each site and column the maximum over its kept rows, 0 where none is kept.
///
/// `x` is `[N, D]`, or of more axes, all but the first being taken as columns; `offsets` are as in
/// [`super::segments`]; `keep` says for each of the N rows whether it takes part, all do if it is
/// absent. The result is `[S, D]`. The gradient goes to the first row that has the maximum. NaN
/// wins over every number.
///
/// # Errors
/// Offsets or `keep` that do not fit the rows, D of 0, and candle's own.
pub fn pool_max(x: &Tensor, offsets: &[usize], keep: Option<&[bool]>) -> Result<Tensor> {
    let x = x.flatten_from(1)?;
    let kept = Kept::new(&x, offsets, keep)?;
    if on_kernels(&x) {
        let winners = OnceLock::new();
        return x.contiguous()?.apply_op1(PoolMax { kept, winners });
    }
    by_gather(&x, &kept)
}

/// The rows that take part.
pub(super) struct Kept {
    /// Ascending.
    rows: Vec<u32>,
    /// The first row of each site in `rows`, and the end.
    offsets: Vec<usize>,
}

impl Kept {
    /// Lists the kept rows of `x`, `[N, D]`.
    ///
    /// # Errors
    /// As [`pool_max`].
    pub(super) fn new(x: &Tensor, offsets: &[usize], keep: Option<&[bool]>) -> Result<Kept> {
        let (count, columns) = x.dims2()?;
        check(offsets, count)?;
        if columns == 0 || keep.is_some_and(|keep| keep.len() != count) {
            let keep = keep.map(<[bool]>::len);
            bail!(
                "a pool over {:?}, of which {keep:?} rows are marked",
                x.shape()
            );
        }
        // The last number stands for no row, and below 2^24 each is one f32.
        if count >= NONE as usize || (!x.device().is_cpu() && count > 1 << 24) {
            bail!("a pool over {count} rows, which are too many");
        }
        let mut rows = Vec::with_capacity(count);
        let mut kept_offsets = vec![0];
        for pair in offsets.windows(2) {
            let kept = (pair[0]..pair[1]).filter(|&row| keep.is_none_or(|keep| keep[row]));
            rows.extend(kept.map(|row| row as u32));
            kept_offsets.push(rows.len());
        }
        Ok(Kept {
            rows,
            offsets: kept_offsets,
        })
    }

    /// Sites.
    fn sites(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The kept rows of a site.
    fn of(&self, site: usize) -> &[u32] {
        &self.rows[self.offsets[site]..self.offsets[site + 1]]
    }
}

/// Stands for no row.
const NONE: u32 = u32::MAX;

/// The pool on the CPU.
struct PoolMax {
    kept: Kept,
    /// `[S, D]`, the row of each maximum or [`NONE`]; known after the forward pass.
    winners: OnceLock<Vec<u32>>,
}

impl CustomOp1 for PoolMax {
    fn name(&self) -> &'static str {
        "pool-max"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, columns) = layout.shape().dims2()?;
        let x = elements(x, layout)?;
        let sites = self.kept.sites();
        let mut y = vec![0.0; sites * columns];
        let mut winners = vec![NONE; sites * columns];
        y.par_chunks_exact_mut(columns)
            .zip(winners.par_chunks_exact_mut(columns))
            .enumerate()
            .for_each(|(site, (y, winners))| {
                let Some((&first, rest)) = self.kept.of(site).split_first() else {
                    return;
                };
                let row = |row: u32| &x[row as usize * columns..][..columns];
                y.copy_from_slice(row(first));
                winners.fill(first);
                for &i in rest {
                    for ((y, winner), &value) in y.iter_mut().zip(&mut *winners).zip(row(i)) {
                        let better = (value > *y) | value.is_nan();
                        *y = if better { value } else { *y };
                        *winner = if better { i } else { *winner };
                    }
                }
            });
        // A second forward pass over the same tensor would find the same.
        self.winners.get_or_init(|| winners);
        Ok((CpuStorage::F32(y), (sites, columns).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (rows, columns) = x.dims2()?;
        let Some(winners) = self.winners.get() else {
            bail!("the gradient of a pool was asked for before the pool");
        };
        let mut dx = vec![0.0; rows * columns];
        with_elements(&dy.contiguous()?, |dy| {
            let sites = winners.chunks_exact(columns).zip(dy.chunks_exact(columns));
            for (winners, dy) in sites {
                for (column, (&winner, &dy)) in winners.iter().zip(dy).enumerate() {
                    if winner != NONE {
                        dx[winner as usize * columns + column] = dy;
                    }
                }
            }
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// [`pool_max`] of `[N, D]` on any device: the number of each winning row, found without a
/// gradient, picks the values.
pub(super) fn by_gather(x: &Tensor, kept: &Kept) -> Result<Tensor> {
    let (count, columns) = x.dims2()?;
    let sites = kept.sites();
    let most = (0..sites).map(|i| kept.of(i).len()).max().unwrap_or(0);
    if most == 0 {
        return Tensor::zeros((sites, columns), DType::F32, x.device());
    }
    // Each site's rows padded to the same number; `count` numbers what is no row.
    let mut rows = Vec::with_capacity(sites * most);
    let mut numbers = Vec::with_capacity(sites * most);
    let mut any = Vec::with_capacity(sites);
    for site in 0..sites {
        let kept = kept.of(site);
        let missing = most - kept.len();
        rows.extend(kept.iter().copied().chain(std::iter::repeat_n(0, missing)));
        numbers.extend(kept.iter().map(|&row| row as f32));
        numbers.extend(std::iter::repeat_n(count as f32, missing));
        any.push(u8::from(!kept.is_empty()));
    }
    let device = x.device();
    let padded = (sites, most, columns);
    let rows = Tensor::from_vec(rows, sites * most, device)?;
    let values = x.detach().index_select(&rows, 0)?.reshape(padded)?;
    let none = Tensor::full(count as f32, (1, 1, 1), device)?.broadcast_as(padded)?;
    let numbers = Tensor::from_vec(numbers, (sites, most, 1), device)?.broadcast_as(padded)?;
    let least = Tensor::full(f32::NEG_INFINITY, (1, 1, 1), device)?.broadcast_as(padded)?;
    let values = numbers.lt(&none)?.where_cond(&values, &least)?;
    let best = values.max_keepdim(1)?.broadcast_as(padded)?;
    let winners = values.eq(&best)?.where_cond(&numbers, &none)?.min(1)?;
    // Where nothing equals the maximum, it is NaN or there is none; any row will do.
    let winners = winners.minimum(count as f64 - 1.0)?.to_dtype(DType::U32)?;
    let chosen = x.gather(&winners.contiguous()?, 0)?;
    let any = Tensor::from_vec(any, (sites, 1), device)?.broadcast_as((sites, columns))?;
    any.where_cond(&chosen, &chosen.zeros_like()?)
}
