//! `model.json`: what a model expects, what it gives, and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::allele::AlleleSpec;
use super::gatk::GatkSpec;
use super::scaling::Scaling;
use super::test_vectors::TestVector;
use crate::encode::Encoder;
use crate::encode::allele::columns::WINDOW as ALLELE_WINDOW;
use crate::encode::allele::{AlleleLayout, READ_LIMIT as ALLELE_READ_LIMIT};
use crate::encode::gatk::{CHANNEL_NAMES, READ_LIMIT, WINDOW};
use crate::score::calibration::Calibration;
use crate::score::log_odds::LABELS;
use crate::score::thresholds::CardThresholds;

/// Generation of the card's layout.
pub const FORMAT: u32 = 1;

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
    /// Sizes of its layers, for our own networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<AlleleSpec>,
    /// How its numbers are scaled: those of the call, then the annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// From its scores to probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Where to cut, by aim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<CardThresholds>,
    /// How it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub weights_sha256: String,
    /// Inputs with the outputs they must give.
    pub test_vectors: Vec<TestVector>,
}

/// How a model was trained.
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

/// The tensor a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Name of the encoder ([`Encoder::name`]).
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
}

/// Where a model comes from.
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

impl TensorSpec {
    /// The tensor of a GATK network.
    pub fn of_gatk(spec: &GatkSpec) -> Self {
        let names: &[&str] = if spec.uses_reads() {
            &CHANNEL_NAMES
        } else {
            &["A", "C", "G", "T"]
        };
        Self {
            encoder: if spec.uses_reads() {
                "gatk_read_tensor"
            } else {
                "gatk_reference"
            }
            .to_owned(),
            window: WINDOW,
            read_limit: if spec.uses_reads() { READ_LIMIT } else { 1 },
            channels: names.iter().map(|name| (*name).to_owned()).collect(),
            site_features: Vec::new(),
        }
    }

    /// The tensor of one of our own networks.
    pub fn of_allele(reads: bool) -> Self {
        let layout = AlleleLayout::usual(reads);
        Self {
            encoder: if reads {
                "cnnfilter_reads"
            } else {
                "cnnfilter_reference"
            }
            .to_owned(),
            window: ALLELE_WINDOW,
            read_limit: if reads { ALLELE_READ_LIMIT } else { 1 },
            channels: layout.read_names().map(String::from).collect(),
            site_features: layout.site_names().map(String::from).collect(),
        }
    }
}

/// The architecture that a card names.
#[derive(Debug, Clone, PartialEq)]
pub enum Architecture {
    /// One of GATK's.
    Gatk(&'static GatkSpec),
    /// One of our own, with the scaling of its numbers.
    Allele(AlleleSpec, Scaling),
}

impl ModelCard {
    /// Reads a card and checks it against its own architecture, which is returned.
    ///
    /// # Errors
    /// [`ModelError`] naming the field that is wrong.
    pub fn parse(json: &[u8]) -> Result<(Self, Architecture), ModelError> {
        // The format is looked at first: another one may have other fields.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(json)?;
        if format != FORMAT {
            return Err(ModelError::Format {
                found: format,
                expected: FORMAT,
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
        if let Some(thresholds) = &card.thresholds {
            let check = thresholds.check();
            check.map_err(|e| wrong("thresholds", "usable numbers".into(), e.to_string()))?;
        }
        Ok((card, architecture))
    }

    fn architecture(&self) -> Result<Architecture, ModelError> {
        let (architecture, tensor, annotations) = match (&self.network, &self.scaling) {
            (Some(network), Some(scaling)) if self.architecture == network.architecture() => {
                network.check()?;
                let check = scaling.check();
                check.map_err(|e| wrong("scaling", "usable numbers".into(), e.to_string()))?;
                let tensor = self.allele_tensor(network.reads)?;
                let scaled: Vec<&String> = scaling.features.iter().map(|f| &f.name).collect();
                let named: Vec<&String> = tensor
                    .site_features
                    .iter()
                    .chain(&self.annotations)
                    .collect();
                if scaled != named {
                    let expected =
                        "an entry for each number of the call and each annotation, in order";
                    let found = format!("{} entries for {}", scaled.len(), named.len());
                    return Err(wrong("scaling", expected.into(), found));
                }
                for name in &self.annotations {
                    let parsed = name.parse::<crate::encode::annotations::AnnotationSource>();
                    parsed.map_err(|e| {
                        wrong("annotations", "names that are known".into(), e.to_string())
                    })?;
                }
                let architecture = Architecture::Allele(*network, scaling.clone());
                (architecture, tensor, self.annotations.clone())
            }
            _ => {
                let Some(spec) = GatkSpec::named(&self.architecture) else {
                    let known = super::gatk::spec::ALL
                        .map(|spec| spec.architecture)
                        .join(", ");
                    let expected = format!(
                        "one of {known}, or cnnfilter_reads or cnnfilter_reference with `network` and `scaling`"
                    );
                    return Err(wrong("architecture", expected, self.architecture.clone()));
                };
                (
                    Architecture::Gatk(spec),
                    TensorSpec::of_gatk(spec),
                    spec.annotations(),
                )
            }
        };
        if self.tensor != tensor {
            let (expected, found) = (format!("{tensor:?}"), format!("{:?}", self.tensor));
            return Err(wrong("tensor", expected, found));
        }
        if self.annotations != annotations {
            let found = self.annotations.join(", ");
            return Err(wrong("annotations", annotations.join(", "), found));
        }
        Ok(architecture)
    }

    /// The tensor of one of our own networks with the numbers of a read and of a call that the card
    /// lists: any that the encoder knows, in any order.
    fn allele_tensor(&self, reads: bool) -> Result<TensorSpec, ModelError> {
        let layout = self.layout(reads)?;
        Ok(TensorSpec {
            channels: layout.read_names().map(String::from).collect(),
            site_features: layout.site_names().map(String::from).collect(),
            ..TensorSpec::of_allele(reads)
        })
    }

    /// The numbers of a read and of a call that the card lists.
    fn layout(&self, reads: bool) -> Result<AlleleLayout, ModelError> {
        let tensor = &self.tensor;
        let layout = AlleleLayout::resolve(reads, &tensor.channels, &tensor.site_features);
        layout.map_err(|error| {
            let expected = "numbers that are known, each once".to_owned();
            wrong("tensor", expected, error.to_string())
        })
    }

    /// The encoder of the tensors it reads.
    ///
    /// # Errors
    /// [`ModelError::CardField`] for an annotation or a number that is none; [`ModelCard::parse`] has checked it.
    pub fn encoder(&self) -> Result<Encoder, ModelError> {
        let reads = self.tensor.read_limit > 1;
        if self.network.is_none() {
            let annotations = self.annotations.clone();
            return Ok(Encoder::Gatk { reads, annotations });
        }
        let annotations = self.annotations.iter().map(|name| {
            let parsed = name.parse();
            parsed.map_err(|e: crate::encode::annotations::UnknownAnnotation| {
                wrong("annotations", "names that are known".into(), e.to_string())
            })
        });
        Ok(Encoder::Allele {
            reads,
            annotations: annotations.collect::<Result<_, _>>()?,
            layout: self.layout(reads)?,
        })
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
