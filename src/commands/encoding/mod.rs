//! From calls and files to examples: what `score` and `tensors` share.

pub mod inputs;
mod notes;
pub mod sample_map;
pub mod samples;
pub mod stretch;

pub use inputs::{EncodingPlan, Inputs, ReadFilterOptions};
pub use notes::read_notes;
pub use samples::{Sample, SampleChoice};
pub use stretch::{
    Call, EncodedAllele, EncodedSite, Outcome, StretchReader, StretchTimes, Workers, encode_calls,
    for_each_stretch,
};
