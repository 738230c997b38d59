//! The weighted mean of a site's rows, per column.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::{elements, with_elements};
use super::on_kernels;
use super::segments::{check, sites};

/// For each site and column the mean over its rows, `sum of w_i x_i / sum of w_i`, 0 where the
/// weights sum to 0 or the site has no row.
///
/// `x` is `[N, D]`, or of more axes, all but the first being taken as columns; `offsets` are as in
/// [`super::segments`]; `weights` are N numbers, not negative and finite, 1 each if absent. The
/// result is `[S, D]`. Not differentiable in the weights.
///
/// # Errors
/// Offsets or weights that do not fit the rows, a weight that is negative or not finite, D of 0,
/// and candle's own.
pub fn pool_mean(x: &Tensor, offsets: &[usize], weights: Option<&[f32]>) -> Result<Tensor> {
    let x = x.flatten_from(1)?;
    let shares = shares(&x, offsets, weights)?;
    if on_kernels(&x) {
        let offsets = offsets.to_vec();
        return x.contiguous()?.apply_op1(PoolMean { offsets, shares });
    }
    by_index_add(&x, offsets, &shares)
}

/// The share of each row of `x`, `[N, D]`, in its site's mean.
///
/// # Errors
/// As [`pool_mean`].
pub(super) fn shares(x: &Tensor, offsets: &[usize], weights: Option<&[f32]>) -> Result<Vec<f32>> {
    let (count, columns) = x.dims2()?;
    check(offsets, count)?;
    let fits = weights.is_none_or(|weights| weights.len() == count);
    if columns == 0 || !fits {
        let found = weights.map(<[f32]>::len);
        bail!("a mean over {:?} with {found:?} weights", x.shape());
    }
    let mut shares = weights.map_or_else(|| vec![1.0; count], <[f32]>::to_vec);
    if let Some(bad) = shares
        .iter()
        .find(|share| !(share.is_finite() && **share >= 0.0))
    {
        bail!("{bad} is no weight");
    }
    for pair in offsets.windows(2) {
        let site = &mut shares[pair[0]..pair[1]];
        let sum: f64 = site.iter().copied().map(f64::from).sum();
        if sum > 0.0 {
            for share in site {
                *share = (f64::from(*share) / sum) as f32;
            }
        }
    }
    Ok(shares)
}

/// The mean on the CPU.
struct PoolMean {
    offsets: Vec<usize>,
    /// One per row.
    shares: Vec<f32>,
}

impl CustomOp1 for PoolMean {
    fn name(&self) -> &'static str {
        "pool-mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, columns) = layout.shape().dims2()?;
        let x = elements(x, layout)?;
        let sites = self.offsets.len() - 1;
        let mut y = vec![0.0; sites * columns];
        y.par_chunks_exact_mut(columns)
            .zip(self.offsets.par_windows(2))
            .for_each(|(y, pair)| {
                let mut sums = vec![0f64; columns];
                let rows = &x[pair[0] * columns..pair[1] * columns];
                let shares = &self.shares[pair[0]..pair[1]];
                for (row, &share) in rows.chunks_exact(columns).zip(shares) {
                    if share != 0.0 {
                        for (sum, &value) in sums.iter_mut().zip(row) {
                            *sum += f64::from(share) * f64::from(value);
                        }
                    }
                }
                for (y, sum) in y.iter_mut().zip(sums) {
                    *y = sum as f32;
                }
            });
        Ok((CpuStorage::F32(y), (sites, columns).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (rows, columns) = x.dims2()?;
        let mut dx = Vec::with_capacity(rows * columns);
        with_elements(&dy.contiguous()?, |dy| {
            let sites = dy.chunks_exact(columns).zip(self.offsets.windows(2));
            for (dy, pair) in sites {
                for &share in &self.shares[pair[0]..pair[1]] {
                    dx.extend(dy.iter().map(|dy| share * dy));
                }
            }
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// [`pool_mean`] of `[N, D]` on any device.
pub(super) fn by_index_add(x: &Tensor, offsets: &[usize], shares: &[f32]) -> Result<Tensor> {
    let (count, columns) = x.dims2()?;
    let device = x.device();
    let shares = Tensor::from_slice(shares, (count, 1), device)?;
    let zero = Tensor::zeros((offsets.len() - 1, columns), DType::F32, device)?;
    zero.index_add(&sites(offsets, device)?, &x.broadcast_mul(&shares)?, 0)
}
