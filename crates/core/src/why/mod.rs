//! Why a call got its score: contributions of its inputs, as values and in words.
//!
//! Contributions are differences of two scores of the network itself, in natural-log odds: that of the call as it
//! is, less that of the same call without a part of its inputs. They are exact, and need not sum to the
//! score: parts that say the same stand in for each other. Only the heat over the cells is another thing,
//! integrated gradients ([`crate::networks::gradients`]), which do sum.
//!
//! * A part ([`Part`]) is made ordinary: annotations become missing, numbers of the call take their mean in
//!   training. [`Explainer::explain`] does the same to all that the network sees: MAPQ becomes 60, base quality
//!   30, strands and flags are made equal. [`Explainer::quick`] leaves the reads as they are, so that the layers
//!   over them are computed once; [`Topic::Pileup`] takes their rows away.
//! * A read is taken away as if it had not been sequenced: numbers of the call that are counted from
//!   the reads are counted anew, its surroundings stay.

mod ordinary;
mod suspect;
mod words;

use crate::encode::allele::{AlleleTensor, Thinner};
use crate::encode::topic::Topic;
use crate::encode::{Encoder, Example, SiteTensor, annotations};
use crate::genome::VariantKind;
use crate::networks::family::Numbers;
use crate::networks::gradients::Integrator;
use crate::networks::{Model, ModelError};
use crate::score::log_odds::log_odds;
pub use suspect::Suspect;
pub use words::{Reason, why_value};

/// Contributions below this, in natural-log odds, are not told in words.
pub const LEAST: f32 = 0.1;

/// A part of the inputs of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that tells of a topic, wherever it comes from.
    Topic(Topic),
    /// All annotations of the caller, whatever they tell of. It cuts across the topics, so it is no reason.
    Annotations,
}

impl Part {
    /// The parts of the networks of an encoder: its topics, then the annotations.
    pub fn of_encoder(encoder: &Encoder) -> Vec<Self> {
        let names = encoder.annotation_names();
        let mut topics: Vec<Topic> = names.iter().map(|name| annotations::topic(name)).collect();
        match encoder {
            Encoder::Allele { layout, .. } => {
                topics.extend(layout.site().iter().map(|number| number.topic));
                topics.extend(layout.read().iter().map(|number| number.topic));
            }
            Encoder::Gatk { reads: true, .. } => {
                topics.extend([Topic::Strand, Topic::Mapping, Topic::Quality]);
            }
            Encoder::Gatk { .. } => {}
        }
        if encoder.uses_reads() {
            topics.push(Topic::Pileup);
        }
        let known = Topic::ALL.into_iter();
        let mut parts: Vec<Self> = known
            .filter(|topic| topics.contains(topic))
            .map(Self::Topic)
            .collect();
        if !names.is_empty() {
            parts.push(Self::Annotations);
        }
        parts
    }

    /// The word for it in `CNN_WHY` and in tables.
    pub fn code(self) -> &'static str {
        match self {
            Self::Topic(topic) => topic.code(),
            Self::Annotations => "annotations",
        }
    }

    /// A line about it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Topic(topic) => topic.text(),
            Self::Annotations => "all that the caller wrote",
        }
    }

    /// True for a number or an annotation of this topic.
    fn holds(self, topic: Topic) -> bool {
        self == Self::Topic(topic)
    }

    /// True for an annotation of this topic.
    fn holds_annotation(self, topic: Topic) -> bool {
        self == Self::Annotations || self.holds(topic)
    }
}

/// Contributions to the score of one call, in natural-log odds. Empty where a sort was not computed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Why {
    /// One a part, in the order of [`Part::of_encoder`].
    pub parts: Vec<f32>,
    /// One a row: the score less that without the read.
    pub reads: Vec<f32>,
    /// `[row][column]`: integrated gradients.
    pub cells: Vec<f32>,
    /// The topics that matter, in words, in the order of [`Explainer::reasons`].
    pub reasons: Vec<Reason>,
    /// The kind of error that the call looks like.
    pub suspect: Option<Suspect>,
}

/// Outputs of a call and the contributions of its parts, from its numbers alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Quick {
    /// The four outputs, as [`Model::logits`] on the CPU gives them.
    pub logits: [f32; 4],
    /// One a part, in the order of [`Part::of_encoder`]; 0 for the annotations together.
    pub parts: Vec<f32>,
}

/// Computes contributions for calls of one model.
#[derive(Debug)]
pub struct Explainer<'a> {
    model: &'a Model,
    parts: Vec<Part>,
    /// Topics of the annotations.
    annotations: Vec<Topic>,
    /// Values of the numbers of a call that scale to 0: their means in training.
    means: Vec<f32>,
    thinner: Option<Thinner>,
}

impl<'a> Explainer<'a> {
    /// For calls that were encoded for `model`.
    pub fn new(model: &'a Model) -> Self {
        let encoder = model.encoder();
        let thinner = match encoder {
            Encoder::Allele {
                reads: true,
                layout,
                ..
            } => Thinner::new(layout.clone()).ok(),
            _ => None,
        };
        let names = encoder.annotation_names();
        let scaling = model.architecture().scaling();
        Self {
            model,
            parts: Part::of_encoder(encoder),
            annotations: names.iter().map(|name| annotations::topic(name)).collect(),
            means: scaling.map(ordinary::means).unwrap_or_default(),
            thinner,
        }
    }

    /// The contributions of the parts, from the numbers of the call and its annotations alone.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn quick(&self, example: &Example, kind: VariantKind) -> Result<Quick, ModelError> {
        let own = Numbers::of(example);
        let mut others = Vec::new();
        let mut changes = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let changed = self.numbers(example, *part);
            let is_told = *part != Part::Annotations && changed.differs(&own);
            changes.push(is_told);
            others.extend(is_told.then_some(changed));
        }
        let logits = self.model.logits_of_numbers(example, &others)?;
        let whole = log_odds(logits.own, kind);
        let mut others = logits.others.iter();
        let mut contribution = |changes: bool| match changes.then(|| others.next()).flatten() {
            Some(without) => (whole - log_odds(*without, kind)) as f32,
            None => 0.0,
        };
        Ok(Quick {
            logits: logits.own,
            parts: changes.into_iter().map(&mut contribution).collect(),
        })
    }

    /// The contributions of the parts, by all that the network sees of them.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn explain(&self, example: &Example, kind: VariantKind) -> Result<Why, ModelError> {
        let mut variants = vec![example.clone()];
        let changed = self.parts.iter().map(|part| self.without(example, *part));
        variants.extend(changed);
        let scores = self.scores(&variants, kind)?;
        let parts = less_others(&scores);
        let is_real = self.model.believes(kind, scores[0]);
        Ok(Why {
            reasons: self.reasons(example, &parts, is_real),
            suspect: self.suspect(example, &parts, is_real),
            parts,
            ..Why::default()
        })
    }

    /// [`Self::explain`], and the contributions of reads and cells.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn explain_in_detail(
        &self,
        example: &Example,
        kind: VariantKind,
        integrator: &Integrator<'_>,
    ) -> Result<Why, ModelError> {
        let mut why = self.explain(example, kind)?;
        if let (SiteTensor::Allele(tensor), Some(thinner)) = (&example.tensor, &self.thinner) {
            // Counted from the rows that are shown, as the ones without a read are.
            let mut variants = vec![thinned(example, tensor, thinner, None)];
            let rows = 0..tensor.rows.len();
            variants.extend(rows.map(|row| thinned(example, tensor, thinner, Some(row))));
            why.reads = less_others(&self.scores(&variants, kind)?);
        }
        let cells = integrator.cells(example, kind)?;
        why.cells = cells.map(|found| found.cells).unwrap_or_default();
        Ok(why)
    }

    fn scores(&self, examples: &[Example], kind: VariantKind) -> Result<Vec<f64>, ModelError> {
        let logits = self.model.logits(examples)?;
        Ok(logits.iter().map(|one| log_odds(*one, kind)).collect())
    }

    /// [`Self::ranked`], in words.
    pub fn reasons(&self, example: &Example, parts: &[f32], is_real: bool) -> Vec<Reason> {
        let ranked = self.ranked(parts, is_real).into_iter();
        let reason = |(topic, value): (Topic, f32)| Reason {
            code: topic.code(),
            value,
            text: words::clause(self.model.encoder(), example, topic),
        };
        ranked.map(reason).collect()
    }

    /// The topics that contribute at least [`LEAST`]: first those that speak for the verdict ([`Model::believes`]), the
    /// largest first, then the others.
    pub fn ranked(&self, parts: &[f32], is_real: bool) -> Vec<(Topic, f32)> {
        let mut ranked: Vec<(Topic, f32)> = (self.parts.iter().zip(parts))
            .filter_map(|(part, value)| match part {
                Part::Topic(topic) if value.abs() >= LEAST => Some((*topic, *value)),
                _ => None,
            })
            .collect();
        let opposes = |value: f32| (value > 0.0) != is_real;
        ranked.sort_by(|(_, a), (_, b)| {
            let by_side = opposes(*a).cmp(&opposes(*b));
            by_side.then(b.abs().total_cmp(&a.abs()))
        });
        ranked
    }

    /// The kind of error that a call looks like which is rather false.
    pub fn suspect(&self, example: &Example, parts: &[f32], is_real: bool) -> Option<Suspect> {
        let against: Vec<Topic> = (self.parts.iter().zip(parts))
            .filter_map(|(part, value)| match part {
                Part::Topic(topic) if *value <= -LEAST => Some(*topic),
                _ => None,
            })
            .collect();
        let suspect = || Suspect::of(self.model.encoder(), example, &against);
        (!is_real).then(suspect).flatten()
    }

    /// The numbers with a part made ordinary.
    fn numbers(&self, example: &Example, part: Part) -> Numbers {
        let mut numbers = Numbers::of(example);
        if let Encoder::Allele { layout, .. } = self.model.encoder() {
            let features = layout.site().iter().zip(&mut numbers.site);
            for ((feature, value), mean) in features.zip(&self.means) {
                if part.holds(feature.topic) {
                    *value = *mean;
                }
            }
        }
        // GATK's were 0 in training where they were missing.
        let missing = match self.model.encoder() {
            Encoder::Gatk { .. } => 0.0,
            Encoder::Allele { .. } => f32::NAN,
        };
        for (value, topic) in numbers.annotations.iter_mut().zip(&self.annotations) {
            if part.holds_annotation(*topic) {
                *value = missing;
            }
        }
        numbers.rows = part != Part::Topic(Topic::Pileup);
        numbers
    }

    /// The example with a part made ordinary.
    fn without(&self, example: &Example, part: Part) -> Example {
        let mut changed = self.numbers(example, part).put_into(example);
        if let Part::Topic(topic) = part {
            ordinary::make_reads_ordinary(self.model.encoder(), &mut changed.tensor, topic);
        }
        changed
    }
}

/// The first score less each of the others.
fn less_others(scores: &[f64]) -> Vec<f32> {
    let others = scores.iter().skip(1);
    others.map(|other| (scores[0] - other) as f32).collect()
}

fn thinned(
    example: &Example,
    tensor: &AlleleTensor,
    thinner: &Thinner,
    without: Option<usize>,
) -> Example {
    let mut tensor = tensor.clone();
    let keep: Vec<usize> = (0..tensor.rows.len())
        .filter(|row| Some(*row) != without)
        .collect();
    thinner.thin(&mut tensor, &keep, 1.0);
    Example {
        tensor: SiteTensor::Allele(tensor),
        annotations: example.annotations.clone(),
    }
}

#[cfg(test)]
mod tests;
