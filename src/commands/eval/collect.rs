//! From records to the table that the figures are computed from.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use rayon::prelude::*;

use super::scores::ScoreColumn;
use crate::commands::labels::{ContigLabels, MissedAllele};
use cnnfilter_core::genome::repeat::tandem_repeat;
use cnnfilter_core::genome::{Edit, record_kind};
use cnnfilter_core::genome::{IntervalSet, VariantKind};
use cnnfilter_core::label::{LabelCounts, RecordLabel, Site};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_core::vcf::record::parse_float;
use cnnfilter_eval::classes::{
    Classes, FilterState, Kind, Label, RangeClass, SizeClass, Substitution, Zygosity,
};
use cnnfilter_eval::report::{WorstRecord, WorstSort};
use cnnfilter_eval::worst::worst_among;
use cnnfilter_eval::{JudgedTable, MissedTruth, Record};

/// The table, and what is remembered beside it.
pub(super) struct Collection {
    /// All records that are SNPs or indels.
    pub table: JudgedTable,
    /// Labels given, by kind; records that are neither SNP nor indel under `other`.
    pub labels: BTreeMap<&'static str, LabelCounts>,
    /// Whether a record has anything but `.` in FILTER.
    pub is_filtered: bool,
    strata: Vec<IntervalSet>,
    /// Contig names by their number in the table.
    contigs: Vec<String>,
    /// What is worth telling of the records that a score gets most wrong so far.
    details: BTreeMap<usize, Details>,
    /// How many of those are kept a score, kind and sort.
    worst: usize,
}

/// A record that may be among the worst.
struct Details {
    reference: String,
    alternate: String,
    filter: String,
    depth: Option<f32>,
    alt_fraction: Option<f32>,
    mapping_quality: Option<f32>,
    repeat: Option<String>,
}

/// A record, ready for the table.
struct Row {
    classes: Classes,
    strata: u32,
    scores: Vec<f32>,
}

/// The columns of one file of calls, and its records on the contig at hand.
pub(super) struct FileOfCalls<'a> {
    /// Scores to read from it.
    pub columns: &'a [ScoreColumn],
    /// Its sample.
    pub sample: usize,
    /// Its record for each record of the first file.
    pub records: Vec<Option<&'a VcfRecord>>,
}

impl Collection {
    /// An empty collection.
    ///
    /// # Errors
    /// More strata than the table can hold.
    pub(super) fn new(
        scores: Vec<String>,
        strata: Vec<(String, IntervalSet)>,
        worst: usize,
    ) -> Result<Self> {
        let (names, strata): (Vec<_>, Vec<_>) = strata.into_iter().unzip();
        Ok(Self {
            table: JudgedTable::new(scores, names)?,
            labels: BTreeMap::new(),
            is_filtered: false,
            strata,
            contigs: Vec::new(),
            details: BTreeMap::new(),
            worst,
        })
    }

    /// Adds the records of one contig with their labels.
    ///
    /// # Errors
    /// A table that is full.
    pub(super) fn add(
        &mut self,
        contig: &str,
        records: &[VcfRecord],
        labels: &ContigLabels,
        files: &[FileOfCalls<'_>],
        bases: &[u8],
    ) -> Result<()> {
        let sample = files.first().map_or(0, |file| file.sample);
        let rows: Vec<Option<Row>> = records
            .par_iter()
            .zip(&labels.labels)
            .enumerate()
            .map(|(at, (record, label))| {
                let scores = files
                    .iter()
                    .flat_map(|file| {
                        let found = file.records[at];
                        file.columns.iter().map(move |column| {
                            found.map_or(f32::NAN, |record| column.value(record, file.sample))
                        })
                    })
                    .collect();
                let mut row = self.row(contig, record, (*label)?, scores, sample)?;
                row.classes.kind = labels.kinds[at].unwrap_or(row.classes.kind);
                Some(row)
            })
            .collect();
        let number = self.contigs.len() as u32;
        self.contigs.push(contig.to_owned());
        let first = self.table.len();
        let mut sources = Vec::new();
        for ((record, label), row) in records.iter().zip(&labels.labels).zip(rows) {
            let Some(label) = label else {
                continue;
            };
            let kind = row.as_ref().map_or("other", |row| row.classes.kind.name());
            self.labels.entry(kind).or_default().add(*label);
            let Some(row) = row else {
                continue;
            };
            self.is_filtered |= row.classes.filter != FilterState::Unfiltered;
            self.table.push(Record {
                classes: row.classes,
                strata: row.strata,
                contig: number,
                pos: u32::try_from(record.position().saturating_sub(1)).unwrap_or(u32::MAX),
                scores: &row.scores,
            })?;
            sources.push(record);
        }
        self.remember_worst(first..self.table.len(), &sources, sample, bases);
        Ok(())
    }

    /// Adds truth alleles that no call gives.
    ///
    /// # Errors
    /// A stratum that the table does not have; there is none.
    pub(super) fn add_missed(&mut self, contig: &str, missed: &[MissedAllele]) -> Result<()> {
        for allele in missed {
            let Site {
                start,
                reference,
                alternates,
                genotype,
            } = &allele.site;
            let alternate = std::slice::from_ref(&alternates[allele.alternate]);
            let Some(kind) = kind(reference, alternate) else {
                continue;
            };
            self.table.push_missed(MissedTruth {
                classes: Classes {
                    kind,
                    label: Label::True,
                    filter: FilterState::Unfiltered,
                    size: size(*start, reference, alternate),
                    alt_fraction: RangeClass::UNKNOWN,
                    depth: RangeClass::UNKNOWN,
                    zygosity: zygosity(genotype),
                    substitution: substitution(reference, alternate),
                },
                strata: self.strata_of(contig, *start, start + reference.len() as u64),
            })?;
        }
        Ok(())
    }

    /// Records that have a label.
    pub(super) fn judged(&self) -> u64 {
        let counts = self.labels.values();
        counts
            .map(|counts| counts.true_records + counts.false_records)
            .sum()
    }

    /// Why records have no label, with their numbers.
    pub(super) fn unjudged(&self) -> String {
        let mut sums = BTreeMap::new();
        for (reason, count) in self.labels.values().flat_map(|counts| &counts.unjudged) {
            *sums.entry(*reason).or_insert(0) += count;
        }
        let parts: Vec<String> = sums
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        parts.join(", ")
    }

    /// The records that each score gets most wrong.
    pub(super) fn worst_records(&self) -> Vec<WorstRecord> {
        let mut found = Vec::new();
        for kind in Kind::ALL {
            for (score, name) in self.table.score_names().iter().enumerate() {
                let candidates = self.details.keys().copied();
                let worst = worst_among(&self.table, kind, score, self.worst, candidates);
                for (sort, indices) in [
                    (WorstSort::FalsePositive, worst.false_positives),
                    (WorstSort::FalseNegative, worst.false_negatives),
                ] {
                    let records = indices
                        .into_iter()
                        .filter_map(|index| self.worst_record(index, score, name, kind, sort));
                    found.extend(records);
                }
            }
        }
        found
    }

    fn worst_record(
        &self,
        index: usize,
        score: usize,
        name: &str,
        kind: Kind,
        sort: WorstSort,
    ) -> Option<WorstRecord> {
        let details = self.details.get(&index)?;
        let value = self.table.column(score)[index];
        let (contig, position) = self.table.site(index);
        let strata = self.table.strata_names().iter().enumerate();
        Some(WorstRecord {
            score: name.to_owned(),
            kind,
            sort,
            contig: self.contigs[contig as usize].clone(),
            pos: u64::from(position) + 1,
            reference: details.reference.clone(),
            alternate: details.alternate.clone(),
            value: (!value.is_nan()).then_some(value),
            filter: details.filter.clone(),
            depth: details.depth.map(|depth| depth as u32),
            alt_fraction: details.alt_fraction,
            mapping_quality: details.mapping_quality,
            repeat: details.repeat.clone(),
            strata: strata
                .filter(|(bit, _)| self.table.stratum_bits(index) >> bit & 1 == 1)
                .map(|(_, name)| name.clone())
                .collect(),
        })
    }

    /// Keeps details of the records in `range` that are among the worst so far, and drops those of
    /// records that no longer are.
    fn remember_worst(
        &mut self,
        range: Range<usize>,
        sources: &[&VcfRecord],
        sample: usize,
        bases: &[u8],
    ) {
        let mut keep = Vec::new();
        for kind in Kind::ALL {
            for score in 0..self.table.score_names().len() {
                let candidates = self.details.keys().copied().chain(range.clone());
                let worst = worst_among(&self.table, kind, score, self.worst, candidates);
                keep.extend(worst.false_positives);
                keep.extend(worst.false_negatives);
            }
        }
        keep.sort_unstable();
        keep.dedup();
        let mut details = std::mem::take(&mut self.details);
        for index in keep {
            let known = match details.remove(&index) {
                Some(known) => known,
                None => Details::of(sources[index - range.start], sample, bases),
            };
            self.details.insert(index, known);
        }
    }

    fn row(
        &self,
        contig: &str,
        record: &VcfRecord,
        label: RecordLabel,
        scores: Vec<f32>,
        sample: usize,
    ) -> Option<Row> {
        let variant = record.variant()?;
        let kind = kind(&variant.reference, &variant.alternates)?;
        let genotype = record.sample_value(sample, b"GT").map(Site::parse_genotype);
        Some(Row {
            classes: Classes {
                kind,
                label: match label {
                    RecordLabel::True => Label::True,
                    RecordLabel::False => Label::False,
                    RecordLabel::Unjudged(_) => Label::Unjudged,
                },
                filter: match record.filter() {
                    b"." => FilterState::Unfiltered,
                    b"PASS" => FilterState::Pass,
                    _ => FilterState::Filtered,
                },
                size: size(variant.start, &variant.reference, &variant.alternates),
                alt_fraction: alt_fraction(record, sample)
                    .map_or(RangeClass::UNKNOWN, RangeClass::alt_fraction),
                depth: depth(record, sample).map_or(RangeClass::UNKNOWN, RangeClass::depth),
                zygosity: zygosity(&genotype.unwrap_or_default()),
                substitution: substitution(&variant.reference, &variant.alternates),
            },
            strata: self.strata_of(
                contig,
                variant.start,
                variant.start + variant.reference.len() as u64,
            ),
            scores,
        })
    }

    /// Bit i is set where REF overlaps stratum i.
    fn strata_of(&self, contig: &str, start: u64, end: u64) -> u32 {
        self.strata
            .iter()
            .enumerate()
            .filter(|(_, set)| set.overlaps(contig, start, end))
            .fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

impl Details {
    fn of(record: &VcfRecord, sample: usize, bases: &[u8]) -> Self {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (reference, alternates) = record.alleles();
        let at = record.position().saturating_sub(1) as usize;
        // A hundred bases on either side show any repeat that matters to a read.
        let from = at.saturating_sub(100).min(bases.len());
        let around = &bases[from..bases.len().min(at + 100).max(from)];
        Self {
            reference: lossy(reference),
            alternate: lossy(alternates),
            filter: lossy(record.filter()),
            depth: depth(record, sample),
            alt_fraction: alt_fraction(record, sample),
            // RMS mapping quality of GATK and bcftools, mean of freebayes' ALT reads.
            mapping_quality: record
                .info_float(b"MQ")
                .or_else(|| record.info_float(b"MQM")),
            repeat: tandem_repeat(around, at - from)
                .map(|repeat| format!("{}×{}", lossy(&repeat.unit_bases(around)), repeat.copies())),
        }
    }
}

fn kind(reference: &[u8], alternates: &[Vec<u8>]) -> Option<Kind> {
    match record_kind(reference, alternates) {
        VariantKind::Snp => Some(Kind::Snp),
        VariantKind::Indel => Some(Kind::Indel),
        VariantKind::Other => None,
    }
}

/// The class of the longest change of the record; of SNPs none.
fn size(start: u64, reference: &[u8], alternates: &[Vec<u8>]) -> SizeClass {
    if kind(reference, alternates) != Some(Kind::Indel) {
        return SizeClass::None;
    }
    alternates
        .iter()
        .filter_map(|alternate| Edit::trimmed(start, reference, alternate))
        .max_by_key(|edit| edit.deleted.max(edit.inserted.len() as u64))
        .map_or(SizeClass::None, |edit| {
            SizeClass::from_trimmed(edit.inserted.len(), edit.deleted as usize)
        })
}

fn substitution(reference: &[u8], alternates: &[Vec<u8>]) -> Substitution {
    match (reference, alternates) {
        ([from], [to]) if to.len() == 1 => Substitution::from_bases(*from, to[0]),
        _ => Substitution::None,
    }
}

fn zygosity(genotype: &[Option<u16>]) -> Zygosity {
    let is_alternate = |allele: &Option<u16>| allele.is_some_and(|allele| allele > 0);
    if !genotype.iter().any(is_alternate) {
        Zygosity::Unknown
    } else if genotype.iter().all(|allele| *allele == genotype[0]) {
        Zygosity::HomAlt
    } else {
        Zygosity::Het
    }
}

/// FORMAT/DP, else INFO/DP.
fn depth(record: &VcfRecord, sample: usize) -> Option<f32> {
    record
        .sample_value(sample, b"DP")
        .and_then(parse_float)
        .or_else(|| record.info_float(b"DP"))
}

/// Share of the reads in FORMAT/AD that have an ALT allele.
fn alt_fraction(record: &VcfRecord, sample: usize) -> Option<f32> {
    let counts: Vec<f32> = record
        .sample_value(sample, b"AD")?
        .split(|byte| *byte == b',')
        .map(parse_float)
        .collect::<Option<_>>()?;
    let total: f32 = counts.iter().sum();
    (counts.len() > 1 && total > 0.0).then(|| (total - counts[0]) / total)
}
