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

    /// Computes the outputs of all examples, in the threads of the current rayon pool; contributions on the CPU.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn compute(&self, unscored: &Unscored) -> Result<Outputs, ModelError> {
        let examples = unscored.examples();
        let (logits, two_copies) = match &self.genotyper {
            // Reasons come with scores of their own on the CPU.
            None if self.explainer.is_some() && !self.model.on_gpu() => (Vec::new(), Vec::new()),
            None => (self.model.logits(examples)?, Vec::new()),
            Some(_) => {
                let outputs = self.model.outputs(examples)?.into_iter();
                let both = outputs.map(|output| (output.logits, output.two_copies.unwrap_or(0.0)));
                both.unzip()
            }
        };
        let Some(explainer) = &self.explainer else {
            return Ok(Outputs {
                logits,
                two_copies,
                parts: Vec::new(),
            });
        };
        let kinds = unscored.kinds();
        let quick: Vec<Quick> = (examples.par_iter().zip(kinds))
            .map(|(example, kind)| explainer.quick(example, kind))
            .collect::<Result<_, _>>()?;
        let (on_cpu, parts): (Vec<[f32; 4]>, Vec<Vec<f32>>) =
            quick.into_iter().map(|one| (one.logits, one.parts)).unzip();
        Ok(Outputs {
            logits: if logits.is_empty() { on_cpu } else { logits },
            two_copies,
            parts,
        })
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
