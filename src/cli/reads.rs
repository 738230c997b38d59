//! Options about reads that commands share.

use std::path::PathBuf;

use clap::Args;

use crate::commands::encoding::{EncodingPlan, ReadFilterOptions};
use cnnfilter_core::genome::FlagSet;
use cnnfilter_core::samples::SampleChoice;

// What tensors are made of. (A page of its own would take the place of the command's in --help.)
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap shows the page of a flattened struct")]
pub struct ReadsArgs {
    /// The reads: BAM or CRAM with index, or a .list file of paths; several times for several files.
    /// Reads go to the sample of the calls that their read group (@RG, SM) names.
    #[arg(short = 'I', long = "input", value_name = "FILE")]
    pub input: Vec<PathBuf>,

    /// Which reads are of which sample, where names differ: a table of two columns with a tab
    /// between them, a sample of the calls and its reads (a file of -I, or the SM of read groups).
    #[arg(long, value_name = "FILE", requires = "input")]
    pub sample_map: Option<PathBuf>,

    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(short = 'R', long = "reference", value_name = "FILE")]
    pub reference: PathBuf,

    /// Mean depth of each sample. Left out, it is sampled from the reads.
    #[arg(long, value_name = "READS", value_parser = parse_depth)]
    pub sample_depth: Option<f32>,

    /// Lowest mapping quality of a read, as `samtools view -q` has it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub min_mapq: u8,

    /// Flags that a read must have, as `samtools view -f` has it: a number or names (PROPER_PAIR,...).
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "0",
        hide_default_value = true
    )]
    pub require_flags: FlagSet,

    /// Flags that a read must not have, as `samtools view -F` has it. Left out:
    /// UNMAP,SECONDARY,QCFAIL,DUP,SUPPLEMENTARY, and none for networks of GATK.
    #[arg(long, value_name = "FLAGS")]
    pub exclude_flags: Option<FlagSet>,
}

impl ReadsArgs {
    /// The plan for some samples of the calls.
    pub fn resolve(self, samples: SampleChoice) -> EncodingPlan {
        EncodingPlan {
            reads: self.input,
            sample_map: self.sample_map,
            samples,
            read_filter: ReadFilterOptions {
                min_mapping_quality: self.min_mapq,
                required: self.require_flags,
                excluded: self.exclude_flags,
            },
            reference: self.reference,
            sample_depth: self.sample_depth,
        }
    }
}

/// A mean depth: a number above 0.
fn parse_depth(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|depth: &f32| depth.is_finite() && *depth > 0.0)
        .ok_or_else(|| "expected a number of reads above 0".to_owned())
}
