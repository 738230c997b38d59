//! Which calls stand in the resources.

use std::path::Path;

use anyhow::Result;

use crate::io::vcf_reader::{Order, VcfReader};
use cnnfilter_core::filter::resources::ScoredCalls;
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
    let (mut records, mut on_contigs, mut shared, mut other_reference) = (0u64, 0u64, 0, 0);
    let mut foreign: Option<String> = None;
    let mut example = None;
    while let Some((_, record)) = reader.next_record()? {
        records += 1;
        let contig = String::from_utf8_lossy(record.contig());
        if !calls.has_contig(&contig) {
            foreign.get_or_insert_with(|| contig.into_owned());
            continue;
        }
        on_contigs += 1;
        let start = record.position().checked_sub(1);
        if !start.is_some_and(|start| calls.has_call_at(&contig, start)) {
            continue;
        }
        if let Some(known) = record.variant() {
            let (found, differ) = calls.mark(&known);
            shared += found;
            other_reference += differ;
            if differ > 0 {
                example.get_or_insert_with(|| known.to_string());
            }
        }
    }
    log::info!(
        "{}: {records} records, {shared} calls known",
        path.display()
    );
    if other_reference > 0 {
        log::warn!(
            "{}: {other_reference} calls have another REF of the same length at the same position (first at {}); GATK stops here; they do not count as known",
            path.display(),
            example.unwrap_or_default()
        );
    }
    if let Some(foreign) = foreign.filter(|_| on_contigs == 0 && !calls.is_empty()) {
        let hint = match of_calls.other_spelling(&foreign) {
            Some(spelling) => format!("the calls say `{spelling}`"),
            None => "the calls have others".to_owned(),
        };
        log::warn!(
            "{}: no record lies on a contig with scored calls (the first is on `{foreign}`; {hint})",
            path.display()
        );
    }
    Ok(())
}
