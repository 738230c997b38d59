//! `cnnfilter eval`.

use std::path::{Path, PathBuf};

use clap::{Arg, Args, ValueEnum};

use super::calls::RegionsArgs;
use super::files::{Files, check_read_twice};
use super::labels::LabelArgs;
use super::multiqc::MultiqcArgs;
use super::page::{PageArgs, PageCalls};
use super::reads::ReadsArgs;
use super::run::{RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::eval::{self, EvalPlan};
use crate::commands::labels::LabelPlan;
use crate::commands::view::{ViewChoice, ViewPlan};
use cnnfilter_core::label::MatchRule;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_eval::MAX_STRATA;
use cnnfilter_view::Choice;

/// Evaluate scores: PR-AUC and more, of every score in the file on the same calls.
///
/// Calls are labelled by a truth set (alleles normalised, haplotypes compared), or labels are taken
/// from hap.py, vcfeval or a table. Writes eval.html, eval.tsv, eval.json and eval.txt into the
/// folder, and the summary to standard output. With --view the worst calls get a page of their reads,
/// view.html, to which eval.html leads.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("labelling").required(true).args(["truth", "labels", "no_truth"])))]
#[command(mut_arg("regions", |arg| arg.help("Only records (of calls and truth) whose POS lies here; as for `score`")))]
#[command(mut_args(of_view))]
pub(crate) struct EvalArgs {
    /// Scored calls: VCF, VCF.gz or BCF; several times for several files of the same calls, whose
    /// scores are set side by side.
    #[arg(short = 'V', long = "variant", value_name = "FILE", required = true)]
    variant: Vec<PathBuf>,

    /// The folder that gets the report.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    /// The reference: FASTA with its .fai. Needed with --truth.
    #[arg(short = 'R', long = "reference", value_name = "FILE")]
    reference: Option<PathBuf>,

    /// Scores to evaluate: QUAL, an INFO key, FORMAT/KEY. Left out: CNN_PROB, CNN_2D, CNN_1D, VQSLOD,
    /// SCORE, TREE_SCORE, FORMAT/AVR, QUAL, QD, FORMAT/GQ, those of them that the header defines.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    score: Vec<String>,

    /// The score that the others are compared with. Left out: QUAL, where it is among them, else the
    /// first.
    #[arg(long, value_name = "KEY")]
    baseline: Option<String>,

    /// Scores that are probabilities, for calibration; those with PROB in their name are.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    probability: Vec<String>,

    /// The sample of the calls; the first where there is none.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    #[command(flatten)]
    regions: RegionsArgs,

    /// A stratum, a file as for --confident; figures are given inside and outside, and for the union of all. Several times, up
    /// to 32.
    #[arg(long, value_name = "NAME=FILE", value_parser = parse_stratum)]
    stratify: Vec<(String, PathBuf)>,

    /// FORMAT key of the genotypes that count: GT, or CNN_GT for those of `score --genotype`. The key of their quality ends
    /// in GQ where this one ends in GT.
    #[arg(long, value_name = "KEY", default_value = "GT", value_parser = parse_genotype_key)]
    genotype_key: String,

    #[command(flatten)]
    labels: LabelArgs,

    /// No labels: only Ti/Tv and het/hom by score.
    #[arg(long, help_heading = "Labels", conflicts_with_all = ["rule", "fail_on_empty"])]
    no_truth: bool,

    /// When a call is true: when an ALT of it is real, or when its genotype is right as well. Left
    /// out: allele with --truth; genotype with --labels, which is what hap.py and vcfeval count.
    #[arg(
        long = "match",
        value_name = "RULE",
        value_enum,
        help_heading = "Labels"
    )]
    rule: Option<Match>,

    /// Fail (exit code 1, no report) where no call is judged, instead of warning.
    #[arg(long, help_heading = "Labels")]
    fail_on_empty: bool,

    /// Bootstrap resamples for the intervals; 0 for none.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        help_heading = "Report"
    )]
    resamples: usize,

    /// Seed of the resamples.
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Report")]
    seed: u64,

    /// Worst false and true calls to list, of each score and kind.
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Report")]
    worst: usize,

    /// Show the reads of the worst calls, as `view` does: writes view.html, to which the worst calls
    /// of eval.html lead, and worst.tsv, their table of labels. Needs --reference, and reads (-I) as
    /// the model does.
    #[arg(
        long,
        requires = "reference",
        conflicts_with = "no_truth",
        help_heading = VIEW
    )]
    view: bool,

    #[command(flatten)]
    reads: ReadsArgs,

    #[command(flatten)]
    page: PageArgs,

    #[command(flatten)]
    pub(super) multiqc: MultiqcArgs,

    #[command(flatten)]
    threads: ThreadsArgs,
}

/// The heading of the options about the page of the worst calls.
const VIEW: &str = "Reads of the worst calls";

/// What `view` takes as well needs --view here.
fn of_view(arg: Arg) -> Arg {
    let ids = [
        "input",
        "sample_map",
        "sample_depth",
        "min_mapq",
        "require_flags",
        "exclude_flags",
        "model",
        "fast",
        "aim",
    ];
    if ids.contains(&arg.get_id().as_str()) {
        arg.requires("view").help_heading(VIEW)
    } else {
        arg
    }
}

/// When a call counts as true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Match {
    /// An ALT of it is real.
    Allele,
    /// Its genotype is right, as hap.py counts.
    Genotype,
}

/// A FORMAT key that ends in GT.
fn parse_genotype_key(text: &str) -> Result<String, String> {
    if text.ends_with("GT") {
        Ok(text.to_owned())
    } else {
        Err("expected a FORMAT key that ends in GT".to_owned())
    }
}

fn parse_stratum(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some(("all" | "difficult", _)) => {
            Err("`all` and `difficult` are names of the report".to_owned())
        }
        Some((name, _)) if name.contains(':') => Err("a name must not hold `:`".to_owned()),
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=FILE".to_owned()),
    }
}

impl EvalArgs {
    /// Checks what the options say of each other.
    fn check(&self) -> Result<(), Wrong> {
        for (at, (name, _)) in self.stratify.iter().enumerate() {
            if self.stratify[..at].iter().any(|(other, _)| other == name) {
                return Err(Wrong::conflict(format!(
                    "--stratify: the name `{name}` stands twice"
                )));
            }
        }
        if self.stratify.len() > MAX_STRATA {
            return Err(Wrong::count(format!(
                "--stratify is given {} times; a report holds {MAX_STRATA} strata at most",
                self.stratify.len()
            )));
        }
        // Scores of several files may have other names in the report.
        if self.variant.len() > 1 || self.score.is_empty() {
            return Ok(());
        }
        let baseline = self.baseline.iter().map(|name| ("--baseline", name));
        let probabilities = self.probability.iter().map(|name| ("--probability", name));
        for (option, name) in baseline.chain(probabilities) {
            if !self.score.contains(name) {
                return Err(Wrong::conflict(format!(
                    "{option} {name}: it is none of the scores that --score names ({})",
                    self.score.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(mut self, run: &RunArgs, files: &mut Files) -> Result<EvalPlan, Wrong> {
        self.check()?;
        let mut seen = Vec::new();
        self.score.retain(|name| {
            let is_new = !seen.contains(name);
            seen.push(name.clone());
            is_new
        });
        let labels = self.labels.resolve(files);
        files.inputs("-V", &self.variant);
        files.inputs("-R", &self.reference);
        files.inputs("-L", &self.regions.regions);
        files.inputs("--stratify", self.stratify.iter().map(|(_, path)| path));
        files.output("the report", Path::new("-"));
        files.folder("the report", &self.output, &eval::FILES)?;
        let mut plan = EvalPlan {
            variants: self.variant,
            genotype_key: self.genotype_key,
            rule: match (self.rule, &labels) {
                (Some(Match::Allele), _) => MatchRule::Allele,
                (Some(Match::Genotype), _) => MatchRule::Genotype,
                (None, LabelPlan::Truth { .. } | LabelPlan::Nothing) => MatchRule::Allele,
                (None, _) => MatchRule::Genotype,
            },
            labels,
            reference: self.reference,
            strata: self.stratify,
            scores: self.score,
            baseline: self.baseline,
            probabilities: self.probability,
            sample: self.sample,
            regions: self.regions.regions,
            resamples: self.resamples,
            seed: self.seed,
            worst: self.worst,
            fail_on_empty: self.fail_on_empty,
            view: None,
            threads: self.threads.resolve(),
            output: self.output,
        };
        if self.view {
            plan.view = worst_page(&plan, self.reads, self.page, run, files)?;
        }
        Ok(plan)
    }
}

/// The page of the worst calls of a report; its labels are the report's.
fn worst_page(
    plan: &EvalPlan,
    reads: ReadsArgs,
    page: PageArgs,
    run: &RunArgs,
    files: &mut Files,
) -> Result<Option<Box<ViewPlan>>, Wrong> {
    let Some(reference) = plan.reference.clone() else {
        return Ok(None);
    };
    check_read_twice("--view", &plan.variants[0])?;
    files.folder("the report", &plan.output, &eval::VIEW_FILES)?;
    let sample = SampleChoice::One(plan.sample.clone());
    let calls = PageCalls {
        variants: plan.variants[0].clone(),
        encoding: reads.resolve(reference, sample, files)?,
        regions: plan.regions.clone(),
        choice: ViewChoice {
            rule: Choice::Labelled,
            most: usize::MAX,
            pair: Vec::new(),
        },
    };
    let output = plan.output.join(eval::VIEW_FILES[0]);
    Ok(Some(Box::new(page.plan(calls, output, plan.threads, run))))
}
