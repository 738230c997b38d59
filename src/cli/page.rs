//! Options about pages that show calls as a network saw them.

use std::path::PathBuf;

use clap::Args;

use super::run::RunArgs;
use crate::commands::encoding::EncodingPlan;
use crate::commands::view::{ViewChoice, ViewPlan};
use cnnfilter_core::score::Aim;

// How calls are scored and explained. (See `run` for why this is no page.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Page")]
pub(crate) struct PageArgs {
    /// The model, as for `score`.
    #[arg(long, value_name = "NAME|DIR")]
    pub(crate) model: Option<PathBuf>,

    /// Leave contributions of single reads and columns out: the page is made several times faster.
    #[arg(long)]
    pub(crate) fast: bool,

    /// The aim whose thresholds are shown, as for `score --aim`.
    #[arg(long, value_name = "AIM", default_value = "f1")]
    pub(crate) aim: Aim,
}

/// The calls of a page.
pub(super) struct PageCalls {
    pub(super) variants: PathBuf,
    pub(super) encoding: EncodingPlan,
    pub(super) regions: Vec<String>,
    pub(super) choice: ViewChoice,
}

impl PageArgs {
    /// The plan of a page without labels, which goes to `output`.
    pub(super) fn plan(
        self,
        calls: PageCalls,
        output: PathBuf,
        threads: usize,
        run: &RunArgs,
    ) -> ViewPlan {
        ViewPlan {
            variants: calls.variants,
            encoding: calls.encoding,
            output,
            pictures: None,
            gatk_tensor: false,
            model: self.model,
            regions: calls.regions,
            choice: calls.choice,
            labels: None,
            in_detail: !self.fast,
            aim: self.aim,
            threads,
            quiet: run.quiet,
        }
    }
}
