//! The end of a compressed file: was it written whole?
//!
//! BGZF files end in an empty block of 28 bytes, CRAM files in an empty container (SAM
//! specification, section 4.1.2; CRAM specification 3.1, section 9). Both are the only way to tell
//! a file that was cut off between two blocks from a whole one.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{IoError, Problem};
use super::file::File;

/// The empty block at the end of a BGZF file.
pub const BGZF_EOF: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0,
    0, 0, 0, 0, 0, 0, 0,
];
/// The empty container at the end of a CRAM 3 file.
const CRAM3_EOF: [u8; 38] = [
    0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 0x01, 0, 0x05,
    0xbd, 0xd9, 0x4f, 0, 0x01, 0, 0x06, 0x06, 0x01, 0, 0x01, 0, 0x01, 0, 0xee, 0x63, 0x01, 0x4b,
];
/// The empty container at the end of a CRAM 2.1 file.
const CRAM2_EOF: [u8; 30] = [
    0x0b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 0x01, 0, 0,
    0x01, 0, 0x06, 0x06, 0x01, 0, 0x01, 0, 0x01, 0,
];

/// True where some bytes begin a BGZF block: gzip with the extra field `BC`.
pub fn is_bgzf(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b, 0x08, 0x04]) && head.get(12..14) == Some(b"BC")
}

/// The first bytes of a file, at most `count`.
///
/// # Errors
/// Where the file cannot be opened or read.
pub fn head(path: &Path, count: u64) -> Result<Vec<u8>, IoError> {
    let file = File::open(path).map_err(|e| IoError::system(path, "open", e))?;
    let mut bytes = Vec::new();
    file.take(count)
        .read_to_end(&mut bytes)
        .map_err(|e| IoError::system(path, "read", e))?;
    Ok(bytes)
}

/// The last bytes of a file, at most `count`.
///
/// # Errors
/// Where the file cannot be opened or read.
pub fn tail(path: &Path, count: u64) -> Result<Vec<u8>, IoError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(count)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|e| IoError::system(path, "read", e))
}

/// Reads through a BAM's header (SAM specification, section 4.2): htslib's wrapper does not survive
/// one that cannot be read.
fn check_bam_header(path: &Path) -> Result<(), IoError> {
    let file = File::open(path).map_err(|e| IoError::system(path, "open", e))?;
    let mut bam = noodles_bgzf::io::Reader::new(BufReader::new(file));
    let number = |bam: &mut dyn Read| -> io::Result<u32> {
        let mut bytes = [0; 4];
        bam.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    };
    let skip = |bam: &mut dyn Read, length: u32| -> io::Result<()> {
        let skipped = io::copy(&mut bam.take(length.into()), &mut io::sink())?;
        if skipped < length.into() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    };
    let mut read = || -> io::Result<()> {
        if number(&mut bam)? != u32::from_le_bytes(*b"BAM\x01") {
            return Err(io::Error::other("it does not begin as a BAM does"));
        }
        let text = number(&mut bam)?;
        skip(&mut bam, text)?;
        for _ in 0..number(&mut bam)? {
            let name = number(&mut bam)?;
            skip(&mut bam, name)?;
            number(&mut bam)?;
        }
        Ok(())
    };
    read().map_err(|e| {
        let expected = "BAM or CRAM";
        let found = format!("a BGZF file without a BAM's header ({e})");
        IoError::new(path, Problem::Format { expected, found })
    })
}

/// Checks that a BAM or CRAM file is whole.
///
/// # Errors
/// [`Problem::Truncated`] where its end marker is missing, [`Problem::Format`] where it is neither.
pub fn check_alignment_end(path: &Path) -> Result<(), IoError> {
    let start = head(path, 18)?;
    let (found, name) = if is_bgzf(&start) {
        check_bam_header(path)?;
        (tail(path, 28)? == BGZF_EOF, "block")
    } else if let Some(&[major, minor]) = start.strip_prefix(b"CRAM").and_then(|v| v.get(..2)) {
        let (mark, length): (&[u8], u64) = match (major, minor) {
            (2, 1) => (&CRAM2_EOF, 30),
            (3, 0 | 1) => (&CRAM3_EOF, 38),
            _ => {
                let expected = "CRAM 2.1, 3.0 or 3.1";
                let found = format!(
                    "CRAM {major}.{minor}; write it anew with `samtools view -C --output-fmt-option version=3.0`"
                );
                return Err(IoError::new(path, Problem::Format { expected, found }));
            }
        };
        (tail(path, length)? == mark, "container")
    } else {
        let found = if start.starts_with(b"@") {
            "text (SAM?)".to_owned()
        } else {
            format!(
                "a file that begins with {:?}",
                String::from_utf8_lossy(&start)
            )
        };
        return Err(IoError::new(
            path,
            Problem::Format {
                expected: "BAM or CRAM",
                found,
            },
        ));
    };
    if found {
        return Ok(());
    }
    Err(IoError::new(
        path,
        Problem::Truncated(format!(
            "its empty last {name} is missing; copy or make it again"
        )),
    ))
}
