//! `cnnfilter simulate genome`: a sample whose truth is known.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use crate::io::fasta::Reference;
use crate::io::gzip_file::{self, NewFile};
use crate::io::vcf_reader::{Order, VcfReader};
use crate::io::{IoError, atomic, regions};
use crate::terminal::summary::{GenomeSummary, GivenCounts};
use cnnfilter_core::vcf::Genotype;
use cnnfilter_simulate::{
    Counts, GenomeOptions, GivenRecord, GivenTally, GivenVariants, MIN_REGION, Region,
    RegionSample, SimulateError, Source, known_stretches, merged, mixture_text, simulate_region,
    vcf_header,
};

/// Everything `simulate genome` needs to know.
#[derive(Debug, Clone)]
pub(crate) struct GenomePlan {
    /// Indexed FASTA.
    pub(crate) reference: PathBuf,
    /// Regions as typed; empty for every stretch that is not N.
    pub(crate) regions: Vec<String>,
    /// Real variants that the sample is to carry.
    pub(crate) variants: Option<PathBuf>,
    /// Kinds and rates of the variants to draw.
    pub(crate) options: GenomeOptions,
    /// Name of the sample.
    pub(crate) sample: String,
    /// The folder that gets the files.
    pub(crate) output: PathBuf,
}

/// Makes a sample and returns a summary.
///
/// # Errors
/// Anything that is wrong with the inputs, or a file that cannot be written.
pub(crate) fn genome(plan: &GenomePlan) -> Result<GenomeSummary> {
    plan.options.check()?;
    let reference = Reference::open(&plan.reference)?;
    let stretches = stretches(&reference, &plan.regions)?;
    if stretches.is_empty() {
        return Err(SimulateError::NoRegions { least: MIN_REGION }.into());
    }
    let given = plan
        .variants
        .as_ref()
        .map_or(Ok(GivenVariants::default()), read_variants)?;

    atomic::create_folder(&plan.output)?;
    let contigs = reference.contigs().iter();
    let names = contigs.map(|contig| (contig.name.as_str(), contig.length.unwrap_or(0)));
    let mut files = Files::create(&plan.output)?;
    let header = vcf_header(names, plan.options.seed, &plan.sample);
    files.truth.write(header.as_bytes())?;
    for (at, region) in stretches.iter().enumerate() {
        let made = simulate_region(&stretches, at, &given, &plan.options);
        files.add(region, made)?;
    }
    let tally = files.tally.clone();
    tally.check()?;
    let (counts, judged) = (files.counts, files.judged);
    files.finish(plan.options.contamination)?;

    let bases: usize = stretches.iter().map(|region| region.bases.len()).sum();
    let left_out_text = given.left_out_text(&tally);
    if let (Some(text), 0) = (&left_out_text, tally.taken) {
        log::warn!("--variants: the sample carries none of them; {text}");
    }
    Ok(GenomeSummary {
        regions: stretches.len(),
        bases,
        confident_bases: judged,
        snps: counts.snps,
        indels: counts.indels,
        multi: counts.multi,
        given: GivenCounts {
            read: given.read(),
            inside: tally.inside,
            taken: tally.taken,
            left_out: given.left_out(&tally).into_iter().collect(),
            left_out_text,
        },
    })
}

/// The known bases of the reference in the regions typed; everywhere without.
fn stretches(reference: &Arc<Reference>, typed: &[String]) -> Result<Vec<Region>> {
    let wanted = regions::wanted(typed, reference.contigs())?;
    let mut reader = reference.reader()?;
    let mut stretches = Vec::new();
    for contig in reference.contigs().iter() {
        let length = contig.length.unwrap_or(0);
        let ranges = match &wanted {
            Some(wanted) => wanted
                .on(&contig.name)
                .iter()
                .map(|interval| interval.start..interval.end.min(length))
                .filter(|range| range.start < range.end)
                .collect(),
            None => std::iter::once(0..length).collect(),
        };
        for range in merged(ranges) {
            let block = reader.block(&contig.name, range.start, range.end)?;
            let bases = block.into_bases();
            stretches.extend(known_stretches(&contig.name, range.start, &bases));
        }
    }
    Ok(stretches)
}

/// The files of a sample, and what was put into them.
struct Files<'a> {
    folder: &'a Path,
    truth: NewFile,
    confident: NewFile,
    sequences: BTreeMap<Source, NewFile>,
    counts: Counts,
    tally: GivenTally,
    /// Bases where the truth is complete.
    judged: u64,
}

impl<'a> Files<'a> {
    fn create(folder: &'a Path) -> Result<Self, IoError> {
        Ok(Self {
            folder,
            truth: NewFile::create(&folder.join("truth.vcf"))?,
            confident: NewFile::create(&folder.join("confident.bed"))?,
            sequences: BTreeMap::new(),
            counts: Counts::default(),
            tally: GivenTally::default(),
            judged: 0,
        })
    }

    /// Writes the sample of a region.
    fn add(&mut self, region: &Region, made: RegionSample) -> Result<(), IoError> {
        for (source, records) in made.sequences {
            let output = match self.sequences.entry(source) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(none) => {
                    none.insert(NewFile::create(&self.folder.join(source.file_name()))?)
                }
            };
            for record in records {
                output.write(&record.text())?;
            }
        }
        for line in made.truth {
            self.truth.write(line.as_bytes())?;
            self.truth.write(b"\n")?;
        }
        for range in made.confident {
            self.judged += range.end - range.start;
            let line = format!("{}\t{}\t{}\n", region.contig, range.start, range.end);
            self.confident.write(line.as_bytes())?;
        }
        self.counts.snps += made.counts.snps;
        self.counts.indels += made.counts.indels;
        self.counts.multi += made.counts.multi;
        self.tally.add(made.given);
        Ok(())
    }

    /// Writes the table of the mixture and closes all files.
    fn finish(self, contamination: f64) -> Result<(), IoError> {
        let mut mixture = NewFile::create(&self.folder.join("mixture.tsv"))?;
        let text = mixture_text(self.sequences.keys().copied(), contamination);
        mixture.write(text.as_bytes())?;
        // A file of an earlier run that is none of this mixture would be taken for part of it.
        for source in Source::all().filter(|source| !self.sequences.contains_key(source)) {
            gzip_file::remove_if_there(&self.folder.join(source.file_name()))?;
        }
        let others = [self.truth, self.confident, mixture];
        for output in self.sequences.into_values().chain(others) {
            output.finish()?;
        }
        Ok(())
    }
}

fn read_variants(path: &PathBuf) -> Result<GivenVariants> {
    let mut given = GivenVariants::default();
    let mut reader = VcfReader::open(path)?.with_order(Order::Any);
    while let Some((number, record)) = reader.next_record()? {
        let Some(genotype) = record.sample_value(0, b"GT") else {
            let message = format!(
                "record {number}: expected a genotype (GT) of the first sample, found none"
            );
            return Err(IoError::other(path, message).into());
        };
        let genotype = Genotype::parse(genotype);
        let (reference, alternates) = record.alleles();
        given.push(&GivenRecord {
            contig: &String::from_utf8_lossy(record.contig()),
            position: record.position(),
            reference,
            alternates: alternates.split(|byte| *byte == b',').collect(),
            passes: record.passes(),
            genotype: genotype.numbers().collect(),
            is_phased: genotype.is_phased(),
        });
    }
    Ok(given)
}
