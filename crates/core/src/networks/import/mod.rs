//! GATK's published weights, out of its files.
//!
//! Pure functions on bytes: opening jars and writing folders is the program's. A file that is
//! imported is data; nothing in it is executed and its sizes are bounded.

pub mod pickle;
pub mod torch;

use super::card::Source;
use super::gatk::{self, GatkSpec, spec};
use super::{Model, ModelError};
use cnnfilter_nn::weights::{WeightTensor, Weights, sha256};
use torch::TorchError;

/// Why a file gives no model.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The tensors of a PyTorch module cannot be read.
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

/// Makes a model out of one of GATK's weight files, a pickled PyTorch module (`.pt`). Which network
/// it is shows in its tensors. `file` and `member` are noted in the card.
///
/// # Errors
/// [`ImportError`] where the bytes hold none of GATK's networks.
pub fn from_bytes(bytes: &[u8], file: &str, member: &str) -> Result<Model, ImportError> {
    let tensors = torch::read_module(bytes)?;
    let recognised = spec::ALL
        .into_iter()
        .find_map(|spec| Some((spec, from_torch_names(spec, &tensors)?)));
    let (spec, weights) = recognised.ok_or_else(|| ImportError::Unknown {
        found: tensors.into_keys().take(4).collect::<Vec<_>>().join(", "),
        known: spec::ALL.map(|spec| spec.gatk_name).join(", "),
    })?;
    let source = Source {
        file: file.to_owned(),
        member: member.to_owned(),
        sha256: sha256(bytes),
        cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(gatk::assemble(spec, weights, source)?)
}

/// The layers of a network in the order in which GATK's `port_params` lists them, with PyTorch's
/// name of each: `gatk_1d.py` and `gatk_2d.py` number the children of their `nn.Sequential`s,
/// dropout and ReLU included.
fn layers(spec: &GatkSpec) -> Vec<(String, &'static str)> {
    let (convs, rest): (&[&str], [&str; 4]) = match spec.gatk_name {
        "small_2d" => (
            &["conv.0", "conv.3", "conv.6", "conv.10"],
            ["dense_1.0", "dense_1.1", "dense_2.0", "dense_2.3"],
        ),
        // `1d_cnn_mix_train_full_bn`, the only other one.
        _ => (
            &["conv.0", "conv.2", "conv.5"],
            ["normalize", "dense_1.0", "dense_2.0", "dense_3"],
        ),
    };
    let convs = convs.iter().enumerate();
    let mut layers: Vec<_> = convs
        .map(|(at, name)| (format!("conv{}", at + 1), *name))
        .collect();
    let own = ["annotation_norm", "annotation_dense", "dense", "output"];
    layers.extend(own.map(String::from).into_iter().zip(rest));
    layers
}

/// Shape without axes of size 1: a 1D convolution's `[out][in][bases]` is `[out][in][1][bases]`
/// here.
fn squeezed(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|size| *size != 1).collect()
}

/// The tensors of a PyTorch module under the names of this crate, if they are those of the network:
/// the same names and shapes, and no other.
fn from_torch_names(spec: &GatkSpec, tensors: &Weights) -> Option<Weights> {
    let layers = layers(spec);
    let mut weights = Weights::new();
    for (name, shape) in spec.weight_shapes() {
        let (layer, part) = name.split_once('.')?;
        let (_, torch) = layers.iter().find(|(own, _)| own == layer)?;
        let tensor = tensors.get(&format!("{torch}.{part}"))?;
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
    use crate::networks::gatk::spec::{REFERENCE_1D, SMALL_2D};
    use crate::testing::random_weights;

    /// The weights under PyTorch's names and shapes.
    fn as_torch(spec: &GatkSpec) -> Weights {
        let layers = layers(spec);
        random_weights(spec, 5)
            .into_iter()
            .map(|(name, mut tensor)| {
                let (layer, part) = name.split_once('.').unwrap();
                let (_, torch) = layers.iter().find(|(own, _)| own == layer).unwrap();
                if !spec.uses_reads() && tensor.shape.len() == 4 {
                    tensor.shape.remove(2);
                }
                (format!("{torch}.{part}"), tensor)
            })
            .collect()
    }

    #[test]
    fn torch_networks_are_told_by_their_tensors() {
        for (spec, other) in [(&SMALL_2D, &REFERENCE_1D), (&REFERENCE_1D, &SMALL_2D)] {
            let mut tensors = as_torch(spec);
            assert_eq!(
                from_torch_names(spec, &tensors),
                Some(random_weights(spec, 5))
            );
            assert_eq!(from_torch_names(other, &tensors), None);
            let more = WeightTensor {
                shape: vec![],
                data: vec![0.0],
            };
            tensors.insert("more".into(), more);
            assert_eq!(from_torch_names(spec, &tensors), None, "a tensor too many");
        }
    }
}
