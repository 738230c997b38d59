//! From the outputs of a network to keys of a record, with the header lines that define them.
//!
//! Nothing is computed here but the log odds: [`Annotator::begin`] takes encoded records apart into
//! examples, a [`Model`] computes their outputs, [`Unscored::finish`] writes the scores. The two
//! halves leave the network to the caller, who may batch, spread or time it.

mod header;
mod records;

pub use header::ScoreCommand;
pub use records::{ScoreCounts, Unscored};

use crate::encode::Encoder;
use crate::networks::Model;

/// Writes the scores of one model into the records of one file.
#[derive(Debug, Clone)]
pub struct Annotator<'a> {
    model: &'a Model,
    /// Of each scored sample its column among the samples of the file, from 0.
    scored_columns: Vec<usize>,
    /// Samples that the file has.
    columns: usize,
}

impl<'a> Annotator<'a> {
    /// An annotator for a file with `columns` samples, of which those in `scored_columns` (from 0)
    /// are scored, in the order in which they were encoded.
    pub fn new(model: &'a Model, scored_columns: Vec<usize>, columns: usize) -> Self {
        Self {
            model,
            scored_columns,
            columns,
        }
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
        matches!(self.model.encoder(), Encoder::Allele { .. })
    }
}
