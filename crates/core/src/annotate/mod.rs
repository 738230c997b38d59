//! From the outputs of a network to keys of a record, with the header lines that define them.
//!
//! Nothing is computed here but the log odds: [`Annotator::begin`] takes encoded records apart into
//! examples, [`Annotator::compute`] lets the model compute their outputs, [`Unscored::finish`] writes the
//! scores. The steps are apart, so that the caller may batch, spread or time the network.

mod header;
mod records;

pub use header::ScoreCommand;
pub use records::{ScoreCounts, Unscored};

use rayon::prelude::*;

use crate::encode::Encoder;
use crate::networks::pooled::Selection;
use crate::networks::{Model, ModelError};
use crate::score::keys::{ALLELE_KEY, PROBABILITY_KEY};
use crate::why::{Explainer, Quick};

/// Writes the scores of one model into the records of one file.
#[derive(Debug)]
pub struct Annotator<'a> {
    model: &'a Model,
    /// Of each scored sample its column among the samples of the file, from 0.
    scored_columns: Vec<usize>,
    /// Samples that the file has.
    columns: usize,
    /// For reasons beside the scores.
    explainer: Option<Explainer<'a>>,
    /// For novelty beside the scores: the layers that it looks at.
    novelty: Option<Selection>,
}

/// Outputs of a network for some examples, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    /// The four outputs of each.
    pub logits: Vec<[f32; 4]>,
    /// Contributions of the parts of each; empty where no reasons are written.
    pub parts: Vec<Vec<f32>>,
    /// Novelty of each, nothing where the model's summary has none of its kind; empty where no novelty is written.
    pub novelty: Vec<Option<f64>>,
}

impl<'a> Annotator<'a> {
    /// An annotator for a file with `columns` samples, of which those in `scored_columns` (from 0)
    /// are scored, in the order in which they were encoded.
    pub fn new(model: &'a Model, scored_columns: Vec<usize>, columns: usize) -> Self {
        Self {
            model,
            scored_columns,
            columns,
            explainer: None,
            novelty: None,
        }
    }

    /// The same, writing reasons ([`crate::why`]) beside the scores where `explains`.
    pub fn with_reasons(mut self, explains: bool) -> Self {
        self.explainer = explains.then(|| Explainer::new(self.model));
        self
    }

    /// The same, writing novelty beside the scores where `tells` and the model's card has a summary of its
    /// training calls.
    ///
    /// # Errors
    /// As [`Model::novelty_layers`].
    pub fn with_novelty(mut self, tells: bool) -> Result<Self, ModelError> {
        self.novelty = match tells {
            true => self.model.novelty_layers()?,
            false => None,
        };
        Ok(self)
    }

    /// Computes the outputs of all examples, in the threads of the current rayon pool; contributions and novelty on
    /// the CPU.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn compute(&self, unscored: &Unscored) -> Result<Outputs, ModelError> {
        let examples = unscored.examples();
        let Some(layers) = &self.novelty else {
            return self.compute_scores(unscored);
        };
        let kinds = unscored.kinds();
        let one = |(example, kind)| {
            self.model.pooled_of(example, layers).map(|pooled| {
                let novelty = self.model.novelty(kind, &pooled.numbers);
                (pooled.logits, novelty)
            })
        };
        let found: Vec<([f32; 4], Option<f64>)> = (examples.par_iter().zip(kinds))
            .map(one)
            .collect::<Result<_, _>>()?;
        let (logits, novelty) = found.into_iter().unzip();
        // The pass that reads the layers gives the scores too, bit by bit, where nothing else is asked of the network.
        let outputs = match self.explainer.is_none() && !self.model.on_gpu() {
            true => Outputs {
                logits,
                ..Outputs::default()
            },
            false => self.compute_scores(unscored)?,
        };
        Ok(Outputs { novelty, ..outputs })
    }

    /// Outputs without novelty.
    fn compute_scores(&self, unscored: &Unscored) -> Result<Outputs, ModelError> {
        let examples = unscored.examples();
        let Some(explainer) = &self.explainer else {
            return Ok(Outputs {
                logits: self.model.logits(examples)?,
                ..Outputs::default()
            });
        };
        let kinds = unscored.kinds();
        let quick: Vec<Quick> = (examples.par_iter().zip(kinds))
            .map(|(example, kind)| explainer.quick(example, kind))
            .collect::<Result<_, _>>()?;
        let (on_cpu, parts): (Vec<[f32; 4]>, Vec<Vec<f32>>) =
            quick.into_iter().map(|one| (one.logits, one.parts)).unzip();
        let logits = match self.model.on_gpu() {
            true => self.model.logits(examples)?,
            false => on_cpu,
        };
        Ok(Outputs {
            logits,
            parts,
            ..Outputs::default()
        })
    }

    /// The model whose scores are written.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// True where each sample of the file gets a score of its own.
    fn tells_samples_apart(&self) -> bool {
        self.columns > 1 && (self.model.uses_reads() || self.scores_alleles())
    }

    /// True where each ALT gets a score of its own.
    fn scores_alleles(&self) -> bool {
        scores_alleles(self.model)
    }
}

/// The INFO keys under which the scores of a model are written, reasons aside.
pub fn info_keys(model: &Model) -> Vec<&str> {
    let card = model.card();
    let mut keys = vec![card.info_key.as_str()];
    keys.extend(scores_alleles(model).then_some(ALLELE_KEY));
    keys.extend(card.calibration.is_some().then_some(PROBABILITY_KEY));
    keys
}

fn scores_alleles(model: &Model) -> bool {
    matches!(model.encoder(), Encoder::Allele { .. })
}
