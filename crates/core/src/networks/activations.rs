//! Outputs of layers, read while a batch runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use candle_core::Tensor;

use super::ModelError;

/// A layer whose outputs can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// The axes of its output, outermost first.
    pub axes: &'static [&'static str],
}

impl Layer {
    /// A layer of this name.
    pub(super) fn new(name: impl Into<String>, axes: &'static [&'static str]) -> Self {
        let name = name.into();
        Self { name, axes }
    }
}

/// The output of a layer for a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Sizes of the axes of [`Layer::axes`].
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub data: Vec<f32>,
}

/// Keeps the outputs of the layers that were asked for.
#[derive(Debug)]
pub struct Recorder {
    names: BTreeSet<String>,
    kept: RefCell<BTreeMap<String, Tensor>>,
}

impl Recorder {
    /// A recorder of some of `known`.
    ///
    /// # Errors
    /// [`ModelError::UnknownLayer`] for a name that is not among them.
    pub fn new(names: &[&str], known: &[Layer]) -> Result<Self, ModelError> {
        for name in names {
            if !known.iter().any(|layer| layer.name == *name) {
                let known: Vec<&str> = known.iter().map(|layer| layer.name.as_str()).collect();
                return Err(ModelError::UnknownLayer {
                    name: (*name).to_owned(),
                    known: known.join(", "),
                });
            }
        }
        Ok(Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            kept: RefCell::default(),
        })
    }

    /// Keeps an output if its layer was asked for.
    pub(super) fn keep(&self, layer: &str, output: &Tensor) {
        if self.names.contains(layer) {
            let mut kept = self.kept.borrow_mut();
            kept.insert(layer.to_owned(), output.detach());
        }
    }

    /// The outputs that were kept, by layer.
    ///
    /// # Errors
    /// candle's own.
    pub fn finish(self) -> Result<BTreeMap<String, Activation>, ModelError> {
        let kept = self.kept.into_inner().into_iter();
        kept.map(|(name, output)| {
            let data = output.flatten_all()?.to_vec1()?;
            let shape = output.dims().to_vec();
            Ok((name, Activation { shape, data }))
        })
        .collect()
    }
}
