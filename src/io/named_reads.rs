//! All reads over a place by their names, those too that no tensor is made of.

use rust_htslib::bam::Read as _;

use super::alignment::{AlignmentSource, end_of, fnv1a, group_of};
use super::error::IoError;
use cnnfilter_core::genome::{ReadFlags, Refusal, Span};

/// A read with its name.
#[derive(Debug, Clone, Copy)]
pub struct NamedRead<'a> {
    /// Its name, as the file has it.
    pub text: &'a [u8],
    /// The hash of it that [`cnnfilter_core::genome::AlignedRead::name`] is.
    pub name: u64,
    /// The sample that gets it, or the reason why none does.
    pub sample: Result<usize, Unused>,
}

/// Why a read goes to no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unused {
    /// The filter refuses it.
    Refused(Refusal),
    /// Its read group belongs to none.
    OfNoSample,
}

impl AlignmentSource {
    /// Visits each read over a place of a contig, in the order of the files.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn visit(
        &mut self,
        contig: &str,
        span: Span,
        mut visit: impl FnMut(NamedRead<'_>),
    ) -> Result<(), IoError> {
        for file in &mut self.files {
            let Some(id) = file.file.reader.header().tid(contig.as_bytes()) else {
                continue;
            };
            file.file.fetch(id, span.start.max(0), span.end)?;
            file.advance()?;
            while file.pending {
                let record = &file.next;
                let flags = ReadFlags(record.flags());
                if span.overlaps(record.pos(), end_of(record)) {
                    visit(NamedRead {
                        text: record.qname(),
                        name: fnv1a(record.qname()),
                        sample: match self.filter.refusal(flags, record.mapq()) {
                            Some(refusal) => Err(Unused::Refused(refusal)),
                            None => file
                                .route
                                .sample_of(group_of(record))
                                .ok_or(Unused::OfNoSample),
                        },
                    });
                }
                file.advance()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use rust_htslib::bam::{self, Read as _};

    use super::*;
    use crate::io::fasta::Reference;
    use cnnfilter_core::genome::{FlagSet, ReadFilter};
    use cnnfilter_core::samples::{ReadRoute, RoutedFile};

    fn demo(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/demo");
        folder.join(name)
    }

    /// Reads and reasons as the whole file has them, read without its index.
    #[test]
    fn each_read_over_a_place_is_visited_with_its_reason() {
        let span = Span::new(9_000, 12_000);
        let mut expected = Vec::new();
        let mut reader = bam::Reader::from_path(demo("reads.bam")).unwrap();
        for record in reader.records().map(Result::unwrap) {
            if record.tid() == 0 && record.pos() < span.end && end_of(&record) > span.start {
                let reason = match () {
                    () if record.is_unmapped() => Some(Refusal::Unmapped),
                    () if record.is_duplicate() => Some(Refusal::Duplicate),
                    () => (record.mapq() < 60).then_some(Refusal::MappingQuality),
                };
                expected.push((record.qname().to_vec(), reason));
            }
        }
        let file = RoutedFile {
            path: demo("reads.bam"),
            route: ReadRoute::All(0),
            groups: Vec::new(),
        };
        let filter = ReadFilter {
            min_mapping_quality: 60,
            required: FlagSet(0),
            excluded: FlagSet(0x404),
        };
        let reference = Arc::new(Reference::open(&demo("ref.fa")).unwrap());
        let mut source = AlignmentSource::open(&[file], filter, &reference).unwrap();
        let mut found = Vec::new();
        let visit = |read: NamedRead<'_>| {
            assert_eq!(read.name, fnv1a(read.text));
            let reason = match read.sample {
                Ok(sample) => {
                    assert_eq!(sample, 0);
                    None
                }
                Err(Unused::Refused(refusal)) => Some(refusal),
                Err(Unused::OfNoSample) => panic!("all reads are of the sample"),
            };
            found.push((read.text.to_vec(), reason));
        };
        source.visit("demo1", span, visit).unwrap();
        assert_eq!(found, expected);
        for reason in [
            None,
            Some(Refusal::Duplicate),
            Some(Refusal::MappingQuality),
        ] {
            assert!(found.iter().any(|(_, one)| *one == reason), "{reason:?}");
        }
        source
            .visit("elsewhere", span, |_| panic!("no such contig"))
            .unwrap();
    }
}
