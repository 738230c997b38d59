//! The arithmetic of cnnfilter's networks, without genomics.
//!
//! ```text
//! kernel ── convolution, pooling and dense layers for the CPU, one file per instruction set
//! layers ── the same as candle operations with gradients, on the CPU and elsewhere
//! optimizer ── AdamW
//! weights ── named tensors and their safetensors files
//! quantized ── the same in 8 bits
//! device ── CPU or GPU, as a user names it
//! ```
//!
//! All `unsafe` of the networks is in [`kernel`].
//!
//! A convolution and a dense layer on the CPU:
//!
//! ```
//! use cnnfilter_nn::kernel::{Conv, ConvShape, Dense, KernelError, Rows};
//!
//! // One row of four positions with one channel.
//! let x = Rows { data: &[3.0, 1.0, 4.0, 1.0], stored: 1, logical: 1, width: 4 };
//!
//! // Each position minus the next one; ReLU makes 0 of what is negative.
//! let shape = ConvShape { cin: 1, cout: 1, kh: 1, kw: 2 };
//! let conv = Conv::new(shape, &[1.0, -1.0], &[0.0], true)?;
//! let mut differences = Vec::new();
//! let found = conv.forward(x, &mut differences)?;
//! assert_eq!((found.width, found.channels), (3, 1));
//! assert_eq!(differences, [2.0, 0.0, 3.0]);
//!
//! // Three inputs, one output, without ReLU.
//! let dense = Dense::new(3, 1, &[1.0, 10.0, 100.0], &[0.5], false)?;
//! let mut output = Vec::new();
//! dense.forward(&differences, &mut output)?;
//! assert_eq!(output, [302.5]);
//! # Ok::<(), KernelError>(())
//! ```

pub mod device;
pub mod error;
pub mod kernel;
pub mod layers;
pub mod optimizer;
pub mod quantized;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod weights;

pub use device::DeviceChoice;
pub use error::NnError;
