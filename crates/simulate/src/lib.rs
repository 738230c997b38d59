//! Makes samples and reads whose truth is known, to train and to test on.
//!
//! [`simulate_region`] puts variants into a stretch of the reference: the sample's two haplotypes,
//! and beside them what makes a caller err: copies of stretches that the reference lacks, another
//! individual's cells, mosaic variants. A read simulator (ART) makes reads of each of these
//! sequences; [`reads`] adds the errors that it lacks. Everything here maps values to values; the
//! same seed gives the same bytes.
//!
//! A small genome with variants, and its truth:
//!
//! ```
//! use cnnfilter_simulate::{GenomeOptions, GivenVariants, Rates, Region, Source, simulate_region};
//!
//! // 20 kb that a linear congruential generator draws.
//! let mut state = 7_u32;
//! let bases: Vec<u8> = (0..20_000)
//!     .map(|_| {
//!         state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//!         b"ACGT"[(state >> 30) as usize]
//!     })
//!     .collect();
//! let region = Region { contig: "made_up".to_owned(), start: 0, bases };
//! let options = GenomeOptions {
//!     rates: Rates { snp: 0.002, indel: 0.0, multi: 0.0 },
//!     paralogues_per_megabase: 0.0,
//!     mosaics_per_megabase: 0.0,
//!     contamination: 0.0,
//!     ..GenomeOptions::default()
//! };
//! let sample = simulate_region(&[region.clone()], 0, &GivenVariants::default(), &options);
//!
//! // One line of a VCF for each variant, with the haplotype that has it.
//! assert_eq!(sample.truth.len(), sample.counts.snps);
//! let first: Vec<&str> = sample.truth[0].split('\t').collect();
//! let (position, alternate, genotype) = (first[1], first[4], first[9]);
//! let position: usize = position.parse()?;
//! let on_first = genotype.starts_with('1');
//!
//! // Without indels a haplotype is as long as the region, and has the variant at its place.
//! let haplotype = &sample.sequences[&Source::Haplotype(1)][0].bases;
//! assert_eq!(haplotype.len(), region.bases.len());
//! assert_eq!(haplotype[position - 1] == alternate.as_bytes()[0], on_first);
//! # Ok::<(), std::num::ParseIntError>(())
//! ```

pub mod contamination;
pub mod divergent;
pub mod error;
pub mod fasta;
pub mod genome;
pub mod given;
pub mod long;
pub mod mosaics;
pub mod paralogues;
pub mod random;
pub mod reads;
pub mod record;
pub mod region;
pub mod variants;

pub use error::SimulateError;
pub use fasta::FastaRecord;
pub use genome::{GenomeOptions, RegionSample, Source, mixture_text, simulate_region};
pub use given::{GivenRecord, GivenTally, GivenVariants, LeftOut};
pub use reads::{Block, ReadErrors, ReadOptions};
pub use record::{Diploid, vcf_header};
pub use region::{MIN_REGION, Region, known_stretches, merged};
pub use variants::{Counts, Rates};
