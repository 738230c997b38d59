//! The gradients of a minibatch, on one device or on several by data parallelism.

use std::collections::BTreeMap;
use std::thread;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

use super::error::FitError;
use cnnfilter_core::networks::Architecture;
use cnnfilter_core::networks::family::{Batch, ForwardOptions, OnDevice};
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
    /// Masks as [`ForwardOptions::dropout`].
    pub dropout: Vec<Vec<f32>>,
}

/// The weights on each device.
pub struct DataParallel {
    focal_gamma: f32,
    first: Learner,
    others: Vec<Learner>,
}

/// The weights on one device, as variables and as what a batch runs over; both share them.
struct Learner {
    variables: BTreeMap<String, Var>,
    on: OnDevice,
}

impl Learner {
    fn new(
        architecture: &dyn Architecture,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, FitError> {
        let mut variables = BTreeMap::new();
        for (name, weight) in weights {
            let var = Var::from_slice(&weight.data, weight.shape.as_slice(), device)?;
            variables.insert(name.clone(), var);
        }
        let tensors = variables
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        let on = OnDevice::new(architecture, tensors, device)?;
        Ok(Self { variables, on })
    }

    /// Loss and gradients of a share, whose weights sum to `part` of the minibatch's.
    fn gradients(
        &self,
        focal_gamma: f32,
        share: &Share,
        part: f64,
    ) -> Result<(f64, GradStore), FitError> {
        let options = ForwardOptions {
            dropout: Some(&share.dropout),
            ..ForwardOptions::default()
        };
        let logits = share.batch.forward(&self.on, options)?;
        let (classes, weights) = (&share.classes, &share.weights);
        let mut loss = weighted_cross_entropy(&logits, classes, weights, focal_gamma)?;
        if part != 1.0 {
            loss = (loss * part)?;
        }
        let value = loss.to_scalar::<f32>()?;
        Ok((f64::from(value), loss.backward()?))
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

impl DataParallel {
    /// Copies the weights to the devices, of which there must be one.
    ///
    /// # Errors
    /// No device, and candle's own.
    pub fn new(
        architecture: &dyn Architecture,
        focal_gamma: f32,
        weights: &Weights,
        devices: &[Device],
    ) -> Result<Self, FitError> {
        let mut learners = devices
            .iter()
            .map(|device| Learner::new(architecture, weights, device));
        let Some(first) = learners.next() else {
            return Err(FitError::NoDevice);
        };
        Ok(Self {
            focal_gamma,
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
        let sum = |share: &Share| share.weights.iter().copied().map(f64::from).sum::<f64>();
        let total: f64 = shares.iter().map(sum).sum();
        // A share without weight has no loss; if none has any, the first one says so.
        let part = |share: &Share| if total > 0.0 { sum(share) / total } else { 1.0 };
        let Some((share, rest)) = shares.split_first() else {
            return Err(FitError::EmptyMinibatch);
        };
        if rest.is_empty() {
            return self.first.gradients(self.focal_gamma, share, 1.0);
        }
        let parts = thread::scope(|scope| {
            let others: Vec<_> = self
                .others
                .iter()
                .zip(rest)
                .filter(|(_, share)| part(share) > 0.0)
                .map(|(learner, share)| {
                    scope.spawn(move || -> Result<_, FitError> {
                        let (loss, gradients) =
                            learner.gradients(self.focal_gamma, share, part(share))?;
                        Ok((loss, learner.on_cpu(&gradients)?))
                    })
                })
                .collect();
            let mut parts = Vec::with_capacity(shares.len());
            if part(share) > 0.0 {
                let (loss, gradients) =
                    self.first.gradients(self.focal_gamma, share, part(share))?;
                parts.push((loss, self.first.on_cpu(&gradients)?));
            }
            for other in others {
                let part = other.join();
                parts.push(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, FitError>(parts)
        })?;
        let loss = parts.iter().map(|(loss, _)| loss).sum();
        // A store of gradients, as yet without any of a parameter.
        let mut sums = Tensor::zeros((), DType::F32, &Device::Cpu)?.backward()?;
        for (name, var) in &self.first.variables {
            let mut of_parts = parts.iter().filter_map(|(_, part)| part.get(name.as_str()));
            if let Some(first) = of_parts.next() {
                let sum = of_parts.try_fold(first.clone(), |sum, more| sum + more)?;
                sums.insert(var, sum.to_device(var.device())?);
            }
        }
        Ok((loss, sums))
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
            1.5,
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
    fn weights_of_zero_alone_are_refused() {
        let weights = random_weights(&SPEC, &scaling_of(&examples(&[9])[0]));
        let learners = DataParallel::new(
            &*allele_architecture(SPEC),
            0.0,
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
            DataParallel::new(&*allele_architecture(SPEC), 0.0, &weights, &[]),
            Err(FitError::NoDevice)
        ));
    }
}
