//! Where labels come from, a contig at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::another_reference;
use crate::io::text_source::TextSource;
use crate::io::vcf_reader::ContigGroups;
use crate::io::{IoError, regions};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::genome::contigs::ContigMismatch;
use cnnfilter_core::label::{
    AltState, ContigJudgement, GenotypeState, GivenLabel, MatchOptions, MatchRule, Reason,
    RecordLabel, Site, TableColumns, TruthCounts, duplicates, happy_label, judge, record_label,
    vcfeval_label,
};
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};
use cnnfilter_eval::classes::Kind;

/// Where labels come from.
#[derive(Debug, Clone)]
pub enum LabelPlan {
    /// A truth set and where it is complete (everywhere without).
    Truth {
        /// VCF or BCF.
        truth: PathBuf,
        /// A file of regions.
        confident: Option<PathBuf>,
        /// Sample of the truth.
        sample: Option<String>,
    },
    /// The calls are hap.py's annotated VCF.
    Happy,
    /// The calls are vcfeval's annotated VCF.
    Vcfeval,
    /// A table of `chrom pos ref alt label`.
    Table(PathBuf),
    /// None: Ti/Tv and het/hom only.
    Nothing,
}

impl LabelPlan {
    /// The plan that the flags `--truth`, `--confident`, `--truth-sample` and `--labels` say.
    pub fn of_flags(
        truth: Option<PathBuf>,
        confident: Option<PathBuf>,
        sample: Option<String>,
        labels: Option<&str>,
    ) -> Self {
        match (truth, labels) {
            (Some(truth), _) => Self::Truth {
                truth,
                confident,
                sample,
            },
            (None, Some("happy")) => Self::Happy,
            (None, Some("vcfeval")) => Self::Vcfeval,
            (None, Some(path)) => Self::Table(PathBuf::from(path)),
            (None, None) => Self::Nothing,
        }
    }
}

/// A source of labels that has been opened.
pub enum LabelSource {
    /// A truth set.
    Truth {
        /// Its records.
        truth: Box<ContigGroups>,
        /// The sample whose genotypes are the truth.
        sample: usize,
        /// Where it is complete; everywhere without.
        confident: Option<IntervalSet>,
        /// What to say where the truth has records on a contig that is longer or shorter in the
        /// calls: it is about another reference.
        foreign: BTreeMap<String, String>,
    },
    /// hap.py's annotated VCF: FORMAT/BD of these samples.
    Happy {
        /// The truth's.
        truth: usize,
        /// The calls'.
        query: usize,
        /// The file, for messages.
        path: PathBuf,
    },
    /// vcfeval's annotated VCF: the calls' own INFO/CALL. The file, for messages.
    Vcfeval(PathBuf),
    /// A table, by contig, 0-based start, REF and ALT.
    Table(HashMap<(String, u64, Vec<u8>, Vec<u8>), GivenLabel>),
    /// None: nothing is judged.
    Nothing,
}

/// Labels of the records of one contig.
pub struct ContigLabels {
    /// One a record; nothing for a record that is no call (hap.py lists the truth's as well).
    pub labels: Vec<Option<RecordLabel>>,
    /// The states of each record's ALTs; empty for a record that is no call.
    pub alternates: Vec<Vec<AltState>>,
    /// The kinds that the labels' maker gives the records, where it does.
    pub kinds: Vec<Option<Kind>>,
    /// Truth alleles that no call gives.
    pub missed: Vec<MissedAllele>,
    /// Truth alleles called and missed.
    pub truth_counts: TruthCounts,
    /// What became of the truth's records.
    pub truth_records: TruthRecords,
}

/// What became of the records of a truth set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TruthRecords {
    /// Records that count.
    pub used: u64,
    /// Records that FILTER leaves out, by its value.
    pub filtered: BTreeMap<String, u64>,
    /// Of those that count, the ones with other names beside PASS, by FILTER's value.
    pub named_beside_pass: BTreeMap<String, u64>,
    /// Records that say what an earlier one says; left out.
    pub duplicates: u64,
}

impl TruthRecords {
    /// Adds another contig's.
    pub fn add(&mut self, other: Self) {
        self.used += other.used;
        self.duplicates += other.duplicates;
        for (sum, more) in [
            (&mut self.filtered, other.filtered),
            (&mut self.named_beside_pass, other.named_beside_pass),
        ] {
            for (value, count) in more {
                *sum.entry(value).or_default() += count;
            }
        }
    }

    /// What a reader of figures should know, each with the heading it goes under.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        if !self.filtered.is_empty() {
            let text = by_value(&self.filtered);
            notes.push(("truth records left out by FILTER", text));
        }
        if !self.named_beside_pass.is_empty() {
            let text = by_value(&self.named_beside_pass);
            notes.push(("truth records with names beside PASS, which count", text));
        }
        if self.duplicates > 0 {
            let text = self.duplicates.to_string();
            notes.push((
                "truth records that say what an earlier one says, left out",
                text,
            ));
        }
        notes
    }

    /// Says what is odd about the truth.
    pub fn warn(&self, path: &Path) {
        let path = path.display();
        if self.used == 0 && !self.filtered.is_empty() {
            log::warn!(
                "{path}: FILTER leaves out every truth record ({}); records count whose FILTER is `PASS` or `.`: take the other names out (`bcftools annotate -x FILTER`) if the records are good",
                by_value(&self.filtered)
            );
        }
        if !self.named_beside_pass.is_empty() {
            log::warn!(
                "{path}: truth records with names beside PASS ({}) count as PASS",
                by_value(&self.named_beside_pass)
            );
        }
        if self.duplicates > 0 {
            log::warn!(
                "{path}: {} truth records say what an earlier one says; each allele counts once",
                self.duplicates
            );
        }
    }
}

/// Counts by FILTER's value, the most frequent first: `GAP1 120, LowQual 3`.
fn by_value(counts: &BTreeMap<String, u64>) -> String {
    const SHOWN: usize = 5;
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut parts: Vec<String> = sorted
        .iter()
        .take(SHOWN)
        .map(|(value, count)| format!("{value} {count}"))
        .collect();
    if sorted.len() > SHOWN {
        let rest: u64 = sorted[SHOWN..].iter().map(|(_, count)| **count).sum();
        parts.push(format!("others {rest}"));
    }
    parts.join(", ")
}

/// A truth allele that no call gives.
pub struct MissedAllele {
    /// Its record.
    pub site: Site,
    /// Which ALT, from 0.
    pub alternate: usize,
}

impl LabelSource {
    /// Opens what the plan names.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn open(
        plan: &LabelPlan,
        calls: (&Path, &VcfHeader),
        calls_sample: Option<&str>,
    ) -> Result<Self> {
        Ok(match plan {
            LabelPlan::Truth {
                truth,
                confident,
                sample,
            } => {
                let groups = ContigGroups::open(truth)?;
                let foreign = foreign_contigs(calls, (truth, groups.header()));
                let sample = truth_sample(truth, groups.header(), sample.as_deref(), calls_sample)?;
                Self::Truth {
                    truth: Box::new(groups),
                    sample,
                    confident: confident
                        .as_deref()
                        .map(|path| {
                            regions::read_file(path, "confident regions", &calls.1.contigs())
                        })
                        .transpose()?,
                    foreign,
                }
            }
            LabelPlan::Happy => {
                let find = |name: &str| calls.1.samples().position(|sample| sample == name);
                let (Some(truth), Some(query)) = (find("TRUTH"), find("QUERY")) else {
                    bail!(
                        "{}: there are no samples `TRUTH` and `QUERY`; --labels happy takes hap.py's annotated VCF (PREFIX.vcf.gz)",
                        calls.0.display()
                    );
                };
                Self::Happy {
                    truth,
                    query,
                    path: calls.0.to_owned(),
                }
            }
            LabelPlan::Vcfeval => Self::Vcfeval(calls.0.to_owned()),
            LabelPlan::Table(path) => Self::Table(read_table(path)?),
            LabelPlan::Nothing => Self::Nothing,
        })
    }

    /// Labels the records of one contig; `bases` are all of its reference, empty where there is
    /// none.
    ///
    /// # Errors
    /// Where the truth is damaged, or a label cannot be read.
    pub fn label(
        &mut self,
        contig: &str,
        records: &[VcfRecord],
        sample: usize,
        bases: &[u8],
        rule: MatchRule,
        regions: Option<&IntervalSet>,
    ) -> Result<ContigLabels> {
        let place = |path: &Path, record: &VcfRecord| {
            format!("{}: {contig}:{}", path.display(), record.position())
        };
        let (mut missed, mut kinds) = (Vec::new(), Vec::new());
        let given: Vec<Option<GivenLabel>> = match self {
            Self::Truth {
                truth,
                sample: truth_sample,
                confident,
                foreign,
            } => {
                let of_truth = truth.take(contig)?;
                if let Some(message) = foreign.get(contig)
                    && !of_truth.is_empty()
                {
                    bail!("{message}");
                }
                let truths = Truths {
                    records: of_truth,
                    sample: *truth_sample,
                    confident: confident.as_ref(),
                };
                return Ok(by_truth(
                    contig, records, sample, truths, bases, rule, regions,
                ));
            }
            Self::Happy { truth, query, path } => {
                let mut labels = Vec::new();
                for record in records {
                    let column = record.sample(*query).unwrap_or(b".");
                    let label = happy_label(record.format(), column)
                        .with_context(|| place(path, record))?;
                    labels.push(label);
                    let is_lost = record.sample_value(*truth, b"BD") == Some(b"FN");
                    let is_found =
                        rule == MatchRule::Allele && label == Some(GivenLabel::AlleleOnly);
                    if is_lost && !is_found {
                        missed.extend(MissedAllele::all_of(Site::of_record(record, *truth)));
                    }
                    kinds.push(match record.sample_value(*query, b"BVT") {
                        Some(b"SNP") => Some(Kind::Snp),
                        Some(b"INDEL") => Some(Kind::Indel),
                        _ => None,
                    });
                }
                labels
            }
            Self::Vcfeval(path) => records
                .iter()
                .map(|record| {
                    let call = record.info(b"CALL");
                    if call.is_none() && record.info(b"BASE").is_some() {
                        // A record of the truth alone (output mode combine).
                        return Ok(None);
                    }
                    let label = vcfeval_label(call).with_context(|| place(path, record))?;
                    Ok(Some(label))
                })
                .collect::<Result<_>>()?,
            Self::Table(table) => records
                .iter()
                .map(|record| {
                    let start = record.position().saturating_sub(1);
                    let (reference, alternates) = record.alleles();
                    let key = (
                        contig.to_owned(),
                        start,
                        reference.to_ascii_uppercase(),
                        alternates.to_ascii_uppercase(),
                    );
                    Some(table.get(&key).copied().unwrap_or(GivenLabel::NotAssessed))
                })
                .collect(),
            Self::Nothing => vec![Some(GivenLabel::NotAssessed); records.len()],
        };
        kinds.resize(given.len(), None);
        let states = |(record, label): (&VcfRecord, &Option<GivenLabel>)| {
            label.map_or(Vec::new(), |label| {
                let alternates = record.alleles().1.split(|byte| *byte == b',').count();
                vec![label.alternate_state(); alternates]
            })
        };
        Ok(ContigLabels {
            alternates: records.iter().zip(&given).map(states).collect(),
            labels: given
                .iter()
                .map(|label| label.map(|label| label.record_label(rule)))
                .collect(),
            kinds,
            missed,
            truth_counts: TruthCounts::default(),
            truth_records: TruthRecords::default(),
        })
    }

    /// Whether truth variants that no call gives are known.
    pub fn knows_missed(&self) -> bool {
        matches!(self, Self::Truth { .. } | Self::Happy { .. })
    }

    /// Contigs of what the labels come from, by file and what it is, as far as they are known before
    /// the calls are read.
    pub fn contigs(&self) -> Vec<(&'static str, BTreeSet<String>)> {
        match self {
            Self::Truth {
                confident: Some(confident),
                ..
            } => {
                let contigs = confident.contigs().map(String::from).collect();
                vec![("the confident regions", contigs)]
            }
            Self::Table(table) => {
                let contigs = table.keys().map(|key| key.0.clone()).collect();
                vec![("the table of labels", contigs)]
            }
            _ => Vec::new(),
        }
    }

    /// The truth's records on contigs without a call, and where it is complete.
    ///
    /// # Errors
    /// Where the truth is damaged.
    pub fn contigs_without_calls(self) -> Result<(TruthByContig, usize, Option<IntervalSet>)> {
        match self {
            Self::Truth {
                truth,
                sample,
                confident,
                ..
            } => Ok((truth.rest()?, sample, confident)),
            _ => Ok((Vec::new(), 0, None)),
        }
    }
}

/// Contigs whose lengths differ between the headers of calls and truth, each with the message.
fn foreign_contigs(
    calls: (&Path, &VcfHeader),
    truth: (&Path, &VcfHeader),
) -> BTreeMap<String, String> {
    let of_truth = truth.1.contigs();
    let mut foreign = BTreeMap::new();
    for contig in calls.1.contigs().iter() {
        let other = of_truth.get(&contig.name).and_then(|other| other.length);
        if let (Some(left), Some(right)) = (contig.length, other)
            && left != right
        {
            let name = contig.name.clone();
            let mismatch = ContigMismatch::Length { name, left, right };
            let advice = "give the truth for the reference of the calls";
            let message = another_reference(calls.0, truth.0, &mismatch, advice);
            foreign.insert(contig.name.clone(), message.to_string());
        }
    }
    foreign
}

/// The sample of the truth: the one named, else the one of the calls' name, else the only one.
fn truth_sample(
    path: &Path,
    header: &VcfHeader,
    named: Option<&str>,
    calls_sample: Option<&str>,
) -> Result<usize> {
    let samples: Vec<&str> = header.samples().collect();
    let position = |name: &str| samples.iter().position(|sample| *sample == name);
    match (named, calls_sample.and_then(position)) {
        (Some(name), _) => position(name)
            .with_context(|| format!("{}: there is no sample `{name}`", path.display())),
        (None, Some(same)) => Ok(same),
        (None, None) if samples.len() > 1 => bail!(
            "{}: there are {} samples and none has the name of the calls'; name one with --truth-sample",
            path.display(),
            samples.len()
        ),
        (None, None) => Ok(0),
    }
}

/// Truth records by contig.
type TruthByContig = Vec<(String, Vec<VcfRecord>)>;

impl MissedAllele {
    /// The ALTs in the genotype of a truth record.
    fn all_of(site: Site) -> Vec<Self> {
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

/// The truth of one contig.
pub struct Truths<'a> {
    /// Its records.
    pub records: Vec<VcfRecord>,
    /// The sample whose genotypes count.
    pub sample: usize,
    /// Where it is complete; everywhere without.
    pub confident: Option<&'a IntervalSet>,
}

/// Labels by a truth set. Truth records that a filter marks are left out, as hap.py does, and so are
/// those that say what an earlier one says.
pub fn by_truth(
    contig: &str,
    records: &[VcfRecord],
    sample: usize,
    truths: Truths<'_>,
    bases: &[u8],
    rule: MatchRule,
    regions: Option<&IntervalSet>,
) -> ContigLabels {
    let calls: Vec<Site> = records
        .iter()
        .map(|record| Site::of_record(record, sample))
        .collect();
    let mut truth_records = TruthRecords::default();
    let mut truth_sites = passing_sites(&truths, regions, &mut truth_records);
    truth_records.duplicates = duplicates::remove(&mut truth_sites, bases);
    truth_records.used = truth_sites.len() as u64;
    let judged: ContigJudgement = judge(
        &calls,
        &truth_sites,
        truths.confident.map(|set| set.on(contig)),
        bases,
        MatchOptions {
            // Truth beside the regions shows that the contig was looked at.
            judge_without_truth: truths.records.iter().any(VcfRecord::passes),
            ..MatchOptions::default()
        },
    );
    let all_filtered = truth_sites.is_empty() && !truth_records.filtered.is_empty();
    let why = |reason: Reason| match reason {
        Reason::NoTruthOnContig if all_filtered => Reason::TruthFiltered,
        other => other,
    };
    let alternates: Vec<Vec<AltState>> = (0..calls.len())
        .map(|at| {
            let states = judged.calls.alternates(at).iter();
            let explained = states.map(|state| match state {
                AltState::Unjudged(reason) => AltState::Unjudged(why(*reason)),
                judged => *judged,
            });
            explained.collect()
        })
        .collect();
    let labels = (0..calls.len())
        .map(|at| {
            let genotype = match judged.calls.genotype(at) {
                GenotypeState::Unjudged(reason) => GenotypeState::Unjudged(why(reason)),
                judged => judged,
            };
            Some(record_label(&alternates[at], genotype, rule))
        })
        .collect();
    ContigLabels {
        labels,
        alternates,
        kinds: vec![None; calls.len()],
        missed: missed(truth_sites, &judged, bases, rule),
        truth_counts: judged.truth_counts,
        truth_records,
    }
}

/// The truth records that count, as the comparison takes them.
fn passing_sites(
    truths: &Truths<'_>,
    regions: Option<&IntervalSet>,
    counts: &mut TruthRecords,
) -> Vec<Site> {
    let mut sites = Vec::new();
    for record in &truths.records {
        if !regions::hold(regions, record) {
            continue;
        }
        let filter = || String::from_utf8_lossy(record.filter()).into_owned();
        if !record.passes() {
            *counts.filtered.entry(filter()).or_default() += 1;
            continue;
        }
        if !matches!(record.filter(), b"PASS" | b".") {
            *counts.named_beside_pass.entry(filter()).or_default() += 1;
        }
        sites.push(Site::of_record(record, truths.sample));
    }
    sites
}

/// The truth alleles that no call gives, each once: one that several records give is missed where all of
/// them are.
fn missed(
    truths: Vec<Site>,
    judged: &ContigJudgement,
    bases: &[u8],
    rule: MatchRule,
) -> Vec<MissedAllele> {
    let is_missed = |state: AltState| match rule {
        MatchRule::Allele => state == AltState::False,
        MatchRule::Genotype => matches!(state, AltState::False | AltState::AlleleOnly),
    };
    let mut seen = BTreeSet::new();
    for (at, site) in truths.iter().enumerate() {
        for (alternate, state) in judged.truths.alternates(at).iter().enumerate() {
            if state.is_real().is_some() && !is_missed(*state) {
                seen.extend(duplicates::change(site, alternate, bases));
            }
        }
    }
    let mut missed = Vec::new();
    for (at, site) in truths.into_iter().enumerate() {
        let states = judged.truths.alternates(at).iter().enumerate();
        for (alternate, _) in states.filter(|(_, state)| is_missed(**state)) {
            let change = duplicates::change(&site, alternate, bases);
            if change.is_none_or(|change| seen.insert(change)) {
                missed.push(MissedAllele {
                    site: site.clone(),
                    alternate,
                });
            }
        }
    }
    missed
}

type TableLabels = HashMap<(String, u64, Vec<u8>, Vec<u8>), GivenLabel>;

/// Reads a table of labels. Blank lines do not count, and alleles are compared in capitals.
fn read_table(path: &Path) -> Result<TableLabels> {
    let mut source = TextSource::open_list(path)?;
    let mut line = Vec::new();
    let mut number = 1;
    let fail = |number: u64, error: &dyn std::fmt::Display| {
        IoError::other(PathBuf::from(path), format!("line {number}: {error}"))
    };
    source.next_line(&mut line)?;
    let columns = TableColumns::from_header(&line).map_err(|error| fail(number, &error))?;
    let mut labels = HashMap::new();
    while source.next_line(&mut line)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = columns.read(&line).map_err(|error| fail(number, &error))?;
        let contig = String::from_utf8_lossy(row.contig).into_owned();
        let place = format!("{contig}:{}", row.start + 1);
        let key = (
            contig,
            row.start,
            row.reference.to_ascii_uppercase(),
            row.alternates.to_ascii_uppercase(),
        );
        if labels
            .insert(key, row.label)
            .is_some_and(|before| before != row.label)
        {
            let message = format!("{place} stands further up with another label; keep one of them");
            return Err(fail(number, &message).into());
        }
    }
    Ok(labels)
}
