//! `cnnfilter simulate`: samples and reads whose truth is known.

mod genome;
mod reads;

pub(crate) use genome::{GenomePlan, genome};
pub(crate) use reads::{ReadsPlan, reads};
