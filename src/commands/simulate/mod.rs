//! `cnnfilter simulate`: samples and reads whose truth is known.

mod genome;
mod reads;

pub use genome::{GenomePlan, genome};
pub use reads::{ReadsPlan, reads};
