//! `cnnfilter inspect`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::colour::Colour;
use super::files::{Files, check_read_twice};
use super::page::{PageArgs, PageCalls};
use super::reads::ReadsArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::inspect::InspectPlan;
use crate::commands::view::ViewChoice;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_view::Choice;

/// Look at one call, or at a model, in the terminal.
///
/// With -V: the calls at LOCUS, with their reads as the network gets them, outputs, and what speaks for
/// and against each. Without: the card of a model, as what it was trained on, its thresholds, and where not
/// to use it.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// With -V a locus, chr:pos or chr:beg-end; else a model, a folder or the name of a built-in one.
    #[arg(value_name = "LOCUS|MODEL")]
    what: String,

    /// The calls: VCF, VCF.gz or BCF, a file.
    #[arg(
        short = 'V',
        long = "variant",
        value_name = "FILE",
        requires = "reference"
    )]
    variant: Option<PathBuf>,

    /// The sample of the calls that is shown; left out, the first.
    #[arg(long, value_name = "NAME", requires = "variant")]
    sample: Option<String>,

    /// Colours: when standard output is a terminal and NO_COLOR is not set, always, or never.
    #[arg(long, alias = "colour", value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    color: Colour,

    #[command(flatten)]
    page: PageArgs,

    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(
        short = 'R',
        long = "reference",
        value_name = "FILE",
        requires = "variant",
        help_heading = "Reads and reference"
    )]
    reference: Option<PathBuf>,

    #[command(flatten)]
    reads: ReadsArgs,

    #[command(flatten)]
    threads: ThreadsArgs,
}

/// Most records at a locus.
const MOST: usize = 100;

impl InspectArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<InspectPlan, Wrong> {
        let (Some(variants), Some(reference)) = (self.variant, self.reference) else {
            if !self.reads.input.is_empty() || self.page.model.is_some() {
                return Err(Wrong::missing(
                    "a call is looked at with -V and -R beside -I and --model; a model alone",
                ));
            }
            files.input("MODEL", Path::new(&self.what));
            return Ok(InspectPlan::Model(PathBuf::from(self.what)));
        };
        check_read_twice("-V", &variants)?;
        files.input("-V", &variants);
        files.input("-R", &reference);
        let encoding = self
            .reads
            .resolve(reference, SampleChoice::One(self.sample), files)?;
        let calls = PageCalls {
            variants,
            encoding,
            regions: vec![self.what],
            choice: ViewChoice {
                rule: Choice::First,
                most: MOST,
                pair: Vec::new(),
            },
        };
        let threads = self.threads.resolve();
        let view = self.page.plan(calls, PathBuf::new(), threads, run);
        Ok(InspectPlan::Calls {
            view: Box::new(view),
            colour: self.color.is_wanted(),
        })
    }
}
