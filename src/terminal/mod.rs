//! Threads, progress, and the summary at the end of a run.

pub(crate) mod browser;
pub(crate) mod multiqc;
pub(crate) mod progress;
pub(crate) mod steps;
pub(crate) mod summary;
pub(crate) mod threads;
