//! The loop: batches, gradients, steps; validation at the end of every epoch.
//!
//! A run is a function of its configuration, its examples and the devices it runs on: batches, augmentation, dropout and
//! learning rate follow from the seed and the step, sums are taken in one order. So a run that is
//! stopped and goes on from a checkpoint ends with the same weights as one that was not.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{Augmenter, augment};
use super::config::TrainConfig;
use super::early_stopping::{EarlyStopping, Verdict};
use super::error::FitError;
use super::history::{History, HistoryRow};
use super::learners::{DataParallel, Share};
use super::sampler::BalancedSampler;
use super::schedule::{Plateau, Schedule};
use cnnfilter_core::encode::Example;
use cnnfilter_core::encode::allele::{AlleleLayout, read_features};
use cnnfilter_core::encode::store::{LabelledExample, StoreError};
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::networks::allele::{AlleleNetwork, AlleleSpec, Batch};
use cnnfilter_core::networks::scaling::Scaling;
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_eval::average_precision;
use cnnfilter_nn::optimizer::{AdamW, AdamWConfig};
use cnnfilter_nn::weights::{WeightTensor, Weights};

/// Share of the outputs of the first joining layer that training drops.
const DROPOUT: f64 = 0.15;

/// Where examples come from.
pub trait ExampleSource: Sync {
    /// Number of examples.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// One example.
    ///
    /// # Errors
    /// Where it is damaged.
    fn get(&self, index: usize) -> Result<LabelledExample, StoreError>;
}

/// What a run is made of.
pub struct Run<'a> {
    /// The configuration.
    pub config: &'a TrainConfig,
    /// Sizes of the network.
    pub spec: AlleleSpec,
    /// Scaling of its numbers.
    pub scaling: Scaling,
    /// Names of the annotations.
    pub annotations: Vec<String>,
    /// All examples.
    pub examples: &'a dyn ExampleSource,
    /// Those to train on, and how often each is drawn.
    pub training: Vec<(usize, f64)>,
    /// Class of each of `training`.
    pub training_classes: Vec<u8>,
    /// Those to validate on.
    pub validation: Vec<usize>,
    /// Where it runs: each takes a share of every minibatch.
    pub devices: Vec<Device>,
}

/// The state of a run at the end of an epoch.
#[derive(Debug, Clone)]
pub struct State {
    /// The weights.
    pub weights: Weights,
    /// Moments and averages of the optimiser.
    pub optimizer: Weights,
    /// Steps of the optimiser.
    pub optimizer_steps: u64,
    /// The weights of the best epoch.
    pub best: Weights,
    /// Epochs so far.
    pub history: History,
    /// Early stopping.
    pub early_stopping: EarlyStopping,
    /// The plateau schedule.
    pub plateau: Plateau,
}

/// What is told while a run goes on.
pub enum Event<'a> {
    /// A step is done.
    Step {
        /// Number of the step, from 1.
        step: u64,
        /// Steps of an epoch.
        per_epoch: u64,
        /// Its loss.
        loss: f64,
    },
    /// An epoch is done; to be kept as a checkpoint.
    Epoch(&'a State),
}

/// What came out of scoring examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Log odds of being real.
    pub score: f64,
    /// Whether it is.
    pub is_real: bool,
    /// Whether ALT changes the length.
    pub is_indel: bool,
}

impl Run<'_> {
    /// Fits the network, from `state` on or from the beginning, and returns the last state. `init`
    /// are weights to start from; `tell` is called after every step and epoch, and `clock` gives
    /// seconds.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn fit(
        &self,
        state: Option<State>,
        init: Option<Weights>,
        clock: &dyn Fn() -> f64,
        tell: &mut dyn FnMut(Event<'_>) -> Result<(), String>,
    ) -> Result<State, FitError> {
        let config = self.config;
        let weights: Vec<f64> = self.training.iter().map(|(_, weight)| *weight).collect();
        let mut sampler = BalancedSampler::new(
            &self.training_classes,
            &weights,
            config.batches.per_class,
            config.seed,
            config.batches.allow_one_type,
        )?;
        let per_epoch = config
            .batches
            .steps_per_epoch(self.training.len(), sampler.batch_size());
        let schedule = Schedule::new(
            &config.schedule,
            &config.optimizer,
            per_epoch * config.epochs,
        );
        let augmenter = Augmenter::new(AlleleLayout::usual(self.spec.reads), &self.annotations)?;

        let start = match (&state, init) {
            (Some(state), _) => state.weights.clone(),
            (None, Some(weights)) => weights,
            (None, None) => self.initial_weights(),
        };
        let gamma = config.loss.focal_gamma as f32;
        let learners = DataParallel::new(self.spec, gamma, &start, &self.devices)?;
        let mut optimizer = AdamW::new(
            learners.variables().clone(),
            AdamWConfig {
                weight_decay: config.optimizer.weight_decay,
                clip_norm: (config.optimizer.clip_norm > 0.0).then_some(config.optimizer.clip_norm),
                average_decay: (config.optimizer.ema_decay > 0.0)
                    .then_some(config.optimizer.ema_decay),
                ..AdamWConfig::default()
            },
        )?;
        let mut state = match state {
            Some(state) => {
                let moments = tensors(&state.optimizer, &Device::Cpu)?;
                optimizer.restore(state.optimizer_steps, moments)?;
                state
            }
            None => State {
                best: start.clone(),
                weights: start,
                optimizer: Weights::new(),
                optimizer_steps: 0,
                history: History::default(),
                early_stopping: EarlyStopping::default(),
                plateau: Plateau::default(),
            },
        };
        let before = state.history.rows().last().map_or(0.0, |row| row.seconds);
        let begun = clock();
        let done = state.history.rows().len() as u64;
        if state.early_stopping.is_exhausted(config.patience) {
            return Ok(state);
        }
        for epoch in done + 1..=config.epochs {
            let (mut losses, mut norms, mut rate) = (0.0, 0.0, 0.0);
            for step in (epoch - 1) * per_epoch..epoch * per_epoch {
                rate = schedule.learning_rate(step, &state.plateau);
                let shares = self.shares(&sampler.batch(step), &augmenter, learners.count())?;
                let (value, gradients) = learners.gradients(&shares)?;
                let norm = optimizer.step(&gradients, rate)?;
                learners.spread()?;
                if !value.is_finite() || !norm.is_finite() {
                    return Err(FitError::Diverged {
                        step: step + 1,
                        loss: value as f32,
                        learning_rate: config.optimizer.learning_rate,
                    });
                }
                losses += value;
                norms += norm;
                let step = step + 1;
                tell(Event::Step {
                    step,
                    per_epoch,
                    loss: value,
                })
                .map_err(FitError::Keep)?;
            }
            let averages = optimizer.averages()?;
            let averaged = to_weights(
                averages
                    .iter()
                    .map(|(name, tensor)| (name.as_str(), tensor)),
            )?;
            let scored = self.score(&averaged, &self.validation)?;
            let figures = Figures::of(&scored);
            let seconds = before + clock() - begun;
            let metric = super::early_stopping::validation_metric(figures.snp, figures.indel);
            let verdict = state
                .early_stopping
                .end_epoch(epoch, metric, config.patience);
            schedule.end_epoch(&mut state.plateau, metric);
            state.history.push(HistoryRow {
                epoch,
                step: epoch * per_epoch,
                seconds,
                learning_rate: rate,
                gradient_norm: norms / per_epoch as f64,
                train_loss: losses / per_epoch as f64,
                validation_loss: figures.loss,
                pr_auc_snp: figures.snp,
                pr_auc_indel: figures.indel,
                best: verdict == Verdict::Improved,
            })?;
            state.weights = to_weights(
                optimizer
                    .parameters()
                    .map(|(name, var)| (name, var.as_tensor())),
            )?;
            let moments = optimizer.state();
            state.optimizer =
                to_weights(moments.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
            state.optimizer_steps = optimizer.steps();
            if verdict == Verdict::Improved {
                state.best = averaged;
            }
            tell(Event::Epoch(&state)).map_err(FitError::Keep)?;
            if verdict == Verdict::Stop {
                break;
            }
        }
        Ok(state)
    }

    /// Scores examples with given weights, on this crate's kernels; in their order.
    ///
    /// # Errors
    /// An example that cannot be read, or weights that are none.
    pub fn score(&self, weights: &Weights, examples: &[usize]) -> Result<Vec<Scored>, FitError> {
        let network = AlleleNetwork::new(self.spec, self.scaling.clone(), weights.clone())?;
        examples
            .par_iter()
            .map(|index| {
                let labelled = self.example(*index)?;
                let logits = network.logits(&labelled.example)?;
                let kind = if labelled.is_indel {
                    VariantKind::Indel
                } else {
                    VariantKind::Snp
                };
                Ok(Scored {
                    score: log_odds(logits, kind),
                    is_real: labelled.is_real,
                    is_indel: labelled.is_indel,
                })
            })
            .collect()
    }

    fn example(&self, index: usize) -> Result<LabelledExample, FitError> {
        let read = self.examples.get(index);
        read.map_err(|source| FitError::Example { index, source })
    }

    /// A minibatch cut into as many shares, or fewer.
    fn shares(
        &self,
        batch: &super::sampler::Batch,
        augmenter: &Augmenter,
        count: usize,
    ) -> Result<Vec<Share>, FitError> {
        let examples: Vec<Example> = batch
            .examples
            .par_iter()
            .zip(&batch.augmentation_seeds)
            .map(|(place, seed)| {
                let (index, _) = self.training[*place];
                let mut example = self.example(index)?.example;
                augment(&mut example, augmenter, &self.config.augmentation, *seed);
                Ok(example)
            })
            .collect::<Result<_, FitError>>()?;
        let dropout = self.dropout(batch.step, examples.len());
        let each = examples.len().div_ceil(count).max(1);
        let weight = |class: &u8| self.config.loss.class_weights[usize::from(*class)] as f32;
        examples
            .chunks(each)
            .zip(batch.classes.chunks(each))
            .zip(dropout.chunks(each * self.spec.join_width[0]))
            .map(|((examples, classes), dropout)| {
                Ok(Share {
                    batch: Batch::of(examples, &self.scaling, self.spec.reads)?,
                    classes: classes.to_vec(),
                    weights: classes.iter().map(weight).collect(),
                    dropout: dropout.to_vec(),
                })
            })
            .collect()
    }

    /// Inverted dropout of the first joining layer's outputs.
    fn dropout(&self, step: u64, alleles: usize) -> Vec<f32> {
        let seed = self.config.seed ^ 0x6472_6f70_6f75_7400 ^ step.rotate_left(17);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let kept = (1.0 / (1.0 - DROPOUT)) as f32;
        (0..alleles * self.spec.join_width[0])
            .map(|_| {
                if random.random::<f64>() < DROPOUT {
                    0.0
                } else {
                    kept
                }
            })
            .collect()
    }

    /// He's initialisation (He et al. 2015, arXiv 1502.01852), uniform, of layers with a ReLU behind
    /// them, biases 0; the outputs start small and the shortcut at 0.
    fn initial_weights(&self) -> Weights {
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        let mut weights = Weights::new();
        for (name, shape) in self
            .spec
            .weight_shapes(read_features::USUAL, 2 * self.scaling.features.len())
        {
            let count: usize = shape.iter().product();
            let inputs: usize = shape[1..].iter().product();
            let spread = (6.0 / inputs.max(1) as f64).sqrt() as f32;
            let data = match name.as_str() {
                "quality_gate.threshold" => vec![15.0],
                "quality_gate.temperature" => vec![5.0],
                "shortcut.weight" => vec![0.0; count],
                "out.weight" => uniform(&mut random, count, spread * 0.1),
                _ if shape.len() == 1 => vec![0.0; count],
                _ => uniform(&mut random, count, spread),
            };
            weights.insert(name, WeightTensor { shape, data });
        }
        weights
    }
}

fn uniform(random: &mut ChaCha8Rng, count: usize, spread: f32) -> Vec<f32> {
    (0..count)
        .map(|_| random.random_range(-spread..spread))
        .collect()
}

/// Figures of scored validation examples, at their natural prevalence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Average precision of SNPs.
    pub snp: Option<f64>,
    /// Average precision of indels.
    pub indel: Option<f64>,
    /// Mean negative log likelihood of real against false, in nats.
    pub loss: Option<f64>,
}

impl Figures {
    /// Computes them.
    pub fn of(scored: &[Scored]) -> Self {
        let of_kind = |is_indel: bool| {
            let of_kind = scored.iter().filter(|scored| scored.is_indel == is_indel);
            let (scores, labels): (Vec<f64>, Vec<bool>) =
                of_kind.map(|scored| (scored.score, scored.is_real)).unzip();
            average_precision(&scores, &labels).ok()
        };
        let loss = |scored: &Scored| {
            let signed = if scored.is_real {
                -scored.score
            } else {
                scored.score
            };
            // ln(1 + e^x) without overflow.
            signed.max(0.0) + (-signed.abs()).exp().ln_1p()
        };
        let total: f64 = scored.iter().map(loss).sum();
        Self {
            snp: of_kind(false),
            indel: of_kind(true),
            loss: (!scored.is_empty()).then(|| total / scored.len() as f64),
        }
    }
}

fn tensors(weights: &Weights, device: &Device) -> Result<BTreeMap<String, Tensor>, FitError> {
    weights
        .iter()
        .map(|(name, weight)| {
            let tensor = Tensor::from_slice(&weight.data, weight.shape.as_slice(), device)?;
            Ok((name.clone(), tensor))
        })
        .collect()
}

fn to_weights<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a Tensor)>,
) -> Result<Weights, FitError> {
    tensors
        .map(|(name, tensor)| {
            let data = tensor.flatten_all()?.to_vec1::<f32>()?;
            let shape = tensor.dims().to_vec();
            Ok((name.to_owned(), WeightTensor { shape, data }))
        })
        .collect()
}
