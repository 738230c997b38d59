//! `cnnfilter simulate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::calls::RegionsArgs;
use super::files::Files;
use super::run::ThreadsArgs;
use super::usage::Wrong;
use crate::commands::simulate::{GenomePlan, ReadsPlan};
use cnnfilter_simulate::{GenomeOptions, Rates, ReadErrors, ReadOptions};

/// Make samples and reads whose truth is known.
#[derive(Debug, Subcommand)]
pub(crate) enum SimulateCommand {
    Genome(GenomeArgs),
    Reads(ReadsArgs),
}

/// Make a diploid sample: haplotypes, paralogues, mosaics, a contaminant, and the truth.
///
/// Writes haplotype1.fa, haplotype2.fa, paralogues*.fa, mosaic_*.fa, contaminant*.fa and mixture.tsv
/// (the share of the depth that each is to be sequenced to), truth.vcf and confident.bed.
#[derive(Debug, Args)]
#[command(mut_arg("regions", |arg| arg.help("Regions of the reference, as for `score`; left out, every stretch that is not N")))]
pub(crate) struct GenomeArgs {
    /// The reference: FASTA, plain or bgzipped, with its .fai.
    #[arg(short = 'R', long, value_name = "FILE")]
    reference: PathBuf,
    /// The folder that gets the files.
    #[arg(short = 'o', long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    regions: RegionsArgs,
    /// Real variants that the sample is to carry (first sample of a VCF).
    #[arg(long, value_name = "FILE")]
    variants: Option<PathBuf>,
    /// Seed of all that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Random substitutions per base.
    #[arg(long, value_name = "RATE", default_value_t = 0.0008)]
    snp_rate: f64,
    /// Random indels per base.
    #[arg(long, value_name = "RATE", default_value_t = 0.00012)]
    indel_rate: f64,
    /// Random substitutions of several bases, per base.
    #[arg(long, value_name = "RATE", default_value_t = 0.00002)]
    multi_rate: f64,
    /// Stretches with many variants close together, all real, per million bases.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    divergent_per_mb: f64,
    /// Alleles of 31 to 1,000 bases, per million bases.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    long_per_mb: f64,
    /// Stretches with copies that the reference lacks, per million bases.
    #[arg(long, value_name = "N", default_value_t = 4.0)]
    paralogues_per_mb: f64,
    /// Mosaic variants per million bases.
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    mosaics_per_mb: f64,
    /// Share of the reads that are of another individual.
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    contamination: f64,
    /// Name of the sample in truth.vcf.
    #[arg(long, value_name = "NAME", default_value = "simulated")]
    sample: String,
}

/// Add to simulated read pairs the errors that read simulators lack.
///
/// Tandem repeats slip, bases after some motifs err on one strand, bases are oxidised or deaminated,
/// fragments are joined or duplicated.
#[derive(Debug, Args)]
#[command(mut_arg("threads", |arg| arg.default_value("1")))]
pub(crate) struct ReadsArgs {
    /// The two files of read pairs: FASTQ, plain or gzipped; read 1 first.
    #[arg(long = "in", value_name = "FILE", required = true, num_args = 1)]
    inputs: Vec<PathBuf>,
    /// The two files that are written; gzipped where they end in .gz.
    #[arg(long = "out", value_name = "FILE", required = true, num_args = 1)]
    outputs: Vec<PathBuf>,
    /// Seed of all that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Factor of the probability that tandem repeats slip.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    slippage: f64,
    /// Of how many positions one is bad, where many reads of one strand err; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 3000.0)]
    context_errors: f64,
    /// Oxidised bases (G>T in read 1, C>A in read 2) per base.
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    oxidation: f64,
    /// Deaminated bases (C>T in read 1, G>A in read 2) per base.
    #[arg(long, value_name = "RATE", default_value_t = 1e-5)]
    deamination: f64,
    /// Share of the pairs with a read of two fragments.
    #[arg(long, value_name = "SHARE", default_value_t = 0.002)]
    chimeras: f64,
    /// Share of the pairs that are written once or twice more.
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    duplicates: f64,
    /// Qualities that are reported, such as 2,12,23,37; left out, all are.
    #[arg(long, value_name = "Q,Q,...", value_delimiter = ',')]
    quality_bins: Option<Vec<u8>>,
    #[command(flatten)]
    threads: ThreadsArgs,
}

impl GenomeArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// A number out of its range.
    pub(super) fn resolve(self, files: &mut Files) -> Result<GenomePlan, Wrong> {
        let options = GenomeOptions {
            seed: self.seed,
            rates: Rates {
                snp: self.snp_rate,
                indel: self.indel_rate,
                multi: self.multi_rate,
            },
            divergent_per_megabase: self.divergent_per_mb,
            long_per_megabase: self.long_per_mb,
            paralogues_per_megabase: self.paralogues_per_mb,
            mosaics_per_megabase: self.mosaics_per_mb,
            contamination: self.contamination,
        };
        let checked = options.check();
        checked.map_err(|error| Wrong::value(error.to_string()))?;
        files.input("-R", &self.reference);
        files.inputs("--variants", &self.variants);
        files.inputs("-L", &self.regions.regions);
        let names = ["truth.vcf", "confident.bed", "mixture.tsv"];
        files.folder("-o", &self.output, &names)?;
        // They are read before anything is written.
        files.may_replace("--variants", "-o");
        Ok(GenomePlan {
            reference: self.reference,
            regions: self.regions.regions,
            variants: self.variants,
            options,
            sample: self.sample,
            output: self.output,
        })
    }
}

impl ReadsArgs {
    /// The settings of the run.
    ///
    /// # Errors
    /// Another number of files than two, one file twice, or a number out of its range.
    pub(super) fn resolve(self, files: &mut Files) -> Result<ReadsPlan, Wrong> {
        let inputs = two(self.inputs, "--in")?;
        let outputs = two(self.outputs, "--out")?;
        let options = ReadOptions {
            seed: self.seed,
            slippage: self.slippage,
            positions_per_context_error: self.context_errors,
            oxidation: self.oxidation,
            deamination: self.deamination,
            chimeras: self.chimeras,
            duplicates: self.duplicates,
            quality_bins: self.quality_bins,
        };
        let checked = ReadErrors::new(&options);
        checked.map_err(|error| Wrong::value(error.to_string()))?;
        files.inputs("--in", &inputs);
        for path in &outputs {
            files.output("--out", path);
        }
        files.may_replace("--in", "--out");
        Ok(ReadsPlan {
            inputs,
            outputs,
            options,
            threads: self.threads.resolve(),
        })
    }
}

/// The two files of pairs.
fn two(files: Vec<PathBuf>, option: &str) -> Result<[PathBuf; 2], Wrong> {
    let count = files.len();
    let files = <[PathBuf; 2]>::try_from(files).map_err(|_| {
        Wrong::count(format!(
            "{option} was given {count} times; give it twice: read 1 and read 2"
        ))
    })?;
    if files[0] == files[1] {
        return Err(Wrong::conflict(format!(
            "{option} takes two different files: read 1 and read 2"
        )));
    }
    Ok(files)
}
