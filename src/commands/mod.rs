//! The recipes: open the inputs, run the stages in order, close the outputs.

pub mod encoding;
pub mod eval;
pub mod filter;
pub mod import;
pub mod labels;
pub mod score;
pub mod simulate;
pub mod tensors;
pub mod train;

use std::path::Path;

use cnnfilter_core::genome::contigs::ContigMismatch;

/// Two files that are not about the same reference.
fn another_reference(
    left: &Path,
    right: &Path,
    mismatch: &ContigMismatch,
    advice: &str,
) -> anyhow::Error {
    anyhow::anyhow!(
        "{} and {} are not about the same reference: {mismatch}; {advice}",
        left.display(),
        right.display()
    )
}
