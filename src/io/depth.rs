//! A sample's mean depth, from its own reads.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use rust_htslib::bam::{Read as _, Record};

use super::alignment::{IndexedAlignment, end_of, group_of};
use super::alignment_index::records_of_contigs;
use super::error::IoError;
use super::fasta::Reference;
use super::hts;
use cnnfilter_core::doctor::ReadSurvey;
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
/// Places that are nearer to the last read than this are read on to, farther ones sought: an index of BAM leads to the start of as many bases,
/// and a slice of CRAM is inflated as a whole.
const NEAR: i64 = 1 << 14;
/// Bytes of inflated blocks that an open BAM keeps, for the search for the last read of a contig.
const KEPT: i32 = 8 << 20;

/// The reads of one sample at the places that are looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleSurvey {
    /// As [`sample_depth`] has it.
    pub depth: f32,
    /// Its reads there, those that do not pass the filter included.
    pub reads: ReadSurvey,
}

/// The median depth of usable reads over the places that have any, over files together: places of
/// 1,000 bases, evenly spread between the first and the last read of the contigs of the reference with
/// the most reads, each moved on to the next read where it lies in a gap, as the targets of an exome do.
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
    reference: &Arc<Reference>,
) -> Result<f32, IoError> {
    Ok(survey(files, sample, filter, reference)?.depth)
}

/// [`sample_depth`], and all reads of the sample at the same places.
///
/// # Errors
/// As [`sample_depth`].
pub fn survey(
    files: &[RoutedFile],
    sample: usize,
    filter: ReadFilter,
    reference: &Arc<Reference>,
) -> Result<SampleSurvey, IoError> {
    let mut sum = SampleSurvey::default();
    for RoutedFile { path, route, .. } in files {
        if !route.reaches(sample) {
            continue;
        }
        let open = || DepthFile::open((path, route), sample, filter, reference);
        let wanted = open()?.wanted()?;
        // One share a thread: each opens the file by itself.
        let share = wanted.len().div_ceil(rayon::current_num_threads()).max(1);
        let shares: Vec<Vec<Place>> = wanted
            .par_chunks(share)
            .map(|wanted| {
                let mut file = open()?;
                let places = wanted.iter().map(|wanted| file.place(wanted));
                let places: Result<Vec<_>, _> = places.collect();
                Ok(places?.into_iter().flatten().collect())
            })
            .collect::<Result<_, IoError>>()?;
        let places = apart(shares.into_iter().flatten());
        places.iter().for_each(|place| sum.reads.add(&place.reads));
        sum.depth += median(&places);
    }
    Ok(sum)
}

/// A file whose depth is being sampled.
pub(super) struct DepthFile<'a> {
    file: IndexedAlignment,
    record: Record,
    route: &'a ReadRoute,
    sample: usize,
    filter: ReadFilter,
    sweep: Option<Sweep>,
}

/// Places of a contig one behind the other, without seeking where they are near.
struct Sweep {
    contig: usize,
    /// Where the last place was asked for.
    from: i64,
    /// Where the last read begins that was read, of any sample.
    reached: i64,
    /// True behind the last read of the contig.
    is_over: bool,
    /// Reads of the sample that were read and end behind `from`, in the order of the file.
    reads: VecDeque<SeenRead>,
}

/// What is asked of a read.
struct SeenRead {
    start: i64,
    end: i64,
    flags: ReadFlags,
    length: usize,
    passes: bool,
}

/// Where a place is asked for.
pub(super) struct Wanted {
    contig: usize,
    length: i64,
    from: i64,
}

/// A place that was looked at.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    contig: usize,
    pub(super) start: i64,
    end: i64,
    pub(super) depth: f32,
    reads: ReadSurvey,
}

/// Places in the order of the genome; of those that lie over one another the first.
fn apart(places: impl Iterator<Item = Place>) -> Vec<Place> {
    let mut reached = (usize::MAX, 0);
    let is_apart = |place: &Place| {
        let is_apart = reached.0 != place.contig || place.start >= reached.1;
        if is_apart {
            reached = (place.contig, place.end);
        }
        is_apart
    };
    places.filter(is_apart).collect()
}

/// The median depth of places.
fn median(places: &[Place]) -> f32 {
    let mut depths: Vec<f32> = places.iter().map(|place| place.depth).collect();
    depths.sort_unstable_by(f32::total_cmp);
    depths.get(depths.len() / 2).copied().unwrap_or(0.0)
}

impl<'a> DepthFile<'a> {
    /// Opens a file for the reads of one sample.
    ///
    /// # Errors
    /// As [`IndexedAlignment::open`].
    pub(super) fn open(
        (path, route): (&Path, &'a ReadRoute),
        sample: usize,
        filter: ReadFilter,
        reference: &Arc<Reference>,
    ) -> Result<Self, IoError> {
        let file = IndexedAlignment::open(path, reference)?;
        hts::keep_blocks(&file.reader, KEPT);
        Ok(Self {
            file,
            record: Record::new(),
            route,
            sample,
            filter,
            sweep: None,
        })
    }

    /// Where to look.
    fn wanted(&mut self) -> Result<Vec<Wanted>, IoError> {
        let counts = self.counts()?;
        let known = self.file.contigs_of_reference();
        let lengths: BTreeMap<usize, i64> = known
            .into_iter()
            .map(|(id, length)| (id as usize, length))
            .filter(|(id, _)| counts[*id] > 0)
            .collect();
        let mut contigs: Vec<usize> = lengths.keys().copied().collect();
        contigs.sort_by_key(|id| (std::cmp::Reverse(counts[*id]), *id));
        contigs.truncate(CONTIGS);
        let total: u64 = contigs.iter().map(|id| counts[*id]).sum();
        let mut wanted = Vec::new();
        for id in contigs {
            let places = (PLACES as f64 * counts[id] as f64 / total as f64).ceil() as i64;
            wanted.extend(self.wanted_on(id, lengths[&id], places)?);
        }
        Ok(wanted)
    }

    /// Places that are evenly spread between the first and the last read of a contig; none without reads.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn wanted_on(
        &mut self,
        contig: usize,
        length: i64,
        places: i64,
    ) -> Result<Vec<Wanted>, IoError> {
        let Some(first) = self.first_read(contig, 0, length)? else {
            return Ok(Vec::new());
        };
        let last = self.last_place(contig, first, length)?;
        let wanted = (0..places).map(|place| Wanted {
            contig,
            length,
            from: first + (last - first) * place / places.max(1),
        });
        Ok(wanted.collect())
    }

    /// Number and length of a contig of this name, where file and reference have it.
    pub(super) fn contig(&self, name: &str) -> Option<(usize, i64)> {
        let id = self.file.reader.header().tid(name.as_bytes())?;
        let known = self.file.contigs_of_reference();
        let found = known.into_iter().find(|(known, _)| *known == id);
        found.map(|(id, length)| (id as usize, length))
    }

    /// A measure of the number of reads on each contig: mapped reads, where a BAM's index counts
    /// them, a CRAM's records, lengths where neither is known.
    fn counts(&mut self) -> Result<Vec<u64>, IoError> {
        let header = self.file.reader.header();
        let lengths: Vec<u64> = (0..header.target_count())
            .map(|id| header.target_len(id).unwrap_or(0))
            .collect();
        // The wrapper would read all of a CRAM to count, and leave the reader without most fields.
        let counts = if self.file.is_cram {
            records_of_contigs(&self.file.path, &self.file.index, lengths.len())?
        } else {
            let mut counts = vec![0; lengths.len()];
            for (id, _, mapped, _) in self.file.reader.index_stats().unwrap_or_default() {
                if let Some(count) = usize::try_from(id).ok().and_then(|id| counts.get_mut(id)) {
                    *count = mapped;
                }
            }
            counts
        };
        let is_known = counts.iter().any(|count| *count > 0);
        Ok(if is_known { counts } else { lengths })
    }

    /// The place at `wanted`, or behind it where there is no read. Fastest in the order of the genome.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn place(&mut self, wanted: &Wanted) -> Result<Option<Place>, IoError> {
        if wanted.from >= wanted.length {
            return Ok(None);
        }
        let mut sweep = match self.sweep.take() {
            Some(sweep) if sweep.is_near(wanted) => sweep,
            _ => {
                self.file
                    .fetch(wanted.contig as u32, wanted.from, wanted.length)?;
                Sweep::at(wanted)
            }
        };
        sweep.from = wanted.from;
        sweep.reads.retain(|read| read.end > wanted.from);
        let begins = |read: &SeenRead| read.passes && read.end > wanted.from;
        let mut first = sweep.reads.iter().find(|read| begins(read));
        let start = loop {
            if let Some(first) = first {
                break first.start.max(wanted.from);
            }
            if !self.read_on(&mut sweep)? {
                return Ok(None);
            }
            // The place begins no earlier than the read that was just read.
            sweep.forget_before(sweep.reached);
            first = sweep.reads.back().filter(|read| begins(read));
        };
        let end = (start + PLACE).min(wanted.length.max(start + 1));
        while sweep.reached < end && self.read_on(&mut sweep)? {}

        let mut reads = ReadSurvey::default();
        let mut bases = 0;
        for read in &sweep.reads {
            if read.start < end && read.end > start {
                reads.count(read.flags, read.length);
                if read.passes {
                    bases += read.end.min(end) - read.start.max(start);
                }
            }
        }
        self.sweep = Some(sweep);
        Ok(Some(Place {
            contig: wanted.contig,
            start,
            end,
            depth: bases as f32 / (end - start) as f32,
            reads,
        }))
    }

    /// Reads the next record of a sweep; false behind the last one.
    fn read_on(&mut self, sweep: &mut Sweep) -> Result<bool, IoError> {
        if sweep.is_over || !self.file.read(&mut self.record)? {
            sweep.is_over = true;
            return Ok(false);
        }
        sweep.reached = self.record.pos();
        if self.is_of_sample() {
            sweep.reads.push_back(SeenRead {
                start: self.record.pos(),
                end: end_of(&self.record),
                flags: ReadFlags(self.record.flags()),
                length: self.record.seq_len(),
                passes: self.passes(),
            });
        }
        Ok(true)
    }

    /// The next record that counts, if there is one; it is left in `record`.
    fn next(&mut self) -> Result<bool, IoError> {
        while self.file.read(&mut self.record)? {
            if self.passes() && self.is_of_sample() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn passes(&self) -> bool {
        let flags = ReadFlags(self.record.flags());
        self.filter.passes(flags, self.record.mapq())
    }

    fn is_of_sample(&self) -> bool {
        self.route.sample_of(group_of(&self.record)) == Some(self.sample)
    }

    /// Where the first usable read that reaches past `from` begins.
    fn first_read(&mut self, contig: usize, from: i64, to: i64) -> Result<Option<i64>, IoError> {
        if from >= to {
            return Ok(None);
        }
        self.sweep = None;
        self.file.fetch(contig as u32, from, to)?;
        Ok(self.next()?.then(|| self.record.pos()))
    }

    /// A place behind which, as far as bisection goes, no read begins.
    fn last_place(&mut self, contig: usize, first: i64, length: i64) -> Result<i64, IoError> {
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
}

impl Sweep {
    fn at(wanted: &Wanted) -> Self {
        Self {
            contig: wanted.contig,
            from: wanted.from,
            reached: wanted.from,
            is_over: false,
            reads: VecDeque::new(),
        }
    }

    /// True where reading on is as good as seeking.
    fn is_near(&self, wanted: &Wanted) -> bool {
        self.contig == wanted.contig && (self.from..=self.reached + NEAR).contains(&wanted.from)
    }

    /// Forgets the first reads as far as they end before a position.
    fn forget_before(&mut self, position: i64) {
        while self.reads.front().is_some_and(|read| read.end <= position) {
            self.reads.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::genome::FlagSet;

    #[test]
    fn places_are_the_same_read_on_to_or_sought() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/demo");
        let reference = Arc::new(Reference::open(&demo.join("ref.fa")).unwrap());
        let filter = |required, excluded| ReadFilter {
            min_mapping_quality: 0,
            required: FlagSet(required),
            excluded: FlagSet(excluded),
        };
        // Usable reads lie everywhere, duplicates here and there, and supplementary ones far apart.
        let filters = [filter(0, 0xf04), filter(0x400, 0), filter(0x800, 0)];
        for name in ["reads.bam", "reads.cram"] {
            for filter in filters {
                let path = demo.join(name);
                let open = || DepthFile::open((&path, &ReadRoute::All(0)), 0, filter, &reference);
                let mut sweep = open().unwrap();
                let mut seen = 0;
                for contig in 0..2 {
                    let length = sweep.contig(&format!("demo{}", contig + 1)).unwrap().1;
                    for from in (0..length).step_by(977) {
                        let wanted = Wanted {
                            contig,
                            length,
                            from,
                        };
                        let found = sweep.place(&wanted).unwrap();
                        assert_eq!(found, open().unwrap().place(&wanted).unwrap());
                        seen += u32::from(found.is_some());
                    }
                }
                assert!(seen > 10, "{name}: {seen}");
            }
        }
    }
}
