//! From calls and files to examples: what `score` and `tensors` share.

pub(crate) mod inputs;
mod notes;
pub(crate) mod sample_map;
pub(crate) mod shard;

pub(crate) use inputs::{EncodingPlan, Inputs, ReadFilterOptions};
pub(crate) use notes::read_notes;
pub(crate) use shard::{Call, ShardTimes, Workers, encode_calls, for_each_shard};
