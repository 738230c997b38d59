//! Networks without weights: the names and shapes of these, and the floats that they are multiplied
//! with.

use std::sync::Arc;

use cnnfilter_core::encode::allele::AlleleLayout;
use cnnfilter_core::encode::allele::columns::WINDOW;
use cnnfilter_core::encode::gatk::{CHANNELS, READ_LIMIT, ReadTensor};
use cnnfilter_core::encode::{Example, SiteTensor};
use cnnfilter_core::networks::allele::{Channels, Inputs};
use cnnfilter_core::networks::family::{self, Sizes, TrainedInputs};
use cnnfilter_core::networks::scaling::{Scaling, ScalingLearner};
use cnnfilter_core::networks::{Architecture, Model as CoreModel, ModelError, Trained};
use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::{Batch, cube, matrix};
use crate::errors;
use crate::model::{Model, weights};

/// An architecture and what it knows of its inputs.
#[pyclass(frozen, module = "cnnfilter")]
pub(crate) struct Network {
    architecture: Arc<dyn Architecture>,
    /// None for GATK's networks, which take tensors as they are.
    own: Option<Own>,
}

/// How our own networks make floats of tensors.
struct Own {
    scaling: Scaling,
    channels: Channels,
    with_reads: bool,
}

fn fail(error: ModelError) -> PyErr {
    errors::of(error.into())
}

/// Sizes as a card holds them, from Python's values.
fn sizes(given: &Bound<'_, PyDict>) -> PyResult<Sizes> {
    let json = given.py().import("json")?.call_method1("dumps", (given,))?;
    let json: String = json.extract()?;
    serde_json::from_str(&json).map_err(|error| errors::of(error.into()))
}

/// The scaling of the numbers of some batches, which hold at least one example.
fn learn(batches: &[PyRef<'_, Batch>]) -> PyResult<Scaling> {
    let names = &batches[0].names;
    let features = names.site_features.iter().chain(&names.annotations);
    let mut learner = ScalingLearner::new(features.map(|name| (name.clone(), None)));
    for batch in batches {
        for example in batch.examples.iter() {
            let SiteTensor::Allele(tensor) = &example.tensor else {
                return Err(errors::error(
                    "GATK's tensors are no input of a new network",
                ));
            };
            let values = tensor.site.iter().chain(&example.annotations);
            let values: Vec<Option<f32>> = values
                .map(|value| (!value.is_nan()).then_some(*value))
                .collect();
            learner
                .add(&values)
                .map_err(|error| errors::of(error.into()))?;
        }
    }
    Ok(learner.finish())
}

impl Network {
    /// The network of a model.
    pub(crate) fn of_model(model: &CoreModel) -> PyResult<Self> {
        let own = match model.architecture().scaling() {
            None => None,
            Some(scaling) => {
                let (_, inputs) = TrainedInputs::of_card(model.card()).map_err(fail)?;
                Some(Own {
                    scaling: scaling.clone(),
                    channels: inputs.channels,
                    with_reads: model.uses_reads(),
                })
            }
        };
        Ok(Self {
            architecture: Arc::clone(model.architecture()),
            own,
        })
    }
}

#[pymethods]
impl Network {
    /// A network of a family for examples such as these, from which the scaling of the numbers is
    /// learned.
    #[new]
    #[pyo3(signature = (family, batches, sizes))]
    fn new(
        family: &str,
        batches: Vec<PyRef<'_, Batch>>,
        sizes: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let Some(first) = batches.first() else {
            return Err(errors::option(
                "batches: there is none to learn the scaling from",
            ));
        };
        if batches.iter().any(|batch| {
            batch.names.encoder != first.names.encoder
                || batch.names.annotations != first.names.annotations
        }) {
            return Err(errors::option(
                "batches: they have different tensors or annotations; make all of them alike",
            ));
        }
        let names = Arc::clone(&first.names);
        let family = family::trainable(family).map_err(fail)?;
        let sizes = family
            .sizes(&self::sizes(sizes)?, names.with_reads)
            .map_err(fail)?;
        let layout =
            AlleleLayout::resolve(names.with_reads, &names.read_features, &names.site_features);
        let own = Own {
            scaling: learn(&batches)?,
            channels: Channels::usual(names.with_reads),
            with_reads: names.with_reads,
        };
        let inputs = TrainedInputs {
            annotations: names.annotations.clone(),
            scaling: own.scaling.clone(),
            layout: layout.map_err(|error| errors::of(error.into()))?,
            channels: own.channels.clone(),
        };
        Ok(Self {
            architecture: family.architecture(&sizes, inputs).map_err(fail)?,
            own: Some(own),
        })
    }

    #[getter]
    fn architecture(&self) -> &str {
        self.architecture.name()
    }

    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = serde_json::to_string(&self.architecture.sizes().unwrap_or_default());
        let json = json.map_err(|error| errors::of(error.into()))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    #[getter]
    fn shapes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, shape) in self.architecture.weight_shapes() {
            dict.set_item(name, pyo3::types::PyTuple::new(py, shape)?)?;
        }
        Ok(dict)
    }

    #[getter]
    fn cell_channels(&self) -> Vec<String> {
        self.architecture.tensor().cell_channels
    }

    #[getter]
    fn haplotype_channels(&self) -> Vec<String> {
        self.architecture.tensor().haplotype_channels
    }

    /// The floats that the first layers multiply, by name.
    fn inputs<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyDict>> {
        match &self.own {
            Some(own) => own.inputs(py, batch),
            None => gatk_inputs(py, batch, self.architecture.encoder().uses_reads()),
        }
    }

    /// A model of this network with these weights.
    fn model(&self, weights: &Bound<'_, PyDict>, name: String) -> PyResult<Model> {
        let trained = Trained {
            name,
            architecture: Arc::clone(&self.architecture),
            calibration: None,
            thresholds: None,
            genotype: None,
            training: None,
        };
        let model = CoreModel::of_training(trained, self::weights(weights)?);
        Ok(Model::new(model.map_err(fail)?))
    }
}

impl Own {
    fn inputs<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyDict>> {
        let examples: &[Example] = &batch.examples;
        let fill = || -> Result<_, ModelError> {
            let mut inputs = Inputs::default();
            let (mut cells, mut qualities) = (Vec::new(), Vec::new());
            for example in examples {
                let set = inputs.push(example, &self.scaling, &self.channels, self.with_reads)?;
                for row in set.rows.iter().filter(|_| self.with_reads) {
                    self.channels
                        .push_row(row, &set.haplotype.reference, &mut cells);
                    qualities.extend(row.iter().map(|[_, quality]| f32::from(*quality)));
                }
            }
            Ok((inputs, cells, qualities))
        };
        let (inputs, cells, qualities) = py.detach(fill).map_err(fail)?;
        let (count, reads) = (examples.len(), qualities.len() / WINDOW);
        let width = inputs
            .reads
            .len()
            .checked_div(reads)
            .unwrap_or(batch.names.read_features.len());
        let dict = PyDict::new(py);
        let haplotypes = [count, WINDOW, self.channels.haplotypes()];
        dict.set_item("haplotypes", cube(py, inputs.haplotype, haplotypes)?)?;
        dict.set_item(
            "scaled",
            matrix(py, inputs.scaled, [count, 2 * self.scaling.features.len()])?,
        )?;
        if self.with_reads {
            let shape = [reads, WINDOW, self.channels.cells()];
            dict.set_item("cells", cube(py, cells, shape)?)?;
            dict.set_item("qualities", matrix(py, qualities, [reads, WINDOW])?)?;
            dict.set_item("reads", matrix(py, inputs.reads, [reads, width])?)?;
            dict.set_item("supports_alt", inputs.supports_alt.into_pyarray(py))?;
            dict.set_item("supports_ref", inputs.supports_ref.into_pyarray(py))?;
            dict.set_item("offsets", batch.offsets(py)?)?;
        }
        Ok(dict)
    }
}

/// GATK's tensors written out: `[call][row][column][channel]`, without reads `[call][column][channel]`.
fn gatk_inputs<'py>(
    py: Python<'py>,
    batch: &Batch,
    with_reads: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let mut floats = Vec::new();
    let mut annotations = Vec::new();
    for example in batch.examples.iter() {
        match &example.tensor {
            SiteTensor::Reads(tensor) if with_reads => {
                tensor.write_floats(&mut floats);
                // The last row that is written stands for all below it.
                for _ in tensor.distinct_rows()..READ_LIMIT {
                    floats.extend_from_within(floats.len() - ReadTensor::ROW_LEN..);
                }
            }
            SiteTensor::Reference(tensor) if !with_reads => tensor.write_floats(&mut floats),
            _ => {
                return Err(errors::error(
                    "these examples were made for another network",
                ));
            }
        }
        annotations.extend_from_slice(&example.annotations);
    }
    let count = batch.examples.len();
    let dict = PyDict::new(py);
    let columns = ReadTensor::ROW_LEN / CHANNELS;
    let tensor = floats.into_pyarray(py);
    if with_reads {
        let shape = [count, READ_LIMIT, columns, CHANNELS];
        dict.set_item("tensor", tensor.reshape(shape)?)?;
    } else {
        dict.set_item("tensor", tensor.reshape([count, columns, 4])?)?;
    }
    let shape = [count, batch.names.annotations.len()];
    dict.set_item("annotations", matrix(py, annotations, shape)?)?;
    Ok(dict)
}
