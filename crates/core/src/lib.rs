//! The pure part of cnnfilter: from a variant call and its reads to a score and a filter.
//!
//! ```text
//! genome ── contigs, intervals, alleles, reads
//! vcf ── a VCF's text: header and records, edited in place
//! label ── which call is right, by a truth set
//! encode ── a call and its reads become a tensor
//! score ── log odds, probabilities, thresholds
//! networks ── the networks, their cards and weights
//! filter ── what a score means for FILTER: tranches, thresholds
//! ```
//!
//! Nothing here opens a file or writes to a terminal.

pub mod encode;
pub mod filter;
pub mod genome;
pub mod label;
pub mod networks;
pub mod score;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vcf;
