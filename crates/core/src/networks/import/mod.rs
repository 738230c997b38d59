//! GATK's published weights, out of its files.
//!
//! Pure functions on bytes: opening jars and writing folders is [`cnnfilter::io`]'s. A file that is
//! imported is data; nothing in it is executed and its sizes are bounded.

pub mod keras;
pub mod pickle;
pub mod torch;

use super::card::Source;
use super::gatk::{self, GatkSpec, spec};
use super::{Model, ModelError};
use cnnfilter_nn::weights::{WeightTensor, Weights, sha256};
use keras::{KerasError, KerasTensor};
use torch::TorchError;

/// The first bytes of an HDF5 file.
pub const HDF5_MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Why a file gives no model.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The tensors of a PyTorch module cannot be read.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The tensors of a Keras network cannot be read.
    #[error(transparent)]
    Keras(#[from] KerasError),
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

/// Makes a model out of one of GATK's weight files: a pickled PyTorch module (`.pt`) or a Keras
/// file (`.hd5`). Which network it is shows in its tensors. `file` and `member` are noted in the
/// card.
///
/// # Errors
/// [`ImportError`] where the bytes hold none of GATK's networks.
pub fn from_bytes(bytes: &[u8], file: &str, member: &str) -> Result<Model, ImportError> {
    let (recognised, names) = if bytes.starts_with(HDF5_MAGIC) {
        let tensors = keras::read_keras_weights(bytes)?;
        let found = find(|spec| from_keras_order(spec, &tensors));
        (
            found,
            tensors.into_iter().map(|tensor| tensor.name).collect(),
        )
    } else {
        let tensors = torch::read_module(bytes)?;
        let found = find(|spec| from_torch_names(spec, &tensors));
        (found, tensors.into_keys().collect::<Vec<_>>())
    };
    let (spec, weights) = recognised.ok_or_else(|| ImportError::Unknown {
        found: names.into_iter().take(4).collect::<Vec<_>>().join(", "),
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

/// The first network that recognises the tensors as its own.
fn find(
    recognise: impl Fn(&'static GatkSpec) -> Option<Weights>,
) -> Option<(&'static GatkSpec, Weights)> {
    spec::ALL
        .into_iter()
        .find_map(|spec| Some((spec, recognise(spec)?)))
}

/// The layers of a network in the order in which GATK's `port_params` lists them, with PyTorch's
/// name of each: `gatk_1d.py` and `gatk_2d.py` number the children of their `nn.Sequential`s,
/// dropout and ReLU included. The larger 2D network was never ported to PyTorch.
fn layers(spec: &GatkSpec) -> Vec<(String, &'static str)> {
    let (convs, rest): (&[&str], [&str; 4]) = match spec.gatk_name {
        "small_2d" => (
            &["conv.0", "conv.3", "conv.6", "conv.10"],
            ["dense_1.0", "dense_1.1", "dense_2.0", "dense_2.3"],
        ),
        "1d_cnn_mix_train_full_bn" => (
            &["conv.0", "conv.2", "conv.5"],
            ["normalize", "dense_1.0", "dense_2.0", "dense_3"],
        ),
        _ => (&[""; 5], [""; 4]),
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

/// The tensors of a Keras network, if they are those of the network: as many, in the order of the
/// layers, with the shapes that belong there. Keras keeps kernels as (reads, bases, in, out) and
/// (in, out), PyTorch and this crate as (out, in, reads, bases) and (out, in).
fn from_keras_order(spec: &GatkSpec, tensors: &[KerasTensor]) -> Option<Weights> {
    let shapes = spec.weight_shapes();
    let mut remaining = tensors.iter();
    let mut weights = Weights::new();
    for (layer, _) in layers(spec) {
        let mut parts = vec!["weight", "bias"];
        if layer == "annotation_norm" {
            parts.extend(["running_mean", "running_var"]);
        }
        for part in parts {
            let name = format!("{layer}.{part}");
            let (_, shape) = shapes.iter().find(|(known, _)| *known == name)?;
            let mut tensor = output_first(remaining.next()?);
            if squeezed(&tensor.shape) != squeezed(shape) {
                return None;
            }
            tensor.shape.clone_from(shape);
            if name == "dense.weight" && spec.gatk_name == "2d_cnn_mix_train" {
                channels_to_last(&mut tensor, spec.trunk_shape());
            }
            weights.insert(name, tensor);
        }
    }
    remaining.next().is_none().then_some(weights)
}

/// Moves the two last axes of a kernel, in and out, to the front as out and in.
fn output_first(tensor: &KerasTensor) -> WeightTensor {
    let rank = tensor.shape.len();
    if rank < 2 {
        return WeightTensor {
            shape: tensor.shape.clone(),
            data: tensor.data.clone(),
        };
    }
    let (field, channels) = tensor.shape.split_at(rank - 2);
    let (cells, inputs, outputs) = (field.iter().product::<usize>(), channels[0], channels[1]);
    let mut data = Vec::with_capacity(tensor.data.len());
    for output in 0..outputs {
        for input in 0..inputs {
            data.extend(
                (0..cells).map(|cell| tensor.data[(cell * inputs + input) * outputs + output]),
            );
        }
    }
    WeightTensor {
        shape: [&[outputs, inputs], field].concat(),
        data,
    }
}

/// `2d_cnn_mix_train` keeps channels first, so that its dense layer reads them as (channel, read,
/// base); here they come as (read, base, channel).
fn channels_to_last(dense: &mut WeightTensor, [rows, columns, channels]: [usize; 3]) {
    let inputs = dense.shape[1];
    let old = dense.data.clone();
    for (to, from) in dense
        .data
        .chunks_exact_mut(inputs)
        .zip(old.chunks_exact(inputs))
    {
        for cell in 0..rows * columns {
            for channel in 0..channels {
                to[cell * channels + channel] = from[channel * rows * columns + cell];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::gatk::spec::{MIX_2D, REFERENCE_1D, SMALL_2D};
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

    /// The weights in Keras' order and layout, element by element the slow way.
    fn as_keras(spec: &GatkSpec) -> Vec<KerasTensor> {
        let weights = random_weights(spec, 6);
        let mut tensors = Vec::new();
        for (layer, _) in layers(spec) {
            for part in ["weight", "bias", "running_mean", "running_var"] {
                let name = format!("{layer}.{part}");
                let Some(tensor) = weights.get(&name) else {
                    continue;
                };
                let (shape, data) = match tensor.shape.as_slice() {
                    &[o, i, h, w] => {
                        let mut data = vec![0.0; tensor.data.len()];
                        for (at, value) in tensor.data.iter().enumerate() {
                            let (y, x) = (at / w % h, at % w);
                            let (out, input) = (at / (i * h * w), at / (h * w) % i);
                            data[((y * w + x) * i + input) * o + out] = *value;
                        }
                        let shape = if spec.uses_reads() {
                            vec![h, w, i, o]
                        } else {
                            vec![w, i, o]
                        };
                        (shape, data)
                    }
                    &[o, i] => {
                        let [rows, columns, channels] = spec.trunk_shape();
                        let mut data = vec![0.0; tensor.data.len()];
                        for (at, value) in tensor.data.iter().enumerate() {
                            let (out, mut input) = (at / i, at % i);
                            let cells = rows * columns;
                            let trunk = layer == "dense" && input < cells * channels;
                            if trunk && spec.gatk_name == "2d_cnn_mix_train" {
                                input = input % channels * cells + input / channels;
                            }
                            data[input * o + out] = *value;
                        }
                        (vec![i, o], data)
                    }
                    shape => (shape.to_vec(), tensor.data.clone()),
                };
                tensors.push(KerasTensor {
                    layer: layer.clone(),
                    name,
                    shape,
                    data,
                });
            }
        }
        tensors
    }

    #[test]
    fn keras_networks_are_told_by_their_shapes() {
        for spec in spec::ALL {
            let mut tensors = as_keras(spec);
            assert_eq!(
                from_keras_order(spec, &tensors),
                Some(random_weights(spec, 6)),
                "{}",
                spec.gatk_name
            );
            let recognised: Vec<&str> = spec::ALL
                .into_iter()
                .filter(|spec| from_keras_order(spec, &tensors).is_some())
                .map(|spec| spec.gatk_name)
                .collect();
            assert_eq!(recognised, [spec.gatk_name]);
            tensors.pop();
            assert_eq!(from_keras_order(spec, &tensors), None, "a tensor too few");
        }
        assert_eq!(MIX_2D.info_key, "CNN_2D");
    }
}
