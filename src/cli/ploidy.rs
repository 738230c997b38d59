//! Options about ploidies and sexes.

use clap::Args;

use super::files::Files;
use super::usage::Wrong;
use crate::commands::ploidies::{PloidyPlan, SexChoice, TableChoice};

// How many copies of a chromosome a sample has. (See `run` for why this is no page.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Genotypes")]
pub(crate) struct PloidyArgs {
    /// Ploidies: GRCh37, GRCh38 (X, Y and the mitochondrion of a human), or a table as `bcftools call
    /// --ploidy-file` reads it (contig, first and last base, sex, ploidy). Left out, as the calls have it,
    /// else 2.
    #[arg(long, value_name = "NAME|FILE")]
    ploidy: Option<String>,

    /// Sexes, by the names in the table of ploidies: M or F for all samples, SAMPLE=M for one, a table of two
    /// columns (sample, sex), or `depth`: of each sample that no other --sex names, by how deep its reads lie on
    /// the contigs of which sexes have other numbers (a human's X); several times.
    #[arg(long, value_name = "SEX|SAMPLE=SEX|FILE|depth", requires = "ploidy")]
    sex: Vec<String>,
}

impl PloidyArgs {
    /// The plan; tables join `files`.
    ///
    /// # Errors
    /// Two sexes for all samples.
    pub(super) fn resolve(self, files: &mut Files) -> Result<PloidyPlan, Wrong> {
        let table = self.ploidy.map(|name| TableChoice::parse(&name));
        if let Some(TableChoice::File(path)) = &table {
            files.input("--ploidy", path);
        }
        let sexes: Vec<SexChoice> = self.sex.iter().map(|text| SexChoice::parse(text)).collect();
        for sex in &sexes {
            if let SexChoice::File(path) = sex {
                files.input("--sex", path);
            }
        }
        let is_of_all = |sex: &&SexChoice| matches!(sex, SexChoice::All(_) | SexChoice::Depth);
        let of_all = sexes.iter().filter(is_of_all);
        if of_all.count() > 1 {
            return Err(Wrong::conflict(
                "--sex: two sexes are given for all samples; name the samples (SAMPLE=F)",
            ));
        }
        Ok(PloidyPlan { table, sexes })
    }
}
