//! The door to the system's files. The readers here come to bytes through it alone, so that the page of `web`, where
//! there is no system, gives them files of its own.

pub(crate) use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

/// True for a plain file that is there.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// True for a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// True for a pipe or a device: what can be read only once.
pub(crate) fn is_special(path: &Path) -> bool {
    let data = path.metadata();
    data.is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Its length in bytes, where the system tells.
pub(crate) fn length(path: &Path) -> Option<u64> {
    path.metadata().map(|data| data.len()).ok()
}

/// When it was written, where the system tells.
pub(crate) fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}
