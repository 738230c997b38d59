//! Decides which of a variant caller's calls are real, from the calls, the reads and the reference,
//! with convolutional networks.
//!
//! The folders are the stages:
//!
//! ```text
//! cli ── what the user types becomes a plan
//!  └ commands ── run the plan
//!      io ── VCF, BAM, CRAM, FASTA, model folders (the only user of htslib)
//!      vcf ── a VCF's text: header and records, edited in place
//!      genome ── contigs, intervals, alleles, reads
//!      encode ── a call and its reads become a tensor
//!      model ── the networks (with train the only user of candle)
//!      train ── how networks learn
//!      label ── which call is right, by a truth set
//!      filter ── what a score means for FILTER: tranches, thresholds
//!      eval ── how good a score is
//!      report ── figures as TSV, JSON, text and a page
//!      runtime ── threads, progress, the summary of a run
//! ```
//!
//! All but `cli`, `commands`, `io` and `runtime` are pure: they compile without the feature `cli`,
//! without htslib and without a file system.

pub mod encode;
pub mod eval;
pub mod filter;
pub mod genome;
pub mod label;
pub mod model;
pub mod report;
pub mod simulate;
pub mod train;
pub mod vcf;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod commands;
#[cfg(feature = "cli")]
pub mod io;
#[cfg(feature = "cli")]
pub mod runtime;
