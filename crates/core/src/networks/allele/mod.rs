//! Our convolutional networks: one allele's evidence to four outputs.
//!
//! * `spec`: the sizes, and the names and shapes of the weights.
//! * `channels`: the channels of cells and haplotypes by name, as a card lists them.
//! * `inputs`: from a compact tensor to the floats of each channel group.
//! * `batch`: the same of many alleles, as bytes until they are on the device that computes.
//! * `network`: the network on this crate's kernels, one allele at a time, for scoring.
//! * `graph`: the same on candle's tensors, many alleles at a time and differentiable, for
//!   training and for a GPU.
//! * `architecture`: what the rest of the program asks of the family.
//!
//! ```text
//!  reads [n][64][8] ─ conv ─┐
//!  reference, ALT [64][11] ─ conv ─┼ + ─ ReLU ─ conv ─ ReLU ─ max and mean over all reads and
//!  flags, MAPQ [n][22] ─ dense ─┘        over those that support ALT [56][96] ─ conv ─ conv ─┐
//!  flags, MAPQ, support [n][22] ─ dense ─ dense ─ max and mean over reads ───────────────────┤
//!  numbers of the call, annotations and their missing bits ─────┬────────────────────────────┤
//!                                                     shortcut  │          dense ─ dense     │
//!                                                               └────── + ──────┘            │
//!                                              NOT_SNP, NOT_INDEL, SNP, INDEL  <─────────────┘
//! ```

pub(super) mod architecture;
pub(super) mod batch;
pub(super) mod channels;
mod graph;
pub(super) mod inputs;
pub(super) mod made_up;
mod network;
mod spec;
#[cfg(test)]
mod tests;

pub use architecture::{AlleleArchitecture, AlleleFamily};
pub use channels::{ChannelError, Channels};
pub use inputs::Inputs;
pub use spec::AlleleSpec;
