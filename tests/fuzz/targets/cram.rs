//! Arbitrary bytes as a CRAM file and its index, read as every command reads them.
//!
//! What must hold: reads come out, in the order of their starts and on the contig, or the file is
//! refused; htslib stays within its memory, and time stays bounded. The first byte chooses: what is
//! done with the file, and where its index is from (it is made for the file, or lies before it as
//! text that a 0 byte ends). Most changes are of one block's data, sizes around it are made to fit,
//! and checksums always are.

#![no_main]

mod cram_frame;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use cnnfilter::io::fasta::Reference;
use cnnfilter::io::{alignment, depth};
use cnnfilter_core::genome::{AlignedRead, FlagSet, ReadFilter, ReadSink, Span};
use cnnfilter_core::samples::{ReadRoute, RoutedFile};
use flate2::read::MultiGzDecoder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use tempfile::TempDir;

/// The contigs of `reference.fa`.
const CONTIGS: [(&str, i64); 2] = [("c", 600), ("d", 240)];
/// Bytes that a block may grow by in one change.
const GROWTH: usize = 64;
/// Bytes of a file whose depth is sampled: that unpacks each slice some hundred times.
const SMALL: usize = 3_000;

thread_local! {
    static FOLDER: RefCell<Option<(TempDir, Arc<Reference>)>> = const { RefCell::new(None) };
}

/// Counts the reads of a contig and looks at each.
struct Reads {
    end: i64,
    last: i64,
    count: u64,
}

impl ReadSink for Reads {
    fn span(&self) -> Option<Span> {
        let (start, end) = (0, self.end);
        Some(Span { start, end })
    }

    fn offer(&mut self, start: i64, end: i64, make: impl FnOnce() -> AlignedRead) {
        assert!(start < self.end && end > 0, "a read beside the contig");
        assert!(self.last <= start, "a read behind a later one");
        let read = make();
        assert_eq!((read.start, read.end()), (start, end));
        assert_eq!(read.bases.len(), read.qualities.len());
        self.last = start;
        self.count += 1;
    }

    fn calls_over(&self, _: i64, _: i64) -> u64 {
        1
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, mut rest)) = data.split_first() else {
        return;
    };
    let given = (mode & 1 == 1).then(|| {
        let length = rest.iter().position(|byte| *byte == 0);
        let (index, file) = rest.split_at(length.unwrap_or(rest.len()));
        rest = file.get(1..).unwrap_or_default();
        index.to_vec()
    });
    let mut cram = rest.to_vec();
    cram_frame::mend(&mut cram);
    let index = given.unwrap_or_else(|| cram_frame::index(&cram).into_bytes());
    if index.len() < 2 {
        // htslib refuses it, but leaves the file open: no harm to a program that ends.
        return;
    }
    FOLDER.with_borrow_mut(|folder| {
        let (folder, reference) = folder.get_or_insert_with(prepare);
        let path = folder.path().join("x.cram");
        std::fs::write(&path, &cram).expect("written");
        std::fs::write(folder.path().join("x.cram.crai"), index).expect("written");
        read(path, mode >> 1, cram.len() <= SMALL, reference);
    });
});

/// A folder in memory, with the reference.
fn prepare() -> (TempDir, Arc<Reference>) {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("a folder");
    let path = folder.path().join("reference.fa");
    std::fs::write(&path, include_bytes!("../reference.fa")).expect("written");
    let index = folder.path().join("reference.fa.fai");
    std::fs::write(index, include_bytes!("../reference.fa.fai")).expect("written");
    // No second thread: what takes long or fails shows on the stack.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.use_current_thread().build_global().expect("a pool");
    let reference = Reference::open(&path).expect("a reference");
    (folder, reference)
}

fn read(path: PathBuf, mode: u8, is_small: bool, reference: &Arc<Reference>) {
    let Ok(header) = alignment::header(&path, reference) else {
        return;
    };
    let filter = ReadFilter {
        min_mapping_quality: 0,
        required: FlagSet(0),
        excluded: FlagSet(0),
    };
    let groups: Vec<Vec<u8>> = header.groups.into_iter().map(|group| group.name).collect();
    let route = if mode & 1 == 0 {
        ReadRoute::All(0)
    } else {
        ReadRoute::Groups {
            samples: BTreeMap::from_iter(groups.iter().map(|name| (name.clone(), 0))),
            ungrouped: Some(0),
        }
    };
    let files = [RoutedFile {
        path,
        route,
        groups,
    }];
    if mode & 2 == 2 && is_small {
        let _ = alignment::check_groups(&files[0], reference);
        let _ = depth::sample_depth(&files, 0, filter, reference);
        return;
    }
    let Ok(mut source) = alignment::AlignmentSource::open(&files, filter, reference) else {
        return;
    };
    for (contig, end) in CONTIGS {
        let mut reads = [Reads {
            end,
            last: -1,
            count: 0,
        }];
        let _ = source.sweep(contig, &mut reads);
    }
    let _ = source.counts();
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // One change of eight is of anything.
    if seed % 8 != 0
        && let Some(changed) = with_a_block_changed(&data[..size], max_size, seed / 8)
        && changed.len() <= max_size
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});

/// The input with one of its blocks changed: its data, unpacked before where it is gzip (which would
/// refuse nearly all), or one of its own words.
fn with_a_block_changed(input: &[u8], max_size: usize, seed: u32) -> Option<Vec<u8>> {
    let mode = input.first()?;
    let begin = if mode & 1 == 1 {
        2 + input[1..].iter().position(|byte| *byte == 0)?
    } else {
        1
    };
    let (before, cram) = input.split_at(begin);
    let all = cram_frame::containers(cram);
    let filled: Vec<_> = all.iter().filter(|c| !c.blocks.is_empty()).collect();
    let [seed, kind] = [seed >> 8, seed & 0xff].map(|part| part as usize);
    let container = *filled.get(seed % filled.len().max(1))?;
    let at = seed / filled.len() % container.blocks.len();
    let mut content = cram_frame::content(cram, &container.blocks[at])?;
    if content.method == 1 && kind % 4 != 0 {
        let mut raw = Vec::new();
        let gzip = MultiGzDecoder::new(&content.data[..]);
        if gzip.take(1 << 16).read_to_end(&mut raw).is_ok() {
            (content.method, content.data) = (0, raw);
        }
    }
    match kind {
        0..4 => content.method = (seed % 11) as u8,
        4..8 => content.kind = (seed % 7) as u8,
        8..12 => content.id = (seed % 64) as u32,
        12..16 => content.size = (seed % 100_000) as u32,
        _ => {
            let length = content.data.len();
            let room = GROWTH.min(max_size.saturating_sub(input.len())).max(1);
            content.data.resize(length + room, 0);
            let changed = fuzzer_mutate(&mut content.data, length, length + room);
            content.data.truncate(changed);
        }
    }
    if content.method == 0 {
        content.size = content.data.len() as u32;
    }
    let changed = cram_frame::with_content(cram, container, at, &content);
    Some([before, &changed[..]].concat())
}
