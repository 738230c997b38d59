//! The networks. The only user of candle, with `train`.
//!
//! A model is a [`Model`]: a [`card`] that says what it expects and what it is, and a network with
//! its weights. On the CPU a network runs on this crate's own layers ([`kernel`]), one call at a
//! time, so a score never depends on the batch or on the threads; on a GPU, and to check the
//! former, it runs on candle's. [`layers`] are what networks are trained with.

pub mod builtin;
pub mod calibration;
pub mod card;
pub mod device;
pub mod error;
pub mod evidence;
pub mod gatk;
pub mod import;
pub mod kernel;
pub mod layers;
pub mod log_odds;
mod logistic;
pub mod reliability;
pub mod replica;
pub mod scaling;
pub mod scorer;
pub mod test_vectors;
pub mod weights;

pub use builtin::Builtin;
pub use card::ModelCard;
pub use device::DeviceChoice;
pub use error::ModelError;
pub use replica::Replica;
pub use scorer::{Model, Trained};
