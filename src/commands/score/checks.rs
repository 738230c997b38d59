//! What can be known before the long loop: inputs that belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use super::ScorePlan;
use crate::genome::{ContigTable, contigs};
use crate::io::alignment;
use crate::io::fasta::Reference;
use crate::io::vcf_reader::VcfReader;
use crate::model::Model;

/// Inputs that were opened and found to agree.
pub struct Inputs {
    /// The reference.
    pub reference: Arc<Reference>,
    /// The calls, as the user named them.
    pub variants: PathBuf,
    /// Contigs of each reads file.
    pub reads_contigs: Vec<(PathBuf, ContigTable)>,
    /// The contigs that a region may name: those of the calls and of the reference.
    pub known_contigs: ContigTable,
    /// Bases of the reference before each of its contigs, and of all of them at the end.
    bases_before: Vec<u64>,
}

/// Opens everything but the calls, and compares contigs.
pub fn open(plan: &ScorePlan, model: &Model, reader: &VcfReader) -> Result<Inputs> {
    if let Some(needs_reads) = plan.needs_reads
        && needs_reads != model.uses_reads()
    {
        let name = |reads| if reads { "read_tensor" } else { "reference" };
        bail!(
            "--tensor-type {} was asked for, but model `{}` takes {}; give the other model folder",
            name(needs_reads),
            model.card().name,
            name(model.uses_reads())
        );
    }
    if model.uses_reads() && plan.reads.is_empty() {
        bail!(
            "model `{}` scores from reads: give them with -I, or take a model without reads",
            model.card().name
        );
    }
    if !model.uses_reads() && !plan.reads.is_empty() {
        log::warn!(
            "model `{}` does not use reads: -I is ignored",
            model.card().name
        );
    }
    check_output(plan)?;
    let reference = Reference::open(&plan.reference)?;
    let calls = reader.header().contigs();
    agree(
        (reader.path(), &calls),
        (&plan.reference, reference.contigs()),
    )?;
    let mut reads_contigs = Vec::new();
    if model.uses_reads() {
        for path in &plan.reads {
            let table = alignment::contigs(path, &plan.reference)?;
            agree((path, &table), (&plan.reference, reference.contigs()))?;
            agree((reader.path(), &calls), (path, &table))?;
            reads_contigs.push((path.clone(), table));
        }
    }
    let missing: Vec<&String> = model
        .card()
        .annotations
        .iter()
        .filter(|name| !reader.header().defines_info(name))
        .collect();
    if !missing.is_empty() {
        log::warn!(
            "{}: the header defines no {}; model `{}` takes a missing annotation as 0, which lowers its accuracy",
            reader.path().display(),
            missing
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            model.card().name
        );
    }
    let known_contigs = ContigTable::new(calls.iter().chain(reference.contigs().iter()).cloned());
    let mut bases_before = vec![0];
    for contig in reference.contigs().iter() {
        let before = bases_before.last().copied().unwrap_or(0);
        bases_before.push(before + contig.length.unwrap_or(0));
    }
    Ok(Inputs {
        bases_before,
        reference,
        variants: plan.variants.clone(),
        reads_contigs,
        known_contigs,
    })
}

/// The output must not take the place of an input; the calls themselves may be replaced.
fn check_output(plan: &ScorePlan) -> Result<()> {
    let Ok(output) = plan.output.path.canonicalize() else {
        return Ok(());
    };
    let regions = plan.regions.iter().map(Path::new);
    let inputs = plan
        .reads
        .iter()
        .chain([&plan.reference])
        .map(PathBuf::as_path)
        .chain(regions);
    for input in inputs {
        if input.canonicalize().is_ok_and(|input| input == output) {
            bail!(
                "{}: it is an input of this run and would be replaced; give another output",
                plan.output.path.display()
            );
        }
    }
    Ok(())
}

fn agree(left: (&Path, &ContigTable), right: (&Path, &ContigTable)) -> Result<()> {
    if let Err(mismatch) = contigs::compare(left.1, right.1) {
        bail!(
            "{} and {} are not about the same reference: {mismatch}; give the reference that the reads were aligned to and called with",
            left.0.display(),
            right.0.display()
        );
    }
    Ok(())
}

impl Inputs {
    /// Share of the reference's bases that lie before a position, 0 to 1; nothing for a contig that
    /// it does not have.
    pub fn share_passed(&self, contig: &str, position: u64) -> Option<f64> {
        let rank = self.reference.contigs().rank(contig)?;
        let total = *self.bases_before.last()?;
        (total > 0).then(|| (self.bases_before[rank] + position) as f64 / total as f64)
    }
}
