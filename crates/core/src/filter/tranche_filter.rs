//! The filter of one record by the cut-offs of its file, as GATK's FilterVariantTranches has it.

use super::cutoffs::Cutoffs;
use super::decision::{Decision, NotJudged, ThresholdFilter, score_of};
use super::filter_column;
use super::sensitivity::{self, SENSITIVITY_KEY};
use super::summary::FilterSummary;
use super::tranches::tranche_kind;
use crate::genome::{PerKind, VariantKind};
use crate::vcf::{VcfHeader, VcfRecord};

/// Cut-offs of a file, and the thresholds of a model for a kind without them.
#[derive(Debug, Clone)]
pub struct TrancheFilter {
    info_key: String,
    cutoffs: PerKind<Cutoffs>,
    thresholds: Option<ThresholdFilter>,
    /// Earlier filters go.
    invalidate: bool,
    /// Some kind has cut-offs, so that GATK would have filtered: a record without a filter is PASS.
    passes_the_rest: bool,
    /// Where the rows of a kind begin in the summary.
    first_rows: PerKind<usize>,
    /// Where those of the model begin.
    first_threshold: usize,
}

impl TrancheFilter {
    /// `info_key` is the score that made the cut-offs. `thresholds` that no kind needs leave no trace.
    pub fn new(
        info_key: String,
        cutoffs: PerKind<Cutoffs>,
        thresholds: Option<ThresholdFilter>,
        invalidate: bool,
    ) -> Self {
        let snp_rows = cutoffs.snp.rows(&info_key).len();
        let indel_rows = cutoffs.indel.rows(&info_key).len();
        let needs_thresholds = cutoffs.iter().any(|(_, cutoffs)| cutoffs.is_missing());
        Self {
            passes_the_rest: snp_rows + indel_rows > 0,
            first_rows: PerKind {
                snp: 0,
                indel: snp_rows,
            },
            first_threshold: snp_rows + indel_rows,
            thresholds: thresholds.filter(|_| needs_thresholds),
            info_key,
            cutoffs,
            invalidate,
        }
    }

    /// The summary of a run, nothing counted yet.
    pub fn summary(&self) -> FilterSummary {
        let mut summary = FilterSummary {
            mode: "tranches",
            info_key: self.info_key.clone(),
            ..FilterSummary::default()
        };
        for (_, cutoffs) in self.cutoffs.iter() {
            summary.rows.extend(cutoffs.rows(&self.info_key));
        }
        if let Some(thresholds) = &self.thresholds {
            summary.add_thresholds(thresholds);
        }
        summary
    }

    /// Puts the definitions of the filters and of CNN_SENS into a header, and the cut-offs.
    pub fn extend_header(&self, header: &mut VcfHeader) {
        for (kind, cutoffs) in self.cutoffs.iter() {
            for (name, line) in cutoffs.tranches.header_lines(&self.info_key, kind) {
                header.put_filter(&name, line);
            }
        }
        if let Some(thresholds) = &self.thresholds {
            thresholds.extend_header(header);
        }
        header.put_info(SENSITIVITY_KEY, sensitivity::header_line(&self.info_key));
        for (_, cutoffs) in self.cutoffs.iter() {
            let (prefix, line) = cutoffs.header_line(&self.info_key);
            header.put_meta(&prefix, line);
        }
    }

    /// Writes FILTER and CNN_SENS of a record, and counts it.
    pub fn apply(&self, record: &mut VcfRecord, summary: &mut FilterSummary) {
        let score = score_of(record, &self.info_key);
        let kind = record.variant().map_or(VariantKind::Other, |variant| {
            tranche_kind(&variant.reference, &variant.alternates)
        });
        let cutoffs = self.cutoffs.get(kind);
        self.write_sensitivity(record, score.ok(), cutoffs);
        let mut filter = None;
        match (score, cutoffs) {
            (Err(why), _) => summary.count_not_judged(why),
            (Ok(_), None) => summary.count_not_judged(NotJudged::OtherKind),
            (Ok(score), Some(cutoffs)) => {
                let Some(values) = &cutoffs.values else {
                    self.apply_threshold(record, kind, summary);
                    return;
                };
                let band = cutoffs.tranches.band(score, values);
                self.count(cutoffs, band, summary);
                let name = |band| cutoffs.tranches.filter_name(&self.info_key, kind, band);
                filter = band.map(name);
            }
        }
        self.write_filter(record, filter.as_deref());
    }

    fn write_sensitivity(
        &self,
        record: &mut VcfRecord,
        score: Option<f64>,
        cutoffs: Option<&Cutoffs>,
    ) {
        let share = score
            .zip(cutoffs)
            .and_then(|(score, cutoffs)| cutoffs.sensitivity.at(score));
        let text = share.map(|share| format!("{share:.5}"));
        record.set_info(
            SENSITIVITY_KEY.as_bytes(),
            text.as_deref().map(str::as_bytes),
        );
    }

    /// Counts a record under each tranche of its kind.
    fn count(&self, cutoffs: &Cutoffs, band: Option<usize>, summary: &mut FilterSummary) {
        let first = self.first_rows.get(cutoffs.kind).copied().unwrap_or(0);
        for tranche in cutoffs.tranches.bands() {
            if let Some(row) = summary.rows.get_mut(first + tranche - 1) {
                row.passed += u64::from(band.is_none_or(|band| band < tranche));
                row.filtered += u64::from(band == Some(tranche));
            }
        }
    }

    /// Filters a scored SNP or indel while none of its kind stands in the resources.
    fn apply_threshold(
        &self,
        record: &mut VcfRecord,
        kind: VariantKind,
        summary: &mut FilterSummary,
    ) {
        let decision = match &self.thresholds {
            Some(thresholds) => thresholds.decide(record),
            None => Decision::NotJudged(NotJudged::no_threshold(kind)),
        };
        summary.count_decision(decision, self.first_threshold);
        decision.apply(record, self.invalidate);
    }

    /// Writes a filter behind the earlier ones that stay.
    fn write_filter(&self, record: &mut VcfRecord, filter: Option<&str>) {
        let earlier: Vec<Vec<u8>> = if self.invalidate {
            Vec::new()
        } else {
            let names = filter_column::names(record.filter()).into_iter();
            names.map(<[u8]>::to_vec).collect()
        };
        let mut names: Vec<&[u8]> = earlier.iter().map(Vec::as_slice).collect();
        names.extend(filter.map(str::as_bytes));
        if self.passes_the_rest {
            // htsjdk writes filters in order of their names.
            names.sort_unstable();
            record.set_filter(&filter_column::join(&names, "PASS"));
        } else if self.invalidate && filter_column::fails(record.filter()) {
            record.set_filter(b".");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::ScoredCalls;
    use super::super::tranches::Tranches;
    use super::*;
    use crate::score::{Aim, AimThreshold, CardThresholds};

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
    }

    fn snp(position: u64, filter: &str, info: &str) -> VcfRecord {
        record(&format!("1\t{position}\t.\tA\tC\t.\t{filter}\t{info}"))
    }

    /// Five scored SNPs with the scores 9, 8, 7, 6, 5, all known or none, and an unknown indel.
    fn cutoffs(are_known: bool) -> PerKind<Cutoffs> {
        let mut calls = ScoredCalls::default();
        for at in 0..5 {
            let variant = snp(at + 1, ".", ".").variant().unwrap();
            calls.add(&variant, 9.0 - at as f64);
        }
        let indel = record("1\t9\t.\tAT\tA\t.\t.\t.");
        calls.add(&indel.variant().unwrap(), 1.0);
        for at in (0..5).filter(|_| are_known) {
            calls.mark(&snp(at + 1, ".", ".").variant().unwrap());
        }
        // Cut-offs of SNPs: 7 and 6.
        let tranches = Tranches::new(&[50.0, 90.0]).unwrap();
        let tranches = PerKind {
            snp: tranches.clone(),
            indel: tranches,
        };
        Cutoffs::of_calls(tranches, &calls)
    }

    fn thresholds() -> ThresholdFilter {
        let entry = AimThreshold {
            aim: Aim::F1,
            probability: 0.5,
            precision: 0.9,
            recall: 0.8,
        };
        let card = CardThresholds {
            measured_on: "x".into(),
            kinds: PerKind {
                snp: None,
                indel: Some(vec![entry]),
            },
            tested: Vec::new(),
        };
        ThresholdFilter::new(&card, Aim::F1, "m").unwrap()
    }

    fn applied(filter: &TrancheFilter, mut record: VcfRecord) -> String {
        filter.apply(&mut record, &mut filter.summary());
        let info = record.info(SENSITIVITY_KEY.as_bytes()).unwrap_or(b"-");
        format!(
            "{} {}",
            String::from_utf8_lossy(record.filter()),
            String::from_utf8_lossy(info)
        )
    }

    #[test]
    fn a_band_becomes_a_filter_and_the_rest_passes() {
        let filter = TrancheFilter::new("CNN_1D".into(), cutoffs(true), None, false);
        let (upper, lower) = (
            "CNN_1D_SNP_Tranche_50.00_90.00",
            "CNN_1D_SNP_Tranche_90.00_100.00",
        );
        for (before, info, after) in [
            (".", "CNN_1D=7.5", "PASS 0.40000".to_owned()),
            (".", "CNN_1D=7", format!("{upper} 0.60000")),
            ("PASS", "CNN_1D=2", format!("{lower} 1.00000")),
            ("q10", "CNN_1D=9", "q10 0.20000".to_owned()),
            // In order of names.
            ("z;A", "CNN_1D=7", format!("A;{upper};z 0.60000")),
            (".", "DP=1;CNN_SENS=0.3", "PASS -".to_owned()),
            ("q10", "CNN_1D=x", "q10 -".to_owned()),
        ] {
            assert_eq!(applied(&filter, snp(3, before, info)), after, "{info}");
        }
        let mnp = record("1\t5\t.\tAT\tGC\t.\t.\tCNN_1D=1");
        assert_eq!(applied(&filter, mnp), "PASS -");
        let clean = TrancheFilter::new("CNN_1D".into(), cutoffs(true), None, true);
        assert_eq!(applied(&clean, snp(3, "q10", "CNN_1D=9")), "PASS 0.20000");
    }

    #[test]
    fn records_are_counted_under_each_tranche() {
        let filter = TrancheFilter::new("CNN_1D".into(), cutoffs(true), None, false);
        let mut summary = filter.summary();
        for score in ["9", "8", "7", "1", "x"] {
            let mut record = snp(3, ".", &format!("CNN_1D={score}"));
            filter.apply(&mut record, &mut summary);
        }
        let rows: Vec<(u64, u64)> = summary
            .rows
            .iter()
            .map(|row| (row.passed, row.filtered))
            .collect();
        assert_eq!(rows, [(2, 1), (3, 1)]);
        assert_eq!(summary.not_judged.values().sum::<u64>(), 1);
    }

    #[test]
    fn a_kind_without_known_calls_is_left_to_the_model() {
        let indel = |info: &str| record(&format!("1\t9\t.\tAT\tA\t.\tq10\t{info}"));
        let alone = TrancheFilter::new("CNN_1D".into(), cutoffs(true), None, false);
        let low = "CNN_1D=1;CNN_PROB=0.1";
        assert_eq!(applied(&alone, indel(low)), "q10 -");
        let model = Some(thresholds());
        let filter = TrancheFilter::new("CNN_1D".into(), cutoffs(true), model, false);
        assert_eq!(applied(&filter, indel(low)), "q10;CNN_LOW_INDEL_F1 -");
        let mut summary = filter.summary();
        assert_eq!(summary.rows.len(), 3);
        assert_eq!(summary.model.as_deref(), Some("m"));
        filter.apply(&mut indel(low), &mut summary);
        assert_eq!(summary.rows[2].filtered, 1);
    }

    #[test]
    fn without_any_cutoff_nothing_is_marked_pass() {
        let filter =
            |invalidate| TrancheFilter::new("CNN_1D".into(), cutoffs(false), None, invalidate);
        assert_eq!(applied(&filter(false), snp(3, ".", "CNN_1D=9")), ". -");
        assert_eq!(applied(&filter(false), snp(3, "q10", "DP=1")), "q10 -");
        assert_eq!(applied(&filter(true), snp(3, "q10", "DP=1")), ". -");
        assert_eq!(applied(&filter(true), snp(3, "PASS", "DP=1")), "PASS -");
    }

    #[test]
    fn the_header_has_filters_key_and_cutoffs() {
        let lines = [
            "##fileformat=VCFv4.2",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        ];
        let mut header = VcfHeader::parse(lines.map(String::from).to_vec()).unwrap();
        let model = Some(thresholds());
        let filter = TrancheFilter::new("CNN_1D".into(), cutoffs(true), model, false);
        filter.extend_header(&mut header);
        let starts: Vec<&str> = header
            .meta()
            .iter()
            .map(|line| &line[..line.find(',').unwrap_or(line.len())])
            .collect();
        assert_eq!(
            starts,
            [
                "##fileformat=VCFv4.2",
                "##FILTER=<ID=CNN_1D_SNP_Tranche_50.00_90.00",
                "##FILTER=<ID=CNN_1D_SNP_Tranche_90.00_100.00",
                "##FILTER=<ID=CNN_1D_INDEL_Tranche_50.00_90.00",
                "##FILTER=<ID=CNN_1D_INDEL_Tranche_90.00_100.00",
                "##FILTER=<ID=CNN_LOW_INDEL_F1",
                "##INFO=<ID=CNN_SENS",
                "##cnnfilterCutoffs=<ID=SNP",
                "##cnnfilterCutoffs=<ID=INDEL",
            ]
        );
    }
}
