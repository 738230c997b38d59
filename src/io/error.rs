//! Errors of files: which file, where in it, what was found, what to do.

use std::path::{Path, PathBuf};

use cnnfilter_core::vcf::VcfError;

/// An error of one file.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}", path = .path.display())]
pub struct IoError {
    /// The file as the user named it; `-` for standard input or output.
    pub path: PathBuf,
    /// The problem.
    pub problem: Problem,
}

/// A problem of a file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The system refuses.
    #[error("cannot {action}: {source}")]
    System {
        /// The attempt: `open`, `read`, `write`, `create`, `rename`.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// An address instead of a path.
    #[error("remote files are not read; copy the file here, or pipe it in with `-V -`")]
    Remote,
    /// The file ends in the middle.
    #[error("the file is cut off: {0}")]
    Truncated(String),
    /// Another format.
    #[error("expected {expected}, found {found}")]
    Format {
        /// The formats that can be read here.
        expected: &'static str,
        /// The format that the file seems to have.
        found: String,
    },
    /// A defect of the VCF's header.
    #[error("{0}")]
    VcfHeader(VcfError),
    /// A defect of one record.
    #[error("record {number}{place}: {source}", place = .place.as_ref().map(|p| format!(" ({p})")).unwrap_or_default())]
    VcfRecord {
        /// Its number, from 1.
        number: u64,
        /// Contig and position where they can be read.
        place: Option<String>,
        /// The problem.
        source: VcfError,
    },
    /// An index that is needed is not there.
    #[error("it has no index (looked for {looked_for}); make one with `{command}`")]
    NoIndex {
        /// The names tried.
        looked_for: String,
        /// How to make it.
        command: String,
    },
    /// htslib reports an error.
    #[error("{action}: {message}")]
    Htslib {
        /// The attempt.
        action: String,
        /// htslib's words.
        message: String,
    },
    /// A line of a region list.
    #[error("line {line}: {reason}, found `{found}`")]
    Region {
        /// Number of the line, from 1.
        line: u64,
        /// The problem.
        reason: String,
        /// The line.
        found: String,
    },
    /// Anything that needs a sentence of its own.
    #[error("{0}")]
    Other(String),
}

impl IoError {
    /// An error of `path`.
    pub fn new(path: impl AsRef<Path>, problem: Problem) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            problem,
        }
    }

    /// A refusal of the system.
    pub fn system(path: impl AsRef<Path>, action: &'static str, source: std::io::Error) -> Self {
        Self::new(path, Problem::System { action, source })
    }

    /// An error with a sentence of its own.
    pub fn other(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Self::new(path, Problem::Other(message.into()))
    }

    /// An error that htslib reports.
    pub fn htslib(
        path: impl AsRef<Path>,
        action: impl Into<String>,
        error: impl std::fmt::Display,
    ) -> Self {
        Self::new(
            path,
            Problem::Htslib {
                action: action.into(),
                message: error.to_string(),
            },
        )
    }

    /// Whether somebody stopped reading what is written (`| head`).
    pub fn is_broken_pipe(&self) -> bool {
        matches!(&self.problem, Problem::System { source, .. }
            if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// Refuses addresses (`s3://`, `https://`): htslib might open some of them, slowly and unasked.
///
/// # Errors
/// [`Problem::Remote`].
pub fn refuse_remote(path: &Path) -> Result<(), IoError> {
    let text = path.to_string_lossy();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Err(IoError::new(path, Problem::Remote))
        }
        _ => Ok(()),
    }
}
