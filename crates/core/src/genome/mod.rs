//! The vocabulary of genomics: contigs, intervals, alleles, aligned reads. Pure values; depends on
//! nothing else in the crate.
//!
//! Coordinates are 0-based and half-open everywhere inside the crate. Text formats that count
//! from one (VCF, `chr:beg-end`, interval_list) are converted where they are read or written. A
//! position on a contig is a `u64` ([`Variant`], [`Edit`], [`Interval`], [`ReferenceBlock`]); where it
//! may lie left of the contig, as clips and windows do, it is an `i64` ([`AlignedRead`], [`Span`]).

pub mod cigar;
pub mod contigs;
pub mod interval;
pub mod normalize;
pub mod per_kind;
pub mod read;
pub mod read_filter;
pub mod reference;
pub mod repeat;
pub mod variant;
pub mod work;

pub use cigar::{Cigar, CigarBlock, CigarOp};
pub use contigs::{Contig, ContigTable};
pub use interval::{Interval, IntervalSet, Span};
pub use normalize::{Edit, NormalizeError, ReferenceBases, Stretch, normalize};
pub use per_kind::PerKind;
pub use read::{AlignedRead, ReadFlags, ReadSink};
pub use read_filter::{FlagSet, ReadFilter, Refusal};
pub use reference::ReferenceBlock;
pub use variant::{Variant, VariantKind, record_kind};
