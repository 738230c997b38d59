//! `cnnfilter quantize`.

use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::encoding::{EncodingPlan, ReadFilterOptions};
use crate::commands::quantize::{CallSet, QuantizePlan};
use cnnfilter_core::samples::SampleChoice;

/// Put the weights of a model into 8 bits, and measure what that changes.
///
/// Writes DIR/NAME, a model folder a quarter as large. `score --model` takes it as any other. With calls,
/// both models score them, and the card says how many decisions differ and by how much a probability moved
/// at most. Calls of several samples are given as several -V, with one -I and one -R for each, in the same
/// order.
#[derive(Debug, Args)]
pub(crate) struct QuantizeArgs {
    /// The model: a folder, as `cnnfilter train` and `cnnfilter import` write it, or one inside the
    /// program.
    #[arg(long, value_name = "NAME|DIR")]
    model: PathBuf,

    /// The folder that gets the folder of the model.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Name of the quantised model; left out, the model's own with `_8bit` behind it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Calls to compare the two models on: VCF, VCF.gz or BCF.
    #[arg(
        short = 'V',
        long = "variant",
        value_name = "FILE",
        requires = "reference",
        help_heading = "Calls to compare on"
    )]
    variant: Vec<PathBuf>,

    /// Their reads: BAM or CRAM with index, or a .list file of paths; one for each -V.
    #[arg(
        short = 'I',
        long = "input",
        value_name = "FILE",
        requires = "variant",
        help_heading = "Calls to compare on"
    )]
    input: Vec<PathBuf>,

    /// Their reference: FASTA, plain or bgzipped, with its .fai; one for each -V, or one for all.
    #[arg(
        short = 'R',
        long = "reference",
        value_name = "FILE",
        requires = "variant",
        help_heading = "Calls to compare on"
    )]
    reference: Vec<PathBuf>,

    #[command(flatten)]
    threads: ThreadsArgs,
}

impl QuantizeArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// Another number of reads or references than of calls, and a folder named like standard output.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<QuantizePlan, Wrong> {
        files.inputs("-V", &self.variant);
        files.inputs("-I", &self.input);
        files.inputs("-R", &self.reference);
        files.folder("-o", &self.output, &[])?;
        let sets = self.variant.len();
        let count = |option: &str, found: usize, expected: &str| {
            Wrong::count(format!(
                "{option} is given {found} times and -V {sets} times; give {expected}"
            ))
        };
        if !self.input.is_empty() && self.input.len() != sets {
            let expected =
                "the reads of each -V, in the same order (a .list file where they are several)";
            return Err(count("-I", self.input.len(), expected));
        }
        if self.reference.len() > 1 && self.reference.len() != sets {
            let expected = "the reference of each -V, in the same order, or one for all";
            return Err(count("-R", self.reference.len(), expected));
        }
        let one = self.reference.len() == 1;
        let mut references = self.reference.into_iter();
        let first = references.next();
        let references: Vec<PathBuf> = match one {
            true => first.into_iter().cycle().take(sets).collect(),
            false => first.into_iter().chain(references).collect(),
        };
        let mut reads = self.input.into_iter();
        let sets = self.variant.into_iter().zip(references);
        let sets = sets.map(|(calls, reference)| CallSet {
            calls,
            encoding: EncodingPlan {
                reads: reads.next().into_iter().collect(),
                sample_map: None,
                samples: SampleChoice::Every,
                read_filter: ReadFilterOptions::default(),
                reference,
                sample_depth: None,
            },
        });
        Ok(QuantizePlan {
            model: self.model,
            sets: sets.collect(),
            output: self.output,
            name: self.name,
            threads: self.threads.resolve(),
            quiet: run.quiet,
        })
    }
}
