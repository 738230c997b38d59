//! `model.json`: what a model expects, what it gives, and where it comes from.

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::gatk::GatkSpec;
use super::log_odds::LABELS;
use super::test_vectors::TestVector;
use crate::encode::gatk::{CHANNEL_NAMES, READ_LIMIT, WINDOW};

/// Generation of the card's layout.
pub const FORMAT: u32 = 1;

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
    /// The INFO annotations it takes, in order.
    pub annotations: Vec<String>,
    /// Its outputs, in order.
    pub labels: Vec<String>,
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub weights_sha256: String,
    /// Inputs with the outputs they must give.
    pub test_vectors: Vec<TestVector>,
}

/// The tensor a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Name of the encoder: `gatk_read_tensor` or `gatk_reference`.
    pub encoder: String,
    /// Columns in bases.
    pub window: usize,
    /// Rows; 1 where there are no reads.
    pub read_limit: usize,
    /// Channels of a cell, in order.
    pub channels: Vec<String>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file that was imported, by its name alone.
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
        }
    }
}

impl ModelCard {
    /// Reads a card and checks it against its own architecture, whose layer list is returned.
    ///
    /// # Errors
    /// [`ModelError`] naming the field that is wrong.
    pub fn parse(json: &[u8]) -> Result<(Self, &'static GatkSpec), ModelError> {
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
        let wrong = |field, expected: String, found: String| ModelError::CardField {
            field,
            expected,
            found,
        };
        let Some(spec) = GatkSpec::named(&card.architecture) else {
            let known = super::gatk::spec::ALL
                .map(|spec| spec.architecture)
                .join(", ");
            let expected = format!("one of {known}");
            return Err(wrong("architecture", expected, card.architecture));
        };
        let tensor = TensorSpec::of_gatk(spec);
        if card.tensor != tensor {
            let (expected, found) = (format!("{tensor:?}"), format!("{:?}", card.tensor));
            return Err(wrong("tensor", expected, found));
        }
        if card.annotations != spec.annotations() {
            let expected = spec.annotations().join(", ");
            return Err(wrong("annotations", expected, card.annotations.join(", ")));
        }
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
        Ok((card, spec))
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
