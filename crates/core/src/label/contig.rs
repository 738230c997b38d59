//! Labels of the records of one contig, whatever they come from.

use std::collections::BTreeSet;

use super::duplicates;
use super::labelled::{GivenLabel, LabelLineError, happy_label, vcfeval_label};
use super::matching::{ContigJudgement, MatchOptions, TruthCounts, judge};
use super::site::Site;
use super::state::{AltState, GenotypeState, MatchRule, Reason, RecordLabel, record_label};
use super::table::LabelTable;
use super::truth_records::TruthRecords;
use crate::genome::{IntervalSet, VariantKind};
use crate::vcf::{VcfHeader, VcfRecord};

/// Records of one contig, and the sample whose genotypes count.
#[derive(Debug, Clone, Copy)]
pub struct SampleRecords<'a> {
    /// The records, in any order.
    pub records: &'a [VcfRecord],
    /// Index of the sample.
    pub sample: usize,
}

/// The truth of one contig.
#[derive(Debug, Clone, Copy)]
pub struct ContigTruth<'a> {
    /// Its records, those that do not count among them.
    pub records: SampleRecords<'a>,
    /// Where it is complete; `None` for everywhere.
    pub confident: Option<&'a IntervalSet>,
    /// Records count whose POS lies here; `None` for all.
    pub regions: Option<&'a IntervalSet>,
}

impl ContigTruth<'_> {
    /// The records that count, as the comparison takes them.
    fn sites(&self, contig: &str, counts: &mut TruthRecords) -> Vec<Site> {
        let is_wanted = |record: &&VcfRecord| {
            let start = record.position().checked_sub(1);
            self.regions
                .is_none_or(|regions| start.is_some_and(|start| regions.contains(contig, start)))
        };
        let records = self.records.records.iter().filter(is_wanted);
        records
            .filter_map(|record| counts.passing_site(record, self.records.sample))
            .collect()
    }
}

/// Labels of the records of one contig.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContigLabels {
    /// One a record; `None` for a record that is no call (hap.py lists the truth's as well).
    pub labels: Vec<Option<RecordLabel>>,
    /// The states of each record's ALTs; empty for a record that is no call.
    pub alternates: Vec<Vec<AltState>>,
    /// How many copies of each of them the truth has, 0 to 2, where that is known ([`Judgement::copies`](super::matching::Judgement::copies)); empty where the labels come
    /// with the calls.
    pub copies: Vec<Vec<Option<u8>>>,
    /// The record's kind where the labels' maker names one, else `None`.
    pub kinds: Vec<Option<VariantKind>>,
    /// Truth alleles that no call gives.
    pub missed: Vec<MissedAllele>,
    /// Truth alleles called and missed; zero where the labels come with the calls.
    pub truth_counts: TruthCounts,
    /// The records of the truth; zero where the labels come with the calls.
    pub truth_records: TruthRecords,
}

/// A truth allele that no call gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedAllele {
    /// Its record.
    pub site: Site,
    /// Index of the ALT in the record, from 0.
    pub alternate: usize,
}

/// A record whose label cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{contig}:{position}")]
pub struct RecordLabelError {
    /// The record's contig.
    pub contig: String,
    /// The record's position, 1-based.
    pub position: u64,
    /// The mistake.
    pub source: LabelLineError,
}

/// The samples of hap.py's annotated VCF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HappySamples {
    /// Index of `TRUTH`.
    pub truth: usize,
    /// Index of `QUERY`.
    pub query: usize,
}

impl HappySamples {
    /// Finds both samples in a header.
    pub fn find(header: &VcfHeader) -> Option<Self> {
        let index = |name| header.samples().position(|sample| sample == name);
        Some(Self {
            truth: index("TRUTH")?,
            query: index("QUERY")?,
        })
    }
}

impl ContigLabels {
    /// Labels calls by a truth set. Truth records that a filter marks are left out, as hap.py does,
    /// and so are those that repeat an earlier one.
    ///
    /// `bases` is the whole reference contig, empty where there is none.
    pub fn by_truth(
        contig: &str,
        calls: SampleRecords<'_>,
        truth: ContigTruth<'_>,
        bases: &[u8],
        rule: MatchRule,
    ) -> Self {
        let call_sites: Vec<Site> = calls
            .records
            .iter()
            .map(|record| Site::from_record(record, calls.sample))
            .collect();
        let mut truth_records = TruthRecords::default();
        let mut truth_sites = truth.sites(contig, &mut truth_records);
        truth_records.duplicates = duplicates::remove(&mut truth_sites, bases);
        truth_records.used = truth_sites.len() as u64;
        let judged = judge(
            &call_sites,
            &truth_sites,
            truth.confident.map(|set| set.on(contig)),
            bases,
            MatchOptions {
                // Truth beside the regions shows that the contig was looked at.
                judge_without_truth: truth.records.records.iter().any(VcfRecord::passes),
            },
        );
        let all_filtered = truth_sites.is_empty() && !truth_records.filtered.is_empty();
        let (labels, alternates) = call_labels(&judged, all_filtered, rule);
        Self {
            labels,
            alternates,
            copies: (0..judged.calls.len())
                .map(|at| judged.calls.copies(at).to_vec())
                .collect(),
            kinds: vec![None; call_sites.len()],
            missed: missed_alleles(&truth_sites, &judged, bases, rule),
            truth_counts: judged.truth_counts,
            truth_records,
        }
    }

    /// Reads the labels of hap.py's annotated VCF. Under [`MatchRule::Allele`] a truth record that
    /// hap.py counts as lost is found where a call has its allele with another genotype.
    ///
    /// # Errors
    /// The first record without a label that can be read.
    pub fn by_happy(
        records: &[VcfRecord],
        samples: HappySamples,
        rule: MatchRule,
    ) -> Result<Self, RecordLabelError> {
        let (mut given, mut kinds, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            let column = record.sample(samples.query).unwrap_or(b".");
            let label = happy_label(record.format(), column).map_err(|e| unreadable(record, e))?;
            given.push(label);
            let is_lost = record.sample_value(samples.truth, b"BD") == Some(b"FN");
            let is_found = rule == MatchRule::Allele && label == Some(GivenLabel::AlleleOnly);
            if is_lost && !is_found {
                missed.extend(MissedAllele::in_genotype(Site::from_record(
                    record,
                    samples.truth,
                )));
            }
            kinds.push(match record.sample_value(samples.query, b"BVT") {
                Some(b"SNP") => Some(VariantKind::Snp),
                Some(b"INDEL") => Some(VariantKind::Indel),
                _ => None,
            });
        }
        Ok(Self {
            kinds,
            missed,
            ..Self::from_given(records, &given, rule)
        })
    }

    /// Reads the labels of vcfeval's annotated VCF.
    ///
    /// # Errors
    /// The first record without a label that can be read.
    pub fn by_vcfeval(records: &[VcfRecord], rule: MatchRule) -> Result<Self, RecordLabelError> {
        let label = |record: &VcfRecord| {
            let call = record.info(b"CALL");
            if call.is_none() && record.info(b"BASE").is_some() {
                // A record of the truth alone (output mode combine).
                return Ok(None);
            }
            vcfeval_label(call)
                .map(Some)
                .map_err(|e| unreadable(record, e))
        };
        let given: Vec<Option<GivenLabel>> = records.iter().map(label).collect::<Result<_, _>>()?;
        Ok(Self::from_given(records, &given, rule))
    }

    /// Looks the records of one contig up in a table of labels.
    pub fn by_table(
        contig: &str,
        records: &[VcfRecord],
        table: &LabelTable,
        rule: MatchRule,
    ) -> Self {
        let label = |record: &VcfRecord| {
            let (reference, alternates) = record.alleles();
            let start = record.position().saturating_sub(1);
            Some(table.label(contig, start, reference, alternates))
        };
        let given: Vec<Option<GivenLabel>> = records.iter().map(label).collect();
        Self::from_given(records, &given, rule)
    }

    /// Leaves every record unjudged.
    pub fn unjudged(records: &[VcfRecord]) -> Self {
        let given = vec![Some(GivenLabel::NotAssessed); records.len()];
        Self::from_given(records, &given, MatchRule::default())
    }

    fn from_given(records: &[VcfRecord], given: &[Option<GivenLabel>], rule: MatchRule) -> Self {
        let states = |(record, label): (&VcfRecord, &Option<GivenLabel>)| {
            label.map_or(Vec::new(), |label| {
                let alternates = record.alleles().1.split(|byte| *byte == b',').count();
                vec![label.alternate_state(); alternates]
            })
        };
        Self {
            labels: given
                .iter()
                .map(|label| label.map(|label| label.record_label(rule)))
                .collect(),
            alternates: records.iter().zip(given).map(states).collect(),
            kinds: vec![None; given.len()],
            ..Self::default()
        }
    }
}

impl MissedAllele {
    /// The ALTs in the genotype of a truth record.
    fn in_genotype(site: Site) -> Vec<Self> {
        let mut alleles: Vec<u16> = site.genotype.iter().flatten().copied().collect();
        alleles.sort_unstable();
        alleles.dedup();
        alleles
            .into_iter()
            .filter(|allele| (1..=site.alternates.len()).contains(&usize::from(*allele)))
            .map(|allele| Self {
                site: site.clone(),
                alternate: usize::from(allele) - 1,
            })
            .collect()
    }
}

/// The labels of calls and the states of their ALTs. `all_filtered`: the truth has records here, and
/// FILTER marks all of them.
fn call_labels(
    judged: &ContigJudgement,
    all_filtered: bool,
    rule: MatchRule,
) -> (Vec<Option<RecordLabel>>, Vec<Vec<AltState>>) {
    let explain = |reason: Reason| match reason {
        Reason::NoTruthOnContig if all_filtered => Reason::TruthFiltered,
        other => other,
    };
    let state = |state: &AltState| match state {
        AltState::Unjudged(reason) => AltState::Unjudged(explain(*reason)),
        judged => *judged,
    };
    let (mut labels, mut alternates) = (Vec::new(), Vec::new());
    for at in 0..judged.calls.len() {
        let states: Vec<AltState> = judged.calls.alternates(at).iter().map(state).collect();
        let genotype = match judged.calls.genotype(at) {
            GenotypeState::Unjudged(reason) => GenotypeState::Unjudged(explain(reason)),
            judged => judged,
        };
        labels.push(Some(record_label(&states, genotype, rule)));
        alternates.push(states);
    }
    (labels, alternates)
}

/// Truth ALTs without a call, each once: one that several records give is missed where all of them
/// are.
fn missed_alleles(
    truth: &[Site],
    judged: &ContigJudgement,
    bases: &[u8],
    rule: MatchRule,
) -> Vec<MissedAllele> {
    let is_missed = |state: AltState| match rule {
        MatchRule::Allele => state == AltState::False,
        MatchRule::Genotype => matches!(state, AltState::False | AltState::AlleleOnly),
    };
    let states = |at: usize| judged.truths.alternates(at).iter().enumerate();
    let mut seen = BTreeSet::new();
    for (at, site) in truth.iter().enumerate() {
        for (alternate, state) in states(at) {
            if state.is_real().is_some() && !is_missed(*state) {
                seen.extend(duplicates::change(site, alternate, bases));
            }
        }
    }
    let mut missed = Vec::new();
    for (at, site) in truth.iter().enumerate() {
        for (alternate, _) in states(at).filter(|(_, state)| is_missed(**state)) {
            let change = duplicates::change(site, alternate, bases);
            if change.is_none_or(|change| seen.insert(change)) {
                let site = site.clone();
                missed.push(MissedAllele { site, alternate });
            }
        }
    }
    missed
}

fn unreadable(record: &VcfRecord, source: LabelLineError) -> RecordLabelError {
    RecordLabelError {
        contig: String::from_utf8_lossy(record.contig()).into_owned(),
        position: record.position(),
        source,
    }
}

/// The sample of the truth: the one named, else the one with the name of the calls' sample, else
/// the only one.
///
/// # Errors
/// The name is not there, or several samples are and none is named.
pub fn truth_sample(
    truth: &VcfHeader,
    named: Option<&str>,
    calls_sample: Option<&str>,
) -> Result<usize, TruthSampleError> {
    let position = |name: &str| truth.samples().position(|sample| sample == name);
    let count = truth.samples().count();
    match (named, calls_sample.and_then(position)) {
        (Some(name), _) => position(name).ok_or_else(|| TruthSampleError::Unknown {
            name: name.to_owned(),
        }),
        (None, Some(same)) => Ok(same),
        (None, None) if count > 1 => Err(TruthSampleError::Several { count }),
        (None, None) => Ok(0),
    }
}

/// No sample of the truth can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TruthSampleError {
    /// The sample that is asked for does not exist.
    #[error("there is no sample `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Several samples, and none is named.
    #[error(
        "there are {count} samples and none has the name of the calls'; name one with --truth-sample"
    )]
    Several {
        /// Number of samples.
        count: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Interval;

    fn record(line: &str) -> VcfRecord {
        let columns = line.split(' ').count();
        VcfRecord::parse(line.replace(' ', "\t").into_bytes(), columns).unwrap()
    }

    fn calls(lines: &[&str]) -> Vec<VcfRecord> {
        lines.iter().map(|line| record(line)).collect()
    }

    const BASES: &[u8] = b"ACGTACGTACGTACGTACGTACGTACGTACGT";

    fn by_truth(calls: &[VcfRecord], truth: &[VcfRecord], rule: MatchRule) -> ContigLabels {
        by_truth_in(calls, truth, None, rule)
    }

    fn by_truth_in(
        calls: &[VcfRecord],
        truth: &[VcfRecord],
        regions: Option<&IntervalSet>,
        rule: MatchRule,
    ) -> ContigLabels {
        let side = |records| SampleRecords { records, sample: 0 };
        let truth = ContigTruth {
            records: side(truth),
            confident: None,
            regions,
        };
        ContigLabels::by_truth("1", side(calls), truth, BASES, rule)
    }

    #[test]
    fn truth_beside_the_regions_shows_that_the_contig_was_looked_at() {
        let calls = calls(&["1 2 . C T 9 . . GT 0/1"]);
        let regions = IntervalSet::new([("1".to_owned(), Interval { start: 0, end: 5 })]);
        let label = |truth: &str| {
            let truth = [record(truth)];
            by_truth_in(&calls, &truth, Some(&regions), MatchRule::Allele)
        };
        let beside = label("1 20 . T A . . . GT 1/1");
        assert_eq!(beside.labels, [Some(RecordLabel::False)]);
        assert!(beside.missed.is_empty());
        let filtered = label("1 3 . G A . GAP . GT 1/1");
        let reason = Reason::TruthFiltered;
        assert_eq!(filtered.labels, [Some(RecordLabel::Unjudged(reason))]);
        assert_eq!(filtered.alternates, [[AltState::Unjudged(reason)]]);
        assert_eq!(filtered.truth_records.filtered["GAP"], 1);
    }

    #[test]
    fn a_truth_allele_of_two_records_is_missed_once() {
        let truth = [
            record("1 20 . T A . . . GT 0|1"),
            record("1 20 . T A . . . GT 1|0"),
            record("1 20 . T A . . . GT 0|1"),
        ];
        let labels = by_truth(&[], &truth, MatchRule::Allele);
        assert_eq!(labels.missed.len(), 1);
        assert_eq!(labels.truth_records.used, 2);
        assert_eq!(labels.truth_records.duplicates, 1);
    }

    #[test]
    fn filtered_truth_is_left_out_and_lost_truth_is_listed() {
        let calls = calls(&["1 2 . C T 9 . . GT 0/1", "1 10 . C T 9 . . GT 0/1"]);
        let truth = [
            record("1 2 . C T . PASS . GT 0/1"),
            record("1 10 . C T . bad . GT 0/1"),
            record("1 20 . T A . . . GT 1/1"),
        ];
        let labels = by_truth(&calls, &truth, MatchRule::Allele);
        assert_eq!(
            labels.labels,
            [Some(RecordLabel::True), Some(RecordLabel::False)]
        );
        assert_eq!(labels.alternates[1], [AltState::False]);
        assert_eq!(labels.missed.len(), 1);
        assert_eq!(labels.missed[0].site.start, 19);
        let counts = labels.truth_counts;
        assert_eq!((counts.called_snps, counts.missed_snps), (1, 1));
    }

    #[test]
    fn a_wrong_genotype_is_missed_under_the_genotype_rule_only() {
        let calls = calls(&["1 2 . C T 9 . . GT 0/1"]);
        let truth = [record("1 2 . C T . PASS . GT 1/1")];
        let allele = by_truth(&calls, &truth, MatchRule::Allele);
        assert_eq!(allele.labels, [Some(RecordLabel::True)]);
        assert_eq!(allele.missed, []);
        let genotype = by_truth(&calls, &truth, MatchRule::Genotype);
        assert_eq!(genotype.labels, [Some(RecordLabel::False)]);
        assert_eq!(genotype.missed.len(), 1);
    }

    #[test]
    fn happy_gives_labels_kinds_and_lost_alleles() {
        let records = calls(&[
            "1 2 . C T 9 . . GT:BD:BK:BVT 0/1:TP:.:SNP 0/1:TP:gm:SNP",
            "1 5 . A AT,C 9 . . GT:BD:BK:BVT 1/2:FN:.:INDEL ./.:.:.:NOCALL",
            "1 9 . A C 9 . . GT:BD:BK:BVT 1/1:FN:.:SNP 0/1:FP:am:INDEL",
        ]);
        let samples = HappySamples { truth: 0, query: 1 };
        let allele = ContigLabels::by_happy(&records, samples, MatchRule::Allele).unwrap();
        assert_eq!(
            allele.labels,
            [Some(RecordLabel::True), None, Some(RecordLabel::True)]
        );
        assert_eq!(
            allele.kinds,
            [Some(VariantKind::Snp), None, Some(VariantKind::Indel)]
        );
        assert_eq!(allele.alternates[1], []);
        let missed: Vec<(u64, usize)> = allele
            .missed
            .iter()
            .map(|missed| (missed.site.start, missed.alternate))
            .collect();
        assert_eq!(missed, [(4, 0), (4, 1)]);
        let genotype = ContigLabels::by_happy(&records, samples, MatchRule::Genotype).unwrap();
        assert_eq!(genotype.missed.len(), 3);
    }

    #[test]
    fn mistakes_name_the_record() {
        let records = calls(&["1 2 . C T 9 . CALL=TP", "1 5 . A C 9 . X=1"]);
        let error = ContigLabels::by_vcfeval(&records, MatchRule::Allele).unwrap_err();
        assert_eq!(error.to_string(), "1:5");
        assert!(
            error
                .source
                .to_string()
                .starts_with("there is no INFO/CALL")
        );
        let records = calls(&["1 7 . C T 9 . . GT:BD 0/1:TP 0/1:XX"]);
        let samples = HappySamples { truth: 0, query: 1 };
        let error = ContigLabels::by_happy(&records, samples, MatchRule::Allele).unwrap_err();
        assert_eq!(error.to_string(), "1:7");
    }

    #[test]
    fn vcfevals_truth_records_are_no_calls() {
        let records = calls(&["1 2 . C T 9 . CALL=FP_CA", "1 5 . A C 9 . BASE=FN"]);
        let labels = ContigLabels::by_vcfeval(&records, MatchRule::Allele).unwrap();
        assert_eq!(labels.labels, [Some(RecordLabel::True), None]);
        assert_eq!(labels.kinds, [None, None]);
    }

    #[test]
    fn records_that_no_table_lists_are_unjudged() {
        let records = calls(&["1 2 . C T,G 9 . .", "1 5 . A C 9 . ."]);
        let mut table = LabelTable::from_header(b"chrom\tpos\tref\talt\tlabel").unwrap();
        table.add_line(b"1\t2\tC\tT,G\tFP").unwrap();
        let labels = ContigLabels::by_table("1", &records, &table, MatchRule::Allele);
        let unjudged = RecordLabel::Unjudged(Reason::NotAssessed);
        assert_eq!(labels.labels, [Some(RecordLabel::False), Some(unjudged)]);
        assert_eq!(labels.alternates[0], [AltState::False, AltState::False]);
        let nothing = ContigLabels::unjudged(&records);
        assert_eq!(nothing.labels, [Some(unjudged), Some(unjudged)]);
    }

    fn header(samples: &str) -> VcfHeader {
        let columns = format!("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}");
        VcfHeader::parse(vec!["##fileformat=VCFv4.2".into(), columns]).unwrap()
    }

    #[test]
    fn the_truths_sample_is_the_named_the_same_or_the_only_one() {
        let (one, two) = (header("a"), header("a\tb"));
        assert_eq!(truth_sample(&two, Some("b"), Some("a")), Ok(1));
        assert_eq!(truth_sample(&two, None, Some("b")), Ok(1));
        assert_eq!(truth_sample(&one, None, Some("z")), Ok(0));
        assert_eq!(
            truth_sample(&two, None, Some("z")),
            Err(TruthSampleError::Several { count: 2 })
        );
        let unknown = truth_sample(&one, Some("z"), Some("a")).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no sample `z`");
    }

    #[test]
    fn happys_samples_are_found_by_name() {
        assert_eq!(
            HappySamples::find(&header("QUERY\tTRUTH")),
            Some(HappySamples { truth: 1, query: 0 })
        );
        assert_eq!(HappySamples::find(&header("QUERY")), None);
    }
}
