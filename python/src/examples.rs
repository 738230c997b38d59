//! Files of examples.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use cnnfilter::io::example_file::ExampleFile as File;
use cnnfilter_core::encode::store::ExamplePlaces;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::batch::{Batch, Names};
use crate::errors;

/// A file of examples, mapped into memory.
#[pyclass(frozen, module = "cnnfilter")]
pub(crate) struct ExampleFile {
    file: File,
    names: Arc<Names>,
}

impl ExampleFile {
    fn in_file<T>(&self, result: Result<T>) -> PyResult<T> {
        let path = || self.file.path().display().to_string();
        result.with_context(path).map_err(errors::of)
    }

    fn places(&self, at: usize) -> PyResult<ExamplePlaces> {
        self.in_file(self.file.view().places(at).map_err(Into::into))
    }
}

#[pymethods]
impl ExampleFile {
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let file = py.detach(|| File::open(&path));
        let file = file.map_err(|error| errors::of(error.into()))?;
        let header = file.header();
        let names = Names {
            encoder: header.encoder.clone(),
            with_reads: !header.read_features.is_empty(),
            annotations: header.annotations.clone(),
            site_features: header.site_features.clone(),
            read_features: header.read_features.clone(),
            samples: vec![None],
        };
        Ok(Self {
            names: Arc::new(names),
            file,
        })
    }

    fn __len__(&self) -> usize {
        self.file.view().len()
    }

    /// The header as JSON.
    fn header(&self) -> PyResult<String> {
        serde_json::to_string(self.file.header()).map_err(|error| errors::of(error.into()))
    }

    /// Where the parts of an example lie: start and end of contig, REF, ALT, annotations, site,
    /// haplotypes, cells and reads, and the number of reads.
    fn parts(&self, at: usize) -> PyResult<([(usize, usize); 8], usize)> {
        let places = self.places(at)?;
        let parts = [
            places.contig,
            places.reference,
            places.alternate,
            places.annotations,
            places.site,
            places.haplotypes,
            places.cells,
            places.reads,
        ];
        Ok((parts.map(|part| (part.start, part.end)), places.rows))
    }

    /// Class, contig, 1-based position of every example.
    #[allow(clippy::type_complexity, reason = "three columns")]
    fn index<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(
        Bound<'py, PyArray1<u8>>,
        Vec<String>,
        Bound<'py, PyArray1<i64>>,
    )> {
        let read = || -> Result<Vec<(usize, String, u64)>> {
            let view = self.file.view();
            Ok((0..view.len())
                .map(|at| view.label(at))
                .collect::<Result<_, _>>()?)
        };
        let found = self.in_file(py.detach(read))?;
        let classes: Vec<u8> = found.iter().map(|(class, ..)| *class as u8).collect();
        let positions: Vec<i64> = found.iter().map(|(.., start)| *start as i64 + 1).collect();
        let contigs = found.into_iter().map(|(_, contig, _)| contig).collect();
        Ok((
            classes.into_pyarray(py),
            contigs,
            positions.into_pyarray(py),
        ))
    }

    /// The examples of these numbers.
    fn batch(&self, py: Python<'_>, numbers: Vec<usize>) -> PyResult<Batch> {
        let names = Arc::clone(&self.names);
        let read = || -> Result<Batch> {
            let view = self.file.view();
            let get = |at: usize| Ok((at, view.get(at)?));
            let examples = numbers.into_iter().map(get).collect::<Result<_>>()?;
            Ok(Batch::of_file(names, examples))
        };
        self.in_file(py.detach(read))
    }
}
