//! Stretches where the sample has an old haplotype: many variants close together, all real. What a
//! copy that the reference lacks looks like, but for the depth.

use std::ops::Range;

use rand::RngExt;

use super::random::{Random, chance, log_uniform, poisson};
use super::record::Diploid;
use super::variants::VariantModel;

/// Length of a stretch, in bases.
pub const LENGTH: Range<f64> = 40.0..5_000.0;
/// Variants per base of a stretch; short ones have [`FEWEST`] all the same.
pub const DIVERGENCE: Range<f64> = 0.004..0.03;
/// Fewest variants of a stretch that has room for them.
pub const FEWEST: usize = 3;
/// Part of the variants that are indels.
const INDELS: f64 = 0.1;
/// Part of the stretches that both haplotypes have.
const HOMOZYGOUS: f64 = 0.25;

/// Adds divergent haplotypes to a sample over `length` bases, on average `per_megabase` stretches a
/// million bases. The variants of a stretch are all on one haplotype or all on both.
pub fn divergent(
    random: &mut Random,
    model: &VariantModel<'_>,
    length: usize,
    per_megabase: f64,
    sample: &mut Diploid,
) {
    for _ in 0..poisson(random, per_megabase * length as f64 / 1e6) {
        let longest = LENGTH.end.min(length as f64);
        if longest <= LENGTH.start {
            return;
        }
        let span = log_uniform(random, LENGTH.start, longest) as usize;
        let start = random.random_range(0..=length - span);
        let divergence = log_uniform(random, DIVERGENCE.start, DIVERGENCE.end);
        let wanted = poisson(random, divergence * span as f64).max(FEWEST);
        let genotype = match random.random::<f64>() {
            drawn if drawn < HOMOZYGOUS => [1, 1],
            drawn if drawn < (1.0 + HOMOZYGOUS) / 2.0 => [1, 0],
            _ => [0, 1],
        };
        sample.add_drawn(wanted, genotype, || {
            let at = start + random.random_range(0..span);
            let change = if chance(random, INDELS) {
                model.plain_indel_at(random, at)
            } else {
                model.snp_at(random, at)
            };
            change.filter(|change| change.alternates.len() == 1)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{base, stream};
    use crate::record::Record;

    fn drawn(length: usize, per_megabase: f64) -> Diploid {
        let mut random = stream(8, 0);
        let bases: Vec<u8> = (0..length).map(|_| base(&mut random)).collect();
        let mut sample = Diploid::default();
        let model = VariantModel::new(&bases);
        divergent(&mut random, &model, length, per_megabase, &mut sample);
        sample
    }

    #[test]
    fn variants_lie_in_clusters_of_one_genotype() {
        let sample = drawn(2_000_000, 10.0);
        let records: Vec<_> = sample.records().collect();
        // Stretches of 1,027 bases on average, with 1.3 % or three variants.
        assert!((150..600).contains(&records.len()), "{}", records.len());
        let pairs = || records.windows(2);
        let close = |pair: &&[&Record]| pair[1].change.start - pair[0].change.start < 500;
        let near = pairs().filter(close).count();
        assert!(near * 10 > records.len() * 8, "{near} of {}", records.len());
        let same = pairs()
            .filter(close)
            .filter(|pair| pair[0].genotype == pair[1].genotype)
            .count();
        assert!(same * 10 > near * 9, "{same} of {near}");
        let homozygous = records.iter().filter(|r| r.genotype == [1, 1]).count();
        assert!(homozygous > 0 && homozygous * 2 < records.len());
    }

    #[test]
    fn none_are_drawn_where_none_are_asked_for_or_there_is_no_room() {
        assert_eq!(drawn(100_000, 0.0).len(), 0);
        assert_eq!(drawn(40, 1_000_000.0).len(), 0);
        // Forty stretches on a hundred bases: what fits.
        assert!(drawn(100, 400_000.0).len() < 100);
    }
}
