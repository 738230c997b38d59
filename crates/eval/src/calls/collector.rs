//! Calls in, a contig at a time; table and report out.

use std::collections::BTreeMap;

use cnnfilter_core::genome::{IntervalSet, VariantKind, record_kind};
use cnnfilter_core::label::{
    ContigLabels, GivenLabel, LabelCounts, MatchRule, MissedAllele, RecordLabel,
};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_core::vcf::genotype::Genotype;
use cnnfilter_core::vcf::record::parse_float;
use rayon::prelude::*;

use super::record_classes::{call_classes, missed_classes};
use super::side_by_side::SideBySide;
use super::worst_calls::WorstCalls;
use crate::at_filter::at_filter;
use crate::classes::{Classes, FilterState, Kind};
use crate::genotypes::{GenotypeRows, GenotypeTally};
use crate::no_truth::by_score_bin;
use crate::report::{FilterRows, NoTruthRows, Report};
use crate::strata::Stratum;
use crate::table::TableError;
use crate::{EvalConfig, EvalError, JudgedTable, MissedTruth, Record, evaluate};

/// Ti/Tv and het/hom are given for this many bins of a score.
const SCORE_BINS: usize = 10;

/// Collects the calls of a run for its report.
#[derive(Debug)]
pub struct CallCollector {
    table: JudgedTable,
    /// Labels given, by kind; records that are neither SNP nor indel among them.
    labels: BTreeMap<VariantKind, LabelCounts>,
    /// A record has anything but `.` in FILTER.
    is_filtered: bool,
    strata: Vec<IntervalSet>,
    /// Contig names by their number in the table.
    contigs: Vec<String>,
    worst: WorstCalls,
    /// By kind and stratum: all first, then the BEDs.
    genotypes: BTreeMap<(Kind, usize), GenotypeTally>,
    /// FORMAT key of the quality of genotypes.
    genotype_quality: String,
}

/// Settings of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSettings {
    /// Title of the page.
    pub title: String,
    /// Inputs and settings by name, in the order to print.
    pub provenance: Vec<(String, String)>,
    /// When a call counts as true; `None` where nothing is labelled, and then nothing is resampled.
    pub match_rule: Option<MatchRule>,
    /// The score that the others are compared with; `None` for QUAL or else the first.
    pub baseline: Option<String>,
    /// Scores that are probabilities, beside those with `PROB` in their name.
    pub probabilities: Vec<String>,
    /// Bootstrap resamples; 0 for no intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

/// A record, ready for the table.
struct Row {
    classes: Classes,
    strata: u32,
    scores: Vec<f32>,
}

impl CallCollector {
    /// Starts without calls. `worst` is the number of worst records listed a score, kind and sort.
    ///
    /// # Errors
    /// More strata than the table can hold.
    pub fn new(
        scores: Vec<String>,
        strata: Vec<(String, IntervalSet)>,
        worst: usize,
    ) -> Result<Self, TableError> {
        let (names, strata): (Vec<_>, Vec<_>) = strata.into_iter().unzip();
        Ok(Self {
            table: JudgedTable::new(scores, names)?,
            labels: BTreeMap::new(),
            is_filtered: false,
            strata,
            contigs: Vec::new(),
            worst: WorstCalls::new(worst),
            genotypes: BTreeMap::new(),
            genotype_quality: "GQ".to_owned(),
        })
    }

    /// Takes the quality of genotypes from another FORMAT key than GQ.
    pub fn with_genotype_quality(mut self, key: &str) -> Self {
        key.clone_into(&mut self.genotype_quality);
        self
    }

    /// Leaves figures undefined that need the truth variants that no call gives.
    pub fn forget_missed(&mut self) {
        self.table.forget_missed();
    }

    /// Adds the calls of one contig with their labels, and the truth alleles missed there. `bases`
    /// is the whole contig, empty where there is no reference.
    ///
    /// # Errors
    /// A table that is full.
    pub fn add(
        &mut self,
        contig: &str,
        calls: &SideBySide<'_>,
        labels: &ContigLabels,
        bases: &[u8],
    ) -> Result<(), TableError> {
        let records = calls.first.records;
        let rows: Vec<Option<Row>> = records
            .par_iter()
            .zip(&labels.labels)
            .enumerate()
            .map(|(at, (record, label))| {
                let mut row = self.row(contig, record, (*label)?, calls.first.sample)?;
                row.scores = calls.scores(at);
                if let Some(kind) = labels.kinds[at].and_then(Kind::from_variant) {
                    row.classes.kind = kind;
                }
                Some(row)
            })
            .collect();
        let number = self.contigs.len() as u32;
        self.contigs.push(contig.to_owned());
        let first = self.table.len();
        let mut sources = Vec::new();
        let labelled = records.iter().zip(&labels.labels).zip(rows);
        for (at, ((record, label), row)) in labelled.enumerate() {
            let Some(label) = label else {
                continue;
            };
            let kind = row
                .as_ref()
                .map_or(VariantKind::Other, |row| row.classes.kind.into());
            self.labels.entry(kind).or_default().add(*label);
            let Some(row) = row else {
                continue;
            };
            self.is_filtered |= row.classes.filter != FilterState::Unfiltered;
            self.table.push(Record {
                classes: row.classes,
                strata: row.strata,
                contig: number,
                pos: u32::try_from(record.position().saturating_sub(1)).unwrap_or(u32::MAX),
                scores: &row.scores,
            })?;
            // Labels need not come with states of the ALTs.
            let states = labels.alternates.get(at).map_or(&[][..], Vec::as_slice);
            sources.push((record, GivenLabel::of_alternates(states)));
        }
        for (record, copies) in records.iter().zip(&labels.copies) {
            self.add_genotypes(contig, record, copies, calls.first.sample);
        }
        let range = first..self.table.len();
        self.worst
            .update(&self.table, range, &sources, calls.first.sample, bases);
        self.add_missed(contig, &labels.missed)
    }

    /// Adds truth alleles that no call gives.
    ///
    /// # Errors
    /// A stratum that the table does not have; there is none.
    pub fn add_missed(&mut self, contig: &str, missed: &[MissedAllele]) -> Result<(), TableError> {
        for MissedAllele { site, alternate } in missed {
            let Some(classes) = missed_classes(site, *alternate) else {
                continue;
            };
            let end = site.start + site.reference.len() as u64;
            let strata = self.strata_bits(contig, site.start, end);
            self.table.push_missed(MissedTruth { classes, strata })?;
            let is_it = |allele: &&Option<u16>| **allele == u16::try_from(alternate + 1).ok();
            let copies = site.genotype.iter().filter(is_it).count();
            self.tally(classes.kind, strata, |tally| tally.add(copies, 0, None));
        }
        Ok(())
    }

    /// Adds the genotype of a record whose ALTs have so many `copies` in the truth, where that is known.
    fn add_genotypes(
        &mut self,
        contig: &str,
        record: &VcfRecord,
        copies: &[Option<u8>],
        sample: usize,
    ) {
        let (Some(variant), Some(value)) = (record.variant(), record.sample_value(sample, b"GT"))
        else {
            return;
        };
        let genotype = Genotype::parse(value);
        if genotype.numbers().any(|number| number.is_none()) {
            return;
        }
        let quality = record.sample_value(sample, self.genotype_quality.as_bytes());
        let quality = quality.and_then(parse_float);
        let is_called = matches!(record.filter(), b"." | b"PASS");
        let end = variant.start + variant.reference.len() as u64;
        let strata = self.strata_bits(contig, variant.start, end);
        for ((at, alternate), copies) in variant.alternates.iter().enumerate().zip(copies) {
            let kind = record_kind(&variant.reference, std::slice::from_ref(alternate));
            let (Some(kind), Some(copies)) = (Kind::from_variant(kind), copies) else {
                continue;
            };
            let called = genotype.numbers().filter(|number| *number == Some(at + 1));
            let called = if is_called { called.count() } else { 0 };
            self.tally(kind, strata, |tally| {
                tally.add(usize::from(*copies), called, quality)
            });
        }
    }

    /// Lets `add` count in all strata of an ALT.
    fn tally(&mut self, kind: Kind, strata: u32, add: impl Fn(&mut GenotypeTally)) {
        let beds = (0..self.strata.len()).filter(|bit| strata & 1 << bit != 0);
        for stratum in std::iter::once(0).chain(beds.map(|bit| bit + 1)) {
            add(self.genotypes.entry((kind, stratum)).or_default());
        }
    }

    /// Figures of the genotypes; none where nothing is called with one.
    fn genotype_rows(&self) -> Vec<GenotypeRows> {
        let name = |stratum: usize| match stratum.checked_sub(1) {
            None => "all",
            Some(bit) => self
                .table
                .strata_names()
                .get(bit)
                .map_or("", String::as_str),
        };
        let rows = self.genotypes.iter();
        let rows: Vec<GenotypeRows> = rows
            .filter_map(|((kind, stratum), tally)| tally.rows(*kind, name(*stratum)))
            .collect();
        let is_called = |rows: &GenotypeRows| rows.precision.value.is_ok();
        if rows.iter().any(is_called) {
            rows
        } else {
            Vec::new()
        }
    }

    /// Computes all figures.
    ///
    /// # Errors
    /// A baseline or a probability that is not a score.
    pub fn report(&self, settings: ReportSettings) -> Result<Report, EvalError> {
        let names = self.table.score_names();
        let config = EvalConfig {
            match_rule: settings
                .match_rule
                .map_or("none", MatchRule::name)
                .to_owned(),
            baseline: settings.baseline.or_else(|| usual_baseline(names)),
            probabilities: probabilities(names, settings.probabilities),
            resamples: settings.match_rule.map_or(0, |_| settings.resamples),
            seed: settings.seed,
            ..EvalConfig::default()
        };
        let evaluation = evaluate(&self.table, &config)?;
        Ok(Report {
            title: settings.title,
            provenance: settings.provenance,
            evaluation,
            at_filter: self.filter_rows(config.difficult),
            genotypes: self.genotype_rows(),
            no_truth: self.no_truth_rows(),
            worst: self.worst.records(&self.table, &self.contigs),
        })
    }

    /// Labels given, for the provenance: `records, SNP` and their counts, by name of the kind.
    pub fn label_lines(&self) -> Vec<(String, String)> {
        [VariantKind::Indel, VariantKind::Snp, VariantKind::Other]
            .into_iter()
            .filter_map(|kind| {
                let counts = self.labels.get(&kind)?;
                Some((format!("records, {}", kind.name()), counts.to_string()))
            })
            .collect()
    }

    /// How many records have a label.
    pub fn judged(&self) -> u64 {
        let counts = self.labels.values();
        counts
            .map(|counts| counts.true_records + counts.false_records)
            .sum()
    }

    /// Why records have no label, with their numbers: `3 genotype missing, 1 ALT is `*``. `None`
    /// where all have one.
    pub fn unjudged(&self) -> Option<String> {
        let mut sums = BTreeMap::new();
        for (reason, count) in self.labels.values().flat_map(|counts| &counts.unjudged) {
            *sums.entry(*reason).or_insert(0) += count;
        }
        let parts: Vec<String> = sums
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn filter_rows(&self, difficult: u32) -> Vec<FilterRows> {
        if !self.is_filtered {
            return Vec::new();
        }
        Kind::ALL
            .into_iter()
            .flat_map(|kind| {
                let strata = Stratum::enumerate(&self.table, kind, difficult);
                strata.into_iter().map(move |stratum| (kind, stratum))
            })
            .map(|(kind, stratum)| FilterRows {
                kind,
                stratum: stratum.name(&self.table),
                rows: at_filter(&self.table, kind, stratum).to_vec(),
            })
            .collect()
    }

    fn no_truth_rows(&self) -> Vec<NoTruthRows> {
        let mut rows = Vec::new();
        for kind in Kind::ALL {
            for (score, name) in self.table.score_names().iter().enumerate() {
                rows.push(NoTruthRows {
                    kind,
                    score: name.clone(),
                    bins: by_score_bin(&self.table, kind, score, SCORE_BINS),
                });
            }
        }
        rows
    }

    /// A row without its scores; `None` where the record is neither SNP nor indel.
    fn row(
        &self,
        contig: &str,
        record: &VcfRecord,
        label: RecordLabel,
        sample: usize,
    ) -> Option<Row> {
        let variant = record.variant()?;
        let end = variant.start + variant.reference.len() as u64;
        Some(Row {
            classes: call_classes(record, &variant, label, sample)?,
            strata: self.strata_bits(contig, variant.start, end),
            scores: Vec::new(),
        })
    }

    /// Bit i is set where REF overlaps stratum i.
    fn strata_bits(&self, contig: &str, start: u64, end: u64) -> u32 {
        self.strata
            .iter()
            .enumerate()
            .filter(|(_, set)| set.overlaps(contig, start, end))
            .fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

/// QUAL, where it is among the scores, else the first.
fn usual_baseline(names: &[String]) -> Option<String> {
    let quality = names.iter().find(|name| *name == "QUAL");
    quality.or(names.first()).cloned()
}

/// The scores that are probabilities by their name, and those that are named.
fn probabilities(names: &[String], named: Vec<String>) -> Vec<String> {
    let by_name = names.iter().filter(|name| name.contains("PROB")).cloned();
    let mut all: Vec<String> = by_name.chain(named).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::{header, record};
    use super::super::{FileRecords, ScoreColumn, score_columns};
    use super::*;
    use cnnfilter_core::genome::Interval;
    use cnnfilter_core::label::{Reason, Site};

    fn quality() -> Vec<ScoreColumn> {
        score_columns(&["QUAL".into()], &header(&["a"], &[]), "", &[])
    }

    fn labels(labels: &[Option<RecordLabel>]) -> ContigLabels {
        ContigLabels {
            labels: labels.to_vec(),
            kinds: vec![None; labels.len()],
            ..ContigLabels::default()
        }
    }

    /// A collector with one stratum, `1:11-30` (1-based), after five calls.
    fn collector() -> CallCollector {
        let interval = Interval { start: 10, end: 30 };
        let stratum = IntervalSet::new([("1".to_owned(), interval)]);
        let mut collector =
            CallCollector::new(vec!["QUAL".into()], vec![("inner".into(), stratum)], 1).unwrap();
        let records = [
            record("1 5 . A C 90 . . GT 0/1"),
            record("1 12 . A C 80 PASS . GT 0/1"),
            record("1 20 . A AT 70 . . GT 0/1"),
            record("1 22 . A C 60 . . GT 0/1"),
            record("1 25 . A <DEL> 50 . . GT 0/1"),
        ];
        let mut labels = labels(&[
            Some(RecordLabel::False),
            Some(RecordLabel::True),
            Some(RecordLabel::True),
            None,
            Some(RecordLabel::Unjudged(Reason::Symbolic)),
        ]);
        // The maker of the labels has another opinion of the third call.
        labels.kinds[2] = Some(VariantKind::Snp);
        labels.missed.push(MissedAllele {
            site: Site {
                start: 15,
                reference: b"A".to_vec(),
                alternates: vec![b"C".to_vec()],
                genotype: vec![Some(1), Some(1)],
            },
            alternate: 0,
        });
        let columns = quality();
        let first = FileRecords {
            records: &records,
            columns: &columns,
            sample: 0,
        };
        let calls = SideBySide::join(first, &[]);
        collector.add("1", &calls, &labels, b"").unwrap();
        collector
    }

    fn settings() -> ReportSettings {
        ReportSettings {
            title: "calls.vcf".into(),
            provenance: Vec::new(),
            match_rule: Some(MatchRule::Allele),
            baseline: None,
            probabilities: Vec::new(),
            resamples: 0,
            seed: 1,
        }
    }

    #[test]
    fn calls_enter_the_table_with_their_strata() {
        let collector = collector();
        let table = &collector.table;
        assert_eq!(table.len(), 3);
        assert_eq!(table.column(0), [90.0, 80.0, 70.0]);
        assert_eq!([0, 1, 2].map(|at| table.stratum_bits(at)), [0, 1, 1]);
        assert_eq!(table.classes(2).kind(), Kind::Snp);
        assert_eq!(table.site(1), (0, 11));
        assert!(collector.is_filtered);
    }

    #[test]
    fn every_labelled_record_is_counted() {
        assert_eq!(
            collector().label_lines(),
            [
                ("records, SNP", "2 true, 1 false"),
                (
                    "records, other",
                    "0 true, 0 false, 1 not judged (symbolic ALT or breakend)"
                ),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(collector().judged(), 3);
        assert_eq!(
            collector().unjudged().as_deref(),
            Some("1 symbolic ALT or breakend")
        );
        let nothing = CallCollector::new(Vec::new(), Vec::new(), 0).unwrap();
        assert_eq!((nothing.judged(), nothing.unjudged()), (0, None));
    }

    #[test]
    fn the_report_holds_figures_filter_and_worst_records() {
        let report = collector().report(settings()).unwrap();
        let cell = &report.evaluation.cells[0];
        assert_eq!((cell.n_true, cell.n_false, cell.n_missed), (2, 1, Some(1)));
        assert_eq!(report.evaluation.baseline.as_deref(), Some("QUAL"));
        assert!(!report.at_filter.is_empty());
        assert_eq!(report.no_truth.len(), 2);
        let worst: Vec<(u64, &str)> = report
            .worst
            .iter()
            .map(|record| (record.pos, record.sort.name()))
            .collect();
        assert_eq!(worst, [(5, "false positive"), (20, "false negative")]);
        assert_eq!(report.worst[1].strata, ["inner"]);
    }

    #[test]
    fn without_labels_nothing_is_resampled() {
        let unlabelled = ReportSettings {
            match_rule: None,
            resamples: 50,
            ..settings()
        };
        let report = collector().report(unlabelled).unwrap();
        assert_eq!(report.evaluation.resamples, 0);
        assert_eq!(report.evaluation.match_rule, "none");
    }

    #[test]
    fn baseline_and_probabilities_have_defaults() {
        let names = ["CNN_PROB", "QUAL", "X"].map(String::from);
        assert_eq!(usual_baseline(&names).as_deref(), Some("QUAL"));
        assert_eq!(usual_baseline(&names[2..]).as_deref(), Some("X"));
        assert_eq!(
            probabilities(&names, vec!["X".into(), "CNN_PROB".into()]),
            ["CNN_PROB", "X"]
        );
        let unknown = ReportSettings {
            baseline: Some("Z".into()),
            ..settings()
        };
        assert!(collector().report(unknown).is_err());
    }
}
