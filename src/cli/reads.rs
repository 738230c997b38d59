//! Options about reads and reference.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::usage::Wrong;
use crate::commands::encoding::{EncodingPlan, ReadFilterOptions};
use cnnfilter_core::genome::FlagSet;
use cnnfilter_core::samples::SampleChoice;

// The files that tensors are made of. (See `run` for why this is no page.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Reads and reference")]
pub(crate) struct EncodingArgs {
    #[command(flatten)]
    reads: ReadsArgs,

    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(short = 'R', long = "reference", value_name = "FILE")]
    reference: PathBuf,
}

// The reads, and which of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reads and reference")]
pub(crate) struct ReadsArgs {
    /// The reads: BAM or CRAM with index, or a .list file of paths; several times for several files.
    /// Reads go to the sample of the calls that their read group (@RG, SM) names.
    #[arg(short = 'I', long = "input", value_name = "FILE")]
    pub(crate) input: Vec<PathBuf>,

    /// Which reads are of which sample, where names differ: a table of two columns with a tab
    /// between them, a sample of the calls and its reads (a file of -I, or the SM of read groups).
    #[arg(long, value_name = "FILE", requires = "input")]
    pub(crate) sample_map: Option<PathBuf>,

    /// Mean depth of each sample. Left out, it is sampled from the reads.
    #[arg(long, value_name = "READS", value_parser = parse_depth)]
    pub(crate) sample_depth: Option<f32>,

    /// Lowest mapping quality of a read, as `samtools view -q` has it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_mapq: u8,

    /// Flags that a read must have, as `samtools view -f` has it: a number or names (PROPER_PAIR,...).
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "0",
        hide_default_value = true
    )]
    pub(crate) require_flags: FlagSet,

    /// Flags that a read must not have, as `samtools view -F` has it. Left out:
    /// UNMAP,SECONDARY,QCFAIL,DUP,SUPPLEMENTARY, and none for networks of GATK.
    #[arg(long, value_name = "FLAGS")]
    pub(crate) exclude_flags: Option<FlagSet>,
}

impl EncodingArgs {
    /// True where no reads are given.
    pub(super) fn is_without_reads(&self) -> bool {
        self.reads.input.is_empty()
    }

    /// The plan for some samples of the calls; reads and reference join `files`.
    ///
    /// # Errors
    /// Reads that are given twice.
    pub(super) fn resolve(
        self,
        samples: SampleChoice,
        files: &mut Files,
    ) -> Result<EncodingPlan, Wrong> {
        let plan = self.reads.resolve(self.reference, samples, files)?;
        files.input("-R", &plan.reference);
        Ok(plan)
    }
}

impl ReadsArgs {
    /// The plan for some samples of the calls; the reads join `files`.
    ///
    /// # Errors
    /// Reads that are given twice.
    pub(super) fn resolve(
        self,
        reference: PathBuf,
        samples: SampleChoice,
        files: &mut Files,
    ) -> Result<EncodingPlan, Wrong> {
        for (at, path) in self.input.iter().enumerate() {
            if self.input[..at].contains(path) {
                return Err(Wrong::conflict(format!(
                    "-I {}: its reads would count twice; give it once",
                    path.display()
                )));
            }
        }
        files.inputs("-I", &self.input);
        files.inputs("--sample-map", &self.sample_map);
        Ok(EncodingPlan {
            reads: self.input,
            sample_map: self.sample_map,
            samples,
            read_filter: ReadFilterOptions {
                min_mapping_quality: self.min_mapq,
                required: self.require_flags,
                excluded: self.exclude_flags,
            },
            reference,
            sample_depth: self.sample_depth,
        })
    }
}

/// A mean depth: a number above 0.
pub(super) fn parse_depth(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|depth: &f32| depth.is_finite() && *depth > 0.0)
        .ok_or_else(|| "expected a number of reads above 0".to_owned())
}
