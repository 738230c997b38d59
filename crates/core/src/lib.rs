//! The pure part of cnnfilter: from a variant call and its reads to a score and a filter. Nothing
//! here opens a file or writes to a terminal.
//!
//! ```text
//! genome ── contigs, intervals, alleles, reads
//! vcf ── a VCF's text: header and records, edited in place
//! samples ── whose reads belong to which column of the calls
//! label ── which call is right, by a truth set
//! encode ── a call and its reads become a tensor
//! score ── log odds, probabilities, thresholds
//! networks ── the networks, their cards and weights
//! genotype ── from what a network says of each allele to genotypes and their likelihoods
//! candidates ── alleles that reads show, without a caller
//! annotate ── scores into a record's keys, and their definitions into the header
//! doctor ── judgement on the inputs of a run before it is made
//! why ── contributions of inputs to a score, as values and in words
//! filter ── what a score means for FILTER: tranches, thresholds
//! ```
//!
//! The items that a user of the library needs first stand at the top: read a record ([`VcfRecord`]), encode
//! it with its reads ([`encode_record`]; [`encode::ShardEncoder`] for many records at once), and
//! let a model score it ([`Model`]).
//!
//! # Example
//!
//! A call and its reads in memory, scored by the model that cnnfilter ships (feature `builtin`):
//!
//! ```
//! use cnnfilter_core::{
//!     AlignedRead, Builtin, Cigar, CigarOp, DeviceChoice, Outcome, ReadFlags, ReferenceBlock,
//!     SampleInput, VcfRecord, encode_record, log_odds,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A contig of 4,000 bases without repeats, and the call of an A where it has another base.
//! let mut state = 1u32;
//! let contig: Vec<u8> = (0..4000)
//!     .map(|_| {
//!         state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//!         b"ACGT"[(state >> 30) as usize]
//!     })
//!     .collect();
//! let at = (2000..).find(|at| contig[*at] == b'G').unwrap_or(2000);
//! let line = format!("chr1\t{}\t.\tG\tA\t612\t.\tDP=40\tGT:AD\t0/1:20,20", at + 1);
//! let record = VcfRecord::parse(line.into_bytes(), 10)?;
//!
//! // 40 reads of 100 bases over it; every second one carries the A. Positions count from 0.
//! let reads: Vec<AlignedRead> = (0..40)
//!     .map(|number| {
//!         let start = at - 90 + 2 * number;
//!         let mut bases = contig[start..start + 100].to_vec();
//!         if number % 2 == 0 {
//!             bases[at - start] = b'A';
//!         }
//!         AlignedRead {
//!             start: start as i64,
//!             flags: ReadFlags(if number % 4 < 2 { 0 } else { 0x10 }),
//!             mapping_quality: 60,
//!             cigar: Cigar(vec![(CigarOp::Match, 100)]),
//!             bases,
//!             qualities: vec![35; 100],
//!             name: number as u64,
//!             ..AlignedRead::default()
//!         }
//!     })
//!     .collect();
//!
//! let model = Builtin::default_for(true).load(DeviceChoice::Cpu)?;
//! let block = ReferenceBlock::new(0, contig, 4000);
//! let sample = SampleInput {
//!     column: 0,
//!     mean_depth: 40.0,
//! };
//! let Outcome::Encoded(site) = encode_record(model.encoder(), &record, sample, &reads, &block)?
//! else {
//!     return Err("the record has no ALT that can be scored".into());
//! };
//! // One example for the one ALT.
//! let allele = &site.alleles[0];
//! let logits = model.logits(std::slice::from_ref(&allele.example))?;
//! let score = log_odds(logits[0], allele.kind);
//! let probability = model.probability(allele.kind, score);
//! assert!(probability.is_some_and(|probability| probability > 0.5));
//! # Ok(())
//! # }
//! ```

pub mod annotate;
pub mod candidates;
pub mod doctor;
pub mod encode;
pub mod filter;
pub mod genome;
pub mod genotype;
pub mod label;
pub mod networks;
pub mod samples;
pub mod score;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vcf;
pub mod why;

pub use cnnfilter_nn::DeviceChoice;
pub use encode::{EncodeError, EncodedSite, Encoder, Example, Outcome, SampleInput, encode_record};
pub use genome::{AlignedRead, Cigar, CigarOp, ReadFlags, ReferenceBlock, VariantKind};
#[cfg(feature = "builtin")]
pub use networks::Builtin;
pub use networks::{Model, ModelError};
pub use score::log_odds::log_odds;
pub use vcf::VcfRecord;
