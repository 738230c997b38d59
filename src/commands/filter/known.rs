//! Marks the calls that stand in a resource.

use std::path::Path;

use anyhow::Result;

use crate::io::vcf_reader::{Order, VcfReader};
use cnnfilter_core::filter::{KnownSites, ScoredCalls};
use cnnfilter_core::genome::{ContigTable, contigs};

/// Reads one resource to its end and marks the calls that it knows. No index is needed, nor an order.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn mark(path: &Path, calls: &mut ScoredCalls, of_calls: &ContigTable) -> Result<()> {
    let mut reader = VcfReader::open(path)?.with_order(Order::Any);
    if let Err(mismatch) = contigs::compare(of_calls, &reader.header().contigs()) {
        log::warn!(
            "{}: it is not about the same reference as the calls: {mismatch}",
            path.display()
        );
    }
    let mut known = KnownSites::default();
    while let Some((_, record)) = reader.next_record()? {
        known.add(&record, calls);
    }
    log::info!(
        "{}: {} records, {} calls known",
        path.display(),
        known.records,
        known.shared
    );
    for warning in known.warnings(calls, of_calls) {
        log::warn!("{}: {warning}", path.display());
    }
    Ok(())
}
