//! The end of `call`.

use serde::Serialize;

use super::{Summary, count_line};
use cnnfilter_core::candidates::CandidateSite;

/// Candidates that were found.
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
        text
    }
}
