//! `cnnfilter eval`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::eval::EvalPlan;
use crate::commands::labels::LabelPlan;
use crate::terminal::threads;
use cnnfilter_core::label::MatchRule;

/// Evaluate scores: PR-AUC and more, of every score in the file on the same calls.
///
/// Calls are labelled by a truth set (alleles normalised, haplotypes compared), or labels are taken
/// from hap.py, vcfeval or a table. Writes eval.html, eval.tsv, eval.json and eval.txt into the
/// folder, and the summary to standard output.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("labelling").required(true).args(["truth", "labels", "no_truth"])))]
pub struct EvalArgs {
    /// Scored calls: VCF, VCF.gz or BCF; several times for several files of the same calls, whose
    /// scores are set side by side.
    #[arg(short = 'V', long = "variant", value_name = "FILE", required = true)]
    pub variant: Vec<PathBuf>,

    /// The truth: VCF, VCF.gz or BCF.
    #[arg(long, value_name = "FILE", requires = "reference")]
    pub truth: Option<PathBuf>,

    /// Where the truth is complete: BED, interval_list, VCF or a list of regions, as for -L. Left out, it
    /// counts as complete everywhere.
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub confident: Option<PathBuf>,

    /// The sample of the truth; left out, the one of the calls' name, or the only one.
    #[arg(long, value_name = "NAME", requires = "truth")]
    pub truth_sample: Option<String>,

    /// Labels that another tool gave: `happy` or `vcfeval`, where the calls are the annotated VCF of
    /// one, or a table with the columns chrom, pos, ref, alt, label.
    #[arg(long, value_name = "happy|vcfeval|FILE")]
    pub labels: Option<String>,

    /// No labels: only Ti/Tv and het/hom by score.
    #[arg(long)]
    pub no_truth: bool,

    /// The reference: FASTA with its .fai. Needed with --truth.
    #[arg(short = 'R', long = "reference", value_name = "FILE")]
    pub reference: Option<PathBuf>,

    /// When a call is true: when an ALT of it is real, or when its genotype is right as well. Left
    /// out: allele with --truth; genotype with --labels, which is what hap.py and vcfeval count.
    #[arg(long = "match", value_name = "RULE", value_enum)]
    pub rule: Option<Match>,

    /// A stratum, a file as for --confident; figures are given inside and outside, and for the union of all. Several times, up
    /// to 32.
    #[arg(long, value_name = "NAME=FILE", value_parser = parse_stratum)]
    pub stratify: Vec<(String, PathBuf)>,

    /// Scores to evaluate: QUAL, an INFO key, FORMAT/KEY. Left out: CNN_PROB, CNN_2D, CNN_1D, VQSLOD,
    /// SCORE, TREE_SCORE, FORMAT/AVR, QUAL, QD, FORMAT/GQ, those of them that the header defines.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    pub score: Vec<String>,

    /// The score that the others are compared with. Left out: QUAL, where it is among them, else the
    /// first.
    #[arg(long, value_name = "KEY")]
    pub baseline: Option<String>,

    /// Scores that are probabilities, for calibration; those with PROB in their name are.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    pub probability: Vec<String>,

    /// The sample of the calls; the first where there is none.
    #[arg(long, value_name = "NAME")]
    pub sample: Option<String>,

    /// Only records (of calls and truth) whose POS lies here; as for `score`.
    #[arg(
        short = 'L',
        long = "regions",
        visible_alias = "intervals",
        value_name = "REGION|FILE"
    )]
    pub regions: Vec<String>,

    /// Bootstrap resamples for the intervals; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub resamples: usize,

    /// Seed of the resamples.
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,

    /// How many of the worst false and true calls are listed, of each score and kind.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub worst: usize,

    /// Fail (exit code 1, no report) where no call is judged, instead of warning.
    #[arg(long)]
    pub fail_on_empty: bool,

    /// Threads; 0 for all. The output does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub threads: u32,

    /// The folder that gets the report.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    pub output: PathBuf,
}

/// When a call counts as true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Match {
    /// An ALT of it is real.
    Allele,
    /// Its genotype is right, as hap.py counts.
    Genotype,
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
    /// The settings of the run, defaults filled in.
    pub fn resolve(mut self) -> EvalPlan {
        let mut seen = Vec::new();
        self.score.retain(|name| {
            let is_new = !seen.contains(name);
            seen.push(name.clone());
            is_new
        });
        let labels = LabelPlan::from_flags(
            self.truth,
            self.confident,
            self.truth_sample,
            self.labels.as_deref(),
        );
        EvalPlan {
            variants: self.variant,
            labels,
            reference: self.reference,
            rule: match (self.rule, &self.labels) {
                (Some(Match::Allele), _) | (None, None) => MatchRule::Allele,
                (Some(Match::Genotype), _) | (None, Some(_)) => MatchRule::Genotype,
            },
            strata: self.stratify,
            scores: self.score,
            baseline: self.baseline,
            probabilities: self.probability,
            sample: self.sample,
            regions: self.regions,
            resamples: self.resamples,
            seed: self.seed,
            worst: self.worst,
            fail_on_empty: self.fail_on_empty,
            threads: threads::resolve(self.threads as usize),
            output: self.output,
        }
    }
}
