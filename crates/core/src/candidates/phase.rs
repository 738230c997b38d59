//! Phase: which alleles of a sample lie on the same copy of a chromosome, as the fragments tell that show several.
//!
//! Sites are taken in order. The first begins a set; a fragment that shows its ALT stands for one copy, one that shows REF for
//! the other. A later site joins the set where at least [`FEWEST`] fragments that are known already show its alleles, and at most one
//! in [`AGREEMENT`] of them says the opposite; then its other fragments are known, too. Where too few fragments tell a new set
//! begins; a site at which they contradict each other belongs to none.

use std::collections::HashMap;

use super::observed::Observed;
use super::site::{AlleleDepths, CandidateSite};
use crate::genome::Edit;

/// Fragments that are kept of a tile at most; at 100x some 40,000 differ from the reference.
const MOST: usize = 65_536;

/// Fragments that must tell how a site lies to those in front of it.
const FEWEST: usize = 2;

/// One fragment in so many may say the opposite.
const AGREEMENT: usize = 10;

/// Shares of the fragments between which an ALT may be on one of two copies.
const HETEROZYGOUS: std::ops::RangeInclusive<f32> = 0.15..=0.85;

/// Where the ALT of a heterozygous site lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// 0-based position of the first site of the set.
    pub set: u64,
    /// Index of the ALT, from 0.
    pub alternate: usize,
    /// True where it lies on the copy that has the ALT of the set's first site.
    pub is_second: bool,
}

/// The reads of fragments that differ from the reference somewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    /// Index of each by its name.
    places: HashMap<u64, usize>,
    reads: Vec<Vec<Observed>>,
}

impl Fragments {
    /// Adds a read; `mate` is the other read of its fragment, where that came before. A fragment without a difference
    /// is not kept.
    pub(super) fn add(&mut self, name: u64, read: &Observed, mate: Option<&Observed>) {
        let place = match self.places.get(&name) {
            Some(place) => *place,
            None if self.reads.len() == MOST || !differs(read) => return,
            None => {
                self.places.insert(name, self.reads.len());
                self.reads.push(mate.cloned().into_iter().collect());
                self.reads.len() - 1
            }
        };
        self.reads[place].push(read.clone());
    }

    /// The phase of each site, nothing where it is not known. The edits are those of the sites' ALTs.
    pub(super) fn phases(
        &self,
        sites: &[CandidateSite],
        edits: &[Vec<Edit>],
        sample: usize,
    ) -> Vec<Option<Phase>> {
        let alternates: Vec<Option<usize>> = sites
            .iter()
            .map(|site| heterozygous(site.samples.get(sample)?))
            .collect();
        // Of each site the fragments that show it, and whether they show the ALT.
        let mut shown: Vec<Vec<(usize, bool)>> = vec![Vec::new(); sites.len()];
        for (fragment, reads) in self.reads.iter().enumerate() {
            for (at, is_alternate) in alleles(reads, sites, edits, &alternates) {
                shown[at].push((fragment, is_alternate));
            }
        }
        let mut phases = vec![None; sites.len()];
        let mut set = Set::default();
        for (at, alternate) in alternates.iter().enumerate() {
            let Some(alternate) = *alternate else {
                continue;
            };
            match set.join(&shown[at]) {
                Join::Contradicted => {}
                Join::Joined { is_second } => {
                    set.members.push((at, alternate, is_second));
                }
                Join::Unknown => {
                    std::mem::take(&mut set).write(sites, &mut phases);
                    set.learn(&shown[at], true);
                    set.members.push((at, alternate, true));
                }
            }
        }
        set.write(sites, &mut phases);
        phases
    }
}

fn differs(read: &Observed) -> bool {
    !read.substitutions.is_empty() || !read.gaps.is_empty()
}

/// The ALT that a sample seems to have on one of two copies, from 0.
fn heterozygous(depths: &AlleleDepths) -> Option<usize> {
    let is_shown = |at: &usize| depths.alternates[*at].iter().sum::<u32>() >= FEWEST as u32;
    let mut shown = (0..depths.alternates.len()).filter(is_shown);
    let (only, more) = (shown.next()?, shown.next());
    (more.is_none() && HETEROZYGOUS.contains(&depths.share(only))).then_some(only)
}

/// The sites that a fragment shows, and whether it shows their ALT; those where its reads differ are left out.
fn alleles(
    reads: &[Observed],
    sites: &[CandidateSite],
    edits: &[Vec<Edit>],
    alternates: &[Option<usize>],
) -> Vec<(usize, bool)> {
    let mut found: Vec<(usize, bool)> = Vec::new();
    for read in reads {
        let first = sites.partition_point(|site| site.start < read.start);
        for (at, site) in sites.iter().enumerate().skip(first) {
            if site.start >= read.end() {
                break;
            }
            let Some(alternate) = alternates[at] else {
                continue;
            };
            let shown = allele(read, site, &edits[at]);
            if shown == Some(0) || shown == Some(alternate + 1) {
                found.push((at, shown != Some(0)));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    let sites: Vec<usize> = found.iter().map(|(at, _)| *at).collect();
    let is_alone = |at: &usize| sites.iter().filter(|other| *other == at).count() == 1;
    found.retain(|(at, _)| is_alone(at));
    found
}

/// The allele of a site that a read shows: 0 for REF, 1 for the first ALT.
fn allele(read: &Observed, site: &CandidateSite, edits: &[Edit]) -> Option<usize> {
    let carries = |edit: &Edit| match edit.is_indel() {
        true => read.gaps.contains(edit),
        false => {
            let mut substitutions = read.substitutions.iter();
            substitutions.any(|one| one.at == edit.start && edit.inserted == [one.base])
        }
    };
    if let Some(at) = edits.iter().position(carries) {
        return Some(at + 1);
    }
    // Of an insertion or deletion a read tells nothing that ends beside it.
    let has_gap = edits.iter().any(Edit::is_indel);
    let behind = site.start + site.reference.len() as u64;
    let is_over = read.quality(site.start) > 0 && (!has_gap || read.quality(behind) > 0);
    let has_other = read.substitutions.iter().any(|one| one.at == site.start)
        || (read.gaps.iter()).any(|gap| gap.start.saturating_sub(1) == site.start);
    (is_over && !has_other).then_some(0)
}

/// How a site lies to a set.
enum Join {
    /// It belongs to the set.
    Joined { is_second: bool },
    /// Too few fragments tell.
    Unknown,
    /// Fragments say both.
    Contradicted,
}

/// Sites whose phase to each other is known.
#[derive(Default)]
struct Set {
    /// Index of the site, its ALT, and where it lies.
    members: Vec<(usize, usize, bool)>,
    /// Of each fragment how many sites say that it stands for the second copy, less those that say the first.
    copies: HashMap<usize, i32>,
}

impl Set {
    /// Lets the fragments of a site whose ALT lies on this copy stand for the copies that they show.
    fn learn(&mut self, shown: &[(usize, bool)], is_second: bool) {
        for (fragment, is_alternate) in shown {
            let copy = self.copies.entry(*fragment).or_default();
            *copy += if *is_alternate == is_second { 1 } else { -1 };
        }
    }

    /// Looks how a site lies, and lets its fragments stand for the copies that this says.
    fn join(&mut self, shown: &[(usize, bool)]) -> Join {
        let (mut second, mut first) = (0, 0);
        for (fragment, is_alternate) in shown {
            match self.copies.get(fragment) {
                None | Some(0) => {}
                Some(copy) if (*copy > 0) == *is_alternate => second += 1,
                Some(_) => first += 1,
            }
        }
        let (most, least) = (usize::max(first, second), usize::min(first, second));
        if most < FEWEST {
            return Join::Unknown;
        }
        if least * AGREEMENT > most {
            return Join::Contradicted;
        }
        let is_second = second > first;
        self.learn(shown, is_second);
        Join::Joined { is_second }
    }

    /// A set of one site says nothing.
    fn write(self, sites: &[CandidateSite], phases: &mut [Option<Phase>]) {
        let [(first, ..), _, ..] = self.members[..] else {
            return;
        };
        for (at, alternate, is_second) in self.members {
            phases[at] = Some(Phase {
                set: sites[first].start,
                alternate,
                is_second,
            });
        }
    }
}
