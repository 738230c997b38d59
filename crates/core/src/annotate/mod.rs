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
use crate::genotype::Genotyper;
use crate::networks::pooled::Selection;
use crate::networks::{Model, ModelError};
use crate::score::keys::{ALLELE_KEY, PROBABILITY_KEY};
use crate::vcf::VcfRecord;
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
    /// For genotypes.
    genotyper: Option<Genotyper>,
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
    /// Outputs of the genotype head of each; empty where no genotypes are written.
    pub two_copies: Vec<f32>,
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
            genotyper: None,
            novelty: None,
        }
    }

    /// The same, writing reasons ([`crate::why`]) beside the scores where `explains`.
    pub fn with_reasons(mut self, explains: bool) -> Self {
        self.explainer = explains.then(|| Explainer::new(self.model));
        self
    }

    /// The same, writing genotypes, with a model that [tells copies](Model::tells_copies).
    pub fn with_genotypes(mut self, genotyper: Option<Genotyper>) -> Self {
        self.genotyper = genotyper.filter(|_| self.model.tells_copies());
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
        // Reasons and novelty come with scores of their own, bit by bit those of the CPU.
        let come_along =
            !self.model.on_gpu() && (self.explainer.is_some() || self.novelty.is_some());
        let (logits, two_copies) = match &self.genotyper {
            None if come_along => (Vec::new(), Vec::new()),
            None => (self.model.logits(examples)?, Vec::new()),
            Some(_) => {
                let outputs = self.model.outputs(examples)?.into_iter();
                let both = outputs.map(|output| (output.logits, output.two_copies.unwrap_or(0.0)));
                both.unzip()
            }
        };
        let (of_reasons, parts) = self.reasons(unscored)?;
        let (of_novelty, novelty) = self.novelty(unscored)?;
        let mut scores = [logits, of_reasons, of_novelty].into_iter();
        Ok(Outputs {
            logits: scores.find(|scores| !scores.is_empty()).unwrap_or_default(),
            two_copies,
            parts,
            novelty,
        })
    }

    /// Logits and contributions of all examples; nothing where no reasons are written.
    #[expect(clippy::type_complexity, reason = "two columns of one table")]
    fn reasons(&self, unscored: &Unscored) -> Result<(Vec<[f32; 4]>, Vec<Vec<f32>>), ModelError> {
        let Some(explainer) = &self.explainer else {
            return Ok(Default::default());
        };
        let examples = unscored.examples().par_iter().zip(unscored.kinds());
        let quick: Vec<Quick> = examples
            .map(|(example, kind)| explainer.quick(example, kind))
            .collect::<Result<_, _>>()?;
        Ok(quick.into_iter().map(|one| (one.logits, one.parts)).unzip())
    }

    /// Logits and novelty of all examples; nothing where no novelty is written.
    #[expect(clippy::type_complexity, reason = "two columns of one table")]
    fn novelty(
        &self,
        unscored: &Unscored,
    ) -> Result<(Vec<[f32; 4]>, Vec<Option<f64>>), ModelError> {
        let Some(layers) = &self.novelty else {
            return Ok(Default::default());
        };
        let examples = unscored.examples().par_iter().zip(unscored.kinds());
        let found: Vec<([f32; 4], Option<f64>)> = examples
            .map(|(example, kind)| {
                let pooled = self.model.pooled_of(example, layers)?;
                let novelty = self.model.novelty(kind, &pooled.numbers);
                Ok((pooled.logits, novelty))
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(found.into_iter().unzip())
    }

    /// The model whose scores are written.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The ploidy of a sample of the file, from 0, at a position, 0-based, where no caller says it.
    pub fn ploidy(&self, contig: &str, position: u64, column: usize) -> usize {
        let genotyper = self.genotyper.as_ref();
        genotyper.map_or(2, |genotyper| genotyper.ploidy_at(contig, position, column))
    }

    /// Marks a record in which no sample has an ALT, as [`Genotyper::mark_ref_call`], where genotypes are written.
    pub fn mark_ref_call(&self, record: &mut VcfRecord) {
        if let Some(genotyper) = &self.genotyper {
            genotyper.mark_ref_call(record, self.columns);
        }
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
