//! Records made ready for comparison: every ALT as a change of the reference, every genotype read.

use crate::genome::normalize::{Edit, NormalizeError, ReferenceBases, check_reference};
use crate::genome::{Interval, Variant};
use crate::label::site::Site;
use crate::label::state::Reason;

/// One ALT that is spelled in bases and lies on the reference.
#[derive(Debug, Clone)]
pub(super) struct Allele {
    /// Where the record has it.
    pub spelled: Edit,
    /// As far to the left as it goes.
    pub normal: Edit,
    /// How many of the genotype's alleles it is.
    pub copies: u8,
    /// The sample may have it: it is in the genotype, or the genotype is missing.
    pub listed: bool,
    /// Its normal form lies wholly inside one confident region.
    pub confident: bool,
}

/// A genotype that can be compared, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Genotype {
    /// The ALTs of the two haplotypes, as indices into the side's alleles; `None` for the
    /// reference (and `*`). At least one is an ALT.
    Diploid([Option<u32>; 2]),
    Unusable(Reason),
}

/// The records of one side.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// All ALTs, record after record.
    pub alleles: Vec<Result<Allele, Reason>>,
    /// For each record the index of its first ALT, and at the end the number of ALTs.
    pub first: Vec<u32>,
    pub genotypes: Vec<Genotype>,
}

impl Prepared {
    pub(super) fn new<R: ReferenceBases + ?Sized>(
        sites: &[Site],
        confident: Option<&[Interval]>,
        reference: &R,
    ) -> Self {
        let mut prepared = Self::default();
        prepared.first.reserve(sites.len() + 1);
        prepared.genotypes.reserve(sites.len());
        prepared.alleles.reserve(sites.len());
        for site in sites {
            let first = prepared.alleles.len() as u32;
            prepared.first.push(first);
            let on_reference = on_reference(site, reference);
            // A genotype that names no allele at all says nothing about which ALTs the sample has.
            let silent = site.genotype.iter().all(Option::is_none);
            for (index, alternate) in site.alternates.iter().enumerate() {
                let copies = copies(&site.genotype, index as u64 + 1);
                prepared.alleles.push(
                    on_reference.and_then(|()| {
                        allele(site, alternate, copies, silent, confident, reference)
                    }),
                );
            }
            prepared
                .genotypes
                .push(genotype(site, first, &prepared.alleles[first as usize..]));
        }
        prepared.first.push(prepared.alleles.len() as u32);
        prepared
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.genotypes.len()
    }

    /// Indices of a record's ALTs.
    pub(super) fn of(&self, site: usize) -> std::ops::Range<usize> {
        self.first[site] as usize..self.first[site + 1] as usize
    }

    /// An ALT, where it can be compared.
    pub(super) fn allele(&self, index: usize) -> Option<&Allele> {
        self.alleles[index].as_ref().ok()
    }

    /// The ALTs of a record that can be compared, with their indices.
    pub(super) fn alleles_of(&self, site: usize) -> impl Iterator<Item = (usize, &Allele)> {
        self.of(site)
            .filter_map(|index| Some((index, self.allele(index)?)))
    }

    /// The record's haplotypes as ALT indices, where its genotype can be compared.
    pub(super) fn haplotypes(&self, site: usize) -> Option<[Option<u32>; 2]> {
        match self.genotypes[site] {
            Genotype::Diploid(haplotypes) => Some(haplotypes),
            Genotype::Unusable(_) => None,
        }
    }
}

/// How often an allele is in a genotype; the only allele of a haploid one counts twice.
fn copies(genotype: &[Option<u16>], allele: u64) -> u8 {
    let count = genotype
        .iter()
        .filter(|entry| entry.map(u64::from) == Some(allele))
        .count();
    let weight = if genotype.len() == 1 { 2 } else { 1 };
    u8::try_from(count * weight).unwrap_or(u8::MAX)
}

fn on_reference<R: ReferenceBases + ?Sized>(site: &Site, reference: &R) -> Result<(), Reason> {
    check_reference(site.start, &site.reference, reference).map_err(|error| match error {
        NormalizeError::NoReference { .. } => Reason::NoReference,
        NormalizeError::ReferenceMismatch { .. } => Reason::ReferenceMismatch,
        NormalizeError::NoChange => Reason::NoChange,
    })
}

fn allele<R: ReferenceBases + ?Sized>(
    site: &Site,
    alternate: &[u8],
    copies: u8,
    silent: bool,
    confident: Option<&[Interval]>,
    reference: &R,
) -> Result<Allele, Reason> {
    match alternate {
        b"*" => return Err(Reason::SpanningDeletion),
        b"." => return Err(Reason::NoChange),
        _ if !Variant::is_sequence(alternate) => return Err(Reason::Symbolic),
        _ => {}
    }
    let spelled = Edit::trimmed(site.start, &site.reference, alternate).ok_or(Reason::NoChange)?;
    let normal = spelled.left_aligned(reference);
    Ok(Allele {
        confident: confident.is_none_or(|regions| inside(&normal, regions)),
        spelled,
        normal,
        copies,
        listed: silent || copies > 0,
    })
}

/// True where a change lies wholly inside one region: every replaced base; for an insertion, the base
/// before and the base behind it (the base behind alone at the start of the contig).
fn inside(edit: &Edit, regions: &[Interval]) -> bool {
    let (start, end) = if edit.deleted == 0 {
        (edit.start.saturating_sub(1), edit.start + 1)
    } else {
        (edit.start, edit.end())
    };
    let behind = regions.partition_point(|region| region.start <= start);
    behind > 0 && regions[behind - 1].end >= end
}

/// Reads the genotype of a record whose ALTs are given, the first of them with index `first`.
fn genotype(site: &Site, first: u32, alleles: &[Result<Allele, Reason>]) -> Genotype {
    let pair = match *site.genotype.as_slice() {
        [only] => [only, only],
        [one, other] => [one, other],
        [] => return Genotype::Unusable(Reason::GenotypeMissing),
        _ => return Genotype::Unusable(Reason::Polyploid),
    };
    let mut haplotypes = [None; 2];
    for (haplotype, index) in haplotypes.iter_mut().zip(pair) {
        let Some(index) = index else {
            return Genotype::Unusable(Reason::GenotypeMissing);
        };
        let Some(alternate) = index.checked_sub(1) else {
            continue;
        };
        *haplotype = match alleles.get(usize::from(alternate)) {
            Some(Ok(_)) => Some(first + u32::from(alternate)),
            // The haplotype is written by another record.
            Some(Err(Reason::SpanningDeletion)) => None,
            Some(Err(reason)) => return Genotype::Unusable(*reason),
            None => return Genotype::Unusable(Reason::GenotypeMissing),
        };
    }
    if haplotypes == [None; 2] {
        return Genotype::Unusable(Reason::NotCalled);
    }
    Genotype::Diploid(haplotypes)
}
