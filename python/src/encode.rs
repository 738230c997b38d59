//! Calls of files as batches of tensors.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use cnnfilter::Stop;
use cnnfilter::in_process::EncodedCalls;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::encode::annotations::{AnnotationSource, DEFAULT};
use pyo3::prelude::*;

use crate::batch::{Batch, Names};
use crate::errors;
use crate::model::Model;
use crate::run::interruptible;

/// Batches of encoded calls, one after the other.
#[pyclass(frozen, module = "cnnfilter")]
pub(crate) struct Batches {
    calls: Arc<Mutex<EncodedCalls>>,
    names: Arc<Names>,
    stop: Stop,
}

/// Opens calls. Without a model the encoder is the one that networks are trained with.
#[pyfunction]
#[pyo3(signature = (options, model, reads, annotations, sample))]
pub(crate) fn encode(
    py: Python<'_>,
    options: Vec<OsString>,
    model: Option<&Model>,
    reads: bool,
    annotations: Option<Vec<String>>,
    sample: Option<String>,
) -> PyResult<Batches> {
    let encoder = match model {
        Some(model) => model.model.encoder().clone(),
        None => Encoder::allele(reads, sources(annotations)?),
    };
    let stop = Stop::default();
    let said = stop.clone();
    let open = move || EncodedCalls::open(options, encoder, sample, said);
    let calls = interruptible(py, &stop, open)?;
    let samples = calls.samples().map(|name| name.map(String::from)).collect();
    Ok(Batches {
        names: Arc::new(Names::of_encoder(calls.encoder(), samples)),
        calls: Arc::new(Mutex::new(calls)),
        stop,
    })
}

/// The annotations of these names; those of `cnnfilter tensors` without.
fn sources(names: Option<Vec<String>>) -> PyResult<Vec<AnnotationSource>> {
    let names = names.unwrap_or_else(|| DEFAULT.map(String::from).to_vec());
    let source = |name: &String| {
        name.parse()
            .map_err(|error| errors::option(format!("annotations: {error}")))
    };
    names.iter().map(source).collect()
}

#[pymethods]
impl Batches {
    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let calls = Arc::clone(&self.calls);
        let next = move || -> Result<_> {
            // A run that failed tells it again.
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.next_batch()
        };
        let found = interruptible(py, &self.stop, next)?;
        if found.is_empty() {
            return Ok(None);
        }
        let names = Arc::clone(&self.names);
        Ok(Some(py.detach(|| Batch::of_calls(names, found))))
    }

    #[getter]
    fn encoder(&self) -> &str {
        &self.names.encoder
    }

    #[getter]
    fn annotation_names(&self) -> Vec<String> {
        self.names.annotations.clone()
    }

    #[getter]
    fn site_features(&self) -> Vec<String> {
        self.names.site_features.clone()
    }

    #[getter]
    fn read_features(&self) -> Vec<String> {
        self.names.read_features.clone()
    }

    #[getter]
    fn samples(&self) -> Vec<Option<String>> {
        self.names.samples.clone()
    }
}
