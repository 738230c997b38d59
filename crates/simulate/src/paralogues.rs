//! Copies of stretches that the reference lacks: their reads align to the stretch they were copied
//! from, and what has changed in the copy since looks like variants there.

use std::ops::Range;

use rand::RngExt;

use super::fasta::FastaRecord;
use super::random::{Random, base, chance, log_uniform, poisson};
use super::record::Diploid;
use super::region::Region;
use super::variants::VariantModel;

/// Length of a copy, in bases.
pub const LENGTH: Range<f64> = 1_000.0..20_000.0;
/// Changes per base in a copy.
pub const DIVERGENCE: Range<f64> = 0.005..0.03;
/// Unrelated sequence on each side of a copy, in bases.
pub const FLANK: usize = 300;
/// Part of the changes that are indels.
const INDELS: f64 = 0.08;
/// Part of the stretches with several copies.
const SEVERAL: f64 = 0.25;
/// Part of the copies that both haplotypes have.
const HOMOZYGOUS: f64 = 0.5;

/// A copy of a stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Paralogue {
    /// How many of the two haplotypes have it: 1 or 2.
    pub ploidy: usize,
    /// The original, 0-based half-open in its region.
    pub source: Range<usize>,
    /// Changes per base.
    pub divergence: f64,
    /// Its sequence with [`FLANK`] bases on each side.
    pub sequence: FastaRecord,
}

/// Copies of stretches of `regions[at]`, on average `per_megabase` stretches a million bases. The
/// flanks come from anywhere in `regions`.
pub fn paralogues(
    random: &mut Random,
    regions: &[Region],
    at: usize,
    per_megabase: f64,
) -> Vec<Paralogue> {
    let Some(region) = regions.get(at) else {
        return Vec::new();
    };
    let length = region.bases.len();
    let stretches = poisson(random, per_megabase * length as f64 / 1e6);
    let mut paralogues = Vec::new();
    if (length as f64) < LENGTH.start {
        return paralogues;
    }
    for _ in 0..stretches {
        let longest = LENGTH.end.min(length as f64);
        let copied = (log_uniform(random, LENGTH.start, longest) as usize).min(length);
        let start = random.random_range(0..=length - copied);
        let source = start..start + copied;
        let copies = if chance(random, SEVERAL) {
            random.random_range(2..=4)
        } else {
            1
        };
        for copy in 1..=copies {
            let divergence = random.random_range(DIVERGENCE);
            let body = diverged(random, &region.bases[source.clone()], divergence);
            let mut bases = flank(random, regions, at, &source);
            bases.extend_from_slice(&body);
            bases.extend(flank(random, regions, at, &source));
            let ploidy = if chance(random, HOMOZYGOUS) { 2 } else { 1 };
            let number = paralogues.len() + 1;
            paralogues.push(Paralogue {
                ploidy,
                sequence: FastaRecord {
                    name: format!("paralogue{number}_{}", region.span_name(&source)),
                    description: format!("copy={copy} ploidy={ploidy} divergence={divergence:.4}"),
                    bases,
                },
                source: source.clone(),
                divergence,
            });
        }
    }
    paralogues
}

/// A copy of `bases` with `divergence` changes per base.
fn diverged(random: &mut Random, bases: &[u8], divergence: f64) -> Vec<u8> {
    let model = VariantModel::new(bases);
    let wanted = (divergence * bases.len() as f64).round() as usize;
    let mut copy = Diploid::default();
    copy.add_drawn(wanted, [1, 0], || model.single(random, INDELS));
    copy.haplotype(bases, 0, 0..bases.len())
}

/// Sequence from elsewhere; made up where there is no elsewhere.
fn flank(random: &mut Random, regions: &[Region], at: usize, source: &Range<usize>) -> Vec<u8> {
    let total: usize = regions.iter().map(|region| region.bases.len()).sum();
    for _ in 0..20 {
        let mut place = random.random_range(0..total.max(1));
        for (index, region) in regions.iter().enumerate() {
            if place >= region.bases.len() {
                place -= region.bases.len();
                continue;
            }
            let end = place + FLANK;
            let is_near = index == at && place < source.end + FLANK && end + FLANK > source.start;
            if end <= region.bases.len() && !is_near {
                return region.bases[place..end].to_vec();
            }
            break;
        }
    }
    (0..FLANK).map(|_| base(random)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn regions(lengths: &[usize]) -> Vec<Region> {
        let mut random = stream(7, 0);
        let region = |length: &usize| Region {
            contig: "20".into(),
            start: 0,
            bases: (0..*length).map(|_| base(&mut random)).collect(),
        };
        lengths.iter().map(region).collect()
    }

    /// Edits from one sequence to another of about the same length (Levenshtein within a band).
    fn distance(a: &[u8], b: &[u8]) -> usize {
        let band = 150;
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, base) in a.iter().enumerate() {
            let mut next = vec![usize::MAX / 2; b.len() + 1];
            next[0] = i + 1;
            for j in i.saturating_sub(band)..(i + band).min(b.len()) {
                let replaced = row[j] + usize::from(base != &b[j]);
                next[j + 1] = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            }
            row = next;
        }
        row[b.len()]
    }

    #[test]
    fn lengths_numbers_and_ploidies_are_as_described() {
        let regions = regions(&[2_000_000, 50_000]);
        let copies = paralogues(&mut stream(1, 0), &regions, 0, 100.0);
        let mut stretches: Vec<Range<usize>> = copies.iter().map(|c| c.source.clone()).collect();
        stretches.dedup();
        assert!((160..240).contains(&stretches.len()), "{}", stretches.len());
        assert!(copies.len() > stretches.len(), "some with several copies");
        let short = stretches.iter().filter(|s| s.len() < 4_472).count();
        let part = short as f64 / stretches.len() as f64;
        assert!(
            (0.4..0.6).contains(&part),
            "half below the geometric mean: {part}"
        );
        for copy in &copies {
            assert!((1_000..=20_000).contains(&copy.source.len()));
            assert!(DIVERGENCE.contains(&copy.divergence));
            assert!(copy.ploidy == 1 || copy.ploidy == 2);
        }
        let mut names: Vec<&str> = copies.iter().map(|c| c.sequence.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), copies.len());
        let one = copies.iter().filter(|copy| copy.ploidy == 1).count();
        assert!(one * 3 > copies.len() && one * 3 < copies.len() * 2);
    }

    #[test]
    fn copies_differ_from_their_stretch_by_their_divergence() {
        let regions = regions(&[300_000]);
        let copies = paralogues(&mut stream(2, 0), &regions, 0, 60.0);
        let copies: Vec<_> = copies.iter().filter(|c| c.source.len() < 3_000).collect();
        assert!(copies.len() > 3);
        for copy in copies {
            let bases = &copy.sequence.bases;
            let body = &bases[FLANK..bases.len() - FLANK];
            let stretch = &regions[0].bases[copy.source.clone()];
            let changes = (copy.divergence * stretch.len() as f64).round();
            // An indel of several bases counts as several edits.
            let found = distance(stretch, body) as f64;
            assert!(
                found >= changes * 0.9 - 1.0 && found <= changes * 2.5 + 60.0,
                "{found} {changes}"
            );
            assert!(
                distance(&bases[..FLANK], &stretch[..FLANK]) > FLANK / 4,
                "unrelated"
            );
        }
    }

    #[test]
    fn flanks_come_from_elsewhere_in_the_regions() {
        let regions = regions(&[5_000, 5_000]);
        for copy in paralogues(&mut stream(3, 0), &regions, 0, 2_000.0) {
            let flank = &copy.sequence.bases[..FLANK];
            let found = |region: &Region| region.bases.windows(FLANK).position(|w| w == flank);
            if let Some(at) = found(&regions[0]) {
                assert!(at + FLANK <= copy.source.start || at >= copy.source.end);
            } else {
                assert!(found(&regions[1]).is_some());
            }
        }
    }

    #[test]
    fn small_regions_have_none_or_made_up_flanks() {
        let short = regions(&[900]);
        assert!(paralogues(&mut stream(1, 0), &short, 0, 1_000.0).is_empty());
        let just = regions(&[1_100]);
        let copies = paralogues(&mut stream(1, 0), &just, 0, 900_000.0);
        assert!(copies.iter().all(|copy| copy.source.end <= 1_100));
        assert!(copies.len() > 100);
        assert!(paralogues(&mut stream(1, 0), &just, 5, 100.0).is_empty());
    }
}
