//! Candidate alleles of reads alone, a tile at a time: the records of `cnnfilter call --candidates`.

#[allow(
    dead_code,
    reason = "the module is the program's; the page uses a part of it"
)]
#[path = "../../src/commands/call/tiles.rs"]
mod tiles;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::commands::another_reference;
use crate::commands::encoding::inputs::{open_reads, reads_files};
use crate::io::alignment::{AlignmentSource, check_groups};
use crate::io::fasta::{FastaReader, Reference};
use crate::io::regions;
use cnnfilter_core::candidates::{CandidateOptions, MARGIN, SampleSweep, candidates};
use cnnfilter_core::genome::{FlagSet, IntervalSet, ReadFilter, contigs};
use cnnfilter_core::samples::{NamedReads, SampleChoice, SampleMap, assign};
use cnnfilter_core::vcf::quote;
use tiles::{Tile, tiles};

/// Where candidates are looked for, and when an allele is one ([`CandidateOptions`]).
#[derive(Debug, Clone, Deserialize)]
pub struct FindPlan {
    /// Files of reads.
    pub reads: Vec<PathBuf>,
    /// FASTA.
    pub reference: PathBuf,
    /// Regions as typed; empty for everything.
    pub regions: Vec<String>,
    /// Fewest fragments that show an allele.
    pub min_reads: u32,
    /// Their smallest share, for substitutions.
    pub min_snp_share: f32,
    /// The same for insertions and deletions.
    pub min_indel_share: f32,
    /// Lowest mapping quality of a read.
    pub min_mapping_quality: u8,
    /// Lowest quality of a base that counts.
    pub min_base_quality: u8,
}

/// What there is to look at.
#[derive(Debug, Serialize)]
pub struct Findable {
    /// Tiles, for [`Finder::sweep`].
    pub tiles: usize,
    /// Header of the candidates.
    #[serde(skip)]
    pub header: Vec<u8>,
}

/// Open reads and reference.
pub struct Finder {
    options: CandidateOptions,
    wanted: Option<IntervalSet>,
    tiles: Vec<Tile>,
    samples: usize,
    reads: AlignmentSource,
    reference: FastaReader,
}

impl FindPlan {
    fn options(&self) -> CandidateOptions {
        CandidateOptions {
            min_reads: self.min_reads.max(1),
            min_snp_share: self.min_snp_share,
            min_indel_share: self.min_indel_share,
            min_mapping_quality: self.min_mapping_quality,
            min_base_quality: self.min_base_quality,
        }
    }

    fn read_filter(&self) -> ReadFilter {
        ReadFilter {
            min_mapping_quality: self.min_mapping_quality,
            required: FlagSet::default(),
            excluded: FlagSet::UNUSABLE,
        }
    }

    /// The header that the program writes with these options.
    fn header(&self, reference: &Reference, samples: &[String]) -> Vec<u8> {
        let (options, filter) = (self.options(), self.read_filter());
        let mut command = format!(
            "call --candidates --min-reads {} --min-snp-share {} --min-indel-share {} --min-base-quality {} --min-mapq {} --require-flags {} --exclude-flags {}",
            options.min_reads,
            options.min_snp_share,
            options.min_indel_share,
            options.min_base_quality,
            options.min_mapping_quality,
            filter.required,
            filter.excluded
        );
        for path in &self.reads {
            command += &format!(" -I {}", quote(&path.to_string_lossy()));
        }
        command += &format!(" -R {}", quote(&self.reference.to_string_lossy()));
        let mut text = String::from("##fileformat=VCFv4.2\n");
        text += "##FILTER=<ID=PASS,Description=\"All filters passed\">\n";
        text += &format!("##cnnfilterVersion={}\n", env!("CARGO_PKG_VERSION"));
        text += &format!("##cnnfilterCommand={command}\n");
        for contig in reference.contigs().iter() {
            let length = contig.length.unwrap_or(0);
            text += &format!("##contig=<ID={},length={length}>\n", contig.name);
        }
        for line in DEFINITIONS {
            text += &format!("{line}\n");
        }
        text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
        for sample in samples {
            text += &format!("\t{sample}");
        }
        text.push('\n');
        text.into_bytes()
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

impl Finder {
    /// Opens the files and checks that they belong together.
    ///
    /// # Errors
    /// As `cnnfilter call`, in its words.
    pub fn open(plan: &FindPlan) -> Result<(Self, Findable)> {
        let reference = Reference::open(&plan.reference)?;
        let (mut named, mut contigs_of_reads) = (Vec::new(), Vec::new());
        for path in reads_files(&plan.reads)? {
            let opened = open_reads(path, &reference)?;
            if let Some(note) = &opened.header.note {
                log::warn!("{note}");
            }
            let table = opened.header.contigs;
            contigs::compare(&table, reference.contigs()).map_err(|mismatch| {
                let advice = "give the reference that the reads were aligned to";
                another_reference(&opened.named.path, &plan.reference, &mismatch, advice)
            })?;
            contigs_of_reads.push(table);
            named.push(opened.named);
        }
        let samples = samples(&named)?;
        let columns: Vec<&str> = samples.iter().map(String::as_str).collect();
        let (choice, map) = (SampleChoice::Every, SampleMap::default());
        let assigned = assign(&columns, &choice, &named, &map)?;
        for file in &assigned.files {
            check_groups(file, &reference)?;
        }
        let wanted = regions::wanted(&plan.regions, reference.contigs())?;
        let tiles = tiles(reference.contigs(), &contigs_of_reads, wanted.as_ref());
        let findable = Findable {
            tiles: tiles.len(),
            header: plan.header(&reference, &samples),
        };
        let finder = Self {
            options: plan.options(),
            wanted,
            tiles,
            samples: samples.len(),
            reads: AlignmentSource::open(&assigned.files, plan.read_filter(), &reference)?,
            reference: Arc::clone(&reference).reader()?,
        };
        Ok((finder, findable))
    }

    /// The records of a tile, with line feeds.
    ///
    /// # Errors
    /// A tile that there is not, or a damaged file.
    pub fn sweep(&mut self, tile: usize) -> Result<Vec<u8>> {
        let tile = self.tiles.get(tile).context("there is no such tile")?;
        let start = tile.range.start.saturating_sub(MARGIN);
        let end = tile.range.end + MARGIN;
        let block = self.reference.block(&tile.contig, start, end)?;
        let mut sweeps: Vec<SampleSweep<'_>> = (0..self.samples)
            .map(|_| SampleSweep::new(tile.range.clone(), &block, self.options))
            .collect();
        self.reads.sweep(&tile.contig, &mut sweeps)?;
        let mut lines = String::new();
        for site in candidates(sweeps, tile.range.clone(), &block, &self.options) {
            let wanted = self.wanted.as_ref();
            if wanted.is_none_or(|wanted| wanted.contains(&tile.contig, site.start)) {
                lines += &site.vcf_line(&tile.contig);
                lines.push('\n');
            }
        }
        Ok(lines.into_bytes())
    }
}

/// The samples of all files, in the order in which they are named; that of a file without any has the file's name.
///
/// # Errors
/// Several files, one of which names no sample.
fn samples(files: &[NamedReads]) -> Result<Vec<String>> {
    let mut samples: Vec<String> = Vec::new();
    for file in files {
        let groups = file.groups.iter();
        let mut named: Vec<String> = groups.filter_map(|group| group.sample.clone()).collect();
        if named.is_empty() && files.len() > 1 {
            bail!(
                "{}: its header names no sample (@RG, SM), so it cannot be told whose its reads are among {} files; name it (`samtools addreplacerg`)",
                file.path.display(),
                files.len()
            );
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
