//! Checksums of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::IoError;

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// Where it cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String, IoError> {
    let fail = |error| IoError::system(path, "read", error);
    let mut file = File::open(path).map_err(fail)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    let digest = digest.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
