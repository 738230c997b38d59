//! Where labels come from, a contig at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{LabelPlan, wanted};
use crate::genome::IntervalSet;
use crate::io::text_source::TextSource;
use crate::io::vcf_reader::ContigGroups;
use crate::io::{IoError, regions};
use crate::label::{
    ContigJudgement, GivenLabel, MatchOptions, MatchRule, Reason, RecordLabel, Site, TableColumns,
    TruthCounts, happy_label, judge, record_label, vcfeval_label,
};
use crate::vcf::{VcfHeader, VcfRecord};

/// A source of labels that has been opened.
pub enum LabelSource {
    /// A truth set.
    Truth {
        /// Its records.
        truth: Box<ContigGroups>,
        /// Where it is complete; everywhere without.
        confident: Option<IntervalSet>,
    },
    /// hap.py's annotated VCF: FORMAT/BD of these samples.
    Happy {
        /// The truth's.
        truth: usize,
        /// The calls'.
        query: usize,
    },
    /// vcfeval's annotated VCF: the calls' own INFO/CALL.
    Vcfeval,
    /// A table, by contig, 0-based start, REF and ALT.
    Table(HashMap<(String, u64, Vec<u8>, Vec<u8>), GivenLabel>),
    /// None: nothing is judged.
    Nothing,
}

/// Labels of the records of one contig.
pub struct ContigLabels {
    /// One a record; nothing for a record that is no call (hap.py lists the truth's as well).
    pub labels: Vec<Option<RecordLabel>>,
    /// Truth alleles that no call gives.
    pub missed: Vec<MissedAllele>,
    /// Truth alleles called and missed.
    pub truth_counts: TruthCounts,
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
    pub fn open(plan: &LabelPlan, calls: (&Path, &VcfHeader)) -> Result<Self> {
        Ok(match plan {
            LabelPlan::Truth { truth, confident } => Self::Truth {
                truth: Box::new(ContigGroups::open(truth)?),
                confident: confident.as_deref().map(regions::read_bed).transpose()?,
            },
            LabelPlan::Happy => {
                let find = |name: &str| calls.1.samples().position(|sample| sample == name);
                let (Some(truth), Some(query)) = (find("TRUTH"), find("QUERY")) else {
                    bail!(
                        "{}: there are no samples `TRUTH` and `QUERY`; --labels happy takes hap.py's annotated VCF (PREFIX.vcf.gz)",
                        calls.0.display()
                    );
                };
                Self::Happy { truth, query }
            }
            LabelPlan::Vcfeval => Self::Vcfeval,
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
        let not_assessed = RecordLabel::Unjudged(Reason::NotAssessed);
        let place = |record: &VcfRecord| format!("{contig}:{}", record.position());
        let mut missed = Vec::new();
        let labels = match self {
            Self::Truth { truth, confident } => {
                let truths = truth.take(contig)?;
                return Ok(by_truth(
                    contig,
                    records,
                    sample,
                    truths,
                    confident.as_ref(),
                    bases,
                    rule,
                    regions,
                ));
            }
            Self::Happy { truth, query } => {
                let mut labels = Vec::new();
                for record in records {
                    let column = record.sample(*query).unwrap_or(b".");
                    let label =
                        happy_label(record.format(), column).with_context(|| place(record))?;
                    labels.push(label.map(|label| label.record_label(rule)));
                    let is_lost = record.sample_value(*truth, b"BD") == Some(b"FN");
                    let is_found =
                        rule == MatchRule::Allele && label == Some(GivenLabel::AlleleOnly);
                    if is_lost && !is_found {
                        missed.extend(MissedAllele::first_of(site(record, *truth)));
                    }
                }
                labels
            }
            Self::Vcfeval => records
                .iter()
                .map(|record| {
                    let label = vcfeval_label(record.info(b"CALL"));
                    let label = label.with_context(|| place(record))?;
                    Ok(Some(label.record_label(rule)))
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
                        reference.to_vec(),
                        alternates.to_vec(),
                    );
                    let label = table.get(&key).map(|label| label.record_label(rule));
                    Some(label.unwrap_or(not_assessed))
                })
                .collect(),
            Self::Nothing => vec![Some(not_assessed); records.len()],
        };
        Ok(ContigLabels {
            labels,
            missed,
            truth_counts: TruthCounts::default(),
        })
    }

    /// The truth's records on contigs without a call, and where it is complete.
    ///
    /// # Errors
    /// Where the truth is damaged.
    pub fn contigs_without_calls(self) -> Result<(TruthByContig, Option<IntervalSet>)> {
        match self {
            Self::Truth { truth, confident } => Ok((truth.rest()?, confident)),
            _ => Ok((Vec::new(), None)),
        }
    }
}

/// Truth records by contig.
type TruthByContig = Vec<(String, Vec<VcfRecord>)>;

impl MissedAllele {
    /// The first ALT in the genotype of a truth record.
    fn first_of(site: Site) -> Option<Self> {
        let allele = site.genotype.iter().flatten().find(|allele| **allele > 0)?;
        let alternate = usize::from(*allele) - 1;
        (alternate < site.alternates.len()).then_some(Self { site, alternate })
    }
}

/// Labels by a truth set.
#[expect(clippy::too_many_arguments, reason = "the sides of one comparison")]
pub fn by_truth(
    contig: &str,
    records: &[VcfRecord],
    sample: usize,
    truths: Vec<VcfRecord>,
    confident: Option<&IntervalSet>,
    bases: &[u8],
    rule: MatchRule,
    regions: Option<&IntervalSet>,
) -> ContigLabels {
    let calls: Vec<Site> = records.iter().map(|record| site(record, sample)).collect();
    let truths: Vec<Site> = truths
        .iter()
        .filter(|record| wanted(regions, contig, record))
        .map(|record| site(record, 0))
        .collect();
    let judged: ContigJudgement = judge(
        &calls,
        &truths,
        confident.map(|set| set.on(contig)),
        bases,
        MatchOptions::default(),
    );
    let labels = (0..calls.len())
        .map(|at| {
            let (states, genotype) = (judged.calls.alternates(at), judged.calls.genotype(at));
            Some(record_label(states, genotype, rule))
        })
        .collect();
    let mut missed = Vec::new();
    for (at, site) in truths.into_iter().enumerate() {
        let states = judged.truths.alternates(at);
        missed.extend(
            (0..states.len())
                .filter(|alternate| states[*alternate].is_real() == Some(false))
                .map(|alternate| MissedAllele {
                    site: site.clone(),
                    alternate,
                }),
        );
    }
    ContigLabels {
        labels,
        missed,
        truth_counts: judged.truth_counts,
    }
}

/// A record as the comparison takes it; POS 0 becomes a record without ALT, which is not judged.
fn site(record: &VcfRecord, sample: usize) -> Site {
    let Some(variant) = record.variant() else {
        return Site::default();
    };
    let genotype = record.sample_value(sample, b"GT").map(Site::parse_genotype);
    Site {
        start: variant.start,
        reference: variant.reference,
        alternates: variant.alternates,
        genotype: genotype.unwrap_or_default(),
    }
}

type TableLabels = HashMap<(String, u64, Vec<u8>, Vec<u8>), GivenLabel>;

fn read_table(path: &Path) -> Result<TableLabels> {
    let mut source = TextSource::open(path)?;
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
        let row = columns.read(&line).map_err(|error| fail(number, &error))?;
        let contig = String::from_utf8_lossy(row.contig).into_owned();
        let key = (
            contig,
            row.start,
            row.reference.to_vec(),
            row.alternates.to_vec(),
        );
        labels.insert(key, row.label);
    }
    Ok(labels)
}
