//! The micro-kernel of the weights' gradient: sums of outer products of inputs and output
//! gradients, a few inputs times a few vectors of channels, held in registers while the
//! positions go by.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over constants unroll into registers; p and v also step through pointers"
)]

use super::simd::Simd;

/// One call of the micro-kernel, for P inputs and V vectors of L lanes:
/// `out[p][n] += sum over w of x[w * x_step + p] * dy[w * dy_step + n]`.
#[derive(Debug)]
pub(super) struct Outer<'a> {
    /// The row's inputs, from the tile's first one on.
    pub x: &'a [f32],
    /// Elements of `x` from one position to the next (channels of the input).
    pub x_step: usize,
    /// Gradient of the row's output, from the tile's first channel on. What follows a position's
    /// channels is read into lanes whose sums are dropped.
    pub dy: &'a [f32],
    /// Elements of `dy` from one position to the next (channels of the output).
    pub dy_step: usize,
    /// Positions of the output row, at least 1.
    pub positions: usize,
    /// Sums from the tile's first input and channel on.
    pub out: &'a mut [f32],
    /// Elements of `out` from one input to the next (channels of the output).
    pub out_step: usize,
    /// Channels to write, at most `V * L`; fewer where the last vector is partly beyond them.
    pub columns: usize,
}

/// Adds a tile of `P` inputs and `V` vectors to its sums.
///
/// Each element is one chain of multiply-adds in the order of the positions, from 0, then added
/// to what `out` held: its value does not depend on `P` or `V`.
///
/// # Safety
/// The processor must have the instruction set of `S`. Everything about lengths is checked.
#[inline(always)]
pub(super) unsafe fn compute<S: Simd, const P: usize, const V: usize>(t: &mut Outer<'_>) {
    const { assert!(P >= 1 && V >= 1) };
    let columns = V * S::LANES;
    // The proof of every pointer below, saturating so that no sum can wrap.
    assert!(t.positions >= 1);
    let last = t.positions - 1;
    assert!(t.x_step.saturating_mul(last).saturating_add(P) <= t.x.len());
    assert!(t.dy_step.saturating_mul(last).saturating_add(columns) <= t.dy.len());
    assert!(t.columns <= columns && t.columns > columns - S::LANES);
    assert!(t.out_step.saturating_mul(P - 1).saturating_add(t.columns) <= t.out.len());

    // SAFETY: the processor has the instructions, and the checks above are those asked for.
    let sums = unsafe { accumulate::<S, P, V>(t) };

    let mut row = [0.0; 64];
    const { assert!(V * S::LANES <= 64) };
    for p in 0..P {
        for v in 0..V {
            // SAFETY: `row` holds at least `V * LANES` elements.
            unsafe { S::store(row.as_mut_ptr().add(v * S::LANES), sums[p][v]) };
        }
        let to = &mut t.out[p * t.out_step..][..t.columns];
        for (sum, more) in to.iter_mut().zip(&row) {
            *sum += more;
        }
    }
}

/// The sums of a tile over the row.
///
/// # Safety
/// The processor must have the instruction set of `S`, and for each position w the elements
/// `w * x_step..` of `x`, `P` of them, and `w * dy_step..` of `dy`, `V * LANES` of them, must
/// exist.
#[inline(always)]
unsafe fn accumulate<S: Simd, const P: usize, const V: usize>(t: &Outer<'_>) -> [[S::V; V]; P] {
    // SAFETY: the processor has the instructions.
    let mut sums = [[unsafe { S::splat(0.0) }; V]; P];
    let (x, dy) = (t.x.as_ptr(), t.dy.as_ptr());
    for w in 0..t.positions {
        // SAFETY: `w` is a position, for which the caller promised these elements.
        unsafe {
            let (x, dy) = (x.add(w * t.x_step), dy.add(w * t.dy_step));
            let mut gradients = [S::splat(0.0); V];
            for v in 0..V {
                gradients[v] = S::load(dy.add(v * S::LANES));
            }
            for p in 0..P {
                let value = S::splat(*x.add(p));
                for v in 0..V {
                    sums[p][v] = S::mul_add(value, gradients[v], sums[p][v]);
                }
            }
        }
    }
    sums
}
