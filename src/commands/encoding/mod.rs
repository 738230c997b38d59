//! From calls and files to examples: what `score` and `tensors` share.

pub mod inputs;
mod notes;
pub mod sample_map;
pub mod shard;

pub use inputs::{EncodingPlan, Inputs, ReadFilterOptions};
pub use notes::read_notes;
pub use shard::{Call, ShardTimes, Workers, encode_calls, for_each_shard};
