//! `cnnfilter shards`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::usage::Wrong;
use crate::commands::shards::ShardsPlan;

/// Cut the reference into shards of equal work, for runs that are scattered over machines.
///
/// Writes BED (contig, start, end, name of the shard) to standard output; a shard may have several
/// lines. Each position of the reference lies in one shard, so the outputs of `score -L SHARD.bed`
/// joined in order have the records of a run over everything. Only indexes are read.
#[derive(Debug, Args)]
pub(crate) struct ShardsArgs {
    /// The reference: FASTA with its .fai.
    #[arg(short = 'R', long = "reference", value_name = "FILE")]
    reference: PathBuf,

    /// The calls: VCF.gz or BCF with its index; several times for a cohort that shares its shards.
    #[arg(short = 'V', long = "variant", value_name = "FILE", required = true)]
    variant: Vec<PathBuf>,

    /// Reads, BAM or CRAM with its index: calls under more reads count for more. Several times for
    /// several files.
    #[arg(short = 'I', long = "input", value_name = "FILE")]
    input: Vec<PathBuf>,

    /// The number of shards.
    #[arg(short = 'n', long = "shards", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,

    /// A folder that gets one BED a shard, shard_0001.bed and so on, instead of standard output.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
}

impl ShardsArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// A folder named like standard output.
    pub(super) fn resolve(self, files: &mut Files) -> Result<ShardsPlan, Wrong> {
        files.input("-R", &self.reference);
        files.inputs("-V", &self.variant);
        files.inputs("-I", &self.input);
        match &self.output {
            Some(folder) => files.folder("-o", folder, &[])?,
            None => files.output("the shards", std::path::Path::new("-")),
        }
        Ok(ShardsPlan {
            reference: self.reference,
            variants: self.variant,
            reads: self.input,
            count: self.count as usize,
            output: self.output,
        })
    }
}
