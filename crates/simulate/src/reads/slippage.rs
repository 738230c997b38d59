//! The polymerase slips at tandem repeats: a read has a unit more or fewer than its fragment.

use crate::random::{Random, chance};
use cnnfilter_core::genome::repeat::{TandemRepeat, tandem_repeats};

use super::fastq::Read;

use rand::RngExt;

/// Longest unit of a repeat that slips, in bases.
pub const MAX_UNIT: usize = 4;
/// Probability by copies of a run of one base; between them the logarithm is linear, behind the
/// last it stays.
const BY_COPIES: [(f64, f64); 4] = [(6.0, 0.001), (9.0, 0.01), (14.0, 0.08), (20.0, 0.25)];
/// How much a base beyond the sixth counts in repeats with units of 1 to 4 bases.
const BASE_WEIGHT: [f64; MAX_UNIT] = [1.0, 0.5, 0.35, 0.25];
/// How readily such repeats slip, against a run of one base that counts as long.
const UNIT_FACTOR: [f64; MAX_UNIT] = [1.0, 0.5, 0.5, 0.5];
/// Part of the slips that lose rather than gain.
const LOSS: f64 = 2.0 / 3.0;
/// Part of the slips by two units.
const TWO_UNITS: f64 = 0.08;

/// Probability that a repeat of whole `copies` of a unit of 1 to 4 bases slips in a read, at scale
/// 1: 0.1 % at six of one base, 1 % at nine, 8 % at fourteen, 25 % from twenty on.
pub fn probability(unit: usize, copies: usize) -> f64 {
    let Some(kind) = unit.checked_sub(1).filter(|kind| *kind < MAX_UNIT) else {
        return 0.0;
    };
    let length = 6.0 + ((copies * unit) as f64 - 6.0) * BASE_WEIGHT[kind];
    if length < BY_COPIES[0].0 {
        return 0.0;
    }
    let mut p = BY_COPIES[BY_COPIES.len() - 1].1;
    for pair in BY_COPIES.windows(2) {
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        if length < to {
            let part = (length - from) / (to - from);
            p = (low.ln() + part * (high.ln() - low.ln())).exp();
            break;
        }
    }
    p * UNIT_FACTOR[kind]
}

/// Copies up to which probabilities are kept ready; at more they do not rise.
const MAX_COPIES: usize = 64;

/// Lets repeats slip.
#[derive(Debug, Clone)]
pub struct Slippage {
    /// By unit less one, then copies.
    table: Vec<[f64; MAX_COPIES + 1]>,
    is_off: bool,
}

impl Slippage {
    /// Probabilities `scale` times as high as [`probability`], at most 0.9.
    pub fn new(scale: f64) -> Self {
        let row = |unit| std::array::from_fn(|n| (probability(unit, n) * scale).min(0.9));
        Self {
            table: (1..=MAX_UNIT).map(row).collect(),
            is_off: scale <= 0.0,
        }
    }

    /// Changes a read at the repeats that end before it ends. What is lost makes it shorter, with
    /// its qualities; what is gained pushes as much out at its end. `repeats` is scratch space.
    pub fn apply(&self, random: &mut Random, read: &mut Read, repeats: &mut Vec<TandemRepeat>) {
        if self.is_off {
            return;
        }
        let length = read.bases.len();
        tandem_repeats(&read.bases, MAX_UNIT, repeats);
        repeats.retain(|repeat| {
            let copies = repeat.copies().min(MAX_COPIES);
            repeat.span.end < length && chance(random, self.table[repeat.unit - 1][copies])
        });
        // From behind, so that what is still to come stays where it is.
        repeats.sort_by_key(|repeat| std::cmp::Reverse((repeat.span.start, repeat.unit)));
        for repeat in repeats.iter() {
            let units = if chance(random, TWO_UNITS) { 2 } else { 1 };
            let bases = units * repeat.unit;
            let end = repeat.span.end;
            // Overlapping repeats: the one behind may have cut into this one.
            if end > read.bases.len() {
                continue;
            }
            let copied = end - bases..end;
            if random.random::<f64>() < LOSS {
                read.bases.drain(copied.clone());
                read.qualities.drain(copied);
            } else {
                let added: Vec<u8> = read.bases[copied.clone()].to_vec();
                read.bases.splice(end..end, added);
                let added: Vec<u8> = read.qualities[copied].to_vec();
                read.qualities.splice(end..end, added);
            }
        }
        read.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::stream;

    #[test]
    fn probabilities_are_those_promised() {
        for (copies, expected) in [(5, 0.0), (6, 0.001), (9, 0.01), (14, 0.08), (20, 0.25)] {
            let found = probability(1, copies);
            assert!((found - expected).abs() < 1e-12, "{copies}: {found}");
        }
        assert_eq!(probability(1, 60), probability(1, 20));
        for unit in 1..=MAX_UNIT {
            let rising: Vec<f64> = (6 / unit..30).map(|n| probability(unit, n)).collect();
            assert!(rising.is_sorted(), "{unit}: {rising:?}");
        }
        assert!(probability(2, 10) < probability(1, 20));
        assert_eq!(probability(5, 9), 0.0);
        assert_eq!(probability(0, 9), 0.0);
    }

    /// Slips of a repeat in 40,000 reads, by bases gained (positive) or lost.
    fn slips(repeat: &[u8]) -> std::collections::BTreeMap<isize, usize> {
        let slippage = Slippage::new(1.0);
        let mut random = stream(11, 0);
        let mut repeats = Vec::new();
        let (before, after) = (b"GATCGTCATG", b"GCTAGTCGATCGGCTACTAG");
        let bases = [before.as_slice(), repeat, after].concat();
        let mut found = std::collections::BTreeMap::new();
        for _ in 0..40_000 {
            let mut read = Read {
                qualities: vec![b'I'; bases.len()],
                bases: bases.clone(),
            };
            slippage.apply(&mut random, &mut read, &mut repeats);
            assert_eq!(read.bases.len(), read.qualities.len());
            let marker = &after[..8];
            let end = read.bases.windows(8).position(|w| w == marker).unwrap();
            let changed = end as isize - (before.len() + repeat.len()) as isize;
            assert_eq!(
                read.bases.len(),
                bases.len().saturating_add_signed(changed.min(0))
            );
            *found.entry(changed).or_insert(0) += 1;
        }
        found
    }

    #[test]
    fn repeats_slip_as_often_as_that_two_losses_for_a_gain() {
        let cases: [(&[u8], usize, f64); 6] = [
            (b"A", 6, 0.001),
            (b"T", 9, 0.01),
            (b"A", 14, 0.08),
            (b"C", 20, 0.25),
            // 6 + 14/2 = 13 of one base, half as readily.
            (b"CA", 10, 0.026_4),
            // 6 + 0.25 * 34 = 14.5 of one base, half as readily.
            (b"GATA", 10, 0.044),
        ];
        for (unit, copies, expected) in cases {
            let found = slips(&unit.repeat(copies));
            let unit = unit.len() as isize;
            let count = |units: isize| found.get(&(units * unit)).copied().unwrap_or(0) as f64;
            let (lost, gained) = (count(-1) + count(-2), count(1) + count(2));
            let all = lost + gained;
            assert_eq!(count(0) + all, 40_000.0, "whole units only: {found:?}");
            let deviation = (expected * 40_000.0).sqrt() * 4.0;
            assert!(
                (all - expected * 40_000.0).abs() < deviation,
                "{all} {expected}"
            );
            if all > 300.0 {
                assert!((1.6..2.6).contains(&(lost / gained)), "{lost} {gained}");
                assert!(count(-2) + count(2) > 0.0 && count(-2) + count(2) < 0.15 * all);
            }
        }
    }

    #[test]
    fn repeats_at_the_end_of_the_read_and_a_scale_of_0_change_nothing() {
        let bases = [b"GATC".as_slice(), &b"A".repeat(30)].concat();
        let read = Read {
            qualities: vec![b'I'; bases.len()],
            bases,
        };
        let mut random = stream(1, 0);
        let mut repeats = Vec::new();
        for _ in 0..200 {
            let mut changed = read.clone();
            Slippage::new(100.0).apply(&mut random, &mut changed, &mut repeats);
            assert_eq!(changed, read);
        }
        let mut inner = read.clone();
        inner.bases[33] = b'G';
        let before = inner.clone();
        for _ in 0..200 {
            Slippage::new(0.0).apply(&mut random, &mut inner, &mut repeats);
        }
        assert_eq!(inner, before);
    }

    proptest! {
        #[test]
        fn any_read_keeps_a_quality_a_base_and_grows_no_longer(
            bases in prop::collection::vec(prop::sample::select(b"AAAACCN".to_vec()), 0..160),
            seed in any::<u64>(),
        ) {
            let mut read = Read { qualities: vec![b'#'; bases.len()], bases };
            let length = read.bases.len();
            Slippage::new(100.0).apply(&mut stream(seed, 0), &mut read, &mut Vec::new());
            prop_assert_eq!(read.bases.len(), read.qualities.len());
            prop_assert!(read.bases.len() <= length);
        }
    }
}
