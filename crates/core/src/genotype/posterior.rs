//! Genotypes of a site.

use super::AlleleCopies;
use crate::vcf::genotype::count_genotypes;

/// Most genotypes of a site: beyond, a sample gets none.
const MOST_GENOTYPES: usize = 4096;

/// Highest GQ that is written.
const HIGHEST_GQ: f64 = 99.0;

/// Highest PL that is written.
const HIGHEST_PL: f64 = 999.0;

/// Probabilities of the genotypes of one sample at a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// The alleles of each genotype, 0 for REF, in the order of lists with Number=G.
    genotypes: Vec<Vec<usize>>,
    /// Their probabilities; they sum to 1.
    probabilities: Vec<f64>,
}

impl Posterior {
    /// The genotypes of ALTs with these copies at a ploidy; nothing at ploidy 0, and where there are too many.
    pub fn new(alternates: &[AlleleCopies], ploidy: usize) -> Option<Self> {
        let count = count_genotypes(alternates.len() + 1, ploidy)?;
        if ploidy == 0 || count > MOST_GENOTYPES {
            return None;
        }
        let genotypes = in_order(alternates.len() + 1, ploidy);
        let probability = |genotype: &Vec<usize>| -> f64 {
            let copies = |allele: usize| genotype.iter().filter(|one| **one == allele).count();
            let alternates = alternates.iter().enumerate();
            alternates.map(|(at, of)| of.of(copies(at + 1))).product()
        };
        let products: Vec<f64> = genotypes.iter().map(probability).collect();
        let sum: f64 = products.iter().sum();
        (sum > 0.0).then(|| Self {
            probabilities: products.into_iter().map(|product| product / sum).collect(),
            genotypes,
        })
    }

    /// Index of the most probable genotype, the first of equal ones.
    fn best(&self) -> usize {
        let mut best = 0;
        for (at, probability) in self.probabilities.iter().enumerate() {
            if *probability > self.probabilities[best] {
                best = at;
            }
        }
        best
    }

    /// The alleles of the most probable genotype, rising.
    pub fn genotype(&self) -> &[usize] {
        &self.genotypes[self.best()]
    }

    /// Phred of the probability that another genotype is the right one, 0 to 99.
    pub fn quality(&self) -> u32 {
        let best = self.best();
        let others = self.probabilities.iter().enumerate();
        let others: f64 = others.filter(|(at, _)| *at != best).map(|(_, p)| p).sum();
        phred(others, HIGHEST_GQ).round() as u32
    }

    /// Probability that the sample has none of the ALTs.
    pub fn reference(&self) -> f64 {
        self.probabilities[0]
    }

    /// Phred-scaled likelihoods relative to the best, in the order of Number=G. The prior of a genotype is that
    /// of the network's training and calibration, as DeepVariant has it: they are posteriors.
    pub fn likelihoods(&self) -> Vec<u32> {
        let best = self.probabilities[self.best()];
        let relative = |p: &f64| phred(p / best, HIGHEST_PL).round() as u32;
        self.probabilities.iter().map(relative).collect()
    }

    /// Probabilities in the order of Number=G.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }
}

/// -10 log10 of a probability, 0 to `highest`.
pub(super) fn phred(probability: f64, highest: f64) -> f64 {
    (-10.0 * probability.log10()).clamp(0.0, highest)
}

/// All genotypes of so many alleles in the order of the VCF specification (section 1.6.2, GL).
fn in_order(alleles: usize, ploidy: usize) -> Vec<Vec<usize>> {
    fn extend(ploidy: usize, highest: usize, suffix: &[usize], found: &mut Vec<Vec<usize>>) {
        for allele in 0..=highest {
            let genotype: Vec<usize> = std::iter::once(allele)
                .chain(suffix.iter().copied())
                .collect();
            if ploidy == 1 {
                found.push(genotype);
            } else {
                extend(ploidy - 1, allele, &genotype, found);
            }
        }
    }
    let mut found = Vec::new();
    extend(ploidy, alleles - 1, &[], &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn genotypes_stand_in_the_order_of_the_specification() {
        let pairs: Vec<String> = (in_order(3, 2).iter())
            .map(|alleles| alleles.iter().map(|allele| allele.to_string()).collect())
            .collect();
        assert_eq!(pairs, ["00", "01", "11", "02", "12", "22"]);
        assert_eq!(in_order(2, 3), [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]]);
        assert_eq!(in_order(3, 1), [[0], [1], [2]]);
    }

    #[test]
    fn one_alt_keeps_its_probabilities() {
        let posterior = Posterior::new(&[AlleleCopies::new(0.9, 0.2, 2, None)], 2).unwrap();
        for (found, expected) in posterior.probabilities().iter().zip([0.1, 0.72, 0.18]) {
            assert!((found - expected).abs() < 1e-9);
        }
        assert_eq!(posterior.genotype(), [0, 1]);
        // -10 log10(.28) = 5.5; .1 / .72 and .18 / .72.
        assert_eq!(posterior.quality(), 6);
        assert_eq!(posterior.likelihoods(), [9, 0, 6]);
    }

    /// Two ALTs that are each real and rather homozygous: a diploid sample has one of each.
    #[test]
    fn two_real_alts_of_a_diploid_are_one_each() {
        let copies = AlleleCopies::new(0.999, 0.8, 2, None);
        let posterior = Posterior::new(&[copies.clone(), copies], 2).unwrap();
        assert_eq!(posterior.genotype(), [1, 2]);
    }

    #[test]
    fn what_is_too_large_or_nothing_has_no_genotype() {
        let many = vec![AlleleCopies::none(8); 9];
        assert_eq!(Posterior::new(&many, 8), None);
        assert_eq!(Posterior::new(&[AlleleCopies::none(0)], 0), None);
    }

    proptest! {
        #[test]
        fn genotype_quality_and_likelihoods_agree(
            alternates in prop::collection::vec((0.0_f64..=1.0, 0.0_f64..=1.0), 1..4),
            ploidy in 1_usize..5,
        ) {
            let copies: Vec<AlleleCopies> = alternates
                .iter()
                .map(|(real, two)| AlleleCopies::new(*real, *two, ploidy, None))
                .collect();
            let posterior = Posterior::new(&copies, ploidy).unwrap();
            let sum: f64 = posterior.probabilities().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
            let likelihoods = posterior.likelihoods();
            let best = posterior.best();
            prop_assert_eq!(likelihoods[best], 0);
            prop_assert_eq!(likelihoods.len(), posterior.probabilities().len());
            prop_assert!(posterior.genotype().is_sorted());
            prop_assert!(posterior.quality() <= 99);
            let top = posterior.probabilities()[best];
            prop_assert!(posterior.probabilities().iter().all(|p| *p <= top));
        }
    }
}
