//! The gradients of a minibatch, on one device or on several by data parallelism.

use std::collections::BTreeMap;
use std::thread;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

use super::error::FitError;
use cnnfilter_core::networks::Architecture;
use cnnfilter_core::networks::family::{Batch, ForwardOptions, GENOTYPE_HEAD, OnDevice};
use cnnfilter_core::score::log_odds::LABELS;
use cnnfilter_nn::layers::weighted_cross_entropy;
use cnnfilter_nn::weights::Weights;

/// The part of a minibatch that one device takes.
pub struct Share {
    /// Its examples.
    pub batch: Box<dyn Batch>,
    /// Class of each.
    pub classes: Vec<u8>,
    /// Weight of each in the loss.
    pub weights: Vec<f32>,
    /// Copies of the ALT in each, 1 or 2, for a genotype head; nothing for one that says nothing about them.
    pub copies: Vec<Option<u8>>,
    /// Masks as [`ForwardOptions::dropout`].
    pub dropout: Vec<Vec<f32>>,
}

/// What is minimised.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// Exponent of the focal term of the classes.
    pub focal_gamma: f32,
    /// Weight of the genotype head's loss.
    pub genotype_weight: f64,
    /// The genotype head's loss only: no other weight is a variable.
    pub genotype_alone: bool,
    /// The temperature of the quality threshold follows a schedule.
    pub anneals: bool,
}

/// The weight that [`DataParallel::set_temperature`] sets.
pub const TEMPERATURE: &str = "quality_gate.temperature";

impl Loss {
    /// Returns true for a weight that is learned.
    pub fn learns(&self, name: &str) -> bool {
        (!self.genotype_alone || name.starts_with(GENOTYPE_HEAD))
            && !(self.anneals && name == TEMPERATURE)
    }
}

/// The weights on each device.
pub struct DataParallel {
    loss: Loss,
    first: Learner,
    others: Vec<Learner>,
}

/// The weights on one device, those that are learned as variables, all as what a batch runs over.
struct Learner {
    variables: BTreeMap<String, Var>,
    /// The temperature of the quality threshold, where it is not learned.
    temperature: Option<Var>,
    on: OnDevice,
}

impl Learner {
    fn new(
        architecture: &dyn Architecture,
        weights: &Weights,
        loss: Loss,
        device: &Device,
    ) -> Result<Self, FitError> {
        let (mut variables, mut tensors) = (BTreeMap::new(), BTreeMap::new());
        let mut temperature = None;
        for (name, weight) in weights {
            let shape = weight.shape.as_slice();
            let tensor = if loss.learns(name) {
                let var = Var::from_slice(&weight.data, shape, device)?;
                let tensor = var.as_tensor().clone();
                variables.insert(name.clone(), var);
                tensor
            } else if name == TEMPERATURE {
                let var = Var::from_slice(&weight.data, shape, device)?;
                let tensor = var.as_detached_tensor();
                temperature = Some(var);
                tensor
            } else {
                Tensor::from_slice(&weight.data, shape, device)?
            };
            tensors.insert(name.clone(), tensor);
        }
        let on = OnDevice::new(architecture, tensors, device)?;
        Ok(Self {
            variables,
            temperature,
            on,
        })
    }

    /// Loss and gradients of a share; `part` are its parts of the minibatch.
    fn gradients(
        &self,
        loss: Loss,
        share: &Share,
        part: Part,
    ) -> Result<(f64, GradStore), FitError> {
        let options = ForwardOptions {
            dropout: Some(&share.dropout),
            ..ForwardOptions::default()
        };
        let outputs = share.batch.forward(&self.on, options)?;
        let mut terms = Vec::new();
        if part.classes > 0.0 && !loss.genotype_alone {
            let logits = outputs.narrow(1, 0, LABELS.len())?;
            let (classes, weights) = (&share.classes, &share.weights);
            let term = weighted_cross_entropy(&logits, classes, weights, loss.focal_gamma)?;
            terms.push(scaled(term, part.classes)?);
        }
        if part.copies > 0.0 {
            let two = outputs.narrow(1, LABELS.len(), 1)?;
            let logits = Tensor::cat(&[two.zeros_like()?, two], 1)?;
            let is_two = share
                .copies
                .iter()
                .map(|copies| u8::from(*copies == Some(2)));
            let weights = share
                .copies
                .iter()
                .map(|copies| f32::from(u8::from(copies.is_some())));
            let (is_two, weights): (Vec<u8>, Vec<f32>) = (is_two.collect(), weights.collect());
            let term = weighted_cross_entropy(&logits, &is_two, &weights, 0.0)?;
            terms.push(scaled(term, part.copies * loss.genotype_weight)?);
        }
        let mut terms = terms.into_iter();
        let Some(first) = terms.next() else {
            return Ok((0.0, no_gradients()?));
        };
        let sum = terms.try_fold(first, |sum, term| sum + term)?;
        let value = sum.to_scalar::<f32>()?;
        Ok((f64::from(value), sum.backward()?))
    }

    /// The gradients on the CPU, by parameter.
    fn on_cpu(&self, gradients: &GradStore) -> Result<BTreeMap<&str, Tensor>, FitError> {
        let variables = self.variables.iter();
        let gradients = variables.filter_map(|(name, var)| Some((name, gradients.get(var)?)));
        gradients
            .map(|(name, gradient)| Ok((name.as_str(), gradient.to_device(&Device::Cpu)?)))
            .collect()
    }
}

/// Parts of a minibatch, 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// Of the weights of its classes.
    classes: f64,
    /// Of its examples with a known number of copies.
    copies: f64,
}

impl Part {
    /// The parts of a share in a minibatch of which these are the sums.
    fn of(share: &Share, total: Self) -> Self {
        let sums = Self::sums(std::slice::from_ref(share));
        let part = |sum: f64, total: f64| if total > 0.0 { sum / total } else { 0.0 };
        Self {
            classes: part(sums.classes, total.classes),
            copies: part(sums.copies, total.copies),
        }
    }

    fn sums(shares: &[Share]) -> Self {
        let weights = shares.iter().flat_map(|share| &share.weights);
        let copies = shares.iter().flat_map(|share| &share.copies);
        Self {
            classes: weights.copied().map(f64::from).sum(),
            copies: copies.flatten().count() as f64,
        }
    }

    fn is_none(self) -> bool {
        self.classes <= 0.0 && self.copies <= 0.0
    }
}

fn scaled(loss: Tensor, factor: f64) -> candle_core::Result<Tensor> {
    if factor == 1.0 {
        Ok(loss)
    } else {
        loss * factor
    }
}

/// A store of gradients, as yet without any of a parameter.
fn no_gradients() -> candle_core::Result<GradStore> {
    Tensor::zeros((), DType::F32, &Device::Cpu)?.backward()
}

impl DataParallel {
    /// Copies the weights to the devices, of which there must be one.
    ///
    /// # Errors
    /// No device, and candle's own.
    pub fn new(
        architecture: &dyn Architecture,
        loss: Loss,
        weights: &Weights,
        devices: &[Device],
    ) -> Result<Self, FitError> {
        let mut learners = devices
            .iter()
            .map(|device| Learner::new(architecture, weights, loss, device));
        let Some(first) = learners.next() else {
            return Err(FitError::NoDevice);
        };
        Ok(Self {
            loss,
            first: first?,
            others: learners.collect::<Result<_, _>>()?,
        })
    }

    /// Devices.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The weights on the first device: those that the optimiser changes.
    pub fn variables(&self) -> &BTreeMap<String, Var> {
        &self.first.variables
    }

    /// Loss of a minibatch, and its gradients in [`Self::variables`]. Each share is computed on a
    /// device of its own, at the same time; at most [`Self::count`] of them. Their sums are taken in
    /// the order of the devices, so that they are the same every time.
    ///
    /// # Errors
    /// Weights of the loss that sum to 0, and candle's own.
    pub fn gradients(&self, shares: &[Share]) -> Result<(f64, GradStore), FitError> {
        let total = Part::sums(shares);
        let loss = self.loss;
        if total.classes <= 0.0 && !loss.genotype_alone {
            return Err(FitError::NoWeight);
        }
        let part = |share: &Share| Part::of(share, total);
        let Some((share, rest)) = shares.split_first() else {
            return Err(FitError::EmptyMinibatch);
        };
        if rest.is_empty() {
            return self.first.gradients(loss, share, part(share));
        }
        let parts = thread::scope(|scope| {
            let others: Vec<_> = self
                .others
                .iter()
                .zip(rest)
                .filter(|(_, share)| !part(share).is_none())
                .map(|(learner, share)| {
                    scope.spawn(move || -> Result<_, FitError> {
                        let (loss, gradients) = learner.gradients(loss, share, part(share))?;
                        Ok((loss, learner.on_cpu(&gradients)?))
                    })
                })
                .collect();
            let mut parts = Vec::with_capacity(shares.len());
            if !part(share).is_none() {
                let (loss, gradients) = self.first.gradients(loss, share, part(share))?;
                parts.push((loss, self.first.on_cpu(&gradients)?));
            }
            for other in others {
                let part = other.join();
                parts.push(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, FitError>(parts)
        })?;
        let loss = parts.iter().map(|(loss, _)| loss).sum();
        let mut sums = no_gradients()?;
        for (name, var) in &self.first.variables {
            let mut of_parts = parts.iter().filter_map(|(_, part)| part.get(name.as_str()));
            if let Some(first) = of_parts.next() {
                let sum = of_parts.try_fold(first.clone(), |sum, more| sum + more)?;
                sums.insert(var, sum.to_device(var.device())?);
            }
        }
        Ok((loss, sums))
    }

    /// Sets the temperature of the quality threshold on all devices.
    ///
    /// # Errors
    /// [`FitError::NoTemperature`] where the network has none, or learns it; candle's own.
    pub fn set_temperature(&self, temperature: f64) -> Result<(), FitError> {
        for learner in std::iter::once(&self.first).chain(&self.others) {
            let var = learner
                .temperature
                .as_ref()
                .ok_or(FitError::NoTemperature)?;
            var.set(&Tensor::full(
                temperature as f32,
                var.shape(),
                var.device(),
            )?)?;
        }
        Ok(())
    }

    /// Gives all devices the weights of the first, after a step.
    ///
    /// # Errors
    /// candle's own.
    pub fn spread(&self) -> Result<(), FitError> {
        if self.others.is_empty() {
            return Ok(());
        }
        for (name, var) in &self.first.variables {
            // By way of the CPU: not all GPUs can read each other's memory.
            let weight = var.as_detached_tensor().to_device(&Device::Cpu)?;
            for other in &self.others {
                if let Some(var) = other.variables.get(name) {
                    var.set(&weight.to_device(var.device())?)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::networks::allele::AlleleSpec;
    use cnnfilter_core::testing::{
        allele_architecture, allele_weights as random_weights, examples, scaling_of,
    };
    use cnnfilter_nn::optimizer::{AdamW, AdamWConfig};

    const SPEC: AlleleSpec = AlleleSpec {
        reads: true,
        base_filters: 6,
        read_filters: 5,
        site_filters: 4,
        kernel: 3,
        read_width: 7,
        join_width: [9, 8],
        quality_gate: true,
        genotype_width: 5,
    };

    const LOSS: Loss = Loss {
        focal_gamma: 1.5,
        genotype_weight: 0.5,
        genotype_alone: false,
        anneals: false,
    };

    /// Seven examples, one of them without reads, cut into as many shares as there are devices.
    fn shares(count: usize) -> Vec<Share> {
        let examples = examples(&[9, 0, 14, 3, 6, 11, 2]);
        let architecture = allele_architecture(SPEC);
        let classes = [0u8, 1, 2, 3, 1, 3, 0];
        let dropout = |at: usize| if at % 4 == 3 { 0.0 } else { 1.0 / 0.75 };
        let width = SPEC.join_width[0];
        let each = examples.len().div_ceil(count);
        examples
            .chunks(each)
            .zip(classes.chunks(each))
            .enumerate()
            .map(|(at, (examples, classes))| Share {
                batch: architecture.batch(examples).unwrap(),
                classes: classes.to_vec(),
                // Class 1 has no weight: of seven shares two have nothing to say.
                weights: classes
                    .iter()
                    .map(|class| [1.0, 0.0, 0.5, 2.0][usize::from(*class)])
                    .collect(),
                // Real ones, but for one of which it is not known.
                copies: classes
                    .iter()
                    .enumerate()
                    .map(|(number, class)| {
                        let copies = 1 + (at * each + number) as u8 % 2;
                        (*class == 2 || (*class == 3 && at * each + number != 3)).then_some(copies)
                    })
                    .collect(),
                dropout: vec![
                    (0..examples.len() * width)
                        .map(|unit| dropout(at * each * width + unit))
                        .collect(),
                ],
            })
            .collect()
    }

    /// Losses, and weights after three steps.
    fn trained(devices: usize) -> (Vec<f64>, Vec<Vec<f32>>) {
        let examples = examples(&[9]);
        let weights = random_weights(&SPEC, &scaling_of(&examples[0]));
        let learners = DataParallel::new(
            &*allele_architecture(SPEC),
            LOSS,
            &weights,
            &vec![Device::Cpu; devices],
        )
        .unwrap();
        let config = AdamWConfig {
            epsilon: 1e-3,
            ..AdamWConfig::default()
        };
        let mut optimizer = AdamW::new(learners.variables().clone(), config).unwrap();
        let shares = shares(devices);
        let losses = (0..3)
            .map(|_| {
                let (loss, gradients) = learners.gradients(&shares).unwrap();
                optimizer.step(&gradients, 0.01).unwrap();
                learners.spread().unwrap();
                loss
            })
            .collect();
        let flat = |var: &Var| var.flatten_all().unwrap().to_vec1().unwrap();
        let all = |learner: &Learner| learner.variables.values().map(flat).collect();
        let weights: Vec<Vec<f32>> = all(&learners.first);
        for other in &learners.others {
            assert_eq!(weights, all(other), "a device fell behind");
        }
        (losses, weights)
    }

    #[test]
    fn several_devices_learn_what_one_learns() {
        let (losses, weights) = trained(1);
        assert!(losses[2] < 0.95 * losses[0], "{losses:?}");
        for devices in [2, 3, 7] {
            let (found, found_weights) = trained(devices);
            assert_eq!(
                (&found, &found_weights),
                (&trained(devices).0, &trained(devices).1),
                "not the same every time"
            );
            for (found, expected) in found.iter().zip(&losses) {
                assert!(
                    (found - expected).abs() < 1e-5 * expected,
                    "{devices} devices"
                );
            }
            let pairs = found_weights.iter().flatten().zip(weights.iter().flatten());
            for (found, expected) in pairs {
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{devices} devices: {found} against {expected}"
                );
            }
        }
    }

    #[test]
    fn an_annealed_temperature_changes_the_loss_and_is_not_learned() {
        let weights = random_weights(&SPEC, &scaling_of(&examples(&[9])[0]));
        let learners = |anneals| {
            let loss = Loss { anneals, ..LOSS };
            let architecture = allele_architecture(SPEC);
            DataParallel::new(&*architecture, loss, &weights, &[Device::Cpu, Device::Cpu]).unwrap()
        };
        let annealed = learners(true);
        assert!(!annealed.variables().contains_key(TEMPERATURE));
        let loss = |temperature| {
            annealed.set_temperature(temperature).unwrap();
            annealed.gradients(&shares(2)).unwrap().0
        };
        assert_ne!(loss(20.0), loss(0.5));
        assert_eq!(loss(20.0), loss(20.0));
        let learned = learners(false);
        assert!(matches!(
            learned.set_temperature(3.0),
            Err(FitError::NoTemperature)
        ));
    }

    #[test]
    fn a_head_that_learns_alone_leaves_the_rest() {
        let weights = random_weights(&SPEC, &scaling_of(&examples(&[9])[0]));
        let loss = Loss {
            genotype_alone: true,
            ..LOSS
        };
        let architecture = allele_architecture(SPEC);
        let learners = DataParallel::new(&*architecture, loss, &weights, &[Device::Cpu]).unwrap();
        let names: Vec<&String> = learners.variables().keys().collect();
        assert_eq!(names.len(), 4, "{names:?}");
        let (value, gradients) = learners.gradients(&shares(1)).unwrap();
        assert!(value > 0.0);
        for (name, var) in learners.variables() {
            assert!(gradients.get(var).is_some(), "{name}");
        }
        // Nothing to learn from is no mistake: another minibatch may have something.
        let mut none = shares(1);
        none[0].copies.fill(None);
        let (value, gradients) = learners.gradients(&none).unwrap();
        assert_eq!(value, 0.0);
        assert!(
            learners
                .variables()
                .values()
                .all(|var| gradients.get(var).is_none())
        );
    }

    #[test]
    fn weights_of_zero_alone_are_refused() {
        let weights = random_weights(&SPEC, &scaling_of(&examples(&[9])[0]));
        let learners = DataParallel::new(
            &*allele_architecture(SPEC),
            LOSS,
            &weights,
            &[Device::Cpu, Device::Cpu],
        )
        .unwrap();
        let mut shares = shares(2);
        for share in &mut shares {
            share.weights.fill(0.0);
        }
        assert!(learners.gradients(&shares).is_err());
        assert!(matches!(
            DataParallel::new(&*allele_architecture(SPEC), LOSS, &weights, &[]),
            Err(FitError::NoDevice)
        ));
    }
}
