//! Candidate alleles from reads alone: what a sample may carry, before anything decides what it does carry.
//!
//! A stretch of a contig ([`TILE`]) is swept once a sample ([`SampleSweep`]); [`candidates`] joins the samples. An allele
//! is a candidate where, in one of the samples, enough reads show it and they are a large enough share of the reads
//! there ([`CandidateOptions`]). Alleles are left-aligned; those that share a POS are one record, all others are
//! records of their own.
//!
//! An allele is seen in the CIGAR of a read, or where the end of a read that is clipped, or that differs from the reference
//! at several bases, continues behind a gap (`realign`), or where the clipped ends of two piles of reads meet in
//! an insertion that none of them spans (`piles`).
//!
//! Which alleles lie on the same copy of a chromosome ([`Phase`]) is told by fragments that show several of them.
//!
//! The two reads of a fragment count once; where they differ, the base of higher quality counts.

mod observed;
mod options;
mod phase;
mod piles;
mod realign;
mod site;
mod stretches;
mod sweep;
#[cfg(test)]
mod tests;

pub use options::CandidateOptions;
pub use phase::Phase;
pub use site::{AlleleDepths, CandidateSite, Swept, candidates, swept};
pub use stretches::ReferenceStretch;
pub use sweep::SampleSweep;

/// Bases that are swept together. Tiles begin at multiples of it, so that a candidate does not depend on the regions
/// that are asked for. An index of BAM finds reads by stretches of 16,384 bases, so that a sweep decompresses one more than
/// it needs.
pub const TILE: u64 = 131_072;

/// Bases to each side of a tile whose reads are looked at: an indel moves to the left, and a clip lies outside of its
/// read's alignment.
pub const MARGIN: u64 = 512;

/// Longest insertion or deletion, in bases, that is looked for where no CIGAR shows it.
pub const LONGEST_GAP: usize = 60;
