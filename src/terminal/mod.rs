//! The machine around the science: threads, progress, what a run says at its end.

pub mod progress;
pub mod steps;
pub mod summary;
pub mod threads;
