//! The doors to files of reads, as the program has them to htslib.

use std::path::Path;

use super::bgzf_tail::head;
use super::binning_index::BinningIndex;
use crate::bam::IndexedReader;

/// Opens BAM or CRAM with its index.
///
/// # Errors
/// Where the file or the index cannot be read.
pub(super) fn alignment_reader(path: &Path, index: &Path) -> Result<IndexedReader, String> {
    let start = head(path, 4).map_err(|error| error.to_string())?;
    let opened = if start == b"CRAM" {
        IndexedReader::cram(path, index)
    } else {
        let bins = BinningIndex::read(index).map_err(|error| error.to_string())?;
        IndexedReader::bam(path, bins.ok_or("the index is none of a BAM")?)
    };
    opened.map_err(|error| error.to_string())
}

/// Gives a CRAM its reference.
///
/// # Errors
/// None; the program has some.
pub(super) fn set_reference(reader: &IndexedReader, reference: &Path) -> Result<(), String> {
    reader.set_reference(reference);
    Ok(())
}

/// Does nothing: the page's reader keeps what it needs.
pub(super) fn keep_blocks(_reader: &IndexedReader, _bytes: i32) {}
