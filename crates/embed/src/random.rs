//! Random numbers from a seed: a stream for each purpose, and a quick one for each point of a map.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of its own for each purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Cells = 1,
    KMeans = 2,
    Umap = 3,
    Spectral = 4,
}

/// The stream of a purpose.
pub(crate) fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    stream.set_stream(purpose as u64);
    stream
}

/// A number from 0 to below 1.
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A normal number, by the sum of twelve uniform ones: good enough for a start.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| unit(rng)).sum::<f64>() - 6.0
}

/// A place in a list.
pub(crate) fn index(rng: &mut ChaCha8Rng, length: usize) -> usize {
    ((unit(rng) * length as f64) as usize).min(length.saturating_sub(1))
}

/// Steele, Lea and Flood's SplitMix64: a generator whose state costs nothing to set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    /// The generator of one point in one epoch.
    pub(crate) fn of(key: u64, epoch: usize, point: usize) -> Self {
        let mut mixed = Self(key ^ (epoch as u64).rotate_left(40));
        let state = mixed.next() ^ (point as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        ((u128::from(self.next()) * length as u128) >> 64) as usize
    }
}
