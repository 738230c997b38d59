//! Fitting a network to labelled calls: everything about it that needs no network.
//!
//! ```text
//! config ── what the run is told
//! sampler ── step number → balanced batch, so that a resumed run sees the same batches
//! schedule ── step number and plateaus → learning rate
//! average_precision ── validation
//!  └ early_stopping, history, checkpoint ── when to stop, what is written, how to go on
//! ```
//!
//! Nothing here reads a clock, a file or a global random generator.

pub mod average_precision;
pub mod checkpoint;
pub mod config;
pub mod early_stopping;
pub mod history;
pub mod sampler;
pub mod schedule;
