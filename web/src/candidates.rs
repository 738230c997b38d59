//! Candidate alleles of reads alone, a tile at a time: the records of `cnnfilter call --candidates`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::commands::candidates::{CandidatePlan, Inputs, Tile, TileReader};
use cnnfilter_core::candidates::{CandidateOptions, candidates};
use cnnfilter_core::genome::{FlagSet, ReadFilter};

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
    inputs: Inputs,
    options: CandidateOptions,
    tiles: Vec<Tile>,
    reader: TileReader,
}

impl FindPlan {
    fn of_program(&self) -> CandidatePlan {
        CandidatePlan {
            reads: self.reads.clone(),
            reference: self.reference.clone(),
            read_filter: ReadFilter {
                min_mapping_quality: self.min_mapping_quality,
                required: FlagSet::default(),
                excluded: FlagSet::UNUSABLE,
            },
            options: CandidateOptions {
                min_reads: self.min_reads.max(1),
                min_snp_share: self.min_snp_share,
                min_indel_share: self.min_indel_share,
                min_mapping_quality: self.min_mapping_quality,
                min_base_quality: self.min_base_quality,
            },
            regions: self.regions.clone(),
        }
    }
}

impl Finder {
    /// Opens the files and checks that they belong together.
    ///
    /// # Errors
    /// As `cnnfilter call`, in its words.
    pub fn open(plan: &FindPlan) -> Result<(Self, Findable)> {
        let plan = plan.of_program();
        let inputs = Inputs::open(&plan)?;
        let header = inputs.header(&plan, "--candidates ", &[])?;
        let finder = Self {
            options: plan.options,
            tiles: inputs.tiles(),
            reader: inputs.reader(&plan)?,
            inputs,
        };
        let findable = Findable {
            tiles: finder.tiles.len(),
            header: header.to_bytes(),
        };
        Ok((finder, findable))
    }

    /// The records of a tile, with line feeds.
    ///
    /// # Errors
    /// A tile that there is not, or a damaged file.
    pub fn sweep(&mut self, tile: usize) -> Result<Vec<u8>> {
        let tile = self.tiles.get(tile).context("there is no such tile")?;
        let block = self.reader.block(tile)?;
        let sweeps = self.reader.sweep(tile, &block, false)?;
        let mut lines = String::new();
        for site in candidates(sweeps, tile.range.clone(), &block, &self.options) {
            if self.inputs.is_wanted(&tile.contig, site.start) {
                lines += &site.vcf_line(&tile.contig);
                lines.push('\n');
            }
        }
        Ok(lines.into_bytes())
    }
}
