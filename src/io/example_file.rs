//! Files of encoded examples ([`cnnfilter_core::encode::store`]).

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::atomic::PendingFile;
use super::error::{IoError, Problem};
use cnnfilter_core::encode::store::{self, LabelledExample, StoreHeader, StoreLayout, StoreView};

/// Writes examples one after another; the header, which counts them, comes in front at the end.
pub struct ExampleWriter {
    target: PathBuf,
    body: BufWriter<File>,
    lengths: Vec<u64>,
    buffer: Vec<u8>,
}

impl ExampleWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn create(target: &Path) -> Result<Self, IoError> {
        // A target that cannot be is told before the work, not after it.
        PendingFile::create(target)?;
        // The examples wait in a nameless file, since the header is known when they are.
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let body = tempfile::tempfile_in(folder)
            .map_err(|error| IoError::system(target, "create a temporary file beside", error))?;
        Ok(Self {
            target: target.to_owned(),
            body: BufWriter::new(body),
            lengths: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// Adds an example.
    ///
    /// # Errors
    /// Where it cannot be written, or a file cannot hold it.
    pub fn push(&mut self, example: &LabelledExample) -> Result<(), IoError> {
        self.buffer.clear();
        store::write_example(example, &mut self.buffer)
            .map_err(|error| IoError::other(&self.target, error.to_string()))?;
        self.lengths.push(self.buffer.len() as u64);
        self.body
            .write_all(&self.buffer)
            .map_err(|error| IoError::system(&self.target, "write", error))
    }

    /// Puts the file together under its name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self, header: &StoreHeader) -> Result<(), IoError> {
        let target = self.target;
        let fail = |error| IoError::system(&target, "write", error);
        let mut body = self.body.into_inner().map_err(|e| fail(e.into_error()))?;
        body.seek(SeekFrom::Start(0)).map_err(fail)?;
        let prefix = store::prefix(header).map_err(|e| IoError::other(&target, e.to_string()))?;
        let mut offsets = Vec::with_capacity(self.lengths.len());
        let mut at = prefix.len() as u64;
        for length in &self.lengths {
            offsets.push(at);
            at += length;
        }
        let (pending, file) = PendingFile::create(&target)?;
        let mut out = BufWriter::new(file);
        out.write_all(&prefix).map_err(fail)?;
        std::io::copy(&mut body.take(u64::MAX), &mut out).map_err(fail)?;
        out.write_all(&store::suffix(&offsets)).map_err(fail)?;
        out.into_inner().map_err(|e| fail(e.into_error()))?;
        pending.commit()
    }
}

/// A file of examples, mapped into memory.
pub struct ExampleFile {
    path: PathBuf,
    map: Mmap,
    layout: StoreLayout,
}

impl ExampleFile {
    /// Maps a file and checks its layout.
    ///
    /// # Errors
    /// Where it is missing or no file of examples.
    #[expect(unsafe_code, reason = "a memory map; its proof is below")]
    pub fn open(path: &Path) -> Result<Self, IoError> {
        let file = File::open(path).map_err(|error| IoError::system(path, "open", error))?;
        if file.metadata().is_ok_and(|data| data.is_dir()) {
            let found = "a folder".to_owned();
            let expected = "a file of examples";
            return Err(IoError::new(path, Problem::Format { expected, found }));
        }
        // SAFETY: the map is read-only and private to this process. What another process does to
        // the file while it is mapped can change the bytes seen; every read of them is
        // bounds-checked and any bytes are valid as such. `cnnfilter tensors` replaces files by
        // renaming and never changes one in place.
        let map = unsafe { Mmap::map(&file) }
            .map_err(|error| IoError::system(path, "map into memory", error))?;
        let layout =
            StoreLayout::new(&map).map_err(|error| IoError::other(path, error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            map,
            layout,
        })
    }

    /// Its header.
    pub fn header(&self) -> &StoreHeader {
        &self.layout.header
    }

    /// Its examples.
    pub fn view(&self) -> StoreView<'_> {
        self.layout.view(&self.map)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
