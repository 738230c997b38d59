//! Input that is read twice: a file as it is, a stream by way of a temporary file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::atomic::PendingFile;
use super::error::{IoError, refuse_remote};
use super::vcf_reader::VcfReader;

/// A VCF that can be opened any number of times.
#[derive(Debug)]
pub struct Replay {
    /// As the user named it.
    path: PathBuf,
    /// The copy of a stream; it goes with this value.
    copy: Option<PendingFile>,
}

impl Replay {
    /// Takes a file as it is. Standard input (`-`), pipes and devices are read to their end first,
    /// into a temporary file in `folder`.
    ///
    /// # Errors
    /// Where the stream cannot be read, or the temporary file not be written.
    pub fn new(path: &Path, folder: &Path) -> Result<Self, IoError> {
        refuse_remote(path)?;
        let is_standard_input = path == Path::new("-");
        let is_file = path
            .metadata()
            .is_ok_and(|data| data.is_file() || data.is_dir());
        let mut replay = Self {
            path: path.to_owned(),
            copy: None,
        };
        // What is not there is told by whoever opens it.
        if !is_standard_input && (is_file || !path.exists()) {
            return Ok(replay);
        }
        let mut stream: Box<dyn Read> = if is_standard_input {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|e| IoError::system(path, "open", e))?)
        };
        let target = folder.join("cnnfilter.input");
        let (copy, mut file) = PendingFile::create(&target)?;
        io::copy(&mut stream, &mut file).map_err(|e| IoError::system(&target, "write", e))?;
        replay.copy = Some(copy);
        Ok(replay)
    }

    /// True where the input was a stream and had to be copied.
    pub fn is_copied(&self) -> bool {
        self.copy.is_some()
    }

    /// Opens it from its beginning.
    ///
    /// # Errors
    /// As [`VcfReader::open`].
    pub fn open(&self) -> Result<VcfReader, IoError> {
        let file = self
            .copy
            .as_ref()
            .map_or(self.path.as_path(), PendingFile::path);
        VcfReader::open_as(file, &self.path)
    }
}
