//! Little-endian numbers (SAM specification, section 4.2).

use std::io::{self, Read};

/// Reads a number of four bytes.
///
/// # Errors
/// At the end of the file.
pub(super) fn number(bytes: &mut impl Read) -> io::Result<u32> {
    let mut four = [0; 4];
    bytes.read_exact(&mut four)?;
    Ok(u32::from_le_bytes(four))
}

/// The number of four bytes at a place; 0 behind the end.
pub(super) fn number_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk());
    four.map_or(0, |four| u32::from_le_bytes(*four))
}

/// The number of two bytes at a place; 0 behind the end.
pub(super) fn short_at(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..).and_then(|rest| rest.first_chunk());
    two.map_or(0, |two| u16::from_le_bytes(*two))
}
