//! Layers of a convolutional network on the CPU: convolution with bias and ReLU, max-pooling
//! over rows, and fully connected, all in f32; and the gradients of a convolution along rows.
//!
//! * [`rows`]: the tensors, `[row][position][channel]`, of which only the distinct rows are
//!   kept: a pile-up ends in padding rows that are all equal, and equal rows stay equal
//!   through every layer, so leaving them out changes nothing but the time.
//! * [`conv`]: the weights packed for the processor, and the walk over the output.
//! * [`backward`]: the gradients of a convolution along the positions of a row.
//! * [`dense`]: the fully connected layer.
//! * [`pool`]: sums and maxima over rows.
//! * [`isa`]: which instruction set is used, found out at run time.
//! * `tile`: the micro-kernel of the forward pass, written over the vectors of `simd`.
//! * `outer`: the micro-kernel of the weights' gradient.
//! * [`error`]: what can be wrong with sizes.
//!
//! Every output element is summed in one order, which depends on the layer's sizes alone:
//! results do not change with the number of rows kept, the batch or the threads. The
//! instruction sets with a fused multiply-add (AVX-512, AVX2, NEON) agree to the bit;
//! [`Isa::Portable`] and [`Isa::Simd128`] round each product, agree with each other, and so differ from these in the
//! last digits.
//!
//! Nothing here starts a thread; a packed layer is `Send + Sync` and is meant to be shared.

#![expect(
    unsafe_code,
    reason = "vector instructions, behind a check of the processor; each use has its proof"
)]

pub mod backward;
pub mod conv;
pub mod dense;
pub mod error;
pub mod isa;
mod outer;
pub mod pool;
pub mod rows;
mod simd;
mod tile;

pub use backward::{ConvBackward, ConvSums, RowConv};
pub use conv::{Conv, ConvShape};
pub use dense::Dense;
pub use error::KernelError;
pub use isa::Isa;
pub use rows::{Rows, RowsShape, max_pool_rows};

#[cfg(test)]
pub(crate) mod tests;
