//! AdamW, gradient clipping by the global norm, and averaged weights.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};

use crate::NnError;
use crate::layers::on_kernels;

/// Settings of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the gradients' mean per step, 0 to below 1.
    pub beta1: f64,
    /// Decay of the squared gradients' mean per step, 0 to below 1.
    pub beta2: f64,
    /// Added to the root of the squared gradients' mean, above 0.
    pub epsilon: f64,
    /// Share of a weight that is lost per step and unit of learning rate. Only parameters of two
    /// and more axes decay: biases and scales do not.
    pub weight_decay: f64,
    /// Gradients whose norm over all parameters is above this are scaled down to it.
    pub clip_norm: Option<f64>,
    /// Decay of the average of the weights per step, 0 to below 1; no average is kept if absent.
    pub average_decay: Option<f64>,
}

impl Default for AdamWConfig {
    /// 0.9, 0.999, 1e-8 and 0.01 as PyTorch; no clipping, no average.
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip_norm: None,
            average_decay: None,
        }
    }
}

/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) over named parameters, in the form of
/// PyTorch's `torch.optim.AdamW`. At step t, counted from 1, with gradient g (clipped) and learning
/// rate r:
///
/// ```text
/// w <- w - r * weight_decay * w           (two and more axes only)
/// m <- beta1 m + (1 - beta1) g
/// v <- beta2 v + (1 - beta2) g^2
/// w <- w - r * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// a <- d a + (1 - d) w                    d = min(average_decay, (1 + t) / (10 + t))
/// ```
///
/// The average a starts from the weights; its decay grows as in TensorFlow's
/// `ExponentialMovingAverage` with `num_updates`, so that the first weights are soon forgotten.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    parameters: BTreeMap<String, Parameter>,
    steps: u64,
}

/// A parameter and its moments.
#[derive(Debug)]
struct Parameter {
    var: Var,
    moments: Moments,
}

/// The moments of a parameter, in its shape and on its device.
#[derive(Debug, Clone)]
struct Moments {
    /// Mean gradient, m.
    first: Tensor,
    /// Mean squared gradient, v.
    second: Tensor,
    /// Mean weights, a.
    average: Option<Tensor>,
}

/// Prefixes of the names in [`AdamW::state`].
const FIRST: &str = "first.";
const SECOND: &str = "second.";
const AVERAGE: &str = "average.";

/// The numbers of a step that are the same for all elements of a parameter.
struct Step {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    /// Factor of a weight before the step.
    keep: f64,
    /// `r / (1 - beta1^t)`.
    rate: f64,
    /// `1 - beta2^t`.
    correction2: f64,
    /// Factor of the gradients.
    clip: f64,
    /// Decay of the average.
    average: f64,
}

impl AdamW {
    /// Takes the parameters, which stay shared with the network; the moments start at 0, the
    /// averages at the weights.
    ///
    /// # Errors
    /// Parameters that are not f32, or candle's own.
    pub fn new(parameters: BTreeMap<String, Var>, config: AdamWConfig) -> Result<AdamW, NnError> {
        let parameters = parameters
            .into_iter()
            .map(|(name, var)| {
                if var.dtype() != DType::F32 {
                    let found = var.dtype();
                    return Err(NnError::Candle(format!(
                        "parameter `{name}` is {found:?}, expected F32"
                    )));
                }
                let moments = Moments {
                    first: var.as_detached_tensor().zeros_like()?,
                    second: var.as_detached_tensor().zeros_like()?,
                    average: match config.average_decay {
                        // Not the weights themselves, which change in place.
                        Some(_) => Some(var.as_detached_tensor().copy()?),
                        None => None,
                    },
                };
                Ok((name, Parameter { var, moments }))
            })
            .collect::<Result<_, NnError>>()?;
        Ok(AdamW {
            config,
            parameters,
            steps: 0,
        })
    }

    /// Changes the parameters by one step of `learning_rate` along `gradients`, and returns the
    /// norm of all gradients together before clipping.
    ///
    /// A parameter without a gradient stays as it is. If the norm is not finite nothing changes,
    /// and the step is not counted.
    ///
    /// # Errors
    /// candle's own.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<f64, NnError> {
        let norm = self.norm(gradients)?;
        if !norm.is_finite() {
            return Ok(norm);
        }
        self.steps += 1;
        let AdamWConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            clip_norm,
            average_decay,
        } = self.config;
        // Past 2^31 steps the powers are 0 all the same.
        let t = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let warm = (1.0 + f64::from(t)) / (10.0 + f64::from(t));
        for Parameter { var, moments } in self.parameters.values_mut() {
            let Some(gradient) = gradients.get(var) else {
                continue;
            };
            let decay = if var.rank() >= 2 { weight_decay } else { 0.0 };
            let step = Step {
                beta1,
                beta2,
                epsilon,
                keep: 1.0 - learning_rate * decay,
                rate: learning_rate / (1.0 - beta1.powi(t)),
                correction2: 1.0 - beta2.powi(t),
                clip: match clip_norm {
                    Some(most) if norm > most => most / norm,
                    _ => 1.0,
                },
                average: average_decay.map_or(0.0, |decay| decay.min(warm)),
            };
            let weight = var.as_detached_tensor();
            let (weight, changed) = if on_kernels(&weight) {
                step.fused(&weight, gradient, moments)?
            } else {
                step.by_tensors(&weight, gradient, moments)?
            };
            var.set(&weight)?;
            *moments = changed;
        }
        Ok(norm)
    }

    /// Root of the sum of all squared gradients, in order of the parameters' names.
    fn norm(&self, gradients: &GradStore) -> Result<f64, NnError> {
        let mut sum = 0.0;
        for Parameter { var, .. } in self.parameters.values() {
            if let Some(gradient) = gradients.get(var) {
                sum += if on_kernels(gradient) {
                    let squares = elements(gradient)?.into_iter().map(f64::from);
                    squares.map(|g| g * g).sum::<f64>()
                } else {
                    let sum = gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?;
                    sum.to_scalar::<f64>()?
                };
            }
        }
        Ok(sum.sqrt())
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The parameters, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Var)> {
        let parameters = self.parameters.iter();
        parameters.map(|(name, parameter)| (name.as_str(), &parameter.var))
    }

    /// The averaged weights by parameter name, or the weights themselves where no average is kept.
    ///
    /// # Errors
    /// candle's own.
    pub fn averages(&self) -> Result<BTreeMap<String, Tensor>, NnError> {
        let parameters = self.parameters.iter();
        parameters
            .map(|(name, Parameter { var, moments })| {
                let average = match &moments.average {
                    Some(average) => average.clone(),
                    None => var.as_detached_tensor().copy()?,
                };
                Ok((name.clone(), average))
            })
            .collect()
    }

    /// The state besides the parameters and [`AdamW::steps`], for a checkpoint:
    /// `first.NAME`, `second.NAME` and, where averages are kept, `average.NAME`, each of its
    /// parameter's shape.
    #[must_use]
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = BTreeMap::new();
        for (name, Parameter { moments, .. }) in &self.parameters {
            state.insert(format!("{FIRST}{name}"), moments.first.clone());
            state.insert(format!("{SECOND}{name}"), moments.second.clone());
            if let Some(average) = &moments.average {
                state.insert(format!("{AVERAGE}{name}"), average.clone());
            }
        }
        state
    }

    /// Goes on from a checkpoint's `steps` and [`AdamW::state`]; with the parameters of that time,
    /// the further steps are the same to the bit.
    ///
    /// # Errors
    /// [`NnError::MissingWeight`], [`NnError::ExtraWeight`] or [`NnError::WeightShape`]
    /// where the state is not one of these parameters and settings, and candle's own. Nothing
    /// changes then.
    pub fn restore(
        &mut self,
        steps: u64,
        mut state: BTreeMap<String, Tensor>,
    ) -> Result<(), NnError> {
        let mut all = Vec::with_capacity(self.parameters.len());
        for (name, Parameter { var, moments }) in &self.parameters {
            let mut take = |prefix: &str| {
                let name = format!("{prefix}{name}");
                let expected = var.dims().to_vec();
                match state.remove(&name) {
                    None => Err(NnError::MissingWeight { name, expected }),
                    Some(found) if found.dims() != expected => Err(NnError::WeightShape {
                        name,
                        expected,
                        found: found.dims().to_vec(),
                    }),
                    Some(found) => {
                        let found = found.to_device(var.device())?.to_dtype(DType::F32)?;
                        Ok(found.detach())
                    }
                }
            };
            all.push(Moments {
                first: take(FIRST)?,
                second: take(SECOND)?,
                average: match moments.average {
                    Some(_) => Some(take(AVERAGE)?),
                    None => None,
                },
            });
        }
        if let Some((name, _)) = state.pop_first() {
            return Err(NnError::ExtraWeight { name });
        }
        for (parameter, moments) in self.parameters.values_mut().zip(all) {
            parameter.moments = moments;
        }
        self.steps = steps;
        Ok(())
    }
}

/// The elements of a tensor on the CPU.
fn elements(tensor: &Tensor) -> Result<Vec<f32>, NnError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

impl Step {
    /// The new weights and moments, element by element in f64.
    fn fused(
        &self,
        weight: &Tensor,
        gradient: &Tensor,
        moments: &Moments,
    ) -> Result<(Tensor, Moments), NnError> {
        let mut w = elements(weight)?;
        let mut m = elements(&moments.first)?;
        let mut v = elements(&moments.second)?;
        let state = w.iter_mut().zip(&mut m).zip(&mut v);
        for (((w, m), v), g) in state.zip(elements(gradient)?) {
            let g = f64::from(g) * self.clip;
            let first = self.beta1 * f64::from(*m) + (1.0 - self.beta1) * g;
            let second = self.beta2 * f64::from(*v) + (1.0 - self.beta2) * g * g;
            let scale = (second / self.correction2).sqrt() + self.epsilon;
            *w = (f64::from(*w) * self.keep - self.rate * first / scale) as f32;
            (*m, *v) = (first as f32, second as f32);
        }
        let tensor = |data| Tensor::from_vec(data, weight.shape(), weight.device());
        let average = match &moments.average {
            Some(average) => {
                let mut a = elements(average)?;
                for (a, &w) in a.iter_mut().zip(&w) {
                    *a =
                        (self.average * f64::from(*a) + (1.0 - self.average) * f64::from(w)) as f32;
                }
                Some(tensor(a)?)
            }
            None => None,
        };
        let moments = Moments {
            first: tensor(m)?,
            second: tensor(v)?,
            average,
        };
        Ok((tensor(w)?, moments))
    }

    /// The same on any device.
    fn by_tensors(
        &self,
        weight: &Tensor,
        gradient: &Tensor,
        moments: &Moments,
    ) -> Result<(Tensor, Moments), NnError> {
        let g = (gradient.detach() * self.clip)?;
        let first = ((&moments.first * self.beta1)? + (&g * (1.0 - self.beta1))?)?;
        let second = ((&moments.second * self.beta2)? + (g.sqr()? * (1.0 - self.beta2))?)?;
        let scale = ((&second / self.correction2)?.sqrt()? + self.epsilon)?;
        let weight = ((weight * self.keep)? - ((&first * self.rate)? / scale)?)?;
        let average = match &moments.average {
            Some(a) => Some(((a * self.average)? + (&weight * (1.0 - self.average))?)?),
            None => None,
        };
        let moments = Moments {
            first,
            second,
            average,
        };
        Ok((weight, moments))
    }
}

#[cfg(test)]
mod tests;
