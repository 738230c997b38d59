//! `cnnfilter import`.

use std::path::PathBuf;

use clap::Args;

use crate::commands::import::ImportPlan;

/// Import GATK's networks out of its jar into model folders.
///
/// Takes a GATK jar or release zip, or one of the weight files in it, and writes DIR/gatk-1d and
/// DIR/gatk-small-2d. GATK 4.6.1 and later carry `nvscorevariants/*.pt`, up to 4.6.0
/// `cnn_score_variants/*.hd5`: the same weights, and a third network, which becomes
/// DIR/gatk-mix-2d. Nothing in the file is executed.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A GATK jar, a GATK release zip, a .pt or a .hd5 file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The folder that gets one folder a network.
    #[arg(short, long, value_name = "DIR", alias = "output-dir")]
    pub output: PathBuf,
}

impl ImportArgs {
    /// What is to be done.
    pub fn resolve(self) -> ImportPlan {
        ImportPlan {
            file: self.file,
            output: self.output,
        }
    }
}
