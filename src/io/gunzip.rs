//! Files that may be gzipped, unpacked as they are read.

use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::error::{IoError, refuse_remote};
use super::file::File;

/// Bytes that are read together.
const BUFFER: usize = 1 << 18;

/// Opens a file, unpacking it if it is gzipped.
///
/// # Errors
/// Where it cannot be opened or read.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, IoError> {
    refuse_remote(path)?;
    let file = File::open(path).map_err(|error| IoError::system(path, "open", error))?;
    let mut input = BufReader::with_capacity(BUFFER, file);
    let head = input
        .fill_buf()
        .map_err(|error| IoError::system(path, "read", error))?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(input);
        Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)))
    } else {
        Ok(Box::new(input))
    }
}
