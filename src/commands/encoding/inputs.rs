//! What can be known before the long loop: inputs that belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::encode::Encoder;
use crate::genome::{ContigTable, contigs};
use crate::io::fasta::Reference;
use crate::io::{alignment, depth};
use crate::vcf::VcfHeader;

/// The files that calls are encoded from.
#[derive(Debug, Clone)]
pub struct EncodingPlan {
    /// BAM and CRAM files; empty for a model without reads.
    pub reads: Vec<PathBuf>,
    /// Indexed FASTA.
    pub reference: PathBuf,
    /// The sample's mean depth where the user gives it; sampled from the reads else.
    pub sample_depth: Option<f32>,
}

/// Inputs that were opened and found to agree.
pub struct Inputs {
    /// What makes the tensors.
    pub encoder: Encoder,
    /// The sample's mean depth; 0 where the encoder does not ask for it.
    pub sample_depth: f32,
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
///
/// # Errors
/// Where a file is missing or broken, or two are not about the same reference.
pub fn open(
    plan: &EncodingPlan,
    encoder: Encoder,
    variants: (&Path, &VcfHeader),
) -> Result<Inputs> {
    let reference = Reference::open(&plan.reference)?;
    let calls = variants.1.contigs();
    agree((variants.0, &calls), (&plan.reference, reference.contigs()))?;
    let mut reads_contigs = Vec::new();
    if encoder.uses_reads() {
        for path in &plan.reads {
            let table = alignment::contigs(path, &plan.reference)?;
            agree((path, &table), (&plan.reference, reference.contigs()))?;
            agree((variants.0, &calls), (path, &table))?;
            reads_contigs.push((path.clone(), table));
        }
    }
    let known_contigs = ContigTable::new(calls.iter().chain(reference.contigs().iter()).cloned());
    let mut bases_before = vec![0];
    for contig in reference.contigs().iter() {
        let before = bases_before.last().copied().unwrap_or(0);
        bases_before.push(before + contig.length.unwrap_or(0));
    }
    let sample_depth = match (&encoder, plan.sample_depth) {
        (Encoder::Evidence { reads: true, .. }, None) => {
            depth::sample_depth(&plan.reads, &plan.reference)?
        }
        (_, given) => given.unwrap_or(0.0),
    };
    Ok(Inputs {
        encoder,
        sample_depth,
        bases_before,
        reference,
        variants: variants.0.to_owned(),
        reads_contigs,
        known_contigs,
    })
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
