//! Convolution along the positions of rows, with bias and optional ReLU.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::{elements, with_elements};
use super::on_kernels;
use super::relu::relu as rectified;
use crate::kernel::{Conv, ConvBackward, ConvSums, RowConv, Rows};

/// Rows that one thread takes at a time. Gradients of weights are summed over as many rows, and
/// these sums in order, so it is a constant and no function of the threads.
const CHUNK: usize = 64;

/// `y[r][p][n] = bias[n] + sum over i, c of x[r][p + i][c] * weight[n][c][i]`, then
/// `max(y, 0)` with derivative 0 at 0 if `relu`: PyTorch's `Conv1d` with stride 1 and no padding,
/// channels last.
///
/// `x` is `[N, W, Cin]`, `weight` `[Cout, Cin, K]`, `bias` `[Cout]`; the result is
/// `[N, W - K + 1, Cout]`. Differentiable in all three; on the CPU the gradient of an `x` that no
/// variable leads to is not computed.
///
/// # Errors
/// Shapes that do not fit together, `W < K`, a size other than N that is 0, and candle's own.
pub fn conv_rows(x: &Tensor, weight: &Tensor, bias: &Tensor, relu: bool) -> Result<Tensor> {
    let sizes = Sizes::of(x.shape(), weight.shape(), bias.shape())?;
    if on_kernels(x) {
        let (x, weight, bias) = (x.contiguous()?, weight.contiguous()?, bias.contiguous()?);
        return x.apply_op3(&weight, &bias, ConvRows { relu });
    }
    by_matmul(x, weight, bias, relu, sizes)
}

/// [`conv_rows`] on any device: the K inputs of each output side by side, and one product.
pub(super) fn by_matmul(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    relu: bool,
    sizes: Sizes,
) -> Result<Tensor> {
    let Sizes { rows, width, shape } = sizes;
    let width_out = width - shape.kw + 1;
    let shifted = (0..shape.kw)
        .map(|i| x.narrow(1, i, width_out))
        .collect::<Result<Vec<Tensor>>>()?;
    let inputs = shape.kw * shape.cin;
    let x = Tensor::cat(&shifted, 2)?.reshape((rows * width_out, inputs))?;
    let weight = weight.permute((2, 1, 0))?.contiguous()?;
    let y = x
        .matmul(&weight.reshape((inputs, shape.cout))?)?
        .broadcast_add(bias)?
        .reshape((rows, width_out, shape.cout))?;
    if relu { rectified(&y) } else { Ok(y) }
}

/// Sizes of the operands of [`conv_rows`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// N.
    rows: usize,
    /// W.
    width: usize,
    shape: RowConv,
}

impl Sizes {
    /// Takes the sizes from the shapes.
    ///
    /// # Errors
    /// Shapes that do not fit together, `W < K`, a size other than N that is 0.
    pub(super) fn of(x: &Shape, weight: &Shape, bias: &Shape) -> Result<Sizes> {
        let (rows, width, cin) = x.dims3()?;
        let (cout, weight_cin, kw) = weight.dims3()?;
        if weight_cin != cin || bias.dims1()? != cout {
            bail!("a convolution of {x:?} by {weight:?} with bias {bias:?}");
        }
        if cin == 0 || cout == 0 || kw == 0 || width < kw {
            bail!("a convolution of {x:?} by {weight:?} has no output");
        }
        let shape = RowConv { cin, cout, kw };
        Ok(Sizes { rows, width, shape })
    }

    /// Rows, and positions of each, as which a chunk is computed: rows of one position are the
    /// positions of a single row.
    fn chunk(&self, x: &[f32]) -> (usize, usize) {
        let rows = x.len() / (self.width * self.shape.cin);
        if self.width == 1 {
            (1, rows)
        } else {
            (rows, self.width)
        }
    }

    /// Elements of [`CHUNK`] rows of the input and of the output.
    fn chunk_lens(&self) -> (usize, usize) {
        let RowConv { cin, cout, kw } = self.shape;
        (
            CHUNK * self.width * cin,
            CHUNK * (self.width - kw + 1) * cout,
        )
    }
}

/// The convolution on the CPU.
struct ConvRows {
    relu: bool,
}

impl CustomOp3 for ConvRows {
    fn name(&self) -> &'static str {
        "conv-rows"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(x_layout.shape(), weight_layout.shape(), bias_layout.shape())?;
        let x = elements(x, x_layout)?;
        let weight = elements(weight, weight_layout)?;
        let bias = elements(bias, bias_layout)?;
        let RowConv { cout, kw, .. } = sizes.shape;
        let conv = Conv::new(sizes.shape.into(), weight, bias, self.relu).map_err(Error::wrap)?;
        let width_out = sizes.width - kw + 1;
        let mut y = vec![0.0; sizes.rows * width_out * cout];
        let (x_len, y_len) = sizes.chunk_lens();
        y.par_chunks_mut(y_len)
            .zip(x.par_chunks(x_len))
            .try_for_each(|(y, x)| {
                let (rows, width) = sizes.chunk(x);
                let x = Rows {
                    data: x,
                    stored: rows,
                    logical: rows,
                    width,
                };
                conv.forward_into(x, y).map(|_| ())
            })
            .map_err(Error::wrap)?;
        Ok((CpuStorage::F32(y), (sizes.rows, width_out, cout).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = Sizes::of(x.shape(), weight.shape(), bias.shape())?;
        let dy = dy.contiguous()?;
        let wanted = x.track_op();
        let (sums, dx) = with_elements(x, |x| {
            with_elements(weight, |weight| {
                with_elements(y, |y| {
                    with_elements(&dy, |dy| {
                        let y = self.relu.then_some(y);
                        backward(sizes, x, weight, y, dy, wanted)
                    })
                })
            })
        })?;
        let RowConv { cin, cout, kw } = sizes.shape;
        let device = x.device();
        let dx = wanted
            .then(|| Tensor::from_vec(dx, x.shape(), device))
            .transpose()?;
        let dweight = Tensor::from_vec(sums.weight, (kw, cin, cout), device)?;
        let dweight = dweight.permute((2, 1, 0))?.contiguous()?;
        let dbias = Tensor::from_vec(sums.bias, cout, device)?;
        Ok((dx, Some(dweight), Some(dbias)))
    }
}

/// The gradients of the weights, the bias and, if `wanted`, the input.
fn backward(
    sizes: Sizes,
    x: &[f32],
    weight: &[f32],
    y: Option<&[f32]>,
    dy: &[f32],
    wanted: bool,
) -> Result<(ConvSums, Vec<f32>)> {
    let conv = ConvBackward::new(sizes.shape, wanted.then_some(weight)).map_err(Error::wrap)?;
    let (x_len, y_len) = sizes.chunk_lens();
    let mut dx = vec![0.0; if wanted { x.len() } else { 0 }];
    let mut dx_chunks: Vec<Option<&mut [f32]>> = dx.chunks_mut(x_len).map(Some).collect();
    dx_chunks.resize_with(x.len().div_ceil(x_len), || None);
    let parts = dx_chunks
        .into_par_iter()
        .enumerate()
        .map(|(i, dx)| {
            let x = &x[i * x_len..x.len().min((i + 1) * x_len)];
            let outputs = i * y_len..dy.len().min((i + 1) * y_len);
            let (_, width) = sizes.chunk(x);
            let mut sums = ConvSums::zero(sizes.shape);
            let y = y.map(|y| &y[outputs.clone()]);
            conv.rows(x, width, &dy[outputs], y, &mut sums, dx)?;
            Ok(sums)
        })
        .collect::<std::result::Result<Vec<ConvSums>, crate::kernel::KernelError>>()
        .map_err(Error::wrap)?;
    let zero = ConvSums::zero(sizes.shape);
    let sums = ConvSums {
        weight: total(zero.weight.len(), parts.iter().map(|part| &part.weight[..])),
        bias: total(zero.bias.len(), parts.iter().map(|part| &part.bias[..])),
    };
    Ok((sums, dx))
}

/// The sum of slices of one length, in order.
fn total<'a>(len: usize, parts: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut sums = vec![0f64; len];
    for part in parts {
        for (sum, &more) in sums.iter_mut().zip(part) {
            *sum += f64::from(more);
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}
