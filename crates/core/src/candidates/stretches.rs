//! Stretches without a candidate, for a GVCF: how sure the reads are of the reference.

use std::ops::Range;

use super::site::CandidateSite;
use super::sweep::Tally;
use crate::genome::ReferenceBlock;

/// Share of bases that are wrong, in the likelihoods of a stretch.
const ERROR: f64 = 0.01;

/// Highest GQ of a stretch.
const HIGHEST_QUALITY: u32 = 99;

/// Width of the bands of GQ: positions of one band are one stretch.
const BAND: u32 = 5;

/// Positions side by side at which the reads of a sample are about equally sure of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceStretch {
    /// 0-based position of its first base.
    pub start: u64,
    /// Behind its last base.
    pub end: u64,
    /// The reference's base at the start.
    pub base: u8,
    /// Fragments over a position, the median.
    pub depth: u32,
    /// The fewest over a position.
    pub min_depth: u32,
    /// Copies of the chromosome.
    pub ploidy: usize,
    /// The lowest GQ of a position.
    pub quality: u32,
    /// There: phred-scaled likelihoods of 0 to `ploidy` copies of any other allele, relative to the best.
    pub likelihoods: Vec<u32>,
}

impl ReferenceStretch {
    /// The line of a VCF without its end, as GATK writes a reference block: ALT `<NON_REF>`, INFO END, FORMAT `GT:DP:GQ:MIN_DP:PL`.
    pub fn vcf_line(&self, contig: &str) -> String {
        let genotype = match self.ploidy {
            0 => ".".to_owned(),
            ploidy => vec!["0"; ploidy].join("/"),
        };
        let likelihoods: Vec<String> = self.likelihoods.iter().map(u32::to_string).collect();
        format!(
            "{contig}\t{}\t.\t{}\t<NON_REF>\t.\t.\tEND={}\tGT:DP:GQ:MIN_DP:PL\t{genotype}:{}:{}:{}:{}",
            self.start + 1,
            char::from(self.base),
            self.end,
            self.depth,
            self.quality,
            self.min_depth,
            likelihoods.join(","),
        )
    }

    /// The part of it from `start` on; nothing where it ends before. `base` is the reference's there.
    #[must_use]
    pub fn from(self, start: u64, base: impl FnOnce(u64) -> u8) -> Option<Self> {
        if start <= self.start {
            return Some(self);
        }
        (start < self.end).then(|| Self {
            start,
            base: base(start),
            ..self
        })
    }
}

/// The stretches of `range` that lie outside of all sites, for one sample. `ploidy` is the ploidy at a position.
pub(super) fn stretches(
    tally: &Tally,
    sites: &[CandidateSite],
    range: Range<u64>,
    reference: &ReferenceBlock,
    ploidy: impl Fn(u64) -> usize,
) -> Vec<ReferenceStretch> {
    let mut found: Vec<Open> = Vec::new();
    let mut sites = sites.iter().peekable();
    let mut covered = range.start;
    // Insertions and deletions that are no candidates, by the base in front of them.
    let mut gaps = tally.gaps.iter().peekable();
    for at in range {
        while let Some(site) = sites.next_if(|site| site.start <= at) {
            covered = covered.max(site.start + site.reference.len() as u64);
        }
        let mut others: u32 = tally.bases(at).as_flattened().iter().sum();
        while let Some((edit, carriers)) = gaps.next_if(|(edit, _)| edit.start <= at + 1) {
            if edit.start == at + 1 {
                others += carriers.strands.iter().sum::<u32>();
            }
        }
        if at < covered {
            continue;
        }
        let depth: u32 = tally.depth(at).iter().sum();
        let ploidy = ploidy(at);
        let (quality, likelihoods) = likelihoods(depth, others.min(depth), ploidy);
        match found.last_mut() {
            Some(last) if last.takes(at, quality, ploidy) => last.add(depth, quality, likelihoods),
            _ => found.push(Open {
                base: reference.slice(at..at + 1).first().copied().unwrap_or(b'N'),
                start: at,
                depths: vec![depth],
                ploidy,
                quality,
                likelihoods,
            }),
        }
    }
    found.into_iter().map(Open::close).collect()
}

/// A stretch that may go on.
struct Open {
    start: u64,
    base: u8,
    depths: Vec<u32>,
    ploidy: usize,
    quality: u32,
    likelihoods: Vec<u32>,
}

impl Open {
    fn takes(&self, at: u64, quality: u32, ploidy: usize) -> bool {
        self.start + self.depths.len() as u64 == at
            && self.quality / BAND == quality / BAND
            && self.ploidy == ploidy
    }

    fn add(&mut self, depth: u32, quality: u32, likelihoods: Vec<u32>) {
        self.depths.push(depth);
        if quality < self.quality {
            self.quality = quality;
            self.likelihoods = likelihoods;
        }
    }

    fn close(mut self) -> ReferenceStretch {
        let end = self.start + self.depths.len() as u64;
        self.depths.sort_unstable();
        ReferenceStretch {
            start: self.start,
            end,
            base: self.base,
            depth: self.depths[self.depths.len() / 2],
            min_depth: self.depths[0],
            ploidy: self.ploidy,
            quality: self.quality,
            likelihoods: self.likelihoods,
        }
    }
}

/// GQ of the reference, and likelihoods of 0 to `ploidy` copies of another allele, where `others` of `depth` fragments do not
/// show the reference: binomial, with an error of 1 %.
fn likelihoods(depth: u32, others: u32, ploidy: usize) -> (u32, Vec<u32>) {
    if ploidy == 0 {
        return (0, Vec::new());
    }
    let log = |copies: usize| {
        let share = (copies as f64 / ploidy as f64).clamp(ERROR, 1.0 - ERROR);
        f64::from(others) * share.log10() + f64::from(depth - others) * (1.0 - share).log10()
    };
    let logs: Vec<f64> = (0..=ploidy).map(log).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let phred = |log: &f64| (10.0 * (most - log)).round().min(999.0) as u32;
    let likelihoods: Vec<u32> = logs.iter().map(phred).collect();
    let next = likelihoods[1..].iter().copied().min().unwrap_or(0);
    // Where another genotype fits better, though no allele is a candidate, nothing is sure.
    let quality = if likelihoods[0] == 0 {
        next.min(HIGHEST_QUALITY)
    } else {
        0
    };
    (quality, likelihoods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_reads_are_surer_and_others_are_not() {
        assert_eq!(likelihoods(0, 0, 2), (0, vec![0, 0, 0]));
        // 10 reads: 10 log10(.99 / .5) = 29.7 and 10 log10(.99 / .01) = 199.6.
        assert_eq!(likelihoods(10, 0, 2), (30, vec![0, 30, 200]));
        assert_eq!(likelihoods(40, 0, 2).0, 99);
        assert_eq!(likelihoods(10, 5, 2).0, 0);
        assert_eq!(likelihoods(10, 0, 1), (99, vec![0, 200]));
        assert_eq!(likelihoods(10, 0, 0), (0, vec![]));
    }
}
