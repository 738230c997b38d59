//! The filter of one record by fixed thresholds: a function of the record alone.

use super::filter_column;
use crate::genome::{Variant, VariantKind, record_kind};
use crate::score::Calibration;
use crate::score::keys::{ALLELE_KEY, PROBABILITY_KEY, SAMPLE_KEY};
use crate::score::measured::Worth;
use crate::score::record_scores::best_alternate;
use crate::score::thresholds::{Aim, AimThreshold, CardThresholds, ThresholdError};
use crate::vcf::{VcfHeader, VcfRecord};

/// Beginning of the FILTER names of thresholds; those of an earlier run are replaced.
const PREFIX: &str = "CNN_LOW_";

/// Why a record is not judged; its FILTER stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotJudged {
    /// The key is not there, or `.`.
    NoScore,
    /// The text there is no number, or no probability where one is expected.
    NotANumber,
    /// Neither SNP nor indel: by thresholds when no ALT is spelled in bases; by tranches, as in GATK,
    /// also MNPs, mixed records and those with a symbolic ALT.
    OtherKind,
    /// There is no threshold or cut-off for SNPs.
    NoThresholdForSnps,
    /// There is no threshold or cut-off for indels.
    NoThresholdForIndels,
}

impl NotJudged {
    /// The reason as the summary prints it.
    pub fn reason(self) -> &'static str {
        match self {
            NotJudged::NoScore => "no score",
            NotJudged::NotANumber => "the score is no number of its range",
            NotJudged::OtherKind => "neither SNP nor indel",
            NotJudged::NoThresholdForSnps => "no threshold for SNPs",
            NotJudged::NoThresholdForIndels => "no threshold for indels",
        }
    }

    /// No threshold for a kind.
    pub fn no_threshold(kind: VariantKind) -> Self {
        match kind {
            VariantKind::Snp => NotJudged::NoThresholdForSnps,
            VariantKind::Indel => NotJudged::NoThresholdForIndels,
            VariantKind::Other => NotJudged::OtherKind,
        }
    }
}

/// The finite number under an INFO key of one value.
///
/// # Errors
/// [`NotJudged::NoScore`] or [`NotJudged::NotANumber`].
pub fn score_of(record: &VcfRecord, key: &str) -> Result<f64, NotJudged> {
    match record.info(key.as_bytes()) {
        None | Some(b"" | b".") => Err(NotJudged::NoScore),
        Some(value) => number(value).ok_or(NotJudged::NotANumber),
    }
}

/// A finite number.
fn number(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// The log odds of each ALT under [`ALLELE_KEY`]; nothing where their number does not fit.
fn scores_of_alternates(record: &VcfRecord, variant: &Variant) -> Option<Vec<Option<f64>>> {
    let values = record.info(ALLELE_KEY.as_bytes())?;
    let scores: Vec<Option<f64>> = values.split(|byte| *byte == b',').map(number).collect();
    (scores.len() == variant.alternates.len()).then_some(scores)
}

/// The kind of a record's best ALT among those spelled in bases; where the record does not show
/// which one that is, the kind of the whole.
fn kind_of(record: &VcfRecord, variant: &Variant) -> VariantKind {
    let Variant {
        reference,
        alternates,
        ..
    } = variant;
    let best = || {
        let mut scores = scores_of_alternates(record, variant)?;
        for (score, alternate) in scores.iter_mut().zip(alternates) {
            *score = score.filter(|_| Variant::is_sequence(alternate));
        }
        alternates.get(best_alternate(&scores)?)
    };
    let best = if alternates.len() > 1 { best() } else { None };
    record_kind(reference, best.map_or(alternates, std::slice::from_ref))
}

/// Outcome for a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision<'a> {
    /// Its FILTER stays.
    NotJudged(NotJudged),
    /// It is compared with a threshold.
    Judged {
        /// The row of [`ThresholdFilter::rows`].
        row: usize,
        /// The FILTER name if it fails.
        filter: Option<&'a str>,
    },
}

/// The threshold in use for a kind of record.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdRow {
    /// SNP or indel.
    pub kind: VariantKind,
    /// FILTER name of the records below it.
    pub filter: String,
    /// The entry of the card.
    pub entry: AimThreshold,
    /// What it is worth on calls that had no say in it.
    pub tested: Vec<Worth>,
}

/// The thresholds of a model for one aim, one for each kind that has any.
#[derive(Debug, Clone)]
pub struct ThresholdFilter {
    model: String,
    measured_on: String,
    rows: Vec<ThresholdRow>,
}

impl ThresholdFilter {
    /// Takes for each kind the threshold that `aim` needs ([`CardThresholds::find`]).
    ///
    /// # Errors
    /// The thresholds cannot be right, or a kind has none for such an aim.
    pub fn new(thresholds: &CardThresholds, aim: Aim, model: &str) -> Result<Self, ThresholdError> {
        thresholds.check()?;
        let mut rows = Vec::new();
        // By name, as a card has them.
        for kind in [VariantKind::Indel, VariantKind::Snp] {
            if let Some(entry) = thresholds.find(kind, aim)? {
                rows.push(ThresholdRow {
                    kind,
                    filter: format!("{PREFIX}{kind}_{}", entry.aim.filter_suffix()),
                    entry: entry.clone(),
                    tested: thresholds.worth(kind, entry),
                });
            }
        }
        Ok(Self {
            model: model.to_owned(),
            measured_on: thresholds.measured_on.clone(),
            rows,
        })
    }

    /// The thresholds in use, kind by kind in the order of the card.
    pub fn rows(&self) -> &[ThresholdRow] {
        &self.rows
    }

    /// Name of the model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The held-out calls that the thresholds were chosen on.
    pub fn measured_on(&self) -> &str {
        &self.measured_on
    }

    /// Compares the probability that the record carries with the threshold of its kind.
    ///
    /// The kind is that of its best ALT, whose probability it is and whose kind calibrated it. Where
    /// the record does not show which ALT that is (no scores of ALTs) it is [`record_kind`].
    ///
    /// The probability is parsed from the record's text even right after `score` has written it, so
    /// that `score --filter` decides on the same digits as `score` piped into `filter`.
    pub fn decide(&self, record: &VcfRecord) -> Decision<'_> {
        self.judge(record).unwrap_or_else(Decision::NotJudged)
    }

    fn judge(&self, record: &VcfRecord) -> Result<Decision<'_>, NotJudged> {
        let probability = score_of(record, PROBABILITY_KEY)?;
        if !(0.0..=1.0).contains(&probability) {
            return Err(NotJudged::NotANumber);
        }
        let variant = record.variant().ok_or(NotJudged::OtherKind)?;
        let kind = kind_of(record, &variant);
        if kind == VariantKind::Other {
            return Err(NotJudged::OtherKind);
        }
        let row = self.row(kind).ok_or(NotJudged::no_threshold(kind))?;
        let ThresholdRow { filter, entry, .. } = &self.rows[row];
        let fails = probability < entry.probability;
        Ok(Decision::Judged {
            row,
            filter: fails.then_some(filter),
        })
    }

    /// Index of the row for a kind of record.
    fn row(&self, kind: VariantKind) -> Option<usize> {
        self.rows.iter().position(|row| row.kind == kind)
    }

    /// The ALTs, from 0, that fail by their own log odds under [`ALLELE_KEY`] while another one
    /// passes; an ALT without log odds stays.
    pub fn failing_alternates(&self, record: &VcfRecord, calibration: &Calibration) -> Vec<usize> {
        let Some(variant) = record.variant() else {
            return Vec::new();
        };
        let Some(scores) = scores_of_alternates(record, &variant) else {
            return Vec::new();
        };
        let mut failing = Vec::new();
        let mut some_pass = false;
        for (at, (score, alternate)) in scores.iter().zip(&variant.alternates).enumerate() {
            let kind = record_kind(&variant.reference, std::slice::from_ref(alternate));
            let (Some(log_odds), Some(row)) = (*score, self.row(kind)) else {
                continue;
            };
            let probability = calibration.probability_or_odds(kind, log_odds);
            if probability < self.rows[row].entry.probability {
                failing.push(at);
            } else {
                some_pass |= Variant::is_sequence(alternate);
            }
        }
        if some_pass { failing } else { Vec::new() }
    }

    /// For each sample whether its call passes by its own log odds under FORMAT [`SAMPLE_KEY`], with
    /// the FILTER name that it fails by; nothing for a sample without log odds. Nothing at all
    /// where the record has no such key or cannot be judged. The kind is the record's, as in
    /// [`Self::decide`].
    pub fn judge_samples(
        &self,
        record: &VcfRecord,
        calibration: &Calibration,
    ) -> Option<(Vec<Option<bool>>, &str)> {
        let columns = record.genotype_columns();
        let key = |name: &Vec<u8>| name.as_slice() == SAMPLE_KEY.as_bytes();
        let at = columns.first()?.iter().position(key)?;
        let variant = record.variant()?;
        let kind = kind_of(record, &variant);
        let ThresholdRow { filter, entry, .. } = &self.rows[self.row(kind)?];
        let threshold = entry.probability;
        let passes = |fields: &Vec<Vec<u8>>| {
            let log_odds = fields.get(at).and_then(|value| number(value))?;
            Some(calibration.probability_or_odds(kind, log_odds) >= threshold)
        };
        Some((columns[1..].iter().map(passes).collect(), filter))
    }

    /// Names and definition lines of the filters.
    pub fn header_lines(&self) -> Vec<(String, String)> {
        let rows = self.rows.iter();
        rows.map(|row| {
            let ThresholdRow {
                kind,
                filter,
                entry,
                ..
            } = row;
            let text = format!(
                "{kind} with {PROBABILITY_KEY} below the threshold of model {} for aim {}: {}; measured on {}",
                self.model,
                entry.aim,
                describe(entry),
                self.measured_on
            );
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("##FILTER=<ID={filter},Description=\"{text}\">");
            (filter.clone(), line)
        })
        .collect()
    }

    /// Puts the definitions of the filters into a header; those of an earlier run go.
    pub fn extend_header(&self, header: &mut VcfHeader) {
        header.remove_filters(|name| name.starts_with(PREFIX));
        for (name, line) in self.header_lines() {
            header.put_filter(&name, line);
        }
    }
}

impl Decision<'_> {
    /// Writes the decision into FILTER. Names of an earlier run by thresholds go; with `invalidate`
    /// all earlier names go. What remains without a name is `PASS` if it was judged; if it was not,
    /// it stays as it is, `.` where a name was taken away.
    pub fn apply(&self, record: &mut VcfRecord, invalidate: bool) {
        let kept: Vec<Vec<u8>> = filter_column::names(record.filter())
            .into_iter()
            .filter(|name| !invalidate && !name.starts_with(PREFIX.as_bytes()))
            .map(<[u8]>::to_vec)
            .collect();
        let mut names: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
        match self {
            Decision::NotJudged(_) => {
                let is_cleared = filter_column::names(record.filter()).len() != names.len();
                if is_cleared {
                    record.set_filter(&filter_column::join(&names, "."));
                }
            }
            Decision::Judged { filter, .. } => {
                names.extend(filter.map(str::as_bytes));
                record.set_filter(&filter_column::join(&names, "PASS"));
            }
        }
    }
}

/// `0.62 (expected precision 0.9980, recall 0.9950)`.
fn describe(entry: &AimThreshold) -> String {
    format!(
        "{} (expected precision {:.4}, recall {:.4})",
        entry.probability, entry.precision, entry.recall
    )
}

#[cfg(test)]
mod tests;
