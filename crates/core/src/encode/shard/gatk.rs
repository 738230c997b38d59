//! A shard for GATK's networks: one example a record and sample.

use super::{EncodedAllele, EncodedSite, ExampleReads, SampleInput, SampleReads, Sink, Site};
use crate::encode::annotations;
use crate::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor};
use crate::encode::kind::gatk_kind;
use crate::encode::pileup::{PiledReads, Pileup};
use crate::encode::{Example, SiteTensor};
use crate::genome::{ReferenceBlock, Span};

/// The reads of each sample, as they come.
#[derive(Debug)]
pub(super) struct GatkShard<'a> {
    /// One sink a sample; none where the network reads no reads.
    pub(super) sinks: Vec<SampleReads>,
    with_reads: bool,
    annotations: &'a [String],
}

impl<'a> GatkShard<'a> {
    pub(super) fn new(
        samples: &[SampleInput],
        sites: &[Site<'_>],
        with_reads: bool,
        annotations: &'a [String],
    ) -> Self {
        let variants = || sites.iter().map(|site| &site.variant);
        let sink = |_: &SampleInput| SampleReads(Sink::Gatk(Pileup::new(variants(), READ_LIMIT)));
        let samples = if with_reads { samples } else { &[] };
        Self {
            sinks: samples.iter().map(sink).collect(),
            with_reads,
            annotations,
        }
    }

    pub(super) fn finish(self, sites: &[Site<'_>], block: &ReferenceBlock) -> Vec<EncodedSite> {
        let piled: Vec<Vec<PiledReads>> = self
            .sinks
            .into_iter()
            .filter_map(|SampleReads(sink)| match sink {
                Sink::Gatk(pileup) => Some(pileup.into_reads()),
                Sink::Allele(_) => None,
            })
            .collect();
        let reads_of = |site: usize| -> Option<Vec<&PiledReads>> {
            let of_samples = piled.iter().filter_map(|sample| sample.get(site));
            self.with_reads.then(|| of_samples.collect())
        };
        let sites = sites.iter().enumerate();
        sites
            .map(|(at, site)| encode(site, reads_of(at), self.annotations, block))
            .collect()
    }
}

/// Encodes one record. `piled` has the reads of each sample; `None` for a network without reads.
fn encode(
    site: &Site<'_>,
    piled: Option<Vec<&PiledReads>>,
    names: &[String],
    block: &ReferenceBlock,
) -> EncodedSite {
    let variant = &site.variant;
    let (annotations, missing) = annotations::encode(site.record, names);
    let kind = gatk_kind(variant);
    let with_reads = |piled: &&PiledReads| {
        let (tensor, rows) = ReadTensor::encode_named(variant, &piled.reads, block);
        let reads = ExampleReads {
            span: Span::new(variant.start as i64, variant.end as i64),
            seen: piled.seen,
            uncounted: 0,
            rows,
        };
        (SiteTensor::Reads(tensor), Some(reads))
    };
    let tensors = match &piled {
        Some(piled) => piled.iter().map(with_reads).collect(),
        None => vec![(
            SiteTensor::Reference(ReferenceTensor::encode(variant, block)),
            None,
        )],
    };
    let example = |(sample, (tensor, reads))| EncodedAllele {
        sample,
        alternate: None,
        kind,
        example: Example {
            tensor,
            annotations: annotations.clone(),
        },
        reads,
    };
    let reads = piled.iter().flatten().map(|piled| piled.seen).max();
    EncodedSite {
        reads,
        alternates: variant.alternates.len(),
        without_annotations: missing == names.len(),
        is_sampled: reads.is_some_and(|reads| reads > READ_LIMIT as u64),
        kind,
        alleles: tensors.into_iter().enumerate().map(example).collect(),
    }
}
