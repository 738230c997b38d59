//! What can be wrong with a model.

use super::kernel::KernelError;

/// A defect of a model folder or of what is fed to it; the folder is named by whoever opened it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// `model.json` is no card.
    #[error("model.json is not a model card ({0})")]
    Card(#[from] serde_json::Error),
    /// A card of another generation.
    #[error(
        "model.json has format {found}, this version reads format {expected}; import or train the model again"
    )]
    Format {
        /// Number in the file.
        found: u32,
        /// Number understood here.
        expected: u32,
    },
    /// The card contradicts its own architecture.
    #[error("model.json: {field} must be {expected}, found {found}")]
    CardField {
        /// The field.
        field: &'static str,
        /// What the architecture needs.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// `model.safetensors` is damaged.
    #[error("model.safetensors cannot be read ({0})")]
    Safetensors(#[from] safetensors::SafeTensorError),
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
    /// A tensor is absent.
    #[error("weight `{name}` is missing; expected shape {expected:?}")]
    MissingWeight {
        /// Its name.
        name: String,
        /// Its shape.
        expected: Vec<usize>,
    },
    /// A tensor that the architecture does not have.
    #[error("weight `{name}` belongs to no layer of this architecture")]
    ExtraWeight {
        /// Its name.
        name: String,
    },
    /// A tensor of another shape.
    #[error("weight `{name}` has shape {found:?}, expected {expected:?}")]
    WeightShape {
        /// Its name.
        name: String,
        /// What the architecture needs.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<usize>,
    },
    /// A weight that is no finite number.
    #[error("weight `{name}` holds NaN or infinity")]
    WeightValue {
        /// Its name.
        name: String,
    },
    /// The network does not compute here what the card says it should.
    #[error(
        "test vector {index}: logit {label} is {found}, the card says {expected}; weights or this build are damaged"
    )]
    TestVector {
        /// Which test vector, from 0.
        index: usize,
        /// Which output.
        label: &'static str,
        /// In the card.
        expected: f32,
        /// Computed here.
        found: f32,
    },
    /// An example made for another kind of network.
    #[error("the network reads {expected}, but was given {found}")]
    Example {
        /// The tensor it reads.
        expected: &'static str,
        /// What it was given.
        found: &'static str,
    },
    /// The device cannot be used.
    #[error("device `{device}` cannot be used: {reason}")]
    Device {
        /// As the user wrote it.
        device: String,
        /// Why.
        reason: String,
    },
    /// A layer was given numbers that do not fit it.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// candle reports an error.
    #[error("candle: {0}")]
    Candle(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        // candle appends a backtrace where RUST_BACKTRACE is set; the first line says it all.
        let text = error.to_string();
        Self::Candle(text.lines().next().unwrap_or_default().to_owned())
    }
}
