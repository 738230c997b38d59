//! A network of GATK's design, with its weights.

use super::spec::GatkSpec;
use crate::encode::annotations::BEST_PRACTICES;
use crate::encode::gatk::{READ_LIMIT, WINDOW};
use crate::encode::{Example, SiteTensor};
use crate::networks::ModelError;
use crate::networks::family::{Network, Numbers, NumbersLogits};
use crate::networks::pooled::{PooledLayer, Pools, Tap, max_and_mean};
use cnnfilter_nn::kernel::{self, Conv, ConvShape, Dense, Rows};
use cnnfilter_nn::weights::{self, Weights};

/// Epsilon of the annotations' batch normalisation (Keras' default; PyTorch's would be 1e-5).
pub(super) const NORM_EPSILON: f32 = 1e-3;

/// The name of a convolution, counted from 0.
fn conv_name(at: usize) -> String {
    format!("conv{}", at + 1)
}

/// The layers on the CPU.
#[derive(Debug)]
pub struct GatkNetwork {
    spec: &'static GatkSpec,
    convs: Vec<Conv>,
    norm: AnnotationNorm,
    annotation_dense: Dense,
    dense: Dense,
    output: Dense,
}

/// Batch normalisation of the annotations with fixed statistics: `value * scale + shift`.
#[derive(Debug)]
struct AnnotationNorm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl AnnotationNorm {
    fn apply(&self, values: &[f32]) -> Vec<f32> {
        values
            .iter()
            .zip(self.scale.iter().zip(&self.shift))
            .map(|(value, (scale, shift))| value * scale + shift)
            .collect()
    }
}

impl Network for GatkNetwork {
    /// Without reads the calls are the rows of one tensor, so that each weight is fetched once for
    /// several of them; the bits are those of each call alone.
    fn logits(&self, examples: &[Example]) -> Result<Vec<[f32; 4]>, ModelError> {
        if self.spec.uses_reads() || examples.is_empty() {
            return examples.iter().map(|one| self.logits_of_one(one)).collect();
        }
        let tap = &mut Tap::default();
        let (mut input, mut output) = (Vec::new(), Vec::new());
        for example in examples {
            self.write_input(example, &mut input)?;
        }
        let mut shape = kernel::RowsShape {
            stored: examples.len(),
            logical: examples.len(),
            width: WINDOW,
            channels: self.spec.channels,
        };
        for conv in &self.convs {
            shape = conv.forward(shape.rows(&input), &mut output)?;
            std::mem::swap(&mut input, &mut output);
        }
        input
            .chunks_exact(shape.width * shape.channels)
            .zip(examples)
            .map(|(trunk, example)| self.join(trunk.to_vec(), &example.annotations, tap))
            .collect()
    }

    fn pooled_layers(&self) -> Result<Vec<PooledLayer>, ModelError> {
        let convs = self.spec.convs.iter().enumerate();
        let mut layers: Vec<PooledLayer> = convs
            .map(|(at, conv)| PooledLayer::new(conv_name(at), conv.filters, Pools::Columns))
            .collect();
        let annotations = self.spec.annotation_units;
        layers.push(PooledLayer::new(
            "numbers",
            BEST_PRACTICES.len(),
            Pools::None,
        ));
        layers.push(PooledLayer::new(
            "annotation_dense",
            annotations,
            Pools::None,
        ));
        layers.push(PooledLayer::new(
            "dense",
            self.spec.dense_units,
            Pools::None,
        ));
        Ok(layers)
    }

    fn pooled(&self, example: &Example, tap: &mut Tap<'_>) -> Result<[f32; 4], ModelError> {
        let trunk = self.trunk(example, tap)?;
        self.join(trunk, &example.annotations, tap)
    }

    /// The convolutions do not see the annotations: they are computed once, and once without reads where
    /// that is asked for.
    fn logits_of_numbers(
        &self,
        example: &Example,
        others: &[Numbers],
    ) -> Result<NumbersLogits, ModelError> {
        let tap = &mut Tap::default();
        let whole = self.trunk(example, tap)?;
        let with = |numbers: &Numbers| {
            let tap = &mut Tap::default();
            let trunk = if numbers.rows {
                whole.clone()
            } else {
                self.trunk(&numbers.put_into(example), tap)?
            };
            self.join(trunk, &numbers.annotations, tap)
        };
        Ok(NumbersLogits {
            own: self.join(whole.clone(), &example.annotations, tap)?,
            others: others.iter().map(with).collect::<Result<_, _>>()?,
        })
    }
}

impl GatkNetwork {
    /// Builds the network; `weights` must hold exactly [`GatkSpec::weight_shapes`].
    ///
    /// # Errors
    /// [`ModelError`] where a weight is absent, unknown, of another shape or not finite.
    pub fn new(spec: &'static GatkSpec, weights: &Weights) -> Result<Self, ModelError> {
        weights::check(weights, &spec.weight_shapes())?;
        let get = |name: &str| weights.get(name).map_or(&[][..], |tensor| &tensor.data);
        let mut channels = spec.channels;
        let mut convs = Vec::new();
        for (at, conv) in spec.convs.iter().enumerate() {
            let shape = ConvShape {
                cin: channels,
                cout: conv.filters,
                kh: conv.height,
                kw: conv.width,
            };
            let name = format!("conv{}", at + 1);
            let (weight, bias) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
            convs.push(Conv::new(shape, weight, bias, true)?);
            channels = conv.filters;
        }
        let dense = |name: &str, relu: bool| {
            let bias = get(&format!("{name}.bias"));
            let weight = get(&format!("{name}.weight"));
            Dense::new(
                weight.len() / bias.len().max(1),
                bias.len(),
                weight,
                bias,
                relu,
            )
        };
        let scale: Vec<f32> = get("annotation_norm.weight")
            .iter()
            .zip(get("annotation_norm.running_var"))
            .map(|(weight, variance)| weight / (variance + NORM_EPSILON).sqrt())
            .collect();
        let shift = get("annotation_norm.bias")
            .iter()
            .zip(get("annotation_norm.running_mean").iter().zip(&scale))
            .map(|(bias, (mean, scale))| bias - mean * scale)
            .collect();
        Ok(Self {
            spec,
            convs,
            norm: AnnotationNorm { scale, shift },
            annotation_dense: dense("annotation_dense", true)?,
            dense: dense("dense", true)?,
            output: dense("output", false)?,
        })
    }

    /// The four outputs before softmax for one call, on the CPU, on the calling thread. Rows
    /// without a read are all equal; each layer computes one of them.
    ///
    /// # Errors
    /// [`ModelError::Example`] for a tensor or an annotation vector of another network.
    pub fn logits_of_one(&self, example: &Example) -> Result<[f32; 4], ModelError> {
        self.pooled(example, &mut Tap::default())
    }

    /// What the convolutions make of a call.
    fn trunk(&self, example: &Example, tap: &mut Tap<'_>) -> Result<Vec<f32>, ModelError> {
        let mut input = Vec::new();
        let stored = self.write_input(example, &mut input)?;
        let mut shape = kernel::RowsShape {
            stored,
            logical: self.spec.rows,
            width: WINDOW,
            channels: self.spec.channels,
        };
        let mut output = Vec::new();
        for (at, (conv, spec)) in self.convs.iter().zip(self.spec.convs).enumerate() {
            shape = conv.forward(shape.rows(&input), &mut output)?;
            std::mem::swap(&mut input, &mut output);
            if spec.pool > 1 {
                let rows = shape.rows(&input);
                shape = kernel::max_pool_rows(rows, shape.channels, spec.pool, &mut output)?;
                std::mem::swap(&mut input, &mut output);
            }
            // The last row that is stored stands for all behind it.
            let last = (shape.width, shape.logical + 1 - shape.stored);
            tap.take(&conv_name(at), |out| {
                max_and_mean(&input, shape.channels, last, out);
            });
        }
        let rows: Rows<'_> = shape.rows(&input);
        rows.expand(shape.channels, &mut output)?;
        Ok(output)
    }

    /// The dense layers, over what the convolutions made and the annotations.
    fn join(
        &self,
        mut trunk: Vec<f32>,
        annotations: &[f32],
        tap: &mut Tap<'_>,
    ) -> Result<[f32; 4], ModelError> {
        let annotations = self.norm.apply(annotations);
        tap.copy("numbers", &annotations);
        let mut units = Vec::new();
        self.annotation_dense.forward(&annotations, &mut units)?;
        tap.copy("annotation_dense", &units);
        trunk.extend_from_slice(&units);
        self.dense.forward(&trunk, &mut units)?;
        tap.copy("dense", &units);
        if self.spec.shortcut {
            units.extend_from_slice(&annotations);
        }
        let mut logits = Vec::new();
        self.output.forward(&units, &mut logits)?;
        Ok([logits[0], logits[1], logits[2], logits[3]])
    }

    /// Appends the example's distinct rows as floats and returns how many they are.
    fn write_input(&self, example: &Example, input: &mut Vec<f32>) -> Result<usize, ModelError> {
        Ok(match tensor_of(self.spec, example)? {
            SiteTensor::Reference(tensor) => {
                tensor.write_floats(input);
                1
            }
            SiteTensor::Reads(tensor) => {
                tensor.write_floats(input);
                tensor.distinct_rows().min(READ_LIMIT)
            }
            SiteTensor::Allele(_) => 0,
        })
    }
}

/// The example's tensor, which is one that the network reads.
///
/// # Errors
/// [`ModelError::Example`] where it is not, or the annotations are those of another network.
pub(super) fn tensor_of<'a>(
    spec: &GatkSpec,
    example: &'a Example,
) -> Result<&'a SiteTensor, ModelError> {
    let (expected, found) = match (&example.tensor, spec.uses_reads()) {
        _ if example.annotations.len() != BEST_PRACTICES.len() => {
            ("seven annotations", "another number of them")
        }
        (SiteTensor::Reference(_), false) | (SiteTensor::Reads(_), true) => {
            return Ok(&example.tensor);
        }
        (SiteTensor::Reference(_), true) => ("a read tensor", "a reference tensor"),
        (SiteTensor::Reads(_), false) => ("a reference tensor", "a read tensor"),
        (SiteTensor::Allele(_), _) => ("a tensor as GATK makes it", "one of our own"),
    };
    Err(ModelError::Example { expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::family::{ForwardOptions, OnDevice, rows};
    use crate::networks::gatk::spec::{REFERENCE_1D, SMALL_2D};
    use crate::networks::test_vectors::format_1;
    use candle_core::Device;
    use cnnfilter_nn::NnError;
    use cnnfilter_nn::weights::WeightTensor;

    fn network(spec: &'static GatkSpec) -> GatkNetwork {
        GatkNetwork::new(spec, &crate::testing::random_weights(spec, 7)).unwrap()
    }

    #[test]
    fn own_layers_agree_with_candles() {
        for spec in [&SMALL_2D, &REFERENCE_1D] {
            let network = network(spec);
            let architecture = super::super::architecture(spec);
            let weights = crate::testing::random_weights(spec, 7);
            let on = OnDevice::copy(&*architecture, &weights, &Device::Cpu).unwrap();
            for (seed, reads) in [(1, 0), (2, 1), (3, 40), (4, 127), (5, 128)] {
                let example = format_1::example(spec, seed, reads);
                let own = network.logits_of_one(&example).unwrap();
                let batch = architecture.batch(&[example]).unwrap();
                let outputs = batch.forward(&on, ForwardOptions::default()).unwrap();
                let candle = rows(&outputs).unwrap()[0];
                for (own, candle) in own.iter().zip(candle.logits) {
                    assert!(
                        (own - candle).abs() < 1e-4 * (1.0 + candle.abs()),
                        "{} with {reads} reads: {own} against {candle}",
                        spec.architecture
                    );
                }
                if !spec.uses_reads() {
                    break;
                }
            }
        }
    }

    #[test]
    fn calls_beside_each_other_change_nothing() {
        for spec in [&SMALL_2D, &REFERENCE_1D] {
            let network = network(spec);
            let examples: Vec<Example> = (1..=11)
                .map(|seed| format_1::example(spec, seed, 3 * seed as usize))
                .collect();
            let alone: Vec<_> = examples
                .iter()
                .map(|one| network.logits_of_one(one).unwrap())
                .collect();
            assert_eq!(network.logits(&examples).unwrap(), alone);
        }
    }

    #[test]
    fn a_wrong_tensor_or_weight_is_named() {
        let network = network(&SMALL_2D);
        let example = format_1::example(&REFERENCE_1D, 1, 0);
        assert!(matches!(
            network.logits_of_one(&example),
            Err(ModelError::Example { .. })
        ));
        let mut weights = crate::testing::random_weights(&REFERENCE_1D, 1);
        weights.remove("dense.bias");
        let error = GatkNetwork::new(&REFERENCE_1D, &weights).unwrap_err();
        assert!(error.to_string().contains("`dense.bias`"), "{error}");
        let odd = WeightTensor {
            shape: vec![1],
            data: vec![f32::NAN],
        };
        weights.insert("dense.bias".into(), odd);
        let error = GatkNetwork::new(&REFERENCE_1D, &weights).unwrap_err();
        assert!(
            matches!(error, ModelError::Network(NnError::WeightShape { .. })),
            "{error}"
        );
        weights.insert(
            "dense.bias".into(),
            WeightTensor {
                shape: vec![40],
                data: vec![f32::NAN; 40],
            },
        );
        assert!(matches!(
            GatkNetwork::new(&REFERENCE_1D, &weights),
            Err(ModelError::Network(NnError::WeightValue { .. }))
        ));
        weights.insert(
            "dense.bias".into(),
            WeightTensor {
                shape: vec![40],
                data: vec![0.0; 40],
            },
        );
        weights.insert(
            "more".into(),
            WeightTensor {
                shape: vec![1],
                data: vec![0.0],
            },
        );
        assert!(matches!(
            GatkNetwork::new(&REFERENCE_1D, &weights),
            Err(ModelError::Network(NnError::ExtraWeight { .. }))
        ));
    }
}
