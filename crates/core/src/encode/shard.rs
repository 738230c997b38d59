//! Records, their reads and the reference around them become examples.
//!
//! Records that lie near each other make a shard: one block of reference and one sweep over the
//! reads serve them all. Nothing here opens a file. Three steps:
//!
//! 1. [`ShardEncoder::new`] finds out which records can be scored and which reference they need
//!    ([`ShardEncoder::reference_span`]).
//! 2. [`ShardEncoder::with_reference`] checks REF and prepares a [`ReadSink`] for each sample, to
//!    which the caller offers reads ([`ShardReads::sinks`]).
//! 3. [`ShardReads::finish`] makes one [`Outcome`] for each record.
//!
//! [`encode_record`] takes all three for one record whose reads are in memory.

mod allele;
mod error;
mod gatk;

use std::ops::Range;

use super::kind::{Skip, scorable};
use super::{Encoder, Example};
use crate::genome::{
    AlignedRead, Contig, ContigTable, ReadSink, ReferenceBlock, Span, Variant, VariantKind,
};
use crate::vcf::VcfRecord;
use allele::AlleleShard;
pub use error::{EncodeError, EncodeProblem};
use gatk::GatkShard;

/// A sample whose calls are encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleInput {
    /// Its column behind FORMAT, from 0.
    pub column: usize,
    /// Mean depth of its reads over the genome; used by our own encoder with reads only.
    pub mean_depth: f32,
}

/// The contigs of the files that records are encoded from.
#[derive(Debug, Clone, Copy)]
pub struct KnownContigs<'a> {
    /// Contigs of the reference.
    pub reference: &'a ContigTable,
    /// Contigs of each file of reads.
    pub reads: &'a [ContigTable],
}

/// The result of encoding one record.
#[derive(Debug)]
pub enum Outcome {
    /// The record has examples.
    Encoded(Box<EncodedSite>),
    /// The record gets no score.
    Skipped(Skip),
}

/// The examples of one record.
#[derive(Debug)]
pub struct EncodedSite {
    /// One example a sample for the whole record (GATK's networks), or one a sample for each ALT
    /// (our own); never empty.
    pub alleles: Vec<EncodedAllele>,
    /// Number of ALTs of the record.
    pub alternates: usize,
    /// Number of reads over the call in the sample that has the most; `None` for an encoder that
    /// reads no reads.
    pub reads: Option<u64>,
    /// True if every annotation that the encoder takes is missing.
    pub without_annotations: bool,
    /// True if a sample has more reads over the call than the encoder looks at.
    pub is_sampled: bool,
    /// Kind of the record.
    pub kind: VariantKind,
}

/// One example of a record.
#[derive(Debug)]
pub struct EncodedAllele {
    /// Index into the samples that the encoder was given.
    pub sample: usize,
    /// Index of the ALT, from 0; `None` where the example is about the whole record.
    pub alternate: Option<usize>,
    /// Decides which of the network's outputs make the score.
    pub kind: VariantKind,
    /// The network's input.
    pub example: Example,
    /// The reads that it was made of; `None` for an encoder that reads no reads.
    pub reads: Option<ExampleReads>,
}

/// The reads that an example was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExampleReads {
    /// Reads over this place belong to the call.
    pub span: Span,
    /// How many there are, before any limit.
    pub seen: u64,
    /// How many of these say nothing: they lie away from the ends of a long deletion.
    pub uncounted: u64,
    /// The read of each row of the tensor, by [`AlignedRead::name`].
    pub rows: Vec<u64>,
}

/// A record that can be scored.
#[derive(Debug)]
struct Site<'a> {
    /// Index of the record in the shard.
    index: usize,
    record: &'a VcfRecord,
    variant: Variant,
}

impl Site<'_> {
    fn error(&self, problem: EncodeProblem) -> EncodeError {
        EncodeError {
            index: self.index,
            variant: Box::new(self.variant.clone()),
            problem,
        }
    }

    /// REF must stand in the reference.
    fn check_reference(&self, block: &ReferenceBlock) -> Result<(), EncodeError> {
        let Variant {
            start, reference, ..
        } = &self.variant;
        if block.agrees(*start, reference) {
            return Ok(());
        }
        let found = block.slice(*start..start + reference.len() as u64);
        Err(self.error(EncodeProblem::Reference {
            called: String::from_utf8_lossy(reference).into_owned(),
            found: String::from_utf8_lossy(found).into_owned(),
        }))
    }
}

/// Records of one contig that are about to be encoded.
#[derive(Debug)]
pub struct ShardEncoder<'a> {
    encoder: &'a Encoder,
    samples: &'a [SampleInput],
    sites: Vec<Site<'a>>,
    /// For each record why it is not among `sites`.
    skips: Vec<Option<Skip>>,
}

impl<'a> ShardEncoder<'a> {
    /// Prepares for `records`, all of one contig, in the order in which outcomes are wanted.
    ///
    /// # Errors
    /// The first record that cannot belong to the reference: it reaches past the end of its contig,
    /// the reference spells its contig in another way, or it lies on another contig than the record
    /// before.
    pub fn new(
        encoder: &'a Encoder,
        samples: &'a [SampleInput],
        records: impl IntoIterator<Item = &'a VcfRecord>,
        contigs: KnownContigs<'_>,
    ) -> Result<Self, EncodeError> {
        let mut shard = Self {
            encoder,
            samples,
            sites: Vec::new(),
            skips: Vec::new(),
        };
        for (index, record) in records.into_iter().enumerate() {
            let skip = match placed(record) {
                Err(skip) => Some(skip),
                Ok(variant) => {
                    let site = Site {
                        index,
                        record,
                        variant,
                    };
                    let skip = shard.on_contigs(&site, contigs)?;
                    if skip.is_none() {
                        shard.sites.push(site);
                    }
                    skip
                }
            };
            shard.skips.push(skip);
        }
        Ok(shard)
    }

    /// Looks up the record's contig in the files: `None` where all know it, else why it is skipped.
    fn on_contigs(
        &self,
        site: &Site<'_>,
        contigs: KnownContigs<'_>,
    ) -> Result<Option<Skip>, EncodeError> {
        let variant = &site.variant;
        let Some(contig) = contigs.reference.get(&variant.contig) else {
            return match contigs.reference.other_spelling(&variant.contig) {
                None => Ok(Some(Skip::ContigNotInReference)),
                Some(other) => Err(site.error(EncodeProblem::Spelling {
                    contig: variant.contig.clone(),
                    other: other.to_owned(),
                })),
            };
        };
        if let Some(length) = contig.length.filter(|length| variant.end > *length) {
            let end = variant.end;
            return Err(site.error(EncodeProblem::PastContig { end, length }));
        }
        let in_reads = |table: &ContigTable| table.get(&variant.contig).is_some();
        if self.encoder.uses_reads() && !contigs.reads.iter().any(in_reads) {
            return Ok(Some(Skip::ContigNotInReads));
        }
        match self.sites.first() {
            Some(first) if first.variant.contig != variant.contig => {
                let first = first.variant.contig.clone();
                Err(site.error(EncodeProblem::AnotherContig { first }))
            }
            _ => Ok(None),
        }
    }

    /// The contig and the 0-based, half-open range of the reference that
    /// [`ShardEncoder::with_reference`] needs, cut at the contig's start but not at its end;
    /// `None` where no record is scored.
    pub fn reference_span(&self) -> Option<(&str, Range<u64>)> {
        let margin = self.encoder.reference_margin();
        let variants = || self.sites.iter().map(|site| &site.variant);
        let start = variants().map(|variant| variant.start).min()?;
        let end = variants()
            .map(|variant| variant.start + variant.reference.len() as u64)
            .max()?;
        let contig = &self.sites.first()?.variant.contig;
        Some((contig, start.saturating_sub(margin)..end + margin))
    }

    /// Checks the records against the reference and prepares for their reads. `block` holds
    /// [`ShardEncoder::reference_span`] as far as the contig goes; where no record is scored it may
    /// be empty.
    ///
    /// # Errors
    /// The first record whose REF is not what the reference has.
    pub fn with_reference(self, block: ReferenceBlock) -> Result<ShardReads<'a>, EncodeError> {
        for site in &self.sites {
            site.check_reference(&block)?;
        }
        let plan = match self.encoder {
            Encoder::Gatk { reads, annotations } => Plan::Gatk(GatkShard::new(
                self.samples,
                &self.sites,
                *reads,
                annotations,
            )),
            Encoder::Allele {
                reads,
                annotations,
                layout,
            } => {
                let samples = (self.samples, *reads);
                let numbers = (annotations.as_slice(), layout);
                Plan::Allele(AlleleShard::new(samples, &self.sites, numbers, &block))
            }
        };
        Ok(ShardReads {
            sites: self.sites,
            skips: self.skips,
            block,
            plan,
        })
    }
}

/// The record's place and alleles, or why it is not scored whatever the files say.
fn placed(record: &VcfRecord) -> Result<Variant, Skip> {
    let variant = record.variant().ok_or(Skip::Telomere)?;
    scorable(&variant)?;
    Ok(variant)
}

#[derive(Debug)]
enum Plan<'a> {
    Gatk(GatkShard<'a>),
    Allele(AlleleShard<'a>),
}

/// Records with their reference, waiting for their reads.
#[derive(Debug)]
pub struct ShardReads<'a> {
    sites: Vec<Site<'a>>,
    skips: Vec<Option<Skip>>,
    block: ReferenceBlock,
    plan: Plan<'a>,
}

impl ShardReads<'_> {
    /// The contig, and for each sample, in their order, the sink of its reads; `None` where no
    /// reads are wanted.
    ///
    /// Offer each sink the reads of its [`ReadSink::span`] in the order of their starts. Which
    /// reads are usable is for the caller to say; [`Encoder::usual_read_filter`] is what the
    /// networks were trained with.
    pub fn sinks(&mut self) -> Option<(&str, &mut [SampleReads])> {
        let contig = &self.sites.first()?.variant.contig;
        let sinks = match &mut self.plan {
            Plan::Gatk(shard) => &mut shard.sinks,
            Plan::Allele(shard) => &mut shard.sinks,
        };
        (!sinks.is_empty()).then_some((contig.as_str(), sinks.as_mut_slice()))
    }

    /// Encodes the records with the reads that were offered: one outcome a record, in their order.
    pub fn finish(self) -> Vec<Outcome> {
        let encoded = match self.plan {
            Plan::Gatk(shard) => shard.finish(&self.sites, &self.block),
            Plan::Allele(shard) => shard.finish(&self.sites, &self.block),
        };
        let mut encoded = encoded.into_iter();
        let outcome = |skip: Option<Skip>| match skip {
            Some(skip) => Some(Outcome::Skipped(skip)),
            None => encoded.next().map(|site| {
                // No ALT of it changes the reference.
                if site.alleles.is_empty() {
                    Outcome::Skipped(Skip::NoSequence)
                } else {
                    Outcome::Encoded(Box::new(site))
                }
            }),
        };
        self.skips.into_iter().filter_map(outcome).collect()
    }
}

/// The reads of one sample over the records of a shard.
#[derive(Debug)]
pub struct SampleReads(Sink);

#[derive(Debug)]
enum Sink {
    Gatk(super::pileup::Pileup),
    Allele(super::allele::ReadCollector),
}

impl ReadSink for SampleReads {
    fn span(&self) -> Option<Span> {
        match &self.0 {
            Sink::Gatk(sink) => sink.span(),
            Sink::Allele(sink) => sink.span(),
        }
    }

    fn offer(&mut self, start: i64, end: i64, make: impl FnOnce() -> AlignedRead) {
        match &mut self.0 {
            Sink::Gatk(sink) => sink.offer(start, end, make),
            Sink::Allele(sink) => sink.offer(start, end, make),
        }
    }

    fn calls_over(&self, start: i64, end: i64) -> u64 {
        match &self.0 {
            Sink::Gatk(sink) => sink.calls_over(start, end),
            Sink::Allele(sink) => sink.calls_over(start, end),
        }
    }
}

/// Encodes one record of one sample from values in memory.
///
/// `block` holds the reference around the record, best [`Encoder::reference_margin`] bases to both
/// sides. `reads` are aligned to the record's contig, in any order; those that
/// [`Encoder::usual_read_filter`] leaves out, and those too far away, are left out here as well.
///
/// # Errors
/// REF is not what the reference has, or the record reaches past the end of its contig.
pub fn encode_record(
    encoder: &Encoder,
    record: &VcfRecord,
    sample: SampleInput,
    reads: &[AlignedRead],
    block: &ReferenceBlock,
) -> Result<Outcome, EncodeError> {
    let contig = ContigTable::new([Contig {
        name: String::from_utf8_lossy(record.contig()).into_owned(),
        length: Some(block.contig_length()),
    }]);
    let contigs = KnownContigs {
        reference: &contig,
        reads: std::slice::from_ref(&contig),
    };
    let samples = [sample];
    let shard = ShardEncoder::new(encoder, &samples, [record], contigs)?;
    let mut shard = shard.with_reference(block.clone())?;
    if let Some((_, [sink])) = shard.sinks() {
        let filter = encoder.usual_read_filter();
        let mut sorted: Vec<&AlignedRead> = reads.iter().collect();
        sorted.sort_by_key(|read| read.start);
        let span = sink.span().unwrap_or_default();
        for read in sorted {
            let (start, end) = (read.start, read.end());
            let is_near = span.overlaps(start, end);
            if is_near && filter.passes(read.flags, read.mapping_quality) {
                sink.offer(start, end, || read.clone());
            }
        }
    }
    let outcome = shard.finish().pop();
    Ok(outcome.unwrap_or(Outcome::Skipped(Skip::NoSequence)))
}

#[cfg(test)]
mod tests;
