//! One stretch of the genome: its calls, one sweep over its reads, its tensors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::inputs::Inputs;
use crate::io::alignment::{AlignmentSource, ReadCounts};
use crate::io::fasta::FastaReader;
use cnnfilter_core::encode::allele::{
    AlleleTensor, Haplotypes, LocalContext, ReadCollector, SAMPLE_LIMIT, landscape, read_set,
};
use cnnfilter_core::encode::annotations::{self, AnnotationSource};
use cnnfilter_core::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor, WINDOW};
use cnnfilter_core::encode::kind::{Skip, gatk_kind, scorable};
use cnnfilter_core::encode::pileup::{PiledReads, Pileup};
use cnnfilter_core::encode::{Encoder, Example, SiteTensor};
use cnnfilter_core::genome::{Edit, ReadSink, ReferenceBlock, Variant, VariantKind, record_kind};
use cnnfilter_core::vcf::VcfRecord;

/// Calls further apart than this are not swept together: an indexed seek costs about as much as
/// reading this many bases (BAM's linear index has steps of 16 kb).
const MAX_GAP: u64 = 16_384;

/// Fewest calls of a stretch that is cut only to keep all threads busy.
const MIN_CALLS: usize = 32;

/// Stretches into which a chunk is cut for each thread, so that none waits long for the last.
const STRETCHES_A_THREAD: usize = 8;

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
    /// What the network reads: one example a sample for the record, or for each ALT.
    pub alleles: Vec<EncodedAllele>,
    /// ALTs of the record.
    pub alternates: usize,
    /// Reads over the call, of the sample with the most, where the model reads them.
    pub reads: Option<u64>,
    /// Whether every annotation of the model is missing.
    pub without_annotations: bool,
    /// Whether a sample has more reads than the encoder looks at.
    pub is_sampled: bool,
    /// What the record is.
    pub kind: VariantKind,
}

/// One example of a call.
#[derive(Debug)]
pub struct EncodedAllele {
    /// The sample it is about: an index of [`Inputs::samples`].
    pub sample: usize,
    /// The ALT it is about, from 0; nothing where it is about the whole record.
    pub alternate: Option<usize>,
    /// Decides which of the outputs make the score.
    pub kind: VariantKind,
    /// What the network reads.
    pub example: Example,
}

/// Cuts a chunk into stretches: of one contig, without wide gaps, and enough of them for all
/// threads. How it is cut changes no score.
fn cut(chunk: Vec<Call>, threads: usize, samples: usize) -> Vec<Vec<Call>> {
    let fewest = (MIN_CALLS / samples.max(1)).max(1);
    let most = (chunk.len() / (STRETCHES_A_THREAD * threads.max(1))).max(fewest);
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

/// Time that a stretch took.
#[derive(Debug, Clone, Copy, Default)]
pub struct StretchTimes {
    /// Sweeping the reads: seeking, decompressing, sorting them to their calls.
    pub sweeping: Duration,
    /// Everything else that makes tensors.
    pub encoding: Duration,
}

/// Encodes calls, stretches side by side in `pool`, and hands each stretch to `work` in the thread
/// that encoded it; what `work` makes comes back in the order of the calls.
///
/// # Errors
/// As [`StretchReader::encode`] and `work`. All stretches are tried, so that of several errors the
/// first in the file is told, whichever came first; but for [`Workers::stop`].
pub fn for_each_stretch<T: Send>(
    calls: Vec<Call>,
    inputs: &Inputs,
    pool: &ThreadPool,
    workers: &Workers,
    work: impl Fn(Vec<(Call, Outcome)>, StretchTimes) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let encode = |calls: Vec<Call>| -> Result<T> {
        if workers.stopped.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        let mut reader = workers.borrow(inputs)?;
        let begun = Instant::now();
        let outcomes = reader.encode(&calls, inputs)?;
        let sweeping = std::mem::take(&mut reader.sweeping);
        workers.give_back(reader);
        let times = StretchTimes {
            sweeping,
            encoding: begun.elapsed().saturating_sub(sweeping),
        };
        work(calls.into_iter().zip(outcomes).collect(), times)
    };
    let stretches = cut(calls, pool.current_num_threads(), inputs.samples.len());
    let made: Vec<Result<T>> = pool.install(|| stretches.into_par_iter().map(encode).collect());
    made.into_iter().collect()
}

/// [`for_each_stretch`] for calls that are wanted back as they are, with their outcomes.
///
/// # Errors
/// As [`for_each_stretch`].
pub fn encode_calls(
    calls: Vec<Call>,
    inputs: &Inputs,
    pool: &ThreadPool,
    workers: &Workers,
) -> Result<Vec<(Call, Outcome)>> {
    let stretches = for_each_stretch(calls, inputs, pool, workers, |encoded, _| Ok(encoded))?;
    Ok(stretches.into_iter().flatten().collect())
}

/// What the threads of a run share: files that are open and idle, and whether there is any use in
/// going on.
#[derive(Default)]
pub struct Workers {
    idle: Mutex<Vec<StretchReader>>,
    stopped: AtomicBool,
}

impl Workers {
    /// No stretch is begun any more: the run has failed, or nobody wants what it makes.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What there is to tell about the reads, once all stretches are done.
    pub fn read_counts(&self) -> ReadCounts {
        let mut counts = ReadCounts::default();
        for reader in self.idle.lock().iter().flat_map(|idle| idle.iter()) {
            counts.add(reader.reads.counts());
        }
        counts
    }

    /// Files that are open and idle, or newly opened ones: they are opened once a thread and
    /// handed from stretch to stretch.
    fn borrow(&self, inputs: &Inputs) -> Result<StretchReader> {
        let found = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        found.map_or_else(|| StretchReader::open(inputs), Ok)
    }

    /// Hands the files back.
    fn give_back(&self, reader: StretchReader) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(reader);
        }
    }
}

/// The files of one thread.
pub struct StretchReader {
    reads: AlignmentSource,
    reference: FastaReader,
    /// Time spent in sweeps since it was last asked for.
    sweeping: Duration,
}

impl StretchReader {
    /// Opens reads (for a model that reads them) and reference for one thread.
    ///
    /// # Errors
    /// Where a file cannot be opened any more.
    pub fn open(inputs: &Inputs) -> Result<Self> {
        Ok(Self {
            reads: AlignmentSource::open(&inputs.reads, inputs.read_filter, &inputs.reference)?,
            reference: inputs.reference.reader()?,
            sweeping: Duration::ZERO,
        })
    }

    /// Encodes the calls of one stretch, in their order.
    ///
    /// # Errors
    /// Where a file is damaged, or a record cannot belong to this reference.
    pub fn encode(&mut self, calls: &[Call], inputs: &Inputs) -> Result<Vec<Outcome>> {
        let mut variants: Vec<Result<Variant, Skip>> = Vec::with_capacity(calls.len());
        for call in calls {
            variants.push(self.locate(call, inputs)?);
        }
        let scored: Vec<(&Call, &Variant)> = calls
            .iter()
            .zip(&variants)
            .filter_map(|(call, variant)| Some((call, variant.as_ref().ok()?)))
            .collect();
        let encoded = match &inputs.encoder {
            _ if scored.is_empty() => Vec::new(),
            Encoder::Gatk { reads, annotations } => {
                self.encode_for_gatk(&scored, *reads, annotations, inputs)?
            }
            Encoder::Allele { reads, annotations } => {
                self.encode_alleles(&scored, *reads, annotations, inputs)?
            }
        };
        let mut encoded = encoded.into_iter();
        Ok(variants
            .into_iter()
            .filter_map(|variant| match variant {
                Err(skip) => Some(Outcome::Skipped(skip)),
                Ok(_) => encoded.next().map(|site| {
                    if site.alleles.is_empty() {
                        Outcome::Skipped(Skip::NoSequence)
                    } else {
                        Outcome::Encoded(Box::new(site))
                    }
                }),
            })
            .collect())
    }

    /// One sweep over the reads, and how long it took.
    fn sweep(&mut self, contig: &str, samples: &mut [impl ReadSink]) -> Result<()> {
        let begun = Instant::now();
        self.reads.sweep(contig, samples)?;
        self.sweeping += begun.elapsed();
        Ok(())
    }

    /// The reference around calls, `margin` bases beyond them.
    fn block(&mut self, scored: &[(&Call, &Variant)], margin: u64) -> Result<ReferenceBlock> {
        let starts = scored.iter().map(|(_, variant)| variant.start);
        let ends = scored
            .iter()
            .map(|(_, variant)| variant.start + variant.reference.len() as u64);
        let start = starts.min().unwrap_or(0).saturating_sub(margin);
        let end = ends.max().unwrap_or(0) + margin;
        let contig = scored.first().map_or("", |(_, variant)| &variant.contig);
        Ok(self.reference.block(contig, start, end)?)
    }

    fn encode_for_gatk(
        &mut self,
        scored: &[(&Call, &Variant)],
        with_reads: bool,
        names: &[String],
        inputs: &Inputs,
    ) -> Result<Vec<EncodedSite>> {
        // A window reaches half its width behind POS, at contig starts up to a whole one.
        let block = self.block(scored, 2 * WINDOW as u64)?;
        let contig = &scored[0].1.contig;
        let mut of_samples = Vec::new();
        if with_reads {
            let variants = || scored.iter().map(|(_, variant)| *variant);
            let mut pileups: Vec<Pileup> = (inputs.samples.iter())
                .map(|_| Pileup::new(variants(), READ_LIMIT))
                .collect();
            self.sweep(contig, &mut pileups)?;
            of_samples = pileups.into_iter().map(Pileup::into_reads).collect();
        }
        scored
            .iter()
            .enumerate()
            .map(|(at, (call, variant))| {
                check_reference(call, variant, &block, inputs)?;
                let (annotations, missing) = annotations::encode(&call.record, names);
                let kind = gatk_kind(variant);
                let piled: Vec<&PiledReads> = of_samples.iter().map(|reads| &reads[at]).collect();
                let tensors = if with_reads {
                    let encode = |piled: &&PiledReads| {
                        SiteTensor::Reads(ReadTensor::encode(variant, &piled.reads, &block))
                    };
                    piled.iter().map(encode).collect()
                } else {
                    vec![SiteTensor::Reference(ReferenceTensor::encode(
                        variant, &block,
                    ))]
                };
                let depth = piled.iter().map(|piled| piled.seen).max();
                Ok(EncodedSite {
                    reads: depth,
                    alternates: variant.alternates.len(),
                    without_annotations: missing == annotations.len(),
                    is_sampled: depth.is_some_and(|depth| depth > READ_LIMIT as u64),
                    kind,
                    alleles: tensors
                        .into_iter()
                        .enumerate()
                        .map(|(sample, tensor)| EncodedAllele {
                            sample,
                            alternate: None,
                            kind,
                            example: Example {
                                tensor,
                                annotations: annotations.clone(),
                            },
                        })
                        .collect(),
                })
            })
            .collect()
    }

    fn encode_alleles(
        &mut self,
        scored: &[(&Call, &Variant)],
        with_reads: bool,
        sources: &[AnnotationSource],
        inputs: &Inputs,
    ) -> Result<Vec<EncodedSite>> {
        let margin = landscape::REACH as u64 + 2 * read_set::MARGIN as u64 + WINDOW as u64;
        let block = self.block(scored, margin)?;
        // One entry an ALT that is spelled in bases and changes something.
        let mut alleles: Vec<(usize, usize, Edit, Haplotypes)> = Vec::new();
        for (at, (call, variant)) in scored.iter().enumerate() {
            check_reference(call, variant, &block, inputs)?;
            for (alternate, bases) in variant.alternates.iter().enumerate() {
                if Variant::is_sequence(bases)
                    && let Some(edit) = Edit::trimmed(variant.start, &variant.reference, bases)
                {
                    let haplotypes = Haplotypes::new(&edit, &block);
                    alleles.push((at, alternate, edit, haplotypes));
                }
            }
        }
        let mut surveys = Vec::new();
        if with_reads {
            let cores: Vec<(i64, i64)> = alleles.iter().map(|allele| allele.3.core).collect();
            surveys = (inputs.samples.iter())
                .map(|_| ReadCollector::new(&cores, read_set::MARGIN, SAMPLE_LIMIT, &block))
                .collect();
            let contig = &scored[0].1.contig;
            self.sweep(contig, &mut surveys)?;
        }
        let of_samples: Vec<(Vec<PiledReads>, LocalContext)> = surveys
            .into_iter()
            .map(|mut survey| {
                survey.landscape.finish();
                (survey.pileup.into_reads(), survey.landscape)
            })
            .collect();
        let mut sites: Vec<EncodedSite> = scored
            .iter()
            .map(|(_, variant)| EncodedSite {
                alleles: Vec::new(),
                alternates: variant.alternates.len(),
                reads: with_reads.then_some(0),
                without_annotations: true,
                is_sampled: false,
                kind: record_kind(&variant.reference, &variant.alternates),
            })
            .collect();
        for (of_allele, (at, alternate, edit, haplotypes)) in alleles.iter().enumerate() {
            let (call, variant) = scored[*at];
            let count = variant.alternates.len();
            let site = &mut sites[*at];
            let kind = if edit.is_indel() {
                VariantKind::Indel
            } else {
                VariantKind::Snp
            };
            for (slot, sample) in inputs.samples.iter().enumerate() {
                let annotations =
                    annotations::of_allele(&call.record, sources, *alternate, count, sample.column);
                site.without_annotations &= annotations.iter().all(|value| value.is_nan());
                let set = match of_samples.get(slot) {
                    Some((piled, landscape)) => {
                        let piled = &piled[of_allele];
                        site.reads = site.reads.max(Some(piled.seen));
                        site.is_sampled |= piled.seen > SAMPLE_LIMIT as u64;
                        AlleleTensor::encode(
                            edit,
                            haplotypes,
                            count,
                            &piled.reads,
                            landscape,
                            inputs.depths[slot],
                            &block,
                        )
                    }
                    None => AlleleTensor::encode_reference(edit, count, &block),
                };
                site.alleles.push(EncodedAllele {
                    sample: slot,
                    alternate: Some(*alternate),
                    kind,
                    example: Example {
                        tensor: SiteTensor::Allele(set),
                        annotations,
                    },
                });
            }
        }
        Ok(sites)
    }

    /// The call's place and alleles, or why it is not scored.
    fn locate(&self, call: &Call, inputs: &Inputs) -> Result<Result<Variant, Skip>> {
        let Some(variant) = call.record.variant() else {
            return Ok(Err(Skip::Telomere));
        };
        if let Err(skip) = scorable(&variant) {
            return Ok(Err(skip));
        }
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
            .any(|table| table.get(&variant.contig).is_some());
        if inputs.encoder.uses_reads() && !in_reads {
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
