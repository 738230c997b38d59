//! Convolution in 8 bits on AVX-512 VNNI, over the same ragged rows as `model::kernel::Conv`.
//!
//! Activations are u8 with zero point 0 (inputs are probabilities, flags or behind a ReLU), weights
//! i8 with a scale per output channel, sums i32. `vpdpbusd` multiplies four consecutive inputs
//! with four weights of each of 16 channels, so that inputs have a multiple of four channels
//! ([`padded`]) and weights lie as `[k / 4][channel][k % 4]`. Sums, bias, ReLU and the way back
//! to u8 are one pass: nothing but u8 is written.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over constants unroll into registers; p and v also step through pointers"
)]

use std::arch::x86_64::{
    __m512i, _mm_mask_storeu_epi8, _mm_storel_epi64, _mm_storeu_si128, _mm512_add_epi32,
    _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_cvtusepi32_epi8, _mm512_dpbusd_epi32,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_epi32, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_setzero_si512,
};

use cnnfilter::model::kernel::{ConvShape, RowsShape};

/// Channels per vector of sums.
const LANES: usize = 16;

/// Inputs that one instruction multiplies for each channel.
const GROUP: usize = 4;

/// Rows computed together when the kernel spans several or its weights outgrow the first-level
/// cache, as in `model::kernel::conv`.
const GROUP_ROWS: usize = 8;

/// Bytes of weights up to which each row is computed by itself.
const CACHED_BYTES: usize = 24 << 10;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Channels as they lie in memory: rounded up to what one instruction takes.
pub const fn padded(channels: usize) -> usize {
    channels.next_multiple_of(GROUP)
}

/// Whether this machine has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
}

/// `[row][position][padded channel]`, with the rows of `model::kernel::Rows`: every row from
/// `stored` on equals row `stored - 1`.
#[derive(Debug, Clone, Copy)]
pub struct ByteRows<'a> {
    /// `stored * width * padded(channels)` bytes; padding channels may hold anything.
    pub data: &'a [u8],
    /// Rows kept, 1 to `logical`.
    pub stored: usize,
    /// Rows the tensor stands for.
    pub logical: usize,
    /// Positions per row.
    pub width: usize,
}

/// A convolution with 8-bit weights, stride 1, no padding, ReLU behind it.
///
/// `y[r][p][n] = clamp(round(scale[n] * (sum of x * weight + bias[n] + more)), 0, 255)`, round half to even.
#[derive(Debug)]
pub struct ByteConv {
    shape: ConvShape,
    panels: Vec<Panel>,
    /// Bytes before the first weight, which puts it on a cache line.
    skip: usize,
    /// `[panel][k / 4][vectors * 16][4]`.
    packed: Vec<i8>,
    /// `[cout][k]` with k over dy, dx, padded c: for the reference.
    weight: Vec<i8>,
    /// In units of a sum; zero past the last channel.
    bias: Vec<i32>,
    /// From a sum to an output.
    scale: Vec<f32>,
}

/// Output channels computed together.
#[derive(Debug)]
struct Panel {
    first: usize,
    channels: usize,
    vectors: usize,
    weight_at: usize,
}

/// Inputs that lie one after the other.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Index of the first for position 0 of the output row.
    at: usize,
    /// Groups of four of them.
    groups: usize,
}

/// Some positions of an output row times some vectors of channels.
struct Tile<'a> {
    x: &'a [u8],
    shift: usize,
    step: usize,
    runs: &'a [Run],
    w: &'a [i8],
    bias: &'a [i32],
    more: Option<&'a [i32]>,
    more_step: usize,
    scale: &'a [f32],
    out: &'a mut [u8],
    out_step: usize,
    columns: usize,
}

impl ByteConv {
    /// Quantises f32 weights, `[cout][cin][kh][kw]` as PyTorch has them. One step of an input
    /// stands for `x_step`, of output channel n for `y_steps[n]`; each channel's largest weight becomes 127.
    pub fn new(
        shape: ConvShape,
        weight: &[f32],
        bias: &[f32],
        x_step: f32,
        y_steps: &[f32],
    ) -> Self {
        let ConvShape { cin, cout, kh, kw } = shape;
        let inputs = kh * kw * padded(cin);
        let units = cout.div_ceil(LANES);
        let mut bytes = vec![0i8; cout * inputs];
        let mut biases = vec![0i32; units * LANES];
        let mut scale = vec![0f32; units * LANES];
        for n in 0..cout {
            let row = &weight[n * cin * kh * kw..(n + 1) * cin * kh * kw];
            let largest = row.iter().fold(0f32, |most, w| most.max(w.abs()));
            let w_step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            for c in 0..cin {
                for tap in 0..kh * kw {
                    let byte = (row[c * kh * kw + tap] / w_step).round_ties_even();
                    bytes[n * inputs + tap * padded(cin) + c] = byte as i8;
                }
            }
            biases[n] = (bias[n] / (x_step * w_step)).round_ties_even() as i32;
            scale[n] = x_step * w_step / y_steps[n];
        }
        let most = TILES.len();
        let count = units.div_ceil(most);
        let mut packed: Vec<i8> = Vec::with_capacity(units * LANES * inputs + LINE);
        // Another answer than hoped for only costs time.
        let skip = packed.as_ptr().align_offset(LINE).min(LINE);
        packed.resize(skip, 0);
        let (mut panels, mut unit) = (Vec::with_capacity(count), 0);
        for i in 0..count {
            let vectors = units / count + usize::from(i < units % count);
            let first = unit * LANES;
            panels.push(Panel {
                first,
                channels: (vectors * LANES).min(cout - first),
                vectors,
                weight_at: packed.len() - skip,
            });
            for group in 0..inputs / GROUP {
                for n in first..first + vectors * LANES {
                    let at = n * inputs + group * GROUP;
                    packed.extend((0..GROUP).map(|i| bytes.get(at + i).copied().unwrap_or(0)));
                }
            }
            unit += vectors;
        }
        Self {
            shape,
            panels,
            skip,
            packed,
            weight: bytes,
            bias: biases,
            scale,
        }
    }

    /// Sizes of the output, as `model::kernel::Conv::output_shape` gives them.
    pub fn output_shape(&self, x: ByteRows<'_>) -> RowsShape {
        let logical = x.logical - self.shape.kh + 1;
        RowsShape {
            stored: x.stored.min(logical),
            logical,
            width: x.width - self.shape.kw + 1,
            channels: self.shape.cout,
        }
    }

    /// What one unit of a sum of each channel stands for, in steps of the output.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// Columns of what [`ByteConv::forward`] may be given to add: `cout` rounded up to vectors.
    pub fn more_columns(&self) -> usize {
        self.bias.len()
    }

    /// Computes the distinct rows of the output, `[stored][width][padded(cout)]`. `more`,
    /// `[width][more_columns]`, is added to the sums of every row.
    pub fn forward(&self, x: ByteRows<'_>, more: Option<&[i32]>, out: &mut [u8]) -> RowsShape {
        assert!(is_available());
        let shape = self.output_shape(x);
        let out_step = padded(self.shape.cout);
        assert_eq!(out.len(), shape.stored * shape.width * out_step);
        assert_eq!(x.data.len(), x.stored * x.width * padded(self.shape.cin));
        assert!(more.is_none_or(|more| more.len() == shape.width * self.more_columns()));
        let small = self.shape.kh == 1 && self.packed.len() <= CACHED_BYTES;
        let group = if small { 1 } else { GROUP_ROWS };
        let step = padded(self.shape.cin);
        let groups = self.shape.kw * step / GROUP;
        let mut runs = Vec::with_capacity(group * self.shape.kh);
        for first in (0..shape.stored).step_by(group) {
            let rows = first..(first + group).min(shape.stored);
            runs.clear();
            for row in rows.clone() {
                runs.extend((0..self.shape.kh).map(|dy| Run {
                    at: (row + dy).min(x.stored - 1) * x.width * step,
                    groups,
                }));
            }
            for panel in &self.panels {
                let columns = panel.vectors * LANES;
                let bytes = self.shape.kh * groups * GROUP * columns;
                let tiles = TILES[panel.vectors - 1];
                let count = shape.width.div_ceil(tiles.len());
                let (size, larger) = (shape.width / count, shape.width % count);
                let mut position = 0;
                for i in 0..count {
                    let positions = size + usize::from(i < larger);
                    for (row, runs) in rows.clone().zip(runs.chunks_exact(self.shape.kh)) {
                        let at = (row * shape.width + position) * out_step + panel.first;
                        let mut tile = Tile {
                            x: x.data,
                            shift: position * step,
                            step,
                            runs,
                            w: &self.packed[self.skip + panel.weight_at..][..bytes],
                            bias: &self.bias[panel.first..][..columns],
                            more: more.map(|m| &m[position * self.more_columns() + panel.first..]),
                            more_step: self.more_columns(),
                            scale: &self.scale[panel.first..][..columns],
                            out: &mut out[at..],
                            out_step,
                            columns: panel.channels,
                        };
                        // SAFETY: the processor has the instructions, as asserted above.
                        unsafe { tiles[positions - 1](&mut tile) };
                    }
                    position += positions;
                }
            }
        }
        shape
    }

    /// The same, one product after the other.
    pub fn reference(&self, x: ByteRows<'_>, more: Option<&[i32]>) -> Vec<u8> {
        let shape = self.output_shape(x);
        let (cin, cout) = (padded(self.shape.cin), self.shape.cout);
        let inputs = self.shape.kh * self.shape.kw * cin;
        let mut out = vec![0; shape.stored * shape.width * padded(cout)];
        for (row, position, n) in (0..shape.stored)
            .flat_map(|r| (0..shape.width).map(move |p| (r, p)))
            .flat_map(|(r, p)| (0..cout).map(move |n| (r, p, n)))
        {
            let mut sum = self.bias[n] + more.map_or(0, |m| m[position * self.bias.len() + n]);
            for dy in 0..self.shape.kh {
                let from = ((row + dy).min(x.stored - 1) * x.width + position) * cin;
                let x = &x.data[from..][..self.shape.kw * cin];
                let w = &self.weight[n * inputs + dy * self.shape.kw * cin..];
                sum += x
                    .iter()
                    .zip(w)
                    .map(|(x, w)| i32::from(*x) * i32::from(*w))
                    .sum::<i32>();
            }
            let y = (sum as f32 * self.scale[n])
                .round_ties_even()
                .clamp(0.0, 255.0);
            out[(row * shape.width + position) * padded(cout) + n] = y as u8;
        }
        out
    }
}

/// `max[i] = max(max[i], row[i])` and `sum[i] += row[i]`; up to 257 rows fit a sum.
pub fn max_and_sum(row: &[u8], max: &mut [u8], sum: &mut [u16]) {
    assert!(is_available());
    // SAFETY: the processor has the instructions, as asserted.
    unsafe { max_and_sum_loop(row, max, sum) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn max_and_sum_loop(row: &[u8], max: &mut [u8], sum: &mut [u16]) {
    for ((value, max), sum) in row.iter().zip(max).zip(sum) {
        *max = (*max).max(*value);
        *sum += u16::from(*value);
    }
}

/// Computes a tile of `P` positions and `V` vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn tile<const P: usize, const V: usize>(t: &mut Tile<'_>) {
    let columns = V * LANES;
    // The proof of every pointer below, saturating so that no sum can wrap.
    let last = t.step.saturating_mul(P - 1).saturating_add(t.shift);
    let mut groups = 0usize;
    for run in t.runs {
        let end = run
            .at
            .saturating_add(last)
            .saturating_add(run.groups.saturating_mul(GROUP));
        assert!(end <= t.x.len());
        groups = groups.saturating_add(run.groups);
    }
    assert!(groups.saturating_mul(columns * GROUP) <= t.w.len());
    assert!(t.bias.len() >= columns && t.scale.len() >= columns);
    assert!(t.columns <= columns && t.columns > columns - LANES);
    let out_end = t.out_step.saturating_mul(P - 1).saturating_add(t.columns);
    assert!(out_end <= t.out.len());
    let more_end = t.more_step.saturating_mul(P - 1).saturating_add(columns);
    assert!(t.more.is_none_or(|more| more_end <= more.len()));

    let mut sums = [[_mm512_setzero_si512(); V]; P];
    for p in 0..P {
        for v in 0..V {
            // SAFETY: `bias` holds `V * 16` elements, and so does `more` from `p * more_step` on.
            unsafe {
                sums[p][v] = _mm512_loadu_si512(t.bias.as_ptr().add(v * LANES).cast());
                if let Some(more) = t.more {
                    let from = more.as_ptr().add(p * t.more_step + v * LANES);
                    sums[p][v] = _mm512_add_epi32(sums[p][v], _mm512_loadu_si512(from.cast()));
                }
            }
        }
    }
    // SAFETY: the checks above are those asked for.
    let sums = unsafe { accumulate::<P, V>(t, sums) };
    for p in 0..P {
        for v in 0..V {
            let filled = (t.columns - v * LANES).min(LANES);
            // SAFETY: `scale` holds `V * 16` elements; `filled` bytes lie in `out` from there on.
            unsafe {
                let scale = _mm512_loadu_ps(t.scale.as_ptr().add(v * LANES));
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[p][v]), scale);
                let rounded = _mm512_max_epi32(_mm512_cvtps_epi32(scaled), _mm512_setzero_si512());
                let bytes = _mm512_cvtusepi32_epi8(rounded);
                let to = t.out.as_mut_ptr().add(p * t.out_step + v * LANES);
                if filled == LANES {
                    _mm_storeu_si128(to.cast(), bytes);
                } else if filled == LANES / 2 {
                    _mm_storel_epi64(to.cast(), bytes);
                } else {
                    _mm_mask_storeu_epi8(to.cast(), (1u16 << filled) - 1, bytes);
                }
            }
        }
    }
}

/// Adds the products of a tile's inputs and weights to its sums.
///
/// # Safety
/// For each run and p < P the bytes `at + shift + p * step..` of `x`, `4 * groups` of them, must
/// exist; `w` must hold `V * 64` bytes for each group of the runs.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
unsafe fn accumulate<const P: usize, const V: usize>(
    t: &Tile<'_>,
    mut sums: [[__m512i; V]; P],
) -> [[__m512i; V]; P] {
    let step = t.step;
    let mut w = t.w.as_ptr();
    for run in t.runs {
        // SAFETY: `at + shift` is at most the end of `x`, by the caller's promise.
        let mut x = unsafe { t.x.as_ptr().add(run.at + t.shift) };
        for _ in 0..run.groups {
            // SAFETY: `w` has advanced by `V * 64` for each earlier group of the runs, so as many
            // bytes more lie there; `x + p * step` has four bytes inside `t.x` for every p < P.
            unsafe {
                let mut weights = [_mm512_setzero_si512(); V];
                for v in 0..V {
                    weights[v] = _mm512_loadu_si512(w.add(v * LANES * GROUP).cast());
                }
                for p in 0..P {
                    let inputs = _mm512_set1_epi32(x.add(p * step).cast::<i32>().read_unaligned());
                    for v in 0..V {
                        sums[p][v] = _mm512_dpbusd_epi32(sums[p][v], inputs, weights[v]);
                    }
                }
                x = x.add(GROUP);
                w = w.add(V * LANES * GROUP);
            }
        }
    }
    sums
}

/// A tile compiled for a number of positions and of vectors.
type TileFn = unsafe fn(&mut Tile<'_>);

/// The tiles of each number of vectors, `{ vectors: positions...; }`, both counted up from 1.
macro_rules! tiles {
    ($($vectors:literal: $($positions:literal)+;)+) => {
        &[$(&[$(tile::<$positions, $vectors>),+]),+]
    };
}

/// `TILES[v - 1][p - 1]`, as many as the f32 kernel has for AVX-512.
static TILES: &[&[TileFn]] = tiles! {
    1: 1 2 3 4 5 6 7 8 9 10 11 12;
    2: 1 2 3 4 5 6 7 8 9 10 11 12;
    3: 1 2 3 4 5 6 7 8;
    4: 1 2 3 4 5 6;
};
