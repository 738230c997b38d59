//! Examples of several calls as NumPy arrays.

use std::sync::Arc;

use cnnfilter::in_process::EncodedCall;
use cnnfilter_core::VariantKind;
use cnnfilter_core::encode::allele::AlleleTensor;
use cnnfilter_core::encode::allele::columns::WINDOW;
use cnnfilter_core::encode::store::LabelledExample;
use cnnfilter_core::encode::{Encoder, Example, Outcome, SiteTensor};
use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::prelude::*;

use crate::errors;

/// Names of what examples hold, the same for all batches of a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Names {
    /// The encoder ([`Encoder::name`]).
    pub(crate) encoder: String,
    /// True where it reads reads.
    pub(crate) with_reads: bool,
    /// Annotations of each example.
    pub(crate) annotations: Vec<String>,
    /// Numbers of each call; none for GATK's tensors.
    pub(crate) site_features: Vec<String>,
    /// Numbers of each read; none for GATK's tensors and without reads.
    pub(crate) read_features: Vec<String>,
    /// Samples, `None` for calls without.
    pub(crate) samples: Vec<Option<String>>,
}

impl Names {
    /// Those of an encoder.
    pub(crate) fn of_encoder(encoder: &Encoder, samples: Vec<Option<String>>) -> Self {
        let (mut site_features, mut read_features) = (Vec::new(), Vec::new());
        if let Encoder::Allele { layout, .. } = encoder {
            site_features.extend(layout.site_names().map(String::from));
            read_features.extend(layout.read_names().map(String::from));
        }
        Self {
            encoder: encoder.name().to_owned(),
            with_reads: encoder.uses_reads(),
            annotations: encoder.annotation_names(),
            site_features,
            read_features,
            samples,
        }
    }
}

/// The call that an example is about.
#[derive(Debug, Clone)]
struct Place {
    record: u64,
    contig: String,
    position: u64,
    id: String,
    reference: String,
    alternate: String,
    alternate_index: Option<usize>,
    sample: usize,
    kind: VariantKind,
}

/// Verdict on an example's allele.
#[derive(Debug, Clone, Copy)]
struct Label {
    class: u8,
    is_genotype_right: bool,
}

/// A record without examples.
#[derive(Debug, Clone)]
struct Skipped {
    record: u64,
    contig: String,
    position: u64,
    reason: &'static str,
}

/// Several calls, encoded: one example for each ALT and sample.
#[pyclass(frozen, module = "cnnfilter")]
pub(crate) struct Batch {
    pub(crate) names: Arc<Names>,
    pub(crate) examples: Arc<Vec<Example>>,
    places: Vec<Place>,
    /// None where the calls were not labelled.
    labels: Option<Vec<Label>>,
    skipped: Vec<Skipped>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Batch {
    /// The examples of encoded calls.
    pub(crate) fn of_calls(names: Arc<Names>, calls: Vec<EncodedCall>) -> Self {
        let (mut examples, mut places, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for EncodedCall {
            number,
            record,
            outcome,
        } in calls
        {
            let site = match outcome {
                Outcome::Encoded(site) => site,
                Outcome::Skipped(skip) => {
                    skipped.push(Skipped {
                        record: number,
                        contig: text(record.contig()),
                        position: record.position(),
                        reason: skip.reason(),
                    });
                    continue;
                }
            };
            let (reference, alternates) = record.alleles();
            for allele in site.alleles {
                let alternate = match allele.alternate {
                    Some(at) => alternates.split(|byte| *byte == b',').nth(at),
                    None => Some(alternates),
                };
                places.push(Place {
                    record: number,
                    contig: text(record.contig()),
                    position: record.position(),
                    id: text(record.id()),
                    reference: text(reference),
                    alternate: text(alternate.unwrap_or_default()),
                    alternate_index: allele.alternate,
                    sample: allele.sample,
                    kind: allele.kind,
                });
                examples.push(allele.example);
            }
        }
        Self {
            names,
            examples: Arc::new(examples),
            places,
            labels: None,
            skipped,
        }
    }

    /// Examples of a file, with their numbers in it.
    pub(crate) fn of_file(names: Arc<Names>, examples: Vec<(usize, LabelledExample)>) -> Self {
        let (mut tensors, mut places, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for (number, example) in examples {
            labels.push(Label {
                class: example.class() as u8,
                is_genotype_right: example.is_genotype_right,
            });
            places.push(Place {
                record: number as u64,
                contig: example.contig,
                position: example.start + 1,
                id: ".".to_owned(),
                reference: text(&example.reference),
                alternate: text(&example.alternate),
                alternate_index: None,
                sample: 0,
                kind: if example.is_indel {
                    VariantKind::Indel
                } else {
                    VariantKind::Snp
                },
            });
            tensors.push(example.example);
        }
        Self {
            names,
            examples: Arc::new(tensors),
            places,
            labels: Some(labels),
            skipped: Vec::new(),
        }
    }

    /// Kind of each example's allele.
    pub(crate) fn kinds(&self) -> Vec<VariantKind> {
        self.places.iter().map(|place| place.kind).collect()
    }

    /// Class of each example; nothing where the calls were not labelled.
    pub(crate) fn classes(&self) -> Option<Vec<u8>> {
        let labels = self.labels.as_ref()?;
        Some(labels.iter().map(|label| label.class).collect())
    }

    /// The tensors of our own encoders.
    fn tensors(&self) -> PyResult<Vec<&AlleleTensor>> {
        let tensor = |example| match example {
            &Example {
                tensor: SiteTensor::Allele(ref tensor),
                ..
            } => Ok(tensor),
            _ => Err(errors::error(
                "these are GATK's tensors, which have no such part; Model.inputs gives them as floats",
            )),
        };
        self.examples.iter().map(tensor).collect()
    }

    fn array<'py, T: Element>(
        &self,
        py: Python<'py>,
        of: impl Fn(&Place) -> T,
    ) -> Bound<'py, PyArray1<T>> {
        let values: Vec<T> = self.places.iter().map(of).collect();
        values.into_pyarray(py)
    }
}

/// `values` as `[rows][columns]`.
pub(crate) fn matrix<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    shape: [usize; 2],
) -> PyResult<Bound<'_, PyArray2<T>>> {
    values.into_pyarray(py).reshape(shape)
}

/// `values` as `[i][j][k]`.
pub(crate) fn cube<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    shape: [usize; 3],
) -> PyResult<Bound<'_, PyArray3<T>>> {
    values.into_pyarray(py).reshape(shape)
}

#[pymethods]
impl Batch {
    fn __len__(&self) -> usize {
        self.examples.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "<cnnfilter.Batch of {} examples, {}>",
            self.examples.len(),
            self.names.encoder
        )
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

    #[getter]
    fn contig(&self) -> Vec<&str> {
        self.places.iter().map(|place| &*place.contig).collect()
    }

    #[getter]
    fn pos<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.array(py, |place| place.position as i64)
    }

    #[getter]
    fn id(&self) -> Vec<&str> {
        self.places.iter().map(|place| &*place.id).collect()
    }

    #[getter(r#ref)]
    fn reference(&self) -> Vec<&str> {
        self.places.iter().map(|place| &*place.reference).collect()
    }

    #[getter]
    fn alt(&self) -> Vec<&str> {
        self.places.iter().map(|place| &*place.alternate).collect()
    }

    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.array(py, |place| place.record as i64)
    }

    #[getter]
    fn alternate<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.array(py, |place| place.alternate_index.map_or(-1, |at| at as i64))
    }

    #[getter]
    fn sample<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.array(py, |place| place.sample as i64)
    }

    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u8>> {
        self.array(py, |place| match place.kind {
            VariantKind::Snp => 0u8,
            VariantKind::Indel => 1,
            VariantKind::Other => 2,
        })
    }

    #[getter]
    fn label<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<u8>>> {
        Some(self.classes()?.into_pyarray(py))
    }

    #[getter]
    fn genotype_right<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<bool>>> {
        let labels = self.labels.as_ref()?;
        let right: Vec<bool> = labels.iter().map(|label| label.is_genotype_right).collect();
        Some(right.into_pyarray(py))
    }

    #[getter]
    fn skipped(&self) -> Vec<(u64, &str, u64, &str)> {
        let skipped = self.skipped.iter();
        skipped
            .map(|one| (one.record, &*one.contig, one.position, one.reason))
            .collect()
    }

    #[getter]
    fn haplotypes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let tensors = self.tensors()?;
        let both = |tensor: &&AlleleTensor| {
            let haplotype = &tensor.haplotype;
            [haplotype.reference, haplotype.alternate].concat()
        };
        let values = tensors.iter().flat_map(both).collect();
        cube(py, values, [tensors.len(), 2, WINDOW])
    }

    #[getter]
    fn cells<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let rows = self.tensors()?.into_iter().flat_map(|tensor| &tensor.rows);
        let values: Vec<u8> = rows.flatten().flatten().copied().collect();
        let reads = values.len() / (2 * WINDOW);
        cube(py, values, [reads, WINDOW, 2])
    }

    #[getter]
    fn reads<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let tensors = self.tensors()?;
        let reads = tensors.iter().map(|tensor| tensor.rows.len()).sum();
        let values: Vec<f32> = tensors
            .iter()
            .flat_map(|tensor| &tensor.reads)
            .copied()
            .collect();
        matrix(py, values, [reads, self.names.read_features.len()])
    }

    #[getter]
    fn supports<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<bool>>> {
        let tensors = self.tensors()?;
        let supports = tensors.iter().flat_map(|tensor| &tensor.supports);
        let values: Vec<bool> = supports
            .flat_map(|read| [read.alternate, read.reference])
            .collect();
        let reads = values.len() / 2;
        matrix(py, values, [reads, 2])
    }

    #[getter]
    pub(crate) fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let mut offsets = vec![0i64];
        let mut reads = 0;
        for tensor in self.tensors()? {
            reads += tensor.rows.len() as i64;
            offsets.push(reads);
        }
        Ok(offsets.into_pyarray(py))
    }

    #[getter]
    fn site<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let tensors = self.tensors()?;
        let values: Vec<f32> = tensors
            .iter()
            .flat_map(|tensor| &tensor.site)
            .copied()
            .collect();
        let shape = [tensors.len(), self.names.site_features.len()];
        matrix(py, values, shape)
    }

    #[getter]
    fn annotations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let values = self.examples.iter().flat_map(|one| &one.annotations);
        let shape = [self.examples.len(), self.names.annotations.len()];
        matrix(py, values.copied().collect(), shape)
    }
}
