//! Files. In a browser the page's script hands out their bytes, in blocks, of which the last are kept; anywhere else
//! they are the system's, so that tests run without a browser.

#[cfg(not(target_family = "wasm"))]
#[path = "../../../src/io/file.rs"]
mod system;

#[cfg(not(target_family = "wasm"))]
pub(crate) use system::*;

#[cfg(target_family = "wasm")]
pub(crate) use page::*;

#[cfg(target_family = "wasm")]
mod page {
    #![expect(unsafe_code, reason = "the page's script is called")]

    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};
    use std::path::Path;
    use std::rc::Rc;
    use std::time::{Duration, SystemTime};

    /// Bytes that are asked for together: asking takes longer than reading.
    const BLOCK: u64 = 1 << 17;
    /// Blocks that are kept, of all files together: 12 MiB.
    const KEPT: usize = 96;

    #[link(wasm_import_module = "page")]
    unsafe extern "C" {
        /// The number of the file of a name (UTF-8); -1 for none.
        fn file_number(name: *const u8, length: usize) -> i32;
        /// Its length in bytes.
        fn file_length(file: i32) -> f64;
        /// When it was written, in milliseconds since 1970; 0 where that is not known.
        fn file_time(file: i32) -> f64;
        /// Writes bytes of it from a place on into memory; returns how many, -1 where it cannot be read.
        fn file_read(file: i32, place: f64, to: *mut u8, count: usize) -> i32;
    }

    /// A block of a file.
    type Block = ((i32, u64), Rc<Vec<u8>>);

    thread_local! {
        /// The last blocks, the latest in front.
        static BLOCKS: RefCell<VecDeque<Block>> = const { RefCell::new(VecDeque::new()) };
    }

    /// A file of the page.
    #[derive(Debug)]
    pub(crate) struct File {
        number: i32,
        length: u64,
        place: u64,
    }

    impl File {
        /// Opens the file of a name.
        ///
        /// # Errors
        /// Where the page has none.
        pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<Self> {
            let number = number(path.as_ref()).ok_or(Error::new(
                ErrorKind::NotFound,
                "No such file or directory (os error 2)",
            ))?;
            // SAFETY: a number goes out, a number comes back.
            let length = unsafe { file_length(number) } as u64;
            Ok(Self {
                number,
                length,
                place: 0,
            })
        }

        fn block(&self, at: u64) -> io::Result<Rc<Vec<u8>>> {
            let key = (self.number, at);
            let kept = BLOCKS.with_borrow(|blocks| {
                let found = blocks.iter().find(|(kept, _)| *kept == key);
                found.map(|(_, bytes)| Rc::clone(bytes))
            });
            if let Some(bytes) = kept {
                return Ok(bytes);
            }
            let start = at * BLOCK;
            let mut bytes = vec![0; BLOCK.min(self.length.saturating_sub(start)) as usize];
            // SAFETY: `bytes` has room for as many bytes.
            let count =
                unsafe { file_read(self.number, start as f64, bytes.as_mut_ptr(), bytes.len()) };
            let count = usize::try_from(count).map_err(|_| Error::other("the browser refuses"))?;
            bytes.truncate(count);
            let bytes = Rc::new(bytes);
            BLOCKS.with_borrow_mut(|blocks| {
                blocks.push_front((key, Rc::clone(&bytes)));
                blocks.truncate(KEPT);
            });
            Ok(bytes)
        }
    }

    impl Read for File {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.place >= self.length || buffer.is_empty() {
                return Ok(0);
            }
            let block = self.block(self.place / BLOCK)?;
            let inside = (self.place % BLOCK) as usize;
            let rest = block.get(inside..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.place += count as u64;
            Ok(count)
        }
    }

    impl Seek for File {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let place = match to {
                SeekFrom::Start(place) => Some(place),
                SeekFrom::End(offset) => self.length.checked_add_signed(offset),
                SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
            };
            self.place = place.ok_or(ErrorKind::InvalidInput)?;
            Ok(self.place)
        }
    }

    fn number(path: &Path) -> Option<i32> {
        let name = path.to_string_lossy();
        // SAFETY: the name lives during the call.
        let number = unsafe { file_number(name.as_ptr(), name.len()) };
        (number >= 0).then_some(number)
    }

    /// True for a file that the page has.
    pub(crate) fn is_file(path: &Path) -> bool {
        number(path).is_some()
    }

    /// True for a folder, of which there are none.
    pub(crate) fn is_folder(_: &Path) -> bool {
        false
    }

    /// True for a pipe, of which there are none.
    pub(crate) fn is_special(_: &Path) -> bool {
        false
    }

    /// Its length in bytes.
    pub(crate) fn length(path: &Path) -> Option<u64> {
        Some(File::open(path).ok()?.length)
    }

    /// When it was written.
    pub(crate) fn modified(path: &Path) -> Option<SystemTime> {
        // SAFETY: as above.
        let time = unsafe { file_time(number(path)?) };
        let since = (time > 0.0).then(|| Duration::from_millis(time as u64));
        since.map(|since| SystemTime::UNIX_EPOCH + since)
    }
}
