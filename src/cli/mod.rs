//! The command line as clap knows it. Opens nothing; each command's arguments resolve to a plan.
//!
//! Faults that show in the arguments alone are refused here, with exit code 2.

mod call;
mod calls;
mod colour;
mod completions;
mod doctor;
mod embed;
mod embed_map;
mod embed_summary;
mod eval;
mod files;
mod filter;
mod import;
mod inspect;
mod labels;
mod man;
mod measure;
mod multiqc;
mod output;
mod page;
mod ploidy;
mod quantize;
mod reads;
mod run;
mod score;
mod serve;
mod shards;
mod simulate;
mod tensors;
mod train;
mod usage;
mod view;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use self::files::Files;
use self::multiqc::MultiqcTarget;
use self::run::RunArgs;
use self::simulate::SimulateCommand;
use self::usage::Wrong;
use crate::commands::Plan;
use crate::version;

/// Decides which of a variant caller's calls are real, from the calls, the reads and the reference.
#[derive(Debug, Parser)]
#[command(
    name = "cnnfilter",
    version,
    long_version = version::long(),
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Command,
}

/// The commands. What each does stands at its arguments, from where clap shows it whole.
#[derive(Debug, Subcommand)]
enum Command {
    Score(score::ScoreArgs),
    Call(call::CallArgs),
    Tensors(tensors::TensorsArgs),
    Train(train::TrainArgs),
    #[command(subcommand)]
    Simulate(SimulateCommand),
    Filter(filter::FilterArgs),
    Eval(eval::EvalArgs),
    /// Check the files of a run in seconds, before hours are spent on it.
    ///
    /// Take a command line of `score` and write `doctor` in its place. One screen says what fits and what
    /// does not (indexes, contigs, samples, read groups), and whether the data is like what the model was
    /// trained on (caller, annotations, ploidy, depth, length of reads). It looks at headers, indexes and
    /// samples of the data, scores some of the calls, and writes nothing. It ends with 0 where `score` can
    /// run and with 1 where it would fail.
    Doctor(doctor::DoctorArgs),
    View(view::ViewArgs),
    Embed(Box<embed::EmbedArgs>),
    Shards(shards::ShardsArgs),
    Inspect(inspect::InspectArgs),
    Import(import::ImportArgs),
    Measure(measure::MeasureArgs),
    Quantize(quantize::QuantizeArgs),
    Serve(serve::ServeArgs),
    Man(man::ManArgs),
    Completions(completions::CompletionsArgs),
}

/// A wrong command line, or a request for help or the version; it prints itself and exits.
pub(crate) type UsageError = clap::Error;

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The plan of the command.
    pub(crate) plan: Plan,
    /// The lowest level of messages that are shown.
    pub(crate) level: log::LevelFilter,
    /// Where the summary goes as JSON; `-` for standard output.
    pub(crate) summary_json: Option<PathBuf>,
    /// Where the section for MultiQC goes.
    pub(crate) multiqc: Option<MultiqcTarget>,
}

/// Reads a command line; its first word is the program's name.
///
/// # Errors
/// A wrong command line, or a request for help or the version.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Resolved, UsageError> {
    let Cli { run, command } = Cli::try_parse_from(untag_resources(arguments))?;
    let name = command.name();
    let mut files = Files::default();
    let multiqc = command.multiqc(&mut files);
    let plan = command.resolve(&run, &mut files);
    let summary_json = run.summary_json.as_deref().map(output::plain);
    let checked = plan.and_then(|plan| {
        if let Some(path) = &summary_json {
            files.output("--summary-json", path);
        }
        files.check().map(|()| plan)
    });
    Ok(Resolved {
        plan: checked.map_err(|wrong| wrong.into_error(name))?,
        level: run.level(),
        summary_json,
        multiqc,
    })
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Score(_) => "score",
            Self::Call(_) => "call",
            Self::Tensors(_) => "tensors",
            Self::Train(_) => "train",
            Self::Simulate(SimulateCommand::Genome(_)) => "simulate genome",
            Self::Simulate(SimulateCommand::Reads(_)) => "simulate reads",
            Self::Filter(_) => "filter",
            Self::Eval(_) => "eval",
            Self::Doctor(_) => "doctor",
            Self::View(_) => "view",
            Self::Embed(args) => args.name(),
            Self::Shards(_) => "shards",
            Self::Inspect(_) => "inspect",
            Self::Import(_) => "import",
            Self::Measure(_) => "measure",
            Self::Quantize(_) => "quantize",
            Self::Serve(_) => "serve",
            Self::Man(_) => "man",
            Self::Completions(_) => "completions",
        }
    }

    /// Where the section for MultiQC goes; it joins `files`.
    fn multiqc(&self, files: &mut Files) -> Option<MultiqcTarget> {
        let args = match self {
            Self::Score(args) => &args.multiqc,
            Self::Filter(args) => &args.multiqc,
            Self::Eval(args) => &args.multiqc,
            _ => return None,
        };
        args.resolve(self.name(), files)
    }

    /// The plan of the command, defaults filled in; its files join `files`.
    fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<Plan, Wrong> {
        Ok(match self {
            Self::Score(args) => {
                let timings = args.timings;
                Plan::Score(args.resolve(run, files)?, timings)
            }
            Self::Call(args) => Plan::Call(args.resolve(run, files)?),
            Self::Tensors(args) => Plan::Tensors(args.resolve(run, files)?),
            Self::Train(args) => Plan::Train(args.resolve(run, files)?),
            Self::Simulate(SimulateCommand::Genome(args)) => Plan::Genome(args.resolve(files)?),
            Self::Simulate(SimulateCommand::Reads(args)) => Plan::Reads(args.resolve(files)?),
            Self::Filter(args) => Plan::Filter(args.resolve(run, files)?),
            Self::Eval(args) => Plan::Eval(args.resolve(run, files)?),
            Self::Doctor(args) => Plan::Doctor {
                quiet: run.quiet,
                plan: args.resolve(run, files)?,
            },
            Self::View(args) => Plan::View(args.resolve(run, files)?),
            Self::Embed(args) => args.resolve(run, files)?,
            Self::Shards(args) => Plan::Shards(args.resolve(files)?),
            Self::Inspect(args) => Plan::Inspect(args.resolve(run, files)?),
            Self::Import(args) => Plan::Import(args.resolve(files)?),
            Self::Measure(args) => Plan::Measure(args.resolve(files)?),
            Self::Quantize(args) => Plan::Quantize(args.resolve(run, files)?),
            Self::Serve(args) => Plan::Serve(args.resolve(files)),
            Self::Man(args) => Plan::Man(args.resolve(files)?),
            Self::Completions(args) => Plan::Completions(args.resolve(files)),
        })
    }
}

/// GATK lets a resource carry a name and properties (`--resource:hapmap,known=false FILE`); they
/// decide nothing here and are taken off.
fn untag_resources(
    arguments: impl IntoIterator<Item = OsString>,
) -> impl Iterator<Item = OsString> {
    arguments.into_iter().map(|argument| {
        let is_tagged = argument
            .to_str()
            .is_some_and(|text| text.starts_with("--resource:") && !text.contains('/'));
        if is_tagged {
            "--resource".into()
        } else {
            argument
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_options_of_a_command_share_a_name() {
        Cli::command().debug_assert();
    }

    #[test]
    fn quiet_wins_over_the_log_level() {
        let level = |more: &[&str]| {
            let words = ["cnnfilter", "import", "x.jar", "-o", "m"];
            let words = words.iter().chain(more).map(OsString::from);
            parse(words).unwrap().level
        };
        assert_eq!(level(&[]), log::LevelFilter::Info);
        assert_eq!(level(&["--log-level", "warn"]), log::LevelFilter::Warn);
        assert_eq!(
            level(&["--log-level", "debug", "-q"]),
            log::LevelFilter::Error
        );
    }
}
