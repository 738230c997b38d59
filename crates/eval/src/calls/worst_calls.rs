//! The records that each score gets most wrong, with what may explain them.

use std::collections::BTreeMap;
use std::ops::Range;

use cnnfilter_core::genome::repeat::tandem_repeat;
use cnnfilter_core::label::GivenLabel;
use cnnfilter_core::vcf::VcfRecord;

use super::record_classes::{alt_fraction, depth};
use crate::JudgedTable;
use crate::classes::Kind;
use crate::report::{WorstRecord, WorstSort};
use crate::worst::worst_among;

/// The worst records so far. Only of these details are kept, so that memory does not grow with the
/// number of calls.
#[derive(Debug)]
pub(super) struct WorstCalls {
    /// By index in the table.
    details: BTreeMap<usize, Details>,
    /// How many are kept a score, kind and sort.
    limit: usize,
}

/// A record as its file tells of it.
#[derive(Debug, Clone)]
struct Details {
    label: GivenLabel,
    reference: String,
    alternate: String,
    filter: String,
    depth: Option<f32>,
    alt_fraction: Option<f32>,
    mapping_quality: Option<f32>,
    repeat: Option<String>,
}

impl WorstCalls {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            details: BTreeMap::new(),
            limit,
        }
    }

    /// Looks at the records in `range` of the table, whose sources are given, and drops details of
    /// records that are no longer among the worst. `bases` is the whole contig.
    pub(super) fn update(
        &mut self,
        table: &JudgedTable,
        range: Range<usize>,
        sources: &[(&VcfRecord, GivenLabel)],
        sample: usize,
        bases: &[u8],
    ) {
        let mut keep = Vec::new();
        for kind in Kind::ALL {
            for score in 0..table.score_names().len() {
                let candidates = self.details.keys().copied().chain(range.clone());
                let worst = worst_among(table, kind, score, self.limit, candidates);
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
                None => Details::read(sources[index - range.start], sample, bases),
            };
            self.details.insert(index, known);
        }
    }

    /// The worst records by kind, score and sort. `contigs` holds the names by their number in the
    /// table.
    pub(super) fn records(&self, table: &JudgedTable, contigs: &[String]) -> Vec<WorstRecord> {
        let mut found = Vec::new();
        for kind in Kind::ALL {
            for score in 0..table.score_names().len() {
                let candidates = self.details.keys().copied();
                let worst = worst_among(table, kind, score, self.limit, candidates);
                for (sort, indices) in [
                    (WorstSort::FalsePositive, worst.false_positives),
                    (WorstSort::FalseNegative, worst.false_negatives),
                ] {
                    found.extend(indices.into_iter().filter_map(|index| {
                        let details = self.details.get(&index)?;
                        let (contig, _) = table.site(index);
                        let contig = &contigs[contig as usize];
                        Some(details.describe(table, index, score, contig, sort))
                    }));
                }
            }
        }
        found
    }
}

impl Details {
    fn read((record, label): (&VcfRecord, GivenLabel), sample: usize, bases: &[u8]) -> Self {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (reference, alternates) = record.alleles();
        let at = record.position().saturating_sub(1) as usize;
        // A hundred bases on either side show any repeat that matters to a read.
        let from = at.saturating_sub(100).min(bases.len());
        let around = &bases[from..bases.len().min(at + 100).max(from)];
        Self {
            label,
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

    fn describe(
        &self,
        table: &JudgedTable,
        index: usize,
        score: usize,
        contig: &str,
        sort: WorstSort,
    ) -> WorstRecord {
        let value = table.column(score)[index];
        let (_, position) = table.site(index);
        let strata = table.strata_names().iter().enumerate();
        WorstRecord {
            score: table.score_names()[score].clone(),
            kind: table.classes(index).kind(),
            sort,
            label: self.label,
            contig: contig.to_owned(),
            pos: u64::from(position) + 1,
            reference: self.reference.clone(),
            alternate: self.alternate.clone(),
            value: (!value.is_nan()).then_some(value),
            filter: self.filter.clone(),
            depth: self.depth.map(|depth| depth as u32),
            alt_fraction: self.alt_fraction,
            mapping_quality: self.mapping_quality,
            repeat: self.repeat.clone(),
            strata: strata
                .filter(|(bit, _)| table.stratum_bits(index) >> bit & 1 == 1)
                .map(|(_, name)| name.clone())
                .collect(),
            link: None,
        }
    }
}
