//! A shard for our own networks: one example an ALT and sample.

use super::{EncodedAllele, EncodedSite, ExampleReads, SampleInput, SampleReads, Sink, Site};
use crate::encode::allele::{
    AlleleLayout, AlleleTensor, Haplotypes, LocalContext, ReadCollector, SAMPLE_LIMIT,
    SampleEvidence, read_set,
};
use crate::encode::annotations::{self, AnnotationSource};
use crate::encode::pileup::PiledReads;
use crate::encode::{Example, SiteTensor};
use crate::genome::{Edit, ReferenceBlock, Span, Variant, VariantKind, record_kind};

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
    layout: &'a AlleleLayout,
    alleles: Vec<Allele>,
}

impl<'a> AlleleShard<'a> {
    /// `samples` says beside them whether their reads are read.
    pub(super) fn new(
        (samples, with_reads): (&'a [SampleInput], bool),
        sites: &[Site<'_>],
        (annotations, layout): (&'a [AnnotationSource], &'a AlleleLayout),
        block: &ReferenceBlock,
    ) -> Self {
        let alleles: Vec<Allele> = sites
            .iter()
            .enumerate()
            .flat_map(|(site, of)| alleles(site, &of.variant, block))
            .collect();
        let cores: Vec<Span> = alleles
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
            layout,
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
                let annotations = annotations::of_allele(
                    site.record,
                    self.annotations,
                    allele.alternate,
                    into.alternates,
                    sample.column,
                );
                into.without_annotations &= annotations.iter().all(|value| value.is_nan());
                let (tensor, reads) = allele.encode(self.layout, into, sample, reads, block);
                let example = Example {
                    tensor: SiteTensor::Allele(tensor),
                    annotations,
                };
                into.alleles.push(EncodedAllele {
                    sample: slot,
                    alternate: Some(allele.alternate),
                    kind: allele.kind(),
                    example,
                    reads,
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

    /// Its tensor for one sample, and the reads in it; counts the reads into `site`.
    fn encode(
        &self,
        layout: &AlleleLayout,
        site: &mut EncodedSite,
        sample: &SampleInput,
        reads: Option<(&PiledReads, &LocalContext)>,
        block: &ReferenceBlock,
    ) -> (AlleleTensor, Option<ExampleReads>) {
        let alternates = site.alternates;
        let Some((piled, around)) = reads else {
            let tensor = AlleleTensor::encode_reference(layout, &self.edit, alternates, block);
            return (tensor, None);
        };
        site.reads = site.reads.max(Some(piled.seen));
        site.is_sampled |= piled.seen > SAMPLE_LIMIT as u64;
        let evidence = SampleEvidence {
            reads: &piled.reads,
            around,
            mean_depth: sample.mean_depth,
        };
        let (tensor, shown) = AlleleTensor::encode_named(
            layout,
            &self.edit,
            &self.haplotypes,
            alternates,
            evidence,
            block,
        );
        let reads = ExampleReads {
            span: self.haplotypes.core.grown(read_set::MARGIN),
            seen: piled.seen,
            uncounted: shown.uncounted,
            rows: shown.rows,
        };
        (tensor, Some(reads))
    }
}
