//! Damaged bases: oxidised guanine is read as T, deaminated cytosine as T. Both strike one strand
//! of the fragment, which read 1 shows as it is and read 2 as its complement.

use crate::random::{Random, geometric};

use super::fastq::Read;

/// Probabilities a base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damage {
    /// That a G reads as T in read 1, a C as A in read 2.
    pub oxidation: f64,
    /// That a C reads as T in read 1, a G as A in read 2.
    pub deamination: f64,
}

impl Damage {
    /// Changes a mate (0 or 1). Qualities stay: the sequencer sees a good base.
    pub fn apply(&self, random: &mut Random, read: &mut Read, mate: usize) {
        let oxidation = if mate == 0 {
            (b'G', b'T')
        } else {
            (b'C', b'A')
        };
        let deamination = if mate == 0 {
            (b'C', b'T')
        } else {
            (b'G', b'A')
        };
        for ((from, to), p) in [(oxidation, self.oxidation), (deamination, self.deamination)] {
            // From one candidate to the next, rather than a draw a base.
            let mut at = geometric(random, p);
            while let Some(base) = read.bases.get_mut(at) {
                if *base == from {
                    *base = to;
                }
                at = at.saturating_add(1).saturating_add(geometric(random, p));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::random::stream;

    /// Changed bases of 5,000 reads of each mate, by what was there and what is.
    fn changes(damage: Damage, mate: usize) -> BTreeMap<(char, char), usize> {
        let bases = b"ACGT".repeat(50);
        let mut random = stream(2, 0);
        let mut found = BTreeMap::new();
        for _ in 0..5_000 {
            let mut read = Read {
                bases: bases.clone(),
                qualities: vec![b'J'; bases.len()],
            };
            damage.apply(&mut random, &mut read, mate);
            assert!(read.qualities.iter().all(|quality| *quality == b'J'));
            for (from, to) in bases.iter().zip(&read.bases).filter(|(a, b)| a != b) {
                *found
                    .entry((char::from(*from), char::from(*to)))
                    .or_insert(0) += 1;
            }
        }
        found
    }

    #[test]
    fn each_mate_shows_its_strand_at_the_rate() {
        let damage = Damage {
            oxidation: 0.004,
            deamination: 0.001,
        };
        // 250,000 bases of each kind.
        for (mate, oxidised, deaminated) in
            [(0, ('G', 'T'), ('C', 'T')), (1, ('C', 'A'), ('G', 'A'))]
        {
            let found = changes(damage, mate);
            assert_eq!(found.len(), 2, "{found:?}");
            assert!((850..1_150).contains(&found[&oxidised]), "{found:?}");
            assert!((190..310).contains(&found[&deaminated]), "{found:?}");
        }
    }

    #[test]
    fn the_edges_are_defined() {
        let none = Damage {
            oxidation: 0.0,
            deamination: 0.0,
        };
        assert!(changes(none, 0).is_empty());
        let all = Damage {
            oxidation: 1.0,
            deamination: 0.0,
        };
        assert_eq!(changes(all, 0)[&('G', 'T')], 250_000);
    }
}
