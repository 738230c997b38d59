//! The meaning of a score: log odds, calibrated probabilities, thresholds and the aims they serve.

pub mod calibration;
pub mod keys;
pub mod log_odds;
pub(crate) mod logistic;
pub mod measured;
pub mod novelty;
pub mod record_scores;
pub mod reliability;
pub mod thresholds;

pub use calibration::Calibration;
pub use measured::{DataKind, DepthClass, Measured};
pub use novelty::Novelty;
pub use thresholds::{Aim, AimThreshold, CardThresholds};
