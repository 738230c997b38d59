//! The calls: header, index, caller, and some of their records.

use std::collections::BTreeMap;
use std::path::Path;

use super::inputs::OpenedReference;
use super::{Report, file_name};
use crate::commands::encoding::Call;
use crate::commands::score::{ScorePlan, checks};
use crate::io::IoError;
use crate::io::bgzf_tail::{head, tail};
use crate::io::regions;
use crate::io::text_source::without_last_block;
use crate::io::vcf_reader::{CallsIndex, Counts, NotIndexed, VcfReader};
use cnnfilter_core::doctor::{
    AnnotationSurvey, Caller, Check, Finding, Ploidies, counted, judge_annotations, judge_caller,
    judge_genotypes,
};
use cnnfilter_core::genome::{Contig, ContigTable, Interval, IntervalSet};
use cnnfilter_core::networks::Model;
use cnnfilter_core::vcf::header::field;
use cnnfilter_core::vcf::{Genotype, VcfHeader};

/// Calls that are looked at, at most.
const CALLS: usize = 512;
/// Stretches of the genome that they are taken from, where the calls have an index.
const STRETCHES: usize = 16;
/// Records that are passed on the way to those of the regions, where they have none.
const MOST_PASSED: usize = 100_000;

/// Calls whose header was read.
pub(super) struct Calls {
    reader: VcfReader,
    index: Option<CallsIndex>,
}

/// Opens the calls.
pub(super) fn look(score: &ScorePlan, model: Option<&Model>, report: &mut Report) -> Option<Calls> {
    const CHECK: Check = Check::Calls;
    let reader = report.take(CHECK, VcfReader::open(&score.variants))?;
    let reader = reader.with_order(score.order);
    let index = report.take(CHECK, reader.index())?;
    report.add(match &index {
        Ok(index) => Finding::ok(CHECK, with_index(score, reader.header(), index)),
        Err(why) => without_index(score, reader.header(), why),
    });
    if index == Err(NotIndexed::NotBgzipped) {
        let last = report.take(CHECK, ends_in_a_line(&score.variants))?;
        report.findings.extend(last);
    }
    let index = index.ok();
    report.facts.records = index.as_ref().and_then(|index| index.records);
    if let Some(model) = model {
        let caller = Caller::of(reader.header());
        report.add(judge_caller(caller.as_ref(), model.card()));
        report.facts.caller = caller;
        if let Some(note) = checks::undefined_annotations(model, &reader) {
            report.add(Finding::warning(Check::Annotations, note));
        }
    }
    Some(Calls { reader, index })
}

/// A warning where plain text does not end with a line feed.
fn ends_in_a_line(path: &Path) -> Result<Option<Finding>, IoError> {
    let is_gzip = head(path, 2)? == [0x1f, 0x8b];
    if is_gzip || tail(path, 1)?.ends_with(b"\n") {
        return Ok(None);
    }
    let found = format!(
        "{}: the last line has no line feed: the file may be cut off there",
        file_name(path)
    );
    let advice = "make it again, or add one if you know it to be whole";
    Ok(Some(Finding::warning(Check::Calls, found).advise(advice)))
}

/// Name, version of the format, samples.
fn described(score: &ScorePlan, header: &VcfHeader) -> String {
    let version = header.meta().first().and_then(|line| line.split_once('='));
    format!(
        "{}: {}, {}",
        file_name(&score.variants),
        version.map_or("VCF", |(_, version)| version),
        counted(header.samples().count() as u64, "sample")
    )
}

fn with_index(score: &ScorePlan, header: &VcfHeader, index: &CallsIndex) -> String {
    let records = index.records.map_or(String::new(), |records| {
        format!(" of {}", counted(records, "record"))
    });
    format!("{}, with an index{records}", described(score, header))
}

fn without_index(score: &ScorePlan, header: &VcfHeader, why: &NotIndexed) -> Finding {
    const CHECK: Check = Check::Calls;
    let described = described(score, header);
    match why {
        NotIndexed::CutOff => {
            Finding::fault(CHECK, without_last_block(&score.variants).to_string())
        }
        NotIndexed::Unfit(what) => Finding::warning(CHECK, format!("{described}; {what}"))
            .advise("regions (-L) cannot be sought without it"),
        _ if score.regions.is_empty() => Finding::ok(
            CHECK,
            format!("{described}, without an index (only -L needs one)"),
        ),
        _ => Finding::warning(
            CHECK,
            format!("{described}; {why}: all of it is read for -L"),
        )
        .advise("write it with bgzip and make an index (`bcftools index`)"),
    }
}

impl Calls {
    pub(super) fn header(&self) -> &VcfHeader {
        self.reader.header()
    }

    /// The contigs that matter: those with records, where an index knows them, else those of the header.
    pub(super) fn contigs_with_records(&self) -> ContigTable {
        let header = self.header().contigs();
        let Some(index) = &self.index else {
            return header;
        };
        ContigTable::new(index.contigs.iter().map(|name| Contig {
            name: name.clone(),
            length: header.get(name).and_then(|contig| contig.length),
        }))
    }

    /// MD5 of the contigs, where the header has them.
    pub(super) fn checksums(&self) -> BTreeMap<String, String> {
        let lines = self.header().structured("contig");
        lines
            .filter_map(|body| {
                let checksum = field(body, "md5").or_else(|| field(body, "M5"))?;
                Some((field(body, "ID")?.to_owned(), checksum.to_ascii_lowercase()))
            })
            .collect()
    }

    /// Some calls, in the order of the file: of the regions of the run the first ones, else with an
    /// index of all parts of the genome, else the first ones.
    pub(super) fn sample(
        &self,
        score: &ScorePlan,
        reference: Option<&OpenedReference>,
        wanted: Option<&IntervalSet>,
        report: &mut Report,
    ) -> Vec<Call> {
        let found = match (wanted, &self.index) {
            (None, Some(index)) => self.of_stretches(score, reference, index),
            (wanted, index) => first(score, wanted, index.is_some(), CALLS),
        };
        let Some(calls) = report.take(Check::Calls, found) else {
            return Vec::new();
        };
        if calls.is_empty() {
            let found = "no record was found to look at";
            report.add(Finding::warning(Check::Calls, found));
        }
        report.facts.calls_sampled = calls.len();
        calls
    }

    fn of_stretches(
        &self,
        score: &ScorePlan,
        reference: Option<&OpenedReference>,
        index: &CallsIndex,
    ) -> Result<Vec<Call>, IoError> {
        let header = self.header().contigs();
        let length = |name: &String| {
            let of_reference = reference.and_then(|opened| opened.reference.contigs().get(name));
            let contig = of_reference.or_else(|| header.get(name))?;
            contig.length
        };
        let lengths: Vec<(&str, u64)> = index
            .contigs
            .iter()
            .filter_map(|name| Some((name.as_str(), length(name)?)))
            .collect();
        let mut calls: Vec<Call> = Vec::new();
        let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
        for (contig, mut stretch) in stretches(&lengths) {
            // Where the last stretch came past this one it goes on behind it.
            let reached = reached.entry(contig).or_default();
            stretch.start = stretch.start.max(*reached);
            let regions = IntervalSet::new([(contig.to_owned(), stretch)]);
            let found = first(score, Some(&regions), true, CALLS / STRETCHES)?;
            // POS counts from 1: it is the place behind the record's first base.
            *reached = found.last().map_or(*reached, |call| call.record.position());
            calls.extend(found);
        }
        // Contigs of unknown length, or calls in one corner of the genome.
        if calls.len() < CALLS / 4 {
            return first(score, None, true, CALLS);
        }
        Ok(calls)
    }
}

/// Where the calls of a genome are looked for: stretches from evenly spread places to the ends of their
/// contigs, in the order of the contigs given with their lengths.
fn stretches<'a>(contigs: &[(&'a str, u64)]) -> Vec<(&'a str, Interval)> {
    let total: u64 = contigs.iter().map(|(_, length)| length).sum();
    let mut found = Vec::new();
    let mut before = 0;
    for (contig, length) in contigs {
        let places = (0..STRETCHES as u64).map(|at| total / STRETCHES as u64 * at);
        let inside = places.filter(|place| (before..before + length).contains(place));
        found.extend(inside.map(|place| {
            let (start, end) = (place - before, *length);
            (*contig, Interval { start, end })
        }));
        before += length;
    }
    found
}

/// The first records of some regions.
fn first(
    score: &ScorePlan,
    wanted: Option<&IntervalSet>,
    is_indexed: bool,
    most: usize,
) -> Result<Vec<Call>, IoError> {
    let mut reader = VcfReader::open(&score.variants)?.with_order(score.order);
    if let (Some(wanted), true) = (wanted, is_indexed) {
        reader.restrict(wanted, Counts::Welcome)?;
    }
    let mut calls = Vec::new();
    let mut passed = 0;
    while calls.len() < most && passed < MOST_PASSED {
        let Some((number, record)) = reader.next_record()? else {
            break;
        };
        if regions::hold(wanted, &record) {
            calls.push(Call { number, record });
        } else {
            passed += 1;
        }
    }
    Ok(calls)
}

/// Judges genotypes and annotations of the sampled calls.
pub(super) fn judge(model: &Model, columns: &[usize], calls: &[Call], report: &mut Report) {
    if calls.is_empty() {
        return;
    }
    let encoder = model.encoder();
    let mut ploidies = Ploidies::default();
    let mut survey = AnnotationSurvey::new(encoder);
    for Call { record, .. } in calls {
        for column in columns {
            ploidies.count(record, *column);
        }
        // Of a cohort the first sample that has the call: in the others less is written.
        let carrier = columns.iter().find(|column| {
            let genotype = record.sample_value(**column, b"GT");
            genotype.is_some_and(|value| Genotype::parse(value).carries_alternate())
        });
        let column = carrier.or(columns.first()).copied().unwrap_or(0);
        survey.count(encoder, record, column);
    }
    let (finding, expected) = judge_annotations(&survey, model.card());
    report.add(finding);
    report.add(judge_genotypes(&ploidies));
    report.facts.annotations_per_call = Some(survey.mean());
    report.facts.annotations_in_training = expected;
    report.facts.ploidies = ploidies.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_lie_over_the_whole_genome() {
        let found = stretches(&[("a", 1_000), ("b", 10), ("c", 600)]);
        assert_eq!(found.len(), STRETCHES);
        let first = found[0];
        assert_eq!(
            (first.0, first.1),
            (
                "a",
                Interval {
                    start: 0,
                    end: 1_000
                }
            )
        );
        let of = |name| found.iter().filter(move |(contig, _)| *contig == name);
        assert_eq!((of("a").count(), of("c").count()), (10, 5));
        assert!(of("c").all(|(_, interval)| interval.end == 600 && interval.start < 600));
        assert!(stretches(&[]).is_empty());
    }
}
