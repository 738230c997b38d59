//! The family's line in the list, and models made of GATK's weights.

use std::sync::Arc;

use candle_core::Device;

use super::batch::{GatkBatch, tables};
use super::made_up::made_up;
use super::network::GatkNetwork;
use super::spec::{self, GatkSpec};
use crate::encode::gatk::{CHANNEL_NAMES, READ_LIMIT, WINDOW};
use crate::encode::{Encoder, Example};
use crate::networks::activations::Layer;
use crate::networks::card::{ModelCard, Source, TensorSpec};
use crate::networks::family::{Architecture, Batch, Family, Network, Tensors};
use crate::networks::test_vectors::format_1;
use crate::networks::{Model, ModelError, Trained};
use cnnfilter_nn::weights::Weights;

/// GATK's published networks.
#[derive(Debug, Clone, Copy)]
pub struct GatkFamily;

impl Family for GatkFamily {
    fn name(&self) -> &'static str {
        "gatk"
    }

    fn architectures(&self) -> Vec<&'static str> {
        spec::ALL.map(|spec| spec.architecture).to_vec()
    }

    fn of_card(&self, card: &ModelCard) -> Result<Arc<dyn Architecture>, ModelError> {
        let spec = GatkSpec::named(&card.architecture);
        let spec = spec.ok_or_else(|| ModelError::CardField {
            field: "architecture",
            expected: self.architectures().join(", "),
            found: card.architecture.clone(),
        })?;
        Ok(architecture(spec))
    }
}

/// The architecture of one of GATK's networks.
pub fn architecture(spec: &'static GatkSpec) -> Arc<dyn Architecture> {
    let encoder = Encoder::Gatk {
        reads: spec.uses_reads(),
        annotations: spec.annotations(),
    };
    Arc::new(GatkArchitecture { spec, encoder })
}

/// Makes a model out of GATK's weights.
///
/// # Errors
/// [`ModelError`] where the weights are not those of the architecture.
pub fn assemble(
    spec: &'static GatkSpec,
    weights: Weights,
    source: Source,
) -> Result<Model, ModelError> {
    let parts = Trained {
        name: spec.folder.to_owned(),
        architecture: architecture(spec),
        calibration: None,
        thresholds: None,
        genotype: None,
        training: None,
    };
    Model::new(parts, source, weights)
}

/// One of GATK's networks, without weights.
#[derive(Debug)]
struct GatkArchitecture {
    spec: &'static GatkSpec,
    encoder: Encoder,
}

impl Architecture for GatkArchitecture {
    fn name(&self) -> &str {
        self.spec.architecture
    }

    fn info_key(&self) -> &str {
        self.spec.info_key
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn tensor(&self) -> TensorSpec {
        let reads = self.spec.uses_reads();
        let names: &[&str] = if reads {
            &CHANNEL_NAMES
        } else {
            &["A", "C", "G", "T"]
        };
        TensorSpec {
            encoder: self.encoder.name().to_owned(),
            window: WINDOW,
            read_limit: if reads { READ_LIMIT } else { 1 },
            channels: names.iter().map(|name| (*name).to_owned()).collect(),
            site_features: Vec::new(),
            cell_channels: Vec::new(),
            haplotype_channels: Vec::new(),
        }
    }

    fn weight_shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.spec.weight_shapes()
    }

    fn layers(&self) -> Vec<Layer> {
        let conv = |at| Layer::new(format!("conv{at}"), &["call", "filter", "read", "base"]);
        let mut layers: Vec<Layer> = (1..=self.spec.convs.len()).map(conv).collect();
        let dense = ["annotation_dense", "dense"];
        layers.extend(dense.map(|name| Layer::new(name, &["call", "unit"])));
        layers
    }

    fn network(&self, weights: &Weights) -> Result<Box<dyn Network>, ModelError> {
        Ok(Box::new(GatkNetwork::new(self.spec, weights)?))
    }

    fn tables(&self, device: &Device) -> Result<Tensors, ModelError> {
        Ok(tables(self.spec.uses_reads(), device)?)
    }

    fn batch(&self, examples: &[Example]) -> Result<Box<dyn Batch>, ModelError> {
        Ok(Box::new(GatkBatch::new(self.spec, examples)?))
    }

    /// candle's convolution writes all inputs of each output beside each other, 69 MB for a call
    /// with reads.
    fn device_batch(&self) -> usize {
        if self.spec.uses_reads() { 32 } else { 1024 }
    }

    fn made_up(&self, seed: u64, reads: usize) -> Example {
        made_up(self.spec, seed, reads)
    }

    fn made_up_of_format_1(&self, seed: u64, reads: usize) -> Option<Example> {
        Some(format_1::example(self.spec, seed, reads))
    }
}
