//! How unlike the training calls a call is, by what the network makes of it.
//!
//! A card may carry a [`Novelty`]: for each kind a mean, a deviation and the main directions of the pooled outputs of
//! some layers over training calls. The distance of a call is the one of probabilistic principal components: along
//! each direction in units of its deviation, and what the directions leave in units of what they leave of training
//! calls. Distances mean nothing to people, so a call is told the share of training calls that lie nearer.

use serde::{Deserialize, Serialize};

use crate::genome::{PerKind, VariantKind};

/// Above this a call is unlike anything in training: at most one in a thousand training calls lies as far out.
pub const UNLIKE: f64 = 0.999;

/// Shares of the training calls whose distances a summary keeps, in order; the last is the farthest call.
pub const SHARES: [f64; 16] = [
    0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0,
];

/// A summary of training calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Novelty {
    /// The layers whose pooled outputs it summarises, one behind the other.
    pub layers: Vec<String>,
    /// The calls that it was made of, in words for people.
    pub made_of: String,
    /// The summary of each kind that had enough calls.
    pub kinds: PerKind<Option<KindSummary>>,
}

/// A summary of the training calls of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindSummary {
    /// Training calls that it was made of.
    pub calls: u64,
    /// Mean of each number, as text.
    pub mean: Numbers,
    /// Deviation of each number, as text; never 0.
    pub deviation: Numbers,
    /// The directions of largest variance of the scaled numbers.
    pub directions: Vec<Direction>,
    /// Variance of a scaled number that the directions leave.
    pub rest: f64,
    /// Distances of training calls, by [`SHARES`].
    pub distances: Numbers,
}

/// A direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Direction {
    /// The variance along it.
    pub variance: f64,
    /// Its unit vector.
    pub vector: UnitVector,
}

/// Numbers that stand in one line of text with four digits each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Numbers(pub Vec<f64>);

impl Numbers {
    /// Numbers as they will be read again.
    pub fn rounded(numbers: impl IntoIterator<Item = f64>) -> Self {
        let rounded = numbers.into_iter().map(|number| {
            let text = format!("{number:.3e}");
            text.parse().unwrap_or(number)
        });
        Self(rounded.collect())
    }
}

impl From<Numbers> for String {
    fn from(numbers: Numbers) -> Self {
        let words = numbers.0.iter().map(ToString::to_string);
        words.collect::<Vec<_>>().join(" ")
    }
}

impl TryFrom<String> for Numbers {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let words = text.split_ascii_whitespace().map(str::parse);
        words.collect::<Result<_, _>>().map(Self)
    }
}

/// A unit vector whose entries are whole numbers times a factor, two hexadecimal digits each (two's complement).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UnitVector {
    entries: Vec<i8>,
    /// One over the length of the entries.
    factor: f64,
}

impl UnitVector {
    fn new(entries: Vec<i8>) -> Self {
        let squares = entries.iter().map(|entry| f64::from(*entry).powi(2));
        let length = squares.sum::<f64>().sqrt();
        let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
        Self { entries, factor }
    }

    /// The nearest such vector that points where `vector` does.
    pub fn nearest(vector: &[f32]) -> Self {
        let largest = vector
            .iter()
            .fold(0.0f32, |most, entry| most.max(entry.abs()));
        let scale = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        Self::new(
            vector
                .iter()
                .map(|entry| (entry * scale).round() as i8)
                .collect(),
        )
    }

    fn dot(&self, numbers: &[f64]) -> f64 {
        let products = self.entries.iter().zip(numbers);
        products
            .map(|(entry, number)| f64::from(*entry) * number)
            .sum::<f64>()
            * self.factor
    }
}

impl From<UnitVector> for String {
    fn from(vector: UnitVector) -> Self {
        let digits = vector.entries.iter().map(|entry| format!("{entry:02x}"));
        digits.collect()
    }
}

impl TryFrom<String> for UnitVector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let pairs = text.as_bytes().chunks(2);
        let entries = pairs.map(|pair| {
            let digits = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2);
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            byte.map(|byte| byte as i8)
                .ok_or_else(|| "a vector must be pairs of hexadecimal digits".to_owned())
        });
        entries.collect::<Result<_, _>>().map(Self::new)
    }
}

impl KindSummary {
    /// The distance of a call with these pooled outputs.
    pub fn distance(&self, numbers: &[f32]) -> f64 {
        let scaled: Vec<f64> = (numbers.iter().zip(&self.mean.0).zip(&self.deviation.0))
            .map(|((number, mean), deviation)| (f64::from(*number) - mean) / deviation)
            .collect();
        let mut left: f64 = scaled.iter().map(|number| number * number).sum();
        let mut distance = 0.0;
        for direction in &self.directions {
            let square = direction.vector.dot(&scaled).powi(2);
            distance += square / direction.variance;
            left -= square;
        }
        // Rounded directions are not quite at right angles.
        (distance + left.max(0.0) / self.rest).sqrt()
    }

    /// The share of training calls that lie nearer, 0 to 1.
    pub fn share_nearer(&self, distance: f64) -> f64 {
        let known = &self.distances.0;
        // Equal distances: the higher share, as no more calls than that lie nearer or there.
        let above = known.partition_point(|one| *one <= distance);
        let (Some(low), Some(high)) = (above.checked_sub(1), known.get(above)) else {
            return if above == 0 { 0.0 } else { 1.0 };
        };
        let part = (distance - known[low]) / (high - known[low]);
        SHARES[low] + part * (SHARES[above] - SHARES[low])
    }
}

impl Novelty {
    /// The share of the training calls of this kind that are less unusual than a call with these pooled outputs; nothing
    /// for a kind without a summary.
    pub fn of(&self, kind: VariantKind, numbers: &[f32]) -> Option<f64> {
        let summary = self.kinds.get(kind)?.as_ref()?;
        Some(summary.share_nearer(summary.distance(numbers)))
    }

    /// Checks that it can be used for layers that give so many numbers a call.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, width: usize) -> Result<(), String> {
        for (kind, summary) in self.kinds.present() {
            let wrong = |what: &str| Err(format!("{what} ({kind})"));
            let lengths = [summary.mean.0.len(), summary.deviation.0.len()];
            let vectors = summary
                .directions
                .iter()
                .map(|one| one.vector.entries.len());
            if let Some(found) = lengths
                .into_iter()
                .chain(vectors)
                .find(|found| *found != width)
            {
                return wrong(&format!(
                    "{found} numbers for the {width} of {}",
                    self.layers.join(", ")
                ));
            }
            let positive = |number: f64| number.is_finite() && number > 0.0;
            let variances = summary.directions.iter().map(|one| one.variance);
            let mut positives = variances
                .chain([summary.rest])
                .chain(summary.deviation.0.iter().copied());
            if !positives.all(positive) || !summary.mean.0.iter().all(|mean| mean.is_finite()) {
                return wrong(
                    "a deviation or variance that is not above 0, or a mean that is no number",
                );
            }
            let distances = &summary.distances.0;
            if distances.len() != SHARES.len()
                || !distances.iter().all(|one| one.is_finite())
                || !distances.is_sorted()
            {
                return wrong(&format!(
                    "distances that are not {} rising numbers",
                    SHARES.len()
                ));
            }
        }
        Ok(())
    }
}

/// A share, with four decimals.
pub fn format_novelty(share: f64) -> String {
    format!("{share:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two numbers, the first with deviation 2, one direction along it.
    fn summary() -> KindSummary {
        KindSummary {
            calls: 1000,
            mean: Numbers(vec![1.0, 0.0]),
            deviation: Numbers(vec![2.0, 0.5]),
            directions: vec![Direction {
                variance: 4.0,
                vector: UnitVector::nearest(&[1.0, 0.0]),
            }],
            rest: 0.25,
            distances: Numbers((0..16).map(f64::from).collect()),
        }
    }

    fn novelty() -> Novelty {
        Novelty {
            layers: vec!["join1".into()],
            made_of: "a test".into(),
            kinds: PerKind {
                snp: Some(summary()),
                indel: None,
            },
        }
    }

    #[test]
    fn distances_are_in_units_of_what_training_calls_do() {
        let summary = summary();
        assert!((summary.distance(&[1.0, 0.0])).abs() < 1e-12);
        // 4 deviations along the direction, whose own is 2.
        assert!((summary.distance(&[9.0, 0.0]) - 2.0).abs() < 1e-12);
        // 1 deviation beside it, where the rest's is a half.
        assert!((summary.distance(&[1.0, 0.5]) - 2.0).abs() < 1e-12);
        assert!((summary.distance(&[9.0, 0.5]) - 8.0f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn shares_rise_with_the_distance_and_end_at_one() {
        let summary = summary();
        assert_eq!(summary.share_nearer(0.0), 0.0);
        assert_eq!(summary.share_nearer(5.0), 0.5);
        assert!((summary.share_nearer(5.5) - 0.625).abs() < 1e-12);
        assert_eq!(summary.share_nearer(13.0), 0.999);
        assert_eq!(summary.share_nearer(15.0), 1.0);
        assert_eq!(summary.share_nearer(1e300), 1.0);
        let same = KindSummary {
            distances: Numbers(vec![3.0; 16]),
            ..summary
        };
        assert_eq!((same.share_nearer(2.0), same.share_nearer(3.0)), (0.0, 1.0));
    }

    #[test]
    fn a_kind_without_a_summary_has_no_novelty() {
        let novelty = novelty();
        assert_eq!(
            novelty.of(VariantKind::Snp, &[11.0, 0.0]),
            Some(SHARES[2] + 0.5 * 0.05)
        );
        assert_eq!(novelty.of(VariantKind::Indel, &[9.0, 0.0]), None);
        assert_eq!(novelty.of(VariantKind::Other, &[9.0, 0.0]), None);
    }

    #[test]
    fn in_json_it_keeps_every_digit() {
        let mut made = novelty();
        if let Some(summary) = &mut made.kinds.snp {
            summary.mean = Numbers::rounded([1.0 / 3.0, -12345.678]);
            summary.directions[0].vector = UnitVector::nearest(&[0.3, -0.9]);
        }
        let json = serde_json::to_string(&made).unwrap();
        assert!(json.contains("\"mean\":\"0.3333 -12350\""), "{json}");
        assert!(json.contains("\"vector\":\"2a81\""), "{json}");
        assert_eq!(serde_json::from_str::<Novelty>(&json).unwrap(), made);
        for (from, to) in [("2a81", "2a8"), ("2a81", "2axx"), ("0.3333 ", "0.3333x ")] {
            assert!(
                serde_json::from_str::<Novelty>(&json.replace(from, to)).is_err(),
                "{to}"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        assert_eq!(novelty().check(2), Ok(()));
        let wrong = novelty().check(3).unwrap_err();
        assert_eq!(wrong, "2 numbers for the 3 of join1 (SNP)");
        let with = |change: fn(&mut KindSummary)| {
            let mut novelty = novelty();
            novelty.kinds.snp.iter_mut().for_each(change);
            novelty.check(2).unwrap_err()
        };
        assert!(with(|one| one.rest = 0.0).contains("above 0"));
        assert!(with(|one| one.deviation.0[1] = f64::NAN).contains("above 0"));
        assert!(with(|one| one.mean.0[1] = f64::INFINITY).contains("no number"));
        assert!(with(|one| one.distances.0.reverse()).contains("rising"));
        assert!(with(|one| one.distances.0.truncate(3)).contains("16 rising"));
    }
}
