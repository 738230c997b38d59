//! Work in Rust while Python is free: other threads of it run, and Ctrl-C is heard.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cnnfilter::Stop;
use pyo3::prelude::*;

use crate::errors;

/// Time between two looks at whether the user pressed Ctrl-C.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Does `work` in a thread of its own. Where a signal raises an exception in the meantime, `stop` is
/// said and the exception raised; the thread ends by itself, its result is dropped.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    stop: &Stop,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more after an interrupt.
        let _ = sender.send(work());
    });
    loop {
        let (answer, back) = py.detach(|| {
            let answer = receiver.recv_timeout(LOOK_EVERY);
            (answer, receiver)
        });
        receiver = back;
        match answer {
            Ok(result) => return result.map_err(errors::of),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| stop.say())?;
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(errors::error(
                    "cnnfilter failed in a way that it does not know; what it printed says where",
                ));
            }
        }
    }
}
