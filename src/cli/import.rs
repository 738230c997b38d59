//! `cnnfilter import`.

use std::path::PathBuf;

use clap::Args;

use crate::commands::import::ImportPlan;

/// Import GATK's networks out of its jar into model folders.
///
/// Takes gatk-4.6.2.0.jar (or any later GATK jar or release zip that carries
/// `nvscorevariants/*.pt`), or one of those .pt files alone, and writes DIR/gatk-1d and
/// DIR/gatk-small-2d. Nothing in the file is executed.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A GATK jar, a GATK release zip or a .pt file.
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
