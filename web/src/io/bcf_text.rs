//! BCF needs htslib, which is not here.

use std::io::{Empty, Read};
use std::path::Path;
use std::thread::JoinHandle;

use super::error::{IoError, Problem};

type Translation = (Empty, Vec<JoinHandle<Result<(), IoError>>>);

/// Refuses BCF.
///
/// # Errors
/// Always.
pub(super) fn bcf_to_text(
    _: impl Read + Send + 'static,
    path: &Path,
) -> Result<Translation, IoError> {
    let expected = "VCF or VCF.gz, which the page reads";
    let found = "BCF; write it as VCF with `bcftools view -O z`".to_owned();
    Err(IoError::new(path, Problem::Format { expected, found }))
}
