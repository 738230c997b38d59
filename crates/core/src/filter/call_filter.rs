//! The filter of a call by a model's thresholds: record, ALTs and genotypes.

use super::alleles::{AlleleFields, trim};
use super::decision::{Decision, ThresholdFilter};
use super::genotypes::{FILTER_KEY, FILTER_LINE, write_filters};
use super::summary::FilterSummary;
use crate::score::Calibration;
use crate::score::keys::{PROBABILITY_KEY, SAMPLE_KEY};
use crate::vcf::{VcfHeader, VcfRecord};

/// The thresholds of a model, and the parts of a call that they filter.
#[derive(Debug, Clone)]
pub struct CallFilter {
    thresholds: ThresholdFilter,
    calibration: Calibration,
    fields: AlleleFields,
    has_sample_scores: bool,
    /// ALTs that fail beside one that passes are taken out.
    trims: bool,
    /// Earlier filters go.
    invalidate: bool,
}

impl CallFilter {
    /// Looks up in the header of the calls which keys they have. `calibration` turns the log odds of
    /// ALTs and samples into probabilities.
    pub fn new(thresholds: ThresholdFilter, calibration: Calibration, header: &VcfHeader) -> Self {
        Self {
            thresholds,
            calibration,
            fields: AlleleFields::of_header(header),
            has_sample_scores: header.defines_format(SAMPLE_KEY),
            trims: false,
            invalidate: false,
        }
    }

    /// Takes out ALTs that fail beside one that passes.
    pub fn trimming(self, trims: bool) -> Self {
        Self { trims, ..self }
    }

    /// Takes out earlier filters.
    pub fn invalidating(self, invalidate: bool) -> Self {
        Self { invalidate, ..self }
    }

    /// Puts the definitions of the filters into a header, and of FT where genotypes are filtered.
    pub fn extend_header(&self, header: &mut VcfHeader) {
        self.thresholds.extend_header(header);
        if self.has_sample_scores {
            header.put_format(FILTER_KEY, FILTER_LINE.to_owned());
        }
    }

    /// The summary of a run, nothing counted yet.
    pub fn summary(&self) -> FilterSummary {
        let mut summary = FilterSummary {
            mode: "thresholds",
            info_key: PROBABILITY_KEY.to_owned(),
            ..FilterSummary::default()
        };
        summary.add_thresholds(&self.thresholds);
        summary
    }

    /// Writes FILTER of a record, takes out its failed ALTs and writes FT of its genotypes; counts all
    /// of it. Returns which samples fail; nothing for a record without sample scores.
    pub fn apply(&self, record: &mut VcfRecord, summary: &mut FilterSummary) -> Vec<bool> {
        let decision = self.thresholds.decide(record);
        summary.count_decision(decision, 0);
        let failing = match decision {
            Decision::NotJudged(_) => Vec::new(),
            Decision::Judged { filter, .. } => {
                if self.trims && filter.is_none() {
                    self.trim(record, summary);
                }
                self.filter_genotypes(record, summary)
            }
        };
        decision.apply(record, self.invalidate);
        failing
    }

    fn trim(&self, record: &mut VcfRecord, summary: &mut FilterSummary) {
        let failing = self
            .thresholds
            .failing_alternates(record, &self.calibration);
        if failing.is_empty() {
            return;
        }
        match trim(record, &failing, &self.fields) {
            Ok(()) => summary.trimmed_alternates += failing.len() as u64,
            Err(why) => *summary.not_trimmed.entry(why.to_string()).or_default() += 1,
        }
    }

    fn filter_genotypes(&self, record: &mut VcfRecord, summary: &mut FilterSummary) -> Vec<bool> {
        if !self.has_sample_scores {
            return Vec::new();
        }
        let judged = self.thresholds.judge_samples(record, &self.calibration);
        let Some((verdicts, name)) = judged else {
            return Vec::new();
        };
        let failing = write_filters(record, &verdicts, name);
        summary.failed_genotypes += failing.iter().filter(|fails| **fails).count() as u64;
        failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::PerKind;
    use crate::score::{Aim, AimThreshold, CardThresholds};

    /// SNPs pass at .5, indels are not judged.
    fn filter(has_sample_scores: bool) -> CallFilter {
        let entry = AimThreshold {
            aim: Aim::F1,
            probability: 0.5,
            precision: 0.9,
            recall: 0.8,
        };
        let card = CardThresholds {
            measured_on: "x".into(),
            kinds: PerKind {
                snp: Some(vec![entry]),
                indel: None,
            },
            tested: Vec::new(),
        };
        let thresholds = ThresholdFilter::new(&card, Aim::F1, "m").unwrap();
        CallFilter::new(
            thresholds,
            Calibration::default(),
            &header(has_sample_scores),
        )
    }

    fn header(has_sample_scores: bool) -> VcfHeader {
        let mut lines = vec!["##fileformat=VCFv4.2".to_owned()];
        if has_sample_scores {
            let line = "##FORMAT=<ID=CNN,Number=1,Type=Float,Description=\"x\">";
            lines.push(line.to_owned());
        }
        let line = "##INFO=<ID=CNN_AS,Number=A,Type=Float,Description=\"x\">";
        lines.push(line.to_owned());
        lines.push("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb".to_owned());
        VcfHeader::parse(lines).unwrap()
    }

    fn applied(filter: &CallFilter, line: &str) -> (String, Vec<bool>, FilterSummary) {
        let line = line.replace(' ', "\t");
        let mut record = VcfRecord::parse(line.into_bytes(), 11).unwrap();
        let mut summary = filter.summary();
        let failing = filter.apply(&mut record, &mut summary);
        let mut out = Vec::new();
        record.write_to(&mut out);
        let text = String::from_utf8(out)
            .unwrap()
            .trim_end()
            .replace('\t', " ");
        (text, failing, summary)
    }

    #[test]
    fn a_failed_alt_goes_from_a_record_that_passes() {
        let filter = filter(false).trimming(true);
        let passes = "1 5 . A C,G . . CNN_PROB=0.9;CNN_AS=2,-2 GT 0/1 0/2";
        let (text, failing, summary) = applied(&filter, passes);
        assert_eq!(text, "1 5 . A C . PASS CNN_PROB=0.9;CNN_AS=2 GT 0/1 0/.");
        assert!(failing.is_empty());
        assert_eq!((summary.trimmed_alternates, summary.rows[0].passed), (1, 1));
        let fails = "1 5 . A C,G . . CNN_PROB=0.1;CNN_AS=2,-2 GT 0/1 0/2";
        let (text, _, summary) = applied(&filter, fails);
        assert!(text.starts_with("1 5 . A C,G . CNN_LOW_SNP_F1 "), "{text}");
        assert_eq!(
            (summary.trimmed_alternates, summary.rows[0].filtered),
            (0, 1)
        );
        let local = "1 5 . A C,G . . CNN_PROB=0.9;CNN_AS=2,-2 GT:LAA 0/1:1 0/1:2";
        let (text, _, summary) = applied(&filter, local);
        assert!(text.starts_with("1 5 . A C,G . PASS "), "{text}");
        assert_eq!(summary.not_trimmed.values().sum::<u64>(), 1);
        let (text, ..) = applied(&super::tests::filter(false), passes);
        assert!(text.starts_with("1 5 . A C,G . PASS "), "{text}");
    }

    #[test]
    fn genotypes_are_filtered_where_the_record_is_judged() {
        let filter = filter(true);
        let judged = "1 5 . A C . . CNN_PROB=0.9 GT:CNN 0/1:2 0/1:-2";
        let (text, failing, summary) = applied(&filter, judged);
        assert_eq!(
            text,
            "1 5 . A C . PASS CNN_PROB=0.9 GT:CNN:FT 0/1:2:PASS 0/1:-2:CNN_LOW_SNP_F1"
        );
        assert_eq!((failing, summary.failed_genotypes), (vec![false, true], 1));
        let indel = "1 5 . A AT . q10 CNN_PROB=0.9 GT:CNN 0/1:2 0/1:-2";
        let (text, failing, summary) = applied(&filter, indel);
        assert_eq!(text, indel);
        assert_eq!((failing.len(), summary.not_judged.len()), (0, 1));
        let (text, ..) = applied(&filter.clone().invalidating(true), indel);
        assert_eq!(text, indel.replace("q10", "."));
        let mut header = header(true);
        filter.extend_header(&mut header);
        assert!(header.defines_format("FT"));
    }
}
