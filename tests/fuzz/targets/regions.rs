//! Regions as typed and as files: BED, interval_list, lists, VCF.
//!
//! What must hold: nothing panics; what is accepted is a set of sorted intervals apart from each other,
//! on known contigs only. The first byte chooses the kind.

#![no_main]

use std::cell::RefCell;
use std::path::PathBuf;

use cnnfilter::io::regions;
use cnnfilter_core::genome::{Contig, ContigTable, IntervalSet};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().expect("a folder"));
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let contigs = ContigTable::new(["chr1", "chr2", "HLA-A*01:01"].map(|name| Contig {
        name: name.into(),
        length: Some(1000),
    }));
    let name = match kind % 8 {
        0 | 1 => {
            // Never the name of a file: those are the other kinds.
            let text: String = String::from_utf8_lossy(rest).replace(['/', '.'], "_");
            check(
                regions::read(&[text.clone()], &contigs).ok(),
                Some(&contigs),
            );
            check(regions::read(&[text], &ContigTable::default()).ok(), None);
            return;
        }
        2 | 3 => "x.bed",
        4 => "x.interval_list",
        5 => "x.list",
        _ => "x.vcf",
    };
    let path = file(name, rest);
    if kind % 8 <= 3 {
        check(regions::read_file(&path, "x", &contigs).ok(), None);
    }
    let name = path.to_string_lossy().into_owned();
    check(regions::read(&[name], &contigs).ok(), Some(&contigs));
});

fn check(found: Option<IntervalSet>, known: Option<&ContigTable>) {
    let Some(set) = found else {
        return;
    };
    for contig in set.contigs() {
        assert!(
            known.is_none_or(|known| known.get(contig).is_some()),
            "{contig}"
        );
        let intervals = set.on(contig);
        assert!(
            intervals
                .iter()
                .all(|interval| interval.start <= interval.end)
        );
        assert!(
            intervals
                .windows(2)
                .all(|pair| pair[0].end <= pair[1].start)
        );
        for interval in intervals
            .iter()
            .filter(|interval| interval.start < interval.end)
        {
            assert!(set.contains(contig, interval.start) && !set.contains(contig, interval.end));
        }
    }
    let _ = (set.is_empty(), set.covered());
}
