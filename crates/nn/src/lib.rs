//! The arithmetic of cnnfilter's networks, without genomics.
//!
//! ```text
//! kernel ── convolution, pooling and dense layers for the CPU, one file per instruction set
//! layers ── the same as candle operations with gradients, on the CPU and elsewhere
//! optimizer ── AdamW
//! weights ── named tensors and their safetensors files
//! device ── CPU or GPU, as a user names it
//! ```
//!
//! All `unsafe` of the networks is in [`kernel`].

pub mod device;
pub mod error;
pub mod kernel;
pub mod layers;
pub mod optimizer;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod weights;

pub use device::DeviceChoice;
pub use error::NnError;
