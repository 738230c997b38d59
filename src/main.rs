//! The program: parse, run one command, map its outcome to an exit code.
//!
//! 0 is done, 1 a run that failed, 2 a command line that is wrong, 130 one that was told to stop.

mod at_start;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use cnnfilter::cli::simulate::SimulateCommand;
use cnnfilter::cli::{Cli, Command, LogLevel, untag_resources};
use cnnfilter::commands::{eval, filter, import, score, simulate, tensors, train};
use cnnfilter::io::{IoError, atomic, standard_output};

/// Exit code after SIGINT, SIGTERM or SIGHUP.
const STOPPED: i32 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse_from(untag_resources(std::env::args_os()));
    start_logging(cli.command.log_level());
    // A run that is told to stop leaves no temporary file.
    let handled = ctrlc::set_handler(|| {
        atomic::remove_pending_files();
        std::process::exit(STOPPED);
    });
    if let Err(error) = handled {
        log::warn!("signals are not handled: {error}");
    }
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough (`| head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Score(args) => {
            let timings = args.timings;
            let summary = score::run(&args.resolve())?;
            let mut text = summary.to_text();
            if timings {
                text += &summary.times.to_text();
            }
            for line in text.lines() {
                log::info!("{line}");
            }
        }
        Command::Filter(args) => {
            let plan = args.resolve().unwrap_or_else(|error| error.exit());
            let summary = filter::run(&plan)?;
            for line in summary.to_text().lines() {
                log::info!("{line}");
            }
        }
        Command::Eval(args) => {
            standard_output::check(Path::new("-"))?;
            let text = eval::run(&args.resolve())?;
            let written = std::io::stdout().write_all(text.as_bytes());
            written.map_err(|e| IoError::system("-", "write", e))?;
        }
        Command::Tensors(args) => {
            for line in tensors::run(&args.resolve())?.lines() {
                log::info!("{line}");
            }
        }
        Command::Train(args) => {
            for line in train::run(&args.resolve())?.lines() {
                log::info!("{line}");
            }
        }
        Command::Simulate(command) => {
            let text = match command {
                SimulateCommand::Genome(args) => simulate::genome(&args.resolve())?,
                SimulateCommand::Reads(args) => {
                    let plan = args.resolve().unwrap_or_else(|error| error.exit());
                    simulate::reads(&plan)?
                }
            };
            log::info!("{}", text.trim_end());
        }
        Command::Import(args) => {
            import::run(&args.resolve())?;
        }
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<IoError>())
        .any(IoError::is_broken_pipe)
}

fn start_logging(level: LogLevel) {
    let level = match level {
        LogLevel::Error => log::LevelFilter::Error,
        LogLevel::Warn => log::LevelFilter::Warn,
        LogLevel::Info => log::LevelFilter::Info,
        LogLevel::Debug => log::LevelFilter::Debug,
    };
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Error)
        .filter_module("cnnfilter", level)
        .format(|out, record| {
            let prefix = match record.level() {
                log::Level::Error => "error: ",
                log::Level::Warn => "warning: ",
                _ => "",
            };
            writeln!(out, "cnnfilter: {prefix}{}", record.args())
        })
        .init();
}
