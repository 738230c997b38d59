//! Command lines that clap's own rules let pass and that are wrong nevertheless.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Cli;

/// The fault of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    kind: ErrorKind,
    message: String,
}

impl Wrong {
    /// Two arguments that do not go together.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::ArgumentConflict,
            message: message.into(),
        }
    }

    /// A value that an option cannot have.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::ValueValidation,
            message: message.into(),
        }
    }

    /// An option that is given too often or not often enough.
    pub(super) fn count(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::WrongNumberOfValues,
            message: message.into(),
        }
    }

    /// An option that another one needs.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::MissingRequiredArgument,
            message: message.into(),
        }
    }

    /// The error as clap shows its own, with the usage of the command.
    pub(super) fn into_error(self, command: &str) -> clap::Error {
        let mut cli = Cli::command();
        cli.build();
        let mut names = command.split(' ');
        let found = names.try_fold(&mut cli, |found, name| found.find_subcommand_mut(name));
        match found {
            Some(found) => found.error(self.kind, self.message),
            None => Cli::command().error(self.kind, self.message),
        }
    }
}
