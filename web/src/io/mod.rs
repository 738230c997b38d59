//! The readers of the program, compiled over the files that a browser hands out ([`file`]) and over reads in Rust alone
//! ([`crate::bam`]). What needs a system or htslib has a stand-in here: [`file`], `hts`, `bcf_text`.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the modules are the program's; the page uses a part of each"
)]

#[path = "../../../src/io/alignment.rs"]
pub mod alignment;
#[path = "../../../src/io/alignment_index.rs"]
mod alignment_index;
#[path = "../../../src/io/bcf_header.rs"]
mod bcf_header;
mod bcf_text;
#[path = "../../../src/io/bgzf_tail.rs"]
pub mod bgzf_tail;
#[path = "../../../src/io/binning_index.rs"]
pub(crate) mod binning_index;
#[path = "../../../src/io/depth.rs"]
pub mod depth;
#[path = "../../../src/io/equal_bases.rs"]
mod equal_bases;
#[path = "../../../src/io/error.rs"]
pub mod error;
#[path = "../../../src/io/fasta.rs"]
pub mod fasta;
pub(crate) mod file;
#[path = "../../../src/io/gunzip.rs"]
pub(crate) mod gunzip;
#[path = "../../../src/io/header_ids.rs"]
mod header_ids;
mod hts;
#[path = "../../../src/io/indexed_calls.rs"]
mod indexed_calls;
#[path = "../../../src/io/named_reads.rs"]
pub mod named_reads;
#[path = "../../../src/io/regions.rs"]
pub mod regions;
#[path = "../../../src/io/sam_header.rs"]
pub mod sam_header;
#[path = "../../../src/io/text_source.rs"]
pub mod text_source;
#[path = "../../../src/io/vcf_reader.rs"]
pub mod vcf_reader;

use std::path::{Path, PathBuf};

pub use error::IoError;

/// The program has it beside files that it writes.
mod gzip_file {
    pub(super) use super::gunzip::open;
}

/// The path with `suffix` behind its whole name, as indexes are named.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
