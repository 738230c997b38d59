//! `cnnfilter simulate`: samples and reads whose truth is known.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::io::fasta::Reference;
use crate::io::gzip_file::{self, NewFile};
use crate::io::vcf_reader::{Order, VcfReader};
use crate::io::{IoError, atomic, regions};
use crate::terminal::summary::{GenomeSummary, GivenCounts, ReadsSummary};
use crate::terminal::threads;
use cnnfilter_core::vcf::Genotype;
use cnnfilter_simulate::reads::{FastqReader, next_block};
use cnnfilter_simulate::{
    Block, Counts, GenomeOptions, GivenRecord, GivenTally, GivenVariants, MIN_REGION, ReadErrors,
    ReadOptions, Region, SimulateError, Source, known_stretches, merged, mixture_text,
    simulate_region, vcf_header,
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

/// Everything `simulate reads` needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ReadsPlan {
    /// The two files of read pairs.
    pub(crate) inputs: [PathBuf; 2],
    /// The two files that are written.
    pub(crate) outputs: [PathBuf; 2],
    /// Kinds and rates of the errors to draw.
    pub(crate) options: ReadOptions,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// Makes a sample and returns a summary.
///
/// # Errors
/// Anything that is wrong with the inputs, or a file that cannot be written.
pub(crate) fn genome(plan: &GenomePlan) -> Result<GenomeSummary> {
    plan.options.check()?;
    let reference = Reference::open(&plan.reference)?;
    let wanted = if plan.regions.is_empty() {
        None
    } else {
        Some(regions::read(&plan.regions, reference.contigs())?)
    };
    let mut reader = reference.reader()?;
    let mut stretches: Vec<Region> = Vec::new();
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
            let bases = reader
                .block(&contig.name, range.start, range.end)?
                .into_bases();
            stretches.extend(known_stretches(&contig.name, range.start, &bases));
        }
    }
    if stretches.is_empty() {
        return Err(SimulateError::NoRegions { least: MIN_REGION }.into());
    }
    let given = plan
        .variants
        .as_ref()
        .map_or(Ok(GivenVariants::default()), read_variants)?;

    atomic::create_folder(&plan.output)?;
    let file = |name: &str| NewFile::create(&plan.output.join(name));
    let mut truth = file("truth.vcf")?;
    let names = reference
        .contigs()
        .iter()
        .map(|contig| (contig.name.as_str(), contig.length.unwrap_or(0)));
    truth.write(vcf_header(names, plan.options.seed, &plan.sample).as_bytes())?;
    let mut confident = file("confident.bed")?;
    let mut sequences: BTreeMap<Source, NewFile> = BTreeMap::new();
    let (mut counts, mut tally, mut judged) = (Counts::default(), GivenTally::default(), 0);
    for at in 0..stretches.len() {
        let made = simulate_region(&stretches, at, &given, &plan.options);
        for (source, records) in made.sequences {
            let output = match sequences.entry(source) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(none) => none.insert(file(&source.file_name())?),
            };
            for record in records {
                output.write(&record.text())?;
            }
        }
        for line in made.truth {
            truth.write(line.as_bytes())?;
            truth.write(b"\n")?;
        }
        for range in made.confident {
            judged += range.end - range.start;
            let line = format!("{}\t{}\t{}\n", stretches[at].contig, range.start, range.end);
            confident.write(line.as_bytes())?;
        }
        counts.snps += made.counts.snps;
        counts.indels += made.counts.indels;
        counts.multi += made.counts.multi;
        tally.add(made.given);
    }
    tally.check()?;
    let mut mixture = file("mixture.tsv")?;
    let text = mixture_text(sequences.keys().copied(), plan.options.contamination);
    mixture.write(text.as_bytes())?;
    // A file of an earlier run that is none of this mixture would be taken for part of it.
    for source in Source::all().filter(|source| !sequences.contains_key(source)) {
        gzip_file::remove_if_there(&plan.output.join(source.file_name()))?;
    }
    for output in sequences.into_values().chain([truth, confident, mixture]) {
        output.finish()?;
    }
    let bases: usize = stretches.iter().map(|region| region.bases.len()).sum();
    let given = given_counts(&given, &tally);
    if let (Some(text), 0) = (&given.left_out_text, tally.taken) {
        log::warn!(
            "--variants: the sample carries none of them; {}",
            text.trim_end()
        );
    }
    Ok(GenomeSummary {
        regions: stretches.len(),
        bases,
        confident_bases: judged,
        snps: counts.snps,
        indels: counts.indels,
        multi: counts.multi,
        given,
    })
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

/// Counts the given variants, those that the sample does not carry by reason.
fn given_counts(given: &GivenVariants, tally: &GivenTally) -> GivenCounts {
    let outside = given.len().saturating_sub(tally.inside);
    let apart = tally.inside - tally.taken - tally.mismatches;
    let mut reasons: Vec<(String, u64)> = given
        .left_out()
        .iter()
        .map(|(why, count)| (why.to_string(), *count))
        .collect();
    for (count, why) in [
        (outside, "outside the regions"),
        (tally.mismatches, "with another REF than the reference"),
        (apart, "at the end of a region or over another variant"),
    ] {
        if count > 0 {
            reasons.push((why.to_owned(), count as u64));
        }
    }
    let read = given.read();
    let parts: Vec<String> = reasons
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    let left_out_text = (!parts.is_empty()).then(|| {
        format!(
            "given variants left out, of {read} read: {}\n",
            parts.join(", ")
        )
    });
    GivenCounts {
        read,
        inside: tally.inside,
        taken: tally.taken,
        left_out: reasons.into_iter().collect(),
        left_out_text,
    }
}

/// Adds errors to read pairs and returns a summary.
///
/// # Errors
/// Files that are no read pairs, or one that cannot be written.
pub(crate) fn reads(plan: &ReadsPlan) -> Result<ReadsSummary> {
    let errors = ReadErrors::new(&plan.options)?;
    let pool = threads::pool(plan.threads)?;
    let [first, second] = &plan.inputs;
    let mut readers = [gzip_file::open(first)?, gzip_file::open(second)?].map(FastqReader::new);
    let mut files = [
        NewFile::create(&plan.outputs[0])?,
        NewFile::create(&plan.outputs[1])?,
    ];
    let mut previous: Option<Block> = None;
    let mut before = 0;
    loop {
        let (mut blocks, mut starts) = (Vec::new(), Vec::new());
        for _ in 0..plan.threads {
            let mut block = Block::default();
            next_block(&mut readers, before, &mut block)
                .with_context(|| format!("{}, {}", first.display(), second.display()))?;
            if block.is_empty() {
                break;
            }
            starts.push(before);
            before += block.len() as u64;
            blocks.push(block);
        }
        let earlier = |at: usize| match at.checked_sub(1) {
            Some(one) => blocks.get(one),
            None => previous.as_ref(),
        };
        let texts: Vec<[Vec<u8>; 2]> = pool.install(|| {
            (0..blocks.len())
                .into_par_iter()
                .map(|at| {
                    let mut texts = [Vec::new(), Vec::new()];
                    errors.block(starts[at], earlier(at), &blocks[at], &mut texts);
                    texts
                })
                .collect()
        });
        for text in texts {
            files[0].write(&text[0])?;
            files[1].write(&text[1])?;
        }
        let Some(last) = blocks.pop() else { break };
        previous = Some(last);
    }
    for file in files {
        file.finish()?;
    }
    Ok(ReadsSummary { pairs: before })
}
