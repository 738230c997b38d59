//! What the thresholds of a card are worth on calls that had no say in them: real and simulated ones apart, by depth.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::reliability::reliability;
use super::thresholds::{AimThreshold, HeldOut};
use crate::genome::PerKind;
use crate::table::write_table;

/// Calls of a kind without which the calibration error is not told: the error of a perfect calibration is far from 0
/// where bins hold a handful.
const LEAST_CALLS: u64 = 500;

/// Where calls come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataKind {
    /// Real reads of a sample whose variants are known.
    Real,
    /// Reads that a program made of a genome that it made up.
    Simulated,
}

/// How deep samples are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DepthClass {
    /// Fewer than 10 reads over a place.
    #[serde(rename = "below 10x")]
    Below10,
    /// At least 10 and fewer than 20.
    #[serde(rename = "10x to 20x")]
    From10,
    /// At least 20 and fewer than 40.
    #[serde(rename = "20x to 40x")]
    From20,
    /// 40 and more.
    #[serde(rename = "40x and more")]
    From40,
}

/// What thresholds are worth on calls of one sort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Where the calls come from.
    pub data: DataKind,
    /// The depth of their samples; nothing where the model looks at no reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthClass>,
    /// Names of the sets of calls.
    pub sets: Vec<String>,
    /// What was found, for each kind of which there are real calls.
    pub kinds: PerKind<Option<MeasuredKind>>,
}

/// The calls of a kind, and how many of them pass each threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredKind {
    /// Real calls.
    pub real: u64,
    /// False calls.
    #[serde(rename = "false")]
    pub fake: u64,
    /// Expected calibration error of their probabilities (ten bins); nothing where there are too few calls to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error: Option<f64>,
    /// Real and false calls that pass each of the card's thresholds of this kind, in its order.
    pub passing: Vec<[u64; 2]>,
}

/// What one threshold is worth on calls of one sort.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worth {
    /// Where the calls come from.
    pub data: DataKind,
    /// The depth of their samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthClass>,
    /// Real calls.
    pub real: u64,
    /// False calls.
    #[serde(rename = "false")]
    pub fake: u64,
    /// Share of what passes that is real; nothing where nothing passes.
    pub precision: Option<Share>,
    /// Share of the real calls that pass.
    pub recall: Option<Share>,
    /// Expected calibration error; nothing where it is not known.
    pub calibration_error: Option<f64>,
}

/// A share of calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share, 0 to 1.
    pub value: f64,
    /// Its 95 % interval, the calls taken as independent of each other: Wilson's, J. Am. Stat. Assoc. 22:209 (1927).
    pub interval: [f64; 2],
}

impl DepthClass {
    /// The class of a mean depth in reads.
    pub fn of(depth: f32) -> Self {
        match depth {
            depth if depth < 10.0 => DepthClass::Below10,
            depth if depth < 20.0 => DepthClass::From10,
            depth if depth < 40.0 => DepthClass::From20,
            _ => DepthClass::From40,
        }
    }
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DataKind::Real => "real",
            DataKind::Simulated => "simulated",
        })
    }
}

impl fmt::Display for DepthClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DepthClass::Below10 => "below 10x",
            DepthClass::From10 => "10x to 20x",
            DepthClass::From20 => "20x to 40x",
            DepthClass::From40 => "40x and more",
        })
    }
}

impl Share {
    /// `hits` of `of` calls; nothing of none.
    pub fn of(hits: u64, of: u64) -> Option<Self> {
        // The normal quantile of 97.5 %.
        const Z: f64 = 1.959_963_984_540_054;
        if of == 0 {
            return None;
        }
        let (n, value) = (of as f64, hits as f64 / of as f64);
        let scale = 1.0 + Z * Z / n;
        let middle = (value + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Self {
            value,
            // The ends are exact where all hit or none; rounding must not move them off.
            interval: [
                if hits == 0 { 0.0 } else { middle - half },
                if hits == of { 1.0 } else { middle + half },
            ],
        })
    }
}

impl fmt::Display for Share {
    /// `0.9912 (0.9701-0.9975)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.interval;
        write!(f, "{:.4} ({low:.4}-{high:.4})", self.value)
    }
}

impl MeasuredKind {
    /// Counts the calls of one kind that pass each threshold. Calls whose probability is no number are left out. Nothing
    /// where there are no real calls: the truth may have none of this kind.
    pub fn of(calls: &[HeldOut], thresholds: &[AimThreshold]) -> Option<Self> {
        let of = |is_real: bool| -> Vec<f64> {
            let of_class = calls.iter().filter(|call| call.is_real == is_real);
            let probabilities = of_class.map(|call| call.probability);
            probabilities.filter(|one| one.is_finite()).collect()
        };
        let (real, fake) = (of(true), of(false));
        if real.is_empty() {
            return None;
        }
        let passing = |threshold: &AimThreshold| {
            [&real, &fake].map(|calls| {
                let passing = calls.iter().filter(|one| **one >= threshold.probability);
                passing.count() as u64
            })
        };
        let known = (real.len() + fake.len()) as u64 >= LEAST_CALLS;
        let calibration_error = known.then(|| {
            let logits = real.iter().chain(&fake).map(|p| (p / (1.0 - p)).ln());
            let mut labels = vec![true; real.len()];
            labels.resize(real.len() + fake.len(), false);
            let error = reliability(logits, &labels).expected_calibration_error;
            // What a card needs; the counts behind it do not tell more.
            (error * 1e5).round() / 1e5
        });
        Some(Self {
            real: real.len() as u64,
            fake: fake.len() as u64,
            calibration_error,
            passing: thresholds.iter().map(passing).collect(),
        })
    }
}

impl Worth {
    /// The sort of calls, in words: `real, below 10x`.
    pub fn sort(&self) -> String {
        match self.depth {
            Some(depth) => format!("{}, {depth}", self.data),
            None => self.data.to_string(),
        }
    }
}

/// A table for people: a row a kind of record and sort of calls; nothing without rows.
pub fn worth_table<'a>(rows: impl Iterator<Item = (&'static str, &'a Worth)>) -> String {
    let heads = [
        "kind",
        "calls",
        "real",
        "false",
        "precision",
        "recall",
        "calibration error",
    ];
    let mut cells = vec![heads.map(String::from)];
    let share = |share: Option<Share>| share.map_or("-".to_owned(), |share| share.to_string());
    cells.extend(rows.map(|(kind, worth)| {
        [
            kind.to_owned(),
            worth.sort(),
            worth.real.to_string(),
            worth.fake.to_string(),
            share(worth.precision),
            share(worth.recall),
            worth
                .calibration_error
                .map_or("not known".to_owned(), |error| format!("{error:.4}")),
        ]
    }));
    let mut text = String::new();
    if cells.len() > 1 {
        write_table(&mut text, &cells);
    }
    text
}

impl Measured {
    /// What the threshold at `index` of the card's list of a kind is worth on these calls.
    pub(super) fn worth(&self, found: &MeasuredKind, index: usize) -> Option<Worth> {
        let [real, fake] = *found.passing.get(index)?;
        Some(Worth {
            data: self.data,
            depth: self.depth,
            real: found.real,
            fake: found.fake,
            precision: Share::of(real, real + fake),
            recall: Share::of(real, found.real),
            calibration_error: found.calibration_error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::VariantKind;
    use crate::score::thresholds::Aim;

    fn threshold(probability: f64) -> AimThreshold {
        AimThreshold {
            aim: Aim::F1,
            probability,
            precision: 0.9,
            recall: 0.9,
        }
    }

    fn call(probability: f64, is_real: bool) -> HeldOut {
        HeldOut {
            kind: VariantKind::Snp,
            probability,
            is_real,
        }
    }

    #[test]
    fn calls_that_pass_are_counted_at_each_threshold() {
        let calls = [
            call(0.5, true),
            call(0.9, true),
            call(0.5, false),
            call(0.1, false),
            call(f64::NAN, true),
        ];
        let found = MeasuredKind::of(&calls, &[threshold(0.5), threshold(0.6)]).unwrap();
        assert_eq!((found.real, found.fake), (2, 2));
        assert_eq!(found.passing, [[2, 1], [1, 0]]);
        assert_eq!(found.calibration_error, None, "four calls tell no error");
        assert_eq!(MeasuredKind::of(&calls[2..4], &[threshold(0.5)]), None);
    }

    #[test]
    fn the_calibration_error_is_told_of_enough_calls() {
        let calls: Vec<HeldOut> = (0..500).map(|at| call(0.75, at % 2 == 0)).collect();
        let found = MeasuredKind::of(&calls, &[]).unwrap();
        assert!((found.calibration_error.unwrap() - 0.25).abs() < 1e-9);
    }

    /// 9 of 10 by hand from Wilson's formula, with z = 1.96; none and all are 0 and 1 at their end, n/(n + z²) at the other.
    #[test]
    fn intervals_are_wilsons() {
        let near = |found: [f64; 2], expected: [f64; 2]| {
            let pairs = found.into_iter().zip(expected);
            pairs.into_iter().all(|(a, b)| (a - b).abs() < 5e-5)
        };
        let share = |hits, of| Share::of(hits, of).unwrap().interval;
        assert!(near(share(9, 10), [0.5958, 0.9821]), "{:?}", share(9, 10));
        assert!(near(share(0, 10), [0.0, 0.2775]), "{:?}", share(0, 10));
        assert!(near(share(10, 10), [0.7225, 1.0]), "{:?}", share(10, 10));
        assert!(Share::of(0, 0).is_none());
        assert_eq!(
            Share::of(990, 1000).unwrap().to_string(),
            "0.9900 (0.9817-0.9946)"
        );
    }

    #[test]
    fn depths_belong_to_the_class_that_they_reach() {
        for (depth, class) in [
            (9.99, "below 10x"),
            (10.0, "10x to 20x"),
            (20.0, "20x to 40x"),
            (40.0, "40x and more"),
        ] {
            assert_eq!(DepthClass::of(depth).to_string(), class);
            let json = serde_json::to_value(DepthClass::of(depth)).unwrap();
            assert_eq!(json, class);
        }
    }
}
