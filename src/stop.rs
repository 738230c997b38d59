//! A word from outside that a run shall end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A run that was told to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub(crate) struct Stopped;

/// Tells runs that hold a clone of it to stop. They do so between contigs and shards, with an error.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says it, from any thread.
    pub fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once it was said.
    pub fn is_said(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends the caller once it was said.
    ///
    /// # Errors
    /// [`Stopped`].
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        match self.is_said() {
            true => Err(Stopped),
            false => Ok(()),
        }
    }
}
