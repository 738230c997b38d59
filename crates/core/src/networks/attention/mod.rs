//! A small network that joins the reads of an allele by attention.
//!
//! Each read becomes a vector: convolutions over its cells and the haplotypes, maximum and mean over
//! columns, and its own numbers. Each head gives every read a weight, exp of a bounded score, and an
//! allele's reads are averaged with these weights. There are no kernels for it: on the CPU it scores
//! with the same candle operations as it is trained with, one allele at a time.
//!
//! ```text
//!  reads [n][64][8] ─ conv ─┐
//!  reference, ALT [64][11] ─ conv ─┼ + ─ ReLU ─ conv ─ ReLU ─ max, mean over columns ─┐
//!  flags, MAPQ [n][22] ─ dense ─┘                                                     │
//!  flags, MAPQ, support [n][22] ──────────────────────────────────────────────────────┴─ dense ─┬─ score
//!                                                              mean weighted by exp(score)  <────┘
//!  haplotypes: max, mean over columns ───────────────┐   │
//!  numbers of the call, annotations, missing bits ──┬─┴───┴─ dense ─ dense ─ + ─ four outputs
//!                                                   └──────── shortcut ──────┘
//! ```

mod graph;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use candle_core::Device;

use self::graph::Graph;
pub use self::spec::AttentionSpec;
use super::ModelError;
use super::activations::Layer;
use super::allele::Channels;
use super::allele::architecture::{encoder, layout, of_sizes, to_sizes};
use super::allele::batch::{AlleleBatch, tables};
use super::allele::made_up::made_up;
use super::card::{ModelCard, TensorSpec};
use super::family::{
    Architecture, Batch, CandleNetwork, Dropout, Family, Network, Sizes, Tensors, Trainable,
    TrainedInputs,
};
use super::initial::Initial;
use super::scaling::Scaling;
use crate::encode::{Encoder, Example};
use crate::score::keys::READS_KEY;
use cnnfilter_nn::weights::Weights;

/// Name in cards.
const ARCHITECTURE: &str = "cnnfilter_attention";

/// Alleles that a device computes together.
const DEVICE_BATCH: usize = 256;

/// Share of the outputs of the joining layer that training drops.
const DROPOUT: f64 = 0.15;

/// Networks that join reads by attention.
#[derive(Debug, Clone, Copy)]
pub struct AttentionFamily;

impl Family for AttentionFamily {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn architectures(&self) -> Vec<&'static str> {
        vec![ARCHITECTURE]
    }

    fn of_card(&self, card: &ModelCard) -> Result<Arc<dyn Architecture>, ModelError> {
        let (sizes, inputs) = TrainedInputs::of_card(card)?;
        self.architecture(sizes, inputs)
    }

    fn trainable(&self) -> Option<&dyn Trainable> {
        Some(self)
    }
}

impl Trainable for AttentionFamily {
    fn sizes(&self, chosen: &Sizes, reads: bool) -> Result<Sizes, ModelError> {
        if !reads {
            let family = self.name();
            return Err(ModelError::NeedsReads { family });
        }
        let spec: AttentionSpec = of_sizes(chosen)?;
        spec.check()?;
        Ok(to_sizes(&spec))
    }

    fn architecture(
        &self,
        sizes: &Sizes,
        inputs: TrainedInputs,
    ) -> Result<Arc<dyn Architecture>, ModelError> {
        let spec: AttentionSpec = of_sizes(sizes)?;
        spec.check()?;
        Ok(Arc::new(AttentionArchitecture {
            spec,
            encoder: encoder(true, &inputs)?,
            scaling: inputs.scaling,
            channels: inputs.channels,
        }))
    }
}

/// A network of this family, without weights.
#[derive(Debug, Clone)]
struct AttentionArchitecture {
    spec: AttentionSpec,
    scaling: Scaling,
    encoder: Encoder,
    channels: Channels,
}

impl Architecture for AttentionArchitecture {
    fn name(&self) -> &str {
        ARCHITECTURE
    }

    fn info_key(&self) -> &str {
        READS_KEY
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

    /// All reads weigh the same at the start, the outputs start small and the shortcut at 0.
    fn initial(&self, name: &str, shape: &[usize]) -> Initial {
        match (name, Initial::he(shape)) {
            ("shortcut.weight" | "score.weight", _) => Initial::Constant(0.0),
            ("out.weight", Initial::Uniform(spread)) => Initial::Uniform(spread * 0.1),
            (_, he) => he,
        }
    }

    fn dropout(&self) -> Vec<Dropout> {
        vec![Dropout {
            width: self.spec.join_width,
            rate: DROPOUT,
        }]
    }

    fn layers(&self) -> Vec<Layer> {
        graph::layers()
    }

    fn network(&self, weights: &Weights) -> Result<Box<dyn Network>, ModelError> {
        Ok(Box::new(CandleNetwork::new(self.clone(), weights)?))
    }

    fn tables(&self, device: &Device) -> Result<Tensors, ModelError> {
        Ok(tables(&self.channels, device)?)
    }

    fn batch(&self, examples: &[Example]) -> Result<Box<dyn Batch>, ModelError> {
        let batch = AlleleBatch::new(examples, &self.scaling, true)?;
        let spec = self.spec;
        Ok(Box::new(Graph { spec, batch }))
    }

    fn device_batch(&self) -> usize {
        DEVICE_BATCH
    }

    fn made_up(&self, seed: u64, reads: usize) -> Example {
        made_up(&self.encoder, seed, reads)
    }
}
