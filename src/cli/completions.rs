//! `cnnfilter completions`.

use std::path::Path;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell as Known;

use super::Cli;
use super::files::Files;
use crate::commands::completions::CompletionsPlan;

/// Write what a shell needs to complete commands and options.
///
/// For this session: `source <(cnnfilter completions bash)`. For all: into
/// /usr/share/bash-completion/completions/cnnfilter, into a file _cnnfilter of zsh's $fpath, or into
/// ~/.config/fish/completions/cnnfilter.fish.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// A shell that completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// Bash 4 or later, with bash-completion.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

impl Shell {
    /// The same among the shells that clap knows.
    fn known(self) -> Known {
        match self {
            Self::Bash => Known::Bash,
            Self::Zsh => Known::Zsh,
            Self::Fish => Known::Fish,
        }
    }
}

impl CompletionsArgs {
    /// The script.
    pub(super) fn resolve(self, files: &mut Files) -> CompletionsPlan {
        files.output("the script", Path::new("-"));
        let mut program = Cli::command();
        let mut script = Vec::new();
        clap_complete::generate(self.shell.known(), &mut program, "cnnfilter", &mut script);
        CompletionsPlan {
            shell: self.shell.known().to_string(),
            script,
        }
    }
}
