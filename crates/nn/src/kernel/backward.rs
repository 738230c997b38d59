//! Gradients of a convolution along the positions of single rows, stride 1, no padding.

use super::conv::{Conv, ConvShape};
use super::error::{KernelError, at_least_one, exact};
use super::isa::Isa;
use super::outer::Outer;
use super::rows::Rows;
use super::simd::Kernels;

/// Sizes of a convolution along rows: a [`ConvShape`] whose kernel spans one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowConv {
    /// Channels of the input.
    pub cin: usize,
    /// Channels of the output.
    pub cout: usize,
    /// Positions the kernel spans.
    pub kw: usize,
}

impl From<RowConv> for ConvShape {
    fn from(RowConv { cin, cout, kw }: RowConv) -> ConvShape {
        ConvShape {
            cin,
            cout,
            kh: 1,
            kw,
        }
    }
}

/// The backward pass of `y[p][n] = bias[n] + sum over dx, c of x[p + dx][c] * weight[n][c][dx]`,
/// then `max(y, 0)` where the forward pass had a ReLU, whose derivative at 0 is 0.
///
/// Per row of `width` positions and with dy the gradient of the row's output (0 where a ReLU
/// gave 0):
/// `dweight[dx][c][n] += sum over p of x[p + dx][c] * dy[p][n]`,
/// `dbias[n] += sum over p of dy[p][n]`,
/// `dx[p][c] = sum over i, n of dy[p - i][n] * weight[n][c][i]`.
#[derive(Debug)]
pub struct ConvBackward {
    shape: RowConv,
    /// The convolution that takes `dy`, with `kw - 1` zeros on both sides, to `dx`.
    input: Option<Conv>,
}

/// Sums over rows of a convolution's gradients. Sums over parts of the rows, each made from
/// zero, may be added.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvSums {
    /// Gradient of the weights, `[kw][cin][cout]`.
    pub weight: Vec<f32>,
    /// Gradient of the bias, `[cout]`.
    pub bias: Vec<f32>,
}

impl ConvSums {
    /// The sums over no row.
    #[must_use]
    pub fn zero(shape: RowConv) -> ConvSums {
        ConvSums {
            weight: vec![0.0; shape.kw * shape.cin * shape.cout],
            bias: vec![0.0; shape.cout],
        }
    }
}

/// The most elements that the micro-kernel reads from a position's first channel on.
const SLACK: usize = 64;

impl ConvBackward {
    /// Prepares the backward pass. `weight` is `[cout][cin][kw]`, and is needed only for the
    /// gradient of the input.
    ///
    /// # Errors
    /// A size of 0, or weights of another number than the shape asks for.
    pub fn new(shape: RowConv, weight: Option<&[f32]>) -> Result<ConvBackward, KernelError> {
        let RowConv { cin, cout, kw } = shape;
        at_least_one(&[("cin", cin), ("cout", cout), ("kw", kw)])?;
        let input = match weight {
            None => None,
            Some(weight) => {
                exact("weight", &[cout, cin, kw], weight.len())?;
                let mut turned = Vec::with_capacity(weight.len());
                for c in 0..cin {
                    for n in 0..cout {
                        let taps = &weight[(n * cin + c) * kw..][..kw];
                        turned.extend(taps.iter().rev());
                    }
                }
                let shape = RowConv {
                    cin: cout,
                    cout: cin,
                    kw,
                };
                Some(Conv::new(shape.into(), &turned, &vec![0.0; cin], false)?)
            }
        };
        Ok(ConvBackward { shape, input })
    }

    /// Adds the gradients of some rows to `sums`, and writes those of their input to `dx`.
    ///
    /// `x` is `[rows][width][cin]`, `dy` the gradient of the output,
    /// `[rows][width - kw + 1][cout]`, `y` the output itself where it went through a ReLU.
    /// `dx`, as long as `x`, is overwritten; without weights (see [`ConvBackward::new`]) there
    /// is nothing to write, and it must be `None`.
    ///
    /// The sums of the weights are f32: one chain per row over its positions, then the rows in
    /// order.
    ///
    /// # Errors
    /// Sizes that do not fit together or the kernel.
    pub fn rows(
        &self,
        x: &[f32],
        width: usize,
        dy: &[f32],
        y: Option<&[f32]>,
        sums: &mut ConvSums,
        dx: Option<&mut [f32]>,
    ) -> Result<(), KernelError> {
        self.rows_with(Isa::detect(), x, width, dy, y, sums, dx)
    }

    /// [`ConvBackward::rows`] with a given instruction set, for tests and benchmarks.
    ///
    /// # Errors
    /// As [`ConvBackward::rows`], and [`KernelError::Unavailable`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the operands of a backward pass, each of which has its own length"
    )]
    pub fn rows_with(
        &self,
        isa: Isa,
        x: &[f32],
        width: usize,
        dy: &[f32],
        y: Option<&[f32]>,
        sums: &mut ConvSums,
        mut dx: Option<&mut [f32]>,
    ) -> Result<(), KernelError> {
        let kernels = isa.kernels()?;
        let RowConv { cin, cout, kw } = self.shape;
        if kw > width {
            return Err(KernelError::Window {
                axis: "positions",
                input: width,
                window: kw,
            });
        }
        let width_out = width - kw + 1;
        let rows = x.len() / (width * cin);
        exact("input", &[rows, width, cin], x.len())?;
        exact("gradient", &[rows, width_out, cout], dy.len())?;
        if let Some(y) = y {
            exact("output", &[rows, width_out, cout], y.len())?;
        }
        exact("weight sums", &[kw, cin, cout], sums.weight.len())?;
        exact("bias sums", &[cout], sums.bias.len())?;
        if let Some(dx) = &dx {
            let expected = if self.input.is_some() { rows } else { 0 };
            exact("input gradient", &[expected, width, cin], dx.len())?;
        }

        // One row of the gradient between kw - 1 zero positions on either side.
        let padded = width_out + 2 * (kw - 1);
        let inside = (kw - 1) * cout..(kw - 1 + width_out) * cout;
        let mut dz = vec![0.0; padded * cout + SLACK];
        for row in 0..rows {
            let outputs = row * width_out * cout..(row + 1) * width_out * cout;
            let inputs = row * width * cin..(row + 1) * width * cin;
            let to = &mut dz[inside.clone()];
            match y {
                None => to.copy_from_slice(&dy[outputs]),
                Some(y) => {
                    for ((to, &dy), &y) in to.iter_mut().zip(&dy[outputs.clone()]).zip(&y[outputs])
                    {
                        *to = if y <= 0.0 { 0.0 } else { dy };
                    }
                }
            }
            add_bias(&dz[inside.clone()], &mut sums.bias);
            let x = &x[inputs.clone()];
            self.add_weights(kernels, x, &dz[inside.start..], width_out, &mut sums.weight);
            if let (Some(conv), Some(dx)) = (&self.input, &mut dx) {
                let gradient = Rows {
                    data: &dz[..padded * cout],
                    stored: 1,
                    logical: 1,
                    width: padded,
                };
                conv.forward_into_with(isa, gradient, &mut dx[inputs])?;
            }
        }
        Ok(())
    }

    /// Adds a row's gradient of the weights. With A[m][p] = x[p * cin + m], m running over dx
    /// and c, it is the product of A and dy: neighbouring positions share their inputs.
    /// `dy` is followed by [`SLACK`] elements.
    fn add_weights(
        &self,
        kernels: &Kernels,
        x: &[f32],
        dy: &[f32],
        positions: usize,
        sums: &mut [f32],
    ) {
        let RowConv { cin, cout, kw } = self.shape;
        let inputs = kw * cin;
        let units = cout.div_ceil(kernels.lanes);
        let panels = units.div_ceil(kernels.outers.len());
        let mut unit = 0;
        for i in 0..panels {
            let vectors = units / panels + usize::from(i < units % panels);
            let first = unit * kernels.lanes;
            let outers = kernels.outers[vectors - 1];
            // Tiles of nearly equal size, as in the forward pass.
            let count = inputs.div_ceil(outers.len());
            let (size, larger) = (inputs / count, inputs % count);
            let mut input = 0;
            for j in 0..count {
                let tile = size + usize::from(j < larger);
                let mut outer = Outer {
                    x: &x[input..],
                    x_step: cin,
                    dy: &dy[first..],
                    dy_step: cout,
                    positions,
                    out: &mut sums[input * cout + first..],
                    out_step: cout,
                    columns: (vectors * kernels.lanes).min(cout - first),
                };
                // SAFETY: `Isa::kernels` gave these kernels after it found that the processor
                // has their instruction set.
                unsafe { outers[tile - 1](&mut outer) };
                input += tile;
            }
            unit += vectors;
        }
    }
}

/// Adds the sums of a row's positions, `[positions][cout]`.
fn add_bias(dy: &[f32], sums: &mut [f32]) {
    let mut row = vec![0.0; sums.len()];
    for position in dy.chunks_exact(sums.len()) {
        for (sum, dy) in row.iter_mut().zip(position) {
            *sum += dy;
        }
    }
    for (sum, row) in sums.iter_mut().zip(&row) {
        *sum += row;
    }
}
