//! `cnnfilter tensors`.

use std::path::PathBuf;

use clap::Args;

use super::reads::ReadsArgs;
use crate::commands::labels::LabelPlan;
use crate::commands::tensors::TensorsPlan;
use crate::terminal::threads;
use cnnfilter_core::encode::annotations::{AnnotationSource, DEFAULT};
use cnnfilter_core::samples::SampleChoice;

/// Encode labelled calls once, for training: a file of examples for `cnnfilter train`.
///
/// Each ALT that the labels judge becomes one example, real or false. With -I for networks that
/// read reads, without for those that do not.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("labelling").required(true).args(["truth", "labels"])))]
pub struct TensorsArgs {
    /// The calls: VCF, VCF.gz or BCF.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    pub variant: PathBuf,

    /// The sample of the calls that is asked about; left out, the first.
    #[arg(long, value_name = "NAME")]
    pub sample: Option<String>,

    /// Reads and reference.
    #[command(flatten)]
    pub reads: ReadsArgs,

    /// The truth: VCF, VCF.gz or BCF.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// Where the truth is complete: BED, interval_list, VCF or a list of regions, as for -L. Left out, it
    /// counts as complete everywhere.
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub confident: Option<PathBuf>,

    /// The sample of the truth; left out, the one of the calls' name, or the only one.
    #[arg(long, value_name = "NAME", requires = "truth")]
    pub truth_sample: Option<String>,

    /// Labels that another tool gave: `happy` or `vcfeval`, where the calls are the annotated VCF of
    /// one, or a table with the columns chrom, pos, ref, alt, label.
    #[arg(long, value_name = "happy|vcfeval|FILE")]
    pub labels: Option<String>,

    /// Annotations that the network gets: QUAL, QUAL/depth, GT/copies, GT/others, AD/share,
    /// AD/depth, PL/reference, INFO/KEY, FORMAT/KEY. Left out: those that HaplotypeCaller, freebayes
    /// and bcftools write.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub annotation: Vec<AnnotationSource>,

    /// Name of the set; left out, the name of the output.
    #[arg(long, value_name = "NAME")]
    pub set: Option<String>,

    /// Only records whose POS lies here; as for `score`.
    #[arg(
        short = 'L',
        long = "regions",
        visible_alias = "intervals",
        value_name = "REGION|FILE"
    )]
    pub regions: Vec<String>,

    /// Also write the numbers of every example as a table (TSV), for tools that learn from tables.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// Threads; 0 for all. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub threads: u32,

    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,

    /// The file of examples.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: PathBuf,
}

impl TensorsArgs {
    /// The settings of the run, defaults filled in.
    pub fn resolve(self) -> TensorsPlan {
        let labels = LabelPlan::from_flags(
            self.truth,
            self.confident,
            self.truth_sample,
            self.labels.as_deref(),
        );
        let name_of_output = || {
            let stem = self.output.file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        };
        TensorsPlan {
            set: self.set.unwrap_or_else(name_of_output),
            variants: self.variant,
            encoding: self.reads.resolve(SampleChoice::One(self.sample)),
            labels,
            annotations: if self.annotation.is_empty() {
                let known = DEFAULT.iter().map(|name| name.parse());
                known.filter_map(Result::ok).collect()
            } else {
                self.annotation
            },
            regions: self.regions,
            output: self.output,
            table: self.table,
            threads: threads::resolve(self.threads as usize),
            quiet: self.quiet,
        }
    }
}
