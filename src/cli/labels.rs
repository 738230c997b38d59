//! Options about labels: which call is right.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use crate::commands::labels::LabelPlan;

// Where labels come from. (See `run` for why this is no page.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
pub(crate) struct LabelArgs {
    /// The truth: VCF, VCF.gz or BCF. Needs --reference.
    #[arg(long, value_name = "FILE", requires = "reference")]
    pub(crate) truth: Option<PathBuf>,

    /// Where the truth is complete: BED, interval_list, VCF or a list of regions, as for -L. Left
    /// out, it counts as complete everywhere.
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub(crate) confident: Option<PathBuf>,

    /// The sample of the truth; left out, the one of the calls' name, or the only one.
    #[arg(long, value_name = "NAME", requires = "truth")]
    pub(crate) truth_sample: Option<String>,

    /// Labels that another tool gave: `happy` or `vcfeval`, where the calls are the annotated VCF of
    /// one, or a table with the columns chrom, pos, ref, alt, label.
    #[arg(long, value_name = "happy|vcfeval|FILE")]
    pub(crate) labels: Option<String>,
}

impl LabelArgs {
    /// Where labels come from; the files that hold them join `files`.
    pub(super) fn resolve(self, files: &mut Files) -> LabelPlan {
        let plan = LabelPlan::from_flags(
            self.truth,
            self.confident,
            self.truth_sample,
            self.labels.as_deref(),
        );
        match &plan {
            LabelPlan::Truth {
                truth, confident, ..
            } => {
                files.input("--truth", truth);
                files.inputs("--confident", confident);
            }
            LabelPlan::Table(table) => files.input("--labels", table),
            LabelPlan::Happy | LabelPlan::Vcfeval | LabelPlan::Nothing => {}
        }
        plan
    }
}
