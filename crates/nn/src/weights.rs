//! Named tensors, and the safetensors files that hold them.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};

use crate::NnError;

/// One tensor of 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub data: Vec<f32>,
}

/// The tensors of a network by name, in a fixed order.
pub type Weights = BTreeMap<String, WeightTensor>;

/// The bytes of a safetensors file; equal weights give equal bytes.
///
/// # Errors
/// [`NnError::Safetensors`] where a tensor's data does not fit its shape.
pub fn to_safetensors(weights: &Weights) -> Result<Vec<u8>, NnError> {
    let bytes: Vec<Vec<u8>> = weights
        .values()
        .map(|tensor| tensor.data.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = weights
        .iter()
        .zip(&bytes)
        .map(|((name, tensor), bytes)| {
            TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (name, view))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(safetensors::serialize(views, None)?)
}

/// Reads a safetensors file.
///
/// # Errors
/// [`NnError::Safetensors`] where the bytes are none; tensors of another type than `F32` are
/// refused as [`safetensors::SafeTensorError::InvalidTensorView`].
pub fn from_safetensors(bytes: &[u8]) -> Result<Weights, NnError> {
    let file = SafeTensors::deserialize(bytes)?;
    file.iter()
        .map(|(name, view)| {
            if view.dtype() != Dtype::F32 {
                return Err(NnError::Safetensors(
                    safetensors::SafeTensorError::InvalidTensorView(
                        view.dtype(),
                        view.shape().to_vec(),
                        view.data().len(),
                    ),
                ));
            }
            let data = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let shape = view.shape().to_vec();
            Ok((name.to_owned(), WeightTensor { shape, data }))
        })
        .collect()
}

/// Checks that these are exactly the weights of an architecture (`shapes`: name and shape of each),
/// all finite.
///
/// # Errors
/// [`NnError`] naming the first weight that is missing, too many, of another shape or no number.
pub fn check(weights: &Weights, shapes: &[(String, Vec<usize>)]) -> Result<(), NnError> {
    for (name, expected) in shapes {
        let tensor = weights.get(name).ok_or_else(|| NnError::MissingWeight {
            name: name.clone(),
            expected: expected.clone(),
        })?;
        if tensor.shape != *expected || tensor.data.len() != expected.iter().product::<usize>() {
            return Err(NnError::WeightShape {
                name: name.clone(),
                expected: expected.clone(),
                found: tensor.shape.clone(),
            });
        }
        if !tensor.data.iter().all(|x| x.is_finite()) {
            return Err(NnError::WeightValue { name: name.clone() });
        }
    }
    for name in weights.keys() {
        if !shapes.iter().any(|(known, _)| known == name) {
            return Err(NnError::ExtraWeight { name: name.clone() });
        }
    }
    Ok(())
}

/// SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_survive_the_file() {
        let mut weights = Weights::new();
        for (name, shape) in [("b", vec![2, 3]), ("a", vec![6])] {
            let data = (0..6).map(|x| x as f32 / 7.0).collect();
            weights.insert(name.into(), WeightTensor { shape, data });
        }
        let bytes = to_safetensors(&weights).unwrap();
        assert_eq!(from_safetensors(&bytes).unwrap(), weights);
        assert_eq!(to_safetensors(&weights).unwrap(), bytes);
        for length in 0..bytes.len() {
            assert!(from_safetensors(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn checksums_are_sha256() {
        // printf abc | sha256sum
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
