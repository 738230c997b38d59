//! Differentiable layers over candle's tensors, for training and for inference on a GPU.
//!
//! On the CPU the heavy ones run on this crate's own kernels ([`super::kernel`]) with gradients
//! written by hand; elsewhere they are made of candle's operations. candle 0.11's own `max_pool2d`
//! gives a gradient that is too small, `max` gives every tied element the whole gradient and
//! `relu` has derivative 1 at 0, so none of these is used.
//!
//! * [`conv`]: convolution along rows, with bias and optional ReLU.
//! * [`mod@dense`]: the fully connected layer.
//! * [`mod@relu`]: max(x, 0).
//! * [`segments`]: which rows belong to which site, and a site's row repeated for each of them.
//! * [`mod@pool_max`], [`mod@pool_mean`]: a site's rows become one.
//! * [`loss`]: weighted cross-entropy, optionally focal.
//! * `cpu`: the numbers of a tensor on the CPU.
//!
//! Tensors are f32, row-major. On the CPU, results and gradients have the same bits whatever the
//! number of threads: each number is summed in one order, or in parts of fixed size which are then
//! added in order. The work is spread over the rayon pool the caller is in.

use candle_core::Tensor;

pub mod conv;
mod cpu;
pub mod dense;
pub mod loss;
pub mod pool_max;
pub mod pool_mean;
pub mod relu;
pub mod segments;

pub use conv::conv_rows;
pub use dense::dense;
pub use loss::weighted_cross_entropy;
pub use pool_max::pool_max;
pub use pool_mean::pool_mean;
pub use relu::relu;
pub use segments::expand;

/// True where the layers over `x`, or an optimiser's step, run on this crate's kernels; elsewhere they
/// are made of candle's operations.
pub(crate) fn on_kernels(x: &Tensor) -> bool {
    #[cfg(any(test, feature = "testing"))]
    if crate::testing::AS_ELSEWHERE.get() {
        return false;
    }
    x.device().is_cpu()
}

#[cfg(test)]
pub(crate) mod tests;
