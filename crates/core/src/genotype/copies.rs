//! Copies of one ALT in one sample.

/// Probabilities of 0, 1, ... copies of an ALT, as many as the ploidy at most.
#[derive(Debug, Clone, PartialEq)]
pub struct AlleleCopies(Vec<f64>);

/// Share of reads that show an allele that the sample has not, or do not show one that it has on all chromosomes.
const ERROR: f64 = 0.01;

/// Probabilities are kept this far from 0 and 1: no evidence is beyond doubt.
const DOUBT: f64 = 1e-10;

impl AlleleCopies {
    /// The copies of an ALT that is real with probability `real`, at a ploidy.
    ///
    /// At ploidy 2 `two` is the probability of two copies given that it is real. A network knows diploid samples only: at
    /// ploidies above, the copies of a real ALT are shared out by the binomial likelihood of the reads that show it,
    /// `depths` (of the ALT, of all alleles), with an error of 1 %; evenly where these are not known.
    pub fn new(real: f64, two: f64, ploidy: usize, depths: Option<(u32, u32)>) -> Self {
        let sure = |p: f64| p.clamp(DOUBT, 1.0 - DOUBT);
        let (real, two) = (sure(real), sure(two));
        let given_real: Vec<f64> = match ploidy {
            0 | 1 => vec![1.0; ploidy],
            2 => vec![1.0 - two, two],
            _ => shared_out(ploidy, depths),
        };
        if ploidy == 0 {
            return Self(vec![1.0]);
        }
        let copies = given_real.into_iter().map(|share| sure(real * share));
        Self(std::iter::once(1.0 - real).chain(copies).collect())
    }

    /// An ALT that nothing is known about: the sample has none.
    pub fn none(ploidy: usize) -> Self {
        let mut copies = vec![0.0; ploidy + 1];
        copies[0] = 1.0;
        Self(copies)
    }

    /// Probability of so many copies.
    pub fn of(&self, copies: usize) -> f64 {
        self.0.get(copies).copied().unwrap_or(0.0)
    }
}

/// Shares of 1 to `ploidy` copies.
fn shared_out(ploidy: usize, depths: Option<(u32, u32)>) -> Vec<f64> {
    let even = || vec![1.0 / ploidy as f64; ploidy];
    let Some((alternate, all)) = depths.filter(|(alternate, all)| *all > 0 && alternate <= all)
    else {
        return even();
    };
    let log_likelihood = |copies: usize| {
        let share = (copies as f64 / ploidy as f64).clamp(ERROR, 1.0 - ERROR);
        f64::from(alternate) * share.ln() + f64::from(all - alternate) * (1.0 - share).ln()
    };
    let logs: Vec<f64> = (1..=ploidy).map(log_likelihood).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diploid_sample_has_none_one_or_two() {
        let copies = AlleleCopies::new(0.9, 0.25, 2, None);
        let found: Vec<f64> = (0..4).map(|count| copies.of(count)).collect();
        for (found, expected) in found.iter().zip([0.1, 0.675, 0.225, 0.0]) {
            assert!((found - expected).abs() < 1e-9, "{found}");
        }
    }

    #[test]
    fn a_haploid_sample_has_none_or_one() {
        let copies = AlleleCopies::new(0.7, 0.9, 1, None);
        assert!((copies.of(1) - 0.7).abs() < 1e-9 && copies.of(2) == 0.0);
        assert_eq!(AlleleCopies::new(0.7, 0.9, 0, None).of(0), 1.0);
    }

    #[test]
    fn at_higher_ploidies_reads_share_the_copies_out() {
        let best = |alternate| {
            let copies = AlleleCopies::new(0.99, 0.5, 4, Some((alternate, 40)));
            (1..=4).max_by(|a, b| copies.of(*a).total_cmp(&copies.of(*b)))
        };
        assert_eq!(
            [best(9), best(21), best(31), best(40)],
            [1, 2, 3, 4].map(Some)
        );
        let even = AlleleCopies::new(0.8, 0.5, 4, None);
        assert!((even.of(3) - 0.2).abs() < 1e-9);
    }
}
