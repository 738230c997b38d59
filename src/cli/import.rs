//! `cnnfilter import`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::usage::Wrong;
use crate::commands::import::ImportPlan;

/// Import GATK's networks out of its jar into model folders.
///
/// Takes a GATK jar or release zip, or one of the weight files in it, and writes DIR/gatk-1d and
/// DIR/gatk-small-2d. GATK 4.6.1 and later carry the weights as `nvscorevariants/*.pt`; the Keras
/// files of older versions are not read. Nothing in the file is executed.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A GATK jar, a GATK release zip or a .pt file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder that gets one folder a network.
    #[arg(short, long, value_name = "DIR", alias = "output-dir")]
    output: PathBuf,
}

impl ImportArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// A folder named like standard output.
    pub(super) fn resolve(self, files: &mut Files) -> Result<ImportPlan, Wrong> {
        files.input("FILE", &self.file);
        files.folder("-o", &self.output, &[])?;
        Ok(ImportPlan {
            file: self.file,
            output: self.output,
        })
    }
}
