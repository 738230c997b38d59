//! `cnnfilter eval`: how good every score of a call set is, against a truth set.
//!
//! Calls, truth and reference are read a contig at a time and become one table
//! ([`cnnfilter_eval::JudgedTable`]); all figures come from that.

mod collect;
mod scores;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::collect::{Collection, FileOfCalls};
use self::scores::ScoreColumn;
use super::another_reference;
use super::labels::{LabelPlan, LabelSource, TruthRecords, Truths, by_truth};
use crate::io::fasta::{FastaReader, Reference};
use crate::io::vcf_reader::ContigGroups;
use crate::io::{IoError, atomic, regions};
use crate::terminal::threads;
use cnnfilter_core::genome::{Contig, ContigTable, IntervalSet, contigs};
use cnnfilter_core::label::{MatchRule, TruthCounts};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_eval::at_filter::at_filter;
use cnnfilter_eval::classes::Kind;
use cnnfilter_eval::no_truth::by_score_bin;
use cnnfilter_eval::report::{self, FilterRows, NoTruthRows, Report};
use cnnfilter_eval::{EvalConfig, Stratum, evaluate};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct EvalPlan {
    /// The calls; further files hold further scores of the same calls.
    pub variants: Vec<PathBuf>,
    /// Where labels come from.
    pub labels: LabelPlan,
    /// The reference; needed with a truth set.
    pub reference: Option<PathBuf>,
    /// When a record counts as true.
    pub rule: MatchRule,
    /// Names and files of strata.
    pub strata: Vec<(String, PathBuf)>,
    /// Scores by name; empty for all that are known.
    pub scores: Vec<String>,
    /// The score that the others are compared with; QUAL, where it is among them, else the first.
    pub baseline: Option<String>,
    /// Scores that are probabilities, beside those with `PROB` in their name.
    pub probabilities: Vec<String>,
    /// Sample of the calls; the first where there is none.
    pub sample: Option<String>,
    /// Regions as typed; empty for everything.
    pub regions: Vec<String>,
    /// Bootstrap resamples; 0 for no intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Worst records listed a score, kind and sort.
    pub worst: usize,
    /// Whether a run that judges no call fails.
    pub fail_on_empty: bool,
    /// Threads that work.
    pub threads: usize,
    /// Folder that gets the report.
    pub output: PathBuf,
}

/// Names of the files of a report.
const FILES: [&str; 4] = ["eval.tsv", "eval.json", "eval.html", "eval.txt"];

/// Evaluates the scores, writes the report and returns its summary for the terminal.
///
/// # Errors
/// Anything that is wrong with the inputs, or a report that cannot be written.
pub fn run(plan: &EvalPlan) -> Result<String> {
    atomic::create_folder(&plan.output)?;
    let pool = threads::pool(plan.threads)?;
    let report = match pool.install(|| evaluate_calls(plan)) {
        Ok(report) => report,
        Err(error) => {
            atomic::remove_empty_folder(&plan.output);
            return Err(error);
        }
    };
    let text = report::text(&report);
    let contents = [
        report::tsv(&report),
        report::json(&report)?,
        report::html(&report)?,
        text.clone(),
    ];
    if let Err(error) = write_all(&plan.output, &contents) {
        atomic::remove_empty_folder(&plan.output);
        return Err(error.into());
    }
    Ok(text)
}

/// Writes the files of a report: all of them or, where one cannot be written, none.
fn write_all(folder: &Path, contents: &[String]) -> Result<(), IoError> {
    let files = FILES.iter().zip(contents);
    let prepared = files
        .map(|(name, content)| atomic::prepare(&folder.join(name), content.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    prepared
        .into_iter()
        .try_for_each(atomic::PendingFile::commit)
}

/// Bases of whole contigs, from a reference that may be absent.
struct Bases {
    reader: Option<FastaReader>,
    known: ContigTable,
}

impl Bases {
    fn open(plan: &EvalPlan, calls: &ContigGroups) -> Result<Self> {
        let Some(path) = &plan.reference else {
            return Ok(Self {
                reader: None,
                known: ContigTable::default(),
            });
        };
        let reference = Reference::open(path)?;
        contigs::compare(&calls.header().contigs(), reference.contigs()).map_err(|mismatch| {
            let advice = "give the reference that the calls were made with";
            another_reference(&plan.variants[0], path, &mismatch, advice)
        })?;
        Ok(Self {
            known: reference.contigs().clone(),
            reader: Some(reference.reader()?),
        })
    }

    /// All bases of a contig; none where the reference does not have it.
    fn of(&mut self, contig: &str) -> Result<Vec<u8>, IoError> {
        match &mut self.reader {
            Some(reader) if self.known.get(contig).is_some() => {
                let block = reader.block(contig, 0, u64::MAX)?;
                Ok(block.into_bases())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Reads everything and computes all figures.
fn evaluate_calls(plan: &EvalPlan) -> Result<Report> {
    let mut files = Vec::new();
    for path in &plan.variants {
        files.push(ContigGroups::open(path)?);
    }
    let columns = score_columns(plan, &files)?;
    let names: Vec<String> = columns.iter().flatten().map(|c| c.name.clone()).collect();
    if names.is_empty() {
        bail!(
            "{}: there is no score to evaluate",
            plan.variants[0].display()
        );
    }
    let samples = sample_indices(plan, &files, &columns)?;
    let sample = samples[0];
    let mut calls = files.remove(0);
    let mut bases = Bases::open(plan, &calls)?;
    let mut known = calls.header().contigs();
    if known.is_empty() {
        known = bases.known.clone();
    }
    let regions = if plan.regions.is_empty() {
        None
    } else {
        Some(regions::read(&plan.regions, &known)?)
    };
    if let Some(regions) = &regions {
        for file in files.iter_mut().chain([&mut calls]) {
            file.restrict(regions)?;
        }
    }
    let mut strata: Vec<(String, IntervalSet)> = Vec::new();
    for (name, path) in &plan.strata {
        if strata.iter().any(|(other, _)| other == name) {
            bail!("--stratify: the name `{name}` stands twice");
        }
        let set = regions::read_file(path, &format!("stratum `{name}`"), &known)?;
        let contigs: BTreeSet<String> = set.contigs().map(String::from).collect();
        let what = format!("{}: stratum `{name}`", path.display());
        check_contigs(&what, &contigs, &known)?;
        strata.push((name.clone(), set));
    }
    let name_of_sample = calls.header().samples().nth(sample).map(String::from);
    let mut source = LabelSource::open(
        &plan.labels,
        (&plan.variants[0], calls.header()),
        name_of_sample.as_deref(),
    )?;
    for (what, contigs) in source.contigs() {
        check_contigs(what, &contigs, &known)?;
    }
    let mut collection = Collection::new(names.clone(), strata, plan.worst)?;
    if !source.knows_missed() {
        collection.table.forget_missed();
    }
    let mut unmatched = vec![0u64; files.len()];
    let mut truth = TruthCounts::default();
    let mut truth_records = TruthRecords::default();
    let mut outside = 0u64;
    let mut seen = Vec::new();
    while let Some((contig, mut records)) = calls.next_contig()? {
        let before = records.len();
        records.retain(|record| regions::hold(regions.as_ref(), record));
        outside += (before - records.len()) as u64;
        let contig_bases = bases.of(&contig)?;
        let labels = source.label(
            &contig,
            &records,
            sample,
            &contig_bases,
            plan.rule,
            regions.as_ref(),
        )?;
        let mut others = Vec::new();
        for file in &mut files {
            others.push(file.take(&contig)?);
        }
        let side_by_side = join(&records, &others, &columns, &samples);
        for (count, file) in unmatched.iter_mut().zip(&side_by_side[1..]) {
            *count += file
                .records
                .iter()
                .filter(|record| record.is_none())
                .count() as u64;
        }
        collection.add(&contig, &records, &labels, &side_by_side, &contig_bases)?;
        collection.add_missed(&contig, &labels.missed)?;
        add_counts(&mut truth, labels.truth_counts);
        truth_records.add(labels.truth_records);
        seen.push(Contig {
            name: contig,
            length: None,
        });
    }
    outside += calls.left_out();
    let seen = ContigTable::new(seen);
    for (path, count) in plan.variants[1..].iter().zip(&unmatched) {
        if *count > 0 {
            log::warn!(
                "{}: {count} calls of {} are not in it (same position, REF and ALT); there its scores count as missing",
                path.display(),
                plan.variants[0].display()
            );
        }
    }
    let (rest, truth_sample, confident) = source.contigs_without_calls()?;
    if !rest.is_empty() && regions.is_none() {
        log::warn!(
            "the truth has {} contigs without a call ({}, ...); what it has there counts as missed unless -L leaves it out",
            rest.len(),
            rest[0].0
        );
    }
    for (contig, records) in rest {
        if let Some(other) = seen.other_spelling(&contig) {
            bail!(
                "the truth says `{contig}` where the calls say `{other}`; use one spelling in both"
            );
        }
        let contig_bases = bases.of(&contig)?;
        let truths = Truths {
            records,
            sample: truth_sample,
            confident: confident.as_ref(),
        };
        let labels = by_truth(
            &contig,
            &[],
            0,
            truths,
            &contig_bases,
            plan.rule,
            regions.as_ref(),
        );
        collection.add_missed(&contig, &labels.missed)?;
        add_counts(&mut truth, labels.truth_counts);
        truth_records.add(labels.truth_records);
    }
    if let LabelPlan::Truth { truth: path, .. } = &plan.labels {
        truth_records.warn(path);
    }
    check_judged(plan, &collection)?;
    assemble(plan, &names, &collection, truth, &truth_records, outside)
}

/// The score columns of each file.
fn score_columns(plan: &EvalPlan, files: &[ContigGroups]) -> Result<Vec<Vec<ScoreColumn>>> {
    let mut taken = Vec::new();
    let mut columns = Vec::new();
    for (path, file) in plan.variants.iter().zip(files) {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        let found = scores::columns(&plan.scores, file.header(), &name, &taken);
        taken.extend(found.iter().map(|column| column.name.clone()));
        columns.push(found);
    }
    if let Some(missing) = plan.scores.iter().find(|name| !taken.contains(name)) {
        bail!(
            "{}: the header does not define `{missing}`, which --score asks for",
            plan.variants[0].display()
        );
    }
    Ok(columns)
}

/// The sample of each file: the one named, in hap.py's and vcfeval's files that of the calls, else
/// the first; in further files the one of the same name.
fn sample_indices(
    plan: &EvalPlan,
    files: &[ContigGroups],
    columns: &[Vec<ScoreColumn>],
) -> Result<Vec<usize>> {
    let first: Vec<&str> = files[0].header().samples().collect();
    let usual = match plan.labels {
        LabelPlan::Happy => Some("QUERY"),
        LabelPlan::Vcfeval => Some("CALLS").filter(|name| first.contains(name)),
        _ => None,
    };
    let name = plan.sample.as_deref().or(usual).or(first.first().copied());
    if plan.sample.is_none() && usual.is_none() && first.len() > 1 {
        log::warn!(
            "there are {} samples; the first, `{}`, is evaluated",
            first.len(),
            first[0]
        );
    }
    let mut indices = Vec::new();
    for ((path, file), columns) in plan.variants.iter().zip(files).zip(columns) {
        let samples: Vec<&str> = file.header().samples().collect();
        let found = samples.iter().position(|sample| Some(*sample) == name);
        let is_needed = indices.is_empty() || columns.iter().any(ScoreColumn::is_of_a_sample);
        indices.push(match (found, name) {
            (Some(index), _) => index,
            (None, Some(name)) if is_needed => {
                let hint = match plan.labels {
                    LabelPlan::Happy => {
                        "; --labels happy takes hap.py's annotated VCF (PREFIX.vcf.gz)"
                    }
                    _ => "",
                };
                bail!("{}: there is no sample `{name}`{hint}", path.display())
            }
            (None, _) => 0,
        });
    }
    Ok(indices)
}

/// Something on none of the calls' contigs is a mistake, not an empty set.
fn check_contigs(what: &str, contigs: &BTreeSet<String>, known: &ContigTable) -> Result<()> {
    let is_shared = contigs.iter().any(|contig| known.get(contig).is_some());
    if known.is_empty() || contigs.is_empty() || is_shared {
        return Ok(());
    }
    let spelling = contigs.iter().find_map(|contig| {
        let other = known.other_spelling(contig)?;
        Some(format!(" (`{contig}` there is `{other}` in the calls)"))
    });
    bail!(
        "{what}: no contig in common with the calls{}",
        spelling.unwrap_or_default()
    )
}

/// For each record of the first file its counterpart in the others: the same position and alleles.
fn join<'a>(
    records: &'a [VcfRecord],
    others: &'a [Vec<VcfRecord>],
    columns: &'a [Vec<ScoreColumn>],
    samples: &[usize],
) -> Vec<FileOfCalls<'a>> {
    let mut files = vec![FileOfCalls {
        columns: &columns[0],
        sample: samples[0],
        records: records.iter().map(Some).collect(),
    }];
    for ((other, columns), sample) in others.iter().zip(&columns[1..]).zip(&samples[1..]) {
        let by_alleles: HashMap<_, &VcfRecord> = other
            .iter()
            .map(|record| ((record.position(), record.alleles()), record))
            .collect();
        files.push(FileOfCalls {
            columns,
            sample: *sample,
            records: records
                .iter()
                .map(|record| {
                    by_alleles
                        .get(&(record.position(), record.alleles()))
                        .copied()
                })
                .collect(),
        });
    }
    files
}

fn add_counts(total: &mut TruthCounts, more: TruthCounts) {
    total.called_snps += more.called_snps;
    total.missed_snps += more.missed_snps;
    total.called_indels += more.called_indels;
    total.missed_indels += more.missed_indels;
}

/// Says so where no call is judged, so that every figure is undefined; an error where the user wants it.
fn check_judged(plan: &EvalPlan, collection: &Collection) -> Result<()> {
    if matches!(plan.labels, LabelPlan::Nothing) || collection.judged() > 0 {
        return Ok(());
    }
    let reasons = collection.unjudged();
    let message = format!(
        "{}: NOTHING IS JUDGED: no call has a label, every figure is NA ({})",
        plan.variants[0].display(),
        if reasons.is_empty() {
            "there is no call".to_owned()
        } else {
            reasons
        }
    );
    if plan.fail_on_empty {
        bail!("{message}");
    }
    log::warn!("{message}; --fail-on-empty makes this an error");
    Ok(())
}

/// All figures, with what is known about their making.
fn assemble(
    plan: &EvalPlan,
    names: &[String],
    collection: &Collection,
    truth: TruthCounts,
    truth_records: &TruthRecords,
    outside: u64,
) -> Result<Report> {
    let table = &collection.table;
    let baseline = match &plan.baseline {
        Some(name) => name.clone(),
        None => names
            .iter()
            .find(|name| *name == "QUAL")
            .unwrap_or(&names[0])
            .clone(),
    };
    let mut probabilities: Vec<String> = names
        .iter()
        .filter(|name| name.contains("PROB"))
        .cloned()
        .collect();
    probabilities.extend(plan.probabilities.iter().cloned());
    probabilities.sort_unstable();
    probabilities.dedup();
    let is_judged = !matches!(plan.labels, LabelPlan::Nothing);
    let config = EvalConfig {
        match_rule: match &plan.labels {
            LabelPlan::Nothing => "none".to_owned(),
            _ => plan.rule.name().to_owned(),
        },
        baseline: Some(baseline),
        probabilities,
        resamples: if is_judged { plan.resamples } else { 0 },
        seed: plan.seed,
        ..EvalConfig::default()
    };
    let evaluation = evaluate(table, &config)?;
    let mut filter_rows = Vec::new();
    let mut no_truth = Vec::new();
    for kind in Kind::ALL {
        if collection.is_filtered {
            for stratum in Stratum::enumerate(table, kind, config.difficult) {
                filter_rows.push(FilterRows {
                    kind,
                    stratum: stratum.name(table),
                    rows: at_filter(table, kind, stratum).to_vec(),
                });
            }
        }
        for (score, name) in names.iter().enumerate() {
            no_truth.push(NoTruthRows {
                kind,
                score: name.clone(),
                bins: by_score_bin(table, kind, score, 10),
            });
        }
    }
    Ok(Report {
        title: plan.variants[0]
            .file_name()
            .unwrap_or(plan.variants[0].as_os_str())
            .to_string_lossy()
            .into_owned(),
        provenance: provenance(plan, collection, truth, truth_records, outside),
        evaluation,
        at_filter: filter_rows,
        no_truth,
        worst: collection.worst_records(),
    })
}

/// What was compared, and what became of every record.
fn provenance(
    plan: &EvalPlan,
    collection: &Collection,
    truth: TruthCounts,
    truth_records: &TruthRecords,
    outside: u64,
) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| lines.push((what.to_owned(), value));
    if !matches!(plan.labels, LabelPlan::Nothing) && collection.judged() == 0 {
        line("NOTHING IS JUDGED", "no call has a label".to_owned());
    }
    line(
        "program",
        format!("cnnfilter {}", env!("CARGO_PKG_VERSION")),
    );
    for path in &plan.variants {
        line("calls", path.display().to_string());
    }
    match &plan.labels {
        LabelPlan::Truth {
            truth, confident, ..
        } => {
            line("truth", truth.display().to_string());
            let everywhere = "not given: the truth counts as complete everywhere".to_owned();
            let path = confident.as_ref().map(|path| path.display().to_string());
            line("confident regions", path.unwrap_or(everywhere));
        }
        LabelPlan::Happy => line("labels", "hap.py's, from FORMAT/BD".to_owned()),
        LabelPlan::Vcfeval => line("labels", "vcfeval's, from INFO/CALL".to_owned()),
        LabelPlan::Table(path) => line("labels", path.display().to_string()),
        LabelPlan::Nothing => line("labels", "none".to_owned()),
    }
    if let Some(path) = &plan.reference {
        line("reference", path.display().to_string());
    }
    for (name, path) in &plan.strata {
        line(&format!("stratum {name}"), path.display().to_string());
    }
    for (what, value) in truth_records.notes() {
        line(what, value);
    }
    if outside > 0 {
        line("records outside the regions", outside.to_string());
    }
    for (kind, counts) in &collection.labels {
        let mut value = format!(
            "{} true, {} false",
            counts.true_records, counts.false_records
        );
        for (reason, count) in &counts.unjudged {
            // Writing to a string cannot fail.
            let _ = write!(value, ", {count} not judged ({reason})");
        }
        line(&format!("records, {kind}"), value);
    }
    if matches!(plan.labels, LabelPlan::Truth { .. }) {
        line(
            "truth alleles, SNP",
            format!("{} called, {} not", truth.called_snps, truth.missed_snps),
        );
        line(
            "truth alleles, INDEL",
            format!(
                "{} called, {} not",
                truth.called_indels, truth.missed_indels
            ),
        );
    }
    lines
}
