//! VCF as text: a header that can be extended, records whose bytes stay as they are except where
//! they are edited.
//!
//! Every format comes in and goes out through this form (BCF too: the program turns it into text), so that what the
//! program does not touch is written back byte for byte. Follows the VCF specification, version
//! 4.3 (section numbers in the comments).

pub mod edit;
pub mod error;
pub mod genotype;
pub mod header;
pub mod last_line;
pub mod order;
mod quote;
pub mod record;

pub use error::VcfError;
pub use genotype::Genotype;
pub use header::VcfHeader;
pub use order::OrderCheck;
pub use quote::quote;
pub use record::VcfRecord;
