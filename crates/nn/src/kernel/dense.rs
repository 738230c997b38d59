//! The fully connected layer.

use super::error::{KernelError, at_least_one, exact, volume};
use super::isa::Isa;
use super::simd::DOT_LANES;

/// A fully connected layer: `y[o] = bias[o] + sum over i of weight[o][i] * x[i]`, then
/// `max(y, 0)` if ReLU is asked for.
///
/// The products are summed in 64 interleaved f32 sums, these in 8 interleaved f64 sums, and these in turn, with the
/// bias last: the order depends on the number of inputs alone.
#[derive(Debug)]
pub struct Dense {
    inputs: usize,
    /// Inputs rounded up to whole chunks of `DOT_LANES`.
    padded: usize,
    /// `[outputs][padded]`, zero past the last input.
    weight: Vec<f32>,
    /// `[outputs]`.
    bias: Vec<f32>,
    relu: bool,
}

/// The sum of the lanes. One running sum would wait for 64 additions, one behind the other.
fn sum(lanes: &[f32; DOT_LANES]) -> f64 {
    let mut sums = [0.0; 8];
    for lanes in lanes.chunks_exact(sums.len()) {
        for (sum, lane) in sums.iter_mut().zip(lanes) {
            *sum += f64::from(*lane);
        }
    }
    sums.iter().sum()
}

impl Dense {
    /// Takes the weights as PyTorch's `Linear` stores them, `weight` as `[outputs][inputs]`
    /// and `bias` as `[outputs]`.
    ///
    /// # Errors
    /// A size of 0, or buffers whose lengths are not those the sizes ask for.
    pub fn new(
        inputs: usize,
        outputs: usize,
        weight: &[f32],
        bias: &[f32],
        relu: bool,
    ) -> Result<Dense, KernelError> {
        at_least_one(&[("inputs", inputs), ("outputs", outputs)])?;
        exact("weight", &[outputs, inputs], weight.len())?;
        exact("bias", &[outputs], bias.len())?;
        let padded = inputs.next_multiple_of(DOT_LANES);
        let mut rows = Vec::with_capacity(volume("weight", &[outputs, padded])?);
        for row in weight.chunks_exact(inputs) {
            rows.extend_from_slice(row);
            rows.extend(std::iter::repeat_n(0.0, padded - inputs));
        }
        Ok(Dense {
            inputs,
            padded,
            weight: rows,
            bias: bias.to_vec(),
            relu,
        })
    }

    /// Length of the input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Length of the output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Computes the outputs of one input, replacing what is in `out`.
    ///
    /// # Errors
    /// [`KernelError::Length`] when `x` does not have [`Dense::inputs`] elements.
    pub fn forward(&self, x: &[f32], out: &mut Vec<f32>) -> Result<(), KernelError> {
        self.forward_with(Isa::detect(), x, out)
    }

    /// [`Dense::forward`] with a given instruction set, for tests and benchmarks.
    ///
    /// # Errors
    /// As [`Dense::forward`], and [`KernelError::Unavailable`].
    pub fn forward_with(&self, isa: Isa, x: &[f32], out: &mut Vec<f32>) -> Result<(), KernelError> {
        let kernels = isa.kernels()?;
        exact("input", &[self.inputs], x.len())?;
        let (whole, rest) = x.split_at(x.len() / DOT_LANES * DOT_LANES);
        let mut tail = [0.0; DOT_LANES];
        tail[..rest.len()].copy_from_slice(rest);
        out.clear();
        out.extend(
            self.weight
                .chunks_exact(self.padded)
                .zip(&self.bias)
                .map(|(weight, &bias)| {
                    // SAFETY: `Isa::kernels` gave these kernels after it found that the processor
                    // has their instruction set.
                    let lanes = unsafe { (kernels.dot)(whole, &tail, weight) };
                    let y = (sum(&lanes) + f64::from(bias)) as f32;
                    // Written so that NaN, which is not below 0, stays.
                    if self.relu && y < 0.0 { 0.0 } else { y }
                }),
        );
        Ok(())
    }
}
