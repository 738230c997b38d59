//! Opens the source of labels and reads it a contig at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::another_reference;
use crate::io::text_source::TextSource;
use crate::io::vcf_reader::ContigGroups;
use crate::io::{IoError, regions};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::genome::contigs::ContigMismatch;
use cnnfilter_core::label::{
    ContigLabels, ContigTruth, HappySamples, LabelTable, MatchRule, SampleRecords, TruthRecords,
    truth_sample,
};
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// Where labels come from.
#[derive(Debug, Clone)]
pub(crate) enum LabelPlan {
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
    /// Reads the flags `--truth`, `--confident`, `--truth-sample` and `--labels`.
    pub(crate) fn from_flags(
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

/// An opened source of labels.
pub(crate) enum LabelSource {
    /// A truth set.
    Truth(Box<TruthSource>),
    /// hap.py's annotated VCF: FORMAT/BD of two samples.
    Happy {
        /// The samples.
        samples: HappySamples,
        /// The file, for messages.
        path: PathBuf,
    },
    /// vcfeval's annotated VCF: the calls' own INFO/CALL. The file, for messages.
    Vcfeval(PathBuf),
    /// A table.
    Table(LabelTable),
    /// None: nothing is judged.
    Nothing,
}

/// An opened truth set.
pub(crate) struct TruthSource {
    records: ContigGroups,
    /// The sample whose genotypes are the truth.
    sample: usize,
    /// Where it is complete; everywhere without.
    confident: Option<IntervalSet>,
    /// The error for each contig that is longer or shorter in the calls, should the truth have
    /// records there: it is about another reference.
    foreign: BTreeMap<String, String>,
}

/// The calls of one contig, as labels are asked for.
pub(crate) struct ContigCalls<'a> {
    /// Name of the contig.
    pub(crate) contig: &'a str,
    /// The calls and their sample.
    pub(crate) calls: SampleRecords<'a>,
    /// The bases of the contig; empty where there is no reference.
    pub(crate) bases: &'a [u8],
}

impl LabelSource {
    /// Opens what the plan names.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(crate) fn open(
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
                let records = ContigGroups::open(truth)?;
                let foreign = foreign_contigs(calls, (truth, records.header()));
                let sample = truth_sample(records.header(), sample.as_deref(), calls_sample)
                    .with_context(|| truth.display().to_string())?;
                Self::Truth(Box::new(TruthSource {
                    records,
                    sample,
                    confident: confident
                        .as_deref()
                        .map(|path| {
                            regions::read_file(path, "confident regions", &calls.1.contigs())
                        })
                        .transpose()?,
                    foreign,
                }))
            }
            LabelPlan::Happy => {
                let Some(samples) = HappySamples::find(calls.1) else {
                    bail!(
                        "{}: there are no samples `TRUTH` and `QUERY`; --labels happy takes hap.py's annotated VCF (PREFIX.vcf.gz)",
                        calls.0.display()
                    );
                };
                Self::Happy {
                    samples,
                    path: calls.0.to_owned(),
                }
            }
            LabelPlan::Vcfeval => Self::Vcfeval(calls.0.to_owned()),
            LabelPlan::Table(path) => Self::Table(read_table(path)?),
            LabelPlan::Nothing => Self::Nothing,
        })
    }

    /// Labels the calls of one contig; of a truth only the records in `regions` count.
    ///
    /// # Errors
    /// Where the truth is damaged, or a label cannot be read.
    pub(crate) fn label(
        &mut self,
        of: &ContigCalls<'_>,
        rule: MatchRule,
        regions: Option<&IntervalSet>,
    ) -> Result<ContigLabels> {
        let records = of.calls.records;
        let in_file = |path: &Path| path.display().to_string();
        match self {
            Self::Truth(truth) => truth.label(of, rule, regions),
            Self::Happy { samples, path } => {
                ContigLabels::by_happy(records, *samples, rule).with_context(|| in_file(path))
            }
            Self::Vcfeval(path) => {
                ContigLabels::by_vcfeval(records, rule).with_context(|| in_file(path))
            }
            Self::Table(table) => Ok(ContigLabels::by_table(of.contig, records, table, rule)),
            Self::Nothing => Ok(ContigLabels::unjudged(records)),
        }
    }

    /// True where the source tells which truth variants no call gives.
    pub(crate) fn knows_missed(&self) -> bool {
        matches!(self, Self::Truth(_) | Self::Happy { .. })
    }

    /// Contigs of what the labels come from, each set with its name for messages, as far as they
    /// are known before the calls are read.
    pub(crate) fn contigs(&self) -> Option<(&'static str, BTreeSet<String>)> {
        match self {
            Self::Truth(truth) => {
                let confident = truth.confident.as_ref()?;
                let contigs = confident.contigs().map(String::from).collect();
                Some(("the confident regions", contigs))
            }
            Self::Table(table) => Some(("the table of labels", table.contigs())),
            _ => None,
        }
    }

    /// The truth on contigs without a call; empty for other sources.
    ///
    /// # Errors
    /// Where the truth is damaged.
    pub(crate) fn contigs_without_calls(self) -> Result<RestOfTruth> {
        match self {
            Self::Truth(truth) => Ok(RestOfTruth {
                contigs: truth.records.rest()?,
                sample: truth.sample,
                confident: truth.confident,
            }),
            _ => Ok(RestOfTruth::default()),
        }
    }
}

impl TruthSource {
    fn label(
        &mut self,
        of: &ContigCalls<'_>,
        rule: MatchRule,
        regions: Option<&IntervalSet>,
    ) -> Result<ContigLabels> {
        let records = self.records.take(of.contig)?;
        if let Some(message) = self.foreign.get(of.contig)
            && !records.is_empty()
        {
            bail!("{message}");
        }
        let truth = ContigTruth {
            records: SampleRecords {
                records: &records,
                sample: self.sample,
            },
            confident: self.confident.as_ref(),
            regions,
        };
        Ok(ContigLabels::by_truth(
            of.contig, of.calls, truth, of.bases, rule,
        ))
    }
}

/// The truth on contigs without a call.
#[derive(Default)]
pub(crate) struct RestOfTruth {
    /// Its records, by contig.
    pub(crate) contigs: Vec<(String, Vec<VcfRecord>)>,
    sample: usize,
    confident: Option<IntervalSet>,
}

impl RestOfTruth {
    /// Labels one of its contigs: every truth allele in `regions` is missed.
    pub(crate) fn label(
        &self,
        contig: &str,
        records: &[VcfRecord],
        bases: &[u8],
        rule: MatchRule,
        regions: Option<&IntervalSet>,
    ) -> ContigLabels {
        let truth = ContigTruth {
            records: SampleRecords {
                records,
                sample: self.sample,
            },
            confident: self.confident.as_ref(),
            regions,
        };
        let calls = SampleRecords {
            records: &[],
            sample: 0,
        };
        ContigLabels::by_truth(contig, calls, truth, bases, rule)
    }
}

/// Warns of what is odd in a truth set.
pub(crate) fn warn_of_truth(plan: &LabelPlan, records: &TruthRecords) {
    if let LabelPlan::Truth { truth, .. } = plan {
        for warning in records.warnings() {
            log::warn!("{}: {warning}", truth.display());
        }
    }
}

/// Contigs whose lengths differ between the headers of calls and truth, each with its error.
fn foreign_contigs(
    calls: (&Path, &VcfHeader),
    truth: (&Path, &VcfHeader),
) -> BTreeMap<String, String> {
    let truth_contigs = truth.1.contigs();
    let mut foreign = BTreeMap::new();
    for contig in calls.1.contigs().iter() {
        let other = truth_contigs
            .get(&contig.name)
            .and_then(|other| other.length);
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

pub(crate) fn read_table(path: &Path) -> Result<LabelTable> {
    let mut source = TextSource::open_list(path)?;
    let mut line = Vec::new();
    let mut number = 1;
    let fail = |number: u64, error: &dyn std::fmt::Display| {
        IoError::other(PathBuf::from(path), format!("line {number}: {error}"))
    };
    source.next_line(&mut line)?;
    let mut table = LabelTable::from_header(&line).map_err(|error| fail(number, &error))?;
    while source.next_line(&mut line)? {
        number += 1;
        table
            .add_line(&line)
            .map_err(|error| fail(number, &error))?;
    }
    Ok(table)
}
