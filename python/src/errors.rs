//! Errors of cnnfilter as exceptions, with their messages.

use cnnfilter::in_process::WrongOptions;
use cnnfilter::io::IoError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Class of an exception, by its name in `cnnfilter._errors`.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    let found = py.import("cnnfilter._errors")?.getattr(name)?;
    Ok(found.cast_into()?)
}

/// An exception of the class `name` with this message.
fn exception(name: &str, message: String) -> PyErr {
    Python::attach(|py| match class(py, name) {
        Ok(class) => PyErr::from_type(class, message),
        Err(error) => error,
    })
}

/// The exception of an error: `OptionError`, `FileError` or their parent `Error`.
pub(crate) fn of(error: anyhow::Error) -> PyErr {
    let name = if error.is::<WrongOptions>() {
        "OptionError"
    } else if error.chain().any(|cause| cause.is::<IoError>()) {
        "FileError"
    } else {
        "Error"
    };
    exception(name, format!("{error:#}"))
}

/// An `Error` with this message.
pub(crate) fn error(message: impl Into<String>) -> PyErr {
    exception("Error", message.into())
}

/// An `OptionError` with this message.
pub(crate) fn option(message: impl Into<String>) -> PyErr {
    exception("OptionError", message.into())
}
