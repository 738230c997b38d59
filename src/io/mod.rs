//! Everything that touches a file. The only user of htslib, and the one place that writes.
//!
//! Calls travel as VCF text ([`cnnfilter_core::vcf`]) whatever the file: text is passed on byte for byte,
//! BCF is translated by htslib at the doors ([`text_source`], [`vcf_writer`]).

pub mod alignment;
mod alignment_index;
pub mod atomic;
mod bcf_header;
mod bcf_text;
pub mod bgzf_tail;
mod binning_index;
pub mod checksum;
pub mod contig_depth;
pub mod depth;
pub mod embedding_file;
mod equal_bases;
pub mod error;
pub mod example_file;
pub mod fasta;
mod file;
pub mod gatk_archive;
mod gunzip;
pub mod gzip_file;
pub mod h5ad;
mod header_ids;
mod hts;
mod indexed_calls;
pub mod model_dir;
pub mod named_reads;
pub mod page_server;
pub mod regions;
pub mod run_dir;
pub mod sam_header;
pub mod spool;
pub mod standard_output;
pub mod text_source;
pub mod vcf_reader;
pub mod vcf_writer;
pub mod work;

use std::path::{Path, PathBuf};

pub use error::IoError;
pub(crate) use hts::version as htslib_version;

/// The path with `suffix` behind its whole name, as indexes are named.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
