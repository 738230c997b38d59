//! From calls and files to examples: what `score` and `tensors` share.

pub mod inputs;
pub mod stretch;

pub use inputs::{EncodingPlan, Inputs};
pub use stretch::{Call, EncodedAllele, EncodedSite, Outcome, StretchReader, encode_calls};
