//! What goes wrong with reads, under the name that rust-htslib has for it.

/// An error of a file of reads.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "it ends inside a block".to_owned(),
            _ => error.to_string(),
        })
    }
}
