//! When to colour what goes to the screen.

use std::io::IsTerminal as _;

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// True where colours are wanted and can be shown.
    pub(super) fn is_wanted(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // As no-color.org has it: set and not empty.
            Self::Auto => {
                let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
                !is_unwanted && std::io::stdout().is_terminal()
            }
        }
    }
}
