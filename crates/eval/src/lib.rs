//! Figures with intervals that tell how good a score of variant calls is, and reports of them. Pure
//! functions on values, no I/O.
//!
//! ```text
//! calls ── records of calls and their labels become a JudgedTable and, at the end, a Report
//!      │
//! JudgedTable ─ ranking (one sort a score and kind) ─┬─ curves, metrics   exact figures, all records
//!      │                                            └─ binned, bootstrap intervals, paired differences
//!      ├─ strata (BEDs, size, ALT fraction, depth, genotype)
//!      ├─ calibration, histogram
//!      └─ no_truth, at_filter, worst, genotypes
//!      │
//! report ── TSV, JSON, text, HTML
//! ```
//!
//! [`evaluate`] computes all figures of a [`JudgedTable`]. SNPs and indels are never mixed. A figure that
//! does not exist is an [`Undefined`] with its reason, never NaN. Natural prevalence is the prevalence of
//! the table; balanced figures weigh every true call 1/P and every false call 1/N. Labels come with the
//! table, and so does their rule (by allele, or by allele and genotype): nothing here judges a call.
//!
//! # Evaluating a score
//!
//! ```
//! use cnnfilter_eval::classes::{
//!     Classes, FilterState, Kind, Label, RangeClass, SizeClass, Substitution, Zygosity,
//! };
//! use cnnfilter_eval::{EvalConfig, JudgedTable, Metric, Record, evaluate};
//!
//! // Four SNPs with one score; the false one is ranked third.
//! let mut table = JudgedTable::new(vec!["QUAL".into()], Vec::new())?;
//! for (pos, (score, label)) in (0..).zip([
//!     (90.0, Label::True),
//!     (70.0, Label::True),
//!     (50.0, Label::False),
//!     (30.0, Label::True),
//! ]) {
//!     table.push(Record {
//!         classes: Classes {
//!             kind: Kind::Snp,
//!             label,
//!             filter: FilterState::Unfiltered,
//!             size: SizeClass::None,
//!             alt_fraction: RangeClass::UNKNOWN,
//!             depth: RangeClass::depth(30.0),
//!             zygosity: Zygosity::Het,
//!             substitution: Substitution::Transition,
//!         },
//!         strata: 0,
//!         contig: 0,
//!         pos,
//!         scores: &[score],
//!     })?;
//! }
//! let config = EvalConfig { resamples: 0, ..EvalConfig::default() };
//! let evaluation = evaluate(&table, &config)?;
//! let snps = &evaluation.cells[0];
//! assert_eq!((snps.kind, snps.stratum.as_str()), (Kind::Snp, "all"));
//! // Average precision: 1/3 of the recall at precision 1, 1/3 at 1, 1/3 at 3/4.
//! let pr_auc = snps.figure(Metric::PrAuc.name()).and_then(|e| e.value.clone().ok());
//! assert!((pr_auc.unwrap() - (1.0 + 1.0 + 0.75) / 3.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod at_filter;
mod average_precision;
mod binned;
mod bootstrap;
mod calibration;
pub mod calls;
pub mod classes;
mod curves;
mod evaluate;
mod genotypes;
mod histogram;
mod metrics;
mod no_truth;
mod ranking;
pub mod report;
mod result;
mod strata;
mod table;
mod undefined;
mod worst;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod reference;

pub use at_filter::{FilterCounts, FilterFigures, FilterRow};
pub use average_precision::average_precision;
pub use bootstrap::Interval;
pub use calibration::{ReliabilityBin, ReliabilityCurve};
pub use curves::{CurvePoint, Curves, Threshold};
pub use evaluate::{EvalConfig, EvalError, evaluate};
pub use genotypes::{GenotypeFigure, GenotypeQualityBin, GenotypeRows};
pub use histogram::Histogram;
pub use metrics::Metric;
pub use no_truth::ScoreBin;
pub use result::{Cell, Difference, Estimate, Evaluation, ScoreHistogram};
pub use table::{JudgedTable, MAX_STRATA, MissedTruth, Record, TableError};
pub use undefined::{Figure, Undefined};
