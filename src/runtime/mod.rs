//! The machine around the science: threads, progress, what a run says at its end.

pub mod progress;
pub mod summary;
pub mod threads;
