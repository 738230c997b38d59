//! The filter of one record by fixed thresholds: a function of the record alone.

use std::collections::{BTreeMap, BTreeSet};

use super::filter_column;
use crate::genome::record_kind;
use crate::genome::{Variant, VariantKind};
use crate::score::platt::Calibration;
use crate::score::thresholds::{Aim, AimThreshold, CardThresholds, ThresholdError};
use crate::vcf::{VcfHeader, VcfRecord};

/// INFO key of the probability that a site's best ALT is real, 0 to 1.
pub const PROBABILITY_KEY: &str = "CNN_PROB";
/// INFO key of the log odds of each ALT (Number=A).
pub const ALLELE_KEY: &str = "CNN_AS";
/// FORMAT key of the log odds in one sample (Number=1).
pub const SAMPLE_KEY: &str = "CNN";

/// What the FILTER names of thresholds begin with; those of an earlier run are replaced.
const PREFIX: &str = "CNN_LOW_";

/// Why a record is not judged; its FILTER stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotJudged {
    /// The key is not there, or `.`.
    NoScore,
    /// What stands there is no number, or no probability where one is expected.
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

/// What becomes of a record.
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

/// One threshold in use.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdRow {
    /// `SNP` or `INDEL`.
    pub kind: String,
    /// The entry of the card.
    pub entry: AimThreshold,
}

/// The thresholds of a model for one aim.
#[derive(Debug, Clone)]
pub struct ThresholdFilter {
    model: String,
    /// Only the entries for the aims in use.
    thresholds: CardThresholds,
    aims: BTreeMap<String, Aim>,
    /// FILTER names by kind.
    names: BTreeMap<String, String>,
    rows: Vec<ThresholdRow>,
    needs_depth: bool,
}

impl ThresholdFilter {
    /// Takes the thresholds that `aim` needs, for each kind the listed aim that is nearest to it
    /// ([`CardThresholds::resolve`]).
    ///
    /// # Errors
    /// The thresholds cannot be right, or a kind has none for such an aim.
    pub fn new(thresholds: CardThresholds, aim: Aim, model: &str) -> Result<Self, ThresholdError> {
        thresholds.check()?;
        let mut used = CardThresholds {
            measured_on: thresholds.measured_on.clone(),
            kinds: BTreeMap::new(),
        };
        let (mut aims, mut names, mut rows) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (kind, entries) in &thresholds.kinds {
            let Some(aim) = thresholds.resolve(kind, aim)? else {
                continue;
            };
            let entries: Vec<AimThreshold> = entries
                .iter()
                .filter(|entry| entry.aim.parse() == Ok(aim))
                .cloned()
                .collect();
            rows.extend(entries.iter().map(|entry| ThresholdRow {
                kind: kind.clone(),
                entry: entry.clone(),
            }));
            aims.insert(kind.clone(), aim);
            names.insert(
                kind.clone(),
                format!("{PREFIX}{kind}_{}", aim.filter_suffix()),
            );
            used.kinds.insert(kind.clone(), entries);
        }
        Ok(Self {
            model: model.to_owned(),
            needs_depth: rows.iter().any(|row| row.entry.depth.is_some()),
            thresholds: used,
            aims,
            names,
            rows,
        })
    }

    /// The aim in use for each kind.
    pub fn aims(&self) -> &BTreeMap<String, Aim> {
        &self.aims
    }

    /// All thresholds in use, kind by kind in the order of the card.
    pub fn rows(&self) -> &[ThresholdRow] {
        &self.rows
    }

    /// The FILTER name of a kind.
    pub fn filter_name(&self, kind: &str) -> Option<&str> {
        self.names.get(kind).map(String::as_str)
    }

    /// The held-out calls that the thresholds were chosen on.
    pub fn measured_on(&self) -> &str {
        &self.thresholds.measured_on
    }

    /// The strata that some threshold is for.
    pub fn strata(&self) -> BTreeSet<&str> {
        let strata = self
            .rows
            .iter()
            .filter_map(|row| row.entry.stratum.as_deref());
        strata.collect()
    }

    /// What becomes of a record that lies in `strata`.
    pub fn decide(&self, record: &VcfRecord, strata: &[&str]) -> Decision<'_> {
        self.judge(record, strata)
            .unwrap_or_else(Decision::NotJudged)
    }

    fn judge(&self, record: &VcfRecord, strata: &[&str]) -> Result<Decision<'_>, NotJudged> {
        let probability = score_of(record, PROBABILITY_KEY)?;
        if !(0.0..=1.0).contains(&probability) {
            return Err(NotJudged::NotANumber);
        }
        let variant = record.variant().ok_or(NotJudged::OtherKind)?;
        let kind = record_kind(&variant.reference, &variant.alternates);
        if kind == VariantKind::Other {
            return Err(NotJudged::OtherKind);
        }
        let depth = self.depth_of(record);
        let (row, name) = self
            .row(kind, depth, strata)
            .ok_or(NotJudged::no_threshold(kind))?;
        let fails = probability < self.rows[row].entry.probability;
        Ok(Decision::Judged {
            row,
            filter: fails.then_some(name),
        })
    }

    /// The row for a record of `kind`, and the FILTER name that goes with it.
    fn row(&self, kind: VariantKind, depth: Option<f64>, strata: &[&str]) -> Option<(usize, &str)> {
        let aim = *self.aims.get(kind.name())?;
        let entry = self.thresholds.find(kind.name(), aim, depth, strata)?;
        let of_entry = |row: &ThresholdRow| row.kind == kind.name() && row.entry == *entry;
        let row = self.rows.iter().position(of_entry)?;
        Some((row, self.names.get(kind.name())?))
    }

    fn depth_of(&self, record: &VcfRecord) -> Option<f64> {
        self.needs_depth.then(|| mean_depth(record)).flatten()
    }

    /// The ALTs, from 0, that fail by their own log odds under [`ALLELE_KEY`] while another one
    /// passes; an ALT without log odds stays.
    pub fn failing_alternates(
        &self,
        record: &VcfRecord,
        calibration: &Calibration,
        strata: &[&str],
    ) -> Vec<usize> {
        let (Some(values), Some(variant)) = (record.info(ALLELE_KEY.as_bytes()), record.variant())
        else {
            return Vec::new();
        };
        let depth = self.depth_of(record);
        let values: Vec<&[u8]> = values.split(|byte| *byte == b',').collect();
        if values.len() != variant.alternates.len() {
            return Vec::new();
        }
        let mut failing = Vec::new();
        let mut some_pass = false;
        for (at, (value, alternate)) in values.iter().zip(&variant.alternates).enumerate() {
            let kind = record_kind(&variant.reference, std::slice::from_ref(alternate));
            let (Some(log_odds), Some((row, _))) = (number(value), self.row(kind, depth, strata))
            else {
                continue;
            };
            let probability = calibration.probability(kind.name(), log_odds);
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
    /// where the record has no such key or cannot be judged.
    pub fn judge_samples(
        &self,
        record: &VcfRecord,
        calibration: &Calibration,
        strata: &[&str],
    ) -> Option<(Vec<Option<bool>>, &str)> {
        let columns = record.genotype_columns();
        let key = |name: &Vec<u8>| name.as_slice() == SAMPLE_KEY.as_bytes();
        let at = columns.first()?.iter().position(key)?;
        let variant = record.variant()?;
        let kind = record_kind(&variant.reference, &variant.alternates);
        let depth = self.depth_of(record);
        let (row, name) = self.row(kind, depth, strata)?;
        let threshold = self.rows[row].entry.probability;
        let passes = |fields: &Vec<Vec<u8>>| {
            let log_odds = fields.get(at).and_then(|value| number(value))?;
            Some(calibration.probability(kind.name(), log_odds) >= threshold)
        };
        Some((columns[1..].iter().map(passes).collect(), name))
    }

    /// Names and definition lines of the filters.
    pub fn header_lines(&self) -> Vec<(String, String)> {
        let kinds = self.names.iter();
        kinds
            .filter_map(|(kind, name)| {
                let aim = self.aims.get(kind)?;
                let entries = self.thresholds.kinds.get(kind)?;
                let each: Vec<String> = entries.iter().map(describe).collect();
                let text = format!(
                    "{kind} with {PROBABILITY_KEY} below the threshold of model {} for aim {aim}: {}; measured on {}",
                    self.model,
                    each.join("; "),
                    self.thresholds.measured_on
                );
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                let line = format!("##FILTER=<ID={name},Description=\"{text}\">");
                Some((name.clone(), line))
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

/// Mean depth of the samples: of their FORMAT `DP`, else INFO `DP` shared among them.
pub fn mean_depth(record: &VcfRecord) -> Option<f64> {
    let columns = record.genotype_columns();
    let at = columns
        .first()
        .and_then(|keys| keys.iter().position(|key| key.as_slice() == b"DP"));
    let samples = columns.get(1..).unwrap_or(&[]);
    let depths: Vec<f64> = at.map_or_else(Vec::new, |at| {
        let depth = |fields: &Vec<Vec<u8>>| fields.get(at).and_then(|value| number(value));
        samples.iter().filter_map(depth).collect()
    });
    if depths.is_empty() {
        let total = number(record.info(b"DP")?)?;
        return Some(total / samples.len().max(1) as f64);
    }
    Some(depths.iter().sum::<f64>() / depths.len() as f64)
}

/// `0.62 at depth 0 to 10 in repeats (expected precision 0.9980, recall 0.9950)`.
fn describe(entry: &AimThreshold) -> String {
    let mut text = format!("{}", entry.probability);
    text += &place(entry);
    text += &format!(
        " (expected precision {:.4}, recall {:.4})",
        entry.precision, entry.recall
    );
    text
}

/// Where a threshold applies, ` at depth 0 to 10 in repeats`; empty for everywhere.
pub(super) fn place(entry: &AimThreshold) -> String {
    let mut text = String::new();
    if let Some([low, high]) = entry.depth {
        text += &format!(" at depth {low} to {high}");
    }
    if let Some(stratum) = &entry.stratum {
        text += &format!(" in {stratum}");
    }
    text
}

#[cfg(test)]
mod tests;
