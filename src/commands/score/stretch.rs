//! One stretch of the genome: its calls, one sweep over its reads, its tensors.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::checks::Inputs;
use crate::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor, WINDOW};
use crate::encode::kind::{Skip, gatk_kind, scorable};
use crate::encode::pileup::Pileup;
use crate::encode::{Example, ReferenceBlock, SiteTensor, annotations};
use crate::genome::{Variant, VariantKind};
use crate::io::alignment::AlignmentSource;
use crate::io::fasta::FastaReader;
use crate::model::Model;
use crate::vcf::VcfRecord;

/// Calls further apart than this are not swept together: an indexed seek costs about as much as
/// reading this many bases (BAM's linear index has steps of 16 kb).
const MAX_GAP: u64 = 16_384;

/// Fewest calls of a stretch that is cut only to keep all threads busy.
const MIN_CALLS: usize = 32;

/// One record with its number in the file, from 1.
#[derive(Debug)]
pub struct Call {
    /// Number in the file, from 1.
    pub number: u64,
    /// The record.
    pub record: VcfRecord,
}

/// What becomes of a call before the network.
#[derive(Debug)]
pub enum Outcome {
    /// It is encoded.
    Encoded(Box<EncodedSite>),
    /// It gets no score.
    Skipped(Skip),
}

/// An encoded call.
#[derive(Debug)]
pub struct EncodedSite {
    /// What the network reads.
    pub example: Example,
    /// Decides which of the outputs make the score.
    pub kind: VariantKind,
    /// Reads over the call, where the model reads them.
    pub reads: Option<u64>,
    /// Whether every annotation of the model is missing.
    pub without_annotations: bool,
}

impl EncodedSite {
    /// Whether it has more reads than the tensor has rows.
    pub fn is_sampled(&self) -> bool {
        self.reads.is_some_and(|reads| reads > READ_LIMIT as u64)
    }
}

/// Cuts a chunk into stretches: of one contig, without wide gaps, and enough of them for all
/// threads. How it is cut changes no score.
pub fn cut(chunk: Vec<Call>, threads: usize) -> Vec<Vec<Call>> {
    let most = (chunk.len() / (2 * threads.max(1))).max(MIN_CALLS);
    let mut stretches: Vec<Vec<Call>> = Vec::new();
    for call in chunk {
        match stretches.last_mut() {
            Some(stretch)
                if stretch.len() < most && stretch.last().is_some_and(|last| near(last, &call)) =>
            {
                stretch.push(call);
            }
            _ => stretches.push(vec![call]),
        }
    }
    stretches
}

fn near(last: &Call, next: &Call) -> bool {
    last.record.contig() == next.record.contig()
        && next
            .record
            .position()
            .saturating_sub(last.record.position())
            <= MAX_GAP
}

/// The files of one thread.
pub struct StretchReader {
    reads: AlignmentSource,
    reference: FastaReader,
}

impl StretchReader {
    /// Opens reads (for a model that reads them) and reference for one thread.
    ///
    /// # Errors
    /// Where a file cannot be opened any more.
    pub fn open(reads: &[PathBuf], inputs: &Inputs) -> Result<Self> {
        let reads: &[PathBuf] = if inputs.reads_contigs.is_empty() {
            &[]
        } else {
            reads
        };
        Ok(Self {
            reads: AlignmentSource::open(reads, inputs.reference.path())?,
            reference: inputs.reference.reader()?,
        })
    }

    /// Encodes the calls of one stretch, in their order.
    ///
    /// # Errors
    /// Where a file is damaged, or a record cannot belong to this reference.
    pub fn encode(
        &mut self,
        calls: &[Call],
        model: &Model,
        inputs: &Inputs,
    ) -> Result<Vec<Outcome>> {
        let mut variants: Vec<Result<Variant, Skip>> = Vec::with_capacity(calls.len());
        for call in calls {
            variants.push(self.locate(call, model, inputs)?);
        }
        let scored: Vec<&Variant> = variants.iter().flatten().collect();
        let Some(first) = scored.first() else {
            return Ok(variants
                .into_iter()
                .filter_map(Result::err)
                .map(Outcome::Skipped)
                .collect());
        };
        let contig = first.contig.clone();
        let window = WINDOW as u64;
        let start = scored
            .iter()
            .map(|v| v.start)
            .min()
            .unwrap_or(0)
            .saturating_sub(window);
        // A window reaches half its width behind POS, at contig starts up to a whole one.
        let end = scored
            .iter()
            .map(|v| (v.start + 2 * window).max(v.start + v.reference.len() as u64))
            .max()
            .unwrap_or(0);
        let block = self.reference.block(&contig, start, end)?;
        let mut reads = Vec::new();
        if model.uses_reads() {
            let mut pileup = Pileup::new(scored.iter().copied(), READ_LIMIT);
            self.reads.sweep(&contig, &mut pileup)?;
            reads = pileup.into_reads();
        }
        let mut reads = reads.into_iter();
        calls
            .iter()
            .zip(variants)
            .map(|(call, variant)| match variant {
                Err(skip) => Ok(Outcome::Skipped(skip)),
                Ok(variant) => {
                    check_reference(call, &variant, &block, inputs)?;
                    let piled = reads.next();
                    let (annotations, missing) =
                        annotations::encode(&call.record, &model.card().annotations);
                    let (tensor, depth) = match piled {
                        Some(piled) => {
                            let tensor = ReadTensor::encode(&variant, &piled.reads, &block);
                            (SiteTensor::Reads(tensor), Some(piled.seen))
                        }
                        None => {
                            let tensor = ReferenceTensor::encode(&variant, &block);
                            (SiteTensor::Reference(tensor), None)
                        }
                    };
                    Ok(Outcome::Encoded(Box::new(EncodedSite {
                        kind: gatk_kind(&variant),
                        reads: depth,
                        without_annotations: missing == annotations.len(),
                        example: Example {
                            tensor,
                            annotations,
                        },
                    })))
                }
            })
            .collect()
    }

    /// The call's place and alleles, or why it is not scored.
    fn locate(&self, call: &Call, model: &Model, inputs: &Inputs) -> Result<Result<Variant, Skip>> {
        let Some(variant) = call.record.variant() else {
            return Ok(Err(Skip::Telomere));
        };
        let length = inputs
            .reference
            .contigs()
            .get(&variant.contig)
            .and_then(|contig| contig.length);
        if length.is_some_and(|length| variant.end > length) {
            bail!(
                "{}: record {} ({variant}): it reaches to {}, but in {} the contig ends at {}; give the reference that the calls were made with",
                inputs.variants.display(),
                call.number,
                variant.end,
                inputs.reference.path().display(),
                length.unwrap_or_default()
            );
        }
        if let Err(skip) = scorable(&variant) {
            return Ok(Err(skip));
        }
        let known = inputs.reference.contigs();
        if known.get(&variant.contig).is_none() {
            if let Some(other) = known.other_spelling(&variant.contig) {
                bail!(
                    "{}: record {} ({variant}): contig `{}` is not in {}, which says `{other}`; use one spelling in both",
                    inputs.variants.display(),
                    call.number,
                    variant.contig,
                    inputs.reference.path().display()
                );
            }
            return Ok(Err(Skip::ContigNotInReference));
        }
        let in_reads = inputs
            .reads_contigs
            .iter()
            .any(|(_, table)| table.get(&variant.contig).is_some());
        if model.uses_reads() && !in_reads {
            return Ok(Err(Skip::ContigNotInReads));
        }
        Ok(Ok(variant))
    }
}

/// REF must stand in the reference.
fn check_reference(
    call: &Call,
    variant: &Variant,
    block: &ReferenceBlock,
    inputs: &Inputs,
) -> Result<()> {
    if block.agrees(variant.start, &variant.reference) {
        return Ok(());
    }
    let found = block.slice(variant.start..variant.start + variant.reference.len() as u64);
    bail!(
        "{}: record {} ({variant}): REF is `{}`, but in {} there is `{}`; give the reference that the calls were made with",
        inputs.variants.display(),
        call.number,
        String::from_utf8_lossy(&variant.reference),
        inputs.reference.path().display(),
        String::from_utf8_lossy(found)
    )
}
