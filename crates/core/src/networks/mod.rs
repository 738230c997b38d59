//! The networks. The only user of candle, with `train`.
//!
//! A model is a [`Model`]: a [`card`] that says what it expects and what it is, and a network with
//! its weights. On the CPU our networks run on this crate's own layers ([`cnnfilter_nn::kernel`]),
//! one call at a time, so a score never depends on the batch or on the threads; on a GPU, and to
//! check the former, they run on candle's. [`cnnfilter_nn::layers`] are what networks are trained
//! with.
//!
//! Each family of networks is one folder here and one line in [`family::FAMILIES`].

pub mod activations;
pub mod allele;
pub mod attention;

#[cfg(feature = "builtin")]
pub mod builtin;
pub mod card;
mod channels_off;
pub mod error;
pub mod family;
pub mod gatk;
pub mod gradients;
#[cfg(feature = "gatk")]
pub mod import;
pub mod initial;
pub mod model;
pub mod pooled;
mod replica;
pub mod scaling;
pub mod test_vectors;

#[cfg(feature = "builtin")]
pub use builtin::Builtin;
pub use card::ModelCard;
pub use error::ModelError;
pub use family::Architecture;
pub use model::{Model, Trained};
