//! Options about pages that show calls as a network saw them.

use std::path::PathBuf;

use clap::Args;

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
