//! Options about the calls that come in, and about which of them.

use std::path::PathBuf;

use clap::Args;

use crate::io::vcf_reader::Order;

// The calls of commands that write every record again. (See `run` for why this is no page.)
#[derive(Debug, Args)]
pub(crate) struct CallsArgs {
    /// The calls: VCF, VCF.gz, BCF, or `-` for standard input. Sorted, unless
    /// --allow-unsorted is given.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    pub(crate) variant: PathBuf,

    /// Take calls that are not sorted, and write them as they come, without an index.
    #[arg(long)]
    pub(crate) allow_unsorted: bool,
}

impl CallsArgs {
    /// The order that the calls must have.
    pub(super) fn order(&self) -> Order {
        Order::allowed(self.allow_unsorted)
    }
}

// Which records.
#[derive(Debug, Args)]
pub(crate) struct RegionsArgs {
    /// Only records whose POS lies here: chr, chr:pos, chr:beg-end, or a BED, interval_list, VCF
    /// or .list file; several times for several.
    #[arg(
        short = 'L',
        long = "regions",
        visible_alias = "intervals",
        value_name = "REGION|FILE"
    )]
    pub(crate) regions: Vec<String>,
}
