//! A diploid sample over one region, and all that is sequenced with it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::contamination::contaminant;
use super::divergent::divergent;
use super::error::SimulateError;
use super::fasta::FastaRecord;
use super::given::{GivenTally, GivenVariants};
use super::long::long_alleles;
use super::mosaics::{LEVELS, mosaics, share};
use super::paralogues::paralogues;
use super::random::stream;
use super::record::Diploid;
use super::region::Region;
use super::variants::{Counts, Rates, VariantModel};

/// Bases at each end of a region that are not judged: too few reads reach there.
pub const EDGE: usize = 300;

/// Settings of a simulated sample.
#[derive(Debug, Clone, PartialEq)]
pub struct GenomeOptions {
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Random variants per base.
    pub rates: Rates,
    /// Stretches where the sample has many variants close together, a million bases.
    pub divergent_per_megabase: f64,
    /// Alleles of more than 30 bases, a million bases.
    pub long_per_megabase: f64,
    /// Stretches with copies that the reference lacks, a million bases.
    pub paralogues_per_megabase: f64,
    /// Mosaic variants a million bases.
    pub mosaics_per_megabase: f64,
    /// Part of the reads that are of another individual, 0 to 0.5.
    pub contamination: f64,
}

impl GenomeOptions {
    /// Checks the ranges.
    ///
    /// # Errors
    /// Where a number is out of its range.
    pub fn check(&self) -> Result<(), SimulateError> {
        let rate = "a rate per base from 0 to 0.05";
        SimulateError::check_knob("--snp-rate", self.rates.snp, 0.0..=0.05, rate)?;
        SimulateError::check_knob("--indel-rate", self.rates.indel, 0.0..=0.05, rate)?;
        SimulateError::check_knob("--multi-rate", self.rates.multi, 0.0..=0.05, rate)?;
        let number = "a number per million bases from 0 to 1000";
        let divergent = self.divergent_per_megabase;
        SimulateError::check_knob("--divergent-per-mb", divergent, 0.0..=1000.0, number)?;
        let long = self.long_per_megabase;
        SimulateError::check_knob("--long-per-mb", long, 0.0..=1000.0, number)?;
        let paralogues = self.paralogues_per_megabase;
        SimulateError::check_knob("--paralogues-per-mb", paralogues, 0.0..=1000.0, number)?;
        let mosaics = self.mosaics_per_megabase;
        SimulateError::check_knob("--mosaics-per-mb", mosaics, 0.0..=1000.0, number)?;
        let part = "a part from 0 to 0.5";
        SimulateError::check_knob("--contamination", self.contamination, 0.0..=0.5, part)
    }
}

impl Default for GenomeOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            rates: Rates::default(),
            divergent_per_megabase: 0.0,
            long_per_megabase: 0.0,
            paralogues_per_megabase: 4.0,
            mosaics_per_megabase: 30.0,
            contamination: 0.02,
        }
    }
}

/// A FASTA file of the mixture. Their order is that of `mixture.tsv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A haplotype of the sample: 1 or 2.
    Haplotype(u8),
    /// A haplotype of another individual: 1 or 2.
    Contaminant(u8),
    /// Copies that the reference lacks, by the number of the sample's haplotypes that have them.
    Paralogues(u8),
    /// Stretches with a mosaic variant, by its percentage of the reads.
    Mosaics(u8),
}

impl Source {
    /// All of them in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let pairs = [Self::Haplotype, Self::Contaminant, Self::Paralogues];
        let pairs = pairs.into_iter().flat_map(|source| [source(1), source(2)]);
        pairs.chain(LEVELS.into_iter().map(Self::Mosaics))
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        match self {
            Self::Haplotype(number) => format!("haplotype{number}.fa"),
            Self::Contaminant(number) => format!("contaminant{number}.fa"),
            Self::Paralogues(ploidy) => format!("paralogues{ploidy}.fa"),
            Self::Mosaics(level) => format!("mosaic_{level:02}.fa"),
        }
    }

    /// Depth of each of its bases, as a share of the nominal depth of the whole mixture.
    pub fn share(&self, contamination: f64) -> f64 {
        match self {
            Self::Haplotype(_) => (1.0 - contamination) / 2.0,
            Self::Contaminant(_) => contamination / 2.0,
            Self::Paralogues(ploidy) => f64::from(*ploidy) / 2.0,
            Self::Mosaics(level) => share(*level),
        }
    }
}

/// The text of `mixture.tsv`: a header line, then file and share of each source.
pub fn mixture_text(sources: impl IntoIterator<Item = Source>, contamination: f64) -> String {
    let mut text = "file\tshare\n".to_owned();
    for source in sources {
        let share = source.share(contamination);
        text.push_str(&format!("{}\t{share:.6}\n", source.file_name()));
    }
    text
}

/// The simulated sample of a region.
#[derive(Debug, Clone, Default)]
pub struct RegionSample {
    /// Sequences by the file that they belong to; those of a region with the region's order.
    pub sequences: BTreeMap<Source, Vec<FastaRecord>>,
    /// Lines of the truth VCF by position, without line ends.
    pub truth: Vec<String>,
    /// Where the truth is complete and nothing is undecided: 0-based half-open on the contig.
    pub confident: Vec<Range<u64>>,
    /// Variants of the sample.
    pub counts: Counts,
    /// Fate of the real variants.
    pub given: GivenTally,
}

/// Streams of random numbers of a region.
#[derive(Clone, Copy)]
enum Purpose {
    Given,
    Variants,
    Paralogues,
    Mosaics,
    Contaminant,
    Divergent,
    Long,
}

/// Makes the sample of `regions[at]`. The same options and regions give the same sample, and a
/// region does not depend on the knobs of what is drawn for another purpose.
pub fn simulate_region(
    regions: &[Region],
    at: usize,
    given: &GivenVariants,
    options: &GenomeOptions,
) -> RegionSample {
    let mut made = RegionSample::default();
    let Some(region) = regions.get(at) else {
        return made;
    };
    let random = |purpose: Purpose| stream(options.seed, at as u64 * 8 + purpose as u64);
    let bases = &region.bases;
    let model = VariantModel::new(bases);

    let mut sample = Diploid::default();
    made.given = given.place(&mut random(Purpose::Given), region, &mut sample);
    let per_megabase = options.divergent_per_megabase;
    divergent(
        &mut random(Purpose::Divergent),
        &model,
        bases.len(),
        per_megabase,
        &mut sample,
    );
    long_alleles(
        &mut random(Purpose::Long),
        &model,
        bases,
        options.long_per_megabase,
        &mut sample,
    );
    let mut variants = random(Purpose::Variants);
    let counts = Counts::drawn(&mut variants, &options.rates, bases.len());
    model.fill(&mut variants, counts, &mut sample);
    made.counts = Counts::of(sample.records());
    made.truth = sample.records().map(|r| r.vcf_line(region)).collect();

    let mut put = |source: Source, sequence: FastaRecord| {
        made.sequences.entry(source).or_default().push(sequence);
    };
    // Reads are named after their sequence: mates of two sequences of one name would be mixed up.
    let whole_of = |individual: &Diploid, kind: &str, haplotype: usize| FastaRecord {
        name: format!("{}.{kind}{}", region.name(), haplotype + 1),
        description: String::new(),
        bases: individual.haplotype(bases, haplotype, 0..bases.len()),
    };
    for haplotype in 0..2 {
        let source = Source::Haplotype(haplotype as u8 + 1);
        put(source, whole_of(&sample, "haplotype", haplotype));
    }
    if options.contamination > 0.0 {
        let other = contaminant(&mut random(Purpose::Contaminant), &model, &sample);
        for haplotype in 0..2 {
            let source = Source::Contaminant(haplotype as u8 + 1);
            put(source, whole_of(&other, "contaminant", haplotype));
        }
    }
    let per_megabase = options.paralogues_per_megabase;
    for copy in paralogues(&mut random(Purpose::Paralogues), regions, at, per_megabase) {
        put(Source::Paralogues(copy.ploidy as u8), copy.sequence);
    }
    let per_megabase = options.mosaics_per_megabase;
    let mut undecided = Vec::new();
    let drawn = mosaics(
        &mut random(Purpose::Mosaics),
        region,
        &model,
        &sample,
        per_megabase,
    );
    for mosaic in drawn {
        undecided.push(mosaic.guarded);
        put(Source::Mosaics(mosaic.level), mosaic.sequence);
    }
    made.confident = confident(region, undecided);
    made
}

/// A region without its edges and without what is undecided.
fn confident(region: &Region, mut undecided: Vec<Range<usize>>) -> Vec<Range<u64>> {
    undecided.sort_by_key(|range| range.start);
    let last = region.bases.len().saturating_sub(EDGE);
    let mut confident = Vec::new();
    let mut from = EDGE;
    let mut add = |from: usize, to: usize| {
        if from < to {
            confident.push(region.start + from as u64..region.start + to as u64);
        }
    };
    for range in undecided {
        add(from, range.start.min(last));
        from = from.max(range.end);
    }
    add(from, last);
    confident
}

#[cfg(test)]
mod tests;
