//! From encoded calls to records with their scores.

use std::time::Instant;

use anyhow::Result;

use crate::commands::encoding::{Call, Inputs, ShardTimes};
use crate::terminal::summary::ScoreSummary;
use cnnfilter_core::encode::{Encoder, Example, Outcome};
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::keys::{ALLELE_KEY, PROBABILITY_KEY, SAMPLE_KEY};
use cnnfilter_core::score::log_odds::{format_probability, format_score, log_odds};
use cnnfilter_core::score::record_scores::{AlleleScore, RecordScores};
use cnnfilter_core::vcf::VcfRecord;

/// Records of a shard, in their order, with their scores.
pub(super) struct ScoredShard {
    pub(crate) records: Vec<VcfRecord>,
    /// Counts of them.
    pub(crate) summary: ScoreSummary,
}

/// Scores encoded calls.
///
/// # Errors
/// As [`Model::logits`].
pub(super) fn of_shard(
    encoded: Vec<(Call, Outcome)>,
    times: ShardTimes,
    model: &Model,
    inputs: &Inputs,
) -> Result<ScoredShard> {
    let mut summary = ScoreSummary::default();
    summary.times.sweeping = times.sweeping;
    summary.times.encoding = times.encoding;
    let mut records = Vec::with_capacity(encoded.len());
    let mut examples: Vec<Example> = Vec::new();
    let mut scored: Vec<ScoredRecord> = Vec::new();
    for (Call { mut record, .. }, outcome) in encoded {
        match outcome {
            Outcome::Encoded(site) => {
                *summary.scored.entry(site.kind).or_default() += 1;
                summary.without_annotations += u64::from(site.without_annotations);
                summary.without_reads += u64::from(site.reads == Some(0));
                summary.sampled += u64::from(site.is_sampled);
                let mut of_record = ScoredRecord {
                    record: records.len(),
                    alternates: site.alternates,
                    alleles: Vec::new(),
                };
                for allele in site.alleles {
                    of_record
                        .alleles
                        .push((allele.sample, allele.alternate, allele.kind));
                    examples.push(allele.example);
                }
                scored.push(of_record);
            }
            Outcome::Skipped(skip) => {
                *summary.skipped.entry(skip).or_default() += 1;
                // A score of an earlier run under a key would be taken for one of this run.
                for key in keys(model) {
                    record.set_info(key.as_bytes(), None);
                }
                if tells_samples_apart(model, inputs) {
                    record.set_sample_values(SAMPLE_KEY.as_bytes(), None);
                }
            }
        }
        records.push(record);
    }
    let begun = Instant::now();
    let mut logits = model.logits(&examples)?.into_iter();
    summary.times.network = begun.elapsed();
    for of_record in scored {
        let record = &mut records[of_record.record];
        of_record.write(record, model, inputs, &mut logits);
    }
    Ok(ScoredShard { records, summary })
}

/// The INFO keys that a model fills.
fn keys(model: &Model) -> Vec<&str> {
    let mut keys = vec![model.card().info_key.as_str()];
    if matches!(model.encoder(), Encoder::Allele { .. }) {
        keys.push(ALLELE_KEY);
    }
    if model.card().calibration.is_some() {
        keys.push(PROBABILITY_KEY);
    }
    keys
}

/// A record whose outputs are still to come.
struct ScoredRecord {
    /// Index of the record in the shard.
    record: usize,
    /// ALTs of the record.
    alternates: usize,
    /// Sample, ALT (nothing for the whole record) and kind of each of its examples.
    alleles: Vec<(usize, Option<usize>, VariantKind)>,
}

impl ScoredRecord {
    /// Takes the outputs of its examples and writes its scores: the best ALT's and, where the model
    /// tells them apart, each ALT's. Of several samples each gets its own, and the record the best
    /// sample's.
    fn write(
        &self,
        record: &mut VcfRecord,
        model: &Model,
        inputs: &Inputs,
        logits: &mut impl Iterator<Item = [f32; 4]>,
    ) {
        let of_alleles = self.alleles.iter().zip(logits);
        let of_alleles: Vec<AlleleScore> = of_alleles
            .map(|((sample, alternate, kind), logits)| AlleleScore {
                sample: *sample,
                alternate: *alternate,
                kind: *kind,
                score: log_odds(logits, *kind),
            })
            .collect();
        let joined = RecordScores::join(&of_alleles, self.alternates, inputs.samples.len());
        let Some(scores) = joined else {
            return;
        };
        let key = model.card().info_key.as_bytes();
        record.set_info(key, Some(format_score(scores.best).as_bytes()));
        let text = |score: Option<f64>| score.map_or(".".to_owned(), format_score);
        if matches!(model.encoder(), Encoder::Allele { .. }) {
            let list: Vec<String> = scores.alternates.into_iter().map(text).collect();
            record.set_info(ALLELE_KEY.as_bytes(), Some(list.join(",").as_bytes()));
        }
        if model.card().calibration.is_some() {
            let probability = model.probability(scores.kind, scores.best);
            let text = probability.map(format_probability);
            record.set_info(
                PROBABILITY_KEY.as_bytes(),
                text.as_deref().map(str::as_bytes),
            );
        }
        if tells_samples_apart(model, inputs) {
            let mut values = vec![".".to_owned(); inputs.columns];
            for (sample, score) in inputs.samples.iter().zip(scores.samples) {
                values[sample.column] = text(score);
            }
            record.set_sample_values(SAMPLE_KEY.as_bytes(), Some(&values));
        }
    }
}

/// True where each sample of the calls gets a score of its own.
pub(super) fn tells_samples_apart(model: &Model, inputs: &Inputs) -> bool {
    let looks_at_samples = model.uses_reads() || matches!(model.encoder(), Encoder::Allele { .. });
    inputs.columns > 1 && looks_at_samples
}
