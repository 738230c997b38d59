//! A call whose reads are changed to see what the network makes of it.
//!
//! Reads are changed as a file has them, and encoded again: so what is derived from them (who supports which allele, depth,
//! mismatches) follows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::io::alignment::fnv1a;
use cnnfilter_core::encode::{EncodedAllele, Encoder, Outcome, SampleInput, encode_record};
use cnnfilter_core::genome::cigar::{Cigar, CigarBlock, CigarOp};
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
    /// Share of the fragments over the call that carry the ALT, 0 to 1, the others REF. Of an insertion or deletion reads that
    /// are clipped at it go.
    pub implant: Option<f64>,
    /// Bases that are written into reads.
    pub bases: Vec<BaseEdit>,
    /// Another ALT in the place of the call's, without annotations, which are about that one; nothing for the call's own.
    pub alternate: Option<String>,
    /// The caller's annotations are taken away.
    pub without_annotations: bool,
    /// Channels that the network does not see, as [`cnnfilter_core::networks::Model::channels`] names them.
    pub without_channels: Vec<String>,
}

/// A base that is written into a read.
#[derive(Debug, Clone, Deserialize)]
pub struct BaseEdit {
    /// Name of the read.
    pub name: String,
    /// Its strand, which tells it from its mate.
    pub reverse: bool,
    /// The position, from 1, where the read has a base.
    pub position: i64,
    /// A, C, G or T.
    pub base: char,
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

/// A call after its changes.
pub(crate) struct Edited {
    pub(crate) record: VcfRecord,
    pub(crate) variant: Variant,
    pub(crate) allele: EncodedAllele,
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
    /// An ALT that is none, or a change that leaves no call.
    pub(crate) fn edited(&self, encoder: &Encoder, edits: &Edits) -> Result<Edited> {
        let (record, variant) = match &edits.alternate {
            Some(alternate) => self.with_alternate(alternate.as_bytes())?,
            None => (self.record.clone(), self.variant.clone()),
        };
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
        let alleles = Alleles {
            start: variant.start as i64,
            reference: &variant.reference,
            alternate: (variant.alternates.get(self.at())).map_or(&[], Vec::as_slice),
        };
        if let Some(share) = edits.implant {
            self.implant(&mut reads, &alleles, share);
        }
        for edit in &edits.bases {
            write_base(&mut reads, edit);
        }
        for read in &mut reads {
            for quality in &mut read.qualities {
                *quality = (i16::from(*quality) + edits.quality).clamp(2, 93) as u8;
            }
            if let Some(quality) = edits.mapping_quality {
                read.mapping_quality = quality;
            }
            turn(read, &alleles, edits.strand);
        }
        let made = encode_record(encoder, &record, self.sample, &reads, &self.block)?;
        let Outcome::Encoded(site) = made else {
            bail!("the call cannot be scored so");
        };
        let is_same = |allele: &EncodedAllele| allele.alternate == self.allele.alternate;
        let mut allele = site
            .alleles
            .into_iter()
            .find(is_same)
            .context("no such ALT")?;
        if edits.without_annotations || edits.alternate.is_some() {
            allele.example.annotations.fill(f32::NAN);
        }
        Ok(Edited {
            record,
            variant,
            allele,
        })
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

    /// Index of the ALT that is edited.
    fn at(&self) -> usize {
        self.allele.alternate.unwrap_or(0)
    }

    /// The record with another ALT in the place of the one that is edited.
    ///
    /// # Errors
    /// An ALT that is not spelled in bases, or that the record has already.
    fn with_alternate(&self, alternate: &[u8]) -> Result<(VcfRecord, Variant)> {
        let is_spelled =
            !alternate.is_empty() && alternate.iter().all(|base| b"ACGT".contains(base));
        let alleles = std::iter::once(&self.variant.reference).chain(&self.variant.alternates);
        if !is_spelled {
            bail!("an ALT is spelled with A, C, G and T");
        }
        if alleles
            .clone()
            .any(|allele| allele.eq_ignore_ascii_case(alternate))
        {
            bail!("the call has this allele already");
        }
        let mut alternates = self.variant.alternates.clone();
        if let Some(one) = alternates.get_mut(self.at()) {
            *one = alternate.to_vec();
        }
        let mut line = Vec::new();
        self.record.write_to(&mut line);
        line.pop_if(|last| *last == b'\n');
        let mut columns: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        let text = alternates.join(&b","[..]);
        if let Some(column) = columns.get_mut(4) {
            *column = &text;
        }
        let record = VcfRecord::parse(columns.join(&b"\t"[..]), columns.len())?;
        let variant = record.variant().context("the record has no place")?;
        Ok((record, variant))
    }

    /// Writes the ALT into a share of the fragments over the call, and REF into the others. Reads that cannot be written and
    /// may show an allele go.
    fn implant(&self, reads: &mut Vec<AlignedRead>, alleles: &Alleles<'_>, share: f64) {
        reads.retain(|read| alleles.is_over(read) || !alleles.is_broken_by(read));
        let over = reads.iter().filter(|read| alleles.is_over(read));
        let carriers = self.chosen(over, share);
        for read in reads {
            let allele = match carriers.contains(&read.name) {
                true => alleles.alternate,
                false => alleles.reference,
            };
            if alleles.is_over(read) {
                alleles.write(read, allele, &self.block);
            }
        }
    }
}

/// REF and the ALT of a call.
struct Alleles<'a> {
    /// 0-based position of REF's first base.
    start: i64,
    reference: &'a [u8],
    alternate: &'a [u8],
}

impl Alleles<'_> {
    /// One past the last base of REF.
    fn end(&self) -> i64 {
        self.start + self.reference.len() as i64
    }

    /// The bases of a read that stand for the call. Of an allele that replaces bases the read must have all of them
    /// aligned, of others the bases on both sides.
    fn place(&self, read: &AlignedRead) -> Option<Range<usize>> {
        let aligned = |position: i64| {
            let mut blocks = read.cigar.blocks(read.start).filter(CigarBlock::is_aligned);
            let block = blocks.find(|block| block.reference().contains(&position))?;
            Some((block.read_index(position), block))
        };
        let (from, block) = aligned(self.start)?;
        let to = if self.reference.len() == self.alternate.len() {
            (self.end() <= block.reference().end).then_some(from + self.reference.len())?
        } else {
            aligned(self.end())?.0
        };
        (to <= read.bases.len() && read.qualities.len() == read.bases.len()).then_some(from..to)
    }

    /// True for an insertion or deletion that may be why a read is clipped or has a gap.
    fn is_broken_by(&self, read: &AlignedRead) -> bool {
        let around = self.start - self.reach()..self.end() + self.reach();
        let mut blocks = read.cigar.blocks(read.start);
        self.reference.len() != self.alternate.len()
            && blocks.any(|block| !block.is_aligned() && around.contains(&block.position))
    }

    /// True for a read into which an allele can be written.
    fn is_over(&self, read: &AlignedRead) -> bool {
        if self.reference.len() == self.alternate.len() {
            return self.place(read).is_some();
        }
        let (lead, trail) = soft_clips(&read.cigar);
        let is_anchored = read.start <= self.start || read.end() > self.end();
        let covered = read.start - lead as i64..read.end() + trail as i64;
        is_anchored
            && covered.contains(&self.start)
            && covered.contains(&self.end())
            && read.qualities.len() == read.bases.len()
    }

    /// Writes an allele of the call into a read that is [over](Self::is_over) it. The read keeps its length and one of its ends
    /// its place. Around an insertion or deletion, where an aligner may have hidden the other allele in gaps, clips and
    /// mismatches, the read gets the bases of the reference; beyond, it keeps its own where they are aligned.
    fn write(&self, read: &mut AlignedRead, allele: &[u8], block: &ReferenceBlock) {
        let allele = allele.to_ascii_uppercase();
        if self.reference.len() == self.alternate.len() {
            if let Some(place) = self.place(read) {
                read.bases[place].copy_from_slice(&allele);
            }
            return;
        }
        let (lead, trail) = soft_clips(&read.cigar);
        let holds_left = read.start <= self.start;
        // One clip stays; the bases of the other one are aligned anew.
        let count = read.bases.len() - if holds_left { lead } else { trail };
        let enough = (count + self.reference.len()) as i64;
        let stretch = match holds_left {
            true => read.start..read.start + enough,
            false => (read.end() - enough).max(0)..read.end(),
        };
        let own = self.own_bases(read);
        let base = |position: i64| {
            let known = own.get(&position).copied();
            let at = position as u64;
            let of_reference = || block.slice(at..at + 1).first().copied();
            known
                .or_else(of_reference)
                .unwrap_or(b'N')
                .to_ascii_uppercase()
        };
        let shared = allele.len().min(self.reference.len());
        let of_allele = allele.iter().enumerate().map(|(step, base)| {
            let position = (step < shared).then_some(self.start + step as i64);
            (position, *base)
        });
        let mut haplotype: Vec<(Option<i64>, u8)> = Vec::new();
        haplotype.extend((stretch.start..self.start).map(|at| (Some(at), base(at))));
        haplotype.extend(of_allele);
        haplotype.extend((self.end()..stretch.end).map(|at| (Some(at), base(at))));
        let first = match holds_left {
            true => 0,
            false => haplotype.len().saturating_sub(count),
        };
        let taken = haplotype.get(first..first + count).unwrap_or_default();
        if let (Some(start), true) = (taken.iter().find_map(|(at, _)| *at), taken.len() == count) {
            let bases = taken.iter().map(|(_, base)| *base);
            let at = if holds_left { lead } else { 0 };
            read.bases.splice(at..at + count, bases);
            read.cigar = cigar(taken, if holds_left { (lead, 0) } else { (0, trail) });
            read.start = start;
        }
    }

    /// The aligned bases of a read by position, away from the call.
    fn own_bases(&self, read: &AlignedRead) -> BTreeMap<i64, u8> {
        let reach = self.reach() + HIDDEN;
        let around = self.start - reach..self.end() + reach;
        let blocks = read.cigar.blocks(read.start).filter(CigarBlock::is_aligned);
        let places = blocks.flat_map(|block| {
            let positions = block.reference();
            positions.map(move |position| (position, block.read_index(position)))
        });
        places
            .filter(|(position, _)| !around.contains(position))
            .filter_map(|(position, at)| Some((position, *read.bases.get(at)?)))
            .collect()
    }

    /// Bases of the longer allele.
    fn reach(&self) -> i64 {
        self.reference.len().max(self.alternate.len()) as i64
    }
}

/// Bases of the soft clips at the left and the right end.
fn soft_clips(cigar: &Cigar) -> (usize, usize) {
    let clipped =
        |(op, count): &(CigarOp, u32)| (*op == CigarOp::SoftClip).then_some(*count as usize);
    let is_soft = |(op, _): &&(CigarOp, u32)| *op != CigarOp::HardClip;
    let ops = cigar.ops();
    let lead = ops.iter().find(is_soft).and_then(clipped);
    let trail = ops.iter().rev().find(is_soft).and_then(clipped);
    (lead.unwrap_or(0), trail.unwrap_or(0))
}

/// The CIGAR of bases at positions, or without where they are inserted, between two clips.
fn cigar(bases: &[(Option<i64>, u8)], (lead, trail): (usize, usize)) -> Cigar {
    let mut ops: Vec<(CigarOp, u32)> = Vec::new();
    push(&mut ops, CigarOp::SoftClip, lead as u32);
    let mut next = None;
    for (position, _) in bases {
        let Some(position) = *position else {
            push(&mut ops, CigarOp::Insertion, 1);
            continue;
        };
        let gap = next.map_or(0, |next| position - next);
        push(&mut ops, CigarOp::Deletion, gap as u32);
        push(&mut ops, CigarOp::Match, 1);
        next = Some(position + 1);
    }
    push(&mut ops, CigarOp::SoftClip, trail as u32);
    Cigar(ops)
}

/// Bases beyond an insertion or deletion in which an aligner may hide it, as mismatches near an end of a read.
const HIDDEN: i64 = 12;

/// Adds an operation, or makes the last one longer.
fn push(ops: &mut Vec<(CigarOp, u32)>, op: CigarOp, count: u32) {
    match ops.last_mut() {
        _ if count == 0 => {}
        Some((last, length)) if *last == op => *length += count,
        _ => ops.push((op, count)),
    }
}

/// Writes a base into the read that is meant.
fn write_base(reads: &mut [AlignedRead], edit: &BaseEdit) {
    let (name, position) = (fnv1a(edit.name.as_bytes()), edit.position - 1);
    for read in reads {
        if read.name != name || read.flags.is_reverse() != edit.reverse {
            continue;
        }
        let mut blocks = read.cigar.blocks(read.start).filter(CigarBlock::is_aligned);
        let block = blocks.find(|block| block.reference().contains(&position));
        let at = block.map(|block| block.read_index(position));
        if let Some(base) = at.and_then(|at| read.bases.get_mut(at)) {
            *base = edit.base.to_ascii_uppercase() as u8;
        }
    }
}

fn turn(read: &mut AlignedRead, alleles: &Alleles<'_>, strand: Strand) {
    const REVERSE: u16 = 0x10;
    match strand {
        Strand::Kept => {}
        Strand::Flipped => read.flags.0 ^= REVERSE,
        Strand::One => {
            let carried = alleles.place(read).and_then(|place| read.bases.get(place));
            if carried.is_some_and(|bases| bases.eq_ignore_ascii_case(alleles.alternate)) {
                read.flags.0 &= !REVERSE;
            }
        }
    }
}
