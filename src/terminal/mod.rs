//! The machine around the science: threads, progress, what a run says at its end.

pub(crate) mod progress;
pub(crate) mod steps;
pub(crate) mod summary;
pub(crate) mod threads;
