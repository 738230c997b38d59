//! How good is a score: figures with intervals from judged records. Pure functions on values, no I/O.
//!
//! ```text
//! JudgedTable ─ ranking (one sort a score and kind) ─┬─ curves, metrics   exact figures, all records
//!      │                                            └─ binned, bootstrap intervals, paired differences
//!      ├─ strata (BEDs, size, ALT fraction, depth, genotype)
//!      ├─ calibration, histogram
//!      └─ no_truth, at_filter, worst
//! ```
//!
//! [`evaluate`] runs all of it over a [`JudgedTable`]. SNPs and indels are never mixed. A figure that does
//! not exist is an [`Undefined`] with its reason, never NaN. Natural prevalence is what the table holds;
//! balanced figures weigh every true call 1/P and every false call 1/N. Labels come with the table, and
//! so does their rule (by allele, or by allele and genotype): nothing here judges a call.

pub mod at_filter;
mod average_precision;
mod binned;
pub mod bootstrap;
pub mod calibration;
pub mod classes;
pub mod curves;
mod evaluate;
pub mod histogram;
pub mod metrics;
pub mod no_truth;
mod ranking;
pub mod report;
mod result;
pub mod strata;
pub mod table;
pub mod undefined;
pub mod worst;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod reference;

pub use average_precision::average_precision;
pub use binned::MAX_BINS;
pub use evaluate::{EvalConfig, EvalError, evaluate};
pub use metrics::Metric;
pub use result::{Cell, Difference, Estimate, Evaluation, ScoreHistogram};
pub use strata::Stratum;
pub use table::{JudgedTable, MissedTruth, Record};
pub use undefined::{Figure, Undefined};
