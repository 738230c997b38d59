//! Thresholds on the calibrated probability that a model's card carries: chosen once on held-out
//! calls for a stated aim, the same for every file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::measured::{Measured, Worth};
use crate::genome::{PerKind, VariantKind};

/// The thresholds of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardThresholds {
    /// The held-out calls they were chosen on, in words for people.
    pub measured_on: String,
    /// The thresholds of each kind that has any.
    pub kinds: PerKind<Option<Vec<AimThreshold>>>,
    /// What they are worth on other calls, that neither the thresholds nor the weights have seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tested: Vec<Measured>,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AimThreshold {
    /// The aim it was chosen for; in JSON `f1`, `precision=0.99`, `sensitivity=0.999`.
    pub aim: Aim,
    /// A record passes when its probability is at least this.
    pub probability: f64,
    /// Share of the held-out calls that pass and are real.
    pub precision: f64,
    /// Share of the held-out real calls that pass. (What the caller never emitted does not count.)
    pub recall: f64,
}

/// Purpose of a threshold. Text and JSON spell it `f1`, `precision=P` or `sensitivity=S`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Aim {
    /// The largest F1.
    F1,
    /// The most real calls at this precision or a better one, 0 to 1.
    Precision(f64),
    /// The fewest false calls that keep this share of the real ones, 0 to 1.
    Sensitivity(f64),
}

/// Why thresholds cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// No aim.
    #[error(
        "expected f1, precision=P or sensitivity=S with a share above 0 and at most 1, found `{0}`"
    )]
    Aim(String),
    /// An aim that is not listed, and none that is stricter.
    #[error(
        "no threshold for aim {aim} (of {kind}s), nor for a stricter one of its kind; there are {listed}"
    )]
    NotListed {
        /// The aim asked for.
        aim: Aim,
        /// The kind of record.
        kind: VariantKind,
        /// The aims listed for it.
        listed: String,
    },
    /// A number that cannot be right.
    #[error("{kind}, aim {aim}: {field} must lie in 0 to 1, found {found}")]
    OutOfRange {
        /// The kind of record.
        kind: VariantKind,
        /// Its aim.
        aim: Aim,
        /// The field.
        field: &'static str,
        /// The number that stands there.
        found: f64,
    },
    /// Counts of other calls that cannot be right.
    #[error(
        "{kind}s tested on {sets}: expected, for each of {thresholds} thresholds, counts of passing calls within {real} real and {fake} false ones; found {found:?}"
    )]
    Counts {
        /// The kind of record.
        kind: VariantKind,
        /// The sets of the calls.
        sets: String,
        /// Thresholds of the kind.
        thresholds: usize,
        /// Real calls.
        real: u64,
        /// False calls.
        fake: u64,
        /// The counts that stand there.
        found: Vec<[u64; 2]>,
    },
}

impl Aim {
    /// True where this aim asks for at least as much as `other`, and for the same thing.
    fn covers(self, other: Aim) -> bool {
        match (self, other) {
            (Aim::F1, Aim::F1) => true,
            (Aim::Precision(a), Aim::Precision(b)) | (Aim::Sensitivity(a), Aim::Sensitivity(b)) => {
                a >= b
            }
            _ => false,
        }
    }

    fn share(self) -> f64 {
        match self {
            Aim::F1 => 0.0,
            Aim::Precision(share) | Aim::Sensitivity(share) => share,
        }
    }

    /// As it stands in a FILTER name: `F1`, `PRECISION_0.99`, `SENSITIVITY_0.999`.
    pub fn filter_suffix(self) -> String {
        self.to_string().to_ascii_uppercase().replace('=', "_")
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aim::F1 => f.write_str("f1"),
            Aim::Precision(share) => write!(f, "precision={share}"),
            Aim::Sensitivity(share) => write!(f, "sensitivity={share}"),
        }
    }
}

impl From<Aim> for String {
    fn from(aim: Aim) -> Self {
        aim.to_string()
    }
}

impl TryFrom<String> for Aim {
    type Error = ThresholdError;

    fn try_from(text: String) -> Result<Self, ThresholdError> {
        text.parse()
    }
}

impl FromStr for Aim {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let wrong = || ThresholdError::Aim(text.to_owned());
        let share = |value: &str| {
            let share: f64 = value.parse().map_err(|_| wrong())?;
            (share > 0.0 && share <= 1.0)
                .then_some(share)
                .ok_or_else(wrong)
        };
        match text.split_once('=') {
            None if text.eq_ignore_ascii_case("f1") => Ok(Aim::F1),
            Some(("precision", value)) => share(value).map(Aim::Precision),
            Some(("sensitivity" | "recall", value)) => share(value).map(Aim::Sensitivity),
            _ => Err(wrong()),
        }
    }
}

impl CardThresholds {
    /// Checks every number.
    ///
    /// # Errors
    /// The first entry that cannot be right.
    pub fn check(&self) -> Result<(), ThresholdError> {
        for (kind, entry) in self
            .kinds
            .present()
            .flat_map(|(kind, entries)| entries.iter().map(move |entry| (kind, entry)))
        {
            for (field, found) in [
                ("probability", entry.probability),
                ("precision", entry.precision),
                ("recall", entry.recall),
            ] {
                if !(0.0..=1.0).contains(&found) {
                    return Err(ThresholdError::OutOfRange {
                        kind,
                        aim: entry.aim,
                        field,
                        found,
                    });
                }
            }
        }
        for one in &self.tested {
            for (kind, found) in one.kinds.present() {
                let listed = self.kinds.get(kind).and_then(Option::as_ref);
                let thresholds = listed.map_or(0, Vec::len);
                let fits = found.passing.len() == thresholds
                    && found.real.checked_add(found.fake).is_some();
                let mut counts = found.passing.iter();
                if !fits || !counts.all(|[real, fake]| *real <= found.real && *fake <= found.fake) {
                    return Err(ThresholdError::Counts {
                        kind,
                        sets: one.sets.join(", "),
                        thresholds,
                        real: found.real,
                        fake: found.fake,
                        found: found.passing.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// What a threshold of the card is worth on other calls, in the card's order; nothing where it is not one of the card's,
    /// or nothing was measured.
    pub fn worth(&self, kind: VariantKind, entry: &AimThreshold) -> Vec<Worth> {
        let entries = self.kinds.get(kind).and_then(Option::as_ref);
        let Some(index) = entries.and_then(|all| all.iter().position(|one| one == entry)) else {
            return Vec::new();
        };
        let tested = self.tested.iter().filter_map(|one| {
            let found = one.kinds.get(kind)?.as_ref()?;
            one.worth(found, index)
        });
        tested.collect()
    }

    /// The threshold to use for a kind: that of the aim asked for, or of the nearest stricter one of
    /// its sort that is listed (a precision or sensitivity at least as high). Of several for one aim
    /// the first counts. `None` for a kind without thresholds.
    ///
    /// # Errors
    /// The kind has thresholds, but none for such an aim; the error lists those that there are.
    pub fn find(
        &self,
        kind: VariantKind,
        aim: Aim,
    ) -> Result<Option<&AimThreshold>, ThresholdError> {
        let entries = self.kinds.get(kind).and_then(Option::as_ref);
        let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
            return Ok(None);
        };
        // `min_by` gives the first of equal ones.
        let nearest = entries
            .iter()
            .filter(|entry| entry.aim.covers(aim))
            .min_by(|a, b| a.aim.share().total_cmp(&b.aim.share()));
        nearest.map(Some).ok_or_else(|| {
            let mut names: Vec<String> =
                entries.iter().map(|entry| entry.aim.to_string()).collect();
            names.dedup();
            ThresholdError::NotListed {
                aim,
                kind,
                listed: names.join(", "),
            }
        })
    }
}

/// A judged call that the model was not trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// SNP or indel; calls of other kinds have no say.
    pub kind: VariantKind,
    /// Calibrated probability that it is real.
    pub probability: f64,
    /// True where it is real.
    pub is_real: bool,
}

/// Chooses thresholds on held-out calls, one for each aim and each kind of which there are
/// any. An aim that no threshold reaches is left out.
///
/// A threshold lies about half-way between the lowest probability that passes and the next lower
/// one (or 0), so that writing probabilities with few digits moves no call across it; it has as few
/// decimals as that allows. Calls whose probability is no number are left out of the count.
pub fn choose(held_out: &[HeldOut], aims: &[Aim]) -> PerKind<Option<Vec<AimThreshold>>> {
    PerKind::<()>::default().map(|kind, ()| {
        let mut calls = held_out.iter().filter(|call| call.kind == kind).peekable();
        calls.peek()?;
        let steps = Steps::new(calls);
        Some(aims.iter().filter_map(|aim| steps.choose(*aim)).collect())
    })
}

/// Calls that pass at each distinct probability, highest first.
struct Steps {
    /// Probability, real and false calls that have at least it.
    steps: Vec<(f64, u64, u64)>,
    real: u64,
}

impl Steps {
    fn new<'a>(calls: impl Iterator<Item = &'a HeldOut>) -> Self {
        let mut calls: Vec<(f64, bool)> = calls
            .filter(|call| call.probability.is_finite())
            .map(|call| (call.probability, call.is_real))
            .collect();
        calls.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut steps: Vec<(f64, u64, u64)> = Vec::new();
        let (mut real, mut fake) = (0, 0);
        for (probability, is_real) in calls {
            real += u64::from(is_real);
            fake += u64::from(!is_real);
            match steps.last_mut() {
                Some(last) if last.0 == probability => (last.1, last.2) = (real, fake),
                _ => steps.push((probability, real, fake)),
            }
        }
        Self { steps, real }
    }

    fn choose(&self, aim: Aim) -> Option<AimThreshold> {
        if self.real == 0 {
            return None;
        }
        let precision = |step: &(f64, u64, u64)| step.1 as f64 / (step.1 + step.2) as f64;
        let recall = |step: &(f64, u64, u64)| step.1 as f64 / self.real as f64;
        let f1 =
            |step: &(f64, u64, u64)| 2.0 * step.1 as f64 / (step.1 + step.2 + self.real) as f64;
        let steps = self.steps.iter().enumerate();
        let (at, step) = match aim {
            // Of equal ones the first, which lets the fewest false calls pass.
            Aim::F1 => steps.rev().max_by(|a, b| f1(a.1).total_cmp(&f1(b.1))),
            Aim::Precision(least) => steps
                .rev()
                .find(|(_, step)| step.1 > 0 && precision(step) >= least),
            Aim::Sensitivity(least) => steps.into_iter().find(|(_, step)| recall(step) >= least),
        }?;
        let below = self.steps.get(at + 1).map_or(0.0, |next| next.0);
        Some(AimThreshold {
            aim,
            probability: between(below, step.0),
            precision: precision(step),
            recall: recall(step),
        })
    }
}

/// The number with the fewest decimals in the middle half of `low` to `high`.
fn between(low: f64, high: f64) -> f64 {
    let middle = f64::midpoint(low, high);
    let rounded = (1..=15).map(|decimals| {
        let scale = 10f64.powi(decimals);
        (middle * scale).round() / scale
    });
    let mut fitting = rounded.filter(|value| (value - middle).abs() <= (high - low) / 4.0);
    fitting.next().unwrap_or(middle)
}

#[cfg(test)]
mod tests;
