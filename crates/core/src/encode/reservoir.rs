//! Which reads stay where there are too many.

/// Java's linear congruential generator, as GATK's downsampler uses it (Knuth, The Art of
/// Computer Programming, volume 2, section 3.2.1; `java.util.Random`).
#[derive(Debug, Clone)]
struct JavaRandom {
    state: u64,
}

impl JavaRandom {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;

    fn new(seed: u64) -> Self {
        Self {
            state: (seed ^ Self::MULTIPLIER) & Self::MASK,
        }
    }

    /// The next 31 bits.
    fn next31(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xB) & Self::MASK;
        self.state >> 17
    }

    /// A number below `bound`, without bias; `bound` lies in 1..2^31.
    fn below(&mut self, bound: u64) -> u64 {
        if bound.is_power_of_two() {
            return (bound * self.next31()) >> 31;
        }
        loop {
            let bits = self.next31();
            let value = bits % bound;
            if bits - value + (bound - 1) < 1 << 31 {
                return value;
            }
        }
    }
}

/// The seed of GATK's generator (`GATK_RANDOM_SEED`, `scorevariants/encoders.py`).
const GATK_SEED: u64 = 47_382_911;

/// A fair sample of fixed size from a stream whose length is not known (Vitter, Random sampling
/// with a reservoir, 1985, algorithm R).
///
/// GATK draws from one generator for the whole run, so there the reads of a deep site depend on
/// the deep sites before it. Here every site starts from GATK's seed: the sample depends on the
/// site's own reads only, and a scattered run gives the same scores. The first deep site of a run
/// is as in GATK.
#[derive(Debug, Clone)]
pub struct Reservoir<T> {
    items: Vec<T>,
    capacity: usize,
    seen: u64,
    random: JavaRandom,
}

impl<T> Reservoir<T> {
    /// An empty reservoir for at most `capacity` items.
    pub fn new(capacity: usize) -> Self {
        Self {
            items: Vec::new(),
            capacity,
            seen: 0,
            random: JavaRandom::new(GATK_SEED),
        }
    }

    /// Offers the next item of the stream; `make` is called if it is taken.
    pub fn offer(&mut self, make: impl FnOnce() -> T) {
        self.seen += 1;
        if self.items.len() < self.capacity {
            self.items.push(make());
            return;
        }
        let slot = self.random.below(self.seen) as usize;
        if slot < self.capacity {
            self.items[slot] = make();
        }
    }

    /// How many items were offered.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The sample, in slot order.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `java.util.Random(47382911)`: `nextInt(129)`, `nextInt(130)`, ... as Python integers give
    /// them: s = (47382911 ^ 0x5DEECE66D) & (2**48-1); then s = (s * 0x5DEECE66D + 11) & (2**48-1),
    /// bits = s >> 17, value = bits % n (or n * bits >> 31 for a power of two).
    #[test]
    fn draws_are_javas() {
        let mut random = JavaRandom::new(GATK_SEED);
        let drawn: Vec<u64> = (129..137).map(|n| random.below(n)).collect();
        assert_eq!(drawn, DRAWN);
        let mut random = JavaRandom::new(GATK_SEED);
        assert_eq!(random.below(256), POWER_OF_TWO);
    }

    const DRAWN: [u64; 8] = [114, 25, 128, 65, 80, 43, 12, 82];
    const POWER_OF_TWO: u64 = 63;

    #[test]
    fn small_streams_are_kept_whole_and_in_order() {
        let mut reservoir = Reservoir::new(4);
        (0..4).for_each(|item| reservoir.offer(|| item));
        assert_eq!(reservoir.into_items(), [0, 1, 2, 3]);
    }

    #[test]
    fn every_item_has_about_the_same_chance() {
        let mut late = 0;
        let mut reservoir = Reservoir::new(128);
        (0..12_800).for_each(|item| reservoir.offer(|| item));
        assert_eq!(reservoir.seen(), 12_800);
        let items = reservoir.into_items();
        assert_eq!(items.len(), 128);
        late += items.iter().filter(|item| **item >= 6_400).count();
        // 64 expected, standard deviation 5.7.
        assert!(
            (41..=87).contains(&late),
            "{late} of 128 from the second half"
        );
    }
}
