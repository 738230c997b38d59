//! Options that decide how a command runs, not what comes out of it.

use std::path::PathBuf;

use clap::Args;

use crate::io::vcf_reader::Counts;
use crate::terminal::threads;
use cnnfilter_nn::DeviceChoice;

// Every command takes these. (A page of its own would take the place of the command's in --help.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Write the summary of the run as JSON; `-` is standard output.
    #[arg(long, value_name = "FILE", global = true, display_order = 1000)]
    pub(crate) summary_json: Option<PathBuf>,

    /// Say nothing but errors, whatever --log-level says.
    #[arg(short, long, global = true, display_order = 1001)]
    pub(crate) quiet: bool,

    /// The messages to show on standard error: those of this level and above.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info, global = true,
          display_order = 1002)]
    pub(crate) log_level: LogLevel,
}

/// The lowest level of messages that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogLevel {
    /// Errors.
    Error,
    /// Warnings, too.
    Warn,
    /// The summary and progress, too.
    #[default]
    Info,
    /// Details, too.
    Debug,
}

impl RunArgs {
    /// A file says how many records lie outside the regions, and so it must be known.
    pub(super) fn left_out(&self) -> Counts {
        match self.summary_json {
            Some(_) => Counts::Needed,
            None => Counts::Welcome,
        }
    }

    /// The lowest level of messages that are shown.
    pub(super) fn level(&self) -> log::LevelFilter {
        match self.log_level {
            _ if self.quiet => log::LevelFilter::Error,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
        }
    }
}

// For commands that work in parallel.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct ThreadsArgs {
    /// Threads; 0 for all. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub(crate) threads: u32,
}

impl ThreadsArgs {
    /// The number of threads, at least 1.
    pub(super) fn resolve(&self) -> usize {
        threads::resolve(self.threads as usize)
    }
}

// For commands that run a network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct DeviceArgs {
    /// Where the network runs: auto, cpu, cuda, cuda:N, cuda:N,M or cuda:all.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: DeviceChoice,
}
