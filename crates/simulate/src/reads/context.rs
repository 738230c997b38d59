//! Errors after GGC, GGT and GGA: at few places of the genome, on one strand only, many reads
//! have the base before once more (Nakamura et al. 2011, Nucleic Acids Res. 39:e90; Meacham et al.
//! 2011, BMC Bioinformatics 12:451).

use rand::RngExt;

use crate::random::{Random, chance};

use super::fastq::Read;

/// Bases before a place that decide whether it is bad.
pub const CONTEXT: usize = 24;
/// Part of the places of a strand, in even sequence, that follow one of the motifs.
const MOTIFS: f64 = 3.0 / 64.0;
/// Part of the reads that err at a bad place: from, and how much more at most.
const ERRING: (f64, f64) = (0.10, 0.30);
/// Part of the erring reads that show it in their qualities.
const LOWERED: f64 = 0.8;
/// Part of the others at the same place that do.
const LOWERED_OTHERS: f64 = 0.25;

/// The entry of [`TWO_BITS`] for anything but A, C, G, T.
const UNKNOWN: u8 = 4;

/// A base in two bits, by its ASCII code.
const TWO_BITS: [u8; 256] = {
    let mut table = [UNKNOWN; 256];
    table[b'A' as usize] = 0b00;
    table[b'C' as usize] = 0b01;
    table[b'G' as usize] = 0b10;
    table[b'T' as usize] = 0b11;
    table
};

/// Puts such errors into reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextErrors {
    /// Contexts whose hash is lower are bad.
    threshold: u64,
}

impl ContextErrors {
    /// Of `positions` of the genome one is bad on one of its strands; none where it is 0.
    pub fn new(positions: f64) -> Self {
        let p = if positions > 0.0 {
            (0.5 / positions / MOTIFS).min(1.0)
        } else {
            0.0
        };
        Self {
            threshold: (p * u64::MAX as f64) as u64,
        }
    }

    /// Changes a read. Whether a place is bad depends on the 24 bases before it alone, so that all
    /// reads of that strand err alike, whatever the seed.
    pub fn apply(&self, random: &mut Random, read: &mut Read) {
        if self.threshold == 0 {
            return;
        }
        let mut code = 0u64;
        let mut known = 0;
        let mut before = 0;
        for at in 0..read.bases.len() {
            let base = read.bases[at];
            // G, G, and one of A, C, T in the last six bits.
            if known >= CONTEXT && code & 0b11_1100 == 0b10_1000 && code & 0b11 != 0b10 {
                let hash = mixed(code & ((1 << (2 * CONTEXT)) - 1));
                if hash < self.threshold {
                    self.strike(random, read, at, before, hash);
                }
            }
            let bits = TWO_BITS[usize::from(base)];
            code = code << 2 | u64::from(bits & 0b11);
            known = if bits == UNKNOWN { 0 } else { known + 1 };
            before = base;
        }
    }

    fn strike(&self, random: &mut Random, read: &mut Read, at: usize, before: u8, hash: u64) {
        let level = mixed(hash) as f64 / u64::MAX as f64;
        let errs = chance(random, ERRING.0 + ERRING.1 * level);
        if errs {
            read.bases[at] = before;
        }
        if chance(random, if errs { LOWERED } else { LOWERED_OTHERS }) {
            let end = at + random.random_range(4..=20usize);
            for quality in read.qualities.iter_mut().take(end).skip(at) {
                *quality = (*quality).min(33 + random.random_range(12..=25u8));
            }
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014, OOPSLA).
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{base, stream};

    const LENGTH: usize = 150;
    const READS: usize = 20;

    /// Of a genome, cut into reads that are read `READS` times each: at each place the reads that
    /// err.
    fn erring(genome: &[u8], positions: f64, seed: u64) -> Vec<usize> {
        let errors = ContextErrors::new(positions);
        let mut random = stream(seed, 0);
        let mut erring = vec![0; genome.len()];
        for (number, bases) in genome.chunks(LENGTH).enumerate() {
            for _ in 0..READS {
                let mut read = Read {
                    bases: bases.to_vec(),
                    qualities: vec![b'J'; bases.len()],
                };
                errors.apply(&mut random, &mut read);
                let lowered = read.qualities.iter().filter(|q| **q < b'J').count();
                assert!(
                    read.qualities
                        .iter()
                        .all(|q| *q == b'J' || (45..=58).contains(q))
                );
                for (at, (from, to)) in bases.iter().zip(&read.bases).enumerate() {
                    if from != to {
                        assert_eq!(*to, bases[at - 1], "the base before once more");
                        assert_eq!(bases[at - 3..at - 1], *b"GG");
                        assert_ne!(bases[at - 1], b'G');
                        erring[number * LENGTH + at] += 1;
                    }
                }
                assert!(lowered <= 60);
            }
        }
        erring
    }

    fn genome(length: usize) -> Vec<u8> {
        let mut random = stream(1, 7);
        (0..length).map(|_| base(&mut random)).collect()
    }

    #[test]
    fn bad_places_are_as_frequent_as_asked_for() {
        let genome = genome(900_000);
        let erring = erring(&genome, 600.0, 1);
        let bad: Vec<f64> = erring
            .iter()
            .filter(|n| **n > 0)
            .map(|n| *n as f64)
            .collect();
        // One in 1,200 of a strand; of these three of four differ from the base before, and 126
        // of 150 places of a read have 24 bases before them.
        let expected = 900_000.0 / 1_200.0 * 0.75 * 126.0 / 150.0;
        let part = bad.len() as f64 / expected;
        assert!((0.8..1.15).contains(&part), "{part}");
        let fraction = bad.iter().sum::<f64>() / bad.len() as f64 / READS as f64;
        assert!(
            (0.22..0.30).contains(&fraction),
            "10 to 40 % of the reads: {fraction}"
        );
    }

    #[test]
    fn places_are_bad_on_one_strand_whatever_the_seed() {
        let genome = genome(150_000);
        let places = |erring: Vec<usize>| -> Vec<usize> {
            (0..erring.len()).filter(|at| erring[*at] > 2).collect()
        };
        let first = places(erring(&genome, 300.0, 1));
        let second = erring(&genome, 300.0, 2);
        assert!(first.len() > 50);
        let again = first.iter().filter(|at| second[**at] > 0).count();
        assert!(
            again * 100 >= first.len() * 97,
            "{again} of {}",
            first.len()
        );
        let complement = |base: &u8| match base {
            b'A' => b'T',
            b'C' => b'G',
            b'G' => b'C',
            _ => b'A',
        };
        let other: Vec<u8> = genome.iter().rev().map(complement).collect();
        let other = erring(&other, 300.0, 3);
        let both = first
            .iter()
            .filter(|at| other[genome.len() - 1 - **at] > 0)
            .count();
        assert!(both * 20 < first.len(), "{both} on both strands");
    }

    #[test]
    fn none_where_there_is_no_context() {
        assert!(erring(&genome(30_000), 0.0, 1).iter().all(|n| *n == 0));
        let mut read = Read {
            bases: b"GGCT".repeat(6)[..24].to_vec(),
            qualities: vec![b'J'; 24],
        };
        let before = read.clone();
        ContextErrors::new(0.001).apply(&mut stream(1, 0), &mut read);
        assert_eq!(read, before, "24 bases have none behind 24");
        read.bases = [b"ACGTN".repeat(4).as_slice(), b"AAAAGGCTGGCT"].concat();
        read.qualities = vec![b'J'; read.bases.len()];
        let before = read.clone();
        ContextErrors::new(0.001).apply(&mut stream(1, 0), &mut read);
        assert_eq!(read, before, "an unknown base among the 24");
    }
}
