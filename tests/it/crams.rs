//! CRAM of every version, and CRAM that is damaged where its checksums do not show it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cnnfilter::io::IoError;
use cnnfilter::io::alignment::{self, AlignmentSource};
use cnnfilter::io::fasta::Reference;
use cnnfilter_core::genome::{AlignedRead, FlagSet, ReadFilter, ReadSink, Span};
use cnnfilter_core::samples::{ReadRoute, RoutedFile};
use flate2::Crc;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::support::*;

/// Damages that are tried, of each file.
const DAMAGES: usize = 250;

/// The reads of `demo2` (tests/data/cram/make.sh).
const CRAMS: [&str; 8] = [
    "v2.1.cram",
    "v3.0.cram",
    "v3.0_bzip2.cram",
    "v3.0_embedded.cram",
    "v3.0_no_reference.cram",
    "v3.1.cram",
    "v3.1_archive.cram",
    "v3.1_small.cram",
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/cram")
        .join(name)
}

/// Takes every read of a contig.
#[derive(Default)]
struct All(Vec<AlignedRead>);

impl ReadSink for All {
    fn span(&self) -> Option<Span> {
        let (start, end) = (0, 10_000);
        Some(Span { start, end })
    }

    fn offer(&mut self, _: i64, _: i64, make: impl FnOnce() -> AlignedRead) {
        self.0.push(make());
    }

    fn calls_over(&self, _: i64, _: i64) -> u64 {
        1
    }
}

/// The reads on `demo2`.
fn reads(path: &Path) -> Result<Vec<AlignedRead>, IoError> {
    let reference = Reference::open(&demo("ref.fa"))?;
    alignment::header(path, &reference)?;
    let filter = ReadFilter {
        min_mapping_quality: 0,
        required: FlagSet(0),
        excluded: FlagSet(0),
    };
    let file = RoutedFile {
        path: path.to_owned(),
        route: ReadRoute::All(0),
        groups: Vec::new(),
    };
    let mut sinks = [All::default()];
    AlignmentSource::open(&[file], filter, &reference)?.sweep("demo2", &mut sinks)?;
    let [All(reads)] = sinks;
    Ok(reads)
}

#[test]
fn crams_of_all_versions_have_the_reads_of_the_bam() {
    let expected = reads(&demo("reads.bam")).unwrap();
    assert!(expected.len() > 2_000, "{}", expected.len());
    for name in CRAMS {
        let found = reads(&data(name)).unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (one, other) in found.iter().zip(&expected) {
            assert_eq!(one, other, "{name}");
        }
    }
}

#[test]
fn crams_of_all_versions_score_as_the_bam() {
    let lab = Lab::new();
    let model = lab.model_2d();
    let run = |reads: PathBuf| {
        let more = ["-I", text(&reads), "-L", "demo2"];
        records(&succeed(score(&lab.some_calls(), &model, &more)))
    };
    let expected = run(demo("reads.bam"));
    assert!(!expected.is_empty());
    for name in CRAMS {
        assert!(run(data(name)) == expected, "{name}");
    }
}

#[test]
fn a_cram_of_a_version_to_come_is_refused() {
    let lab = Lab::new();
    let mut bytes = std::fs::read(data("v3.1.cram")).unwrap();
    bytes[4] = 9;
    let path = lab.file("new.cram", bytes);
    std::fs::copy(data("v3.1.cram.crai"), lab.path("new.cram.crai")).unwrap();
    let message = reads(&path).unwrap_err().to_string();
    assert!(
        message.contains("new.cram: expected CRAM 2.1, 3.0 or 3.1, found CRAM 9.1"),
        "{message}"
    );
}

/// The number at a place (CRAM specification 3.1, section 2.3), and where the next begins.
fn itf8(bytes: &[u8], at: usize) -> (usize, usize) {
    let more = bytes[at].leading_ones().min(4) as usize;
    let first = u64::from(bytes[at]) & (0x7f >> more);
    let all = bytes[at + 1..=at + more].iter();
    let number = all.fold(first, |number, byte| number << 8 | u64::from(*byte));
    let number = if more == 4 {
        (number >> 8) << 4 | number & 0xf
    } else {
        number
    };
    (number as u32 as usize, at + 1 + more)
}

/// The blocks of a file: where each begins, where its data begins, and where that ends.
fn blocks(bytes: &[u8]) -> Vec<[usize; 3]> {
    let checksum = if bytes[4] >= 3 { 4 } else { 0 };
    let mut found = Vec::new();
    // Behind magic number, version and the file's name.
    let mut at = 26;
    while at < bytes.len() {
        at += 4;
        for _ in 0..4 {
            at = itf8(bytes, at).1;
        }
        // Counts of records and bases, the first of them of the other width before version 3.
        at += 1 + if checksum > 0 {
            bytes[at].leading_ones() as usize
        } else {
            bytes[at].leading_ones().min(4) as usize
        };
        at += 1 + bytes[at].leading_ones() as usize;
        let (count, next) = itf8(bytes, at);
        let (landmarks, next) = itf8(bytes, next);
        at = (0..landmarks).fold(next, |at, _| itf8(bytes, at).1) + checksum;
        for _ in 0..count {
            let start = at;
            let (size, next) = itf8(bytes, itf8(bytes, at + 2).1);
            let data = itf8(bytes, next).1;
            found.push([start, data, data + size]);
            at = data + size + checksum;
        }
    }
    found
}

/// Changes a few bytes of one block, and its checksum with them.
fn damage(bytes: &mut [u8], block: [usize; 3], random: &mut ChaCha8Rng) {
    let [start, data, end] = block;
    // One time of eight the numbers before the data, sizes among them.
    let begin = if random.random_range(0..8) == 0 {
        start
    } else {
        data
    };
    for _ in 0..random.random_range(1..=3) {
        let at = random.random_range(begin..end.max(begin + 1));
        bytes[at] = match random.random_range(0..3) {
            0 => 0xff,
            1 => bytes[at] ^ 1 << random.random_range(0..8),
            _ => random.random(),
        };
    }
    if bytes[4] >= 3 {
        let mut crc = Crc::new();
        crc.update(&bytes[start..end]);
        bytes[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
    }
}

#[test]
fn damaged_crams_end_in_reads_or_in_a_message() {
    let lab = Lab::new();
    let mut random = ChaCha8Rng::seed_from_u64(31962);
    let mut refused = 0;
    for name in CRAMS {
        let whole = std::fs::read(data(name)).unwrap();
        let blocks = blocks(&whole);
        let path = lab.path("damaged.cram");
        let index = data(&format!("{name}.crai"));
        std::fs::copy(index, lab.path("damaged.cram.crai")).unwrap();
        for _ in 0..DAMAGES {
            let mut bytes = whole.clone();
            let block = blocks[random.random_range(0..blocks.len())];
            damage(&mut bytes, block, &mut random);
            std::fs::write(&path, bytes).unwrap();
            let begun = Instant::now();
            if let Err(error) = reads(&path) {
                refused += 1;
                let message = error.to_string();
                assert!(message.contains("damaged.cram: "), "{message}");
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{name}");
        }
    }
    assert!(refused > CRAMS.len() * DAMAGES / 2, "{refused}");
}
