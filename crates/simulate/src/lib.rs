//! Makes samples and reads whose truth is known, to train and to test on.
//!
//! [`simulate_region`] puts variants into a stretch of the reference: the sample's two haplotypes,
//! and beside them what makes a caller err: copies of stretches that the reference lacks, another
//! individual's cells, mosaic variants. A read simulator (ART) makes reads of each of these
//! sequences; [`reads`] adds the errors that it lacks. Everything here maps values to values; the
//! same seed gives the same bytes.

pub mod contamination;
pub mod divergent;
pub mod error;
pub mod fasta;
pub mod genome;
pub mod given;
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
