//! A file as `--sample-map` takes it, and samples and reads for it.
//!
//! What must hold: nothing panics; lines may come in any order without a change of what they mean.
//! The first byte chooses the reads; a 0 byte ends the map, and names of the samples of the calls
//! follow, one a line.

#![no_main]

use std::path::PathBuf;

use cnnfilter::fuzzing::read_sample_map;
use cnnfilter_core::samples::{
    Assignment, NamedReads, ReadGroup, ReadRoute, SampleChoice, SampleMap, assign,
};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder");
}

/// The map of a text.
fn map(text: &[u8]) -> Option<SampleMap> {
    FOLDER.with(|folder| {
        let path = folder.path().join("x.map");
        std::fs::write(&path, text).expect("written");
        read_sample_map(&path).ok()
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let text = parts.next().unwrap_or_default();
    let columns = String::from_utf8_lossy(parts.next().unwrap_or(b"A\nB\nC c"));
    let columns: Vec<&str> = columns.lines().collect();
    let Some(found) = map(text) else {
        return;
    };
    let reads = reads(*kind);
    let choice = match kind % 4 {
        0 => SampleChoice::One(columns.first().map(|name| (*name).to_owned())),
        1 => SampleChoice::One(None),
        _ => SampleChoice::Every,
    };
    let assigned = assign(&columns, &choice, &reads, &found);
    if let Ok(assigned) = &assigned {
        check(assigned, columns.len());
    }
    // The lines once more, last first.
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.reverse();
    let back = lines.join(&b'\n');
    if is_plain(text) && is_plain(&back) {
        let back = map(&back).expect("the same lines are a map in any order");
        let again = assign(&columns, &choice, &reads, &back);
        assert_eq!(
            routes(assigned.ok()),
            routes(again.ok()),
            "the order of lines"
        );
    }
});

/// True for text whose first bytes say nothing of the rest, and whose lines end alike.
fn is_plain(text: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [&[0x1f, 0x8b], b"BCF", b"\xef\xbb\xbf"];
    !MARKS.iter().any(|mark| text.starts_with(mark)) && !text.contains(&b'\r')
}

/// Files with and without read groups, two of one name among them.
fn reads(kind: u8) -> Vec<NamedReads> {
    let file = |path: &str, groups: &[(&str, Option<&str>)]| NamedReads {
        path: PathBuf::from(path),
        real: (kind & 16 == 16).then(|| PathBuf::from(path.trim_start_matches("./"))),
        groups: groups
            .iter()
            .map(|(name, sample)| ReadGroup {
                name: name.as_bytes().to_vec(),
                sample: sample.map(str::to_owned),
            })
            .collect(),
    };
    let mut reads = vec![
        file("a/r.bam", &[("1", Some("A")), ("2", Some("sm"))]),
        file("./b/r.bam", &[("1", Some("B"))]),
        file("x.cram", &[("3", None)]),
    ];
    if kind & 8 == 8 {
        reads.push(file("none.bam", &[]));
    }
    reads
}

/// Every route leads to one of the samples, and every sample is a column.
fn check(assigned: &Assignment, columns: usize) {
    let count = assigned.samples.len();
    let samples = assigned.samples.iter();
    assert!(
        samples
            .map(|sample| sample.column)
            .all(|column| column < columns.max(1))
    );
    for file in &assigned.files {
        match &file.route {
            ReadRoute::All(sample) => assert!(*sample < count),
            ReadRoute::Groups { samples, ungrouped } => {
                assert!(
                    samples
                        .values()
                        .chain(ungrouped)
                        .all(|sample| *sample < count)
                );
            }
        }
    }
}

fn routes(assigned: Option<Assignment>) -> Option<Vec<(PathBuf, ReadRoute)>> {
    let files = assigned?.files.into_iter();
    Some(files.map(|file| (file.path, file.route)).collect())
}
