//! Plain or gzipped files that appear when they are whole.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::atomic::PendingFile;
use super::error::{IoError, refuse_remote};

/// Bytes that are read or written together.
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

enum Output {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

/// A file being written; gzipped where its name ends in `.gz`.
pub struct NewFile {
    path: PathBuf,
    pending: PendingFile,
    output: Output,
}

impl NewFile {
    /// Begins a file.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn create(path: &Path) -> Result<Self, IoError> {
        let (pending, file) = PendingFile::create(path)?;
        let plain = BufWriter::with_capacity(BUFFER, file);
        let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
        Ok(Self {
            path: path.to_owned(),
            pending,
            output: if is_gzip {
                Output::Gzip(Box::new(GzEncoder::new(plain, Compression::fast())))
            } else {
                Output::Plain(plain)
            },
        })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        let written = match &mut self.output {
            Output::Plain(output) => output.write_all(bytes),
            Output::Gzip(output) => output.write_all(bytes),
        };
        written.map_err(|error| IoError::system(&self.path, "write", error))
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<(), IoError> {
        let written = match self.output {
            Output::Plain(mut output) => output.flush(),
            Output::Gzip(output) => output.finish().and_then(|mut plain| plain.flush()),
        };
        written.map_err(|error| IoError::system(&self.path, "write", error))?;
        self.pending.commit()
    }
}

/// Removes a file, if there is one.
///
/// # Errors
/// Where it is there and stays.
pub fn remove_if_there(path: &Path) -> Result<(), IoError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(IoError::system(path, "remove", error))
        }
        _ => Ok(()),
    }
}
