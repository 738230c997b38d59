//! Standard output that was closed before the program began (`>&-`).
//!
//! Rust's runtime opens /dev/null in its place, so that what is written there is lost without an
//! error. The program looks before the runtime does and leaves word here.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::IoError;

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Names of standard output among paths.
const NAMES: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// True for the names of standard output: `-` and its paths among the devices.
pub fn is_meant(path: &Path) -> bool {
    NAMES.iter().any(|name| path == Path::new(name))
}

/// Leaves word that standard output was closed at the start.
pub fn note_closed() {
    IS_CLOSED.store(true, Ordering::Relaxed);
}

/// Refuses `target` where it is standard output, and that was closed.
///
/// # Errors
/// As said.
pub fn check(target: &Path) -> Result<(), IoError> {
    if IS_CLOSED.load(Ordering::Relaxed) && is_meant(target) {
        let what = "standard output is closed: nothing can be written there; give a file with -o, or leave standard output open";
        return Err(IoError::other(target, what));
    }
    Ok(())
}

/// Writes a text to standard output.
///
/// # Errors
/// Where it takes no more, or was closed.
pub fn write(bytes: &[u8]) -> Result<(), IoError> {
    check(Path::new("-"))?;
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|e| IoError::system("-", "write", e))
}
