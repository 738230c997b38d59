//! The networks. The only user of candle, with `train`.
//!
//! A model is a [`Model`]: a [`card`] that says what it expects and what it is, and a network with
//! its weights. On the CPU a network runs on this crate's own layers ([`cnnfilter_nn::kernel`]), one call at a
//! time, so a score never depends on the batch or on the threads; on a GPU, and to check the
//! former, it runs on candle's. [`cnnfilter_nn::layers`] are what networks are trained with.

pub mod allele;
#[cfg(feature = "builtin")]
pub mod builtin;
pub mod card;
pub mod error;
pub mod gatk;
#[cfg(feature = "gatk")]
pub mod import;
pub mod model;
pub mod replica;
pub mod scaling;
pub mod test_vectors;

#[cfg(feature = "builtin")]
pub use builtin::Builtin;
pub use card::ModelCard;
pub use error::ModelError;
pub use model::{Model, Trained};
pub use replica::Replica;
