//! The ploidies of a run's samples, from names and tables.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::encoding::inputs::Inputs;
use crate::io::{contig_depth, run_dir};
use cnnfilter_core::genotype::{Genotyper, Placement, PloidyTable, SampleSexes};
use cnnfilter_core::networks::Model;
use cnnfilter_core::vcf::{VcfHeader, quote};

/// What the user says of ploidies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PloidyPlan {
    /// The table; nothing where the calls say it.
    pub(crate) table: Option<TableChoice>,
    /// Sexes; a later one wins.
    pub(crate) sexes: Vec<SexChoice>,
}

/// Genotypes that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GenotypePlan {
    /// Where they are written.
    pub(crate) placement: Placement,
    /// Of what ploidy.
    pub(crate) ploidy: PloidyPlan,
}

impl GenotypePlan {
    /// Checks that a model gives genotypes.
    ///
    /// # Errors
    /// A model without a genotype head.
    pub(crate) fn check(model: &Model) -> Result<()> {
        if !model.tells_copies() {
            bail!(
                "model `{}` has no genotype head; take one that has (cnnfilter_reads), or train one (architecture.genotype_width)",
                model.card().name
            );
        }
        Ok(())
    }

    /// What writes them into the calls of a header.
    ///
    /// # Errors
    /// As [`PloidyPlan::open`].
    pub(crate) fn open(&self, header: &VcfHeader, inputs: &Inputs) -> Result<Genotyper> {
        let samples: Vec<String> = header.samples().map(String::from).collect();
        let ploidies = self.ploidy.open(&samples, inputs)?;
        Ok(Genotyper::new(self.placement, ploidies))
    }

    /// The options as words, for a header.
    pub(crate) fn words(&self) -> String {
        let mut words: Vec<String> = match self.placement {
            Placement::Beside => vec!["--genotype".to_owned()],
            Placement::Replace => vec!["--regenotype".to_owned()],
            Placement::Call => Vec::new(),
        };
        match &self.ploidy.table {
            None => {}
            Some(TableChoice::Assembly(name)) => words.push(format!("--ploidy {name}")),
            Some(TableChoice::File(path)) => {
                words.push(format!("--ploidy {}", quote(&path.to_string_lossy())));
            }
        }
        for sex in &self.ploidy.sexes {
            let text = match sex {
                SexChoice::Depth => DEPTH.to_owned(),
                SexChoice::All(sex) => sex.clone(),
                SexChoice::Sample(sample, sex) => format!("{sample}={sex}"),
                SexChoice::File(path) => path.to_string_lossy().into_owned(),
            };
            words.push(format!("--sex {}", quote(&text)));
        }
        words.join(" ")
    }
}

/// The word for sexes that depth tells.
const DEPTH: &str = "depth";

/// A table of ploidies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableChoice {
    /// Of a human assembly.
    Assembly(String),
    /// A file.
    File(PathBuf),
}

/// Sexes of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SexChoice {
    /// Of all that are not named, by the depth of their reads.
    Depth,
    /// Of all that are not named.
    All(String),
    /// Of one sample.
    Sample(String, String),
    /// A table of two columns.
    File(PathBuf),
}

impl TableChoice {
    /// A name of an assembly, else a path.
    pub(crate) fn parse(text: &str) -> Self {
        match PloidyTable::of_assembly(text) {
            Some(_) => Self::Assembly(text.to_owned()),
            None => Self::File(text.into()),
        }
    }
}

impl SexChoice {
    /// `depth`, `SAMPLE=SEX`, a file that is there, else a sex.
    pub(crate) fn parse(text: &str) -> Self {
        if text == DEPTH {
            return Self::Depth;
        }
        if let Some((sample, sex)) = text.rsplit_once('=') {
            return Self::Sample(sample.to_owned(), sex.to_owned());
        }
        let path = Path::new(text);
        match path.is_file() {
            true => Self::File(path.to_owned()),
            false => Self::All(text.to_owned()),
        }
    }
}

impl PloidyPlan {
    /// The table and the sex of each sample; nothing without a table.
    ///
    /// # Errors
    /// A file that cannot be read, or a sample whose sex is not known where it matters.
    fn open(
        &self,
        samples: &[String],
        inputs: &Inputs,
    ) -> Result<Option<(PloidyTable, Vec<String>)>> {
        let table = match &self.table {
            None => return Ok(None),
            Some(TableChoice::Assembly(name)) => {
                PloidyTable::of_assembly(name).context("--ploidy")?
            }
            Some(TableChoice::File(path)) => PloidyTable::parse(&run_dir::read_text(path)?)
                .with_context(|| path.display().to_string())?,
        };
        let mut sexes = SampleSexes::default();
        for choice in &self.sexes {
            match choice {
                SexChoice::Depth => {}
                SexChoice::All(sex) => sexes.others = Some(sex.clone()),
                SexChoice::Sample(sample, sex) => add(&mut sexes, samples, sample, sex)?,
                SexChoice::File(path) => {
                    let text = run_dir::read_text(path)?;
                    for (number, line) in (1..).zip(text.lines()) {
                        let fields: Vec<&str> = line.split_whitespace().collect();
                        match fields[..] {
                            [] => {}
                            // A table may list samples of other files, too.
                            [sample, sex] => {
                                sexes.named.insert(sample.to_owned(), sex.to_owned());
                            }
                            _ => bail!(
                                "{}: line {number}: expected a sample and its sex, found {line:?}",
                                path.display()
                            ),
                        }
                    }
                }
            }
        }
        if self.sexes.contains(&SexChoice::Depth) {
            add_by_depth(&mut sexes, samples, &table, inputs)?;
        }
        let sexes = table.sexes_of(samples, &sexes).context("--ploidy")?;
        Ok(Some((table, sexes)))
    }
}

/// Adds the sex of each sample that has none yet, by the depth of its reads.
fn add_by_depth(
    sexes: &mut SampleSexes,
    samples: &[String],
    table: &PloidyTable,
    inputs: &Inputs,
) -> Result<()> {
    let (contigs, files) = (table.telling_contigs(), &inputs.reads);
    for (at, (sample, input)) in inputs.samples.iter().zip(&inputs.sample_inputs).enumerate() {
        let name = samples
            .get(sample.column)
            .filter(|name| sexes.of(name).is_none());
        let Some(name) = name else {
            continue;
        };
        let (filter, reference) = (inputs.read_filter, &inputs.reference);
        let places = contig_depth::depths_on(&contigs, files, at, filter, reference)?;
        let found = table.sex_by_depth(name, &places, input.mean_depth);
        let found = found.context("--sex depth")?;
        log::info!(
            "sample `{name}`: sex {}, by {:.2} of the usual depth on {}",
            found.sex,
            found.ratio,
            contigs.join(", ")
        );
        sexes.named.insert(name.clone(), found.sex);
    }
    Ok(())
}

/// Adds the sex of a sample that must be there.
fn add(sexes: &mut SampleSexes, samples: &[String], sample: &str, sex: &str) -> Result<()> {
    if !samples.iter().any(|known| known == sample) {
        bail!(
            "--sex {sample}={sex}: there is no such sample; there are {}",
            samples.join(", ")
        );
    }
    sexes.named.insert(sample.to_owned(), sex.to_owned());
    Ok(())
}
