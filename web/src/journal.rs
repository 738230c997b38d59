//! Warnings of the readers, kept for the page, which the program writes to standard error.

use std::sync::Mutex;

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Journal(Mutex<Vec<String>>);

static JOURNAL: Journal = Journal(Mutex::new(Vec::new()));

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata())
            && let Ok(mut lines) = self.0.lock()
        {
            lines.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Begins to keep warnings.
pub(crate) fn keep() {
    if log::set_logger(&JOURNAL).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}

/// The warnings since it was last asked.
pub(crate) fn take() -> Vec<String> {
    let lines = JOURNAL.0.lock();
    lines
        .map(|mut lines| std::mem::take(&mut *lines))
        .unwrap_or_default()
}
