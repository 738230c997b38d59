//! The end of `call`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Summary, count_line};
use cnnfilter_core::annotate::ScoreCounts;
use cnnfilter_core::candidates::CandidateSite;
use cnnfilter_core::vcf::VcfRecord;

/// Candidates that were found, and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct CallSummary {
    /// Samples.
    pub(crate) samples: usize,
    /// Bases of the reference that were looked at.
    pub(crate) bases: u64,
    /// Records.
    pub(crate) sites: u64,
    /// Their ALTs of as many bases as REF.
    pub(crate) substitutions: u64,
    /// Those with more.
    pub(crate) insertions: u64,
    /// Those with fewer.
    pub(crate) deletions: u64,
    /// Blocks of a GVCF.
    #[serde(skip_serializing_if = "is_none")]
    pub(crate) blocks: u64,
    /// Records by FILTER, where they are judged.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) filters: BTreeMap<String, u64>,
    /// Scores and genotypes.
    #[serde(skip)]
    pub(crate) counts: ScoreCounts,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl CallSummary {
    /// Counts a record.
    pub(crate) fn add(&mut self, site: &CandidateSite) {
        self.sites += 1;
        for alternate in &site.alternates {
            let count = match alternate.len().cmp(&site.reference.len()) {
                std::cmp::Ordering::Less => &mut self.deletions,
                std::cmp::Ordering::Equal => &mut self.substitutions,
                std::cmp::Ordering::Greater => &mut self.insertions,
            };
            *count += 1;
        }
    }

    /// Counts a record that was judged.
    pub(crate) fn count(&mut self, record: &VcfRecord) {
        let filter = String::from_utf8_lossy(record.filter()).into_owned();
        *self.filters.entry(filter).or_default() += 1;
    }
}

impl Summary for CallSummary {
    const COMMAND: &'static str = "call";

    fn to_text(&self) -> String {
        let mut text = String::new();
        count_line(&mut text, "bases of the reference", self.bases);
        count_line(&mut text, "records", self.sites);
        count_line(&mut text, "  substitutions", self.substitutions);
        count_line(&mut text, "  insertions", self.insertions);
        count_line(&mut text, "  deletions", self.deletions);
        if self.blocks > 0 {
            count_line(&mut text, "blocks between them", self.blocks);
        }
        for (skip, count) in &self.counts.skipped {
            count_line(&mut text, &format!("not judged: {}", skip.reason()), *count);
        }
        for (filter, count) in &self.filters {
            count_line(&mut text, &format!("FILTER {filter}"), *count);
        }
        text
    }
}
