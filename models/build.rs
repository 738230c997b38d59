//! Writes the cards that are built in: as they stand, and for WebAssembly, where each byte has to be loaded, without the
//! summary of training calls, which only `score --novelty` reads.

use std::path::Path;
use std::{env, fs};

const MODELS: [&str; 2] = ["cnnfilter_reads", "cnnfilter_reference"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::var("OUT_DIR")?;
    let is_small = env::var("CARGO_CFG_TARGET_FAMILY")? == "wasm";
    for name in MODELS {
        let path = format!("{name}/model.json");
        println!("cargo:rerun-if-changed={path}");
        let mut card = fs::read(path)?;
        if is_small {
            let mut fields: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(&card)?;
            fields.remove("novelty");
            card = serde_json::to_vec(&fields)?;
        }
        fs::write(Path::new(&folder).join(format!("{name}.json")), card)?;
    }
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
