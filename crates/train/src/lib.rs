//! Fitting a network to labelled calls.
//!
//! ```text
//! config ── what the run is told
//! sampler ── step number → balanced batch, so that a resumed run sees the same batches
//! schedule ── step number and plateaus → learning rate
//! early_stopping, history, checkpoint ── when to stop, what is written, how to go on
//! augment ── an example as it looks this time: strands flipped, reads thinned, annotations dropped
//! optimizer ── AdamW (candle)
//! learners ── loss and gradients of a batch, on one device or dealt among several (candle)
//! fit ── the loop (candle): batch, loss, gradient, step; validation, checkpoint
//! ```
//!
//! Nothing here reads a file or a global random generator; the caller passes the clock in.

pub mod augment;
pub mod checkpoint;
pub mod config;
pub mod early_stopping;
pub mod error;
pub mod fit;
pub mod history;
pub mod learners;
pub mod sampler;
pub mod schedule;
