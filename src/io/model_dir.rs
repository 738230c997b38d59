//! Model folders: `model.json` and `model.safetensors`.

use std::path::{Path, PathBuf};

use super::atomic;
use super::error::IoError;
use cnnfilter_core::filter::ModelLine;
use cnnfilter_core::networks::{Builtin, Model};
use cnnfilter_core::score::{Calibration, CardThresholds};
use cnnfilter_nn::DeviceChoice;

/// The card.
pub const CARD: &str = "model.json";
/// The weights.
pub const WEIGHTS: &str = "model.safetensors";

/// Largest file that is read as part of a model, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Loads and checks the model in `folder`.
///
/// # Errors
/// Where a file is missing or damaged.
pub fn load(folder: &Path, device: DeviceChoice) -> Result<Model, IoError> {
    let (card, weights) = (read(folder, CARD)?, read(folder, WEIGHTS)?);
    Model::load(&card, &weights, device).map_err(|error| IoError::other(folder, error.to_string()))
}

/// Loads the model of a folder, or the one inside the program that has this name; without either the
/// program's default with or without reads.
///
/// # Errors
/// As [`load`]; a name that is neither lists the models inside the program.
pub fn load_choice(
    choice: Option<&Path>,
    reads: bool,
    device: DeviceChoice,
) -> Result<Model, IoError> {
    match builtin(choice, reads)? {
        Some(builtin) => builtin
            .load(device)
            .map_err(|error| IoError::other(builtin.0.name, error.to_string())),
        None => load(choice.unwrap_or(Path::new(".")), device),
    }
}

/// The model inside the program that is meant; nothing where it is a folder.
fn builtin(choice: Option<&Path>, reads: bool) -> Result<Option<Builtin>, IoError> {
    let Some(path) = choice else {
        return Ok(Some(Builtin::default_for(reads)));
    };
    if path.exists() {
        return Ok(None);
    }
    let found = path.to_str().and_then(Builtin::named);
    if found.is_none() {
        let known = cnnfilter_core::networks::builtin::ALL
            .map(|model| model.0.name)
            .join(", ");
        return Err(IoError::other(
            path,
            format!("there is no such model folder; models inside the program are {known}"),
        ));
    }
    Ok(found)
}

/// The part of a card that filtering needs: of the model in `folder`, or inside the program under that
/// name. The weights are not looked at.
///
/// # Errors
/// Where the card is missing or damaged.
pub fn thresholds(folder: &Path) -> Result<ModelLine, IoError> {
    #[derive(serde::Deserialize)]
    struct Card {
        name: String,
        weights_sha256: String,
        calibration: Option<Calibration>,
        thresholds: Option<CardThresholds>,
    }
    let wrong = |what: String| IoError::other(folder.join(CARD), what);
    let json = match builtin(Some(folder), true)? {
        Some(builtin) => builtin.0.card.to_vec(),
        None => read(folder, CARD)?,
    };
    let card: Card = serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
    if let Some(thresholds) = &card.thresholds {
        thresholds
            .check()
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(ModelLine {
        name: card.name,
        sha256: card.weights_sha256,
        calibration: card.calibration,
        thresholds: card.thresholds,
    })
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, IoError> {
    let path = folder.join(name);
    let size = std::fs::metadata(&path).map(|data| data.len());
    match size.and_then(|size| {
        if size > MAX_BYTES {
            Err(std::io::Error::other(format!(
                "larger than {MAX_BYTES} bytes"
            )))
        } else {
            std::fs::read(&path)
        }
    }) {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(IoError::other(
            folder,
            format!(
                "it has no `{name}`; expected a model folder, as `cnnfilter train` and `cnnfilter import` write it"
            ),
        )),
        Err(e) => Err(IoError::system(path, "read", e)),
    }
}

/// Writes a model into `parent/NAME`, the card last, and returns that folder.
///
/// # Errors
/// Where the folder or a file cannot be written.
pub fn save(parent: &Path, model: &Model) -> Result<PathBuf, IoError> {
    let folder = parent.join(&model.card().name);
    std::fs::create_dir_all(&folder).map_err(|e| IoError::system(&folder, "create", e))?;
    let (card, weights) = model
        .to_files()
        .map_err(|error| IoError::other(&folder, error.to_string()))?;
    let card_path = folder.join(CARD);
    if card_path.exists() {
        // While the weights are replaced the folder is no model.
        std::fs::remove_file(&card_path).map_err(|e| IoError::system(&card_path, "replace", e))?;
    }
    atomic::write(&folder.join(WEIGHTS), &weights)?;
    atomic::write(&card_path, &card)?;
    Ok(folder)
}
