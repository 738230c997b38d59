//! Doors for `tests/fuzz` to readers that are no part of the library. `cfg(fuzzing)` is set there alone.

use std::path::Path;

use anyhow::Result;

use crate::commands::encoding::sample_map;
use crate::commands::labels;
use cnnfilter_core::label::LabelTable;
use cnnfilter_core::samples::SampleMap;

/// Reads a file of `--sample-map`.
///
/// # Errors
/// A file that cannot be read, or is none.
pub fn read_sample_map(path: &Path) -> Result<SampleMap> {
    sample_map::read_map(path)
}

/// Reads a table of `--labels`.
///
/// # Errors
/// A file that cannot be read, or is none.
pub fn read_label_table(path: &Path) -> Result<LabelTable> {
    labels::read_table(path)
}
