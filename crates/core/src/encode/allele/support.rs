//! Which allele a read supports.
//!
//! Callers that reassemble (HaplotypeCaller, freebayes) find indels whose reads the aligner left
//! as soft clips, shifted gaps or mismatches. So a read is not asked for its CIGAR: it is laid
//! along the reference and along the reference with the allele written into it, and supports the
//! one it fits better.
//!
//! An allele of more than 30 bases is longer than reads are. There the whole read is compared with
//! both haplotypes, each reaching as far as the other, and a deletion is looked for at its ends.

use crate::genome::repeat::tandem_repeat;
use crate::genome::{AlignedRead, CigarOp, Edit, ReferenceBlock, Span};

/// Bases of reference on either side of the change and of the repeat it stands in.
const FLANK: u64 = 40;
/// Most bases that an allele deletes or inserts and is still looked at as a whole.
const LONG: u64 = 30;
/// Bases of reference on either side of a long allele, where there are as many: a read that reaches the
/// change lies on them with all its bases.
const LONG_FLANK: u64 = 400;
/// Bases on either side of a long insertion's place that a read across it has at least.
const ACROSS: i64 = 10;
/// Longest stretch of a repeat that is looked at on either side, in bases.
const MAX_REPEAT: u64 = 60;
/// Natural-log likelihood of one unit of phred.
const PER_PHRED: f32 = std::f32::consts::LN_10 / 10.0;
/// Qualities above count as this: beyond, errors of the library outweigh those of the base call.
const QUALITY_CAP: u8 = 40;
/// Bases below this quality say nothing.
const QUALITY_FLOOR: u8 = 6;
/// Cost of opening a gap in a realignment, and of each base more.
const GAP_OPEN: f32 = 35.0 * PER_PHRED;
const GAP_EXTEND: f32 = 3.0 * PER_PHRED;
/// An ungapped fit that costs less than this is not realigned: about two bases of good quality.
const GOOD_FIT: f32 = 60.0 * PER_PHRED;
/// Diagonals tried on either side of the read's own in a realignment.
const BAND: i64 = 8;
/// Widest band of a realignment, in diagonals; reads that would need more keep their ungapped fit.
const MAX_BAND: i64 = 96;
/// Difference of log likelihoods from which on a read takes sides: odds of 20 to 1.
pub const DECISIVE: f32 = 3.0;
/// Largest difference that is believed of one read.
pub const MAX_LOG_RATIO: f32 = 20.0;

/// The allele that a read supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It fits the allele better.
    Alternate,
    /// It fits the reference better.
    Reference,
    /// It fits neither, or both alike.
    Neither,
}

/// The alleles that a read supports, as a tensor holds it: one, or none of the two. Made-up tensors
/// of test vectors may have both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Supports {
    /// It supports the allele.
    pub alternate: bool,
    /// It supports the reference.
    pub reference: bool,
}

impl From<Side> for Supports {
    fn from(side: Side) -> Self {
        Self {
            alternate: side == Side::Alternate,
            reference: side == Side::Reference,
        }
    }
}

impl Supports {
    /// The side it stands for.
    pub fn side(self) -> Side {
        match self {
            Self {
                alternate: true, ..
            } => Side::Alternate,
            Self {
                reference: true, ..
            } => Side::Reference,
            _ => Side::Neither,
        }
    }
}

/// How a read fits the two haplotypes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Support {
    /// ln P(read | ALT) - ln P(read | REF), within ±[`MAX_LOG_RATIO`].
    pub log_ratio: f32,
    /// Cost of the better fit in natural-log units, 0 for a perfect one.
    pub misfit: f32,
    /// The side it takes.
    pub side: Side,
}

/// The two haplotypes around one change.
#[derive(Debug, Clone)]
pub struct Haplotypes {
    /// 0-based position of the first base of both.
    start: i64,
    reference: Vec<u8>,
    alternate: Vec<u8>,
    /// The change, where it replaces a few bases one for one.
    substitution: Option<Edit>,
    /// True where the change is long.
    is_long: bool,
    /// The first and the last deleted base, each with the repeat it stands in, where many are deleted.
    ends: Option<[Span; 2]>,
    /// The change and the repeat it stands in.
    pub core: Span,
}

impl Haplotypes {
    /// Writes `edit` into the reference of `block`.
    pub fn new(edit: &Edit, block: &ReferenceBlock) -> Self {
        let (mut first, mut last) = (edit.start, edit.end());
        if edit.is_indel() {
            let from = edit.start.saturating_sub(MAX_REPEAT);
            let around = block.slice(from..edit.end() + MAX_REPEAT);
            let lowest = from.max(block.start());
            let before = edit.start.saturating_sub(lowest + 1) as usize;
            if let Some(repeat) = tandem_repeat(around, before) {
                first = first.min(lowest + repeat.span.start as u64);
                last = last.max(lowest + repeat.span.end as u64);
            }
        }
        let is_long = edit.deleted.max(edit.inserted.len() as u64) > LONG;
        let flank = if is_long { LONG_FLANK } else { FLANK };
        let start = first.saturating_sub(flank).max(block.start());
        let reference = block.slice(start..last + flank).to_vec();
        let cut = |position: u64| (position.saturating_sub(start) as usize).min(reference.len());
        let mut alternate = reference[..cut(edit.start)].to_vec();
        alternate.extend_from_slice(&edit.inserted);
        alternate.extend_from_slice(&reference[cut(edit.end())..]);
        Self {
            start: start as i64,
            reference,
            alternate,
            substitution: (!edit.is_indel() && !is_long).then(|| edit.clone()),
            is_long,
            ends: (edit.deleted > LONG).then(|| {
                let (start, end) = (edit.start as i64, edit.end() as i64);
                [
                    Span::new(first as i64, start + 1),
                    Span::new(end - 1, last as i64),
                ]
            }),
            core: Span::new(first as i64, last as i64),
        }
    }

    /// The place of the change in a read: all of it, or the end of a long deletion that the read is nearer to.
    pub fn place(&self, read: &AlignedRead) -> Span {
        let Some([first, last]) = self.ends else {
            return self.core;
        };
        let (start, end) = (read.start, read.end());
        let distance = |place: Span| (start - place.end).max(place.start - end).max(0);
        if distance(last) < distance(first) {
            last
        } else {
            first
        }
    }

    /// True for a read that is counted. A read that fits the reference between the ends of a long
    /// deletion, or at its last one, is not: reads that fit the allele lie at one place, and so it is with these.
    pub fn counts(&self, read: &AlignedRead, side: Side, margin: i64) -> bool {
        let Some([first, _]) = self.ends else {
            return true;
        };
        side == Side::Alternate || first.grown(margin).overlaps(read.start, read.end())
    }

    /// How a read fits them.
    pub fn support(&self, read: &AlignedRead) -> Support {
        match &self.substitution {
            Some(edit) => {
                let at = (edit.start as i64 - self.start) as usize;
                let replaced = self.reference.get(at..).unwrap_or(&[]);
                support_of_substitution(edit, replaced, read)
            }
            None => self.support_of_indel(read),
        }
    }

    fn support_of_indel(&self, read: &AlignedRead) -> Support {
        let none = Support {
            log_ratio: 0.0,
            misfit: 0.0,
            side: Side::Neither,
        };
        if read.bases.is_empty() || read.cigar.is_empty() {
            return none;
        }
        let (left, right) = diagonals(read);
        let (left, right) = (left - self.start, right - self.start);
        let grown = self.alternate.len() as i64 - self.reference.len() as i64;
        if self.is_long {
            let reference = whole_fit(read, &self.reference, [left, right]);
            let alternate = whole_fit(read, &self.alternate, [left, right + grown]);
            return match (reference, alternate) {
                (Some(reference), Some(alternate)) => {
                    self.or_reference(concluded(reference, alternate), read)
                }
                _ => none,
            };
        }
        let fit = |haplotype: &[u8], diagonals: [i64; 2]| {
            let costs = diagonals.map(|diagonal| ungapped(read, haplotype, diagonal));
            costs[0].min(costs[1])
        };
        let mut reference = fit(&self.reference, [left, right]);
        let mut alternate = fit(&self.alternate, [left, right + grown]);
        if reference.min(alternate) > GOOD_FIT {
            reference = reference.min(gapped(read, &self.reference, [left, right]));
            alternate = alternate.min(gapped(read, &self.alternate, [left, right + grown]));
        }
        concluded(reference, alternate)
    }
    /// A long insertion that repeats what stands beside it fits reads of the reference as well as that
    /// does. Those across its place do not show it: they take the side of the reference.
    fn or_reference(&self, support: Support, read: &AlignedRead) -> Support {
        let place = self.core.grown(ACROSS);
        let is_across = read.start <= place.start && read.end() >= place.end;
        let is_insertion = self.alternate.len() > self.reference.len();
        if !is_insertion || !is_across || support.side != Side::Neither || support.misfit > GOOD_FIT
        {
            return support;
        }
        Support {
            log_ratio: -DECISIVE,
            side: Side::Reference,
            ..support
        }
    }
}

/// The support that two costs give.
fn concluded(reference: f32, alternate: f32) -> Support {
    let log_ratio = (reference - alternate).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO);
    Support {
        log_ratio,
        misfit: reference.min(alternate),
        side: if log_ratio >= DECISIVE {
            Side::Alternate
        } else if log_ratio <= -DECISIVE {
            Side::Reference
        } else {
            Side::Neither
        },
    }
}

/// Position that the first stored base would have if the read lay without gaps, as its first
/// aligned base has it and as its last one has it.
fn diagonals(read: &AlignedRead) -> (i64, i64) {
    let trailing = read
        .cigar
        .ops()
        .iter()
        .rev()
        .find(|(op, _)| *op != CigarOp::HardClip)
        .filter(|(op, _)| *op == CigarOp::SoftClip)
        .map_or(0, |(_, length)| i64::from(*length));
    let left = read.unclipped_start();
    let right = read.start + read.cigar.reference_len() + trailing - read.bases.len() as i64;
    (left, right)
}

/// Cost of a base that differs; 0 where its quality is too poor.
fn mismatch_cost(quality: u8) -> f32 {
    // 255 stands for no quality at all; such bases count as fair ones.
    let quality = if quality == u8::MAX { 20 } else { quality };
    if quality < QUALITY_FLOOR {
        0.0
    } else {
        f32::from(quality.min(QUALITY_CAP)) * PER_PHRED
    }
}

/// Cost of a read laid on a haplotype without gaps, its first base at `diagonal`. Bases outside
/// the haplotype do not count.
fn ungapped(read: &AlignedRead, haplotype: &[u8], diagonal: i64) -> f32 {
    let from = (-diagonal).clamp(0, read.bases.len() as i64) as usize;
    let to =
        (haplotype.len() as i64 - diagonal).clamp(from as i64, read.bases.len() as i64) as usize;
    let shown = &haplotype[(from as i64 + diagonal).clamp(0, haplotype.len() as i64) as usize..];
    let mut cost = 0.0;
    for ((base, quality), other) in read.bases[from..to]
        .iter()
        .zip(&read.qualities[from..to])
        .zip(shown)
    {
        if base != other && *base != b'N' {
            cost += mismatch_cost(*quality);
        }
    }
    cost
}

/// Cost of a read of which all bases lie on the haplotype by one of these diagonals, without gaps or, where
/// that is bad, with some. Nothing where they do not.
fn whole_fit(read: &AlignedRead, haplotype: &[u8], diagonals: [i64; 2]) -> Option<f32> {
    let most = haplotype.len() as i64 - read.bases.len() as i64;
    let whole = diagonals.into_iter().filter(|at| (0..=most).contains(at));
    let fit = |fit: fn(&AlignedRead, &[u8], i64) -> f32| {
        let costs = whole.clone().map(|at| fit(read, haplotype, at));
        costs.reduce(f32::min)
    };
    let cost = fit(ungapped)?;
    if cost <= GOOD_FIT {
        return Some(cost);
    }
    fit(|read, haplotype, at| gapped(read, haplotype, [at, at])).map(|gapped| gapped.min(cost))
}

/// Cost of the best alignment with gaps, affine, in a band around the two diagonals. The part of
/// the read that lies on the haplotype by either of them is aligned; both ends of the haplotype are
/// free (Gotoh 1982, doi:10.1016/0022-2836(82)90398-9).
fn gapped(read: &AlignedRead, haplotype: &[u8], diagonals: [i64; 2]) -> f32 {
    let lowest = diagonals[0].min(diagonals[1]) - BAND;
    let highest = diagonals[0].max(diagonals[1]) + BAND;
    let width = (highest - lowest + 1) as usize;
    if highest - lowest >= MAX_BAND {
        return f32::INFINITY;
    }
    let length = read.bases.len() as i64;
    // The bases that both diagonals put on the haplotype.
    let from = (-diagonals[0].min(diagonals[1])).clamp(0, length);
    let to = (haplotype.len() as i64 - diagonals[0].max(diagonals[1])).clamp(from, length);
    if to - from < 2 {
        return f32::INFINITY;
    }
    let inf = f32::INFINITY;
    // Per diagonal: the best cost with this base matched, and with the haplotype's base skipped or
    // the read's base inserted.
    let (mut matched, mut deleted, mut inserted) =
        (vec![0.0f32; width], vec![inf; width], vec![inf; width]);
    let mut first = true;
    for at in from..to {
        let (base, cost) = (
            read.bases[at as usize],
            mismatch_cost(read.qualities[at as usize]),
        );
        let mut next_matched = vec![inf; width];
        let mut next_inserted = vec![inf; width];
        for lane in 0..width {
            let place = at + lowest + lane as i64;
            if place >= 0 && place < haplotype.len() as i64 {
                let before = if first {
                    0.0
                } else {
                    matched[lane].min(deleted[lane]).min(inserted[lane])
                };
                let differs = base != haplotype[place as usize] && base != b'N';
                next_matched[lane] = before + if differs { cost } else { 0.0 };
            }
            // An inserted base moves to the diagonal below.
            if !first && lane + 1 < width {
                next_inserted[lane] =
                    (matched[lane + 1] + GAP_OPEN).min(inserted[lane + 1] + GAP_EXTEND);
            }
        }
        // A skipped base of the haplotype moves to the diagonal above, within the same read base.
        let mut next_deleted = vec![inf; width];
        for lane in 1..width {
            next_deleted[lane] =
                (next_matched[lane - 1] + GAP_OPEN).min(next_deleted[lane - 1] + GAP_EXTEND);
        }
        (matched, deleted, inserted) = (next_matched, next_deleted, next_inserted);
        first = false;
    }
    matched.into_iter().chain(inserted).fold(inf, f32::min)
}

/// A substitution is read where the aligner put it, base by base.
fn support_of_substitution(edit: &Edit, replaced: &[u8], read: &AlignedRead) -> Support {
    let (start, end) = (edit.start as i64, edit.end() as i64);
    let (mut reference, mut alternate, mut seen) = (0.0, 0.0, 0);
    for (position, at) in aligned_bases(read, start, end) {
        seen += 1;
        let (base, cost) = (read.bases[at], mismatch_cost(read.qualities[at]));
        if base == b'N' {
            continue;
        }
        let column = (position - start) as usize;
        if replaced.get(column) != Some(&base) {
            reference += cost;
        }
        if edit.inserted[column] != base {
            alternate += cost;
        }
    }
    let mut support = concluded(reference, alternate);
    if seen < end - start {
        support.side = Side::Neither;
    }
    support
}

/// The stored bases that stand over `start..end`, with their positions; gaps and clips have none.
pub fn aligned_bases(
    read: &AlignedRead,
    start: i64,
    end: i64,
) -> impl Iterator<Item = (i64, usize)> {
    let length = read.bases.len();
    read.cigar.blocks(read.start).flat_map(move |block| {
        let covered = block.reference();
        let (from, to) = if block.is_aligned() {
            (covered.start.max(start), covered.end.min(end))
        } else {
            (0, 0)
        };
        (from..to.max(from))
            .map(move |place| (place, block.read_index(place)))
            .filter(move |(_, at)| *at < length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Cigar;
    use CigarOp::*;

    const REFERENCE: &[u8] =
        b"GATTACAGGCTTAACCGTAGGCATCGATCGGATTTTTTTTCAGCATCAGGACTACGACGTTAGCATGCCGATATTGCGCGGATCC";

    fn block() -> ReferenceBlock {
        ReferenceBlock::new(0, REFERENCE.to_vec(), REFERENCE.len() as u64)
    }

    fn edit(start: u64, deleted: u64, inserted: &[u8]) -> Edit {
        Edit {
            start,
            deleted,
            inserted: inserted.to_vec(),
        }
    }

    fn read(start: i64, cigar: &[(CigarOp, u32)], bases: &[u8]) -> AlignedRead {
        AlignedRead {
            start,
            cigar: Cigar(cigar.to_vec()),
            bases: bases.to_vec(),
            qualities: vec![30; bases.len()],
            ..AlignedRead::default()
        }
    }

    /// The reference with the edit.
    fn changed(edit: &Edit) -> Vec<u8> {
        let mut bases = REFERENCE[..edit.start as usize].to_vec();
        bases.extend_from_slice(&edit.inserted);
        bases.extend_from_slice(&REFERENCE[edit.end() as usize..]);
        bases
    }

    #[test]
    fn an_indel_is_seen_however_the_aligner_wrote_it() {
        // Two of eight T lost (32..40), at their left end.
        let edit = edit(32, 2, b"");
        let haplotypes = Haplotypes::new(&edit, &block());
        assert_eq!(haplotypes.core, Span::new(32, 40));
        let alternate = changed(&edit);
        let carrier = &alternate[10..60];
        for cigar in [
            &[(Match, 22), (Deletion, 2), (Match, 28)][..],
            &[(Match, 26), (Deletion, 2), (Match, 24)],
            &[(Match, 28), (SoftClip, 22)],
            &[(Match, 50)],
        ] {
            let support = haplotypes.support(&read(10, cigar, carrier));
            assert_eq!(support.side, Side::Alternate, "{cigar:?}");
            assert_eq!(support.misfit, 0.0, "{cigar:?}");
        }
        let clipped = haplotypes.support(&read(40, &[(SoftClip, 28), (Match, 22)], carrier));
        assert_eq!(clipped.side, Side::Alternate);
        let plain = haplotypes.support(&read(10, &[(Match, 50)], &REFERENCE[10..60]));
        assert_eq!((plain.side, plain.misfit), (Side::Reference, 0.0));
    }

    #[test]
    fn a_read_that_ends_in_the_repeat_takes_no_side() {
        let edit = edit(32, 2, b"");
        let haplotypes = Haplotypes::new(&edit, &block());
        for end in 33..=38 {
            let support =
                haplotypes.support(&read(5, &[(Match, end - 5)], &REFERENCE[5..end as usize]));
            assert_eq!(support.side, Side::Neither, "{end}");
        }
    }

    /// A sequence without repeats.
    fn random_bases(length: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"ACGT"[(seed >> 62) as usize]
        };
        (0..length).map(|_| next()).collect()
    }

    /// Long alleles at base 1000 of a sequence, with the sequence that they make.
    fn long_alleles() -> Vec<(Edit, Vec<u8>)> {
        let reference = random_bases(3500, 1);
        let sizes = [
            (31, 0),
            (100, 0),
            (1000, 0),
            (0, 31),
            (0, 300),
            (60, 60),
            (300, 90),
        ];
        let allele = |(deleted, inserted): (u64, usize)| {
            let edit = edit(1000, deleted, &random_bases(inserted, 2));
            let mut changed = reference[..1000].to_vec();
            changed.extend_from_slice(&edit.inserted);
            changed.extend_from_slice(&reference[edit.end() as usize..]);
            (edit, changed)
        };
        sizes.into_iter().map(allele).collect()
    }

    fn long_block() -> ReferenceBlock {
        ReferenceBlock::new(0, random_bases(3500, 1), 3500)
    }

    #[test]
    fn a_read_of_the_reference_never_supports_a_long_allele() {
        let reference = random_bases(3500, 1);
        for (edit, _) in long_alleles() {
            let haplotypes = Haplotypes::new(&edit, &long_block());
            for start in (847..edit.end() as usize + 30).step_by(7) {
                let mut bases = reference[start..start + 150].to_vec();
                // Two errors of sequencing.
                for at in [start % 150, (start * 31) % 150] {
                    bases[at] = if bases[at] == b'A' { b'C' } else { b'A' };
                }
                let read = read(start as i64, &[(Match, 150)], &bases);
                let support = haplotypes.support(&read);
                assert_ne!(support.side, Side::Alternate, "{start} {edit:?}");
                if (870..980).contains(&start) {
                    assert_eq!(support.side, Side::Reference, "{start} {edit:?}");
                }
                let is_counted = haplotypes.counts(&read, support.side, 10);
                let is_far = edit.deleted > 30 && start > 1010;
                assert_eq!(is_counted, !is_far, "{start} {edit:?}");
            }
        }
    }

    /// Such reads fit both; only reads with the end of one copy beside the start of the other show the second one.
    #[test]
    fn reads_across_a_copy_that_is_said_to_be_there_twice_do_not_show_it() {
        let reference = random_bases(3500, 1);
        let edit = edit(1000, 0, &reference[1000..1200]);
        let haplotypes = Haplotypes::new(&edit, &long_block());
        let side = |start: usize, bases: &[u8]| {
            let length = bases.len() as u32;
            haplotypes
                .support(&read(start as i64, &[(Match, length)], bases))
                .side
        };
        let of_reference = |start: usize| side(start, &reference[start..start + 150]);
        assert_eq!(of_reference(900), Side::Reference);
        assert_eq!(of_reference(996), Side::Neither, "it hardly reaches over");
        let mut joined = reference[1130..1200].to_vec();
        joined.extend_from_slice(&reference[1000..1080]);
        let clipped = read(1130, &[(Match, 70), (SoftClip, 80)], &joined);
        assert_eq!(haplotypes.support(&clipped).side, Side::Alternate);
        let clipped = read(1000, &[(SoftClip, 70), (Match, 80)], &joined);
        assert_eq!(haplotypes.support(&clipped).side, Side::Alternate);
    }

    #[test]
    fn reads_that_show_an_end_of_a_long_allele_support_it() {
        for (edit, changed) in long_alleles() {
            let haplotypes = Haplotypes::new(&edit, &long_block());
            let grown = edit.inserted.len() as i64 - edit.deleted as i64;
            let (left, right) = (1000usize, 1000 + edit.inserted.len());
            // From the left: what the aligner clips off is behind the first end.
            for start in (left - 130..left - 20).step_by(5) {
                let aligned = (left - start) as u32;
                let cigar = [(Match, aligned), (SoftClip, 150 - aligned)];
                let read = read(start as i64, &cigar, &changed[start..start + 150]);
                let support = haplotypes.support(&read);
                assert_eq!(
                    (support.side, support.misfit),
                    (Side::Alternate, 0.0),
                    "{edit:?}"
                );
                assert!(haplotypes.counts(&read, support.side, 10));
            }
            for start in (right - 130..right - 20).step_by(5) {
                let clipped = (right - start) as u32;
                let cigar = [(SoftClip, clipped), (Match, 150 - clipped)];
                let read = read(right as i64 - grown, &cigar, &changed[start..start + 150]);
                let support = haplotypes.support(&read);
                assert_eq!(
                    (support.side, support.misfit),
                    (Side::Alternate, 0.0),
                    "{edit:?}"
                );
                assert_eq!(haplotypes.place(&read).end, haplotypes.core.end, "{edit:?}");
            }
        }
    }

    #[test]
    fn another_gap_in_the_read_is_realigned() {
        // The read loses two T and, 12 bases on, three bases more.
        let edit = edit(32, 2, b"");
        let haplotypes = Haplotypes::new(&edit, &block());
        let mut carrier = REFERENCE[4..32].to_vec();
        carrier.extend_from_slice(&REFERENCE[34..52]);
        carrier.extend_from_slice(&REFERENCE[55..80]);
        let length = carrier.len() as u32;
        let support =
            haplotypes.support(&read(4, &[(Match, 28), (SoftClip, length - 28)], &carrier));
        assert_eq!(support.side, Side::Alternate, "{support:?}");
        let mut other = REFERENCE[4..52].to_vec();
        other.extend_from_slice(&REFERENCE[55..80]);
        let length = other.len() as u32;
        let support = haplotypes.support(&read(4, &[(Match, 48), (SoftClip, length - 48)], &other));
        assert_eq!(support.side, Side::Reference, "{support:?}");
    }

    #[test]
    fn a_substitution_is_read_from_the_alignment() {
        let edit = edit(20, 1, b"T");
        let haplotypes = Haplotypes::new(&edit, &block());
        let mut bases = REFERENCE[10..40].to_vec();
        let side = |bases: &[u8]| haplotypes.support(&read(10, &[(Match, 30)], bases)).side;
        assert_eq!(side(&bases), Side::Reference);
        bases[10] = b'T';
        assert_eq!(side(&bases), Side::Alternate);
        bases[10] = b'N';
        assert_eq!(side(&bases), Side::Neither);
        let gap = read(10, &[(Match, 8), (Deletion, 5), (Match, 22)], &bases);
        assert_eq!(haplotypes.support(&gap).side, Side::Neither);
    }

    #[test]
    fn reads_without_sequence_say_nothing() {
        let haplotypes = Haplotypes::new(&edit(32, 2, b""), &block());
        let support = haplotypes.support(&read(10, &[(Match, 50)], b""));
        assert_eq!(support.side, Side::Neither);
    }
}
