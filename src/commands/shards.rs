//! `cnnfilter shards`: regions of equal work.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::io::fasta::Reference;
use crate::io::{IoError, atomic, standard_output, work};
use crate::terminal::summary::ShardsSummary;
use cnnfilter_core::genome::work::{Piece, WorkCurve, shards, weighted_by_depth};

/// The settings of a run.
#[derive(Debug, Clone)]
pub(crate) struct ShardsPlan {
    /// The reference, whose positions are cut.
    pub(crate) reference: PathBuf,
    /// Calls of one sample or of several.
    pub(crate) variants: Vec<PathBuf>,
    /// Reads, whose depth weights the calls; none where all calls count the same.
    pub(crate) reads: Vec<PathBuf>,
    /// Shards that are wanted.
    pub(crate) count: usize,
    /// The folder that gets one BED a shard; nothing for one table on standard output.
    pub(crate) output: Option<PathBuf>,
}

/// Cuts the reference into shards and writes them.
///
/// # Errors
/// Where an index cannot be read, or an output cannot be written.
pub(crate) fn run(plan: &ShardsPlan) -> Result<ShardsSummary> {
    let reference = Reference::open(&plan.reference)?;
    let of_calls = |path: &PathBuf| work::of_calls(path, &reference);
    let calls = sum(plan.variants.iter().map(of_calls))?;
    let curves = if plan.reads.is_empty() {
        calls
    } else {
        let of_reads = |path: &PathBuf| work::of_reads(path, &reference);
        let reads = sum(plan.reads.iter().map(of_reads))?;
        weighted_by_depth(&calls.into_iter().zip(reads).collect::<Vec<_>>())
    };
    let found = shards(&curves, plan.count);
    if found.len() < plan.count {
        log::warn!(
            "{}: it has {} positions, so there are {} shards and not {}",
            plan.reference.display(),
            found.len(),
            found.len(),
            plan.count
        );
    }
    let tables = tables(&found, &reference);
    match &plan.output {
        Some(folder) => write_folder(folder, &tables)?,
        None => {
            let text: String = tables.iter().map(|(_, table)| table.as_str()).collect();
            standard_output::write(text.as_bytes())?;
        }
    }
    Ok(summary(&found, &curves))
}

/// The curves of several files together, contig by contig.
fn sum(files: impl Iterator<Item = Result<Vec<WorkCurve>, IoError>>) -> Result<Vec<WorkCurve>> {
    let mut whole: Vec<WorkCurve> = Vec::new();
    for curves in files {
        let curves = curves?;
        if whole.is_empty() {
            whole = curves;
        } else {
            for (sum, curve) in whole.iter_mut().zip(&curves) {
                *sum = sum.plus(curve);
            }
        }
    }
    Ok(whole)
}

/// Name and BED of each shard; the name stands in the fourth column. Names sort as the genome does.
fn tables(found: &[Vec<Piece>], reference: &Reference) -> Vec<(String, String)> {
    let names: Vec<&str> = reference
        .contigs()
        .iter()
        .map(|contig| contig.name.as_str())
        .collect();
    let digits = found.len().to_string().len().max(4);
    let table = |(number, pieces): (usize, &Vec<Piece>)| {
        let name = format!("shard_{number:0digits$}");
        let mut text = String::new();
        for (contig, at) in pieces {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}\t{}\t{}\t{name}", names[*contig], at.start, at.end);
        }
        (name, text)
    };
    (1..).zip(found).map(table).collect()
}

/// Writes one BED a shard. A folder with shards of another run is refused: whoever takes all of its
/// files would score some positions twice.
fn write_folder(folder: &Path, tables: &[(String, String)]) -> Result<()> {
    atomic::create_folder(folder)?;
    let entries = folder
        .read_dir()
        .map_err(|error| IoError::system(folder, "list", error))?;
    for entry in entries {
        let entry = entry.map_err(|error| IoError::system(folder, "list", error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let shard = name.strip_suffix(".bed");
        let is_other = shard.is_some_and(|shard| {
            shard.starts_with("shard_") && tables.iter().all(|(name, _)| name != shard)
        });
        if is_other {
            bail!(
                "{}: `{name}` is a shard of another run; remove it, or give another folder",
                folder.display()
            );
        }
    }
    let files = tables.iter();
    atomic::write_all(
        files.map(|(name, table)| (folder.join(format!("{name}.bed")), table.as_bytes())),
    )?;
    Ok(())
}

fn summary(found: &[Vec<Piece>], curves: &[WorkCurve]) -> ShardsSummary {
    let work_of = |pieces: &Vec<Piece>| -> u64 {
        let work = pieces
            .iter()
            .map(|(contig, at)| curves[*contig].before(at.end) - curves[*contig].before(at.start));
        work.sum()
    };
    let work: Vec<u64> = found.iter().map(work_of).collect();
    let total: u64 = work.iter().sum();
    let mean = total as f64 / work.len().max(1) as f64;
    let largest = work.iter().max().copied().unwrap_or(0);
    ShardsSummary {
        shards: found.len(),
        regions: found.iter().map(Vec::len).sum(),
        positions: curves.iter().map(WorkCurve::length).sum(),
        largest: (total > 0).then(|| largest as f64 / mean),
    }
}
