//! The loop: batches, gradients, steps; validation at the end of every epoch.
//!
//! A run is a function of its configuration, its examples and the devices it runs on: batches, augmentation, dropout and
//! learning rate follow from the seed and the step, sums are taken in one order. So a run that is
//! stopped and goes on from a checkpoint ends with the same weights as one that was not.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{Augmenter, augment};
use super::config::TrainConfig;
use super::early_stopping::{EarlyStopping, Verdict};
use super::error::FitError;
use super::history::{History, HistoryRow};
use super::learners::{DataParallel, Loss, Share, TEMPERATURE};
use super::sampler::BalancedSampler;
use super::schedule::{Plateau, Schedule};
use cnnfilter_core::encode::Example;
use cnnfilter_core::encode::store::{LabelledExample, StoreError};
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::networks::Architecture;
use cnnfilter_core::networks::family::tensors;
use cnnfilter_core::networks::initial::initial_weights;
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_eval::average_precision;
use cnnfilter_nn::optimizer::{AdamW, AdamWConfig};
use cnnfilter_nn::weights::{WeightTensor, Weights};

/// A source of examples.
pub trait ExampleSource: Sync {
    /// Number of examples.
    fn len(&self) -> usize;
    /// True where there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// One example.
    ///
    /// # Errors
    /// A damaged example.
    fn get(&self, index: usize) -> Result<LabelledExample, StoreError>;
}

/// Everything that a run is made of.
pub struct Run<'a> {
    /// The configuration.
    pub config: &'a TrainConfig,
    /// The network's layers and inputs.
    pub architecture: Arc<dyn Architecture>,
    /// All examples.
    pub examples: &'a dyn ExampleSource,
    /// Those to train on, and how often each is drawn.
    pub training: Vec<(usize, f64)>,
    /// Class of each of `training`.
    pub training_classes: Vec<u8>,
    /// Those to validate on.
    pub validation: Vec<usize>,
    /// Number of the set of each of `examples`.
    pub sets: Vec<u32>,
    /// The devices: each takes a share of every minibatch.
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

/// News of a run.
#[derive(Debug, Clone, Copy)]
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
    /// An epoch is done.
    Epoch(&'a HistoryRow),
}

/// Services that a run asks of its caller.
pub struct Callbacks<'a, E> {
    /// Seconds, from any moment on.
    pub clock: &'a dyn Fn() -> f64,
    /// Is told every step and epoch.
    pub on_event: &'a mut dyn FnMut(Event<'_>),
    /// Keeps the state at the end of every epoch.
    pub save_checkpoint: &'a mut dyn FnMut(&State) -> Result<(), E>,
}

/// The score of an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Number of its set.
    pub set: u32,
    /// Log odds of being real.
    pub score: f64,
    /// True where it is real.
    pub is_real: bool,
    /// True where ALT changes the length.
    pub is_indel: bool,
    /// Log odds of two copies against one, where the network has a head for it.
    pub two_copies: Option<f64>,
    /// The copies, 1 or 2, of a real one where they are known.
    pub copies: Option<u8>,
}

/// The copies of a real allele, where they are known and a genotype head can tell them.
fn known_copies(labelled: &LabelledExample) -> Option<u8> {
    let copies = labelled.copies.filter(|_| labelled.is_real);
    copies.filter(|copies| (1..=2).contains(copies))
}

impl Run<'_> {
    /// Fits the network, from `state` on or from the beginning, and returns the last state. `init`
    /// are weights to start from.
    ///
    /// # Errors
    /// [`FitError`], and whatever `save_checkpoint` returns.
    pub fn fit<E: From<FitError>>(
        &self,
        state: Option<State>,
        init: Option<Weights>,
        callbacks: Callbacks<'_, E>,
    ) -> Result<State, E> {
        let mut fit = Fit::new(self, state, init, callbacks.clock)?;
        if fit.state.early_stopping.is_exhausted(self.config.patience) {
            return Ok(fit.state);
        }
        let done = fit.state.history.rows().len() as u64;
        for epoch in done + 1..=self.config.epochs {
            let means = fit.steps_of(epoch, callbacks.on_event)?;
            let verdict = fit.end_epoch(epoch, means)?;
            if let Some(row) = fit.state.history.rows().last() {
                (callbacks.on_event)(Event::Epoch(row));
            }
            (callbacks.save_checkpoint)(&fit.state)?;
            if verdict == Verdict::Stop {
                break;
            }
        }
        Ok(fit.state)
    }

    /// Scores examples with given weights, on this crate's kernels; in their order.
    ///
    /// # Errors
    /// An example that cannot be read, or weights that are none.
    pub fn score(&self, weights: &Weights, examples: &[usize]) -> Result<Vec<Scored>, FitError> {
        let network = self.architecture.network(weights)?;
        examples
            .par_iter()
            .map(|index| {
                let labelled = self.example(*index)?;
                let output = network.outputs(std::slice::from_ref(&labelled.example))?[0];
                let kind = if labelled.is_indel {
                    VariantKind::Indel
                } else {
                    VariantKind::Snp
                };
                Ok(Scored {
                    set: self.sets[*index],
                    score: log_odds(output.logits, kind),
                    is_real: labelled.is_real,
                    is_indel: labelled.is_indel,
                    two_copies: output.two_copies.map(f64::from),
                    copies: known_copies(&labelled),
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
        let made: Vec<(Example, Option<u8>)> = batch
            .examples
            .par_iter()
            .zip(&batch.augmentation_seeds)
            .map(|(place, seed)| {
                let (index, _) = self.training[*place];
                let labelled = self.example(index)?;
                let copies = known_copies(&labelled).filter(|_| self.architecture.tells_copies());
                let mut example = labelled.example;
                augment(&mut example, augmenter, &self.config.augmentation, *seed);
                Ok((example, copies))
            })
            .collect::<Result<_, FitError>>()?;
        let (examples, copies): (Vec<Example>, Vec<Option<u8>>) = made.into_iter().unzip();
        let masks = self.dropout(batch.step, examples.len());
        let each = examples.len().div_ceil(count).max(1);
        let weight = |class: &u8| self.config.loss.class_weights[usize::from(*class)] as f32;
        examples
            .chunks(each)
            .zip(batch.classes.chunks(each).zip(copies.chunks(each)))
            .enumerate()
            .map(|(at, (share, (classes, copies)))| {
                // The part of a mask that belongs to the examples of this share.
                let part = |mask: &Vec<f32>| {
                    let width = mask.len() / examples.len();
                    let first = at * each * width;
                    mask[first..first + share.len() * width].to_vec()
                };
                Ok(Share {
                    batch: self.architecture.batch(share)?,
                    classes: classes.to_vec(),
                    weights: classes.iter().map(weight).collect(),
                    copies: copies.to_vec(),
                    dropout: masks.iter().map(part).collect(),
                })
            })
            .collect()
    }

    /// Inverted dropout: one mask for each point of the architecture, drawn one after the other.
    fn dropout(&self, step: u64, examples: usize) -> Vec<Vec<f32>> {
        let seed = self.config.seed ^ 0x6472_6f70_6f75_7400 ^ step.rotate_left(17);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let points = self.architecture.dropout().into_iter();
        points
            .map(|point| {
                let kept = (1.0 / (1.0 - point.rate)) as f32;
                let draw = |_| match random.random::<f64>() < point.rate {
                    true => 0.0,
                    false => kept,
                };
                (0..examples * point.width).map(draw).collect()
            })
            .collect()
    }
}

/// Means over the steps of an epoch, and the last learning rate.
#[derive(Debug, Clone, Copy, Default)]
struct Means {
    loss: f64,
    norm: f64,
    rate: f64,
}

/// A run that goes on.
struct Fit<'a> {
    run: &'a Run<'a>,
    clock: &'a dyn Fn() -> f64,
    /// The clock at the start, and the seconds of earlier parts of the run.
    begun: f64,
    before: f64,
    per_epoch: u64,
    sampler: BalancedSampler,
    schedule: Schedule,
    augmenter: Augmenter,
    learners: DataParallel,
    optimizer: AdamW,
    state: State,
}

impl<'a> Fit<'a> {
    fn new(
        run: &'a Run<'a>,
        state: Option<State>,
        init: Option<Weights>,
        clock: &'a dyn Fn() -> f64,
    ) -> Result<Self, FitError> {
        let config = run.config;
        let weights: Vec<f64> = run.training.iter().map(|(_, weight)| *weight).collect();
        let sampler = BalancedSampler::new(
            &run.training_classes,
            &weights,
            config.batches.per_class,
            config.seed,
            config.batches.allow_one_type,
        )?;
        let per_epoch = config
            .batches
            .steps_per_epoch(run.training.len(), sampler.batch_size());
        let steps = per_epoch * config.epochs;
        let start = match (&state, init) {
            (Some(state), _) => state.weights.clone(),
            (None, Some(weights)) => weights,
            (None, None) => initial_weights(&*run.architecture, config.seed),
        };
        let loss = Loss {
            focal_gamma: config.loss.focal_gamma as f32,
            genotype_weight: config.genotype.weight,
            genotype_alone: config.genotype.alone,
            anneals: config.schedule.temperature_start > 0.0,
        };
        let learners = DataParallel::new(&*run.architecture, loss, &start, &run.devices)?;
        let mut optimizer = optimizer(config, &learners)?;
        let state = match state {
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
        Ok(Self {
            run,
            clock,
            begun: clock(),
            before: state.history.rows().last().map_or(0.0, |row| row.seconds),
            per_epoch,
            sampler,
            schedule: Schedule::new(&config.schedule, &config.optimizer, steps),
            augmenter: Augmenter::new(run.architecture.encoder())?,
            learners,
            optimizer,
            state,
        })
    }

    /// Does the steps of an epoch, from 1.
    fn steps_of(
        &mut self,
        epoch: u64,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Means, FitError> {
        let per_epoch = self.per_epoch;
        let mut sums = Means::default();
        for step in (epoch - 1) * per_epoch..epoch * per_epoch {
            let rate = self.schedule.learning_rate(step, &self.state.plateau);
            if let Some(temperature) = self.schedule.temperature(step) {
                self.set_temperature(temperature)?;
            }
            let batch = self.sampler.batch(step);
            let shares = self
                .run
                .shares(&batch, &self.augmenter, self.learners.count())?;
            let (loss, gradients) = self.learners.gradients(&shares)?;
            let norm = self.optimizer.step(&gradients, rate)?;
            self.learners.spread()?;
            let step = step + 1;
            if !loss.is_finite() || !norm.is_finite() {
                return Err(FitError::Diverged {
                    step,
                    loss: loss as f32,
                    learning_rate: self.run.config.optimizer.learning_rate,
                });
            }
            sums.loss += loss;
            sums.norm += norm;
            sums.rate = rate;
            on_event(Event::Step {
                step,
                per_epoch,
                loss,
            });
        }
        Ok(Means {
            loss: sums.loss / per_epoch as f64,
            norm: sums.norm / per_epoch as f64,
            rate: sums.rate,
        })
    }

    /// Sets a temperature that is not learned, on the devices and in the state.
    fn set_temperature(&mut self, temperature: f64) -> Result<(), FitError> {
        self.learners.set_temperature(temperature)?;
        if let Some(weight) = self.state.weights.get_mut(TEMPERATURE) {
            weight.data.fill(temperature as f32);
        }
        Ok(())
    }

    /// Validates, and takes what the epoch learned into the state.
    fn end_epoch(&mut self, epoch: u64, means: Means) -> Result<Verdict, FitError> {
        let averages = self.optimizer.averages()?;
        let mut averaged = self.state.weights.clone();
        averaged.extend(to_weights(
            averages
                .iter()
                .map(|(name, tensor)| (name.as_str(), tensor)),
        )?);
        let scored = self.run.score(&averaged, &self.run.validation)?;
        let figures = Figures::of(&scored);
        let seconds = self.before + (self.clock)() - self.begun;
        let metric = if self.run.config.genotype.alone {
            figures.genotype_loss.map(|loss| -loss)
        } else {
            super::early_stopping::validation_metric(figures.snp, figures.indel)
        };
        let state = &mut self.state;
        let patience = self.run.config.patience;
        let verdict = state.early_stopping.end_epoch(epoch, metric, patience);
        self.schedule.end_epoch(&mut state.plateau, metric);
        state.history.push(HistoryRow {
            epoch,
            step: epoch * self.per_epoch,
            seconds,
            learning_rate: means.rate,
            gradient_norm: means.norm,
            train_loss: means.loss,
            validation_loss: figures.loss,
            pr_auc_snp: figures.snp,
            pr_auc_indel: figures.indel,
            genotype_loss: figures.genotype_loss,
            quality_threshold: gate(&averaged, "quality_gate.threshold"),
            quality_temperature: gate(&averaged, TEMPERATURE),
            best: verdict == Verdict::Improved,
        })?;
        state.weights.extend(to_weights(
            self.optimizer
                .parameters()
                .map(|(name, var)| (name, var.as_tensor())),
        )?);
        let moments = self.optimizer.state();
        state.optimizer = to_weights(moments.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
        state.optimizer_steps = self.optimizer.steps();
        if verdict == Verdict::Improved {
            state.best = averaged;
        }
        Ok(verdict)
    }
}

/// The optimiser of the weights on the first device.
fn optimizer(config: &TrainConfig, learners: &DataParallel) -> Result<AdamW, FitError> {
    let positive = |value: f64| (value > 0.0).then_some(value);
    let settings = AdamWConfig {
        weight_decay: config.optimizer.weight_decay,
        clip_norm: positive(config.optimizer.clip_norm),
        average_decay: positive(config.optimizer.ema_decay),
        ..AdamWConfig::default()
    };
    Ok(AdamW::new(learners.variables().clone(), settings)?)
}

/// Figures of scored validation examples, at their natural prevalence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Average precision of SNPs: the mean over the sets where it is defined, so that a large set does not decide alone, and scores
    /// of different callers and depths need not agree.
    pub snp: Option<f64>,
    /// That of indels.
    pub indel: Option<f64>,
    /// Mean negative log likelihood of real against false, in nats.
    pub loss: Option<f64>,
    /// The same of one copy against two, over real calls whose copies are known; nothing without a genotype head.
    pub genotype_loss: Option<f64>,
}

/// A weight that is one number.
fn gate(weights: &Weights, name: &str) -> Option<f64> {
    let weight = weights.get(name)?.data.first();
    weight.copied().map(f64::from)
}

/// ln(1 + e^x) without overflow: the surprise at what the log odds -x speak for.
fn surprise(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Figures {
    /// Computes them.
    pub fn of(scored: &[Scored]) -> Self {
        let of_kind = |is_indel: bool| {
            let mut sets: BTreeMap<u32, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
            for scored in scored.iter().filter(|scored| scored.is_indel == is_indel) {
                let (scores, labels) = sets.entry(scored.set).or_default();
                scores.push(scored.score);
                labels.push(scored.is_real);
            }
            let of_sets: Vec<f64> = (sets.values())
                .filter_map(|(scores, labels)| average_precision(scores, labels).ok())
                .collect();
            (!of_sets.is_empty()).then(|| of_sets.iter().sum::<f64>() / of_sets.len() as f64)
        };
        let signed = |odds: f64, holds: bool| if holds { -odds } else { odds };
        let loss = |scored: &Scored| surprise(signed(scored.score, scored.is_real));
        let total: f64 = scored.iter().map(loss).sum();
        let of_copies: Vec<f64> = (scored.iter())
            .filter_map(|scored| Some(surprise(signed(scored.two_copies?, scored.copies? == 2))))
            .collect();
        Self {
            snp: of_kind(false),
            indel: of_kind(true),
            loss: (!scored.is_empty()).then(|| total / scored.len() as f64),
            genotype_loss: (!of_copies.is_empty())
                .then(|| of_copies.iter().sum::<f64>() / of_copies.len() as f64),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_mean_over_sets() {
        let one = |set, score, is_real, is_indel| Scored {
            set,
            score,
            is_real,
            is_indel,
            two_copies: None,
            copies: None,
        };
        // The first set is right at a lower level of scores than the second; its only INDEL is real, so that nothing is known of INDELs.
        let scored = [
            one(0, -3.0, true, false),
            one(0, -4.0, false, false),
            one(0, 1.0, true, true),
            one(1, 2.0, false, false),
            one(1, 1.0, true, false),
        ];
        let figures = Figures::of(&scored);
        assert_eq!((figures.snp, figures.indel), (Some(0.75), None));
    }
}
