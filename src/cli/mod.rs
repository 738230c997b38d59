//! What the user may type. Knows clap; opens nothing. Each command's arguments resolve to a plan.

pub mod eval;
pub mod filter;
pub mod import;
pub mod reads;
pub mod score;
pub mod simulate;
pub mod tensors;
pub mod train;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

/// Decides which of a variant caller's calls are real, from the calls, the reads and the reference.
#[derive(Debug, Parser)]
#[command(name = "cnnfilter", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. What each does stands at its arguments, from where clap shows it whole.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a line here would take the place of the arguments' page in --help"
)]
pub enum Command {
    Score(score::ScoreArgs),
    Tensors(tensors::TensorsArgs),
    Train(train::TrainArgs),
    #[command(subcommand)]
    Simulate(simulate::SimulateCommand),
    Filter(filter::FilterArgs),
    Eval(eval::EvalArgs),
    Import(import::ImportArgs),
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And details.
    Debug,
}

impl Command {
    /// The log level that the command asks for.
    pub fn log_level(&self) -> LogLevel {
        match self {
            Command::Score(args) if args.quiet => LogLevel::Error,
            Command::Score(args) => args.log_level,
            Command::Filter(args) if args.quiet => LogLevel::Error,
            Command::Filter(args) => args.log_level,
            Command::Tensors(args) if args.quiet => LogLevel::Error,
            Command::Train(args) if args.quiet => LogLevel::Error,
            Command::Import(_)
            | Command::Eval(_)
            | Command::Tensors(_)
            | Command::Train(_)
            | Command::Simulate(_) => LogLevel::Info,
        }
    }
}

/// GATK lets a resource carry a name and properties (`--resource:hapmap,known=false FILE`); they
/// decide nothing here and are taken off.
pub fn untag_resources(
    arguments: impl Iterator<Item = OsString>,
) -> impl Iterator<Item = OsString> {
    arguments.map(|argument| {
        let is_tagged = argument
            .to_str()
            .is_some_and(|text| text.starts_with("--resource:") && !text.contains('/'));
        if is_tagged {
            "--resource".into()
        } else {
            argument
        }
    })
}
