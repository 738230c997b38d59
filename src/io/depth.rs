//! A sample's mean depth, from its own reads.

use std::path::Path;

use rust_htslib::bam::{IndexedReader, Read as _, Record};

use super::alignment::{end_of, open_indexed};
use super::error::IoError;

/// Contigs that are looked at, those with the most reads first.
const CONTIGS: usize = 24;
/// Places that are looked at on them together.
const PLACES: u64 = 240;
/// Bases per place.
const PLACE: i64 = 1_000;
/// Steps of the search for the last read of a contig.
const BISECTIONS: u32 = 16;

/// The median depth of usable reads over the places that have any, over files together: places of
/// 1,000 bases, evenly spread between the first and the last read of the contigs with the most
/// reads, each moved on to the next read where it lies in a gap, as the targets of an exome do.
///
/// It depends on the reads files alone, neither on the calls nor on the regions of a run, so that
/// a scattered run has the scores of a whole one. Files of one sample add up; without reads it is 0.
///
/// # Errors
/// Where a file cannot be read.
pub fn sample_depth(paths: &[impl AsRef<Path>], reference: &Path) -> Result<f32, IoError> {
    let mut sum = 0.0;
    for path in paths {
        let path = path.as_ref();
        let mut reader = open_indexed(path, reference)?;
        sum += depth_of_file(&mut reader)
            .map_err(|error| IoError::htslib(path, "sampling the depth", error))?;
    }
    Ok(sum)
}

fn depth_of_file(reader: &mut IndexedReader) -> Result<f32, rust_htslib::errors::Error> {
    let header = reader.header();
    let lengths: Vec<i64> = (0..header.target_count())
        .map(|id| header.target_len(id).unwrap_or(0) as i64)
        .collect();
    // Mapped reads a contig, where the index knows; a CRAM's does not, so there length decides.
    let counts: Vec<u64> = match reader.index_stats() {
        Ok(stats) if stats.iter().any(|(_, _, mapped, _)| *mapped > 0) => {
            let mut counts = vec![0; lengths.len()];
            for (id, _, mapped, _) in stats {
                if let Some(count) = usize::try_from(id).ok().and_then(|id| counts.get_mut(id)) {
                    *count = mapped;
                }
            }
            counts
        }
        _ => lengths.iter().map(|length| *length as u64).collect(),
    };
    let mut contigs: Vec<usize> = (0..lengths.len()).filter(|id| counts[*id] > 0).collect();
    contigs.sort_by_key(|id| (std::cmp::Reverse(counts[*id]), *id));
    contigs.truncate(CONTIGS);
    let total: u64 = contigs.iter().map(|id| counts[*id]).sum();
    let mut record = Record::new();
    let mut depths = Vec::new();
    for id in contigs {
        let places = (PLACES as f64 * counts[id] as f64 / total as f64).ceil() as i64;
        let Some(first) = first_read(reader, id, 0, lengths[id], &mut record)? else {
            continue;
        };
        let last = last_place(reader, id, first, lengths[id], &mut record)?;
        let mut reached = -1;
        for place in 0..places {
            let wanted = first + (last - first) * place / places.max(1);
            if wanted < reached {
                continue;
            }
            let Some(start) = first_read(reader, id, wanted, lengths[id], &mut record)? else {
                break;
            };
            let start = start.max(wanted);
            if start < reached {
                continue;
            }
            let end = (start + PLACE).min(lengths[id].max(start + 1));
            reached = end;
            depths.push(depth_between(reader, id, start, end, &mut record)?);
        }
    }
    depths.sort_unstable_by(f32::total_cmp);
    Ok(depths.get(depths.len() / 2).copied().unwrap_or(0.0))
}

/// Flags of records that do not count ([`crate::genome::ReadFlags::is_usable`]).
const UNUSABLE: u16 = 0xf04;

/// Where the first usable read that reaches past `from` begins.
fn first_read(
    reader: &mut IndexedReader,
    contig: usize,
    from: i64,
    to: i64,
    record: &mut Record,
) -> Result<Option<i64>, rust_htslib::errors::Error> {
    if from >= to {
        return Ok(None);
    }
    reader.fetch((contig as i32, from, to))?;
    while let Some(read) = reader.read(record) {
        read?;
        if record.flags() & UNUSABLE == 0 {
            return Ok(Some(record.pos()));
        }
    }
    Ok(None)
}

/// A place behind which, as far as bisection goes, no read begins.
fn last_place(
    reader: &mut IndexedReader,
    contig: usize,
    first: i64,
    length: i64,
    record: &mut Record,
) -> Result<i64, rust_htslib::errors::Error> {
    let (mut low, mut high) = (first, length);
    for _ in 0..BISECTIONS {
        let middle = low + (high - low) / 2;
        match first_read(reader, contig, middle, length, record)? {
            Some(start) => low = middle.max(start).min(high),
            None => high = middle,
        }
    }
    Ok(low.max(first + 1))
}

fn depth_between(
    reader: &mut IndexedReader,
    contig: usize,
    start: i64,
    end: i64,
    record: &mut Record,
) -> Result<f32, rust_htslib::errors::Error> {
    reader.fetch((contig as i32, start, end))?;
    let mut bases = 0i64;
    while let Some(read) = reader.read(record) {
        read?;
        if record.flags() & UNUSABLE == 0 {
            let (from, to) = (record.pos().max(start), end_of(record).min(end));
            bases += (to - from).max(0);
        }
    }
    Ok(bases as f32 / (end - start) as f32)
}
