//! A model ready to score.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Device;
use rayon::prelude::*;

use super::ModelError;
use super::activations::{Activation, Recorder};
use super::card::{Compared, FORMAT, GenotypeHead, ModelCard, Quantization, Source, Training};
use super::family::{
    Architecture, ForwardOptions, Network, Numbers, NumbersLogits, OnDevice, Output, rows,
};
use super::pooled::{PooledLayer, Selection, Tap};
use super::replica::{Replica, deal};
use super::test_vectors::TestVector;
use crate::encode::{Encoder, Example};
use crate::genome::VariantKind;
use crate::score::log_odds::LABELS;
use crate::score::logistic::sigmoid;
use crate::score::{Calibration, CardThresholds, Novelty};
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::quantized::QuantizedWeights;
use cnnfilter_nn::weights::{self, Weights};

/// Examples that one thread computes together: enough to share weights, few enough to share out.
const TOGETHER: usize = 16;

/// Largest error of a test vector, relative to 1 + |logit|: instruction sets round differently.
const TEST_VECTOR_TOLERANCE: f32 = 1e-3;

/// Seeds and depths of the test vectors of a model.
const TEST_VECTORS: [(u64, usize); 2] = [(1, 35), (2, 3)];

/// The parts of a model beside its weights.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Its name.
    pub name: String,
    /// Its layers and inputs.
    pub architecture: Arc<dyn Architecture>,
    /// From scores to probabilities.
    pub calibration: Option<Calibration>,
    /// Thresholds, by aim.
    pub thresholds: Option<CardThresholds>,
    /// The genotype head, where the network has one.
    pub genotype: Option<GenotypeHead>,
    /// Record of the training.
    pub training: Option<Training>,
}

/// What a network makes of one example.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// The four outputs before softmax.
    pub logits: [f32; 4],
    /// The pooled outputs of layers, by [`Selection::range`].
    pub numbers: Vec<f32>,
}

/// A card, its network, and the devices it runs on.
#[derive(Debug)]
pub struct Model {
    card: ModelCard,
    architecture: Arc<dyn Architecture>,
    weights: Weights,
    /// The weights as they are stored, where that is in 8 bits.
    quantized: Option<QuantizedWeights>,
    network: Box<dyn Network>,
    /// The weights on each GPU; none where it runs on the CPU.
    replicas: Vec<Replica>,
}

impl Model {
    /// Loads a model from the bytes of its two files and checks it: card against architecture,
    /// weights against card, and the test vectors on each device chosen.
    ///
    /// # Errors
    /// [`ModelError`] saying what is wrong with which of the two.
    pub fn load(json: &[u8], safetensors: &[u8], device: DeviceChoice) -> Result<Self, ModelError> {
        let (card, architecture) = ModelCard::parse(json)?;
        let found = weights::sha256(safetensors);
        if found != card.weights_sha256 {
            return Err(ModelError::Checksum {
                expected: card.weights_sha256,
                found,
            });
        }
        let (weights, quantized) = match card.quantization {
            None => (weights::from_safetensors(safetensors)?, None),
            Some(_) => {
                let quantized = QuantizedWeights::from_safetensors(safetensors)?;
                (quantized.to_weights(), Some(quantized))
            }
        };
        let network = architecture.network(&weights)?;
        let devices = device.open()?;
        let gpus = devices.iter().filter(|device| !device.is_cpu());
        let replica = |gpu| OnDevice::copy(&*architecture, &weights, gpu).map(Replica::new);
        let model = Self {
            replicas: gpus.map(replica).collect::<Result<_, _>>()?,
            network,
            weights,
            quantized,
            architecture,
            card,
        };
        model.check_test_vectors()?;
        model.novelty_layers()?;
        Ok(model)
    }

    /// The same model with a summary of its training calls in the card, in place of one that it had.
    ///
    /// # Errors
    /// As [`Model::novelty_layers`].
    pub fn with_novelty(mut self, novelty: Novelty) -> Result<Self, ModelError> {
        self.card.novelty = Some(novelty);
        self.novelty_layers()?;
        Ok(self)
    }

    /// The same with other thresholds in its card.
    #[must_use]
    pub fn with_thresholds(mut self, thresholds: CardThresholds) -> Self {
        self.card.thresholds = Some(thresholds);
        self
    }

    /// The layers that the summary of the training calls is about; nothing where the card has none.
    ///
    /// # Errors
    /// [`ModelError::CardField`] where the summary names a layer that the network has not, or is not of the widths of
    /// its layers.
    pub fn novelty_layers(&self) -> Result<Option<Selection>, ModelError> {
        let Some(novelty) = &self.card.novelty else {
            return Ok(None);
        };
        let wrong = |found| ModelError::CardField {
            field: "novelty",
            expected: "a summary of layers of the network".to_owned(),
            found,
        };
        let names: Vec<&str> = novelty.layers.iter().map(String::as_str).collect();
        let layers = Selection::new(&names, &self.pooled_layers()?);
        let layers = layers.map_err(|error| wrong(error.to_string()))?;
        novelty.check(layers.width()).map_err(wrong)?;
        Ok(Some(layers))
    }

    /// How unlike the training calls one of this kind is ([`Novelty::of`]), by the pooled outputs of
    /// [`Model::novelty_layers`]; nothing where the card has no summary of the kind.
    pub fn novelty(&self, kind: VariantKind, numbers: &[f32]) -> Option<f64> {
        self.card.novelty.as_ref()?.of(kind, numbers)
    }

    /// Makes a model out of trained weights.
    ///
    /// # Errors
    /// [`ModelError`] where the weights are not those of the architecture.
    pub fn of_training(trained: Trained, weights: Weights) -> Result<Self, ModelError> {
        let source = Source {
            file: String::new(),
            member: String::new(),
            sha256: String::new(),
            cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Self::new(trained, source, weights)
    }

    /// Makes a model out of weights: fills the card, adds test vectors, computed by candle's layers,
    /// and checks the network against them.
    ///
    /// # Errors
    /// [`ModelError`] where the weights are not those of the architecture.
    pub(super) fn new(
        trained: Trained,
        source: Source,
        weights: Weights,
    ) -> Result<Self, ModelError> {
        let architecture = trained.architecture;
        let network = architecture.network(&weights)?;
        let card = ModelCard {
            format: FORMAT,
            name: trained.name,
            architecture: architecture.name().to_owned(),
            info_key: architecture.info_key().to_owned(),
            tensor: architecture.tensor(),
            annotations: architecture.encoder().annotation_names(),
            labels: LABELS.map(String::from).to_vec(),
            network: architecture.sizes(),
            scaling: architecture.scaling().cloned(),
            calibration: trained.calibration,
            thresholds: trained.thresholds,
            genotype: trained.genotype,
            novelty: None,
            training: trained.training,
            quantization: None,
            source,
            weights_sha256: weights::sha256(&weights::to_safetensors(&weights)?),
            test_vectors: Vec::new(),
        };
        let mut model = Self {
            network,
            weights,
            quantized: None,
            architecture,
            card,
            replicas: Vec::new(),
        };
        let replica = [Replica::new(model.on_cpu()?)];
        for (seed, reads) in TEST_VECTORS {
            let example = model.architecture.made_up(seed, reads);
            let output = model.outputs_on(&[example], &replica)?[0];
            model.card.test_vectors.push(TestVector {
                seed,
                reads,
                logits: output.logits,
                two_copies: output.two_copies,
            });
        }
        model.check_test_vectors()?;
        Ok(model)
    }

    /// A network with other weights on the CPU, whose card fits them.
    ///
    /// # Errors
    /// Weights that are not those of the architecture.
    pub(super) fn of_parts(
        card: ModelCard,
        architecture: Arc<dyn Architecture>,
        weights: Weights,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            network: architecture.network(&weights)?,
            weights,
            quantized: None,
            architecture,
            card,
            replicas: Vec::new(),
        })
    }

    /// The same model with weights of 8 bits under another name. It computes with 32-bit floats as any other.
    ///
    /// # Errors
    /// [`ModelError::IsQuantized`] for one that has such weights.
    pub fn quantize(&self, name: String) -> Result<Self, ModelError> {
        let card = &self.card;
        if card.quantization.is_some() {
            return Err(ModelError::IsQuantized);
        }
        let quantized = QuantizedWeights::of(&self.weights);
        let trained = Trained {
            name,
            architecture: Arc::clone(&self.architecture),
            calibration: card.calibration.clone(),
            // What was measured was measured with other weights.
            thresholds: card.thresholds.clone().map(|thresholds| CardThresholds {
                tested: Vec::new(),
                ..thresholds
            }),
            genotype: card.genotype.clone(),
            training: card.training.clone(),
        };
        let source = Source {
            cnnfilter_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..card.source.clone()
        };
        let mut model = Self::new(trained, source, quantized.to_weights())?;
        model.card.weights_sha256 = weights::sha256(&quantized.to_safetensors()?);
        model.card.novelty = card.novelty.clone();
        model.card.quantization = Some(Quantization {
            of_model: card.name.clone(),
            of_weights_sha256: card.weights_sha256.clone(),
            compared: Vec::new(),
        });
        model.quantized = Some(quantized);
        Ok(model)
    }

    /// Writes into the card of a quantised model how far it is from the one that it was made of.
    pub fn add_comparison(&mut self, compared: Compared) {
        if let Some(quantization) = &mut self.card.quantization {
            quantization.compared.push(compared);
        }
    }

    /// The bytes of `model.json` and `model.safetensors`.
    ///
    /// # Errors
    /// [`ModelError`], which no model that was loaded or assembled gives.
    pub fn to_files(&self) -> Result<(Vec<u8>, Vec<u8>), ModelError> {
        let safetensors = match &self.quantized {
            Some(quantized) => quantized.to_safetensors()?,
            None => weights::to_safetensors(&self.weights)?,
        };
        Ok((self.card.to_json()?, safetensors))
    }

    /// The card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Its weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Its layers and inputs.
    pub fn architecture(&self) -> &Arc<dyn Architecture> {
        &self.architecture
    }

    /// The encoder of the tensors it reads.
    pub fn encoder(&self) -> &Encoder {
        self.architecture.encoder()
    }

    /// Probability that a call of this kind with this score is real; nothing where the model is not
    /// calibrated for the kind.
    pub fn probability(&self, kind: VariantKind, score: f64) -> Option<f64> {
        let calibration = self.card.calibration.as_ref()?;
        calibration.probability(kind, score)
    }

    /// The same, where the log odds of a kind that is not calibrated are taken as they are.
    pub fn probability_or_odds(&self, kind: VariantKind, score: f64) -> f64 {
        let calibration = self.card.calibration.as_ref();
        calibration.map_or_else(|| sigmoid(score), |of| of.probability_or_odds(kind, score))
    }

    /// Probability of two copies of an ALT that is real, in a diploid sample, from the output of the genotype head
    /// ([`Output::two_copies`]).
    pub fn two_copies(&self, kind: VariantKind, output: f32) -> f64 {
        let (head, odds) = (self.card.genotype.as_ref(), f64::from(output));
        head.map_or_else(
            || sigmoid(odds),
            |head| head.calibration.probability_or_odds(kind, odds),
        )
    }

    /// True where the model tells one copy of an ALT from two.
    pub fn tells_copies(&self) -> bool {
        self.card.genotype.is_some()
    }

    /// Returns true if a call with this score is rather real than false: its probability is at least a half;
    /// without a calibration its score is at least 0.
    pub fn believes(&self, kind: VariantKind, score: f64) -> bool {
        let probability = self.probability(kind, score);
        probability.map_or(score >= 0.0, |probability| probability >= 0.5)
    }

    /// True where it needs reads.
    pub fn uses_reads(&self) -> bool {
        self.encoder().uses_reads()
    }

    /// True where it runs on a GPU.
    pub fn on_gpu(&self) -> bool {
        !self.replicas.is_empty()
    }

    /// The four outputs before softmax of each example, in their order
    /// ([`LABELS`]). On the CPU the examples are shared out over the threads of the current rayon
    /// pool; a result depends on its example only.
    ///
    /// # Errors
    /// [`ModelError::Example`] for an example made for another network.
    pub fn logits(&self, examples: &[Example]) -> Result<Vec<[f32; 4]>, ModelError> {
        if self.on_gpu() {
            let outputs = self.outputs_on(examples, &self.replicas)?;
            return Ok(outputs.into_iter().map(|output| output.logits).collect());
        }
        shared_out(examples, |examples| self.network.logits(examples))
    }

    /// The same with the output of the genotype head, where the model has one.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn outputs(&self, examples: &[Example]) -> Result<Vec<Output>, ModelError> {
        if self.on_gpu() {
            return self.outputs_on(examples, &self.replicas);
        }
        shared_out(examples, |examples| self.network.outputs(examples))
    }

    /// Outputs of layers, by [`Architecture::layers`], for a few examples together, by candle's
    /// operations: on the first GPU chosen, else on the CPU. A layer over reads is absent where no
    /// example has a read.
    ///
    /// # Errors
    /// [`ModelError::UnknownLayer`], and as [`Model::logits`].
    pub fn activations(
        &self,
        examples: &[Example],
        layers: &[&str],
    ) -> Result<BTreeMap<String, Activation>, ModelError> {
        let recorder = Recorder::new(layers, &self.architecture.layers())?;
        if examples.is_empty() {
            return Ok(BTreeMap::new());
        }
        let options = ForwardOptions {
            recorder: Some(&recorder),
            ..ForwardOptions::default()
        };
        let batch = self.architecture.batch(examples)?;
        if let Some(replica) = self.replicas.first() {
            let (on, _held) = replica.hold();
            batch.forward(on, options)?;
            return recorder.finish();
        }
        batch.forward(&self.on_cpu()?, options)?;
        recorder.finish()
    }

    /// The four outputs of one example, and with each of `others` in place of its numbers, on the CPU and
    /// in this thread.
    ///
    /// # Errors
    /// [`ModelError::Example`] for an example made for another network.
    pub fn logits_of_numbers(
        &self,
        example: &Example,
        others: &[Numbers],
    ) -> Result<NumbersLogits, ModelError> {
        self.network.logits_of_numbers(example, others)
    }

    /// The layers whose pooled outputs [`Model::pooled`] reads, in the order of the network.
    ///
    /// # Errors
    /// candle's own.
    pub fn pooled_layers(&self) -> Result<Vec<PooledLayer>, ModelError> {
        self.network.pooled_layers()
    }

    /// The four outputs and the pooled outputs of layers of each example, in their order, on the CPU. The
    /// examples are shared out over the threads of the current rayon pool; a result depends on its
    /// example only.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn pooled(
        &self,
        examples: &[Example],
        wanted: &Selection,
    ) -> Result<Vec<Pooled>, ModelError> {
        let examples = examples.par_iter();
        examples
            .map(|example| self.pooled_of(example, wanted))
            .collect()
    }

    /// As [`Model::pooled`] for one example, in this thread.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn pooled_of(&self, example: &Example, wanted: &Selection) -> Result<Pooled, ModelError> {
        let mut tap = Tap::new(wanted);
        let logits = self.network.pooled(example, &mut tap)?;
        let numbers = tap.finish();
        Ok(Pooled { logits, numbers })
    }

    pub(super) fn on_cpu(&self) -> Result<OnDevice, ModelError> {
        OnDevice::copy(&*self.architecture, &self.weights, &Device::Cpu)
    }

    /// Outputs by layers over candle's tensors, batches dealt among the replicas. How examples are
    /// cut into batches does not depend on these.
    fn outputs_on(
        &self,
        examples: &[Example],
        replicas: &[Replica],
    ) -> Result<Vec<Output>, ModelError> {
        let size = self.architecture.device_batch();
        let batches: Vec<&[Example]> = examples.chunks(size).collect();
        let logits = deal(replicas, &batches, |examples, replica| {
            let batch = self.architecture.batch(examples)?;
            let (on, _held) = replica.hold();
            rows(&batch.forward(on, ForwardOptions::default())?)
        })?;
        Ok(logits.into_iter().flatten().collect())
    }

    fn check_test_vectors(&self) -> Result<(), ModelError> {
        for (index, vector) in self.card.test_vectors.iter().enumerate() {
            let example = [self.card.test_input(&*self.architecture, vector)?];
            if self.replicas.is_empty() {
                vector.check(index, &self.outputs(&example)?[0])?;
            }
            for replica in self.replicas.chunks(1) {
                vector.check(index, &self.outputs_on(&example, replica)?[0])?;
            }
        }
        Ok(())
    }
}

/// Computes examples in the threads of the current rayon pool; results come in their order.
fn shared_out<T: Send>(
    examples: &[Example],
    compute: impl Fn(&[Example]) -> Result<Vec<T>, ModelError> + Send + Sync,
) -> Result<Vec<T>, ModelError> {
    let shares = examples.par_chunks(TOGETHER).map(compute);
    let shares: Vec<Vec<T>> = shares.collect::<Result<_, _>>()?;
    Ok(shares.into_iter().flatten().collect())
}

impl TestVector {
    /// Fails unless `found` are its outputs; `index` is its number in the card.
    fn check(&self, index: usize, found: &Output) -> Result<(), ModelError> {
        let classes = (LABELS.into_iter()).zip(self.logits.into_iter().zip(found.logits));
        let copies = self.two_copies.zip(found.two_copies);
        let copies = copies.map(|pair| ("two copies", pair));
        for (label, (expected, found)) in classes.chain(copies) {
            let close = (found - expected).abs() <= TEST_VECTOR_TOLERANCE * (1.0 + expected.abs());
            if !close {
                return Err(ModelError::TestVector {
                    index,
                    label,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Builtin;
    use crate::networks::gatk::{self, spec::REFERENCE_1D};

    fn files() -> (Vec<u8>, Vec<u8>) {
        let source = Source {
            file: "x.pt".into(),
            member: String::new(),
            sha256: String::new(),
            cnnfilter_version: "0".into(),
        };
        let weights = crate::testing::random_weights(&REFERENCE_1D, 3);
        gatk::assemble(&REFERENCE_1D, weights, source)
            .unwrap()
            .to_files()
            .unwrap()
    }

    #[test]
    fn a_model_survives_its_files() {
        let (json, safetensors) = files();
        let model = Model::load(&json, &safetensors, DeviceChoice::Cpu).unwrap();
        assert_eq!(model.to_files().unwrap(), (json, safetensors));
        assert_eq!(model.card().info_key, "CNN_1D");
        assert!(!model.uses_reads());
    }

    #[test]
    fn a_quantised_model_survives_its_files_and_is_quantised_once() {
        let (json, safetensors) = files();
        let model = Model::load(&json, &safetensors, DeviceChoice::Cpu).unwrap();
        let mut small = model.quantize("small".into()).unwrap();
        small.add_comparison(Compared {
            calls: "x.vcf".into(),
            records: 7,
            ..Compared::default()
        });
        let (card, weights) = small.to_files().unwrap();
        assert!(weights.len() * 7 < safetensors.len() * 2);
        let read = Model::load(&card, &weights, DeviceChoice::Cpu).unwrap();
        assert_eq!(read.to_files().unwrap(), (card, weights.clone()));
        assert_eq!(read.weights(), small.weights());
        assert_eq!(read.card().name, "small");
        let made = read.card().quantization.clone().unwrap();
        assert_eq!(made.of_weights_sha256, model.card().weights_sha256);
        assert_eq!(
            (made.of_model.as_str(), made.compared[0].records),
            ("gatk-1d", 7)
        );
        assert!(matches!(
            read.quantize("x".into()),
            Err(ModelError::IsQuantized)
        ));

        // The card says which of the two kinds of file it is.
        let text = String::from_utf8(json).unwrap();
        let mixed = text.replace(&model.card().weights_sha256, &small.card().weights_sha256);
        let error = Model::load(mixed.as_bytes(), &weights, DeviceChoice::Cpu).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
    }

    #[test]
    fn each_defect_is_named() {
        let (json, safetensors) = files();
        let text = String::from_utf8(json).unwrap();
        let load = |text: &str, bytes: &[u8]| {
            let error = Model::load(text.as_bytes(), bytes, DeviceChoice::Cpu);
            error
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        let mut damaged = safetensors.clone();
        damaged[5000] ^= 1;
        assert!(load(&text, &damaged).contains("SHA-256"));
        for (from, to, message) in [
            ("\"format\": 2", "\"format\": 9", "format 9"),
            ("\"format\": 2", "\"format\": 1", "test vector 0"),
            (
                "gatk_1d",
                "gatk_7d",
                "architecture must be one of gatk_1d, gatk_small_2d",
            ),
            ("\"MQ\"", "\"MQ0\"", "annotations must be MQ, DP"),
            ("\"window\": 128", "\"window\": 64", "tensor must be"),
            ("\"NOT_SNP\"", "\"SNP\"", "labels must be NOT_SNP"),
            ("CNN_1D", "CNN 1D", "info_key must be an INFO key"),
            ("\"name\"", "\"nome\"", "not a model card"),
            ("\"seed\": 1,", "\"seed\": 11,", "test vector 0"),
            (
                "\"reads\": 35",
                "\"reads\": 1000000000000",
                "test_vectors must be at most 64 of at most 1000 reads, found 2 of up to 1000000000000",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            let found = load(&text.replacen(from, to, 1), &safetensors);
            assert!(found.contains(message), "{found} should say {message}");
        }
    }

    #[test]
    fn scores_do_not_depend_on_the_number_of_devices() {
        let (json, safetensors) = files();
        let of_gatk = Model::load(&json, &safetensors, DeviceChoice::Cpu).unwrap();
        let our = |name| Builtin::named(name).unwrap().load(DeviceChoice::Cpu);
        for (mut model, examples) in [
            (of_gatk, 1100),
            (our("cnnfilter_reference").unwrap(), 300),
            (our("cnnfilter_reads").unwrap(), 300),
        ] {
            let examples: Vec<Example> = (0..examples)
                .map(|at| model.architecture.made_up(at as u64 % 97, at % 5))
                .collect();
            let on_the_cpu = model.logits(&examples).unwrap();
            let mut on = |count: usize| {
                let replica = |_| Replica::new(model.on_cpu().unwrap());
                model.replicas = (0..count).map(replica).collect();
                model.check_test_vectors().unwrap();
                model.logits(&examples).unwrap()
            };
            let on_one = on(1);
            assert_eq!(on_one, on(3));
            for (found, expected) in on_one.iter().flatten().zip(on_the_cpu.iter().flatten()) {
                assert!((found - expected).abs() < 1e-4 * (1.0 + expected.abs()));
            }
        }
    }
}
