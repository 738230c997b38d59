//! Convolution, stride 1, no padding, with bias and optional ReLU.

use std::sync::OnceLock;

use super::error::{KernelError, at_least_one, exact, volume};
use super::isa::Isa;
use super::rows::{Rows, RowsShape, distinct_rows};
use super::simd::Kernels;
use super::tile::{Run, Tile};

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Channels of the input.
    pub cin: usize,
    /// Channels of the output.
    pub cout: usize,
    /// Rows the kernel spans; 1 for a 1-D convolution.
    pub kh: usize,
    /// Positions the kernel spans.
    pub kw: usize,
}

/// A convolution with its weights, packed for the vectors of the processor.
///
/// With x the input and r, p, n a row, position and channel of the output,
/// `y[r][p][n] = bias[n] + sum over dy, dx, c of x[r + dy][p + dx][c] * weight[n][c][dy][dx]`
/// (cross-correlation, as PyTorch's `Conv2d` with stride 1 and no padding), then
/// `max(y, 0)` if ReLU is asked for. The sum starts from the bias and runs over dy, dx, c in
/// that order, in f32: deep networks are evaluated this way everywhere, and f64 would halve
/// the speed.
#[derive(Debug)]
pub struct Conv {
    shape: ConvShape,
    /// `[kh][kw][cin][cout]`.
    weight: Vec<f32>,
    /// `[cout]`.
    bias: Vec<f32>,
    relu: bool,
    /// Per instruction set, in the order of [`Isa::ALL`]; made at first use.
    packed: [OnceLock<Packed>; Isa::ALL.len()],
}

/// Weights in the order in which the micro-kernel reads them.
#[derive(Debug)]
struct Packed {
    panels: Vec<Panel>,
    /// Elements before the first weight, which puts it on a cache line.
    skip: usize,
    /// `[panel][k][vectors * lanes]`, k over dy, dx, c; zero for channels past the last.
    weight: Vec<f32>,
    /// `[panel][vectors * lanes]`.
    bias: Vec<f32>,
}

/// Output channels computed together: a whole number of vectors.
#[derive(Debug)]
struct Panel {
    /// First channel, and of `bias`.
    first: usize,
    /// Channels, the last vector's padding not counted.
    channels: usize,
    vectors: usize,
    /// First weight in `weight`, not counting `skip`.
    weight_at: usize,
}

/// Bytes of weights that stay in the first-level cache while a group of rows is computed.
/// The smallest such caches hold 32 KiB, the inputs and outputs passing through included.
const PASS_BYTES: usize = 24 << 10;

/// Rows computed together when the kernel spans several, since neighbours share most inputs, or
/// when the weights do not fit into the first-level cache, so that each part of them serves them all.
const GROUP_ROWS: usize = 8;

/// Bytes of a cache line.
const LINE: usize = 64;

impl Conv {
    /// Takes the weights as PyTorch stores them, `weight` as `[cout][cin][kh][kw]` and `bias`
    /// as `[cout]`, and packs them for [`Isa::detect`].
    ///
    /// # Errors
    /// A size of 0, or buffers whose lengths are not those the shape asks for.
    pub fn new(
        shape: ConvShape,
        weight: &[f32],
        bias: &[f32],
        relu: bool,
    ) -> Result<Conv, KernelError> {
        let ConvShape { cin, cout, kh, kw } = shape;
        at_least_one(&[("cin", cin), ("cout", cout), ("kh", kh), ("kw", kw)])?;
        exact("weight", &[cout, cin, kh, kw], weight.len())?;
        exact("bias", &[cout], bias.len())?;
        let mut reordered = Vec::with_capacity(weight.len());
        for tap in 0..kh * kw {
            for c in 0..cin {
                reordered.extend((0..cout).map(|n| weight[(n * cin + c) * kh * kw + tap]));
            }
        }
        let conv = Conv {
            shape,
            weight: reordered,
            bias: bias.to_vec(),
            relu,
            packed: Default::default(),
        };
        let isa = Isa::detect();
        conv.packed(isa, isa.kernels()?);
        Ok(conv)
    }

    /// The sizes this layer was made with.
    #[must_use]
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Sizes of the output for an input of `stored` of `logical` rows of `width` positions:
    /// `logical - kh + 1` rows of `width - kw + 1` positions, of which `min(that, stored)` are
    /// distinct, the last of them being computed from padding rows alone if any are left out.
    ///
    /// # Errors
    /// [`KernelError::Window`] when the kernel does not fit into the input,
    /// [`KernelError::Zero`] or [`KernelError::Stored`] when `stored` is not in `1..=logical`.
    pub fn output_shape(
        &self,
        stored: usize,
        logical: usize,
        width: usize,
    ) -> Result<RowsShape, KernelError> {
        let ConvShape { cout, kh, kw, .. } = self.shape;
        at_least_one(&[("stored", stored)])?;
        if stored > logical {
            return Err(KernelError::Stored { stored, logical });
        }
        for (axis, input, window) in [("rows", logical, kh), ("positions", width, kw)] {
            if window > input {
                return Err(KernelError::Window {
                    axis,
                    input,
                    window,
                });
            }
        }
        let logical_out = logical - kh + 1;
        Ok(RowsShape {
            stored: distinct_rows(stored, 1, logical_out),
            logical: logical_out,
            width: width - kw + 1,
            channels: cout,
        })
    }

    /// Computes the distinct rows of the output, `[stored][width][cout]`, replacing what is in
    /// `out`, and returns its sizes (see [`Conv::output_shape`]). `x` has `cin` channels.
    ///
    /// Computing all rows of the same tensor written out in full gives the same bits.
    ///
    /// # Errors
    /// Sizes that do not fit the data or the kernel.
    pub fn forward(&self, x: Rows<'_>, out: &mut Vec<f32>) -> Result<RowsShape, KernelError> {
        self.forward_with(Isa::detect(), x, out)
    }

    /// [`Conv::forward`] with a given instruction set, for tests and benchmarks. The first
    /// call with another one than [`Isa::detect`] packs the weights again.
    ///
    /// # Errors
    /// As [`Conv::forward`], and [`KernelError::Unavailable`].
    pub fn forward_with(
        &self,
        isa: Isa,
        x: Rows<'_>,
        out: &mut Vec<f32>,
    ) -> Result<RowsShape, KernelError> {
        let shape = self.checked_output(x)?;
        // Every element is written below, so what the buffer held before does not matter.
        out.resize(
            volume("output", &[shape.stored, shape.width, shape.channels])?,
            0.0,
        );
        self.compute(isa, x, shape, out)?;
        Ok(shape)
    }

    /// [`Conv::forward`] into a slice of the output's length, every element of which is
    /// overwritten.
    ///
    /// # Errors
    /// As [`Conv::forward`], and [`KernelError::Length`] where `out` has another length.
    pub fn forward_into(&self, x: Rows<'_>, out: &mut [f32]) -> Result<RowsShape, KernelError> {
        self.forward_into_with(Isa::detect(), x, out)
    }

    /// [`Conv::forward_into`] with a given instruction set.
    ///
    /// # Errors
    /// As [`Conv::forward_into`], and [`KernelError::Unavailable`].
    pub(super) fn forward_into_with(
        &self,
        isa: Isa,
        x: Rows<'_>,
        out: &mut [f32],
    ) -> Result<RowsShape, KernelError> {
        let shape = self.checked_output(x)?;
        let axes = [shape.stored, shape.width, shape.channels];
        exact("output", &axes, out.len())?;
        self.compute(isa, x, shape, out)?;
        Ok(shape)
    }

    /// Sizes of the output for an input that agrees with itself and with the layer.
    fn checked_output(&self, x: Rows<'_>) -> Result<RowsShape, KernelError> {
        x.check(self.shape.cin)?;
        self.output_shape(x.stored, x.logical, x.width)
    }

    /// Writes the distinct rows of the output; all sizes have been checked.
    fn compute(
        &self,
        isa: Isa,
        x: Rows<'_>,
        shape: RowsShape,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        let kernels = isa.kernels()?;
        let packed = self.packed(isa, kernels);
        let weights = packed.weight.len() * size_of::<f32>();
        let group = if self.shape.kh == 1 && weights <= PASS_BYTES {
            1
        } else {
            GROUP_ROWS
        };
        for first in (0..shape.stored).step_by(group) {
            let rows = first..(first + group).min(shape.stored);
            for panel in &packed.panels {
                self.panel(kernels, packed, panel, x, shape, rows.clone(), out);
            }
        }
        Ok(())
    }

    /// Computes the channels of one panel for a few rows of the output.
    ///
    /// The weights are taken in passes small enough for the first-level cache; between passes
    /// the sums wait in `out`. Within a pass all rows of a position come before the next
    /// position, so that inputs which several rows share are still in the cache.
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one loop nest, cut in two"
    )]
    fn panel(
        &self,
        kernels: &Kernels,
        packed: &Packed,
        panel: &Panel,
        x: Rows<'_>,
        shape: RowsShape,
        rows: std::ops::Range<usize>,
        out: &mut [f32],
    ) {
        let columns = panel.vectors * kernels.lanes;
        let inputs = self.inputs();
        let weight = &packed.weight[packed.skip + panel.weight_at..][..inputs * columns];
        let tiles = kernels.tiles[panel.vectors - 1];
        // Tiles of nearly equal size instead of full ones and a rest, which may be too small
        // to keep the multipliers busy.
        let count = shape.width.div_ceil(tiles.len());
        let (size, larger) = (shape.width / count, shape.width % count);

        let per_pass = (PASS_BYTES / (columns * size_of::<f32>())).max(1);
        let passes = inputs.div_ceil(per_pass);
        let per_pass = inputs.div_ceil(passes);
        let mut runs = Vec::new();
        for begin in (0..inputs).step_by(per_pass) {
            let end = (begin + per_pass).min(inputs);
            runs.clear();
            for row in rows.clone() {
                self.runs(x, row, begin..end, &mut runs);
            }
            let runs_per_row = runs.len() / rows.len();
            let mut position = 0;
            for i in 0..count {
                let positions = size + usize::from(i < larger);
                for (row, runs) in rows.clone().zip(runs.chunks_exact(runs_per_row)) {
                    let out_at = (row * shape.width + position) * shape.channels + panel.first;
                    let mut tile = Tile {
                        x: x.data,
                        shift: position * self.shape.cin,
                        step: self.shape.cin,
                        runs,
                        w: &weight[begin * columns..end * columns],
                        start: (begin == 0).then(|| &packed.bias[panel.first..][..columns]),
                        relu: self.relu && end == inputs,
                        out: &mut out[out_at..],
                        out_step: shape.channels,
                        columns: panel.channels,
                    };
                    // SAFETY: `Isa::kernels` gave these kernels after it found that the
                    // processor has their instruction set.
                    unsafe { tiles[positions - 1](&mut tile) };
                }
                position += positions;
            }
        }
    }

    /// Appends where the inputs of an output row lie, for the inputs `part` of
    /// `0..kh * kw * cin`. For each row the kernel spans they are consecutive; rows past the
    /// last stored one are that row.
    fn runs(&self, x: Rows<'_>, row: usize, part: std::ops::Range<usize>, runs: &mut Vec<Run>) {
        let per_row = self.shape.kw * self.shape.cin;
        let mut k = part.start;
        while k < part.end {
            let (dy, offset) = (k / per_row, k % per_row);
            let len = (per_row - offset).min(part.end - k);
            let row = (row + dy).min(x.stored - 1);
            runs.push(Run {
                at: row * x.width * self.shape.cin + offset,
                len,
            });
            k += len;
        }
    }

    /// Inputs of one output element.
    fn inputs(&self) -> usize {
        self.shape.kh * self.shape.kw * self.shape.cin
    }

    /// The weights packed for an instruction set.
    fn packed(&self, isa: Isa, kernels: &Kernels) -> &Packed {
        self.packed[isa as usize].get_or_init(|| {
            let (lanes, most) = (kernels.lanes, kernels.tiles.len());
            Packed::new(&self.weight, &self.bias, self.inputs(), lanes, most)
        })
    }
}

impl Packed {
    /// Packs `weight`, `[inputs][cout]`, into panels of at most `most` vectors of `lanes`.
    fn new(weight: &[f32], bias: &[f32], inputs: usize, lanes: usize, most: usize) -> Packed {
        let cout = bias.len();
        let units = cout.div_ceil(lanes);
        let count = units.div_ceil(most);
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(units * lanes, 0.0);

        let elements = inputs * units * lanes;
        let align = LINE / size_of::<f32>();
        let mut packed: Vec<f32> = Vec::with_capacity(elements + align);
        // A different answer than hoped for only costs time.
        let skip = packed.as_ptr().align_offset(LINE).min(align);
        packed.resize(skip, 0.0);

        let mut panels = Vec::with_capacity(count);
        let mut unit = 0;
        for i in 0..count {
            let vectors = units / count + usize::from(i < units % count);
            let first = unit * lanes;
            let channels = (vectors * lanes).min(cout - first);
            panels.push(Panel {
                first,
                channels,
                vectors,
                weight_at: packed.len() - skip,
            });
            for k in 0..inputs {
                packed.extend_from_slice(&weight[k * cout + first..][..channels]);
                packed.extend(std::iter::repeat_n(0.0, vectors * lanes - channels));
            }
            unit += vectors;
        }
        Packed {
            panels,
            skip,
            weight: packed,
            bias: padded_bias,
        }
    }
}
