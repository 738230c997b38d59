//! `cnnfilter view`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};

use super::calls::RegionsArgs;
use super::files::{Files, check_read_twice};
use super::output::plain;
use super::page::{PageArgs, PageCalls};
use super::reads::EncodingArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::view::{PictureFormat, PicturePlan, ViewChoice, ViewPlan};
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_view::Choice;

/// Show what the network saw of calls, and why they got their scores: one page for a browser.
///
/// The page needs no network and no other file. It shows the reads as the network gets them, every
/// channel, the numbers and annotations, the outputs and what contributed to them. Calls can be
/// marked real or false there; the marks are exported as the table that `tensors --labels` and
/// `eval --labels` take.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("choice").args(
    ["lowest", "near_threshold", "failed", "disagree", "random", "worst"])))]
pub(crate) struct ViewArgs {
    /// The calls: VCF, VCF.gz or BCF, a file. Those that are chosen are scored anew.
    #[arg(short = 'V', long = "variant", value_name = "FILE")]
    variant: PathBuf,

    /// The sample of the calls that is shown; left out, the first.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    #[command(flatten)]
    encoding: EncodingArgs,

    /// The page (.html); with --format the folder of the pictures.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: PathBuf,

    /// Pictures of all channels instead of a page: png or svg, one a call, or gif, one of all calls.
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,

    /// Pixels of a cell's side in a picture.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "format",
          value_parser = clap::value_parser!(u8).range(1..=32))]
    scale: u8,

    /// The tensor of the pictures: that of the model, or GATK's 15 channels of the same call.
    #[arg(long, value_name = "TENSOR", value_enum, requires = "format")]
    tensor: Option<Tensor>,

    #[command(flatten)]
    regions: RegionsArgs,

    /// The N calls with the lowest CNN_PROB (without it, CNN_2D or CNN_1D) in the file.
    #[arg(long, value_name = "N", value_parser = parse_count())]
    lowest: Option<u32>,

    /// The N calls whose CNN_PROB lies nearest to the model's threshold.
    #[arg(long, value_name = "N", value_parser = parse_count())]
    near_threshold: Option<u32>,

    /// Calls that FILTER fails.
    #[arg(long)]
    failed: bool,

    /// Calls that two scores of the file rank most differently: QUAL or INFO keys.
    #[arg(long, value_name = "KEY,KEY", value_parser = parse_pair)]
    disagree: Option<KeyPair>,

    /// N calls at random.
    #[arg(long, value_name = "N", value_parser = parse_count())]
    random: Option<u32>,

    /// Seed of --random.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "random")]
    seed: u64,

    /// The N calls whose score contradicts their label most.
    #[arg(long, value_name = "N", requires = "labels", value_parser = parse_count())]
    worst: Option<u32>,

    /// Labels to show: a table with the columns chrom, pos, ref, alt, label.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Most records on the page.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    max_calls: u32,

    #[command(flatten)]
    page: PageArgs,

    #[command(flatten)]
    threads: ThreadsArgs,
}

/// Formats of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One file a call.
    Png,
    /// One file a call, with the names of the channels.
    Svg,
    /// One animation, a frame a call.
    Gif,
}

/// Whose tensor is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tensor {
    /// The model's.
    Model,
    /// GATK's.
    Gatk,
}

/// Two keys of scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyPair(String, String);

fn parse_pair(text: &str) -> Result<KeyPair, String> {
    match text.split(',').collect::<Vec<&str>>()[..] {
        [left, right] if !left.is_empty() && !right.is_empty() => {
            Ok(KeyPair(left.to_owned(), right.to_owned()))
        }
        _ => Err("expected two keys with a comma between them, as in QUAL,CNN_PROB".to_owned()),
    }
}

fn parse_count() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=20_000)
}

impl ViewArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// A file that is named twice.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<ViewPlan, Wrong> {
        check_read_twice("-V", &self.variant)?;
        files.input("-V", &self.variant);
        files.inputs("-L", &self.regions.regions);
        files.inputs("--labels", &self.labels);
        match self.format {
            Some(_) => files.folder("-o", &self.output, &[])?,
            None if plain(&self.output) == Path::new("-") => {
                return Err(Wrong::value(
                    "-o: a page cannot go to standard output; give a file name".to_owned(),
                ));
            }
            None => files.output("-o", &self.output),
        }
        let count = [self.lowest, self.near_threshold, self.random, self.worst];
        let most = count.into_iter().flatten().next();
        let rule = if self.lowest.is_some() {
            Choice::Lowest
        } else if self.near_threshold.is_some() {
            Choice::NearThreshold
        } else if self.random.is_some() {
            Choice::Random { seed: self.seed }
        } else if self.worst.is_some() {
            Choice::Worst
        } else if self.failed {
            Choice::Failed
        } else if self.disagree.is_some() {
            Choice::Disagree
        } else {
            Choice::First
        };
        let most = most.unwrap_or(self.max_calls).min(self.max_calls);
        let sample = SampleChoice::One(self.sample);
        let calls = PageCalls {
            variants: self.variant,
            encoding: self.encoding.resolve(sample, files)?,
            regions: self.regions.regions,
            choice: ViewChoice {
                rule,
                most: most as usize,
                pair: self
                    .disagree
                    .map(|KeyPair(left, right)| vec![left, right])
                    .unwrap_or_default(),
            },
        };
        let threads = self.threads.resolve();
        Ok(ViewPlan {
            pictures: self.format.map(|format| PicturePlan {
                format: match format {
                    Format::Png => PictureFormat::Png,
                    Format::Svg => PictureFormat::Svg,
                    Format::Gif => PictureFormat::Gif,
                },
                scale: usize::from(self.scale),
            }),
            gatk_tensor: self.tensor == Some(Tensor::Gatk),
            labels: self.labels,
            ..self.page.plan(calls, self.output, threads, run)
        })
    }
}
