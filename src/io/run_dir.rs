//! Folders of training runs: the configuration, the history and the checkpoint.
//!
//! ```text
//! config.toml            what the run was told, defaults filled in; written before the first step
//! history.tsv            one line an epoch
//! checkpoint/            the end of the last epoch; checkpoint.json is written last
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::atomic;
use super::error::IoError;
use cnnfilter_nn::weights::{self, Weights};
use cnnfilter_train::checkpoint::CheckpointMetadata;

/// The configuration.
pub const CONFIG: &str = "config.toml";
/// The history.
pub const HISTORY: &str = "history.tsv";
const CHECKPOINT: &str = "checkpoint";
const METADATA: &str = "checkpoint.json";

/// Reads a configuration.
///
/// # Errors
/// Where it cannot be read or is no text.
pub fn read_text(path: &Path) -> Result<String, IoError> {
    std::fs::read_to_string(path).map_err(|error| IoError::system(path, "read", error))
}

/// True where a folder holds a checkpoint.
pub fn has_checkpoint(folder: &Path) -> bool {
    folder.join(CHECKPOINT).join(METADATA).is_file()
}

/// Writes a checkpoint: its tensors by file name, then what it says of itself, with their checksums
/// filled in. The one before stays whole until then: files carry the epoch in their names.
///
/// # Errors
/// Where a file cannot be written.
pub fn save_checkpoint(
    folder: &Path,
    mut metadata: CheckpointMetadata,
    tensors: &[(&str, &Weights)],
) -> Result<(), IoError> {
    let folder = folder.join(CHECKPOINT);
    atomic::create_folder(&folder)?;
    metadata.files = BTreeMap::new();
    for (name, tensors) in tensors {
        let file = format!("{name}-{:04}.safetensors", metadata.epoch);
        let bytes = weights::to_safetensors(tensors)
            .map_err(|error| IoError::other(folder.join(&file), error.to_string()))?;
        metadata.files.insert(file.clone(), weights::sha256(&bytes));
        atomic::write(&folder.join(file), &bytes)?;
    }
    let json = metadata
        .to_json()
        .map_err(|error| IoError::other(folder.join(METADATA), error.to_string()))?;
    atomic::write(&folder.join(METADATA), json.as_bytes())?;
    remove_others(&folder, &metadata);
    Ok(())
}

/// Takes away the tensors of earlier epochs; one that cannot be removed does no harm.
fn remove_others(folder: &Path, metadata: &CheckpointMetadata) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".safetensors") && !metadata.files.contains_key(&name) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Reads a checkpoint: what it says of itself, and its tensors by name.
///
/// # Errors
/// Where a file is missing or damaged.
pub fn load_checkpoint(
    folder: &Path,
) -> Result<(CheckpointMetadata, BTreeMap<String, Weights>), IoError> {
    let folder = folder.join(CHECKPOINT);
    let path = folder.join(METADATA);
    let text = read_text(&path)?;
    let metadata = CheckpointMetadata::from_json(&text)
        .map_err(|error| IoError::other(&path, error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for file in metadata.files.keys() {
        let path: PathBuf = folder.join(file);
        let bytes = std::fs::read(&path).map_err(|error| IoError::system(&path, "read", error))?;
        metadata
            .check_file(file, &weights::sha256(&bytes))
            .map_err(|error| IoError::other(&path, error.to_string()))?;
        let read = weights::from_safetensors(&bytes)
            .map_err(|error| IoError::other(&path, error.to_string()))?;
        let name = file.split('-').next().unwrap_or(file);
        tensors.insert(name.to_owned(), read);
    }
    Ok((metadata, tensors))
}
