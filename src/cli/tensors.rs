//! `cnnfilter tensors`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::calls::RegionsArgs;
use super::files::Files;
use super::labels::LabelArgs;
use super::output::plain;
use super::reads::EncodingArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::tensors::TensorsPlan;
use cnnfilter_core::encode::annotations::{AnnotationSource, DEFAULT};
use cnnfilter_core::samples::SampleChoice;

/// Encode labelled calls once, for training: a file of examples for `cnnfilter train`.
///
/// Each ALT that the labels judge becomes one example, real or false. With -I for networks that
/// read reads, without for those that do not.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("labelling").required(true).args(["truth", "labels"])))]
pub(crate) struct TensorsArgs {
    /// The calls: VCF, VCF.gz or BCF.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    variant: PathBuf,

    /// The file of examples.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: PathBuf,

    /// Also write the numbers of every example as a table (TSV), for tools that learn from tables.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,

    /// Name of the set; left out, the name of the output.
    #[arg(long, value_name = "NAME")]
    set: Option<String>,

    /// The sample of the calls that is asked about; left out, the first.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    /// Annotations that the network gets: QUAL, QUAL/depth, GT/copies, GT/others, AD/share,
    /// AD/depth, PL/reference, INFO/KEY, FORMAT/KEY. Left out: those that HaplotypeCaller, freebayes
    /// and bcftools write.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    annotation: Vec<AnnotationSource>,

    #[command(flatten)]
    regions: RegionsArgs,

    #[command(flatten)]
    encoding: EncodingArgs,

    #[command(flatten)]
    labels: LabelArgs,

    #[command(flatten)]
    threads: ThreadsArgs,
}

impl TensorsArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<TensorsPlan, Wrong> {
        let table = self.table.iter().map(|path| ("--table", path));
        for (option, path) in table.chain([("-o", &self.output)]) {
            if plain(path) == Path::new("-") {
                return Err(Wrong::value(format!(
                    "{option}: it cannot go to standard output; give a file name"
                )));
            }
            files.output(option, path);
        }
        files.input("-V", &self.variant);
        files.inputs("-L", &self.regions.regions);
        let name_of_output = || {
            let stem = self.output.file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        };
        Ok(TensorsPlan {
            set: self.set.unwrap_or_else(name_of_output),
            variants: self.variant,
            encoding: self
                .encoding
                .resolve(SampleChoice::One(self.sample), files)?,
            labels: self.labels.resolve(files),
            annotations: if self.annotation.is_empty() {
                let known = DEFAULT.iter().map(|name| name.parse());
                known.filter_map(Result::ok).collect()
            } else {
                self.annotation
            },
            regions: self.regions.regions,
            output: self.output,
            table: self.table,
            threads: self.threads.resolve(),
            quiet: run.quiet,
        })
    }
}
