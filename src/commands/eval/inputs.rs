//! The opened inputs of `eval`, checked against each other.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::EvalPlan;
use crate::commands::another_reference;
use crate::commands::labels::{LabelPlan, LabelSource};
use crate::io::fasta::{FastaReader, Reference};
use crate::io::vcf_reader::ContigGroups;
use crate::io::{IoError, regions};
use cnnfilter_core::genome::{ContigTable, IntervalSet, contigs};
use cnnfilter_core::vcf::VcfHeader;
use cnnfilter_eval::calls::{ScoreColumn, check_shared_contig, sample_indices, score_columns};

/// Calls, labels and reference of a run.
pub(super) struct Inputs {
    /// The first file of calls.
    pub(crate) calls: ContigGroups,
    /// Further files of the same calls.
    pub(crate) others: Vec<ContigGroups>,
    /// The scores to read from each file.
    pub(crate) columns: Vec<Vec<ScoreColumn>>,
    /// The sample of each file.
    pub(crate) samples: Vec<usize>,
    /// The reference.
    pub(crate) bases: Bases,
    /// The regions asked for; everything without.
    pub(crate) regions: Option<IntervalSet>,
    /// Names and regions of the strata.
    pub(crate) strata: Vec<(String, IntervalSet)>,
    /// Where labels come from.
    pub(crate) source: LabelSource,
}

impl Inputs {
    /// Opens everything that the plan names.
    ///
    /// # Errors
    /// A file that cannot be read or has no part in the calls' contigs, a score or a sample that is
    /// not there.
    pub(super) fn open(plan: &EvalPlan) -> Result<Self> {
        let mut others = Vec::new();
        for path in &plan.variants {
            others.push(ContigGroups::open(path)?);
        }
        let headers: Vec<&VcfHeader> = others.iter().map(ContigGroups::header).collect();
        let columns = open_columns(plan, &headers)?;
        let samples = choose_samples(plan, &headers, &columns)?;
        let mut calls = others.remove(0);
        let header = calls.header().clone();
        let header = &header;
        let bases = Bases::open(plan, header)?;
        let mut known = header.contigs();
        if known.is_empty() {
            known = bases.known.clone();
        }
        let regions = regions::wanted(&plan.regions, &known)?;
        if let Some(regions) = &regions {
            for file in others.iter_mut().chain([&mut calls]) {
                file.restrict(regions)?;
            }
        }
        let strata = open_strata(plan, &known)?;
        let sample = header.samples().nth(samples[0]);
        let source = LabelSource::open(&plan.labels, (&plan.variants[0], header), sample)?;
        if let Some((what, contigs)) = source.contigs() {
            check_shared_contig(&contigs, &known).context(what)?;
        }
        Ok(Self {
            calls,
            others,
            columns,
            samples,
            bases,
            regions,
            strata,
            source,
        })
    }

    /// Names of all scores, in the order of the files.
    pub(super) fn score_names(&self) -> Vec<String> {
        let columns = self.columns.iter().flatten();
        columns.map(|column| column.name().to_owned()).collect()
    }
}

/// The score columns of each file.
fn open_columns(plan: &EvalPlan, headers: &[&VcfHeader]) -> Result<Vec<Vec<ScoreColumn>>> {
    let mut taken = Vec::new();
    let mut columns = Vec::new();
    for (path, header) in plan.variants.iter().zip(headers) {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        let found = score_columns(&plan.scores, header, &name, &taken);
        taken.extend(found.iter().map(|column| column.name().to_owned()));
        columns.push(found);
    }
    let first = plan.variants[0].display();
    if let Some(missing) = plan.scores.iter().find(|name| !taken.contains(name)) {
        bail!("{first}: the header does not define `{missing}`, which --score asks for");
    }
    if taken.is_empty() {
        bail!("{first}: there is no score to evaluate");
    }
    Ok(columns)
}

/// The sample of each file: the one named, in hap.py's and vcfeval's files that of the calls, else
/// the first.
fn choose_samples(
    plan: &EvalPlan,
    headers: &[&VcfHeader],
    columns: &[Vec<ScoreColumn>],
) -> Result<Vec<usize>> {
    let first: Vec<&str> = headers[0].samples().collect();
    let usual = match plan.labels {
        LabelPlan::Happy => Some("QUERY"),
        LabelPlan::Vcfeval => Some("CALLS").filter(|name| first.contains(name)),
        _ => None,
    };
    if plan.sample.is_none() && usual.is_none() && first.len() > 1 {
        log::warn!(
            "there are {} samples; the first, `{}`, is evaluated",
            first.len(),
            first[0]
        );
    }
    let columns = columns.iter().map(Vec::as_slice);
    let files: Vec<_> = headers.iter().copied().zip(columns).collect();
    sample_indices(&files, plan.sample.as_deref().or(usual)).map_err(|missing| {
        let hint = match plan.labels {
            LabelPlan::Happy => "; --labels happy takes hap.py's annotated VCF (PREFIX.vcf.gz)",
            _ => "",
        };
        let path = plan.variants[missing.file].display();
        anyhow::anyhow!("{path}: {missing}{hint}")
    })
}

fn open_strata(plan: &EvalPlan, known: &ContigTable) -> Result<Vec<(String, IntervalSet)>> {
    let mut strata: Vec<(String, IntervalSet)> = Vec::new();
    for (name, path) in &plan.strata {
        let set = regions::read_file(path, &format!("stratum `{name}`"), known)?;
        let contigs: BTreeSet<String> = set.contigs().map(String::from).collect();
        check_shared_contig(&contigs, known)
            .with_context(|| format!("{}: stratum `{name}`", path.display()))?;
        strata.push((name.clone(), set));
    }
    Ok(strata)
}

/// Bases of whole contigs, from a reference that may be absent.
pub(super) struct Bases {
    reader: Option<FastaReader>,
    known: ContigTable,
}

impl Bases {
    fn open(plan: &EvalPlan, calls: &VcfHeader) -> Result<Self> {
        let Some(path) = &plan.reference else {
            return Ok(Self {
                reader: None,
                known: ContigTable::default(),
            });
        };
        let reference = Reference::open(path)?;
        contigs::compare(&calls.contigs(), reference.contigs()).map_err(|mismatch| {
            let advice = "give the reference that the calls were made with";
            another_reference(&plan.variants[0], path, &mismatch, advice)
        })?;
        Ok(Self {
            known: reference.contigs().clone(),
            reader: Some(reference.reader()?),
        })
    }

    /// All bases of a contig; none where the reference does not have it.
    pub(super) fn contig(&mut self, contig: &str) -> Result<Vec<u8>, IoError> {
        match &mut self.reader {
            Some(reader) if self.known.get(contig).is_some() => {
                let block = reader.block(contig, 0, u64::MAX)?;
                Ok(block.into_bases())
            }
            _ => Ok(Vec::new()),
        }
    }
}
