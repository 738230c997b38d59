//! `cnnfilter doctor`: the checks of `score` before hours are spent on it, and whether the data is like
//! what the model was trained on.
//!
//! Every check is the code of `score` itself, a step at a time: where one step fails, the others that do
//! not need it are still made. Nothing is read whole: headers, indexes, some calls and the reads at some
//! places.

mod calls;
mod inputs;
mod reads;
mod trial;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rayon::ThreadPool;

use crate::commands::encoding::Call;
use crate::commands::encoding::inputs::{OpenedReads, Parts};
use crate::commands::score::{ScorePlan, checks, filters};
use crate::io::fasta::Reference;
use crate::io::{atomic, standard_output};
use crate::terminal::summary::{DoctorFacts, DoctorSummary};
use crate::terminal::threads;
use cnnfilter_core::doctor::{Check, Finding, Status};
use cnnfilter_core::networks::{Builtin, Model};
use cnnfilter_core::vcf::VcfHeader;

use calls::Calls;

/// Files of reads that are named.
const MOST_NAMED: usize = 3;

/// The run to look at.
#[derive(Debug, Clone)]
pub(crate) struct DoctorPlan {
    /// The run, as `score` would make it.
    pub(crate) score: ScorePlan,
    /// With ANSI colours.
    pub(crate) colour: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<Finding>,
    facts: DoctorFacts,
}

impl Report {
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The value of a step, or its error as a fault.
    fn take<T>(&mut self, check: Check, step: Result<T, impl Into<anyhow::Error>>) -> Option<T> {
        match step {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(Finding::fault(check, format!("{:#}", error.into())));
                None
            }
        }
    }

    /// Adds warnings in the place of an earlier finding that all is well.
    fn overrule(&mut self, check: Check, warnings: Vec<Finding>) {
        let at = self
            .findings
            .iter()
            .position(|finding| finding.check == check);
        if let (Some(at), false) = (at, warnings.is_empty()) {
            let is_ok = self.findings[at].status == Status::Ok;
            let replaced = at..at + usize::from(is_ok);
            self.findings.splice(replaced, warnings);
        }
    }

    fn has_fault(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.status == Status::Fault)
    }

    fn has_fault_of(&self, check: Check) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.status == Status::Fault && finding.check == check)
    }
}

/// Looks at the files of a run.
///
/// # Errors
/// Only where threads cannot be started; what is wrong with the files is a finding.
pub(crate) fn run(plan: &DoctorPlan) -> Result<DoctorSummary> {
    let score = &plan.score;
    let pool = threads::pool(score.threads)?;
    let mut report = Report::default();
    let model = look_at_model(score, &pool, &mut report);
    look_at_output(score, &mut report);
    let reference = inputs::reference(score, &mut report);
    let calls = calls::look(score, model.as_ref(), &mut report);
    let uses_reads = model
        .as_ref()
        .map_or_else(|| !score.encoding.reads.is_empty(), Model::uses_reads);
    let reads = match &reference {
        Some(reference) if uses_reads => reads::open(score, &reference.reference, &mut report),
        _ => Vec::new(),
    };
    let agree = inputs::contigs(
        score,
        calls.as_ref(),
        &reads,
        reference.as_ref(),
        &mut report,
    );
    let mut sampled = Vec::new();
    if let Some(calls) = &calls {
        let wanted = inputs::regions(score, calls, reference.as_ref(), &mut report);
        sampled = calls.sample(score, reference.as_ref(), wanted.as_ref(), &mut report);
    }
    if let (Some(model), Some(calls), Some(reference)) = (model, calls, reference) {
        let opened = Opened {
            model,
            calls,
            reference: reference.reference,
            reads,
            agree,
            sampled,
        };
        look_together(score, opened, &pool, &mut report);
    }
    Ok(DoctorSummary::new(
        named_files(score),
        report.findings,
        report.facts,
        plan.colour,
    ))
}

/// What could be opened.
struct Opened {
    model: Model,
    calls: Calls,
    reference: Arc<Reference>,
    reads: Vec<OpenedReads>,
    /// True where all are about the same reference.
    agree: bool,
    /// Some of the calls.
    sampled: Vec<Call>,
}

/// Samples, their reads, and calls in the light of both.
fn look_together(score: &ScorePlan, opened: Opened, pool: &ThreadPool, report: &mut Report) {
    let (model, reads) = (&opened.model, &opened.reads);
    let header = opened.calls.header();
    // Without one of the files its samples would seem to have no reads.
    let assigned = match report.has_fault_of(Check::Reads) {
        true => None,
        false => inputs::samples(score, model, header, reads, report),
    };
    let Some(assigned) = assigned else {
        let columns: Vec<usize> = (0..header.samples().count().max(1)).collect();
        return calls::judge(model, &columns, &opened.sampled, report);
    };
    let filter = score.encoding.read_filter.resolve(model.encoder());
    let depths = match model.uses_reads() {
        // Reads are looked for on the contigs of the reference.
        true if opened.agree => pool.install(|| {
            reads::look(
                score,
                model,
                &assigned,
                reads,
                filter,
                &opened.reference,
                report,
            )
        }),
        true => None,
        false => Some(vec![0.0; assigned.samples.len()]),
    };
    let columns = assigned.samples.iter().map(|sample| sample.column);
    let columns: Vec<usize> = columns.collect();
    calls::judge(model, &columns, &opened.sampled, report);
    let Some(depths) = depths.filter(|_| !report.has_fault()) else {
        return;
    };
    let contigs = reads.iter().map(|file| file.header.contigs.clone());
    let parts = Parts {
        variants: (&score.variants, header),
        reference: Arc::clone(&opened.reference),
        encoder: model.encoder().clone(),
        read_filter: filter,
        reads_contigs: contigs.collect(),
        assigned,
        depths,
    };
    trial::run(score, model, parts, opened.sampled, pool, report);
}

/// The files of the run, by their names alone.
fn named_files(score: &ScorePlan) -> Vec<String> {
    let encoding = &score.encoding;
    let mut names = vec![file_name(&score.variants)];
    match &encoding.reads[..] {
        reads if reads.len() <= MOST_NAMED => {
            names.extend(reads.iter().map(|path| file_name(path)))
        }
        reads => names.push(format!("{} files of reads", reads.len())),
    }
    names.push(file_name(&encoding.reference));
    names
}

/// A file as findings name it.
fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn look_at_model(score: &ScorePlan, pool: &ThreadPool, report: &mut Report) -> Option<Model> {
    const CHECK: Check = Check::Model;
    let model = report.take(CHECK, pool.install(|| score.load_model()))?;
    let card = model.card();
    report.facts.model = Some(card.name.clone());
    report.facts.weights_sha256 = Some(card.weights_sha256.clone());
    report.take(CHECK, checks::check_options(score, &model));
    if let Some(aim) = score.filter {
        // The header takes the names of the filters, and is thrown away.
        let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO".to_owned();
        let header = VcfHeader::parse(vec!["##fileformat=VCFv4.2".to_owned(), columns]);
        let filter = header
            .map_err(anyhow::Error::from)
            .and_then(|mut header| filters::Filter::new(&model, aim, &mut header));
        report.take(CHECK, filter);
    }
    if let Some(note) = checks::ignored_reads(score, &model) {
        let advice = "leave -I out, or give a model that reads reads";
        report.add(Finding::warning(CHECK, note).advise(advice));
    }
    if report.findings.is_empty() {
        let is_builtin = Builtin::named(&card.name)
            .is_some_and(|_| score.model.as_ref().is_none_or(|path| !path.exists()));
        let place = if is_builtin {
            ", inside the program"
        } else {
            ""
        };
        let takes = if model.uses_reads() {
            "from reads"
        } else {
            "without reads"
        };
        let found = format!("{}{place}: scores {takes}, as {}", card.name, card.info_key);
        report.add(Finding::ok(CHECK, found));
    }
    Some(model)
}

/// Where the output will stand: a folder that is missing shows when hours are gone.
fn look_at_output(score: &ScorePlan, report: &mut Report) {
    let target = &score.output.path;
    if standard_output::is_meant(target) {
        return;
    }
    let checked = standard_output::check(target).and_then(|()| atomic::check_target(target));
    if report.take(Check::Output, checked).is_some() {
        let found = format!("{} can be written", target.display());
        report.add(Finding::ok(Check::Output, found));
    }
}
