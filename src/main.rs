//! The program: parse, run one command, map its outcome to an exit code.
//!
//! 0 is done, 1 a run that failed, 2 a command line that is wrong, 130 one that was told to stop.

mod at_start;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use cnnfilter::Job;
use cnnfilter::io::{IoError, atomic};

/// Exit code after SIGINT, SIGTERM or SIGHUP.
const STOPPED: i32 = 130;

fn main() -> ExitCode {
    let job = Job::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    start_logging(job.level());
    // A run that is told to stop leaves no temporary file.
    let handled = ctrlc::set_handler(|| {
        atomic::remove_pending_files();
        std::process::exit(STOPPED);
    });
    if let Err(error) = handled {
        log::warn!("signals are not handled: {error}");
    }
    match job.run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough (`| head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<IoError>())
        .any(IoError::is_broken_pipe)
}

/// Messages go to standard error. A message that repeats the one before it is not printed: what reads a file
/// twice would say all twice.
fn start_logging(level: log::LevelFilter) {
    let last = Mutex::new(String::new());
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Error)
        .filter_module("cnnfilter", level)
        .format(move |out, record| {
            let prefix = match record.level() {
                log::Level::Error => "error: ",
                log::Level::Warn => "warning: ",
                _ => "",
            };
            let message = format!("{prefix}{}", record.args());
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == message {
                return Ok(());
            }
            writeln!(out, "cnnfilter: {message}")?;
            *last = message;
            Ok(())
        })
        .init();
}
