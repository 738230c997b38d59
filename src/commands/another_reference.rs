//! The message about two files that do not belong together.

use std::path::Path;

use cnnfilter_core::genome::contigs::ContigMismatch;

/// Two files that are not about the same reference.
pub(crate) fn another_reference(
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
