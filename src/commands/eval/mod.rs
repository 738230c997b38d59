//! `cnnfilter eval`: how good every score of a call set is, against a truth set.
//!
//! Calls, truth and reference are read a contig at a time. Labels and scores of every call are
//! collected in one table ([`cnnfilter_eval::calls`]); all figures come from that.

mod collect;
mod inputs;
mod provenance;
mod worst;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::inputs::Inputs;
use super::labels::{LabelPlan, warn_of_truth};
use super::view::{self, ViewPlan};
use crate::Stop;
use crate::io::{atomic, standard_output};
use crate::terminal::summary::EvalSummary;
use crate::terminal::threads;
use cnnfilter_core::genome::ContigTable;
use cnnfilter_core::label::{MatchRule, TruthCounts, TruthRecords};
use cnnfilter_eval::calls::{CallCollector, ReportSettings};
use cnnfilter_eval::report::{self, Report};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct EvalPlan {
    /// The calls; further files hold further scores of the same calls.
    pub(crate) variants: Vec<PathBuf>,
    /// Where labels come from.
    pub(crate) labels: LabelPlan,
    /// The reference; needed with a truth set.
    pub(crate) reference: Option<PathBuf>,
    /// When a record counts as true.
    pub(crate) rule: MatchRule,
    /// Names and files of strata.
    pub(crate) strata: Vec<(String, PathBuf)>,
    /// Scores by name; empty for all that are known.
    pub(crate) scores: Vec<String>,
    /// The score that the others are compared with; QUAL, where it is among them, else the first.
    pub(crate) baseline: Option<String>,
    /// Scores that are probabilities, beside those with `PROB` in their name.
    pub(crate) probabilities: Vec<String>,
    /// Sample of the calls; the first where there is none.
    pub(crate) sample: Option<String>,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// Bootstrap resamples; 0 for no intervals.
    pub(crate) resamples: usize,
    /// Seed of the resamples.
    pub(crate) seed: u64,
    /// Worst records listed a score, kind and sort.
    pub(crate) worst: usize,
    /// The page of the worst calls, without its labels; no page without.
    pub(crate) view: Option<Box<ViewPlan>>,
    /// A run that judges no call fails.
    pub(crate) fail_on_empty: bool,
    /// FORMAT key of the genotypes that count.
    pub(crate) genotype_key: String,
    /// Threads that work.
    pub(crate) threads: usize,
    /// Folder that gets the report.
    pub(crate) output: PathBuf,
}

/// Names of the files of a report.
pub(crate) const FILES: [&str; 4] = ["eval.tsv", "eval.json", "eval.html", "eval.txt"];

/// Names of the page of the worst calls and of their table.
pub(crate) const VIEW_FILES: [&str; 2] = ["view.html", "worst.tsv"];

/// Evaluates the scores and writes the report.
///
/// # Errors
/// Anything that is wrong with the inputs, or a report that cannot be written.
pub(crate) fn run(plan: &EvalPlan) -> Result<EvalSummary> {
    standard_output::check(Path::new("-"))?;
    atomic::create_folder(&plan.output)?;
    let written = write_report(plan);
    if written.is_err() {
        atomic::remove_empty_folder(&plan.output);
    }
    written
}

/// Writes the files of a report, with the page of the worst calls where it is asked for.
fn write_report(plan: &EvalPlan) -> Result<EvalSummary> {
    // Opened first: what is wrong with the reads is told before the work.
    let opened = plan.view.as_deref().map(view::open).transpose()?;
    let mut report = self::report(plan, &Stop::default())?;
    let shown = (plan.view.as_deref().zip(opened))
        .map(|(view, opened)| worst::show(view, opened, &mut report))
        .transpose()?;
    if shown.is_none() {
        warn_of_earlier_page(&plan.output);
    }
    let text = report::text(&report);
    let mut contents = vec![
        report::tsv(&report)?,
        report::json(&report)?,
        report::html(&report)?,
        text.clone(),
    ];
    let calls = shown.as_ref().map(|shown| shown.calls);
    contents.extend(shown.into_iter().flat_map(worst::Shown::into_files));
    let names = FILES.iter().chain(&VIEW_FILES);
    let files = names.zip(&contents);
    atomic::write_all(files.map(|(name, text)| (plan.output.join(name), text.as_bytes())))?;
    Ok(EvalSummary::new(&report, text, calls))
}

/// Says that a page of an earlier run stays in the folder, which the new report does not link to.
fn warn_of_earlier_page(folder: &Path) {
    let paths = VIEW_FILES.map(|name| folder.join(name));
    for path in paths.iter().filter(|path| path.exists()) {
        log::warn!(
            "{}: it is of an earlier run; --view makes it anew",
            path.display()
        );
    }
}

/// Counts of a run beside its table.
#[derive(Debug, Default)]
struct Tallies {
    /// Truth alleles called and missed.
    truth: TruthCounts,
    /// Records of the truth.
    truth_records: TruthRecords,
    /// Calls outside the regions asked for.
    outside: u64,
    /// Calls that each further file lacks.
    unmatched: Vec<u64>,
    /// Contigs with calls.
    contigs: ContigTable,
}

/// Evaluates the scores without writing anything.
///
/// # Errors
/// Anything that is wrong with the inputs, or that the run was told to stop.
pub(crate) fn report(plan: &EvalPlan, stop: &Stop) -> Result<Report> {
    let pool = threads::pool(plan.threads)?;
    pool.install(|| evaluate_calls(plan, stop))
}

/// Reads everything and computes all figures.
fn evaluate_calls(plan: &EvalPlan, stop: &Stop) -> Result<Report> {
    let mut inputs = Inputs::open(plan)?;
    let strata = std::mem::take(&mut inputs.strata);
    let quality_key = plan.genotype_key.replace("GT", "GQ");
    let mut collector = CallCollector::new(inputs.score_names(), strata, plan.worst)?
        .with_genotype_quality(&quality_key);
    if !inputs.source.knows_missed() {
        collector.forget_missed();
    }
    let mut tallies = Tallies {
        unmatched: vec![0; inputs.others.len()],
        ..Tallies::default()
    };
    while let Some((contig, records)) = inputs.calls.next_contig()? {
        stop.check()?;
        collect::add_contig(
            plan,
            &mut inputs,
            &contig,
            records,
            &mut collector,
            &mut tallies,
        )?;
    }
    tallies.outside += inputs.calls.left_out();
    collect::warn_of_unmatched(plan, &tallies.unmatched);
    collect::add_rest_of_truth(plan, inputs, &mut collector, &mut tallies)?;
    warn_of_truth(&plan.labels, &tallies.truth_records);
    check_judged(plan, &collector)?;
    let title = plan.variants[0].file_name();
    let settings = ReportSettings {
        title: title
            .unwrap_or(plan.variants[0].as_os_str())
            .to_string_lossy()
            .into_owned(),
        provenance: provenance::lines(plan, &collector, &tallies),
        match_rule: match plan.labels {
            LabelPlan::Nothing => None,
            _ => Some(plan.rule),
        },
        baseline: plan.baseline.clone(),
        probabilities: plan.probabilities.clone(),
        resamples: plan.resamples,
        seed: plan.seed,
    };
    Ok(collector.report(settings)?)
}

/// Warns where no call is judged, so that every figure is undefined; an error where the user wants it.
fn check_judged(plan: &EvalPlan, collector: &CallCollector) -> Result<()> {
    if matches!(plan.labels, LabelPlan::Nothing) || collector.judged() > 0 {
        return Ok(());
    }
    let reasons = collector.unjudged();
    let message = format!(
        "{}: NOTHING IS JUDGED: no call has a label, every figure is NA ({})",
        plan.variants[0].display(),
        reasons.as_deref().unwrap_or("there is no call")
    );
    if plan.fail_on_empty {
        bail!("{message}");
    }
    log::warn!("{message}; --fail-on-empty makes this an error");
    Ok(())
}
