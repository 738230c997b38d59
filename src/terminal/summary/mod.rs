//! The end of every run: a summary, as text for the screen and as JSON for `--summary-json`.
//!
//! The JSON holds counts and figures and no times, so that it has the same bytes for any number of
//! threads. Its keys are documented in `docs/src/summary-json.md`.

mod call;
mod completions;
mod doctor;
mod embed;
mod embed_map;
mod embed_summary;
mod eval;
mod filter;
mod import;
mod inspect;
mod man;
mod measure;
mod quantize;
mod score;
mod serve;
mod shards;
mod simulate;
mod tensors;
mod train;
mod view;

use serde::Serialize;

use super::multiqc::Section;

pub(crate) use call::CallSummary;
pub(crate) use completions::CompletionsSummary;
pub(crate) use doctor::{DoctorFacts, DoctorSummary};
pub(crate) use embed::EmbedSummary;
pub(crate) use embed_map::EmbedMapSummary;
pub(crate) use embed_summary::NoveltySummary;
pub(crate) use eval::EvalSummary;
pub(crate) use import::{ImportSummary, Imported};
pub(crate) use inspect::{InspectSummary, InspectedCall};
pub(crate) use man::ManSummary;
pub(crate) use measure::MeasureSummary;
pub(crate) use quantize::QuantizeSummary;
pub(crate) use score::ScoreSummary;
pub(crate) use serve::ServeSummary;
pub(crate) use shards::ShardsSummary;
pub(crate) use simulate::{GenomeSummary, GivenCounts, ReadsSummary};
pub(crate) use tensors::TensorsSummary;
pub(crate) use train::TrainSummary;
pub(crate) use view::ViewSummary;

/// The end of a run. Its serialized fields are the keys of the JSON.
pub(crate) trait Summary: Serialize {
    /// The command as the user types it.
    const COMMAND: &'static str;

    /// Lines for the screen.
    fn to_text(&self) -> String;

    /// The section of a report by MultiQC; nothing where the command has none.
    fn section(&self) -> Option<Section> {
        None
    }
}

/// The summary as JSON, behind the command and the program's version, with a line feed at the end.
///
/// # Errors
/// None that a summary can give: its keys are strings.
pub(crate) fn to_json<S: Summary>(summary: &S) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a, S> {
        command: &'static str,
        version: &'static str,
        #[serde(flatten)]
        summary: &'a S,
    }
    let document = Document {
        command: S::COMMAND,
        version: env!("CARGO_PKG_VERSION"),
        summary,
    };
    let mut json = serde_json::to_vec_pretty(&document)?;
    json.push(b'\n');
    Ok(json)
}

/// A line of a table: a count behind its name.
fn count_line(text: &mut String, what: &str, count: u64) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{what:<58} {count:>10}");
}
