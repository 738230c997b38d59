//! What a score says: log odds, calibrated probabilities, thresholds and the aims they serve.

pub mod calibration;
pub mod log_odds;
mod logistic;
pub mod platt;
pub mod reliability;
pub mod thresholds;

pub use thresholds::{Aim, AimThreshold, CardThresholds};
