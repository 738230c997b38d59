//! Reasons for which a fit stops.

use cnnfilter_core::encode::allele::CannotThin;
use cnnfilter_core::encode::store::StoreError;
use cnnfilter_core::networks::ModelError;
use cnnfilter_nn::NnError;

use crate::history::HistoryError;
use crate::sampler::SamplerError;

/// Why a run ends without a model.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The examples cannot be put into balanced batches.
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    /// An example cannot be read.
    #[error("example {index}: {source}")]
    Example {
        /// Its number, from 0.
        index: usize,
        /// The reason.
        source: StoreError,
    },
    /// The network or candle reports an error.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The examples cannot be augmented.
    #[error(transparent)]
    Augmentation(#[from] CannotThin),
    /// There is nothing to run on.
    #[error("training needs a device")]
    NoDevice,
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} at step {step}; take a smaller learning rate (optimizer.learning_rate is {learning_rate})"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f32,
        /// The configured learning rate.
        learning_rate: f64,
    },
    /// The history does not go on.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// No class of a minibatch counts.
    #[error(
        "no example of a minibatch has a weight in the loss; give its classes one (loss.class_weights)"
    )]
    NoWeight,
    /// There is no temperature to anneal.
    #[error(
        "schedule.temperature_start anneals a quality threshold that the network lacks; set architecture.quality_gate"
    )]
    NoTemperature,
    /// A share has nothing in it.
    #[error("a minibatch of no examples")]
    EmptyMinibatch,
}

impl From<candle_core::Error> for FitError {
    fn from(error: candle_core::Error) -> Self {
        Self::Model(error.into())
    }
}

impl From<NnError> for FitError {
    fn from(error: NnError) -> Self {
        Self::Model(error.into())
    }
}
