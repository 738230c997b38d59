//! The end of a simulation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Summary;

/// A simulated sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct GenomeSummary {
    /// Stretches of the reference that were worked on.
    pub(crate) regions: usize,
    /// Bases in them.
    pub(crate) bases: usize,
    /// Bases where the truth is complete.
    pub(crate) confident_bases: u64,
    /// Substitutions of one base in the truth.
    pub(crate) snps: usize,
    /// Insertions and deletions.
    pub(crate) indels: usize,
    /// Substitutions of several bases.
    pub(crate) multi: usize,
    /// The variants given with `--variants`.
    pub(crate) given: GivenCounts,
}

/// Variants that the user gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct GivenCounts {
    /// Records read.
    pub(crate) read: u64,
    /// Records that lie in the regions.
    pub(crate) inside: usize,
    /// Records that the sample carries.
    pub(crate) taken: usize,
    /// Records that it does not carry, by reason.
    pub(crate) left_out: BTreeMap<String, u64>,
    /// The same as a line of text, in the order of the checks.
    #[serde(skip)]
    pub(crate) left_out_text: Option<String>,
}

impl Summary for GenomeSummary {
    const COMMAND: &'static str = "simulate genome";

    fn to_text(&self) -> String {
        let mut text = format!(
            "{} regions, {} bases ({} confident); {} SNPs, {} indels, {} multi-nucleotide, of these {} of {} given ones\n",
            self.regions,
            self.bases,
            self.confident_bases,
            self.snps,
            self.indels,
            self.multi,
            self.given.taken,
            self.given.inside,
        );
        if let Some(left_out) = &self.given.left_out_text {
            text += left_out;
            text.push('\n');
        }
        text
    }
}

/// Read pairs with errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReadsSummary {
    /// Pairs read.
    pub(crate) pairs: u64,
}

impl Summary for ReadsSummary {
    const COMMAND: &'static str = "simulate reads";

    fn to_text(&self) -> String {
        format!("{} pairs\n", self.pairs)
    }
}
