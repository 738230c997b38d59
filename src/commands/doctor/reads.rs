//! The reads: files, read groups, depth, lengths, flags.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Report, file_name};
use crate::commands::encoding::inputs::{OpenedReads, open_reads, reads_files};
use crate::commands::score::ScorePlan;
use crate::io::IoError;
use crate::io::alignment::check_groups;
use crate::io::depth::{self, SampleSurvey};
use crate::io::fasta::Reference;
use cnnfilter_core::doctor::{
    Check, Finding, ReadSurvey, counted, judge_depth, judge_flags, judge_lengths,
};
use cnnfilter_core::genome::{ReadFilter, Refusal};
use cnnfilter_core::networks::Model;
use cnnfilter_core::samples::{Assignment, RoutedFile};

/// Samples whose reads are looked at.
const SAMPLES: usize = 8;

/// Opens each file of reads; those that cannot be opened are faults.
pub(super) fn open(
    score: &ScorePlan,
    reference: &Arc<Reference>,
    report: &mut Report,
) -> Vec<OpenedReads> {
    const CHECK: Check = Check::Reads;
    let before = report.findings.len();
    let paths = report.take(CHECK, reads_files(&score.encoding.reads));
    let mut opened = Vec::new();
    for path in paths.unwrap_or_default() {
        let Some(file) = report.take(CHECK, open_reads(path, reference)) else {
            continue;
        };
        if let Some(note) = &file.header.note {
            report.add(Finding::warning(CHECK, note));
        }
        opened.push(file);
    }
    if report.findings.len() == before && !opened.is_empty() {
        report.add(Finding::ok(CHECK, described(&opened)));
    }
    opened
}

fn described(opened: &[OpenedReads]) -> String {
    let kind = |file: &OpenedReads| if file.header.is_cram { "CRAM" } else { "BAM" };
    match opened {
        [file] => format!(
            "{}: a whole {}, with its index",
            file_name(&file.named.path),
            kind(file)
        ),
        files => {
            let crams = files.iter().filter(|file| file.header.is_cram).count();
            let kinds = match (files.len() - crams, crams) {
                (bams, 0) => format!("{bams} BAM files"),
                (0, crams) => format!("{crams} CRAM files"),
                (bams, crams) => format!("{bams} BAM and {crams} CRAM files"),
            };
            format!("{kinds}, all whole and with their indexes")
        }
    }
}

/// Looks at read groups, depth, lengths and flags. Returns a depth for every sample, nothing where a file is at
/// fault.
pub(super) fn look(
    score: &ScorePlan,
    model: &Model,
    assigned: &Assignment,
    opened: &[OpenedReads],
    filter: ReadFilter,
    reference: &Arc<Reference>,
    report: &mut Report,
) -> Option<Vec<f32>> {
    if !groups(&assigned.files, opened, reference, report) {
        return None;
    }
    let surveyed = survey(score, assigned, filter, reference);
    let surveyed = report.take(Check::Reads, surveyed)?;
    Some(surveyed.judge(model, assigned, report))
}

/// Do the first reads of each file belong to groups in its header? False where those of one do not.
fn groups(
    files: &[RoutedFile],
    opened: &[OpenedReads],
    reference: &Arc<Reference>,
    report: &mut Report,
) -> bool {
    const CHECK: Check = Check::ReadGroups;
    let mut fit = true;
    for file in files {
        fit &= report.take(CHECK, check_groups(file, reference)).is_some();
    }
    if fit {
        let groups = opened
            .iter()
            .map(|file| file.named.groups.len() as u64)
            .sum();
        let found = match groups {
            0 => "no header has any: all reads of a file are of one sample".to_owned(),
            groups => format!(
                "{} in the headers, and reads of them",
                counted(groups, "group")
            ),
        };
        report.add(Finding::ok(CHECK, found));
    }
    fit
}

/// Depths and reads of some samples.
struct Surveyed {
    /// Number of each sample among those of the run, and what was found.
    samples: Vec<(usize, SampleSurvey)>,
    /// The depth of every sample, where the user gives it.
    given: Option<f32>,
}

/// Looks at the reads of some samples, as `score` looks for their depth.
///
/// # Errors
/// Where a file is damaged.
fn survey(
    score: &ScorePlan,
    assigned: &Assignment,
    filter: ReadFilter,
    reference: &Arc<Reference>,
) -> Result<Surveyed, IoError> {
    let count = assigned.samples.len();
    let chosen: Vec<usize> = (0..count.min(SAMPLES))
        .map(|at| at * count / count.min(SAMPLES))
        .collect();
    let samples = chosen
        .into_par_iter()
        .map(|sample| {
            let found = depth::survey(&assigned.files, sample, filter, reference)?;
            Ok((sample, found))
        })
        .collect::<Result<_, IoError>>()?;
    Ok(Surveyed {
        samples,
        given: score.encoding.sample_depth,
    })
}

impl Surveyed {
    /// Judges depth, lengths and flags. Returns a depth for every sample: of those that were not looked at
    /// the middle one.
    fn judge(self, model: &Model, assigned: &Assignment, report: &mut Report) -> Vec<f32> {
        let found: Vec<f32> = self.samples.iter().map(|(_, one)| one.depth).collect();
        let depths = match self.given {
            Some(given) => vec![given],
            None => found.clone(),
        };
        report.add(judge_depth(&depths, model.card().training.as_ref()));
        let mut reads = ReadSurvey::default();
        for (sample, one) in &self.samples {
            reads.add(&one.reads);
            let name = assigned.samples[*sample].name.clone().unwrap_or_default();
            report.facts.depths.insert(name, one.depth);
        }
        report.add(judge_lengths(&reads));
        report.add(judge_flags(&reads));
        let facts = &mut report.facts;
        facts.reads_sampled = reads.reads;
        facts.read_length_median = reads.median_length();
        facts.read_length_longest = reads.lengths.keys().max().copied();
        facts.duplicates = reads.share(Refusal::Duplicate);
        facts.secondary = reads.share(Refusal::Secondary);
        facts.supplementary = reads.share(Refusal::Supplementary);
        let mut sorted = depths;
        sorted.sort_unstable_by(f32::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let mut of_samples = vec![middle; assigned.samples.len()];
        if self.given.is_none() {
            for ((sample, _), depth) in self.samples.iter().zip(found) {
                of_samples[*sample] = depth;
            }
        }
        of_samples
    }
}
