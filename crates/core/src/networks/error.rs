//! Errors of models.

use cnnfilter_nn::NnError;
use cnnfilter_nn::kernel::KernelError;

/// A defect of a model folder or of what is fed to it; the folder is named by whoever opened it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// `model.json` is no card.
    #[error("model.json is not a model card ({0})")]
    Card(#[from] serde_json::Error),
    /// A card of another generation.
    #[error(
        "model.json has format {found}, this version reads format 1 to {newest}; import or train the model again"
    )]
    Format {
        /// Number in the file.
        found: u32,
        /// The newest that is understood here.
        newest: u32,
    },
    /// The card contradicts its own architecture.
    #[error("model.json: {field} must be {expected}, found {found}")]
    CardField {
        /// The field.
        field: &'static str,
        /// The value that the architecture needs.
        expected: String,
        /// The value in the card.
        found: String,
    },
    /// The weights are not those the card was written for.
    #[error(
        "model.safetensors has SHA-256 {found}, the card says {expected}; the folder was mixed or damaged"
    )]
    Checksum {
        /// In the card.
        expected: String,
        /// Of the file.
        found: String,
    },
    /// The network does not compute here what the card says it should.
    #[error(
        "test vector {index}: logit {label} is {found}, the card says {expected}; weights or this build are damaged"
    )]
    TestVector {
        /// Number of the test vector, from 0.
        index: usize,
        /// Name of the output.
        label: &'static str,
        /// In the card.
        expected: f32,
        /// Computed here.
        found: f32,
    },
    /// Sizes of layers that cannot be read.
    #[error("sizes of the layers: {0}")]
    Sizes(serde_json::Error),
    /// The family reads reads and there are none.
    #[error("networks of family `{family}` read reads; make examples with reads")]
    NeedsReads {
        /// The family.
        family: &'static str,
    },
    /// A training configuration names a family that there is not.
    #[error("there is no network family `{name}`; there are {known}")]
    UnknownFamily {
        /// The name.
        name: String,
        /// The families that can be trained.
        known: String,
    },
    /// A layer that the network does not have.
    #[error("there is no layer `{name}`; there are {known}")]
    UnknownLayer {
        /// The name.
        name: String,
        /// The layers that can be read.
        known: String,
    },
    /// A channel that the network does not read.
    #[error("the network reads no channel `{name}`; it reads {known}")]
    UnknownChannel {
        /// The name.
        name: String,
        /// The channels that can be switched off.
        known: String,
    },
    /// Weights of 8 bits cannot be put into 8 bits again.
    #[error("its weights have 8 bits already; take the model that it was made of")]
    IsQuantized,
    /// Weights, layers or the device.
    #[error(transparent)]
    Network(#[from] NnError),
    /// An example made for another kind of network.
    #[error("the network reads {expected}, but was given {found}")]
    Example {
        /// The tensor it reads.
        expected: &'static str,
        /// The tensor it was given.
        found: &'static str,
    },
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        Self::Network(error.into())
    }
}

impl From<KernelError> for ModelError {
    fn from(error: KernelError) -> Self {
        Self::Network(error.into())
    }
}
