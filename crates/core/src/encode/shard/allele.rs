//! A shard for our own networks: one example an ALT and sample.

use super::{EncodedAllele, EncodedSite, SampleInput, SampleReads, Sink, Site};
use crate::encode::allele::{
    AlleleTensor, Haplotypes, LocalContext, ReadCollector, SAMPLE_LIMIT, read_set,
};
use crate::encode::annotations::{self, AnnotationSource};
use crate::encode::pileup::PiledReads;
use crate::encode::{Example, SiteTensor};
use crate::genome::{Edit, ReferenceBlock, Variant, VariantKind, record_kind};

/// An ALT that is spelled in bases and changes something.
#[derive(Debug)]
struct Allele {
    /// Index of its record among the sites.
    site: usize,
    /// Index of the ALT.
    alternate: usize,
    edit: Edit,
    haplotypes: Haplotypes,
}

/// The reads of one sample: for each allele, and around all of them.
type ReadsOfSample = (Vec<PiledReads>, LocalContext);

/// The alleles, and the reads of each sample as they come.
#[derive(Debug)]
pub(super) struct AlleleShard<'a> {
    /// One sink a sample; none where the network reads no reads.
    pub(super) sinks: Vec<SampleReads>,
    samples: &'a [SampleInput],
    annotations: &'a [AnnotationSource],
    alleles: Vec<Allele>,
}

impl<'a> AlleleShard<'a> {
    pub(super) fn new(
        samples: &'a [SampleInput],
        sites: &[Site<'_>],
        with_reads: bool,
        annotations: &'a [AnnotationSource],
        block: &ReferenceBlock,
    ) -> Self {
        let alleles: Vec<Allele> = sites
            .iter()
            .enumerate()
            .flat_map(|(site, of)| alleles(site, &of.variant, block))
            .collect();
        let cores: Vec<(i64, i64)> = alleles
            .iter()
            .map(|allele| allele.haplotypes.core)
            .collect();
        let sink = |_: &SampleInput| {
            let collector = ReadCollector::new(&cores, read_set::MARGIN, SAMPLE_LIMIT, block);
            SampleReads(Sink::Allele(collector))
        };
        let with_sinks = if with_reads { samples } else { &[] };
        Self {
            sinks: with_sinks.iter().map(sink).collect(),
            samples,
            annotations,
            alleles,
        }
    }

    pub(super) fn finish(self, sites: &[Site<'_>], block: &ReferenceBlock) -> Vec<EncodedSite> {
        let with_reads = !self.sinks.is_empty();
        let reads: Vec<ReadsOfSample> = self
            .sinks
            .into_iter()
            .filter_map(|SampleReads(sink)| match sink {
                Sink::Gatk(_) => None,
                Sink::Allele(mut collector) => {
                    collector.landscape.finish();
                    Some((collector.pileup.into_reads(), collector.landscape))
                }
            })
            .collect();
        let mut encoded: Vec<EncodedSite> = sites
            .iter()
            .map(|Site { variant, .. }| EncodedSite {
                alleles: Vec::new(),
                alternates: variant.alternates.len(),
                reads: with_reads.then_some(0),
                without_annotations: true,
                is_sampled: false,
                kind: record_kind(&variant.reference, &variant.alternates),
            })
            .collect();
        for (at, allele) in self.alleles.iter().enumerate() {
            let (site, into) = (&sites[allele.site], &mut encoded[allele.site]);
            for (slot, sample) in self.samples.iter().enumerate() {
                let reads = reads.get(slot).map(|(piled, around)| (&piled[at], around));
                let example = allele.encode(into, site, self.annotations, sample, reads, block);
                into.alleles.push(EncodedAllele {
                    sample: slot,
                    alternate: Some(allele.alternate),
                    kind: allele.kind(),
                    example,
                });
            }
        }
        encoded
    }
}

/// The alleles of a record.
fn alleles(site: usize, variant: &Variant, block: &ReferenceBlock) -> Vec<Allele> {
    let allele = |(alternate, bases): (usize, &Vec<u8>)| {
        let bases = Some(bases).filter(|bases| Variant::is_sequence(bases))?;
        let edit = Edit::trimmed(variant.start, &variant.reference, bases)?;
        let haplotypes = Haplotypes::new(&edit, block);
        Some(Allele {
            site,
            alternate,
            edit,
            haplotypes,
        })
    };
    let alternates = variant.alternates.iter().enumerate();
    alternates.filter_map(allele).collect()
}

impl Allele {
    fn kind(&self) -> VariantKind {
        if self.edit.is_indel() {
            VariantKind::Indel
        } else {
            VariantKind::Snp
        }
    }

    /// Its example for one sample; notes in `site` what the summary counts.
    fn encode(
        &self,
        into: &mut EncodedSite,
        site: &Site<'_>,
        sources: &[AnnotationSource],
        sample: &SampleInput,
        reads: Option<(&PiledReads, &LocalContext)>,
        block: &ReferenceBlock,
    ) -> Example {
        let count = into.alternates;
        let annotations =
            annotations::of_allele(site.record, sources, self.alternate, count, sample.column);
        into.without_annotations &= annotations.iter().all(|value| value.is_nan());
        let tensor = match reads {
            Some((piled, around)) => {
                into.reads = into.reads.max(Some(piled.seen));
                into.is_sampled |= piled.seen > SAMPLE_LIMIT as u64;
                AlleleTensor::encode(
                    &self.edit,
                    &self.haplotypes,
                    count,
                    &piled.reads,
                    around,
                    sample.mean_depth,
                    block,
                )
            }
            None => AlleleTensor::encode_reference(&self.edit, count, block),
        };
        Example {
            tensor: SiteTensor::Allele(tensor),
            annotations,
        }
    }
}
