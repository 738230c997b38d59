//! From the records of calls and their labels to the table and the report.
//!
//! ```text
//! header ── score_columns, sample_indices ── which numbers are scores, which sample counts
//! records of all files ── SideBySide ── the scores of one call out of every file
//!      │
//! CallCollector::add, a contig at a time ── JudgedTable ── CallCollector::report
//! ```
//!
//! Positions of records are 1-based, as in VCF; everything else is 0-based.

mod collector;
mod contigs;
mod record_classes;
mod samples;
mod score_column;
mod side_by_side;
#[cfg(test)]
mod testing;
mod worst_calls;

pub use collector::{CallCollector, ReportSettings};
pub use contigs::{NoSharedContig, check_shared_contig};
pub use samples::{NoSample, sample_indices};
pub use score_column::{ScoreColumn, score_columns};
pub use side_by_side::{FileRecords, SideBySide};
