//! Weights in 8 bits.
//!
//! The weights of an output are whole numbers from 0 to 255, less the output's own zero, each times the output's own step: so
//! the smallest and the largest are met. Small tensors (biases, the last layers) stay as they are: they are few, and errors
//! in them weigh most. Whoever computes gets 32-bit floats again ([`QuantizedWeights::to_weights`]): the file is a third
//! to a quarter as large, and the networks compute as ever.

use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::NnError;
use crate::weights::{WeightTensor, Weights};

/// Largest whole number of a weight.
const LARGEST: f32 = 255.0;

/// Tensors with fewer numbers stay as they are.
const FEWEST: usize = 1000;

/// Behind the name of a tensor: that of its steps.
const STEPS: &str = ".step";
/// Likewise that of its zeros.
const ZEROS: &str = ".zero";

/// One tensor of two axes or more.
#[derive(Debug, Clone, Default, PartialEq)]
struct QuantizedTensor {
    shape: Vec<usize>,
    /// Row-major.
    data: Vec<u8>,
    /// Of each output, the first axis.
    steps: Vec<f32>,
    /// The whole number that stands for 0, of each output.
    zeros: Vec<u8>,
}

/// The tensors of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuantizedWeights {
    quantized: BTreeMap<String, QuantizedTensor>,
    /// Those that stay as they are.
    whole: Weights,
}

impl QuantizedTensor {
    fn of(tensor: &WeightTensor) -> Self {
        let outputs = tensor.shape.first().copied().unwrap_or(1).max(1);
        let inputs = (tensor.data.len() / outputs).max(1);
        let mut found = Self {
            shape: tensor.shape.clone(),
            ..Self::default()
        };
        for row in tensor.data.chunks(inputs) {
            // 0 lies within, so that it stays 0.
            let (low, high) = row.iter().fold((0.0f32, 0.0f32), |(low, high), x| {
                (low.min(*x), high.max(*x))
            });
            // A row of zeros has any step.
            let step = if high > low {
                (high - low) / LARGEST
            } else {
                1.0
            };
            let zero = (-low / step).round().clamp(0.0, LARGEST);
            let whole = |x: &f32| ((x / step).round() + zero).clamp(0.0, LARGEST) as u8;
            found.data.extend(row.iter().map(whole));
            found.steps.push(step);
            found.zeros.push(zero as u8);
        }
        found
    }

    fn to_tensor(&self) -> WeightTensor {
        let inputs = (self.data.len() / self.steps.len().max(1)).max(1);
        let rows = self
            .data
            .chunks(inputs)
            .zip(self.steps.iter().zip(&self.zeros));
        let data = rows.flat_map(|(row, (step, zero))| {
            let zero = f32::from(*zero);
            row.iter().map(move |x| (f32::from(*x) - zero) * step)
        });
        WeightTensor {
            shape: self.shape.clone(),
            data: data.collect(),
        }
    }
}

impl QuantizedWeights {
    /// The nearest ones.
    pub fn of(weights: &Weights) -> Self {
        let mut found = Self::default();
        for (name, tensor) in weights {
            if tensor.shape.len() > 1 && tensor.data.len() >= FEWEST {
                let quantized = QuantizedTensor::of(tensor);
                found.quantized.insert(name.clone(), quantized);
            } else {
                found.whole.insert(name.clone(), tensor.clone());
            }
        }
        found
    }

    /// As numbers to compute with.
    pub fn to_weights(&self) -> Weights {
        let quantized = self.quantized.iter();
        let mut weights: Weights = quantized
            .map(|(name, tensor)| (name.clone(), tensor.to_tensor()))
            .collect();
        weights.extend(self.whole.clone());
        weights
    }

    /// The bytes of a safetensors file: `U8` tensors, each with its steps (`NAME.step`) and zeros (`NAME.zero`), and `F32`
    /// ones.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where a tensor's data does not fit its shape.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, NnError> {
        let mut tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
        let floats = |data: &[f32]| data.iter().flat_map(|x| x.to_le_bytes()).collect();
        for (name, tensor) in &self.quantized {
            let outputs = vec![tensor.steps.len()];
            let bytes = (Dtype::U8, tensor.shape.clone(), tensor.data.clone());
            tensors.insert(name.clone(), bytes);
            let steps = (Dtype::F32, outputs.clone(), floats(&tensor.steps));
            tensors.insert(format!("{name}{STEPS}"), steps);
            let zeros = (Dtype::U8, outputs, tensor.zeros.clone());
            tensors.insert(format!("{name}{ZEROS}"), zeros);
        }
        for (name, tensor) in &self.whole {
            let entry = (Dtype::F32, tensor.shape.clone(), floats(&tensor.data));
            tensors.insert(name.clone(), entry);
        }
        let views = tensors
            .iter()
            .map(|(name, (kind, shape, bytes))| {
                TensorView::new(*kind, shape.clone(), bytes).map(|view| (name, view))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(safetensors::serialize(views, None)?)
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where the bytes are none or a tensor has another type; [`NnError::MissingWeight`]
    /// and [`NnError::WeightShape`] for steps or zeros that are missing or are not one an output.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, NnError> {
        let file = SafeTensors::deserialize(bytes)?;
        let (mut whole, mut small) = (Weights::new(), BTreeMap::new());
        for (name, view) in file.iter() {
            let shape = view.shape().to_vec();
            match view.dtype() {
                Dtype::F32 => {
                    let four = view.data().chunks_exact(4);
                    let data = four.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                    let data = data.collect();
                    whole.insert(name.to_owned(), WeightTensor { shape, data });
                }
                Dtype::U8 => {
                    small.insert(name.to_owned(), (shape, view.data().to_vec()));
                }
                other => {
                    let length = view.data().len();
                    let wrong = safetensors::SafeTensorError::InvalidTensorView;
                    return Err(NnError::Safetensors(wrong(other, shape, length)));
                }
            }
        }
        let mut quantized = BTreeMap::new();
        let names: Vec<String> = small
            .keys()
            .filter(|name| !name.ends_with(ZEROS))
            .cloned()
            .collect();
        for name in names {
            let Some((shape, data)) = small.remove(&name) else {
                continue;
            };
            let expected = vec![shape.first().copied().unwrap_or(1)];
            let (of_steps, of_zeros) = (format!("{name}{STEPS}"), format!("{name}{ZEROS}"));
            let steps = whole
                .remove(&of_steps)
                .map(|found| (found.shape, found.data));
            let steps = one_an_output(of_steps, steps, &expected)?;
            let zeros = one_an_output(of_zeros.clone(), small.remove(&of_zeros), &expected)?;
            let tensor = QuantizedTensor {
                shape,
                data,
                steps,
                zeros,
            };
            quantized.insert(name, tensor);
        }
        // Zeros that belong to no tensor.
        match small.into_keys().next() {
            Some(name) => Err(NnError::ExtraWeight { name }),
            None => Ok(Self { quantized, whole }),
        }
    }
}

/// Steps or zeros of a tensor.
fn one_an_output<T>(
    name: String,
    found: Option<(Vec<usize>, Vec<T>)>,
    expected: &[usize],
) -> Result<Vec<T>, NnError> {
    let expected = expected.to_vec();
    match found {
        None => Err(NnError::MissingWeight { name, expected }),
        Some((shape, data)) if shape == expected => Ok(data),
        Some((found, _)) => Err(NnError::WeightShape {
            name,
            expected,
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with negative numbers alone, with both, with positive ones alone and with zeros.
    fn weights() -> Weights {
        let row =
            |(low, high): (f32, f32)| (0..300).map(move |x| low + (high - low) * x as f32 / 299.0);
        let tensor = WeightTensor {
            shape: vec![4, 60, 5],
            data: [(-2.0, -0.5), (-0.3, 0.1), (0.2, 7.0), (0.0, 0.0)]
                .into_iter()
                .flat_map(row)
                .collect(),
        };
        let of = |shape: &[usize]| WeightTensor {
            shape: shape.to_vec(),
            data: (0..shape.iter().product())
                .map(|x: usize| x as f32 / 7.0)
                .collect(),
        };
        [
            ("a.weight".into(), tensor),
            ("a.bias".into(), of(&[1200])),
            ("out.weight".into(), of(&[4, 48])),
        ]
        .into()
    }

    #[test]
    fn no_weight_moves_by_more_than_a_step_and_small_tensors_stay() {
        let weights = weights();
        let back = QuantizedWeights::of(&weights).to_weights();
        assert_eq!(back.len(), weights.len());
        assert_eq!(back["a.bias"], weights["a.bias"]);
        assert_eq!(back["out.weight"], weights["out.weight"]);
        assert_eq!(back["a.weight"].shape, [4, 60, 5]);
        let steps = [2.0, 0.4, 7.0, 0.0].map(|span| span / LARGEST);
        let rows = weights["a.weight"].data.chunks(300);
        for ((row, new), step) in rows.zip(back["a.weight"].data.chunks(300)).zip(steps) {
            for (x, y) in row.iter().zip(new) {
                assert!((x - y).abs() <= 1.01 * step, "{x} {y}");
                // Most are the nearest: half a step away.
                assert!(*x != 0.0 || *y == 0.0, "{y}");
            }
            let mean = row.iter().zip(new).map(|(x, y)| (x - y).abs()).sum::<f32>() / 300.0;
            assert!(mean <= 0.3 * step, "{mean} {step}");
        }
    }

    #[test]
    fn the_file_keeps_them_and_is_refused_where_it_is_damaged() {
        let quantized = QuantizedWeights::of(&weights());
        let bytes = quantized.to_safetensors().unwrap();
        let read = QuantizedWeights::from_safetensors(&bytes).unwrap();
        assert_eq!(read, quantized);
        assert_eq!(read.to_safetensors().unwrap(), bytes);
        for length in 0..bytes.len() {
            assert!(QuantizedWeights::from_safetensors(&bytes[..length]).is_err());
        }
        // Other files of weights do not take it for theirs.
        assert!(crate::weights::from_safetensors(&bytes).is_err());
        for (name, part) in [
            ("a.weight.step", "`a.weight.step` is missing"),
            ("a.weight.zero", "`a.weight.zero` is missing"),
        ] {
            let mut nameless = bytes.clone();
            let mut places = bytes.windows(name.len());
            let at = places.position(|place| place == name.as_bytes()).unwrap();
            nameless[at] = b'b';
            let error = QuantizedWeights::from_safetensors(&nameless).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
