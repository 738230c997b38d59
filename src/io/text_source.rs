//! VCF text out of VCF, VCF.gz, BCF or standard input.
//!
//! The format is told from the bytes, never from the name. BCF goes through htslib, which
//! writes it as text into a pipe; everything else is passed on as it is.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use flate2::bufread::MultiGzDecoder;
use noodles_bgzf as bgzf;

use super::bcf_header;
use super::bcf_text::bcf_to_text;
use super::bgzf_tail::{BGZF_EOF, is_bgzf};
use super::error::{IoError, Problem, refuse_remote};
use super::file::{self, File};
use super::indexed_calls::IndexedCalls;
use cnnfilter_core::genome::IntervalSet;

/// Bytes that are looked at to tell a format.
const PEEK: u64 = 1 << 16;

/// The last 28 bytes that came out of a reader.
type Tail = Arc<Mutex<Vec<u8>>>;

/// Returns true for standard input, a pipe or a device: what can be read only once.
pub(crate) fn is_stream(path: &Path) -> bool {
    let is_named_so = ["-", "/dev/stdin"]
        .iter()
        .any(|name| path == Path::new(name))
        || path.starts_with("/dev/fd");
    is_named_so || file::is_special(path)
}

/// Remembers the last bytes that came through, to see whether a BGZF stream ended as it should.
struct TailReader<R> {
    inner: R,
    tail: Tail,
}

impl<R: Read> Read for TailReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Ok(mut tail) = self.tail.lock() {
            let recent = &buffer[count.saturating_sub(BGZF_EOF.len())..count];
            tail.extend_from_slice(recent);
            let surplus = tail.len().saturating_sub(BGZF_EOF.len());
            tail.drain(..surplus);
        }
        Ok(count)
    }
}

/// Lines of text.
pub struct TextSource {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    /// Set for BGZF input.
    tail: Option<Tail>,
    /// True where a last line without a line feed is taken for a cut-off file.
    needs_line_feed: bool,
    /// True where the line that was read last has none.
    lacks_line_feed: bool,
    /// Threads that translate BCF.
    translators: Vec<JoinHandle<Result<(), IoError>>>,
}

impl TextSource {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// Where the file cannot be opened or read, or is an address.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        Self::open_as(path, path)
    }

    /// Opens `file`, which messages name `path`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(file: &Path, path: &Path) -> Result<Self, IoError> {
        refuse_remote(path)?;
        let mut raw: Box<dyn Read + Send> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let opened = File::open(file).map_err(|e| IoError::system(path, "open", e))?;
            if file::is_folder(file) {
                return Err(IoError::new(
                    path,
                    Problem::Format {
                        expected: "a file",
                        found: "a folder".to_owned(),
                    },
                ));
            }
            Box::new(opened)
        };
        let mut head = Vec::new();
        raw.by_ref()
            .take(PEEK)
            .read_to_end(&mut head)
            .map_err(|e| IoError::system(path, "read", e))?;
        let tail = Tail::default();
        let bgzf = is_bgzf(&head);
        let gzip = head.starts_with(&[0x1f, 0x8b]);
        let bytes = TailReader {
            inner: Cursor::new(head).chain(raw),
            tail: Arc::clone(&tail),
        };
        let mut lines: Box<dyn BufRead + Send> = if bgzf {
            Box::new(bgzf::io::Reader::new(BufReader::with_capacity(
                PEEK as usize,
                bytes,
            )))
        } else if gzip {
            Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(bytes))))
        } else {
            Box::new(BufReader::with_capacity(PEEK as usize, bytes))
        };
        let tail = bgzf.then_some(tail);
        let mut translators = Vec::new();
        let start = lines.fill_buf().map_err(|e| read_error(path, e))?;
        if start.starts_with(b"BCF\x02") {
            let header = bcf_header::read(&mut lines, path)?;
            let text;
            (text, translators) = bcf_to_text(Cursor::new(header).chain(lines), path)?;
            lines = Box::new(BufReader::with_capacity(PEEK as usize, text));
        }
        Ok(Self {
            path: path.to_owned(),
            lines,
            tail,
            needs_line_feed: true,
            lacks_line_feed: false,
            translators,
        })
    }

    /// The lines of the records of some regions, which messages name `path`; a BCF's header comes
    /// first.
    ///
    /// # Errors
    /// Where the translation of a BCF cannot begin.
    pub(super) fn of_regions(
        calls: IndexedCalls,
        regions: &IntervalSet,
        path: &Path,
    ) -> Result<Self, IoError> {
        let header = calls.bcf_header().map(<[u8]>::to_vec);
        let records = calls.of_regions(regions);
        let mut translators = Vec::new();
        let lines: Box<dyn BufRead + Send> = match header {
            None => Box::new(BufReader::with_capacity(PEEK as usize, records)),
            Some(header) => {
                let text;
                (text, translators) = bcf_to_text(Cursor::new(header).chain(records), path)?;
                Box::new(BufReader::with_capacity(PEEK as usize, text))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            lines,
            tail: None,
            needs_line_feed: true,
            lacks_line_feed: false,
            translators,
        })
    }

    /// Opens a list that people write by hand, which may lack the last line feed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_list(path: &Path) -> Result<Self, IoError> {
        let mut source = Self::open(path)?;
        source.take_any_last_line();
        Ok(source)
    }

    /// From here on the last line may lack its line feed.
    pub fn take_any_last_line(&mut self) {
        self.needs_line_feed = false;
    }

    /// True where the line that was read last lacks its line feed: the file may be cut off in it.
    pub fn lacks_line_feed(&self) -> bool {
        self.lacks_line_feed
    }

    /// True where the text that has not been read yet begins so; nothing is taken out of it.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn begins_with(&mut self, text: &[u8]) -> Result<bool, IoError> {
        let start = self.lines.fill_buf();
        Ok(start
            .map_err(|e| read_error(&self.path, e))?
            .starts_with(text))
    }

    /// The file as the user named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the next line without its line feed into `line`; false at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read to its end, the last line has no line feed (VCF 4.3, section 1.6:
    /// it ends with one) and [`Self::take_any_last_line`] was not called, or the end marker of a BGZF
    /// file is missing.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, IoError> {
        line.clear();
        self.lines
            .read_until(b'\n', line)
            .map_err(|e| read_error(&self.path, e))?;
        match line.pop() {
            Some(b'\n') => Ok(true),
            Some(byte) if !self.needs_line_feed => {
                line.push(byte);
                self.lacks_line_feed = true;
                Ok(true)
            }
            Some(_) => Err(self.cut_in_last_line()),
            None => self.check_end().map(|()| false),
        }
    }

    fn check_end(&mut self) -> Result<(), IoError> {
        for translator in self.translators.drain(..) {
            translator
                .join()
                .map_err(|_| IoError::other(&self.path, "translating BCF failed"))??;
        }
        let whole = self
            .tail
            .as_ref()
            .is_none_or(|tail| tail.lock().is_ok_and(|tail| tail.as_slice() == BGZF_EOF));
        if whole {
            Ok(())
        } else {
            Err(without_last_block(&self.path))
        }
    }

    /// The error for a last line that lacks its line feed.
    pub(super) fn cut_in_last_line(&self) -> IoError {
        self.truncated(
            "the last line has no line feed; make the file again, or add one if you know it to be whole",
        )
    }

    fn truncated(&self, what: &str) -> IoError {
        IoError::new(&self.path, Problem::Truncated(what.to_owned()))
    }
}

/// The error for a BGZF file of calls without its end marker.
pub fn without_last_block(path: &Path) -> IoError {
    let what = "its empty last block is missing; copy or make it again";
    IoError::new(path, Problem::Truncated(what.to_owned()))
}

pub(super) fn read_error(path: &Path, error: io::Error) -> IoError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => IoError::new(
            path,
            Problem::Truncated("it ends inside a compressed block; copy or make it again".into()),
        ),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => IoError::new(
            path,
            Problem::Format {
                expected: "intact gzip or BGZF blocks",
                found: format!("a damaged one ({error})"),
            },
        ),
        _ => IoError::system(path, "read", error),
    }
}
