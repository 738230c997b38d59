//! Inputs made from a seed, to check that a network computes what it should.
//!
//! A card carries a few [`TestVector`]s: a seed and the outputs that candle's own layers gave for
//! it when the model was made. They are recomputed whenever the model is loaded, so a damaged
//! weight file, a miscompiled kernel or a wrong instruction set shows before the first call.
//!
//! The way from a seed to an input must never change, or models of users would be refused as damaged.
//! So in cards of format 2 the numbers of a tensor are drawn one by one with [`SplitMix64`], no
//! matter what an encoder does with reads. Cards of format 1 (version 0.1.0) have made-up reads
//! encoded instead ([`format_1`]). `docs/src/add-a-network.md` says what is drawn.

pub mod format_1;
mod split_mix;

use serde::{Deserialize, Serialize};

pub use split_mix::SplitMix64;

/// An input by its seed, and what the network makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestVector {
    /// Seed of the input.
    pub seed: u64,
    /// Reads of the made-up site, 0 to 1000.
    pub reads: usize,
    /// The four outputs before softmax, in the order of [`crate::score::log_odds::LABELS`].
    pub logits: [f32; 4],
    /// [`crate::networks::family::Output::two_copies`], where the network has a head for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_copies: Option<f32>,
}
