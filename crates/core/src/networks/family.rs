//! Families of networks: their traits, and the list of all of them.
//!
//! A [`Family`] is one folder beside this file and one line in [`FAMILIES`]. It turns a card or a
//! training configuration into an [`Architecture`]: the layers with their sizes, without weights.
//! From that and its weights come a [`Network`], which scores on the CPU, and an [`OnDevice`], over
//! which a [`Batch`] runs as candle operations, for training and on a GPU.
//!
//! Training, cards and commands use these traits only; none of them knows a family by name.
//! `docs/src/add-a-network.md` shows the steps.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::activations::{Activation, Layer, Recorder};
use super::allele::Channels;
use super::card::{ModelCard, TensorSpec};
use super::gradients::CellInput;
use super::initial::Initial;
use super::pooled::{self, PooledLayer, Tap};
use super::scaling::Scaling;
use super::{ModelError, allele, attention, gatk};
use crate::encode::allele::AlleleLayout;
use crate::encode::{Encoder, Example, SiteTensor};
use cnnfilter_nn::NnError;
use cnnfilter_nn::weights::Weights;

/// All families, in the order in which a card's architecture is looked up.
pub static FAMILIES: [&dyn Family; 3] = [
    &gatk::GatkFamily,
    &allele::AlleleFamily,
    &attention::AttentionFamily,
];

/// The family of an architecture, by the name that a card gives it.
pub fn of_architecture(name: &str) -> Option<&'static dyn Family> {
    let mut families = FAMILIES.into_iter();
    families.find(|family| family.architectures().contains(&name))
}

/// The family that a training configuration names.
///
/// # Errors
/// [`ModelError::UnknownFamily`], which lists those that can be trained.
pub fn trainable(name: &str) -> Result<&'static dyn Trainable, ModelError> {
    let trainable = || {
        FAMILIES
            .iter()
            .filter_map(|family| Some((family.name(), family.trainable()?)))
    };
    trainable()
        .find_map(|(known, family)| (known == name).then_some(family))
        .ok_or_else(|| ModelError::UnknownFamily {
            name: name.to_owned(),
            known: trainable()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// Sizes of layers by name, as a card's `network` and a configuration's `[architecture]` hold them.
pub type Sizes = BTreeMap<String, serde_json::Value>;

/// Tensors of one device, by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// Networks of one design.
pub trait Family: Sync {
    /// Name of the family; `network.family` of a training configuration.
    fn name(&self) -> &'static str;

    /// Names that a card's `architecture` may have.
    fn architectures(&self) -> Vec<&'static str>;

    /// The architecture of a card whose `architecture` is one of [`Family::architectures`].
    ///
    /// # Errors
    /// [`ModelError::CardField`] naming the field that is wrong or missing.
    fn of_card(&self, card: &ModelCard) -> Result<Arc<dyn Architecture>, ModelError>;

    /// The family as `train` needs it; nothing where its networks cannot be trained here.
    fn trainable(&self) -> Option<&dyn Trainable> {
        None
    }
}

/// A family whose networks `train` can fit.
pub trait Trainable: Sync {
    /// The sizes of a network: those that the user chose, and the defaults of the others. `reads`
    /// says whether the examples have reads.
    ///
    /// # Errors
    /// A size that does not exist or is out of range, or examples that the family cannot use.
    fn sizes(&self, chosen: &Sizes, reads: bool) -> Result<Sizes, ModelError>;

    /// The architecture of these sizes, as [`Trainable::sizes`] returns them or a card holds them.
    ///
    /// # Errors
    /// As [`Trainable::sizes`]; an annotation that is none.
    fn architecture(
        &self,
        sizes: &Sizes,
        inputs: TrainedInputs,
    ) -> Result<Arc<dyn Architecture>, ModelError>;
}

/// A trained network's knowledge of its inputs beside the tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedInputs {
    /// Names of the annotations, in order.
    pub annotations: Vec<String>,
    /// Scaling of the numbers of a call, then of the annotations.
    pub scaling: Scaling,
    /// The numbers of a read and of a call.
    pub layout: AlleleLayout,
    /// The channels of cells and haplotypes.
    pub channels: Channels,
}

impl TrainedInputs {
    /// The inputs and the sizes that a card of a trained network holds.
    ///
    /// # Errors
    /// [`ModelError::CardField`] where the card lacks them.
    pub fn of_card(card: &ModelCard) -> Result<(&Sizes, Self), ModelError> {
        let missing = |field, expected: &str| ModelError::CardField {
            field,
            expected: format!("{expected} of `{}`", card.architecture),
            found: "nothing".to_owned(),
        };
        let sizes = card.network.as_ref();
        let sizes = sizes.ok_or_else(|| missing("network", "the sizes of the layers"))?;
        let scaling = card.scaling.clone();
        let scaling = scaling.ok_or_else(|| missing("scaling", "the scaling of the numbers"))?;
        let tensor = &card.tensor;
        let with_reads = tensor.read_limit > 1;
        let layout = AlleleLayout::resolve(with_reads, &tensor.channels, &tensor.site_features);
        let layout = layout.map_err(|error| ModelError::CardField {
            field: "tensor",
            expected: "numbers that are known, each once".to_owned(),
            found: error.to_string(),
        })?;
        let (cells, haplotypes) = (&tensor.cell_channels, &tensor.haplotype_channels);
        let channels = Channels::resolve(with_reads, cells, haplotypes);
        let channels = channels.map_err(|error| ModelError::CardField {
            field: "tensor",
            expected: "channels that are known, each once".to_owned(),
            found: error.to_string(),
        })?;
        let inputs = Self {
            annotations: card.annotations.clone(),
            scaling,
            layout,
            channels,
        };
        Ok((sizes, inputs))
    }
}

/// A network without weights: its layers, their sizes and its inputs.
pub trait Architecture: Debug + Send + Sync {
    /// Name in the card.
    fn name(&self) -> &str;

    /// INFO key under which the score is written.
    fn info_key(&self) -> &str;

    /// The sizes that the card's `network` holds; nothing where the name says it all.
    fn sizes(&self) -> Option<Sizes> {
        None
    }

    /// Scaling of the numbers of a call and of the annotations; nothing where the weights do it.
    fn scaling(&self) -> Option<&Scaling> {
        None
    }

    /// The encoder of its tensors, with the annotations.
    fn encoder(&self) -> &Encoder;

    /// The tensor that this version's encoder makes for it.
    fn tensor(&self) -> TensorSpec;

    /// Name and shape of each weight, in the order in which they are initialised.
    fn weight_shapes(&self) -> Vec<(String, Vec<usize>)>;

    /// A weight before training.
    fn initial(&self, name: &str, shape: &[usize]) -> Initial {
        let _ = name;
        Initial::he(shape)
    }

    /// Layers whose outputs training drops.
    fn dropout(&self) -> Vec<Dropout> {
        Vec::new()
    }

    /// True where the network has a head that tells one copy of the ALT from two. Its weights have names that
    /// begin with [`GENOTYPE_HEAD`], and no other output depends on them.
    fn tells_copies(&self) -> bool {
        false
    }

    /// The layers whose outputs [`super::Model::activations`] can read.
    fn layers(&self) -> Vec<Layer>;

    /// The network that scores on the CPU.
    ///
    /// # Errors
    /// Weights that are missing, too many, of another shape or not finite.
    fn network(&self, weights: &Weights) -> Result<Box<dyn Network>, ModelError>;

    /// Constant tensors that [`Batch::forward`] needs on the device beside the weights.
    ///
    /// # Errors
    /// candle's own.
    fn tables(&self, device: &Device) -> Result<Tensors, ModelError>;

    /// Packs examples for a device.
    ///
    /// # Errors
    /// [`ModelError::Example`] for an example that was made for another network.
    fn batch(&self, examples: &[Example]) -> Result<Box<dyn Batch>, ModelError>;

    /// Examples that a device computes together, so that its memory suffices.
    fn device_batch(&self) -> usize;

    /// An input made from a seed, with as many reads where it takes reads. The same numbers for ever:
    /// test vectors of cards of format 2 depend on them (see [`super::test_vectors`]).
    fn made_up(&self, seed: u64, reads: usize) -> Example;

    /// The input that version 0.1.0 made from a seed, for cards of format 1; nothing for a family
    /// that is younger.
    fn made_up_of_format_1(&self, seed: u64, reads: usize) -> Option<Example> {
        let _ = (seed, reads);
        None
    }
}

/// A network that scores on the CPU.
pub trait Network: Debug + Send + Sync {
    /// The four outputs before softmax of each example, in their order. A result depends on its
    /// example only.
    ///
    /// # Errors
    /// [`ModelError::Example`] for an example that was made for another network.
    fn logits(&self, examples: &[Example]) -> Result<Vec<[f32; 4]>, ModelError>;

    /// The same with the output of the genotype head, where the network has one
    /// ([`Architecture::tells_copies`]).
    ///
    /// # Errors
    /// As [`Network::logits`].
    fn outputs(&self, examples: &[Example]) -> Result<Vec<Output>, ModelError> {
        let logits = self.logits(examples)?.into_iter();
        let plain = |logits| Output {
            logits,
            two_copies: None,
        };
        Ok(logits.map(plain).collect())
    }

    /// The layers whose outputs [`Network::pooled`] reads, in the order of the network.
    ///
    /// # Errors
    /// candle's own.
    fn pooled_layers(&self) -> Result<Vec<PooledLayer>, ModelError>;

    /// The four outputs of one example; `tap` takes the outputs of layers on the way.
    ///
    /// # Errors
    /// As [`Network::logits`].
    fn pooled(&self, example: &Example, tap: &mut Tap<'_>) -> Result<[f32; 4], ModelError>;

    /// The four outputs of one example, and with each of `others` in place of its numbers. A family whose
    /// numbers join late computes the layers before that once.
    ///
    /// # Errors
    /// As [`Network::logits`].
    fn logits_of_numbers(
        &self,
        example: &Example,
        others: &[Numbers],
    ) -> Result<NumbersLogits, ModelError> {
        let mut examples = vec![example.clone()];
        examples.extend(others.iter().map(|numbers| numbers.put_into(example)));
        let mut logits = self.logits(&examples)?;
        let others = logits.split_off(1);
        Ok(NumbersLogits {
            own: logits[0],
            others,
        })
    }
}

/// All outputs of a network for one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Output {
    /// The four before softmax.
    pub logits: [f32; 4],
    /// Natural-log odds of two copies of the ALT against one in a diploid sample that has it; nothing
    /// where the network has no head for it.
    pub two_copies: Option<f32>,
}

/// Outputs of one example with different numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumbersLogits {
    /// With its own.
    pub own: [f32; 4],
    /// With each of the others, in their order.
    pub others: Vec<[f32; 4]>,
}

/// Numbers that take the place of an example's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// Numbers of the call; empty for GATK's tensors.
    pub site: Vec<f32>,
    /// Annotations.
    pub annotations: Vec<f32>,
    /// False where the rows of the reads are taken away. The numbers stay.
    pub rows: bool,
}

impl Numbers {
    /// Those of an example.
    pub fn of(example: &Example) -> Self {
        Self {
            site: match &example.tensor {
                SiteTensor::Allele(tensor) => tensor.site.clone(),
                SiteTensor::Reads(_) | SiteTensor::Reference(_) => Vec::new(),
            },
            annotations: example.annotations.clone(),
            rows: true,
        }
    }

    /// Returns true if any bit of them differs.
    pub fn differs(&self, other: &Self) -> bool {
        let differ = |a: &[f32], b: &[f32]| {
            a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.to_bits() != b.to_bits())
        };
        self.rows != other.rows
            || differ(&self.site, &other.site)
            || differ(&self.annotations, &other.annotations)
    }

    /// The example with these numbers.
    pub fn put_into(&self, example: &Example) -> Example {
        let mut changed = example.clone();
        changed.annotations.clone_from(&self.annotations);
        match &mut changed.tensor {
            SiteTensor::Allele(tensor) => {
                tensor.site.clone_from(&self.site);
                if !self.rows {
                    tensor.clear_rows();
                }
            }
            SiteTensor::Reads(tensor) if !self.rows => tensor.rows.clear(),
            SiteTensor::Reads(_) | SiteTensor::Reference(_) => {}
        }
        changed
    }
}

/// Examples packed for a device.
pub trait Batch: Debug + Send + Sync {
    /// The four outputs before softmax, `[example, 4]`, as candle operations; differentiable with
    /// respect to the weights where the family is trainable. An architecture that
    /// [tells copies](Architecture::tells_copies) has a fifth, [`Output::two_copies`].
    ///
    /// # Errors
    /// Weights that do not fit, and candle's own.
    fn forward(&self, on: &OnDevice, options: ForwardOptions<'_>) -> Result<Tensor, ModelError>;
}

/// Outputs that training drops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Outputs of the layer for one example.
    pub width: usize,
    /// Share of them that is dropped, 0 to below 1.
    pub rate: f64,
}

/// Differences from a plain forward pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardOptions<'a> {
    /// For each of [`Architecture::dropout`], `[example][width]`: what the outputs are multiplied
    /// with; nothing for scoring.
    pub dropout: Option<&'a [Vec<f32>]>,
    /// Keeps the outputs of layers.
    pub recorder: Option<&'a Recorder>,
    /// Scales the cells of the reads, and keeps them for gradients.
    pub cells: Option<&'a CellInput>,
}

impl ForwardOptions<'_> {
    /// `x`, `[example, width]`, with the dropout of this number.
    ///
    /// # Errors
    /// A mask of another size, and candle's own.
    pub fn drop_out(&self, point: usize, x: Tensor) -> candle_core::Result<Tensor> {
        match self.dropout.and_then(|masks| masks.get(point)) {
            Some(mask) => &x * Tensor::from_slice(mask, x.dims(), x.device())?,
            None => Ok(x),
        }
    }

    /// The cells of the reads, `[read, column, channel]`, scaled where that was asked for.
    ///
    /// # Errors
    /// candle's own.
    pub(super) fn enter_cells(&self, cells: Tensor) -> candle_core::Result<Tensor> {
        match self.cells {
            Some(input) => input.enter(&cells),
            None => Ok(cells),
        }
    }

    /// Keeps the output of a layer if it was asked for.
    pub fn record(&self, layer: &str, output: &Tensor) {
        if let Some(recorder) = self.recorder {
            recorder.keep(layer, output);
        }
    }
}

/// Weights and constant tensors on one device.
#[derive(Debug)]
pub struct OnDevice {
    device: Device,
    weights: Tensors,
    tables: Tensors,
}

impl OnDevice {
    /// Takes weights that are on the device, and makes the architecture's tables there.
    ///
    /// # Errors
    /// candle's own.
    pub fn new(
        architecture: &dyn Architecture,
        weights: Tensors,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            device: device.clone(),
            weights,
            tables: architecture.tables(device)?,
        })
    }

    /// Copies the weights to the device.
    ///
    /// # Errors
    /// candle's own.
    pub fn copy(
        architecture: &dyn Architecture,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Self::new(architecture, tensors(weights, device)?, device)
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// One of the weights.
    ///
    /// # Errors
    /// [`NnError::MissingWeight`].
    pub fn weight(&self, name: &str) -> Result<&Tensor, ModelError> {
        find(&self.weights, name)
    }

    /// One of the architecture's tables.
    ///
    /// # Errors
    /// [`NnError::MissingWeight`].
    pub fn table(&self, name: &str) -> Result<&Tensor, ModelError> {
        find(&self.tables, name)
    }
}

fn find<'a>(tensors: &'a Tensors, name: &str) -> Result<&'a Tensor, ModelError> {
    tensors.get(name).ok_or_else(|| {
        ModelError::Network(NnError::MissingWeight {
            name: name.to_owned(),
            expected: Vec::new(),
        })
    })
}

/// Copies weights to a device.
///
/// # Errors
/// candle's own.
pub fn tensors(weights: &Weights, device: &Device) -> Result<Tensors, ModelError> {
    let tensors = weights.iter().map(|(name, weight)| {
        let tensor = Tensor::from_slice(&weight.data, weight.shape.as_slice(), device)?;
        Ok((name.clone(), tensor))
    });
    tensors.collect()
}

/// Beginning of the names of the weights of a genotype head.
pub const GENOTYPE_HEAD: &str = "genotype";

/// The rows of `[example, 4]` or `[example, 5]`.
///
/// # Errors
/// Outputs of another shape, and candle's own.
pub(super) fn rows(outputs: &Tensor) -> Result<Vec<Output>, ModelError> {
    let rows = outputs.to_vec2::<f32>()?;
    rows.into_iter()
        .map(|row| match *row {
            [a, b, c, d] => Ok(([a, b, c, d], None)),
            [a, b, c, d, two_copies] => Ok(([a, b, c, d], Some(two_copies))),
            _ => Err(NnError::Candle(format!("{} outputs, expected 4 or 5", row.len())).into()),
        })
        .map(|row| row.map(|(logits, two_copies)| Output { logits, two_copies }))
        .collect()
}

/// A network that scores with its batches' candle operations, one example at a time, so that a
/// score depends on its example only: for a family without kernels of its own.
#[derive(Debug)]
pub(super) struct CandleNetwork<A> {
    architecture: A,
    on: OnDevice,
}

impl<A: Architecture> CandleNetwork<A> {
    /// Checks the weights and copies them.
    ///
    /// # Errors
    /// Weights that are not the architecture's.
    pub(super) fn new(architecture: A, weights: &Weights) -> Result<Self, ModelError> {
        cnnfilter_nn::weights::check(weights, &architecture.weight_shapes())?;
        let on = OnDevice::copy(&architecture, weights, &Device::Cpu)?;
        Ok(Self { architecture, on })
    }

    /// The outputs of one example, and of its layers.
    fn recorded(
        &self,
        example: &Example,
        layers: &[Layer],
    ) -> Result<([f32; 4], BTreeMap<String, Activation>), ModelError> {
        let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        let recorder = Recorder::new(&names, layers)?;
        let options = ForwardOptions {
            recorder: Some(&recorder),
            ..ForwardOptions::default()
        };
        let batch = self.architecture.batch(std::slice::from_ref(example))?;
        let outputs = rows(&batch.forward(&self.on, options)?)?;
        Ok((outputs[0].logits, recorder.finish()?))
    }
}

impl<A: Architecture> Network for CandleNetwork<A> {
    fn logits(&self, examples: &[Example]) -> Result<Vec<[f32; 4]>, ModelError> {
        let mut logits = Vec::with_capacity(examples.len());
        for example in examples.chunks(1) {
            let batch = self.architecture.batch(example)?;
            let outputs = batch.forward(&self.on, ForwardOptions::default())?;
            logits.extend(rows(&outputs)?.into_iter().map(|output| output.logits));
        }
        Ok(logits)
    }

    /// Those that a made-up example shows.
    fn pooled_layers(&self) -> Result<Vec<PooledLayer>, ModelError> {
        let example = self.architecture.made_up(1, 3);
        let layers = self.architecture.layers();
        let (_, outputs) = self.recorded(&example, &layers)?;
        let found = layers.iter().filter_map(|layer| {
            let output = outputs.get(&layer.name)?;
            Some(pooled::pooled_layer(layer, output))
        });
        Ok(found.collect())
    }

    fn pooled(&self, example: &Example, tap: &mut Tap<'_>) -> Result<[f32; 4], ModelError> {
        let layers = self.architecture.layers();
        let (logits, outputs) = self.recorded(example, &layers)?;
        for layer in &layers {
            // A layer over reads has no output where there is no read: its numbers stay 0.
            if let Some(output) = outputs.get(&layer.name) {
                tap.take(&layer.name, |out| pooled::pool(layer, output, example, out));
            }
        }
        Ok(logits)
    }
}
