//! `cnnfilter call`.

use std::path::PathBuf;

use clap::Args;

use super::calls::RegionsArgs;
use super::files::Files;
use super::output::CallsOutputArgs;
use super::ploidy::PloidyArgs;
use super::reads::parse_depth;
use super::run::{DeviceArgs, RunArgs, ThreadsArgs};
use super::usage::Wrong;
use crate::commands::call::{CallPlan, JudgePlan};
use crate::commands::candidates::CandidatePlan;
use crate::commands::ploidies::GenotypePlan;
use cnnfilter_core::candidates::CandidateOptions;
use cnnfilter_core::genome::{FlagSet, ReadFilter};
use cnnfilter_core::genotype::Placement;
use cnnfilter_core::score::Aim;

/// Call variants from reads alone.
///
/// Every allele that enough reads show is a candidate; the network scores it and gives it a genotype.
/// Alleles come from alignments, from clipped ends that go on behind an insertion or deletion, and from
/// piles of clipped ends that meet in an insertion. They are left-aligned; FORMAT has GT, GQ, PL, GP, DP, AD,
/// VAF and strands. The two reads of a fragment count once. FILTER is PASS, RefCall (no sample has an
/// ALT) or LowQual (below the model's threshold); QUAL is phred of the probability that no sample has
/// an ALT.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Write candidates as they are, for `cnnfilter score -V -`: no scores, GT is `./.`.
    #[arg(long, conflicts_with_all = ["model", "aim", "ploidy", "sex", "sample_depth", "device"])]
    candidates: bool,

    /// The model: a folder or a name, with a genotype head; cnnfilter_reads if left out.
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<PathBuf>,

    /// The aim of the threshold below which FILTER is LowQual: f1, precision=P or sensitivity=S (shares, 0 to 1).
    #[arg(long, value_name = "AIM", default_value = "f1")]
    aim: Aim,

    /// Write a GVCF: a last ALT <NON_REF>, and blocks where no allele is a candidate, as GATK's GenotypeGVCFs and
    /// GLnexus read them. One sample.
    #[arg(long, conflicts_with = "candidates")]
    gvcf: bool,

    #[command(flatten)]
    regions: RegionsArgs,

    /// Fewest reads that show an allele.
    #[arg(long, value_name = "N", default_value_t = CandidateOptions::default().min_reads, visible_alias = "vsc_min_count_snps",
          value_parser = clap::value_parser!(u32).range(1..))]
    min_reads: u32,

    /// Their smallest share of the reads there, for a SNP (0 to 1).
    #[arg(long, value_name = "SHARE", default_value_t = CandidateOptions::default().min_snp_share, visible_alias = "vsc_min_fraction_snps",
          value_parser = parse_share)]
    min_snp_share: f32,

    /// Their smallest share of the reads there, for an insertion or deletion (0 to 1).
    #[arg(long, value_name = "SHARE", default_value_t = CandidateOptions::default().min_indel_share, visible_alias = "vsc_min_fraction_indels",
          value_parser = parse_share)]
    min_indel_share: f32,

    /// Lowest quality of a base that counts.
    #[arg(long, value_name = "N", default_value_t = CandidateOptions::default().min_base_quality, visible_alias = "min_base_quality")]
    min_base_quality: u8,

    /// The reads: BAM or CRAM with index, or a .list file of paths; several times for several files.
    /// Samples are those of their read groups (@RG, SM); a file without read groups is a sample of
    /// the file's name.
    #[arg(
        short = 'I',
        long = "input",
        value_name = "FILE",
        required = true,
        help_heading = "Reads and reference"
    )]
    input: Vec<PathBuf>,

    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(
        short = 'R',
        long = "reference",
        value_name = "FILE",
        help_heading = "Reads and reference"
    )]
    reference: PathBuf,

    /// Lowest mapping quality of a read, as `samtools view -q` has it.
    #[arg(long, value_name = "N", default_value_t = CandidateOptions::default().min_mapping_quality, visible_alias = "min_mapping_quality",
          help_heading = "Reads and reference")]
    min_mapq: u8,

    /// Flags that a read must have, as `samtools view -f` has it: a number or names (PROPER_PAIR,...).
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "0",
        hide_default_value = true,
        help_heading = "Reads and reference"
    )]
    require_flags: FlagSet,

    /// Flags that a read must not have, as `samtools view -F` has it. Left out:
    /// UNMAP,SECONDARY,QCFAIL,DUP,SUPPLEMENTARY.
    #[arg(long, value_name = "FLAGS", help_heading = "Reads and reference")]
    exclude_flags: Option<FlagSet>,

    /// Mean depth of each sample. Left out, it is sampled from the reads.
    #[arg(long, value_name = "READS", value_parser = parse_depth, help_heading = "Reads and reference")]
    sample_depth: Option<f32>,

    #[command(flatten)]
    ploidy: PloidyArgs,

    #[command(flatten)]
    output: CallsOutputArgs,

    #[command(flatten)]
    threads: ThreadsArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

impl CallArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// Options that do not go together.
    pub(super) fn resolve(self, run: &RunArgs, files: &mut Files) -> Result<CallPlan, Wrong> {
        let threads = self.threads.resolve();
        let output = self.output.resolve(threads)?;
        files.inputs("-I", &self.input);
        files.input("-R", &self.reference);
        files.inputs("-L", &self.regions.regions);
        files.output("-o", &output.path);
        let genotypes = GenotypePlan {
            placement: Placement::Call,
            ploidy: self.ploidy.resolve(files)?,
        };
        let judging = JudgePlan {
            model: self.model,
            aim: self.aim,
            genotypes,
            excluded: self.exclude_flags,
            sample_depth: self.sample_depth,
            device: self.device.device,
        };
        Ok(CallPlan {
            judging: (!self.candidates).then_some(judging),
            gvcf: self.gvcf,
            candidates: CandidatePlan {
                reads: self.input,
                reference: self.reference,
                read_filter: ReadFilter {
                    min_mapping_quality: self.min_mapq,
                    required: self.require_flags,
                    excluded: self.exclude_flags.unwrap_or(FlagSet::UNUSABLE),
                },
                options: CandidateOptions {
                    min_reads: self.min_reads,
                    min_snp_share: self.min_snp_share,
                    min_indel_share: self.min_indel_share,
                    min_mapping_quality: self.min_mapq,
                    min_base_quality: self.min_base_quality,
                },
                regions: self.regions.regions,
            },
            output,
            threads,
            quiet: run.quiet,
        })
    }
}

fn parse_share(text: &str) -> Result<f32, String> {
    let share: Option<f32> = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share from 0 to 1".to_owned())
}
