//! From biology to numbers: a call, the reads that overlap it and the reference around it become
//! a tensor. Pure functions on values.
//!
//! Tensors stay compact, in bytes and with real reads only, until a network needs floats: a site
//! of 40 reads takes 10 kB here and 1 MB as the `[128][128][15]` floats it stands for.

pub mod allele;
pub mod annotations;
pub mod encoder;
pub mod example;
pub mod gatk;
pub mod kind;
pub mod labelled;
pub mod pileup;
pub mod reservoir;
pub mod shard;
pub mod store;
pub mod topic;

pub use encoder::Encoder;
pub use example::{Example, SiteTensor};
pub use shard::{
    EncodeError, EncodedAllele, EncodedSite, ExampleReads, KnownContigs, Outcome, SampleInput,
    ShardEncoder, encode_record,
};
