//! Standard output that was closed before the program began (`>&-`).
//!
//! Rust's runtime opens /dev/null in its place, so that what is written there is lost without an
//! error. The program looks before the runtime does and leaves word here.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::IoError;

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Leaves word that standard output was closed at the start.
pub fn note_closed() {
    IS_CLOSED.store(true, Ordering::Relaxed);
}

/// Refuses `target` where it is standard output, and that was closed.
///
/// # Errors
/// As said.
pub fn check(target: &Path) -> Result<(), IoError> {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    if IS_CLOSED.load(Ordering::Relaxed) && names.iter().any(|name| target == Path::new(name)) {
        let what = "standard output is closed: nothing can be written there; give a file with -o, or leave standard output open";
        return Err(IoError::other(target, what));
    }
    Ok(())
}
