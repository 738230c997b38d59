//! A call whose reads are changed to see what the network makes of it.
//!
//! Reads are changed as a file has them, and encoded again: so what is derived from them (who supports which allele, depth,
//! mismatches) follows.

use std::collections::BTreeSet;
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
    /// Share of the fragments over the call that carry the ALT, 0 to 1, the others REF.
    pub implant: Option<f64>,
    /// Bases that are written into reads.
    pub bases: Vec<BaseEdit>,
    /// Another ALT in the place of the call's; nothing for the call's own.
    pub alternate: Option<String>,
    /// The caller's annotations are taken away.
    pub without_annotations: bool,
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
        if edits.without_annotations {
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

    /// Writes the ALT into a share of the fragments over the call, and REF into the others.
    fn implant(&self, reads: &mut [AlignedRead], alleles: &Alleles<'_>, share: f64) {
        let over = reads.iter().filter(|read| alleles.place(read).is_some());
        let carriers = self.chosen(over, share);
        for read in reads {
            let allele = match carriers.contains(&read.name) {
                true => alleles.alternate,
                false => alleles.reference,
            };
            if let Some(place) = alleles.place(read) {
                alleles.write(read, place, allele, &self.block);
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

    /// Writes an allele of the call into a read, at its [`Self::place`]. The read keeps its length: what the allele inserts
    /// falls off at the read's right end, what it deletes comes from the reference there.
    fn write(
        &self,
        read: &mut AlignedRead,
        place: Range<usize>,
        allele: &[u8],
        block: &ReferenceBlock,
    ) {
        let allele = allele.to_ascii_uppercase();
        if self.reference.len() == self.alternate.len() {
            read.bases[place].copy_from_slice(&allele);
            return;
        }
        let (length, quality) = (read.bases.len(), read.qualities[place.start]);
        let mut ops: Vec<(CigarOp, u32)> = Vec::new();
        for part in read.cigar.blocks(read.start) {
            // What lies in front of the call.
            let before = match part.is_aligned() {
                true => (self.start - part.position).clamp(0, i64::from(part.count)) as u32,
                false if part.position <= self.start && part.at <= place.start => part.count,
                false => 0,
            };
            push(&mut ops, part.op, before);
        }
        let shared = allele.len().min(self.reference.len());
        push(&mut ops, CigarOp::Match, shared as u32);
        push(&mut ops, CigarOp::Insertion, (allele.len() - shared) as u32);
        push(
            &mut ops,
            CigarOp::Deletion,
            (self.reference.len() - shared) as u32,
        );
        for part in read.cigar.blocks(read.start) {
            let behind = match part.is_aligned() {
                true => (part.reference().end - self.end()).clamp(0, i64::from(part.count)) as u32,
                false if part.position >= self.end() && part.at >= place.end => part.count,
                false => 0,
            };
            push(&mut ops, part.op, behind);
        }
        let mut qualities = read.qualities[place.clone()].to_vec();
        qualities.resize(allele.len(), quality);
        read.bases.splice(place.clone(), allele);
        read.qualities.splice(place, qualities);
        read.cigar = Cigar(ops);
        cut(read, length);
        fill(read, length, block);
    }
}

/// Adds an operation, or makes the last one longer.
fn push(ops: &mut Vec<(CigarOp, u32)>, op: CigarOp, count: u32) {
    match ops.last_mut() {
        _ if count == 0 => {}
        Some((last, length)) if *last == op => *length += count,
        _ => ops.push((op, count)),
    }
}

/// Takes bases beyond `length` off the right end of a read.
fn cut(read: &mut AlignedRead, length: usize) {
    let mut left = read.bases.len().saturating_sub(length) as u32;
    read.bases.truncate(length);
    read.qualities.truncate(length);
    while left > 0 {
        let Some((op, count)) = read.cigar.0.pop() else {
            return;
        };
        if op.consumes_read() {
            let kept = count.saturating_sub(left);
            left -= count - kept;
            push(&mut read.cigar.0, op, kept);
        }
    }
    // A gap at the end is none.
    let is_gap = |(op, _): &mut (CigarOp, u32)| !op.consumes_read() && op.consumes_reference();
    while read.cigar.0.pop_if(is_gap).is_some() {}
}

/// Makes a read as long as `length` with bases of the reference, where its right end is aligned.
fn fill(read: &mut AlignedRead, length: usize, block: &ReferenceBlock) {
    let missing = length.saturating_sub(read.bases.len());
    let end = read.end();
    let Some((CigarOp::Match | CigarOp::Equal | CigarOp::Diff, count)) = read.cigar.0.last_mut()
    else {
        return;
    };
    let Ok(end) = u64::try_from(end) else {
        return;
    };
    let more = block.slice(end..end + missing as u64).to_ascii_uppercase();
    *count += more.len() as u32;
    let quality = read.qualities.last().copied().unwrap_or(0);
    read.qualities
        .resize(read.qualities.len() + more.len(), quality);
    read.bases.extend(more);
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
