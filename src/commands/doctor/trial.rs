//! Some of the calls, scored as `score` scores them.

use rayon::ThreadPool;

use super::Report;
use crate::commands::encoding::inputs::Parts;
use crate::commands::encoding::{Call, Inputs, Workers, read_notes};
use crate::commands::score::ScorePlan;
use crate::commands::score::shards::score_chunk;
use cnnfilter_core::annotate::{Annotator, ScoreCounts};
use cnnfilter_core::doctor::{Check, Finding, counted};
use cnnfilter_core::encode::kind::Skip;
use cnnfilter_core::networks::Model;

/// Examples that are made, one a call and sample: a cohort must not take minutes.
const EXAMPLES: usize = 2_048;
/// Fewest calls of a cohort.
const FEWEST: usize = 16;

/// Scores some calls: REF against the reference, read groups, damaged reads, all shows as in a run.
pub(super) fn run(
    score: &ScorePlan,
    model: &Model,
    parts: Parts<'_>,
    calls: Vec<Call>,
    pool: &ThreadPool,
    report: &mut Report,
) {
    if calls.is_empty() {
        return;
    }
    let inputs = Inputs::join(parts);
    let most = (EXAMPLES / inputs.samples.len().max(1)).max(FEWEST);
    let calls = spread(calls, most);
    let tried = calls.len() as u64;
    let columns = inputs.samples.iter().map(|sample| sample.column).collect();
    let annotator = Annotator::new(model, columns, inputs.columns).with_reasons(score.explain);
    let workers = Workers::default();
    let scored = score_chunk(calls, score.order, &annotator, &inputs, pool, &workers);
    let Some(shards) = report.take(Check::Trial, scored) else {
        return;
    };
    let mut counts = ScoreCounts::default();
    shards
        .iter()
        .for_each(|shard| counts.add(&shard.summary.counts));
    let read_counts = workers.read_counts();
    let mut notes = read_notes(&read_counts, &inputs);
    let spliced = if read_counts.spliced > 0 {
        notes.pop()
    } else {
        None
    };
    let as_warnings = |check, notes: Vec<String>| -> Vec<Finding> {
        let notes = notes.into_iter();
        notes
            .map(|note| {
                Finding::warning(
                    check,
                    format!("at {}: {note}", counted(tried, "sampled call")),
                )
            })
            .collect()
    };
    report.overrule(Check::ReadGroups, as_warnings(Check::ReadGroups, notes));
    let spliced = spliced.into_iter().collect();
    report.overrule(Check::ReadLength, as_warnings(Check::ReadLength, spliced));
    report.findings.extend(judge(tried, &counts));
    let scored = counts.scored.iter();
    report.facts.scored = scored.map(|(kind, count)| (kind.name(), *count)).collect();
    let skipped = counts.skipped.iter();
    report.facts.not_scored = skipped
        .map(|(skip, count)| (skip.reason(), *count))
        .collect();
}

/// At most so many calls, evenly spread, in their order.
fn spread(calls: Vec<Call>, most: usize) -> Vec<Call> {
    let count = calls.len();
    if count <= most {
        return calls;
    }
    let is_taken = |at: &usize| at * most / count != (at + 1) * most / count;
    let numbered = calls.into_iter().enumerate();
    numbered
        .filter(|(at, _)| is_taken(at))
        .map(|(_, call)| call)
        .collect()
}

fn judge(tried: u64, counts: &ScoreCounts) -> Vec<Finding> {
    const CHECK: Check = Check::Trial;
    /// Share of the calls from which something is said about them.
    const MANY: f64 = 0.5;
    const SOME: f64 = 0.1;
    let is_at_least = |count: u64, share: f64| count > 0 && count as f64 >= share * tried as f64;
    let mut warnings = Vec::new();
    for (skip, count) in &counts.skipped {
        let found = format!(
            "no score for {count} of {}: {}",
            counted(tried, "call"),
            skip.reason()
        );
        let warning = Finding::warning(CHECK, found);
        warnings.extend(match skip {
            Skip::NoAlternate | Skip::NoSequence | Skip::Telomere => is_at_least(*count, MANY)
                .then(|| {
                    warning.advise(
                        "such records stay as they are; a gVCF is genotyped before it is scored",
                    )
                }),
            Skip::ContigNotInReference | Skip::ContigNotInReads => Some(
                warning
                    .advise("give the reference and reads of these calls, or leave the contig out"),
            ),
        });
    }
    if is_at_least(counts.without_reads, SOME) {
        let found = format!(
            "no read lies over {} of {}",
            counts.without_reads,
            counted(tried, "call")
        );
        let advice = "see that these are the reads that were called from, and not filtered away";
        warnings.push(Finding::warning(CHECK, found).advise(advice));
    }
    if !warnings.is_empty() {
        return warnings;
    }
    let kinds = counts.scored.iter();
    let mut parts: Vec<String> = kinds
        .map(|(kind, count)| format!("{count} {}", kind.name()))
        .collect();
    let skipped: u64 = counts.skipped.values().sum();
    if skipped > 0 {
        parts.push(format!("{skipped} left alone"));
    }
    let found = format!(
        "{} scored as in a run: {}",
        counted(tried, "call"),
        parts.join(", ")
    );
    vec![Finding::ok(CHECK, found)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use cnnfilter_core::doctor::Status;
    use cnnfilter_core::genome::VariantKind;
    use cnnfilter_core::vcf::VcfRecord;

    #[test]
    fn calls_of_a_cohort_are_thinned_evenly() {
        let calls = |count: u64| -> Vec<Call> {
            let record =
                |at: u64| VcfRecord::parse(format!("a\t{at}\t.\tA\tC\t.\t.\t.").into_bytes(), 8);
            let numbers = 1..=count;
            numbers
                .map(|number| Call {
                    number,
                    record: record(number).unwrap(),
                })
                .collect()
        };
        let numbers = |calls: Vec<Call>| calls.iter().map(|call| call.number).collect::<Vec<_>>();
        assert_eq!(numbers(spread(calls(3), 3)), [1, 2, 3]);
        assert_eq!(numbers(spread(calls(10), 5)), [2, 4, 6, 8, 10]);
        assert_eq!(spread(calls(512), 100).len(), 100);
    }

    #[test]
    fn calls_without_a_score_or_reads_are_told() {
        let counts = |skip: Skip, skipped, without_reads| ScoreCounts {
            scored: BTreeMap::from([(VariantKind::Snp, 100 - skipped)]),
            skipped: BTreeMap::from([(skip, skipped)]),
            without_reads,
            ..ScoreCounts::default()
        };
        for (skip, skipped, without_reads, status) in [
            (Skip::NoSequence, 0, 9, Status::Ok),
            (Skip::NoSequence, 0, 10, Status::Warning),
            (Skip::NoSequence, 49, 0, Status::Ok),
            (Skip::NoAlternate, 50, 0, Status::Warning),
            (Skip::ContigNotInReference, 1, 0, Status::Warning),
        ] {
            let found = judge(100, &counts(skip, skipped, without_reads));
            assert_eq!(found[0].status, status, "{found:?}");
        }
    }
}
