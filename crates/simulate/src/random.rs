//! Random numbers: ChaCha8 streams and the few distributions that the simulator draws from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator with which everything is drawn.
pub type Random = ChaCha8Rng;

/// The generator of one purpose: streams of one seed are independent of each other.
pub fn stream(seed: u64, number: u64) -> Random {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

/// True with probability `p`; an impossible `p` is cut to 0..1.
pub fn chance(random: &mut Random, p: f64) -> bool {
    random.random::<f64>() < p
}

/// A Poisson number with mean `mean` (Knuth 1969, in pieces, so that the product does not
/// underflow); takes time in proportion to the mean.
pub fn poisson(random: &mut Random, mean: f64) -> usize {
    let mut left = mean.max(0.0);
    let mut count = 0;
    while left > 0.0 {
        let piece = left.min(16.0);
        left -= piece;
        let limit = (-piece).exp();
        let mut product = random.random::<f64>();
        while product > limit {
            count += 1;
            product *= random.random::<f64>();
        }
    }
    count
}

/// Failures before the first success of trials that succeed with probability `p`; `usize::MAX`
/// where `p` is 0 or less.
pub fn geometric(random: &mut Random, p: f64) -> usize {
    if p <= 0.0 {
        return usize::MAX;
    }
    if p >= 1.0 {
        return 0;
    }
    // 1 - u is never 0, so the logarithm is finite.
    let u = 1.0 - random.random::<f64>();
    (u.ln() / (-p).ln_1p()) as usize
}

/// A number between `low` and `high`, both positive, whose logarithm is uniform.
pub fn log_uniform(random: &mut Random, low: f64, high: f64) -> f64 {
    (low.ln() + random.random::<f64>() * (high.ln() - low.ln())).exp()
}

/// One of A, C, G, T.
pub fn base(random: &mut Random) -> u8 {
    b"ACGT"[random.random_range(0..4)]
}

/// One of the three bases that `base` is not.
pub fn other_base(random: &mut Random, base: u8) -> u8 {
    loop {
        let drawn = self::base(random);
        if drawn != base {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of 20,000 draws.
    fn mean(mut draw: impl FnMut(&mut Random) -> f64) -> f64 {
        let mut random = stream(5, 0);
        (0..20_000).map(|_| draw(&mut random)).sum::<f64>() / 20_000.0
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        assert!((mean(|r| poisson(r, 3.5) as f64) - 3.5).abs() < 0.06);
        assert!((mean(|r| poisson(r, 40.0) as f64) - 40.0).abs() < 0.2);
        assert!((mean(|r| geometric(r, 0.25) as f64) - 3.0).abs() < 0.1);
        // Mean of a log-uniform number: (high - low) / ln(high / low).
        let expected = 19_000.0 / 20f64.ln();
        let found = mean(|r| log_uniform(r, 1_000.0, 20_000.0));
        assert!((found / expected - 1.0).abs() < 0.03, "{found}");
        assert!((mean(|r| f64::from(chance(r, 0.3))) - 0.3).abs() < 0.012);
    }

    #[test]
    fn the_edges_are_defined() {
        let mut random = stream(1, 1);
        assert_eq!(poisson(&mut random, 0.0), 0);
        assert_eq!(poisson(&mut random, -1.0), 0);
        assert_eq!(geometric(&mut random, 0.0), usize::MAX);
        assert_eq!(geometric(&mut random, 1.0), 0);
        assert!(!chance(&mut random, 0.0));
        assert!(chance(&mut random, 1.0));
        for _ in 0..50 {
            assert_ne!(other_base(&mut random, b'G'), b'G');
        }
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, number| stream(seed, number).random::<u64>();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
