//! Annotations as inputs of a network: transformed, standardised, clipped, each with a missing bit.
//!
//! Learned once from the training examples and kept in the model's card, so that training and
//! scoring do the same.

use serde::{Deserialize, Serialize};

/// Standardised values are clipped to ±this.
pub const CLIP: f64 = 6.0;

/// Largest absolute skewness of values that are left as they are.
const SKEWED: f64 = 1.0;

/// A standard deviation below this fraction of the mean is that of a constant in 32 bits.
const CONSTANT: f64 = 1e-6;

/// A change of a value before it is standardised. All are odd and strictly increasing, so signs
/// and order stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// x
    Identity,
    /// sign(x)·√|x|
    SignedSqrt,
    /// sign(x)·ln(1 + |x|), for counts and qualities
    Log1p,
}

impl Transform {
    /// All of them, from the mildest to the strongest.
    pub const ALL: [Transform; 3] = [Transform::Identity, Transform::SignedSqrt, Transform::Log1p];

    /// The transformed value.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Transform::Identity => x,
            Transform::SignedSqrt => x.abs().sqrt().copysign(x),
            Transform::Log1p => x.abs().ln_1p().copysign(x),
        }
    }
}

/// Why a scaling cannot be learned or used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScalingError {
    /// An example has another number of annotations.
    #[error("an example has {found} annotations, expected {expected}")]
    Width {
        /// Number of values.
        found: usize,
        /// Number of features.
        expected: usize,
    },
    /// A scaling that was read is none.
    #[error("scaling of {name} has mean {mean} and sd {sd}; expected finite numbers, sd above 0")]
    Invalid {
        /// The feature.
        name: String,
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        sd: f64,
    },
}

/// From one annotation to an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureScaling {
    /// Name of the annotation.
    pub name: String,
    /// Change of the value before all else.
    pub transform: Transform,
    /// Mean of the transformed training values.
    pub mean: f64,
    /// Their standard deviation (division by n), above 0; 1 for a constant.
    pub sd: f64,
    /// Training examples that have a value.
    pub present: u64,
    /// Training examples without one, those not finite included.
    pub missing: u64,
    /// Training examples whose value was NaN or infinite.
    pub not_finite: u64,
}

impl FeatureScaling {
    /// The input and the missing bit: `((transform(value) - mean)/sd` clipped to ±[`CLIP`], 0)`, or
    /// (0, 1) for a value that is absent, NaN or infinite. An annotation that no training example
    /// had is missing always, as the network has not learned what it means.
    pub fn apply(&self, value: Option<f32>) -> (f32, f32) {
        match value.filter(|value| value.is_finite() && self.present > 0) {
            Some(value) => {
                let standardised = (self.transform.apply(f64::from(value)) - self.mean) / self.sd;
                (standardised.clamp(-CLIP, CLIP) as f32, 0.0)
            }
            None => (0.0, 1.0),
        }
    }
}

/// The scaling of all annotations of a model, in the order of its inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// One for each annotation.
    pub features: Vec<FeatureScaling>,
}

impl Scaling {
    /// The inputs of one example: for n annotations, n values, then n missing bits.
    ///
    /// # Errors
    /// [`ScalingError::Width`] for another number of values than annotations.
    pub fn apply(&self, values: &[Option<f32>]) -> Result<Vec<f32>, ScalingError> {
        check_width(values.len(), self.features.len())?;
        let (mut inputs, missing): (Vec<f32>, Vec<f32>) = self
            .features
            .iter()
            .zip(values)
            .map(|(feature, &value)| feature.apply(value))
            .unzip();
        inputs.extend(missing);
        Ok(inputs)
    }

    /// Checks a scaling that was read from a file.
    ///
    /// # Errors
    /// [`ScalingError::Invalid`] for numbers that are not finite, or a spread that is not above 0.
    pub fn check(&self) -> Result<(), ScalingError> {
        for feature in &self.features {
            let &FeatureScaling { mean, sd, .. } = feature;
            if !(mean.is_finite() && sd.is_finite() && sd > 0.0) {
                return Err(ScalingError::Invalid {
                    name: feature.name.clone(),
                    mean,
                    sd,
                });
            }
        }
        Ok(())
    }
}

/// Learns a [`Scaling`] from examples, one after the other; the same examples in the same order
/// give the same numbers to the last bit.
#[derive(Debug, Clone)]
pub struct ScalingLearner {
    features: Vec<Learner>,
}

impl ScalingLearner {
    /// A learner of these annotations. Where no transform is named it is chosen by
    /// [`ScalingLearner::finish`].
    pub fn new(features: impl IntoIterator<Item = (String, Option<Transform>)>) -> Self {
        Self {
            features: features
                .into_iter()
                .map(|(name, transform)| Learner {
                    name,
                    transform,
                    moments: [Moments::default(); 3],
                    missing: 0,
                    not_finite: 0,
                })
                .collect(),
        }
    }

    /// Takes the annotations of one example, unscaled.
    ///
    /// # Errors
    /// [`ScalingError::Width`] for another number of values than annotations.
    pub fn add(&mut self, values: &[Option<f32>]) -> Result<(), ScalingError> {
        check_width(values.len(), self.features.len())?;
        for (learner, &value) in self.features.iter_mut().zip(values) {
            learner.add(value);
        }
        Ok(())
    }

    /// The scaling. A transform that was not named is the identity where the values' skewness (g1 =
    /// m3/m2^1.5 of the sample, not corrected for its size) is within ±1 or does not exist (fewer
    /// than three values, a constant), else that of the three which leaves the smallest absolute
    /// skewness, the milder one of equals.
    pub fn finish(&self) -> Scaling {
        Scaling {
            features: self.features.iter().map(Learner::finish).collect(),
        }
    }
}

fn check_width(found: usize, expected: usize) -> Result<(), ScalingError> {
    if found == expected {
        Ok(())
    } else {
        Err(ScalingError::Width { found, expected })
    }
}

#[derive(Debug, Clone)]
struct Learner {
    name: String,
    transform: Option<Transform>,
    /// Of the transformed values, in the order of [`Transform::ALL`].
    moments: [Moments; 3],
    missing: u64,
    not_finite: u64,
}

impl Learner {
    fn add(&mut self, value: Option<f32>) {
        match value {
            Some(value) if value.is_finite() => {
                for (transform, moments) in Transform::ALL.into_iter().zip(&mut self.moments) {
                    moments.add(transform.apply(f64::from(value)));
                }
            }
            Some(_) => {
                self.missing += 1;
                self.not_finite += 1;
            }
            None => self.missing += 1,
        }
    }

    fn finish(&self) -> FeatureScaling {
        let transform = self.transform.unwrap_or_else(|| {
            let skewness = self.moments.map(|m| m.skewness().map_or(0.0, f64::abs));
            if skewness[0] <= SKEWED {
                return Transform::Identity;
            }
            // The first of equals is the minimum.
            Transform::ALL
                .into_iter()
                .zip(skewness)
                .min_by(|(_, a), (_, b)| a.total_cmp(b))
                .map_or(Transform::Identity, |(transform, _)| transform)
        });
        let moments = self.moments[transform as usize];
        let mean = moments.mean;
        let sd = (moments.m2 / moments.n.max(1) as f64).sqrt();
        FeatureScaling {
            name: self.name.clone(),
            transform,
            mean,
            sd: if sd > CONSTANT * mean.abs() { sd } else { 1.0 },
            present: moments.n,
            missing: self.missing,
            not_finite: self.not_finite,
        }
    }
}

/// Count, mean and sums of squared and cubed deviations, updated a value at a time (Welford 1962;
/// the third by Terriberry 2007, as in Pébay 2008, equation 2.2).
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: u64,
    mean: f64,
    m2: f64,
    m3: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.n += 1;
        let n = self.n as f64;
        let delta = x - self.mean;
        let shift = delta / n;
        let square = delta * shift * (n - 1.0);
        self.mean += shift;
        self.m3 += square * shift * (n - 2.0) - 3.0 * shift * self.m2;
        self.m2 += square;
    }

    fn skewness(&self) -> Option<f64> {
        let n = self.n as f64;
        let skewness = n.sqrt() * self.m3 / self.m2.powf(1.5);
        (self.n >= 3 && skewness.is_finite()).then_some(skewness)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn learn(transform: Option<Transform>, values: &[Option<f32>]) -> FeatureScaling {
        let mut learner = ScalingLearner::new([("DP".to_owned(), transform)]);
        for &value in values {
            learner.add(&[value]).unwrap();
        }
        let scaling = learner.finish();
        scaling.check().unwrap();
        scaling.features.into_iter().next().unwrap()
    }

    /// 2, 4, 4, 4, 5, 5, 7, 9 have mean 5 and standard deviation 2.
    #[test]
    fn present_values_are_standardised_and_others_are_missing() {
        let mut values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].map(Some).to_vec();
        values.extend([None, Some(f32::NAN), Some(f32::INFINITY)]);
        let feature = learn(None, &values);
        assert_eq!(feature.transform, Transform::Identity);
        assert!((feature.mean - 5.0).abs() < 1e-12 && (feature.sd - 2.0).abs() < 1e-12);
        assert_eq!(
            (feature.present, feature.missing, feature.not_finite),
            (8, 3, 2)
        );
        assert_eq!(feature.apply(Some(9.0)), (2.0, 0.0));
        assert_eq!(feature.apply(Some(-1e9)), (-6.0, 0.0));
        assert_eq!(feature.apply(Some(f32::MAX)), (6.0, 0.0));
        for value in [None, Some(f32::NAN), Some(f32::NEG_INFINITY)] {
            assert_eq!(feature.apply(value), (0.0, 1.0));
        }
    }

    #[test]
    fn skewed_values_are_transformed() {
        let values = |f: &dyn Fn(f64) -> f64| -> Vec<Option<f32>> {
            (-100..=100)
                .map(|i| Some(f(f64::from(i) / 50.0) as f32))
                .collect()
        };
        for (values, expected) in [
            (values(&|x| 3.0 * x + 40.0), Transform::Identity),
            // e^x - 1 of an even spread, shifted to the positive: log1p undoes it.
            (values(&|x| (2.0 * x + 4.0).exp() - 1.0), Transform::Log1p),
            // Fourth powers of an even spread: roots keep a skewness of 0.6, logarithms overdo it.
            (
                values(&|x| 100.0 * (x + 2.0).powi(4)),
                Transform::SignedSqrt,
            ),
        ] {
            let feature = learn(None, &values);
            assert_eq!(feature.transform, expected, "{feature:?}");
        }
    }

    #[test]
    fn a_named_transform_is_taken() {
        let values = [Some(0.0), Some((1_f64.exp() - 1.0) as f32)];
        let feature = learn(Some(Transform::Log1p), &values);
        assert_eq!(feature.transform, Transform::Log1p);
        assert!((feature.mean - 0.5).abs() < 1e-6 && (feature.sd - 0.5).abs() < 1e-6);
        assert!((feature.apply(Some(-1.0)).0 + 2.386_294).abs() < 1e-5);
    }

    #[test]
    fn constants_and_absent_annotations_are_harmless() {
        for value in [0.0, 7.0, -1e30, 0.1] {
            let feature = learn(None, &[Some(value); 50]);
            assert_eq!(feature.sd, 1.0, "{value}");
            assert_eq!(feature.apply(Some(value)), (0.0, 0.0));
        }
        assert_eq!(learn(None, &[Some(3.0)]).sd, 1.0);
        // Small values are no constants.
        assert!(learn(None, &[Some(1e-9), Some(2e-9)]).sd < 1e-9);
        let absent = learn(None, &[None, Some(f32::NAN)]);
        assert_eq!((absent.present, absent.missing), (0, 2));
        assert_eq!(absent.apply(Some(3.0)), (0.0, 1.0));
        assert_eq!(learn(None, &[]).apply(Some(1.0)), (0.0, 1.0));
    }

    #[test]
    fn examples_become_values_then_bits() {
        let names = ["QD", "MQ"].map(|name| (name.to_owned(), None));
        let mut learner = ScalingLearner::new(names);
        learner.add(&[Some(1.0), Some(60.0)]).unwrap();
        learner.add(&[Some(3.0), None]).unwrap();
        let width = ScalingError::Width {
            found: 1,
            expected: 2,
        };
        assert_eq!(learner.add(&[None]), Err(width.clone()));
        let scaling = learner.finish();
        assert_eq!(
            scaling.apply(&[Some(3.0), None]),
            Ok(vec![1.0, 0.0, 0.0, 1.0])
        );
        assert_eq!(scaling.apply(&[None]), Err(width));
        let json = serde_json::to_string(&scaling).unwrap();
        assert_eq!(serde_json::from_str::<Scaling>(&json).unwrap(), scaling);
        let broken = json.replacen("\"sd\":1.0", "\"sd\":0.0", 1);
        let broken: Scaling = serde_json::from_str(&broken).unwrap();
        assert_eq!(
            broken.check().unwrap_err().to_string(),
            "scaling of QD has mean 2 and sd 0; expected finite numbers, sd above 0"
        );
    }

    proptest! {
        /// Against two passes over all values.
        #[test]
        fn moments_are_those_of_two_passes(
            values in prop::collection::vec(-1e4_f64..1e4, 3..200),
        ) {
            let mut moments = Moments::default();
            values.iter().for_each(|&x| moments.add(x));
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let central = |power| values.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
            let sd = central(2).sqrt();
            prop_assume!(sd > 1.0);
            prop_assert!((moments.mean - mean).abs() < 1e-8);
            prop_assert!((moments.m2 / n - central(2)).abs() < 1e-9 * central(2));
            let skewness = central(3) / sd.powi(3);
            prop_assert!((moments.skewness().unwrap() - skewness).abs() < 1e-8);
        }

        #[test]
        fn inputs_are_finite_bounded_and_in_order(
            values in prop::collection::vec(prop::option::of(any::<f32>()), 0..60),
            named in prop::option::of(prop::sample::select(Transform::ALL.to_vec())),
            a: f32,
            b: f32,
        ) {
            let feature = learn(named, &values);
            let (x, missing) = feature.apply(Some(a));
            prop_assert!(x.is_finite() && f64::from(x.abs()) <= CLIP);
            let is_missing = !a.is_finite() || feature.present == 0;
            prop_assert_eq!(missing, f32::from(u8::from(is_missing)));
            if feature.present > 0 && a.is_finite() && b.is_finite() && a <= b {
                prop_assert!(x <= feature.apply(Some(b)).0);
            }
        }
    }
}
