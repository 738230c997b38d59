//! Results to bytes: TSV, JSON, a summary for the terminal, one HTML page. No figure is computed here.
//!
//! Each writer takes a [`Report`] and returns a `String`; files are the caller's business.

mod html;
mod html_tables;
mod json;
mod number;
mod text;
mod tsv;
mod worst_table;

#[cfg(test)]
mod tests;

pub use html::html;
pub use json::json;
pub use text::text;
pub use tsv::tsv;
pub use worst_table::worst_table;

use serde::Serialize;

use crate::at_filter::FilterFigures;
use crate::classes::Kind;
use crate::genotypes::GenotypeRows;
use crate::no_truth::ScoreBin;
use crate::{Evaluation, Undefined};
use cnnfilter_core::label::GivenLabel;

/// Everything that is written.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Title of the page, for example the name of the call set.
    pub title: String,
    /// Program version, command, inputs and their checksums, by name, in the order to print.
    pub provenance: Vec<(String, String)>,
    /// Figures of the scores.
    pub evaluation: Evaluation,
    /// Figures at the FILTER column; empty where there was no filter.
    pub at_filter: Vec<FilterRows>,
    /// Genotypes against the truth's; empty where copies are not known.
    pub genotypes: Vec<GenotypeRows>,
    /// Ti/Tv and het/hom by score bin; empty where not asked for.
    pub no_truth: Vec<NoTruthRows>,
    /// The worst false positives and false negatives.
    pub worst: Vec<WorstRecord>,
}

/// Figures at the FILTER column in one stratum.
#[derive(Debug, Clone, Serialize)]
pub struct FilterRows {
    /// SNP or indel.
    pub kind: Kind,
    /// Name of the stratum.
    pub stratum: String,
    /// Rows `ALL` and `PASS`.
    pub rows: Vec<FilterFigures>,
}

/// Score bins of one score and kind.
#[derive(Debug, Clone)]
pub struct NoTruthRows {
    /// SNP or indel.
    pub kind: Kind,
    /// Name of the score.
    pub score: String,
    /// Bins by descending score, or why there are none.
    pub bins: Result<Vec<ScoreBin>, Undefined>,
}

impl Serialize for NoTruthRows {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            kind: Kind,
            score: &'a str,
            bins: Option<&'a [ScoreBin]>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        }
        Flat {
            kind: self.kind,
            score: &self.score,
            bins: self.bins.as_deref().ok(),
            reason: self.bins.as_ref().err().map(Undefined::to_string),
        }
        .serialize(serializer)
    }
}

/// How a record is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorstSort {
    /// False, but scored high.
    FalsePositive,
    /// True, but scored low or not at all.
    FalseNegative,
}

impl WorstSort {
    /// `false positive` or `false negative`.
    pub fn name(self) -> &'static str {
        match self {
            WorstSort::FalsePositive => "false positive",
            WorstSort::FalseNegative => "false negative",
        }
    }
}

/// One record that a score gets wrong, with what may explain it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorstRecord {
    /// Name of the score.
    pub score: String,
    /// SNP or indel.
    pub kind: Kind,
    /// How it is wrong.
    pub sort: WorstSort,
    /// The truth's verdict on it, whatever the match rule makes of that.
    #[serde(skip)]
    pub label: GivenLabel,
    /// Contig name.
    pub contig: String,
    /// 1-based position, as in the VCF.
    pub pos: u64,
    /// REF.
    pub reference: String,
    /// ALT.
    pub alternate: String,
    /// The score; `None` where it is missing.
    pub value: Option<f32>,
    /// FILTER as written.
    pub filter: String,
    /// Read depth.
    pub depth: Option<u32>,
    /// Fraction of the reads with the ALT allele, 0 to 1.
    pub alt_fraction: Option<f32>,
    /// Mean or root mean square mapping quality.
    pub mapping_quality: Option<f32>,
    /// Repeat context, for example `A×12`.
    pub repeat: Option<String>,
    /// Names of the strata that hold it.
    pub strata: Vec<String>,
    /// The address of its reads, relative to the page; for the page alone.
    #[serde(skip)]
    pub link: Option<String>,
}
