//! `cnnfilter call`: from reads alone to candidate alleles, and on to calls with scores and genotypes.
//!
//! The contigs are cut into tiles at fixed places. Tiles are swept side by side; their candidates are scored as the calls
//! of any caller are, and written in order, so that neither threads nor regions change a record.

mod blocks;
mod judge;

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use super::candidates::{CandidatePlan, Inputs, Tile, TileReader};
use super::encoding::shard::Idle;
use crate::io::vcf_writer::{OutputOptions, VcfWriter};
use crate::terminal::progress::Progress;
use crate::terminal::summary::CallSummary;
use crate::terminal::threads;
use blocks::{Found, Reach};
use cnnfilter_core::candidates::{Phase, swept};
use cnnfilter_core::genotype::write_phases;
use cnnfilter_core::vcf::VcfRecord;
use judge::Judge;
pub(crate) use judge::JudgePlan;

/// The settings of a run.
#[derive(Debug, Clone)]
pub(crate) struct CallPlan {
    /// The reads, and what a candidate is.
    pub(crate) candidates: CandidatePlan,
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
    let inputs = Inputs::open(&plan.candidates)?;
    if plan.gvcf && inputs.samples.len() > 1 {
        return Err(anyhow!(
            "--gvcf is for one sample; the reads are of {}: {}",
            inputs.samples.len(),
            inputs.samples.join(", ")
        ));
    }
    let (mode, more) = match (&plan.judging, plan.gvcf) {
        (None, _) => ("--candidates ", &[][..]),
        (Some(_), true) => ("--gvcf ", &GVCF_DEFINITIONS[..]),
        (Some(_), false) => ("", &[][..]),
    };
    let mut header = inputs.header(&plan.candidates, mode, more)?;
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
    let all = inputs.tiles();
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
            for (site, phases) in found.swept.sites.iter().zip(&found.swept.phases) {
                if inputs.is_wanted(&tile.contig, site.start) {
                    let line = site.vcf_line(&tile.contig);
                    let record = VcfRecord::parse(line.into_bytes(), columns)?;
                    lines.push(Line {
                        start: site.start,
                        candidate: Some(phases.clone()),
                        record,
                    });
                    summary.add(site);
                }
            }
            let blocks = blocks::blocks(found, &tile.contig, inputs.wanted.as_ref(), &mut reach);
            for block in blocks {
                let line = block.vcf_line(&tile.contig).into_bytes();
                let record = VcfRecord::parse(line, columns)?;
                lines.push(Line {
                    start: block.start,
                    candidate: None,
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
    /// The phase of each sample; nothing for a block of a GVCF.
    candidate: Option<Vec<Option<Phase>>>,
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
    let (mut phases, mut candidates, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        match &line.candidate {
            Some(_) => candidates.push(line.record),
            None => blocks.push(line.record),
        }
        phases.push(line.candidate);
    }
    summary.blocks += blocks.len() as u64;
    let mut calls = judge.judge(candidates, pool, summary)?.into_iter();
    let mut blocks = blocks.into_iter();
    let next = |phases: Option<Vec<Option<Phase>>>| match phases {
        None => blocks.next(),
        Some(phases) => calls.next().map(|mut call| {
            write_phases(&mut call, &phases);
            call
        }),
    };
    Ok(phases.into_iter().filter_map(next).collect())
}

/// The candidates of a tile, and the stretches between them for a GVCF.
fn sweep(
    tile: &Tile,
    inputs: &Inputs,
    plan: &CallPlan,
    idle: &Idle<TileReader>,
    judge: Option<&Judge<'_>>,
) -> Result<Found> {
    let mut reader = idle.borrow(|| inputs.reader(&plan.candidates))?;
    let block = reader.block(tile)?;
    let sweeps = reader.sweep(tile, &block, judge.is_some())?;
    let ploidy = |at| judge.map_or(2, |judge| judge.ploidy(&tile.contig, at));
    let ploidy: Option<&dyn Fn(u64) -> usize> = if plan.gvcf { Some(&ploidy) } else { None };
    let options = &plan.candidates.options;
    let found = Found {
        swept: swept(sweeps, tile.range.clone(), &block, options, ploidy),
        reference: block,
    };
    idle.give_back(reader);
    Ok(found)
}

/// What a GVCF has beside them.
const GVCF_DEFINITIONS: [&str; 3] = [
    "##ALT=<ID=NON_REF,Description=\"Any other allele at this place\">",
    "##INFO=<ID=END,Number=1,Type=Integer,Description=\"Last position of a block\">",
    "##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description=\"Fewest fragments over a position of the block\">",
];
