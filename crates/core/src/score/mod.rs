//! The meaning of a score: log odds, calibrated probabilities, thresholds and the aims they serve.

pub mod calibration;
pub mod keys;
pub mod log_odds;
pub(crate) mod logistic;
pub mod novelty;
pub mod record_scores;
pub mod reliability;
pub mod thresholds;

pub use calibration::Calibration;
pub use novelty::Novelty;
pub use thresholds::{Aim, AimThreshold, CardThresholds};
