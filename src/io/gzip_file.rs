//! Plain or gzipped files that appear when they are whole.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::atomic::PendingFile;
use super::error::IoError;

pub use super::gunzip::open;

/// Bytes that are written together.
const BUFFER: usize = 1 << 18;

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
