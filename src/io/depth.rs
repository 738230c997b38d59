//! A sample's mean depth, from its own reads.

use std::path::Path;

use rayon::prelude::*;
use rust_htslib::bam::{IndexedReader, Read as _, Record};
use rust_htslib::errors::Error as HtslibError;

use super::alignment::{end_of, open_indexed, read_group};
use super::error::IoError;
use cnnfilter_core::genome::{ReadFilter, ReadFlags};
use cnnfilter_core::samples::{ReadRoute, RoutedFile};

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
/// Usable are the reads that pass `filter` and go to `sample`.
///
/// # Errors
/// Where a file cannot be read.
pub fn sample_depth(
    files: &[RoutedFile],
    sample: usize,
    filter: ReadFilter,
    reference: &Path,
) -> Result<f32, IoError> {
    let mut sum = 0.0;
    for RoutedFile { path, route } in files {
        if !route.reaches(sample) {
            continue;
        }
        let open = || {
            Ok(DepthFile {
                reader: open_indexed(path, reference)?,
                record: Record::new(),
                route,
                sample,
                filter,
            })
        };
        let fail = |error| {
            let action =
                "sampling the depth (the file is damaged, or not made with this reference)";
            IoError::htslib(path, action, error)
        };
        let wanted = open()?.wanted().map_err(fail)?;
        // One share a thread: each opens the file by itself.
        let share = wanted.len().div_ceil(rayon::current_num_threads()).max(1);
        let shares: Vec<Vec<Place>> = wanted
            .par_chunks(share)
            .map(|wanted| {
                let mut file = open()?;
                let places = wanted.iter().map(|wanted| file.place(wanted));
                let places: Result<Vec<_>, _> = places.collect();
                Ok(places.map_err(fail)?.into_iter().flatten().collect())
            })
            .collect::<Result<_, IoError>>()?;
        sum += median(shares.into_iter().flatten().collect());
    }
    Ok(sum)
}

/// A file whose depth is being sampled.
struct DepthFile<'a> {
    reader: IndexedReader,
    record: Record,
    route: &'a ReadRoute,
    sample: usize,
    filter: ReadFilter,
}

/// Where a place is asked for.
struct Wanted {
    contig: usize,
    length: i64,
    from: i64,
}

/// A place that was looked at.
struct Place {
    contig: usize,
    start: i64,
    end: i64,
    depth: f32,
}

/// The median depth of places in the order of the genome; of those that lie over one another the
/// first counts.
fn median(places: Vec<Place>) -> f32 {
    let mut depths = Vec::new();
    let mut reached = (usize::MAX, 0);
    for place in places {
        if reached.0 != place.contig || place.start >= reached.1 {
            reached = (place.contig, place.end);
            depths.push(place.depth);
        }
    }
    depths.sort_unstable_by(f32::total_cmp);
    depths.get(depths.len() / 2).copied().unwrap_or(0.0)
}

impl DepthFile<'_> {
    /// Where to look.
    fn wanted(&mut self) -> Result<Vec<Wanted>, HtslibError> {
        let header = self.reader.header();
        let lengths: Vec<i64> = (0..header.target_count())
            .map(|id| header.target_len(id).unwrap_or(0) as i64)
            .collect();
        // Mapped reads a contig, where the index knows; a CRAM's does not, so there length decides.
        let counts: Vec<u64> = match self.reader.index_stats() {
            Ok(stats) if stats.iter().any(|(_, _, mapped, _)| *mapped > 0) => {
                let mut counts = vec![0; lengths.len()];
                for (id, _, mapped, _) in stats {
                    if let Some(count) = usize::try_from(id).ok().and_then(|id| counts.get_mut(id))
                    {
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
        let mut wanted = Vec::new();
        for id in contigs {
            let places = (PLACES as f64 * counts[id] as f64 / total as f64).ceil() as i64;
            let Some(first) = self.first_read(id, 0, lengths[id])? else {
                continue;
            };
            let last = self.last_place(id, first, lengths[id])?;
            wanted.extend((0..places).map(|place| Wanted {
                contig: id,
                length: lengths[id],
                from: first + (last - first) * place / places.max(1),
            }));
        }
        Ok(wanted)
    }

    /// The place at `wanted`, or behind it where there is no read.
    fn place(&mut self, wanted: &Wanted) -> Result<Option<Place>, HtslibError> {
        let Some(start) = self.first_read(wanted.contig, wanted.from, wanted.length)? else {
            return Ok(None);
        };
        let start = start.max(wanted.from);
        let end = (start + PLACE).min(wanted.length.max(start + 1));
        Ok(Some(Place {
            contig: wanted.contig,
            start,
            end,
            depth: self.depth_between(wanted.contig, start, end)?,
        }))
    }

    /// The next record that counts, if there is one; it is left in `record`.
    fn next(&mut self) -> Result<bool, HtslibError> {
        while let Some(read) = self.reader.read(&mut self.record) {
            read?;
            let record = &self.record;
            if self.filter.passes(ReadFlags(record.flags()), record.mapq())
                && self.route.sample_of(read_group(record)) == Some(self.sample)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where the first usable read that reaches past `from` begins.
    fn first_read(
        &mut self,
        contig: usize,
        from: i64,
        to: i64,
    ) -> Result<Option<i64>, HtslibError> {
        if from >= to {
            return Ok(None);
        }
        self.reader.fetch((contig as i32, from, to))?;
        Ok(self.next()?.then(|| self.record.pos()))
    }

    /// A place behind which, as far as bisection goes, no read begins.
    fn last_place(&mut self, contig: usize, first: i64, length: i64) -> Result<i64, HtslibError> {
        let (mut low, mut high) = (first, length);
        for _ in 0..BISECTIONS {
            let middle = low + (high - low) / 2;
            match self.first_read(contig, middle, length)? {
                Some(start) => low = middle.max(start).min(high),
                None => high = middle,
            }
        }
        Ok(low.max(first + 1))
    }

    fn depth_between(&mut self, contig: usize, start: i64, end: i64) -> Result<f32, HtslibError> {
        self.reader.fetch((contig as i32, start, end))?;
        let mut bases = 0i64;
        while self.next()? {
            let (from, to) = (self.record.pos().max(start), end_of(&self.record).min(end));
            bases += (to - from).max(0);
        }
        Ok(bases as f32 / (end - start) as f32)
    }
}
