//! `model.json`: what a model expects, what it gives, and where it comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::family::{self, Architecture, FAMILIES, Sizes};
use super::scaling::Scaling;
use super::test_vectors::TestVector;
use crate::encode::Example;
use crate::score::log_odds::LABELS;
use crate::score::{Calibration, CardThresholds, Novelty};

/// Generation of the cards that are written. Format 1, of version 0.1.0, is read too: it has the same
/// fields, but makes the inputs of its test vectors otherwise.
pub const FORMAT: u32 = 2;

/// Most test vectors of a card and most reads of one: they are computed whenever a model is loaded.
const MAX_TEST_VECTORS: usize = 64;
const MAX_TEST_READS: usize = 1000;

/// The card of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Generation of this layout.
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// Name of its architecture.
    pub architecture: String,
    /// INFO key under which its score is written.
    pub info_key: String,
    /// The tensor it reads.
    pub tensor: TensorSpec,
    /// The annotations it takes, in order.
    pub annotations: Vec<String>,
    /// Its outputs, in order.
    pub labels: Vec<String>,
    /// Sizes of its layers, where the architecture's name does not say them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Sizes>,
    /// Scaling of its numbers: those of the call, then the annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// From its scores to probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Thresholds, by aim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<CardThresholds>,
    /// Its genotype head, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genotype: Option<GenotypeHead>,
    /// A summary of its training calls, for the novelty of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<Novelty>,
    /// Record of its training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// What its weights were before they were put into 8 bits; nothing where they are 32-bit floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
    /// Its origin.
    pub source: Source,
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub weights_sha256: String,
    /// Inputs with the outputs they must give.
    pub test_vectors: Vec<TestVector>,
}

/// Record of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Epochs done and the one whose weights these are, from 1.
    pub epochs: u64,
    /// The epoch whose weights these are.
    pub best_epoch: u64,
    /// Steps done.
    pub steps: u64,
    /// The configuration, as TOML.
    pub config: String,
    /// The sets of examples.
    pub sets: Vec<TrainedOn>,
    /// Figures of the validation examples at their natural prevalence, by name.
    pub validation: BTreeMap<String, f64>,
}

/// The head that tells one copy of an ALT from two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenotypeHead {
    /// From its log odds to the probability of two copies, given that the ALT is real.
    pub calibration: Calibration,
    /// Figures of the real validation examples whose copies are known, by name.
    pub validation: BTreeMap<String, f64>,
    /// Record of its training, where it was learned by itself on top of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
}

/// A set of examples that a model was trained or validated on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Its name.
    pub set: String,
    /// Examples trained on, per class: NOT_SNP, NOT_INDEL, SNP, INDEL.
    pub training: [u64; 4],
    /// Examples validated on.
    pub validation: [u64; 4],
    /// Mean depth of its sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<f32>,
    /// SHA-256 of the calls.
    pub calls_sha256: String,
}

/// The model that a quantised one was made of, and how far it is from that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantization {
    /// Name of the model with the weights as they were trained.
    pub of_model: String,
    /// SHA-256 of its `model.safetensors`.
    pub of_weights_sha256: String,
    /// Calls that both models scored.
    pub compared: Vec<Compared>,
}

/// A set of calls that two models scored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The file of the calls, by its name alone.
    pub calls: String,
    /// Records that both scored.
    pub records: u64,
    /// Those whose decision differs: FILTER by the thresholds for the best F1; for a model without thresholds, whether the
    /// call is rather real than false.
    pub other_decisions: u64,
    /// Largest difference of a probability; of the odds' own where the model is not calibrated.
    pub largest_shift: f64,
    /// Mean difference.
    pub mean_shift: f64,
}

/// The tensor a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Name of the encoder ([`crate::encode::Encoder::name`]).
    pub encoder: String,
    /// Columns in bases.
    pub window: usize,
    /// Rows; 1 where there are no reads.
    pub read_limit: usize,
    /// Channels of a cell, in order; for our own networks the numbers of a read, as the channels of
    /// a cell are made from base and quality.
    pub channels: Vec<String>,
    /// Numbers of a call, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub site_features: Vec<String>,
    /// Of our own networks the channels that they make of a read's cell, in order; none without reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cell_channels: Vec<String>,
    /// Of our own networks the channels that they make of a column of the haplotypes, in order. A card
    /// of 0.1.0 lists neither: its network has the channels that there were then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub haplotype_channels: Vec<String>,
}

/// Origin of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file that was imported, by its name alone; empty for a model that was trained.
    pub file: String,
    /// The member of it that holds the weights; empty where the file does.
    pub member: String,
    /// SHA-256 of that member.
    pub sha256: String,
    /// Version of this program that made the folder.
    pub cnnfilter_version: String,
}

impl ModelCard {
    /// Reads a card and checks it against its own architecture, which is returned.
    ///
    /// # Errors
    /// [`ModelError`] naming the field that is wrong.
    pub fn parse(json: &[u8]) -> Result<(Self, Arc<dyn Architecture>), ModelError> {
        // The format is looked at first: another one may have other fields.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(json)?;
        if !(1..=FORMAT).contains(&format) {
            return Err(ModelError::Format {
                found: format,
                newest: FORMAT,
            });
        }
        let card: Self = serde_json::from_slice(json)?;
        let architecture = card.architecture()?;
        if card.labels != LABELS {
            return Err(wrong("labels", LABELS.join(", "), card.labels.join(", ")));
        }
        let key_is_word = |key: &str| {
            key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && key
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        };
        if !key_is_word(&card.info_key) {
            let expected = "an INFO key (letters, digits, `_` and `.`)".to_owned();
            return Err(wrong("info_key", expected, card.info_key));
        }
        let most = (MAX_TEST_VECTORS, MAX_TEST_READS);
        let reads = card.test_vectors.iter().map(|vector| vector.reads);
        let found = (card.test_vectors.len(), reads.max().unwrap_or(0));
        if found.0 > most.0 || found.1 > most.1 {
            let expected = format!("at most {} of at most {} reads", most.0, most.1);
            let found = format!("{} of up to {}", found.0, found.1);
            return Err(wrong("test_vectors", expected, found));
        }
        if let Some(calibration) = &card.calibration {
            let check = calibration.check();
            check.map_err(|e| wrong("calibration", "usable numbers".into(), e.to_string()))?;
        }
        if let Some(head) = &card.genotype {
            let check = head.calibration.check();
            check.map_err(|e| wrong("genotype", "usable numbers".into(), e.to_string()))?;
        }
        if card.genotype.is_some() && !architecture.tells_copies() {
            let expected = "nothing, as the network has no genotype head".to_owned();
            return Err(wrong("genotype", expected, "a calibration".to_owned()));
        }
        if let Some(thresholds) = &card.thresholds {
            let check = thresholds.check();
            check.map_err(|e| wrong("thresholds", "usable numbers".into(), e.to_string()))?;
        }
        Ok((card, architecture))
    }

    /// The input of a test vector, as the card's format makes it.
    ///
    /// # Errors
    /// [`ModelError::CardField`] where the format is older than the architecture's family.
    pub(super) fn test_input(
        &self,
        architecture: &dyn Architecture,
        vector: &TestVector,
    ) -> Result<Example, ModelError> {
        let (seed, reads) = (vector.seed, vector.reads);
        if self.format > 1 {
            return Ok(architecture.made_up(seed, reads));
        }
        let made_up = architecture.made_up_of_format_1(seed, reads);
        made_up.ok_or_else(|| {
            let expected = format!("2 or more for `{}`", self.architecture);
            wrong("format", expected, self.format.to_string())
        })
    }

    /// The architecture that the card names, checked against what else it says.
    fn architecture(&self) -> Result<Arc<dyn Architecture>, ModelError> {
        let Some(family) = family::of_architecture(&self.architecture) else {
            let known = FAMILIES.iter().flat_map(|family| family.architectures());
            let expected = format!("one of {}", known.collect::<Vec<_>>().join(", "));
            return Err(wrong("architecture", expected, self.architecture.clone()));
        };
        let architecture = family.of_card(self)?;
        if architecture.name() != self.architecture {
            let expected = architecture.name().to_owned();
            return Err(wrong("architecture", expected, self.architecture.clone()));
        }
        self.check_scaling(&*architecture)?;
        self.check_tensor(&architecture.tensor())?;
        let annotations = architecture.encoder().annotation_names();
        if self.annotations != annotations {
            let found = self.annotations.join(", ");
            return Err(wrong("annotations", annotations.join(", "), found));
        }
        Ok(architecture)
    }

    /// Each number of the call and each annotation has its scaling.
    fn check_scaling(&self, architecture: &dyn Architecture) -> Result<(), ModelError> {
        let Some(scaling) = architecture.scaling() else {
            return Ok(());
        };
        let check = scaling.check();
        check.map_err(|e| wrong("scaling", "usable numbers".into(), e.to_string()))?;
        let scaled = scaling.features.iter().map(|feature| &feature.name);
        let named = self.tensor.site_features.iter().chain(&self.annotations);
        if !scaled.eq(named.clone()) {
            let expected = "an entry for each number of the call and each annotation, in order";
            let found = format!("{} entries for {}", scaling.features.len(), named.count());
            return Err(wrong("scaling", expected.into(), found));
        }
        Ok(())
    }

    /// The encoder makes the tensor that the card lists: of our own networks with any numbers that it
    /// knows, in the card's order.
    fn check_tensor(&self, made: &TensorSpec) -> Result<(), ModelError> {
        let mut made = made.clone();
        if self.tensor.haplotype_channels.is_empty() {
            (made.cell_channels, made.haplotype_channels) = (Vec::new(), Vec::new());
        }
        if self.tensor == made {
            return Ok(());
        }
        let (expected, found) = (format!("{made:?}"), format!("{:?}", self.tensor));
        Err(wrong("tensor", expected, found))
    }

    /// The card as it is written, with a line feed at the end.
    ///
    /// # Errors
    /// [`ModelError::Card`], which no card made by this crate gives.
    pub fn to_json(&self) -> Result<Vec<u8>, ModelError> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}

fn wrong(field: &'static str, expected: String, found: String) -> ModelError {
    ModelError::CardField {
        field,
        expected,
        found,
    }
}
