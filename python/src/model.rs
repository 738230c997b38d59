//! Models.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use cnnfilter::Stop;
use cnnfilter::io::model_dir;
use cnnfilter_core::networks::{Model as CoreModel, Trained};
use cnnfilter_core::{DeviceChoice, log_odds};
use cnnfilter_nn::weights::{WeightTensor, Weights};
use cnnfilter_train::calibrate;
use cnnfilter_train::fit::Scored;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::{Batch, matrix};
use crate::errors;
use crate::network::Network;
use crate::run::interruptible;

/// Examples that are scored between two looks at whether to stop.
const TOGETHER: usize = 1024;

/// A card, its network and weights.
#[pyclass(frozen, module = "cnnfilter")]
pub(crate) struct Model {
    pub(crate) model: Arc<CoreModel>,
}

impl Model {
    pub(crate) fn new(model: CoreModel) -> Self {
        Self {
            model: Arc::new(model),
        }
    }

    /// Outputs and log odds of the examples of a batch.
    fn computed(&self, py: Python<'_>, batch: &Batch) -> PyResult<(Vec<[f32; 4]>, Vec<f64>)> {
        let stop = Stop::default();
        let said = stop.clone();
        let (model, examples) = (Arc::clone(&self.model), Arc::clone(&batch.examples));
        let compute = move || -> Result<Vec<[f32; 4]>> {
            let mut logits = Vec::with_capacity(examples.len());
            for examples in examples.chunks(TOGETHER) {
                if said.is_said() {
                    break;
                }
                logits.extend(model.logits(examples)?);
            }
            Ok(logits)
        };
        let logits = interruptible(py, &stop, compute)?;
        let of_kinds = logits.iter().zip(batch.kinds());
        let scores = of_kinds.map(|(logits, kind)| log_odds(*logits, kind));
        let scores = scores.collect();
        Ok((logits, scores))
    }
}

/// Weights out of a mapping of names to arrays of any library.
pub(crate) fn weights(given: &Bound<'_, PyDict>) -> PyResult<Weights> {
    let numpy = given.py().import("numpy")?;
    let mut weights = Weights::new();
    for (name, value) in given {
        let value = numpy.call_method1("ascontiguousarray", (value, "float32"))?;
        let array = value.cast::<PyArrayDyn<f32>>()?.readonly();
        let tensor = WeightTensor {
            shape: array.shape().to_vec(),
            data: array.as_slice()?.to_vec(),
        };
        weights.insert(name.extract()?, tensor);
    }
    Ok(weights)
}

#[pymethods]
impl Model {
    #[staticmethod]
    #[pyo3(signature = (model, device = "auto"))]
    fn load(py: Python<'_>, model: PathBuf, device: &str) -> PyResult<Self> {
        let device: DeviceChoice = device
            .parse()
            .map_err(|error| errors::option(format!("device: {error}")))?;
        let load = || model_dir::load_choice(Some(&model), true, device);
        let loaded = py.detach(load).map_err(|error| errors::of(error.into()))?;
        Ok(Self::new(loaded))
    }

    fn __repr__(&self) -> String {
        let card = self.model.card();
        format!("<cnnfilter.Model {} ({})>", card.name, card.architecture)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.model.card().name
    }

    #[getter]
    fn uses_reads(&self) -> bool {
        self.model.uses_reads()
    }

    #[getter]
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = self.model.card().to_json();
        let json = json.map_err(|error| errors::of(error.into()))?;
        let text = String::from_utf8_lossy(&json).into_owned();
        py.import("json")?.call_method1("loads", (text,))
    }

    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, weight) in self.model.weights() {
            let array = weight.data.clone().into_pyarray(py);
            dict.set_item(name, array.reshape(weight.shape.clone())?)?;
        }
        Ok(dict)
    }

    #[getter]
    fn network(&self) -> PyResult<Network> {
        Network::of_model(&self.model)
    }

    fn score<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyAny>> {
        let (logits, scores) = self.computed(py, batch)?;
        let of_scores = scores.iter().zip(batch.kinds());
        let probabilities: Vec<f64> = of_scores
            .map(|(score, kind)| self.model.probability(kind, *score).unwrap_or(f64::NAN))
            .collect();
        let rows = logits.len();
        let scores = (
            matrix(py, logits.into_flattened(), [rows, 4])?,
            scores.into_pyarray(py),
            probabilities.into_pyarray(py),
        );
        py.import("cnnfilter._types")?
            .getattr("Scores")?
            .call1(scores)
    }

    /// The same weights with probabilities and thresholds, from labelled calls.
    fn calibrate(&self, py: Python<'_>, batch: &Batch, measured_on: String) -> PyResult<Self> {
        let Some(classes) = batch.classes() else {
            return Err(errors::option(
                "batch: its calls are not labelled; take examples of a file that `cnnfilter tensors` wrote",
            ));
        };
        let (_, scores) = self.computed(py, batch)?;
        let scored = scores.into_iter().zip(classes);
        let scored: Vec<Scored> = scored
            .map(|(score, class)| Scored {
                score,
                is_real: class >= 2,
                is_indel: class % 2 == 1,
                two_copies: None,
                copies: None,
                set: 0,
            })
            .collect();
        let calibrated = calibrate::calibrate(&scored, measured_on);
        for (kind, error) in calibrated.not_calibrated.present() {
            log::warn!("{kind}s are not calibrated: {error}");
        }
        let trained = Trained {
            name: self.model.card().name.clone(),
            architecture: Arc::clone(self.model.architecture()),
            calibration: calibrated.calibration,
            thresholds: calibrated.thresholds,
            genotype: self.model.card().genotype.clone(),
            training: None,
        };
        let model = CoreModel::of_training(trained, self.model.weights().clone());
        Ok(Self::new(model.map_err(|error| errors::of(error.into()))?))
    }

    fn with_weights(&self, weights: &Bound<'_, PyDict>, name: String) -> PyResult<Self> {
        let trained = Trained {
            name,
            architecture: Arc::clone(self.model.architecture()),
            calibration: None,
            thresholds: None,
            genotype: None,
            training: None,
        };
        let model = CoreModel::of_training(trained, self::weights(weights)?);
        Ok(Self::new(model.map_err(|error| errors::of(error.into()))?))
    }

    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<PathBuf> {
        let saved = py.detach(|| model_dir::save(&folder, &self.model));
        saved.map_err(|error| errors::of(error.into()))
    }
}
