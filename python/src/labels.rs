//! Labels of calls, and figures of their scores.

use std::ffi::OsString;

use cnnfilter::Stop;
use cnnfilter::in_process::{self, LabelledCall};
use cnnfilter_core::label::{AltState, GivenLabel};
use cnnfilter_eval::report;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::run::interruptible;

/// One ALT of a call.
struct Row {
    contig: String,
    position: u64,
    reference: String,
    alternate: String,
    index: usize,
    label: &'static str,
    reason: Option<&'static str>,
}

/// The ALTs of a call.
fn rows((record, states): LabelledCall) -> Vec<Row> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (reference, alternates) = record.alleles();
    let alternates = alternates.split(|byte| *byte == b',').zip(states);
    let row = |(index, (alternate, state)): (usize, (&[u8], AltState))| Row {
        contig: text(record.contig()),
        position: record.position(),
        reference: text(reference),
        alternate: text(alternate),
        index,
        label: GivenLabel::of_alternates(&[state]).name(),
        reason: match state {
            AltState::Unjudged(reason) => Some(reason.text()),
            _ => None,
        },
    };
    alternates.enumerate().map(row).collect()
}

/// The ALTs of calls as columns by name.
#[pyfunction]
pub(crate) fn label<'py>(py: Python<'py>, options: Vec<OsString>) -> PyResult<Bound<'py, PyDict>> {
    let stop = Stop::default();
    let said = stop.clone();
    let work = move || {
        let labelled = in_process::label(options, &said)?;
        Ok(labelled.into_iter().flat_map(rows).collect::<Vec<Row>>())
    };
    let rows = interruptible(py, &stop, work)?;
    let dict = PyDict::new(py);
    let words = |of: fn(&Row) -> &str| rows.iter().map(of).collect::<Vec<_>>();
    dict.set_item("contig", words(|row| &row.contig))?;
    let numbers = |of: fn(&Row) -> u64| rows.iter().map(of).collect::<Vec<_>>();
    dict.set_item("pos", numbers(|row| row.position))?;
    dict.set_item("ref", words(|row| &row.reference))?;
    dict.set_item("alt", words(|row| &row.alternate))?;
    dict.set_item("alternate", numbers(|row| row.index as u64))?;
    dict.set_item("label", words(|row| row.label))?;
    let reasons: Vec<Option<&str>> = rows.iter().map(|row| row.reason).collect();
    dict.set_item("reason", reasons)?;
    Ok(dict)
}

/// The figures as the long table (TSV) that `eval` writes.
#[pyfunction]
pub(crate) fn evaluate(py: Python<'_>, options: Vec<OsString>) -> PyResult<String> {
    let stop = Stop::default();
    let said = stop.clone();
    let work = move || {
        let found = in_process::evaluate(options, &said)?;
        Ok(report::tsv(&found)?)
    };
    interruptible(py, &stop, work)
}
