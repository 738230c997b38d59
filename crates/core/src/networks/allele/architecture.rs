//! The family's line in the list: from sizes and inputs to a network.

use std::sync::Arc;

use candle_core::Device;

use super::batch::{AlleleBatch, tables};
use super::channels::Channels;
use super::graph::{self, Graph};
use super::made_up::made_up;
use super::network::AlleleNetwork;
use super::spec::AlleleSpec;
use crate::encode::allele::columns::WINDOW;
use crate::encode::allele::{AlleleLayout, READ_LIMIT};
use crate::encode::annotations::UnknownAnnotation;
use crate::encode::{Encoder, Example};
use crate::networks::ModelError;
use crate::networks::activations::Layer;
use crate::networks::card::{ModelCard, TensorSpec};
use crate::networks::family::{
    Architecture, Batch, Dropout, Family, Network, Sizes, Tensors, Trainable, TrainedInputs,
};
use crate::networks::initial::Initial;
use crate::networks::scaling::Scaling;
use crate::networks::test_vectors::format_1;
use crate::score::keys::{READS_KEY, REFERENCE_KEY};
use cnnfilter_nn::weights::Weights;

/// Alleles that a device computes together: with 64 reads each, the largest tensor of the default
/// network takes 0.4 GB.
const DEVICE_BATCH: usize = 256;

/// Share of the outputs of the first joining layer that training drops.
const DROPOUT: f64 = 0.15;

/// Names of the architectures, with reads and without.
pub(super) const WITH_READS: &str = "cnnfilter_reads";
pub(super) const WITHOUT_READS: &str = "cnnfilter_reference";

/// Our convolutional networks.
#[derive(Debug, Clone, Copy)]
pub struct AlleleFamily;

impl Family for AlleleFamily {
    fn name(&self) -> &'static str {
        "allele"
    }

    fn architectures(&self) -> Vec<&'static str> {
        vec![WITH_READS, WITHOUT_READS]
    }

    fn of_card(&self, card: &ModelCard) -> Result<Arc<dyn Architecture>, ModelError> {
        let (sizes, inputs) = TrainedInputs::of_card(card)?;
        self.architecture(sizes, inputs)
    }

    fn trainable(&self) -> Option<&dyn Trainable> {
        Some(self)
    }
}

impl Trainable for AlleleFamily {
    fn sizes(&self, chosen: &Sizes, reads: bool) -> Result<Sizes, ModelError> {
        let mut spec: AlleleSpec = of_sizes(chosen)?;
        spec.reads = reads;
        spec.check()?;
        Ok(to_sizes(&spec))
    }

    fn architecture(
        &self,
        sizes: &Sizes,
        inputs: TrainedInputs,
    ) -> Result<Arc<dyn Architecture>, ModelError> {
        let spec: AlleleSpec = of_sizes(sizes)?;
        Ok(Arc::new(AlleleArchitecture::new(spec, inputs)?))
    }
}

/// Sizes as a type.
///
/// # Errors
/// [`ModelError::Sizes`] for a size that does not exist or is of the wrong type.
pub(in crate::networks) fn of_sizes<S: serde::de::DeserializeOwned>(
    sizes: &Sizes,
) -> Result<S, ModelError> {
    let map: serde_json::Map<_, _> = sizes.clone().into_iter().collect();
    serde_json::from_value(map.into()).map_err(ModelError::Sizes)
}

/// The sizes of a type that holds nothing else.
pub(in crate::networks) fn to_sizes<S: serde::Serialize>(spec: &S) -> Sizes {
    match serde_json::to_value(spec) {
        Ok(serde_json::Value::Object(map)) => map.into_iter().collect(),
        _ => Sizes::new(),
    }
}

/// The encoder of alleles with these annotations and numbers.
///
/// # Errors
/// [`ModelError::CardField`] for an annotation that is none.
pub(in crate::networks) fn encoder(
    reads: bool,
    inputs: &TrainedInputs,
) -> Result<Encoder, ModelError> {
    let annotations = inputs.annotations.iter().map(|name| {
        let parsed = name.parse();
        parsed.map_err(|error: UnknownAnnotation| ModelError::CardField {
            field: "annotations",
            expected: "names that are known".into(),
            found: error.to_string(),
        })
    });
    Ok(Encoder::Allele {
        reads,
        annotations: annotations.collect::<Result<_, _>>()?,
        layout: inputs.layout.clone(),
    })
}

/// The numbers of a read and of a call that an encoder of our own computes.
pub(in crate::networks) fn layout(encoder: &Encoder) -> Option<&AlleleLayout> {
    match encoder {
        Encoder::Allele { layout, .. } => Some(layout),
        Encoder::Gatk { .. } => None,
    }
}

impl TensorSpec {
    /// The tensor of one allele with the numbers that networks are trained with, with reads or
    /// without.
    pub fn of_allele(reads: bool) -> Self {
        let channels = Channels::usual(reads);
        Self::of_encoder(&Encoder::allele(reads, Vec::new()), &channels)
    }

    /// The tensor of one allele, as an encoder of our own makes it.
    pub(in crate::networks) fn of_encoder(encoder: &Encoder, cells: &Channels) -> Self {
        let reads = encoder.uses_reads();
        let (mut channels, mut site_features) = (Vec::new(), Vec::new());
        if let Some(layout) = layout(encoder) {
            channels.extend(layout.read_names().map(String::from));
            site_features.extend(layout.site_names().map(String::from));
        }
        Self {
            encoder: if reads { WITH_READS } else { WITHOUT_READS }.to_owned(),
            window: WINDOW,
            read_limit: if reads { READ_LIMIT } else { 1 },
            channels,
            site_features,
            cell_channels: cells.cell_names().map(String::from).collect(),
            haplotype_channels: cells.haplotype_names().map(String::from).collect(),
        }
    }
}

/// One of our convolutional networks, without weights.
#[derive(Debug, Clone)]
pub struct AlleleArchitecture {
    spec: AlleleSpec,
    scaling: Scaling,
    encoder: Encoder,
    channels: Channels,
}

impl AlleleArchitecture {
    /// Checks the sizes.
    ///
    /// # Errors
    /// Sizes that are none, or an annotation that is none.
    pub fn new(spec: AlleleSpec, inputs: TrainedInputs) -> Result<Self, ModelError> {
        spec.check()?;
        Ok(Self {
            spec,
            encoder: encoder(spec.reads, &inputs)?,
            scaling: inputs.scaling,
            channels: inputs.channels,
        })
    }
}

impl Architecture for AlleleArchitecture {
    fn name(&self) -> &str {
        self.spec.architecture()
    }

    fn info_key(&self) -> &str {
        if self.spec.reads {
            READS_KEY
        } else {
            REFERENCE_KEY
        }
    }

    fn sizes(&self) -> Option<Sizes> {
        Some(to_sizes(&self.spec))
    }

    fn scaling(&self) -> Option<&Scaling> {
        Some(&self.scaling)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn tensor(&self) -> TensorSpec {
        TensorSpec::of_encoder(&self.encoder, &self.channels)
    }

    fn weight_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let read_features = layout(&self.encoder).map_or(0, |layout| layout.read().len());
        let scaled = 2 * self.scaling.features.len();
        self.spec
            .weight_shapes(read_features, scaled, &self.channels)
    }

    /// The outputs start small and the shortcut at 0.
    fn initial(&self, name: &str, shape: &[usize]) -> Initial {
        match (name, Initial::he(shape)) {
            ("quality_gate.threshold", _) => Initial::Constant(15.0),
            ("quality_gate.temperature", _) => Initial::Constant(5.0),
            ("shortcut.weight", _) => Initial::Constant(0.0),
            ("out.weight" | "genotype2.weight", Initial::Uniform(spread)) => {
                Initial::Uniform(spread * 0.1)
            }
            (_, he) => he,
        }
    }

    fn dropout(&self) -> Vec<Dropout> {
        vec![Dropout {
            width: self.spec.join_width[0],
            rate: DROPOUT,
        }]
    }

    fn tells_copies(&self) -> bool {
        self.spec.genotype_width > 0
    }

    fn layers(&self) -> Vec<Layer> {
        graph::layers(self.spec.reads)
    }

    fn network(&self, weights: &Weights) -> Result<Box<dyn Network>, ModelError> {
        let network = AlleleNetwork::new(
            self.spec,
            self.scaling.clone(),
            self.channels.clone(),
            weights,
        )?;
        Ok(Box::new(network))
    }

    fn tables(&self, device: &Device) -> Result<Tensors, ModelError> {
        Ok(tables(&self.channels, device)?)
    }

    fn batch(&self, examples: &[Example]) -> Result<Box<dyn Batch>, ModelError> {
        let batch = AlleleBatch::new(examples, &self.scaling, self.spec.reads)?;
        Ok(Box::new(Graph {
            spec: self.spec,
            channels: self.channels.clone(),
            batch,
        }))
    }

    fn device_batch(&self) -> usize {
        DEVICE_BATCH
    }

    fn made_up(&self, seed: u64, reads: usize) -> Example {
        made_up(&self.encoder, seed, reads)
    }

    fn made_up_of_format_1(&self, seed: u64, reads: usize) -> Option<Example> {
        Some(format_1::allele_example(&self.encoder, seed, reads))
    }
}
