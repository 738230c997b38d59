//! `cnnfilter call`: from reads alone to candidate alleles, and on to calls with scores and genotypes.
//!
//! The contigs are cut into tiles at fixed places. Tiles are swept side by side; their candidates are scored as the calls
//! of any caller are, and written in order, so that neither threads nor regions change a record.

mod blocks;
mod judge;
mod tiles;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;

use super::another_reference;
use super::encoding::inputs::{open_reads, reads_files};
use super::encoding::shard::Idle;
use crate::io::alignment::{AlignmentSource, check_groups};
use crate::io::fasta::{FastaReader, Reference};
use crate::io::regions;
use crate::io::vcf_writer::{OutputOptions, VcfWriter};
use crate::terminal::progress::Progress;
use crate::terminal::summary::CallSummary;
use crate::terminal::threads;
use blocks::{Found, Reach};
use cnnfilter_core::candidates::{
    CandidateOptions, CandidateSite, MARGIN, SampleSweep, candidates, candidates_and_stretches,
};
use cnnfilter_core::genome::{ContigTable, IntervalSet, ReadFilter, contigs};
use cnnfilter_core::samples::{NamedReads, RoutedFile, SampleChoice, SampleMap, assign};
use cnnfilter_core::vcf::{VcfHeader, VcfRecord, quote};
use judge::Judge;
pub(crate) use judge::JudgePlan;
use tiles::{Tile, tiles};

/// The settings of a run.
#[derive(Debug, Clone)]
pub(crate) struct CallPlan {
    /// BAM and CRAM files, and `.list` files of their paths.
    pub(crate) reads: Vec<PathBuf>,
    /// Indexed FASTA.
    pub(crate) reference: PathBuf,
    /// Which reads.
    pub(crate) read_filter: ReadFilter,
    /// When an allele is a candidate.
    pub(crate) options: CandidateOptions,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// What becomes of the candidates; nothing where they are written as they are.
    pub(crate) judging: Option<JudgePlan>,
    /// Blocks between the calls.
    pub(crate) gvcf: bool,
    /// The candidates, or the calls.
    pub(crate) output: OutputOptions,
    /// Threads that work.
    pub(crate) threads: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Tiles that are swept before any of them is written, for each thread.
const TILES_A_THREAD: usize = 4;

/// Writes the candidates, or the calls that come of them.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written; then nothing stands
/// at the target.
pub(crate) fn run(plan: &CallPlan) -> Result<CallSummary> {
    let pool = threads::pool(plan.threads)?;
    let inputs = Inputs::open(plan)?;
    if plan.gvcf && inputs.samples.len() > 1 {
        return Err(anyhow!(
            "--gvcf is for one sample; the reads are of {}: {}",
            inputs.samples.len(),
            inputs.samples.join(", ")
        ));
    }
    let wanted = regions::wanted(&plan.regions, inputs.reference.contigs())?;
    let mut header = inputs.header(plan)?;
    let columns = header.column_count();
    let model = plan
        .judging
        .as_ref()
        .map(|judging| pool.install(|| judging.load_model()));
    let model = model.transpose()?;
    let judge = match (&plan.judging, &model) {
        (Some(judging), Some(model)) => {
            let opened = pool.install(|| Judge::open(plan, judging, model, &mut header))?;
            Some(opened)
        }
        _ => None,
    };
    let mut writer = VcfWriter::create(plan.output.clone(), &header)?;
    let mut progress = Progress::new(plan.quiet);
    let mut summary = CallSummary {
        samples: inputs.samples.len(),
        ..CallSummary::default()
    };
    let all = tiles(
        inputs.reference.contigs(),
        &inputs.contigs_of_reads,
        wanted.as_ref(),
    );
    let total: u64 = all.iter().map(Tile::bases).sum();
    let mut passed = 0;
    let mut reach = Reach::default();
    let idle = Idle::default();
    for batch in all.chunks(plan.threads.max(1) * TILES_A_THREAD) {
        let found: Vec<Result<Found>> = pool.install(|| {
            let tiles = batch.par_iter();
            tiles
                .map(|tile| sweep(tile, &inputs, plan, &idle, judge.as_ref()))
                .collect()
        });
        let mut lines = Vec::new();
        for (tile, found) in batch.iter().zip(found) {
            let found = found?;
            let first = lines.len();
            for site in &found.sites {
                if is_wanted(site, tile, wanted.as_ref()) {
                    let line = site.vcf_line(&tile.contig);
                    let record = VcfRecord::parse(line.into_bytes(), columns)?;
                    lines.push(Line {
                        start: site.start,
                        is_candidate: true,
                        record,
                    });
                    summary.add(site);
                }
            }
            let blocks = blocks::blocks(found, &tile.contig, wanted.as_ref(), &mut reach);
            for block in blocks {
                let line = block.vcf_line(&tile.contig).into_bytes();
                let record = VcfRecord::parse(line, columns)?;
                lines.push(Line {
                    start: block.start,
                    is_candidate: false,
                    record,
                });
            }
            lines[first..].sort_by_key(|line| line.start);
            passed += tile.bases();
        }
        let records = judged(lines, judge.as_ref(), &pool, &mut summary)?;
        for record in &records {
            writer.write(record)?;
        }
        if let Some(tile) = batch.last() {
            let place = format!("{}:{}", tile.contig, tile.range.end);
            let share = passed as f64 / total as f64;
            progress.advance(records.len() as u64, &place, Some(share));
        }
    }
    progress.finish();
    if let Some(judge) = &judge {
        judge.tell();
    }
    writer.finish()?;
    summary.bases = total;
    Ok(summary)
}

/// A record before it is written.
struct Line {
    /// 0-based.
    start: u64,
    /// False for a block of a GVCF.
    is_candidate: bool,
    record: VcfRecord,
}

/// The records in their order, the candidates among them judged.
fn judged(
    lines: Vec<Line>,
    judge: Option<&Judge<'_>>,
    pool: &rayon::ThreadPool,
    summary: &mut CallSummary,
) -> Result<Vec<VcfRecord>> {
    let Some(judge) = judge else {
        return Ok(lines.into_iter().map(|line| line.record).collect());
    };
    let are_candidates: Vec<bool> = lines.iter().map(|line| line.is_candidate).collect();
    let (candidates, blocks): (Vec<Line>, Vec<Line>) =
        lines.into_iter().partition(|line| line.is_candidate);
    summary.blocks += blocks.len() as u64;
    let records = candidates.into_iter().map(|line| line.record).collect();
    let mut calls = judge.judge(records, pool, summary)?.into_iter();
    let mut blocks = blocks.into_iter().map(|line| line.record);
    let next = |is_candidate| {
        if is_candidate {
            calls.next()
        } else {
            blocks.next()
        }
    };
    Ok(are_candidates.into_iter().filter_map(next).collect())
}

fn is_wanted(site: &CandidateSite, tile: &Tile, wanted: Option<&IntervalSet>) -> bool {
    wanted.is_none_or(|wanted| wanted.contains(&tile.contig, site.start))
}

/// The files of one thread.
struct Reader {
    reads: AlignmentSource,
    reference: FastaReader,
}

/// The candidates of a tile, and the stretches between them for a GVCF.
fn sweep(
    tile: &Tile,
    inputs: &Inputs,
    plan: &CallPlan,
    idle: &Idle<Reader>,
    judge: Option<&Judge<'_>>,
) -> Result<Found> {
    let mut reader = idle.borrow(|| inputs.reader(plan))?;
    let start = tile.range.start.saturating_sub(MARGIN);
    let end = tile.range.end + MARGIN;
    let block = reader.reference.block(&tile.contig, start, end)?;
    let samples = 0..inputs.samples.len();
    let mut sweeps: Vec<SampleSweep<'_>> = samples
        .map(|_| SampleSweep::new(tile.range.clone(), &block, plan.options))
        .collect();
    reader.reads.sweep(&tile.contig, &mut sweeps)?;
    let (range, options) = (tile.range.clone(), &plan.options);
    let found = match (plan.gvcf, sweeps.pop()) {
        (true, Some(sweep)) => {
            let ploidy = |at| judge.map_or(2, |judge| judge.ploidy(&tile.contig, at));
            let (sites, stretches) =
                candidates_and_stretches(sweep, range, &block, options, ploidy);
            Found {
                sites,
                stretches,
                reference: block,
            }
        }
        (_, last) => {
            sweeps.extend(last);
            Found {
                sites: candidates(sweeps, range, &block, options),
                ..Found::default()
            }
        }
    };
    idle.give_back(reader);
    Ok(found)
}

/// Reads and reference that were opened and found to agree.
struct Inputs {
    reference: Arc<Reference>,
    /// Contigs that a file of reads has.
    contigs_of_reads: Vec<ContigTable>,
    samples: Vec<String>,
    files: Vec<RoutedFile>,
}

impl Inputs {
    /// # Errors
    /// Where a file is missing or broken, or two are not about the same reference.
    fn open(plan: &CallPlan) -> Result<Self> {
        let reference = Reference::open(&plan.reference)?;
        let (mut named, mut contigs_of_reads) = (Vec::new(), Vec::new());
        for path in reads_files(&plan.reads)? {
            let opened = open_reads(path, &reference)?;
            if let Some(note) = &opened.header.note {
                log::warn!("{note}");
            }
            agree(&opened.named.path, &opened.header.contigs, plan, &reference)?;
            contigs_of_reads.push(opened.header.contigs);
            named.push(opened.named);
        }
        let samples = samples(&named)?;
        let columns: Vec<&str> = samples.iter().map(String::as_str).collect();
        let assigned = assign(
            &columns,
            &SampleChoice::Every,
            &named,
            &SampleMap::default(),
        )?;
        for file in &assigned.files {
            check_groups(file, &reference)?;
        }
        Ok(Self {
            reference,
            contigs_of_reads,
            samples,
            files: assigned.files,
        })
    }

    fn reader(&self, plan: &CallPlan) -> Result<Reader> {
        Ok(Reader {
            reads: AlignmentSource::open(&self.files, plan.read_filter, &self.reference)?,
            reference: self.reference.reader()?,
        })
    }

    /// The header of the candidates: neither threads nor regions nor output stand in it.
    fn header(&self, plan: &CallPlan) -> Result<VcfHeader> {
        let mut lines: Vec<String> = [
            "##fileformat=VCFv4.2",
            "##FILTER=<ID=PASS,Description=\"All filters passed\">",
        ]
        .map(String::from)
        .to_vec();
        lines.push(format!("##cnnfilterVersion={}", env!("CARGO_PKG_VERSION")));
        lines.push(format!("##cnnfilterCommand={}", command(plan)));
        for contig in self.reference.contigs().iter() {
            let length = contig.length.unwrap_or(0);
            lines.push(format!("##contig=<ID={},length={length}>", contig.name));
        }
        lines.extend(DEFINITIONS.map(String::from));
        if plan.gvcf {
            lines.extend(GVCF_DEFINITIONS.map(String::from));
        }
        let samples = self.samples.join("\t");
        lines.push(format!(
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}"
        ));
        VcfHeader::parse(lines).context("the header of the candidates")
    }
}

/// The keys of a candidate.
const DEFINITIONS: [&str; 6] = [
    "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Fragments of all samples with a base that counts\">",
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">",
    "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Fragments with a base that counts\">",
    "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Fragments that show REF and each ALT\">",
    "##FORMAT=<ID=VAF,Number=A,Type=Float,Description=\"Share of the fragments that show each ALT\">",
    "##FORMAT=<ID=SB,Number=4,Type=Integer,Description=\"Fragments of REF, forward and reverse, and of all ALTs, forward and reverse\">",
];

/// What a GVCF has beside them.
const GVCF_DEFINITIONS: [&str; 3] = [
    "##ALT=<ID=NON_REF,Description=\"Any other allele at this place\">",
    "##INFO=<ID=END,Number=1,Type=Integer,Description=\"Last position of a block\">",
    "##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description=\"Fewest fragments over a position of the block\">",
];

/// The options on which the candidates depend.
fn command(plan: &CallPlan) -> String {
    let options = &plan.options;
    let mode = match (&plan.judging, plan.gvcf) {
        (None, _) => "--candidates ",
        (Some(_), true) => "--gvcf ",
        (Some(_), false) => "",
    };
    let mut text = format!(
        "call {mode}--min-reads {} --min-snp-share {} --min-indel-share {} --min-base-quality {} --min-mapq {}",
        options.min_reads,
        options.min_snp_share,
        options.min_indel_share,
        options.min_base_quality,
        options.min_mapping_quality
    );
    let filter = &plan.read_filter;
    text += &format!(
        " --require-flags {} --exclude-flags {}",
        filter.required, filter.excluded
    );
    for path in &plan.reads {
        text += &format!(" -I {}", quote(&path.to_string_lossy()));
    }
    text + &format!(" -R {}", quote(&plan.reference.to_string_lossy()))
}

/// The samples of all files, in the order in which they are named.
///
/// # Errors
/// Several files, one of which names no sample: whose its reads are is not known.
fn samples(files: &[NamedReads]) -> Result<Vec<String>> {
    let mut samples: Vec<String> = Vec::new();
    for file in files {
        let mut named: Vec<String> = (file.groups.iter())
            .filter_map(|group| group.sample.clone())
            .collect();
        if named.is_empty() && files.len() > 1 {
            return Err(anyhow!(
                "{}: its header names no sample (@RG, SM), so it cannot be told whose its reads are among {} files; name it (`samtools addreplacerg`)",
                file.path.display(),
                files.len()
            ));
        }
        if named.is_empty() {
            let stem = file.path.file_stem().unwrap_or_default();
            named.push(stem.to_string_lossy().into_owned());
        }
        for name in named {
            if !samples.contains(&name) {
                samples.push(name);
            }
        }
    }
    Ok(samples)
}

/// Compares the contigs of reads and reference.
fn agree(path: &Path, table: &ContigTable, plan: &CallPlan, reference: &Reference) -> Result<()> {
    contigs::compare(table, reference.contigs()).map_err(|mismatch| {
        let advice = "give the reference that the reads were aligned to";
        another_reference(path, &plan.reference, &mismatch, advice)
    })
}
