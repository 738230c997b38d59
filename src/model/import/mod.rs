//! GATK's published weights, out of its files.
//!
//! Pure functions on bytes: opening jars and writing folders is [`crate::io`]'s. A file that is
//! imported is data; nothing in it is executed and its sizes are bounded.

pub mod pickle;
pub mod torch;

use std::collections::BTreeMap;

use super::card::Source;
use super::gatk::{GatkSpec, spec};
use super::weights::{WeightTensor, Weights, sha256};
use super::{Model, ModelError};
use torch::TorchError;

/// Why a file gives no model.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The tensors cannot be read.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The tensors are of no network known here.
    #[error("it holds tensors ({found}), but not those of {known}")]
    Unknown {
        /// Names of some tensors.
        found: String,
        /// Networks that would have been recognised.
        known: String,
    },
    /// The tensors do not fit the network they are named for.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Makes a model out of a pickled PyTorch module of GATK (`small_2d.pt`,
/// `1d_cnn_mix_train_full_bn.pt`); which of the two it is shows in its tensors. `file` and `member`
/// are noted in the card.
///
/// # Errors
/// [`ImportError`] where the bytes are no such module.
pub fn from_torch(bytes: &[u8], file: &str, member: &str) -> Result<Model, ImportError> {
    let tensors = torch::read_module(bytes)?;
    for spec in spec::ALL {
        if let Some(weights) = rename(spec, &tensors) {
            let source = Source {
                file: file.to_owned(),
                member: member.to_owned(),
                sha256: sha256(bytes),
                cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
            };
            return Ok(Model::assemble(spec, weights, source)?);
        }
    }
    Err(ImportError::Unknown {
        found: tensors.keys().take(4).cloned().collect::<Vec<_>>().join(", "),
        known: spec::ALL.map(|spec| spec.gatk_name).join(" or "),
    })
}

/// GATK's name of each layer, by the name here; `gatk_1d.py` and `gatk_2d.py` number the children
/// of their `nn.Sequential`s, dropout and ReLU included.
fn gatk_names(spec: &GatkSpec) -> BTreeMap<&'static str, &'static str> {
    let names: &[(&str, &str)] = if spec.uses_reads() {
        &[
            ("conv1", "conv.0"),
            ("conv2", "conv.3"),
            ("conv3", "conv.6"),
            ("conv4", "conv.10"),
            ("annotation_norm", "dense_1.0"),
            ("annotation_dense", "dense_1.1"),
            ("dense", "dense_2.0"),
            ("output", "dense_2.3"),
        ]
    } else {
        &[
            ("conv1", "conv.0"),
            ("conv2", "conv.2"),
            ("conv3", "conv.5"),
            ("annotation_norm", "normalize"),
            ("annotation_dense", "dense_1.0"),
            ("dense", "dense_2.0"),
            ("output", "dense_3"),
        ]
    };
    names.iter().copied().collect()
}

/// The tensors under the names of this crate, if they are those of the network: the same names and
/// as many numbers in each. A 1D convolution's `[out][in][bases]` becomes `[out][in][1][bases]`.
fn rename(spec: &GatkSpec, tensors: &Weights) -> Option<Weights> {
    let names = gatk_names(spec);
    let mut weights = Weights::new();
    for (name, shape) in spec.weight_shapes() {
        let (layer, part) = name.split_once('.')?;
        let tensor = tensors.get(&format!("{}.{part}", names.get(layer)?))?;
        let squeezed = |shape: &[usize]| -> Vec<usize> {
            shape.iter().copied().filter(|size| *size != 1).collect()
        };
        if squeezed(&tensor.shape) != squeezed(&shape) {
            return None;
        }
        let data = tensor.data.clone();
        weights.insert(name, WeightTensor { shape, data });
    }
    (weights.len() == tensors.len()).then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gatk::spec::{REFERENCE_1D, SMALL_2D};
    use crate::model::test_vectors::random_weights;

    /// The weights under GATK's names, shaped as PyTorch has them.
    fn as_gatk(spec: &GatkSpec) -> Weights {
        let names = gatk_names(spec);
        random_weights(spec, 5)
            .into_iter()
            .map(|(name, mut tensor)| {
                let (layer, part) = name.split_once('.').unwrap();
                if !spec.uses_reads() && tensor.shape.len() == 4 {
                    tensor.shape.remove(2);
                }
                (format!("{}.{part}", names[layer]), tensor)
            })
            .collect()
    }

    #[test]
    fn each_network_is_told_by_its_tensors() {
        for (spec, other) in [(&SMALL_2D, &REFERENCE_1D), (&REFERENCE_1D, &SMALL_2D)] {
            let mut tensors = as_gatk(spec);
            assert_eq!(rename(spec, &tensors), Some(random_weights(spec, 5)));
            assert_eq!(rename(other, &tensors), None);
            tensors.insert("more".into(), WeightTensor { shape: vec![], data: vec![0.0] });
            assert_eq!(rename(spec, &tensors), None, "a tensor too many");
        }
    }
}
