//! Arbitrary bytes as GATK's jar or zip and as a PyTorch module.
//!
//! What must hold: a network comes out or the file is refused, nothing of it is executed, and memory
//! and time stay bounded whatever sizes it declares (`run.sh` sets the limits). The first byte
//! chooses: the file as it is; a pickle; a pickle in a zip with the storages it may name.

#![no_main]

use std::cell::RefCell;
use std::io::{Cursor, Write};

use cnnfilter::io::gatk_archive;
use cnnfilter_core::networks::import::{self, pickle, torch};
use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;

thread_local! {
    static FILE: RefCell<Option<NamedTempFile>> = const { RefCell::new(None) };
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => through_a_file(rest),
        1 => drop(pickle::read(rest)),
        _ => drop(torch::read_module(&in_a_zip(rest))),
    }
});

fn through_a_file(bytes: &[u8]) {
    FILE.with_borrow_mut(|file| {
        let file = file.get_or_insert_with(|| NamedTempFile::new().expect("a file"));
        std::fs::write(file.path(), bytes).expect("written");
        if let Ok(files) = gatk_archive::open(file.path()) {
            for found in files {
                let _ = import::from_bytes(&found.bytes, "x", &found.member);
            }
        }
    });
}

fn in_a_zip(pickle: &[u8]) -> Vec<u8> {
    let numbers: Vec<u8> = (0..64u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [
        ("m/data.pkl", pickle),
        ("m/data/0", &numbers),
        ("m/data/1", &numbers),
    ] {
        zip.start_file(name, options).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}
