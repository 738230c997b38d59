//! Progress of a run: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(30);

/// Counts records and tells about them on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    begun: Instant,
    told: Instant,
    done: u64,
    /// Genome position, for the time left: share of the bases already passed, 0 to 1.
    share: Option<f64>,
}

impl Progress {
    /// Begins; `quiet` says nothing at all.
    pub(crate) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (!quiet && terminal).then(|| {
            let bar = ProgressBar::new(1000);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let begun = Instant::now();
        Self {
            bar,
            lines: !quiet && !terminal,
            begun,
            told: begun,
            done: 0,
            share: None,
        }
    }

    /// `records` more are done, the last of them at `place`; `share` of the genome is passed, where
    /// that is known.
    pub(crate) fn advance(&mut self, records: u64, place: &str, share: Option<f64>) {
        self.done += records;
        self.share = share;
        let message = self.message(place);
        if let Some(bar) = &self.bar {
            bar.set_position((share.unwrap_or(0.0) * 1000.0) as u64);
            bar.set_message(message);
        } else if self.lines && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            log::info!("{message}");
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn message(&self, place: &str) -> String {
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.done as f64 / seconds.max(1e-9);
        let mut message = format!("{} records, {rate:.0}/s, at {place}", self.done);
        // A guess from a thousandth of the genome or less would jump about.
        if let Some(share) = self.share.filter(|share| *share > 0.001) {
            let left = (seconds / share - seconds).max(0.0) as u64;
            message += &format!(", {}:{:02} left", left / 60, left % 60);
        }
        message
    }
}
