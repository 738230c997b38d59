//! The reference, contigs, regions and samples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::calls::Calls;
use super::{Report, file_name};
use crate::commands::encoding::inputs::{OpenedReads, agree, assign_samples};
use crate::commands::score::ScorePlan;
use crate::io::fasta::Reference;
use crate::io::regions;
use crate::io::sam_header::Sequences;
use cnnfilter_core::doctor::{
    Check, Finding, NamedContigs, counted, judge_contigs, some_names, spelling_advice, thousands,
};
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::genome::{ContigTable, IntervalSet, contigs as contig_tables};
use cnnfilter_core::networks::Model;
use cnnfilter_core::samples::{Assignment, NamedReads, SampleChoice};
use cnnfilter_core::vcf::VcfHeader;

/// The reference that was opened.
pub(super) struct OpenedReference {
    pub(super) reference: Arc<Reference>,
    /// Its `.dict`, where there is one that is its own.
    dictionary: Sequences,
}

/// Opens the reference and looks at its indexes.
pub(super) fn reference(score: &ScorePlan, report: &mut Report) -> Option<OpenedReference> {
    const CHECK: Check = Check::Reference;
    let path = &score.encoding.reference;
    let reference = report.take(CHECK, Reference::open(path))?;
    let mut warnings = Vec::new();
    for index in reference.stale_indexes() {
        let found = format!("{} is older than {}", index.display(), path.display());
        let advice = format!(
            "if the reference has changed since, make it again with `samtools faidx {}`",
            path.display()
        );
        warnings.push(Finding::warning(CHECK, found).advise(advice));
    }
    let dictionary = match reference.dictionary() {
        Ok(found) => found,
        Err(error) => {
            warnings.push(Finding::warning(CHECK, error.to_string()));
            None
        }
    };
    let has_dictionary = dictionary.is_some();
    let dictionary = own_dictionary(&reference, dictionary, &mut warnings);
    if warnings.is_empty() {
        let lengths = reference
            .contigs()
            .iter()
            .filter_map(|contig| contig.length);
        let found = format!(
            "{}: {}, {} bases, with its .fai{}",
            file_name(path),
            counted(reference.contigs().len() as u64, "contig"),
            thousands(lengths.sum()),
            if has_dictionary { " and .dict" } else { "" }
        );
        warnings.push(Finding::ok(CHECK, found));
    }
    report.findings.extend(warnings);
    Some(OpenedReference {
        reference,
        dictionary,
    })
}

/// The dictionary, unless it is of another reference.
fn own_dictionary(
    reference: &Reference,
    found: Option<(PathBuf, Sequences)>,
    warnings: &mut Vec<Finding>,
) -> Sequences {
    let Some((path, dictionary)) = found else {
        return Sequences::default();
    };
    let compared = agree(
        (&path, &dictionary.contigs),
        (reference.path(), reference.contigs()),
    );
    match compared {
        Ok(()) => dictionary,
        Err(error) => {
            let advice = format!(
                "score does not read it, GATK does: make it again with `samtools dict {}`",
                reference.path().display()
            );
            warnings.push(Finding::warning(Check::Reference, error.to_string()).advise(advice));
            Sequences::default()
        }
    }
}

/// Compares the contigs of all files that were opened, as `score` does, and beyond it. False where they
/// are not about the same reference.
pub(super) fn contigs(
    score: &ScorePlan,
    calls: Option<&Calls>,
    reads: &[OpenedReads],
    reference: Option<&OpenedReference>,
    report: &mut Report,
) -> bool {
    let (Some(calls), Some(reference)) = (calls, reference) else {
        return false;
    };
    let of_calls = calls.header().contigs();
    let of_calls = (score.variants.as_path(), &of_calls);
    let of_reference = (
        score.encoding.reference.as_path(),
        reference.reference.contigs(),
    );
    let mut pairs = vec![(of_calls, of_reference)];
    for file in reads {
        let of_reads = (file.named.path.as_path(), &file.header.contigs);
        pairs.extend([(of_reads, of_reference), (of_calls, of_reads)]);
    }
    let before = report.findings.len();
    for (left, right) in pairs {
        report.findings.extend(disagreement(left, right));
    }
    if report.findings.len() > before {
        return false;
    }
    let names: Vec<String> = reads
        .iter()
        .map(|file| file_name(&file.named.path))
        .collect();
    let checksums: Vec<_> = reads.iter().map(|file| file.header.checksums()).collect();
    let reads: Vec<NamedContigs<'_>> = (reads.iter().zip(&names).zip(&checksums))
        .map(|((file, name), checksums)| named(name, &file.header.contigs, checksums))
        .collect();
    let with_records = calls.contigs_with_records();
    let (calls_name, checksums) = (file_name(of_calls.0), calls.checksums());
    let reference_name = file_name(of_reference.0);
    report.findings.extend(judge_contigs(
        named(&calls_name, &with_records, &checksums),
        &reads,
        named(
            &reference_name,
            of_reference.1,
            &reference.dictionary.checksums,
        ),
    ));
    true
}

fn named<'a>(
    file: &'a str,
    contigs: &'a ContigTable,
    checksums: &'a BTreeMap<String, String>,
) -> NamedContigs<'a> {
    NamedContigs {
        file,
        contigs,
        checksums,
    }
}

/// The fault where `score` would refuse two files.
fn disagreement(left: (&Path, &ContigTable), right: (&Path, &ContigTable)) -> Option<Finding> {
    let error = agree(left, right).err()?;
    let fault = Finding::fault(Check::Contigs, error.to_string());
    let mismatch = contig_tables::compare(left.1, right.1).err();
    Some(match mismatch.as_ref().and_then(spelling_advice) {
        Some(advice) => fault.advise(advice),
        None => fault,
    })
}

/// The regions of the run; nothing for everywhere.
pub(super) fn regions(
    score: &ScorePlan,
    calls: &Calls,
    reference: Option<&OpenedReference>,
    report: &mut Report,
) -> Option<IntervalSet> {
    let of_calls = calls.header().contigs();
    let of_reference = reference.map(|opened| opened.reference.contigs());
    let of_reference = of_reference.into_iter().flat_map(ContigTable::iter);
    let known = ContigTable::new(of_calls.iter().chain(of_reference).cloned());
    let wanted = regions::wanted(&score.regions, &known);
    let wanted = report.take(Check::Regions, wanted)??;
    let intervals = wanted.contigs().flat_map(|contig| wanted.on(contig));
    let (count, bases) = intervals.fold((0, 0u64), |(count, bases), interval| {
        (
            count + 1,
            bases.saturating_add(interval.end - interval.start),
        )
    });
    let found = format!("{}, {} bases", counted(count, "region"), thousands(bases));
    report.add(match count {
        0 => Finding::warning(
            Check::Regions,
            "-L names no region: no record will be written",
        ),
        _ => Finding::ok(Check::Regions, found),
    });
    Some(wanted)
}

/// Assigns reads to samples, as `score` does.
pub(super) fn samples(
    score: &ScorePlan,
    model: &Model,
    header: &VcfHeader,
    opened: &[OpenedReads],
    report: &mut Report,
) -> Option<Assignment> {
    const CHECK: Check = Check::Samples;
    let encoder = model.encoder();
    let named: Vec<NamedReads> = opened.iter().map(|file| file.named.clone()).collect();
    let assigned = assign_samples(&score.encoding, encoder, header, &named);
    let assigned = report.take(CHECK, assigned)?;
    let columns: Vec<&str> = header.samples().collect();
    let mut warnings: Vec<Finding> = assigned
        .notes
        .iter()
        .map(|note| Finding::warning(CHECK, note))
        .collect();
    if warnings.is_empty() && score.encoding.sample_map.is_none() {
        warnings.extend(two_names(&columns, &named));
    }
    if columns.len() > 1
        && matches!(encoder, Encoder::Allele { .. })
        && score.encoding.samples == SampleChoice::Every
    {
        let found = format!(
            "{} samples were called together: QUAL and INFO are of all of them, and training had those of single samples",
            columns.len()
        );
        let advice = "measure on calls with a truth (`cnnfilter eval`)";
        warnings.push(Finding::warning(CHECK, found).advise(advice));
    }
    report.facts.samples = Some(assigned.samples.len());
    if warnings.is_empty() {
        let with_reads = if encoder.uses_reads() {
            ", with reads of its own"
        } else {
            ""
        };
        let found = match columns[..] {
            [] => "the calls have no sample: all reads are taken".to_owned(),
            [one] => format!("`{one}`{with_reads}"),
            _ => format!(
                "{}, {}",
                counted(columns.len() as u64, "sample"),
                some_names(columns)
            ),
        };
        warnings.push(Finding::ok(CHECK, found));
    }
    report.findings.extend(warnings);
    Some(assigned)
}

/// A warning where the one sample of the calls has another name in the reads: `score` takes both for
/// one, in silence.
fn two_names(columns: &[&str], reads: &[NamedReads]) -> Option<Finding> {
    let groups = reads.iter().flat_map(|file| &file.groups);
    let mut names: Vec<&str> = groups.filter_map(|group| group.sample.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    match (columns, &names[..]) {
        ([of_calls], [of_reads]) if of_calls != of_reads => {
            let found = format!(
                "the calls are of `{of_calls}`, the reads of `{of_reads}`: they are taken for one sample"
            );
            let advice = "see that they are; else give the reads of this sample";
            Some(Finding::warning(Check::Samples, found).advise(advice))
        }
        _ => None,
    }
}
