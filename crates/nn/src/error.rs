//! Errors of layers, weights and devices.

use crate::kernel::KernelError;

/// A defect of weights, of a device, or of the numbers a layer is given.
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// `model.safetensors` is damaged.
    #[error("model.safetensors cannot be read ({0})")]
    Safetensors(#[from] safetensors::SafeTensorError),
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
        /// Shape that the architecture needs.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A weight that is no finite number.
    #[error("weight `{name}` holds NaN or infinity")]
    WeightValue {
        /// Its name.
        name: String,
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

impl From<candle_core::Error> for NnError {
    fn from(error: candle_core::Error) -> Self {
        // candle appends a backtrace where RUST_BACKTRACE is set; the first line says it all.
        let text = error.to_string();
        Self::Candle(text.lines().next().unwrap_or_default().to_owned())
    }
}
