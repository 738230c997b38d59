//! The cut-offs of SNPs and of indels, from a file's scores at known sites.

use super::resources::ScoredCalls;
use super::sensitivity::Sensitivity;
use super::summary::SummaryRow;
use super::tranches::Tranches;
use crate::genome::{PerKind, VariantKind};
use crate::score::keys::SCORE_KEYS;
use crate::vcf::VcfHeader;

/// With fewer known calls than this a cut-off rests on chance.
const FEW: usize = 50;

/// The way to go for SNPs or indels of which no call stands in the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNoResource {
    /// They stay as they are.
    Unfiltered,
    /// The model's threshold decides.
    Model,
    /// The run fails.
    Fail,
}

/// A kind has scored calls, none of them known, and the run was to fail then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}s are present, but none of them stands in the resources, so that they cannot be filtered; give other resources, or another --on-no-resource"
)]
pub struct NoKnownCalls(pub VariantKind);

/// A header that does not define the key of the score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "its header does not define INFO/{key}; expected the key of a score (of type Float there are: {floats}), see --info-key"
)]
pub struct UndefinedKey {
    /// The key.
    pub key: String,
    /// The keys of one number that are defined, separated by commas, or `none`.
    pub floats: String,
}

/// The key of the score that makes the tranches: the one given, else the first of [`SCORE_KEYS`] that
/// the header defines.
///
/// # Errors
/// The header does not define it.
pub fn score_key(header: &VcfHeader, given: Option<&str>) -> Result<String, UndefinedKey> {
    let defined = || SCORE_KEYS.into_iter().find(|key| header.defines_info(key));
    let key = given.or_else(defined).unwrap_or(SCORE_KEYS[0]);
    if header.defines_info(key) {
        return Ok(key.to_owned());
    }
    let floats: Vec<&str> = header.info_keys_of_type("Float").collect();
    Err(UndefinedKey {
        key: key.to_owned(),
        floats: if floats.is_empty() {
            "none".to_owned()
        } else {
            floats.join(", ")
        },
    })
}

/// The cut-offs of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoffs {
    pub(super) kind: VariantKind,
    pub(super) tranches: Tranches,
    /// Scored calls.
    pub(super) scored: u64,
    pub(super) sensitivity: Sensitivity,
    /// One a tranche; nothing without known calls.
    pub(super) values: Option<Vec<f64>>,
}

impl Cutoffs {
    /// The cut-offs of both kinds, from calls whose known ones are marked.
    pub fn of_calls(tranches: PerKind<Tranches>, calls: &ScoredCalls) -> PerKind<Self> {
        tranches.map(|kind, tranches| {
            let sensitivity = Sensitivity::new(calls.known_scores(kind == VariantKind::Snp));
            Self {
                kind,
                scored: calls.scored(kind),
                values: tranches.cutoffs(sensitivity.descending()),
                tranches,
                sensitivity,
            }
        })
    }

    /// True where the kind has scored calls and none of them is known: GATK stops there.
    pub fn is_missing(&self) -> bool {
        self.scored > 0 && self.values.is_none()
    }

    /// A warning about the kind, where one is due. `has_thresholds` says that a model's threshold
    /// decides where there are no known calls.
    ///
    /// # Errors
    /// There are no known calls, and the run is to fail then.
    pub fn warning(
        &self,
        way: Option<OnNoResource>,
        has_thresholds: bool,
    ) -> Result<Option<String>, NoKnownCalls> {
        let (kind, scored) = (self.kind, self.scored);
        let known = self.sensitivity.descending().len();
        if scored == 0 {
            return Ok(Some(format!("no {kind} has a score: none is filtered")));
        }
        if !self.is_missing() {
            return Ok((known < FEW).then(|| {
                format!(
                    "{kind}: the cut-offs rest on {known} calls at known sites only; a model's thresholds would not"
                )
            }));
        }
        if way == Some(OnNoResource::Fail) {
            return Err(NoKnownCalls(kind));
        }
        let becomes = if has_thresholds {
            "the model's threshold decides"
        } else {
            "they stay unfiltered, as they are"
        };
        Ok(Some(format!(
            "{kind}: none of {scored} scored calls stands in the resources: {becomes}"
        )))
    }

    /// The rows of the summary, one a band.
    pub(super) fn rows(&self, info_key: &str) -> Vec<SummaryRow> {
        let Some(cutoffs) = &self.values else {
            return Vec::new();
        };
        let values = self.tranches.values().iter().zip(cutoffs);
        values
            .zip(self.tranches.bands())
            .map(|((percent, cutoff), band)| SummaryRow {
                kind: self.kind.name(),
                filter: self.tranches.filter_name(info_key, self.kind, band),
                rule: format!("tranche {percent}"),
                threshold: *cutoff,
                passed: 0,
                filtered: 0,
                expected_precision: None,
                expected_recall: Some(percent / 100.0),
                known_calls: Some(self.sensitivity.descending().len() as u64),
                tested: Vec::new(),
            })
            .collect()
    }

    /// The beginning of the header line of the cut-offs, and the line.
    pub(super) fn header_line(&self, info_key: &str) -> (String, String) {
        let prefix = format!("##cnnfilterCutoffs=<ID={},", self.kind);
        let list = |values: &[f64]| {
            let texts: Vec<String> = values.iter().map(f64::to_string).collect();
            texts.join(",")
        };
        let line = format!(
            "{prefix}Key={info_key},Tranches=\"{}\",Cutoffs=\"{}\",ScoredCalls={},KnownCalls={}>",
            list(self.tranches.values()),
            list(self.values.as_deref().unwrap_or(&[])),
            self.scored,
            self.sensitivity.descending().len()
        );
        (prefix, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Variant;

    fn variant(start: u64, reference: &str, alternate: &str) -> Variant {
        Variant {
            contig: "1".into(),
            start,
            end: start + reference.len() as u64,
            reference: reference.into(),
            alternates: vec![alternate.into()],
        }
    }

    /// Scored SNPs with the scores 1, 2, …, of which the last `known` are known, and one indel.
    fn cutoffs(snps: u64, known: u64) -> PerKind<Cutoffs> {
        let mut calls = ScoredCalls::default();
        for at in 0..snps {
            calls.add(&variant(at, "A", "C"), at as f64 + 1.0);
        }
        calls.add(&variant(snps, "AT", "A"), 1.0);
        for at in snps - known..snps {
            calls.mark(&variant(at, "A", "C"));
        }
        let tranches = Tranches::new(&[50.0]).unwrap();
        Cutoffs::of_calls(
            PerKind {
                snp: tranches.clone(),
                indel: tranches,
            },
            &calls,
        )
    }

    #[test]
    fn a_kind_with_known_calls_has_cutoffs() {
        let found = cutoffs(100, 51);
        assert_eq!((found.snp.scored, found.indel.scored), (100, 1));
        // Index trunc(.5 · 50) of the scores 100, 99, … 50.
        assert_eq!(found.snp.values, Some(vec![75.0]));
        assert!(!found.snp.is_missing() && found.indel.is_missing());
        let (prefix, line) = found.snp.header_line("CNN_1D");
        assert_eq!(prefix, "##cnnfilterCutoffs=<ID=SNP,");
        assert_eq!(
            line,
            "##cnnfilterCutoffs=<ID=SNP,Key=CNN_1D,Tranches=\"50\",Cutoffs=\"75\",ScoredCalls=100,KnownCalls=51>"
        );
        let rows = found.snp.rows("CNN_1D");
        assert_eq!((rows.len(), rows[0].threshold), (1, 75.0));
        assert_eq!(rows[0].filter, "CNN_1D_SNP_Tranche_50.00_100.00");
        assert!(found.indel.rows("CNN_1D").is_empty());
    }

    #[test]
    fn unusual_kinds_are_told() {
        let warning = |cutoffs: &Cutoffs, way, has_thresholds| {
            let warning = cutoffs.warning(way, has_thresholds);
            warning.map(Option::unwrap_or_default)
        };
        let found = cutoffs(100, 51);
        assert_eq!(warning(&found.snp, None, false), Ok(String::new()));
        for (has_thresholds, text) in [(true, "the model's threshold"), (false, "unfiltered")] {
            let told = warning(&found.indel, None, has_thresholds).unwrap();
            assert!(told.starts_with("INDEL: none of 1 scored calls"), "{told}");
            assert!(told.contains(text), "{told}");
        }
        let failed = warning(&found.indel, Some(OnNoResource::Fail), false);
        assert_eq!(failed, Err(NoKnownCalls(VariantKind::Indel)));
        let few = warning(&cutoffs(100, 49).snp, None, true).unwrap();
        assert!(few.contains("rest on 49 calls"), "{few}");
        let none = warning(&cutoffs(0, 0).snp, Some(OnNoResource::Fail), true);
        assert_eq!(none, Ok("no SNP has a score: none is filtered".to_owned()));
    }

    #[test]
    fn the_key_of_the_score_is_one_that_the_header_defines() {
        let header = |keys: &[&str]| {
            let mut lines = vec!["##fileformat=VCFv4.2".to_owned()];
            lines.extend(
                keys.iter()
                    .map(|key| format!("##INFO=<ID={key},Number=1,Type=Float,Description=\"x\">")),
            );
            lines.push("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO".to_owned());
            VcfHeader::parse(lines).unwrap()
        };
        let key = |keys: &[&str], given| score_key(&header(keys), given);
        assert_eq!(key(&["CNN_1D", "CNN_2D"], None).unwrap(), "CNN_2D");
        assert_eq!(key(&["CNN_1D"], None).unwrap(), "CNN_1D");
        assert_eq!(key(&["CNN_1D", "QD"], Some("QD")).unwrap(), "QD");
        for (keys, given, missing, floats) in [
            (&["QD", "FS"][..], None, "CNN_2D", "QD, FS"),
            (&[][..], Some("QD"), "QD", "none"),
        ] {
            let error = key(keys, given).unwrap_err();
            assert_eq!((&*error.key, &*error.floats), (missing, floats));
        }
    }
}
