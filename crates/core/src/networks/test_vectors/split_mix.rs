//! A generator that is specified here and nowhere else.

/// SplitMix64 (Steele, Lea and Flood 2014): a seed gives the same numbers for ever.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `count`: the upper 32 bits times `count`, without the lower 32 bits
    /// of the product.
    pub fn below(&mut self, count: u8) -> u8 {
        (((self.next() >> 32) * u64::from(count)) >> 32) as u8
    }

    /// A number from 0 to below 1: the upper 24 bits.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_definition() {
        let mut random = SplitMix64::new(1_234_567);
        let found = [random.next(), random.next(), random.next()];
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(found, expected);
        let mut random = SplitMix64::new(1);
        assert_eq!((random.below(8), random.below(61)), (4, 45));
        assert_eq!(random.unit(), 0.971_002_7);
    }
}
