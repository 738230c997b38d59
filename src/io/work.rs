//! How much work lies where, by indexes alone: calls by TBI and CSI, reads by BAI, CSI and CRAI.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use rust_htslib::bam::Read as _;

use super::alignment::IndexedAlignment;
use super::alignment_index::AlignmentIndex;
use super::binning_index::BinningIndex;
use super::error::IoError;
use super::fasta::Reference;
use super::gzip_file;
use super::indexed_calls::IndexedCalls;
use cnnfilter_core::genome::work::WorkCurve;

/// Most bytes of a block of BGZF.
const BLOCK: u64 = 1 << 16;

/// Calls of each contig of the reference: records where the index counts them, else bytes of the file.
///
/// # Errors
/// Where a file has no index that fits it, or calls on a contig that the reference lacks.
pub fn of_calls(path: &Path, reference: &Reference) -> Result<Vec<WorkCurve>, IoError> {
    let calls = IndexedCalls::open(path)?.map_err(|why| {
        let message =
            format!("{why}; `shards` reads the index of the calls, and there must be one");
        IoError::other(path, message)
    })?;
    let mut curves = nothing(reference);
    let (index, contigs) = calls.of_index();
    let scale = Scale::of(index);
    for (id, name) in contigs {
        let known = reference.contigs();
        let Some(rank) = known.rank(name) else {
            let spelled = known.other_spelling(name);
            let spelled = spelled.map(|other| format!(" (it says `{other}`)"));
            return Err(IoError::other(
                path,
                format!(
                    "it has calls on contig `{name}`, which {} does not have{}; give the reference of the calls, or take these calls out",
                    reference.path().display(),
                    spelled.unwrap_or_default()
                ),
            ));
        };
        let curve = scale.curve(index, id, curves[rank].length());
        curves[rank] = match (index.records(), index.contigs[id].records) {
            // So that a call counts the same in each file.
            (Some(_), Some(records)) => curve.scaled_to(records.saturating_mul(BLOCK)),
            _ => curve,
        };
    }
    Ok(curves)
}

/// Reads of each contig of the reference, in bytes of the file.
///
/// # Errors
/// Where the file or its index cannot be read.
pub fn of_reads(path: &Path, reference: &Arc<Reference>) -> Result<Vec<WorkCurve>, IoError> {
    let file = IndexedAlignment::open(path, reference)?;
    let header = file.reader.header();
    let rank = |id: u32| {
        let name = (id < header.target_count()).then(|| header.tid2name(id))?;
        reference.contigs().rank(&String::from_utf8_lossy(name))
    };
    if file.is_cram {
        return of_cram(&file.index, rank, reference);
    }
    let mut curves = nothing(reference);
    let index = AlignmentIndex::find(path, false)?;
    if let Some(index) = index.bins() {
        let scale = Scale::of(index);
        for id in 0..index.contigs.len() {
            if let Some(rank) = u32::try_from(id).ok().and_then(rank) {
                curves[rank] = scale.curve(index, id, curves[rank].length());
            }
        }
    }
    Ok(curves)
}

/// A line of a CRAM's index is contig, start (1-based), bases, place of the container, place in it and bytes
/// of a slice (CRAM specification 3.1, section 12).
fn of_cram(
    index: &Path,
    rank: impl Fn(u32) -> Option<usize>,
    reference: &Reference,
) -> Result<Vec<WorkCurve>, IoError> {
    let mut slices: Vec<Vec<(u64, u64)>> = vec![Vec::new(); reference.contigs().len()];
    for line in gzip_file::open(index)?.lines() {
        let line = line.map_err(|error| IoError::system(index, "read", error))?;
        let columns: Option<Vec<i64>> = line.split('\t').map(|text| text.parse().ok()).collect();
        // Reads without a place have contig -1.
        if let Some([contig, start, _, _, _, bytes]) = columns.as_deref()
            && let Some(rank) = u32::try_from(*contig).ok().and_then(&rank)
        {
            let start = u64::try_from(*start - 1).unwrap_or(0);
            slices[rank].push((start, u64::try_from(*bytes).unwrap_or(0)));
        }
    }
    let curve = |(mut slices, nothing): (Vec<(u64, u64)>, WorkCurve)| {
        slices.sort_unstable();
        let mut before = 0;
        let mut points = Vec::with_capacity(slices.len() + 1);
        for (start, bytes) in slices {
            points.push((start, before));
            before += bytes;
        }
        points.push((u64::MAX, before));
        WorkCurve::new(points, nothing.length())
    };
    Ok(slices
        .into_iter()
        .zip(nothing(reference))
        .map(curve)
        .collect())
}

/// Contigs without work.
fn nothing(reference: &Reference) -> Vec<WorkCurve> {
    let contigs = reference.contigs().iter();
    contigs
        .map(|contig| WorkCurve::new(Vec::new(), contig.length.unwrap_or(0)))
        .collect()
}

/// Virtual offsets of BGZF as one measure: compressed bytes, in parts of 2^16. An index does not say how long
/// a block is. It is taken to end where the next one begins that the index knows.
struct Scale {
    /// The blocks that the index knows, in order.
    blocks: Vec<u64>,
}

impl Scale {
    fn of(index: &BinningIndex) -> Self {
        let marks = (0..index.contigs.len()).flat_map(|contig| index.marks(contig));
        let mut blocks: Vec<u64> = marks.map(|(_, offset)| offset >> 16).collect();
        blocks.sort_unstable();
        blocks.dedup();
        Self { blocks }
    }

    fn measure(&self, offset: u64) -> u64 {
        let (block, inside) = (offset >> 16, offset & (BLOCK - 1));
        let next = self.blocks.partition_point(|other| *other <= block);
        let next = self.blocks.get(next).copied().unwrap_or(u64::MAX);
        (block << 16) + inside * (next - block).min(BLOCK)
    }

    fn curve(&self, index: &BinningIndex, contig: usize, length: u64) -> WorkCurve {
        let marks = index.marks(contig);
        let first = marks.first().map_or(0, |(_, offset)| self.measure(*offset));
        let points = marks
            .into_iter()
            .map(|(position, offset)| (position, self.measure(offset).saturating_sub(first)));
        WorkCurve::new(points.collect(), length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_inside_a_block_count_as_parts_of_it() {
        let scale = Scale {
            blocks: vec![100, 300, 90_000],
        };
        let at = |block: u64, inside: u64| scale.measure(block << 16 | inside);
        assert_eq!(at(100, 0), 100 << 16);
        assert_eq!(at(100, 32_768), 200 << 16);
        assert_eq!(at(300, 32_768), (300 + 32_768) << 16);
        assert!(at(90_000, 5) > at(90_000, 0));
    }
}
