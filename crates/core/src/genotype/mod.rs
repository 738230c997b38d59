//! Genotypes out of what a network says of each allele.
//!
//! * `copies`: how many copies of one ALT a sample has, as probabilities.
//! * `posterior`: the genotypes of a site at any ploidy out of those of its ALTs, with GQ, PL and GP.
//! * `ploidy`: the ploidy of a sample at a place, from a table in bcftools' format.
//! * `phase`: which genotypes lie on the same copy of a chromosome, written into records.
//! * `genotyper`: reads a record's sample and writes its genotype, beside the caller's or in its place.
//!
//! The ALTs of a site are taken to be independent but for the ploidy: a genotype's probability is proportional to the
//! product over the ALTs of the probability of so many copies.

mod copies;
mod genotyper;
mod phase;
mod ploidy;
mod posterior;

pub use copies::AlleleCopies;
pub use genotyper::{
    AlleleEvidence, GenotypeCounts, Genotyper, Placement, REF_CALL, SampleEvidence,
    append_any_other,
};
pub use phase::write_phases;
pub use ploidy::{PlaceDepth, PloidyError, PloidyTable, SampleSexes, SexByDepth};
pub use posterior::Posterior;
