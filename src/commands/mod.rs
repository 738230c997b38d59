//! The recipes: open the inputs, run the stages in order, close the outputs.

mod another_reference;
pub(crate) mod call;
pub(crate) mod candidates;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod encoding;
pub(crate) mod eval;
pub(crate) mod example_sets;
pub(crate) mod filter;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod labelled;
pub(crate) mod labels;
pub(crate) mod man;
pub(crate) mod measure;
pub(crate) mod ploidies;
pub(crate) mod quantize;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod shards;
pub(crate) mod simulate;
pub(crate) mod summary_of_training;
pub(crate) mod tensors;
pub(crate) mod train;
pub(crate) mod view;

use anyhow::Result;

use crate::io::standard_output;
use crate::terminal::multiqc::Section;
use crate::terminal::summary::{Summary, to_json};
pub(crate) use another_reference::another_reference;

/// The plan of a run, by command.
#[derive(Debug)]
pub(crate) enum Plan {
    /// `score`, and true where the user asks where the time went.
    Score(score::ScorePlan, bool),
    /// `call`.
    Call(call::CallPlan),
    /// `filter`.
    Filter(filter::FilterPlan),
    /// `eval`.
    Eval(eval::EvalPlan),
    /// `tensors`.
    Tensors(tensors::TensorsPlan),
    /// `train`.
    Train(train::TrainPlan),
    /// `simulate genome`.
    Genome(simulate::GenomePlan),
    /// `simulate reads`.
    Reads(simulate::ReadsPlan),
    /// `doctor`.
    Doctor {
        /// The run to look at.
        plan: doctor::DoctorPlan,
        /// Nothing goes to the screen.
        quiet: bool,
    },
    /// `shards`.
    Shards(shards::ShardsPlan),
    /// `view`.
    View(view::ViewPlan),
    /// `embed`.
    Embed(embed::EmbedPlan),
    /// `embed` of examples.
    EmbedExamples(embed::EmbedExamplesPlan),
    /// `embed map`.
    EmbedMap(embed::EmbedMapPlan),
    /// `embed summary`.
    Novelty(summary_of_training::NoveltyPlan),
    /// `inspect`.
    Inspect(inspect::InspectPlan),
    /// `import`.
    Import(import::ImportPlan),
    /// `measure`.
    Measure(measure::MeasurePlan),
    /// `quantize`.
    Quantize(quantize::QuantizePlan),
    /// `serve`.
    Serve(serve::ServePlan),
    /// `man`.
    Man(man::ManPlan),
    /// `completions`.
    Completions(completions::CompletionsPlan),
}

impl Plan {
    /// Runs the command and says what came of it; returns that for files, too.
    ///
    /// # Errors
    /// Those of the command.
    pub(crate) fn run(&self) -> Result<Told> {
        match self {
            Self::Score(plan, timings) => {
                let summary = score::run(plan)?;
                let told = say(&summary)?;
                if *timings {
                    say_lines(&summary.times.to_text());
                }
                Ok(told)
            }
            Self::Doctor { plan, quiet } => {
                let summary = doctor::run(plan)?;
                let told = match quiet {
                    true => told(&summary)?,
                    false => show(&summary)?,
                };
                Ok(Told {
                    failure: summary.failure(),
                    ..told
                })
            }
            Self::Call(plan) => say(&call::run(plan)?),
            Self::Filter(plan) => say(&filter::run(plan)?),
            Self::Eval(plan) => show(&eval::run(plan)?),
            Self::Tensors(plan) => say(&tensors::run(plan)?),
            Self::Train(plan) => say(&train::run(plan)?),
            Self::Genome(plan) => say(&simulate::genome(plan)?),
            Self::Reads(plan) => say(&simulate::reads(plan)?),
            Self::View(plan) => say(&view::run(plan)?),
            Self::Embed(plan) => say(&embed::run(plan)?),
            Self::EmbedExamples(plan) => say(&embed::of_examples(plan)?),
            Self::EmbedMap(plan) => say(&embed::make_map(plan)?),
            Self::Novelty(plan) => say(&summary_of_training::run(plan)?),
            Self::Shards(plan) => say(&shards::run(plan)?),
            Self::Inspect(plan) => show(&inspect::run(plan)?),
            Self::Import(plan) => say(&import::run(plan)?),
            Self::Measure(plan) => say(&measure::run(plan)?),
            Self::Quantize(plan) => say(&quantize::run(plan)?),
            Self::Serve(plan) => say(&serve::run(plan)?),
            Self::Man(plan) => say(&man::run(plan)?),
            Self::Completions(plan) => say(&completions::run(plan)?),
        }
    }
}

/// The summary of a run that is over, as files have it.
pub(crate) struct Told {
    /// For `--summary-json`.
    pub(crate) json: Vec<u8>,
    /// For `--multiqc`; nothing from commands that have none.
    pub(crate) section: Option<Section>,
    /// Why the program fails nevertheless, once these are written.
    pub(crate) failure: Option<String>,
}

/// Writes the summary to standard output, and returns it for files.
fn show<S: Summary>(summary: &S) -> Result<Told> {
    standard_output::write(summary.to_text().as_bytes())?;
    told(summary)
}

/// Says the summary on standard error, and returns it for files.
fn say<S: Summary>(summary: &S) -> Result<Told> {
    say_lines(&summary.to_text());
    told(summary)
}

fn told<S: Summary>(summary: &S) -> Result<Told> {
    Ok(Told {
        json: to_json(summary)?,
        section: summary.section(),
        failure: None,
    })
}

fn say_lines(text: &str) {
    for line in text.lines() {
        log::info!("{line}");
    }
}
