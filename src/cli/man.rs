//! `cnnfilter man`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};

use super::Cli;
use super::files::Files;
use super::usage::Wrong;
use crate::commands::man::{ManPage, ManPlan};

/// Show a manual page, or write them all.
///
/// `cnnfilter man score | man -l -` shows that of `score`. With -o every command's page goes into a
/// folder, as packages have them under share/man/man1.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command whose page is shown, as `score` or `simulate reads`; left out, that of the program.
    #[arg(value_name = "COMMAND", num_args = 0..=2)]
    command: Vec<String>,
    /// Write all pages into this folder.
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

impl ManArgs {
    /// The pages, and where they go.
    ///
    /// # Errors
    /// A command that is none, or a folder named like standard output.
    pub(super) fn resolve(self, files: &mut Files) -> Result<ManPlan, Wrong> {
        let program = program();
        if let Some(folder) = self.output {
            let mut pages = Vec::new();
            render_all(&program, &mut pages)?;
            let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
            files.folder("-o", &folder, &names)?;
            return Ok(ManPlan::Folder { folder, pages });
        }
        files.output("the page", Path::new("-"));
        let mut found = &program;
        for word in &self.command {
            found = found.find_subcommand(word).ok_or_else(|| {
                let line = self.command.join(" ");
                Wrong::value(format!(
                    "there is no command `{line}`; `cnnfilter --help` names them"
                ))
            })?;
        }
        Ok(ManPlan::Print(render(found)?))
    }
}

/// The command line as its pages tell it: the version in one line, so that no machine shows in them.
fn program() -> Command {
    let mut program = Cli::command()
        .long_version(None::<&str>)
        .disable_help_subcommand(true);
    program.build();
    program
}

/// The page of a command and those of all below it.
fn render_all(command: &Command, pages: &mut Vec<ManPage>) -> Result<(), Wrong> {
    pages.push(render(command)?);
    for below in command.get_subcommands() {
        render_all(below, pages)?;
    }
    Ok(())
}

fn render(command: &Command) -> Result<ManPage, Wrong> {
    let man = clap_mangen::Man::new(command.clone())
        .source(concat!("cnnfilter ", env!("CARGO_PKG_VERSION")))
        .manual("Manual of cnnfilter");
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error: io::Error| {
        Wrong::value(format!("{}: no page: {error}", command.get_name()))
    })?;
    Ok(ManPage {
        name: man.get_filename(),
        text,
    })
}
