//! A call whose reads are changed to see what the network makes of it.
//!
//! Reads are changed as a file has them, and encoded again: so what is derived from them (who supports which allele, depth,
//! mismatches) follows.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::io::alignment::fnv1a;
use cnnfilter_core::encode::{EncodedAllele, Encoder, Outcome, SampleInput, encode_record};
use cnnfilter_core::genome::cigar::CigarBlock;
use cnnfilter_core::genome::{AlignedRead, ReadSink, ReferenceBlock, Span, Variant};
use cnnfilter_core::vcf::VcfRecord;

/// Changes to the reads of a call. The default changes nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Edits {
    /// Names of reads that are switched off, with their mates.
    pub off: Vec<String>,
    /// Share of the fragments that stays, 0 to 1; nothing for all.
    pub keep: Option<f64>,
    /// Added to the quality of each base.
    pub quality: i16,
    /// Mapping quality of all reads.
    pub mapping_quality: Option<u8>,
    /// Strands.
    pub strand: Strand,
    /// Share of the fragments over the call that carry the ALT, 0 to 1, the others REF.
    pub implant: Option<f64>,
    /// The caller's annotations are taken away.
    pub without_annotations: bool,
}

/// Strands of reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strand {
    /// As they are.
    #[default]
    Kept,
    /// Each read on the other one.
    Flipped,
    /// Reads with the ALT on the forward one, as an artefact of one strand has them.
    One,
}

/// A record with its reads in memory.
pub(crate) struct Sandbox {
    pub(crate) record: VcfRecord,
    pub(crate) variant: Variant,
    pub(crate) allele: EncodedAllele,
    pub(crate) sample: SampleInput,
    pub(crate) reads: Vec<AlignedRead>,
    pub(crate) block: ReferenceBlock,
}

/// Takes the reads of a span.
pub(crate) struct Gatherer {
    pub(crate) span: Option<Span>,
    pub(crate) reads: Vec<AlignedRead>,
}

impl ReadSink for Gatherer {
    fn span(&self) -> Option<Span> {
        self.span
    }

    fn offer(&mut self, _: i64, _: i64, make: impl FnOnce() -> AlignedRead) {
        self.reads.push(make());
    }

    fn calls_over(&self, _: i64, _: i64) -> u64 {
        1
    }
}

impl Sandbox {
    /// The call with changed reads.
    ///
    /// # Errors
    /// An implant of an allele that inserts or deletes bases, or a change that leaves no call.
    pub(crate) fn edited(&self, encoder: &Encoder, edits: &Edits) -> Result<EncodedAllele> {
        let mut reads = self.reads.clone();
        let off: BTreeSet<u64> = edits
            .off
            .iter()
            .map(|name| fnv1a(name.as_bytes()))
            .collect();
        reads.retain(|read| !off.contains(&read.name));
        if let Some(share) = edits.keep {
            let kept = self.chosen(reads.iter(), share);
            reads.retain(|read| kept.contains(&read.name));
        }
        if let Some(share) = edits.implant {
            self.implant(&mut reads, share)?;
        }
        for read in &mut reads {
            for quality in &mut read.qualities {
                *quality = (i16::from(*quality) + edits.quality).clamp(2, 93) as u8;
            }
            if let Some(quality) = edits.mapping_quality {
                read.mapping_quality = quality;
            }
            self.turn(read, edits.strand);
        }
        let made = encode_record(encoder, &self.record, self.sample, &reads, &self.block)?;
        let Outcome::Encoded(site) = made else {
            bail!("the call cannot be scored so");
        };
        let is_same = |allele: &EncodedAllele| allele.alternate == self.allele.alternate;
        let mut allele = site
            .alleles
            .into_iter()
            .find(is_same)
            .context("no such ALT")?;
        if edits.without_annotations {
            allele.example.annotations.fill(f32::NAN);
        }
        Ok(allele)
    }

    /// Names of a share of the fragments, whichever their order.
    fn chosen<'a>(
        &self,
        reads: impl Iterator<Item = &'a AlignedRead>,
        share: f64,
    ) -> BTreeSet<u64> {
        let names: BTreeSet<u64> = reads.map(|read| read.name).collect();
        let mut scrambled: Vec<(u64, u64)> = names
            .into_iter()
            .map(|name| {
                (
                    name.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17),
                    name,
                )
            })
            .collect();
        scrambled.sort_unstable();
        scrambled.truncate((share * scrambled.len() as f64).round() as usize);
        scrambled.into_iter().map(|(_, name)| name).collect()
    }

    /// The ALT that is edited.
    fn alternate(&self) -> &[u8] {
        let at = self.allele.alternate.unwrap_or(0);
        self.variant.alternates.get(at).map_or(&[], Vec::as_slice)
    }

    /// Writes the ALT into a share of the fragments over the call, and REF into the others.
    fn implant(&self, reads: &mut [AlignedRead], share: f64) -> Result<()> {
        let (reference, alternate) = (&self.variant.reference, self.alternate());
        if reference.len() != alternate.len() {
            bail!(
                "only an allele that replaces bases can be implanted, not one that inserts or deletes them"
            );
        }
        let over = reads.iter().filter(|read| self.place(read).is_some());
        let carriers = self.chosen(over, share);
        for read in reads {
            if let Some(at) = self.place(read) {
                let bases = if carriers.contains(&read.name) {
                    alternate
                } else {
                    reference
                };
                read.bases[at..at + bases.len()].copy_from_slice(&bases.to_ascii_uppercase());
            }
        }
        Ok(())
    }

    /// The place in a read of the call's first base, where all its bases are aligned.
    fn place(&self, read: &AlignedRead) -> Option<usize> {
        let (start, length) = (
            self.variant.start as i64,
            self.variant.reference.len() as i64,
        );
        let mut blocks = read.cigar.blocks(read.start).filter(CigarBlock::is_aligned);
        let block = blocks.find(|block| {
            let covered = block.reference();
            covered.start <= start && start + length <= covered.end
        })?;
        let at = block.at + (start - block.reference().start) as usize;
        (at + length as usize <= read.bases.len()).then_some(at)
    }

    fn turn(&self, read: &mut AlignedRead, strand: Strand) {
        const REVERSE: u16 = 0x10;
        match strand {
            Strand::Kept => {}
            Strand::Flipped => read.flags.0 ^= REVERSE,
            Strand::One => {
                let alternate = self.alternate();
                let carried = self
                    .place(read)
                    .and_then(|at| read.bases.get(at..at + alternate.len()));
                if carried.is_some_and(|bases| bases.eq_ignore_ascii_case(alternate)) {
                    read.flags.0 &= !REVERSE;
                }
            }
        }
    }
}
