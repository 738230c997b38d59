//! Candidate alleles of reads alone: opens reads and reference, cuts the contigs into tiles, sweeps a tile.
//!
//! The tiles lie at fixed places, so that what is found depends neither on threads nor on regions.

mod tiles;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use super::another_reference;
use super::encoding::inputs::{open_reads, reads_files};
use crate::io::alignment::{AlignmentSource, check_groups};
use crate::io::error::IoError;
use crate::io::fasta::{FastaReader, Reference};
use crate::io::regions;
use cnnfilter_core::candidates::{CandidateOptions, MARGIN, SampleSweep};
use cnnfilter_core::genome::{ContigTable, IntervalSet, ReadFilter, ReferenceBlock, contigs};
use cnnfilter_core::samples::{NamedReads, RoutedFile, SampleChoice, SampleMap, assign};
use cnnfilter_core::vcf::{VcfHeader, quote};
pub(crate) use tiles::Tile;

/// Where candidates are looked for, and what makes an allele one.
#[derive(Debug, Clone)]
pub(crate) struct CandidatePlan {
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
}

/// Reads and reference that were opened and found to agree.
pub(crate) struct Inputs {
    pub(crate) reference: Arc<Reference>,
    pub(crate) samples: Vec<String>,
    /// What the regions name; nothing where there are none.
    pub(crate) wanted: Option<IntervalSet>,
    /// Contigs that a file of reads has.
    contigs_of_reads: Vec<ContigTable>,
    files: Vec<RoutedFile>,
}

impl Inputs {
    /// # Errors
    /// Where a file is missing or broken, or two are not about the same reference.
    pub(crate) fn open(plan: &CandidatePlan) -> Result<Self> {
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
        let (choice, map) = (SampleChoice::Every, SampleMap::default());
        let assigned = assign(&columns, &choice, &named, &map)?;
        for file in &assigned.files {
            check_groups(file, &reference)?;
        }
        Ok(Self {
            wanted: regions::wanted(&plan.regions, reference.contigs())?,
            reference,
            contigs_of_reads,
            samples,
            files: assigned.files,
        })
    }

    /// The tiles that touch what is wanted.
    pub(crate) fn tiles(&self) -> Vec<Tile> {
        let contigs = self.reference.contigs();
        tiles::tiles(contigs, &self.contigs_of_reads, self.wanted.as_ref())
    }

    /// True for a candidate, by its 0-based position, that the regions name.
    pub(crate) fn is_wanted(&self, contig: &str, start: u64) -> bool {
        let wanted = self.wanted.as_ref();
        wanted.is_none_or(|wanted| wanted.contains(contig, start))
    }

    /// Opens the files once more, for a thread.
    ///
    /// # Errors
    /// Where a file cannot be opened.
    pub(crate) fn reader(&self, plan: &CandidatePlan) -> Result<TileReader> {
        Ok(TileReader {
            reads: AlignmentSource::open(&self.files, plan.read_filter, &self.reference)?,
            reference: Arc::clone(&self.reference).reader()?,
            samples: self.samples.len(),
            options: plan.options,
        })
    }

    /// The header of the candidates, with more definitions: neither threads nor regions nor output stand in it. `mode`
    /// is what the command line says of it, with a blank behind it.
    ///
    /// # Errors
    /// Names of samples that a header cannot hold.
    pub(crate) fn header(
        &self,
        plan: &CandidatePlan,
        mode: &str,
        more: &[&str],
    ) -> Result<VcfHeader> {
        let mut lines = vec![
            "##fileformat=VCFv4.2".to_owned(),
            "##FILTER=<ID=PASS,Description=\"All filters passed\">".to_owned(),
            format!("##cnnfilterVersion={}", env!("CARGO_PKG_VERSION")),
            format!("##cnnfilterCommand={}", command(plan, mode)),
        ];
        for contig in self.reference.contigs().iter() {
            let length = contig.length.unwrap_or(0);
            lines.push(format!("##contig=<ID={},length={length}>", contig.name));
        }
        let definitions = DEFINITIONS.iter().chain(more);
        lines.extend(definitions.map(|line| (*line).to_owned()));
        let samples = self.samples.join("\t");
        lines.push(format!(
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}"
        ));
        VcfHeader::parse(lines).context("the header of the candidates")
    }
}

/// The open files of one thread.
pub(crate) struct TileReader {
    reads: AlignmentSource,
    reference: FastaReader,
    samples: usize,
    options: CandidateOptions,
}

impl TileReader {
    /// The reference of a tile and around it.
    ///
    /// # Errors
    /// A damaged FASTA.
    pub(crate) fn block(&mut self, tile: &Tile) -> Result<ReferenceBlock, IoError> {
        let start = tile.range.start.saturating_sub(MARGIN);
        let end = tile.range.end + MARGIN;
        self.reference.block(&tile.contig, start, end)
    }

    /// A sweep over the reads of a tile for each sample, with phase where that is asked for.
    ///
    /// # Errors
    /// A damaged file of reads.
    pub(crate) fn sweep<'b>(
        &mut self,
        tile: &Tile,
        block: &'b ReferenceBlock,
        with_phase: bool,
    ) -> Result<Vec<SampleSweep<'b>>> {
        let sweep = || {
            let sweep = SampleSweep::new(tile.range.clone(), block, self.options);
            if with_phase {
                sweep.with_phase()
            } else {
                sweep
            }
        };
        let mut sweeps: Vec<SampleSweep<'b>> = (0..self.samples).map(|_| sweep()).collect();
        self.reads.sweep(&tile.contig, &mut sweeps)?;
        Ok(sweeps)
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

/// The options on which the candidates depend.
fn command(plan: &CandidatePlan, mode: &str) -> String {
    let (options, filter) = (&plan.options, &plan.read_filter);
    let mut text = format!(
        "call {mode}--min-reads {} --min-snp-share {} --min-indel-share {} --min-base-quality {} --min-mapq {} --require-flags {} --exclude-flags {}",
        options.min_reads,
        options.min_snp_share,
        options.min_indel_share,
        options.min_base_quality,
        options.min_mapping_quality,
        filter.required,
        filter.excluded
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
fn agree(
    path: &Path,
    table: &ContigTable,
    plan: &CandidatePlan,
    reference: &Reference,
) -> Result<()> {
    contigs::compare(table, reference.contigs()).map_err(|mismatch| {
        let advice = "give the reference that the reads were aligned to";
        another_reference(path, &plan.reference, &mismatch, advice)
    })
}
