//! The micro-kernel: a few positions of one output row times a few vectors of output
//! channels, held in registers while the inputs go by.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over constants unroll into registers; p and v also step through pointers"
)]

use super::simd::{DOT_LANES, Simd};

/// Inputs that lie one after the other: `len` of them, the first at `at` for the tile's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Index into [`Tile::x`] for position 0 of the output row.
    pub at: usize,
    /// Consecutive elements.
    pub len: usize,
}

/// One call of the micro-kernel, for P positions and V vectors of L lanes:
/// `out[p][n] = sums[n] + sum over runs, i of x[run.at + shift + p * step + i] * w[k][n]`, where k
/// counts the elements of the runs in order.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    /// The layer's input.
    pub x: &'a [f32],
    /// Offset of the tile's first position from position 0 of its row.
    pub shift: usize,
    /// Elements from one position to the next (channels of the input).
    pub step: usize,
    /// The inputs of this pass, in the order of summation.
    pub runs: &'a [Run],
    /// Weights of this pass, `[k][V * L]`.
    pub w: &'a [f32],
    /// Start of the sums, `[V * L]`, or `None` to go on from what `out` holds.
    pub start: Option<&'a [f32]>,
    /// True where negative results become 0.
    pub relu: bool,
    /// Output from the tile's first position and channel on.
    pub out: &'a mut [f32],
    /// Elements of `out` from one position to the next (channels of the output).
    pub out_step: usize,
    /// Channels to write, at most `V * L`; fewer where the last vector is partly padding.
    pub columns: usize,
}

/// The most lanes of any instruction set.
const MAX_LANES: usize = 16;

/// Computes a tile of `P` positions and `V` vectors.
///
/// Each output element is one chain of multiply-adds in the order of the runs, so its value
/// does not depend on `P`, on `V`, or on how the runs were cut into passes.
///
/// # Safety
/// The processor must have the instruction set of `S`. Everything about lengths is checked.
#[inline(always)]
pub(super) unsafe fn compute<S: Simd, const P: usize, const V: usize>(t: &mut Tile<'_>) {
    const { assert!(P >= 1 && V >= 1 && S::LANES <= MAX_LANES) };
    let columns = V * S::LANES;
    // The proof of every pointer below, saturating so that no sum can wrap.
    let last = t.step.saturating_mul(P - 1).saturating_add(t.shift);
    let mut inputs = 0usize;
    for run in t.runs {
        let end = run.at.saturating_add(last).saturating_add(run.len);
        assert!(end <= t.x.len());
        inputs = inputs.saturating_add(run.len);
    }
    assert!(inputs.saturating_mul(columns) <= t.w.len());
    assert!(t.start.is_none_or(|start| start.len() >= columns));
    assert!(t.columns <= columns && t.columns > columns - S::LANES);
    let out_end = t.out_step.saturating_mul(P - 1).saturating_add(t.columns);
    assert!(out_end <= t.out.len());

    // SAFETY: the processor has the instructions.
    let mut sums = [[unsafe { S::splat(0.0) }; V]; P];
    for p in 0..P {
        for v in 0..V {
            sums[p][v] = match t.start {
                // SAFETY: `start` holds `V * LANES` elements.
                Some(start) => unsafe { S::load(start.as_ptr().add(v * S::LANES)) },
                None => {
                    let from = &t.out[p * t.out_step + v * S::LANES..];
                    let filled = t.columns - v * S::LANES;
                    if filled >= S::LANES {
                        // SAFETY: `filled` elements lie there, by the check on `out`.
                        unsafe { S::load(from.as_ptr()) }
                    } else {
                        let mut part = [0.0; MAX_LANES];
                        part[..filled].copy_from_slice(&from[..filled]);
                        // SAFETY: `part` holds `MAX_LANES` elements.
                        unsafe { S::load(part.as_ptr()) }
                    }
                }
            };
        }
    }

    // SAFETY: the processor has the instructions, and the checks above are those asked for.
    let sums = unsafe { accumulate::<S, P, V>(t, sums) };

    for p in 0..P {
        for v in 0..V {
            let mut sum = sums[p][v];
            if t.relu {
                // SAFETY: the processor has the instructions.
                sum = unsafe { S::relu(sum) };
            }
            let to = &mut t.out[p * t.out_step + v * S::LANES..];
            let filled = t.columns - v * S::LANES;
            if filled >= S::LANES {
                // SAFETY: `filled` elements lie there, by the check on `out`.
                unsafe { S::store(to.as_mut_ptr(), sum) };
            } else {
                let mut part = [0.0; MAX_LANES];
                // SAFETY: `part` holds `MAX_LANES` elements.
                unsafe { S::store(part.as_mut_ptr(), sum) };
                to[..filled].copy_from_slice(&part[..filled]);
            }
        }
    }
}

/// Adds the products of a tile's inputs and weights to its sums.
///
/// Takes and returns the sums by value, apart from where they are loaded and stored: else
/// the compiler keeps them in memory all along.
///
/// # Safety
/// The processor must have the instruction set of `S`, and for each run and p < P the elements
/// `at + shift + p * step..` of `x`, `len` of them, must exist; `w` must hold `V * LANES`
/// elements for each element of the runs.
#[inline(always)]
unsafe fn accumulate<S: Simd, const P: usize, const V: usize>(
    t: &Tile<'_>,
    mut sums: [[S::V; V]; P],
) -> [[S::V; V]; P] {
    let step = t.step;
    let mut w = t.w.as_ptr();
    for run in t.runs {
        // SAFETY: `at + shift` is at most the end of `x`, by the caller's promise.
        let mut x = unsafe { t.x.as_ptr().add(run.at + t.shift) };
        for _ in 0..run.len {
            // SAFETY: `w` has advanced by `V * LANES` for each earlier element of the runs, so
            // as many more lie there; `x` has advanced by less than `run.len`, so
            // `x + p * step` is inside `t.x` for every p < P.
            unsafe {
                let mut weights = [S::splat(0.0); V];
                for v in 0..V {
                    weights[v] = S::load(w.add(v * S::LANES));
                }
                for p in 0..P {
                    let value = S::splat(*x.add(p * step));
                    for v in 0..V {
                        sums[p][v] = S::mul_add(value, weights[v], sums[p][v]);
                    }
                }
                x = x.add(1);
                w = w.add(V * S::LANES);
            }
        }
    }
    sums
}

/// Products of `x`, whole chunks of [`DOT_LANES`], then of `tail`, with `w`, summed per lane:
/// element i is added to sum `i % DOT_LANES`, in order of i. `w` is as long as `x`, or one
/// chunk longer; only then is `tail` used.
///
/// # Safety
/// The processor must have the instruction set of `S`. Everything about lengths is checked.
#[inline(always)]
pub(super) unsafe fn partial_sums<S: Simd, const V: usize>(
    x: &[f32],
    tail: &[f32; DOT_LANES],
    w: &[f32],
) -> [f32; DOT_LANES] {
    const { assert!(V * S::LANES == DOT_LANES) };
    // SAFETY: the processor has the instructions.
    let mut sums = [unsafe { S::splat(0.0) }; V];
    let (x_chunks, _) = x.as_chunks::<DOT_LANES>();
    let (w_chunks, _) = w.as_chunks::<DOT_LANES>();
    for (x, w) in x_chunks.iter().chain([tail]).zip(w_chunks) {
        for v in 0..V {
            // SAFETY: both chunks hold `V * LANES` elements.
            unsafe {
                let x = S::load(x.as_ptr().add(v * S::LANES));
                sums[v] = S::mul_add(x, S::load(w.as_ptr().add(v * S::LANES)), sums[v]);
            }
        }
    }
    let mut lanes = [0.0; DOT_LANES];
    for v in 0..V {
        // SAFETY: `lanes` holds `V * LANES` elements.
        unsafe { S::store(lanes.as_mut_ptr().add(v * S::LANES), sums[v]) };
    }
    lanes
}
