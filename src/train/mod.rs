//! Training of networks.
//!
//! * [`optimizer`]: AdamW with clipping and averaged weights.

pub mod optimizer;

pub use optimizer::{AdamW, AdamWConfig};
