//! The metadata of a checkpoint, and the check that a run can go on from it.
//!
//! Weights, optimiser moments and averaged weights are files beside it; this names them with their
//! checksums, so that a torn checkpoint is noticed. Batches, augmentation and learning rate follow
//! from the configuration and the step, so no state of a generator is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::early_stopping::EarlyStopping;
use super::history::{History, HistoryRow};
use super::schedule::Plateau;

/// Version of the layout of [`CheckpointMetadata`].
pub const FORMAT: u32 = 1;

/// Everything a run needs to go on but the numbers of the weights. It is taken at the end of an
/// epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMetadata {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub written_by: String,
    /// SHA-256 of the effective configuration's text, in hex.
    pub config_sha256: String,
    /// SHA-256 in hex of every file of training or validation examples, by name.
    pub data: BTreeMap<String, String>,
    /// SHA-256 in hex of every file of the checkpoint, by name.
    pub files: BTreeMap<String, String>,
    /// Epochs done.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// State of early stopping.
    pub early_stopping: EarlyStopping,
    /// State of a plateau schedule.
    pub plateau: Plateau,
    /// All epochs so far, as the text of `history.tsv`.
    pub history: History,
}

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The text is no checkpoint.
    #[error("this is no checkpoint: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written in another layout.
    #[error("the checkpoint has format {found}, this program reads format {expected}")]
    Format {
        /// Format of the checkpoint.
        found: u64,
        /// Format read here.
        expected: u32,
    },
    /// Its parts contradict each other.
    #[error("the checkpoint contradicts itself: {0}")]
    Inconsistent(String),
    /// The run has another configuration.
    #[error(
        "the checkpoint belongs to another configuration (SHA-256 {checkpoint}, this one has \
         {run}); go on with the configuration it was started with, or start anew in another folder"
    )]
    OtherConfig {
        /// Hash in the checkpoint.
        checkpoint: String,
        /// Hash of the run.
        run: String,
    },
    /// The examples are not those the run was started with.
    #[error(
        "the checkpoint belongs to other examples ({0}); go on with those it was started with, or \
         start anew in another folder"
    )]
    OtherData(DataDifference),
    /// A file of the checkpoint is damaged.
    #[error(
        "{name} is not the file the checkpoint was written with (SHA-256 {found}, expected {expected})"
    )]
    OtherFile {
        /// Name of the file.
        name: String,
        /// Its hash.
        found: String,
        /// The hash in the checkpoint.
        expected: String,
    },
    /// A file is not part of the checkpoint.
    #[error("the checkpoint has no file {name}; it has {known}")]
    UnknownFile {
        /// Name asked for.
        name: String,
        /// Names of its files.
        known: String,
    },
}

/// Names of files of examples that differ between a checkpoint and a run, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataDifference {
    /// In both, with different content.
    pub changed: Vec<String>,
    /// In the checkpoint only.
    pub gone: Vec<String>,
    /// In the run only.
    pub added: Vec<String>,
}

impl std::fmt::Display for DataDifference {
    /// Up to three names of each kind and how many more there are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = [
            ("changed", &self.changed),
            ("no longer there", &self.gone),
            ("new", &self.added),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| {
            let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            match names.len().saturating_sub(3) {
                0 => format!("{what}: {shown}"),
                more => format!("{what}: {shown} and {more} more"),
            }
        })
        .collect();
        f.write_str(&parts.join("; "))
    }
}

impl CheckpointMetadata {
    /// The text of the metadata file, JSON.
    ///
    /// # Errors
    /// None that is known of; whatever the JSON writer reports.
    pub fn to_json(&self) -> Result<String, CheckpointError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads what [`CheckpointMetadata::to_json`] wrote.
    ///
    /// # Errors
    /// Text that is no checkpoint, one of another format, one that contradicts itself.
    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        // The format is looked at first: another one may have other fields.
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.format != u64::from(FORMAT) {
            return Err(CheckpointError::Format {
                found: head.format,
                expected: FORMAT,
            });
        }
        let metadata: Self = serde_json::from_str(text)?;
        metadata.check_consistency()?;
        Ok(metadata)
    }

    fn check_consistency(&self) -> Result<(), CheckpointError> {
        let last = self.history.rows().last();
        let (epoch, step) = last.map_or((0, 0), |row| (row.epoch, row.step));
        if (epoch, step) != (self.epoch, self.step) {
            return Err(CheckpointError::Inconsistent(format!(
                "it is of epoch {}, step {}, but its history ends at epoch {epoch}, step {step}",
                self.epoch, self.step
            )));
        }
        let best = self.best().map(|row| row.epoch);
        if best != self.early_stopping.best_epoch {
            let name = |epoch: Option<u64>| epoch.map_or("none".to_owned(), |e| e.to_string());
            return Err(CheckpointError::Inconsistent(format!(
                "its best epoch is {}, but that of its history is {}",
                name(self.early_stopping.best_epoch),
                name(best)
            )));
        }
        Ok(())
    }

    /// The best epoch so far, with its figures.
    pub fn best(&self) -> Option<&HistoryRow> {
        self.history.best()
    }

    /// Checks that a run of this configuration and these examples (SHA-256 in hex by name, as in
    /// [`CheckpointMetadata::data`]) can go on from here and end as if it had not been interrupted.
    ///
    /// # Errors
    /// Another configuration, or other examples.
    pub fn check_resume(
        &self,
        config_sha256: &str,
        data: &BTreeMap<String, String>,
    ) -> Result<(), CheckpointError> {
        if self.config_sha256 != config_sha256 {
            return Err(CheckpointError::OtherConfig {
                checkpoint: self.config_sha256.clone(),
                run: config_sha256.to_owned(),
            });
        }
        let mut difference = DataDifference::default();
        for (name, checksum) in &self.data {
            match data.get(name) {
                None => difference.gone.push(name.clone()),
                Some(found) if found != checksum => difference.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        difference.added = data
            .keys()
            .filter(|name| !self.data.contains_key(*name))
            .cloned()
            .collect();
        if difference == DataDifference::default() {
            Ok(())
        } else {
            Err(CheckpointError::OtherData(difference))
        }
    }

    /// Checks the SHA-256, in hex, of a file of the checkpoint.
    ///
    /// # Errors
    /// A file it does not have, or one with other content.
    pub fn check_file(&self, name: &str, sha256: &str) -> Result<(), CheckpointError> {
        match self.files.get(name) {
            Some(expected) if expected == sha256 => Ok(()),
            Some(expected) => Err(CheckpointError::OtherFile {
                name: name.to_owned(),
                found: sha256.to_owned(),
                expected: expected.clone(),
            }),
            None => Err(CheckpointError::UnknownFile {
                name: name.to_owned(),
                known: self.files.keys().cloned().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checksums(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|&(name, sum)| (name.to_owned(), sum.to_owned()))
            .collect()
    }

    fn checkpoint() -> CheckpointMetadata {
        let mut history = History::default();
        let mut early_stopping = EarlyStopping::default();
        for (epoch, pr_auc) in [(1, 0.1 + 0.2), (2, 0.9), (3, 0.8)] {
            early_stopping.end_epoch(epoch, Some(pr_auc), 8);
            history
                .push(HistoryRow {
                    epoch,
                    step: epoch * 10,
                    seconds: 1.0 / 3.0,
                    learning_rate: 1e-3,
                    gradient_norm: f64::NAN,
                    train_loss: 0.1,
                    validation_loss: None,
                    pr_auc_snp: Some(pr_auc),
                    pr_auc_indel: None,
                    genotype_loss: None,
                    quality_threshold: None,
                    quality_temperature: None,
                    best: early_stopping.best_epoch == Some(epoch),
                })
                .unwrap();
        }
        CheckpointMetadata {
            format: FORMAT,
            written_by: "0.1.0".into(),
            config_sha256: "aa".into(),
            data: checksums(&[("a.bin", "01"), ("b.bin", "02")]),
            files: checksums(&[("weights.safetensors", "77")]),
            epoch: 3,
            step: 30,
            early_stopping,
            plateau: Plateau {
                scale: 0.1 * 0.3,
                best: Some(1.0 / 3.0),
                epochs_since_best: 2,
            },
            history,
        }
    }

    #[test]
    fn writing_what_was_read_gives_the_same_text() {
        let text = checkpoint().to_json().unwrap();
        let again = CheckpointMetadata::from_json(&text).unwrap();
        assert_eq!(again.to_json().unwrap(), text);
        assert_eq!(again.plateau, checkpoint().plateau);
        assert_eq!(again.early_stopping, checkpoint().early_stopping);
        assert_eq!(again.best().map(|row| row.epoch), Some(2));
    }

    proptest! {
        /// This needs the feature `float_roundtrip` of serde_json.
        #[test]
        fn states_come_back_to_the_last_bit(scale in 0.0_f64..1.0, best in prop::num::f64::NORMAL) {
            let mut before = checkpoint();
            before.plateau.scale = scale;
            before.plateau.best = Some(best);
            before.early_stopping.best = Some(best);
            let after = CheckpointMetadata::from_json(&before.to_json().unwrap()).unwrap();
            prop_assert_eq!(after.plateau, before.plateau);
            prop_assert_eq!(after.early_stopping, before.early_stopping);
        }
    }

    #[test]
    fn a_run_goes_on_with_its_own_config_and_data_only() {
        let checkpoint = checkpoint();
        assert!(checkpoint.check_resume("aa", &checkpoint.data).is_ok());
        let message = checkpoint
            .check_resume("bb", &checkpoint.data)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with(
                "the checkpoint belongs to another configuration (SHA-256 aa, this one has bb)"
            ),
            "{message}"
        );
        let data = checksums(&[("b.bin", "03"), ("c", ""), ("d", ""), ("e", ""), ("f", "")]);
        let message = checkpoint
            .check_resume("aa", &data)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with(
                "the checkpoint belongs to other examples (changed: b.bin; no longer there: \
                 a.bin; new: c, d, e and 1 more); go on"
            ),
            "{message}"
        );
    }

    #[test]
    fn files_are_checked_by_name() {
        let checkpoint = checkpoint();
        assert!(checkpoint.check_file("weights.safetensors", "77").is_ok());
        for (name, sum, expected) in [
            (
                "weights.safetensors",
                "78",
                "weights.safetensors is not the file the checkpoint was written with (SHA-256 78, \
                 expected 77)",
            ),
            (
                "ema.safetensors",
                "77",
                "the checkpoint has no file ema.safetensors; it has weights.safetensors",
            ),
        ] {
            let error = checkpoint.check_file(name, sum).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn broken_checkpoints_are_refused() {
        let text = checkpoint().to_json().unwrap();
        for (from, to, expected) in [
            (
                "\"format\": 1",
                "\"format\": 2",
                "the checkpoint has format 2, this program reads",
            ),
            (
                "\"epoch\": 3",
                "\"epoch\": 4",
                "the checkpoint contradicts itself: it is of epoch 4",
            ),
            (
                "\"best_epoch\": 2",
                "\"best_epoch\": 1",
                "the checkpoint contradicts itself: its best epoch is 1, but that of its history is 2",
            ),
            (
                "\"written_by\"",
                "\"writer\"",
                "this is no checkpoint: unknown field `writer`",
            ),
            (
                "epoch\\tstep",
                "epoch\\tsteps",
                "this is no checkpoint: line 1: expected the columns",
            ),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text, "{from}");
            let message = CheckpointMetadata::from_json(&broken)
                .unwrap_err()
                .to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        for end in 0..text.trim_end().len() {
            assert!(
                CheckpointMetadata::from_json(&text[..end]).is_err(),
                "cut at {end}"
            );
        }
    }
}
