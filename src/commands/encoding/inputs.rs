//! Opens the inputs of a run and checks that they belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use super::sample_map::{self, read_map};
use crate::commands::another_reference;
use crate::io::alignment::{self, AlignmentHeader};
use crate::io::fasta::Reference;
use crate::io::{IoError, depth};
use cnnfilter_core::annotate::ScoreCommand;
use cnnfilter_core::encode::{Encoder, SampleInput};
use cnnfilter_core::genome::{ContigTable, FlagSet, ReadFilter, contigs};
use cnnfilter_core::samples::{
    AssignError, Assignment, NamedReads, RoutedFile, Sample, SampleChoice, SampleMap, assign,
};
use cnnfilter_core::vcf::VcfHeader;

/// The files that calls are encoded from.
#[derive(Debug, Clone)]
pub(crate) struct EncodingPlan {
    /// BAM and CRAM files, and `.list` files of their paths; empty for a model without reads.
    pub(crate) reads: Vec<PathBuf>,
    /// A table that says which reads belong to which sample of the calls.
    pub(crate) sample_map: Option<PathBuf>,
    /// Which of the samples.
    pub(crate) samples: SampleChoice,
    /// Which reads.
    pub(crate) read_filter: ReadFilterOptions,
    /// Indexed FASTA.
    pub(crate) reference: PathBuf,
    /// The mean depth of every sample where the user gives it; sampled from the reads else.
    pub(crate) sample_depth: Option<f32>,
}

/// Which reads the user wants to be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReadFilterOptions {
    /// Lowest mapping quality.
    pub(crate) min_mapping_quality: u8,
    /// Flags that a read must have.
    pub(crate) required: FlagSet,
    /// Flags that a read must not have; left out, what the encoder leaves out.
    pub(crate) excluded: Option<FlagSet>,
}

impl ReadFilterOptions {
    /// The filter for an encoder: where the user excludes nothing, what its networks did not see in
    /// training is left out.
    pub(crate) fn resolve(self, encoder: &Encoder) -> ReadFilter {
        ReadFilter {
            min_mapping_quality: self.min_mapping_quality,
            required: self.required,
            excluded: self
                .excluded
                .unwrap_or(encoder.usual_read_filter().excluded),
        }
    }
}

impl EncodingPlan {
    /// The inputs that scores depend on, for the header of the scored calls.
    pub(crate) fn command(&self) -> ScoreCommand {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        ScoreCommand {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: self.reads.iter().map(text).collect(),
            sample_map: self.sample_map.as_ref().map(text),
            min_mapping_quality: self.read_filter.min_mapping_quality,
            required_flags: self.read_filter.required,
            excluded_flags: self.read_filter.excluded,
            sample_depth: self.sample_depth,
            reference: text(&self.reference),
            genotypes: String::new(),
        }
    }
}

/// Inputs that were opened and found to agree.
pub(crate) struct Inputs {
    /// The encoder of the model.
    pub(crate) encoder: Encoder,
    /// The samples that are asked about; at least one, and one only where the encoder cannot tell
    /// them apart.
    pub(crate) samples: Vec<Sample>,
    /// Column and mean depth of each of them; depth 0 where the encoder does not use it.
    pub(crate) sample_inputs: Vec<SampleInput>,
    /// Samples that the calls have.
    pub(crate) columns: usize,
    /// The reads of the samples.
    pub(crate) reads: Vec<RoutedFile>,
    /// Which of them are looked at.
    pub(crate) read_filter: ReadFilter,
    /// The reference.
    pub(crate) reference: Arc<Reference>,
    /// The calls, as the user named them.
    pub(crate) variants: PathBuf,
    /// Contigs of each reads file.
    pub(crate) reads_contigs: Vec<ContigTable>,
    /// Contigs that the header of the calls has.
    calls_contigs: ContigTable,
    /// Bases of the reference before each of its contigs, and of all of them at the end.
    bases_before: Vec<u64>,
}

/// A file of reads that was opened and closed again.
pub(crate) struct OpenedReads {
    /// The file with its read groups.
    pub(crate) named: NamedReads,
    /// The rest of its header, and its index.
    pub(crate) header: AlignmentHeader,
}

/// What [`Inputs`] are joined from.
pub(crate) struct Parts<'a> {
    /// The calls and their header.
    pub(crate) variants: (&'a Path, &'a VcfHeader),
    /// The reference.
    pub(crate) reference: Arc<Reference>,
    /// The encoder of the model.
    pub(crate) encoder: Encoder,
    /// The reads that are looked at.
    pub(crate) read_filter: ReadFilter,
    /// Contigs of each reads file.
    pub(crate) reads_contigs: Vec<ContigTable>,
    /// Samples and routes.
    pub(crate) assigned: Assignment,
    /// Mean depth of each of the samples.
    pub(crate) depths: Vec<f32>,
}

/// Opens everything but the calls, and compares contigs.
///
/// # Errors
/// Where a file is missing or broken, or two are not about the same reference.
pub(crate) fn open(
    plan: &EncodingPlan,
    encoder: Encoder,
    variants: (&Path, &VcfHeader),
) -> Result<Inputs> {
    let reference = Reference::open(&plan.reference)?;
    let calls = variants.1.contigs();
    agree((variants.0, &calls), (&plan.reference, reference.contigs()))?;
    let mut reads_contigs = Vec::new();
    let mut named_reads = Vec::new();
    if encoder.uses_reads() {
        for path in reads_files(&plan.reads)? {
            let OpenedReads { named, header } = open_reads(path, &reference)?;
            if let Some(note) = &header.note {
                log::warn!("{note}");
            }
            let table = header.contigs;
            agree(
                (&named.path, &table),
                (&plan.reference, reference.contigs()),
            )?;
            agree((variants.0, &calls), (&named.path, &table))?;
            reads_contigs.push(table);
            named_reads.push(named);
        }
    }
    let assigned = assign_samples(plan, &encoder, variants.1, &named_reads)?;
    for note in &assigned.notes {
        log::warn!("{note}");
    }
    for file in &assigned.files {
        alignment::check_groups(file, &reference)?;
    }
    let read_filter = plan.read_filter.resolve(&encoder);
    let depth_of = |sample| match (&encoder, plan.sample_depth) {
        (Encoder::Allele { reads: true, .. }, None) => {
            depth::sample_depth(&assigned.files, sample, read_filter, &reference)
        }
        (_, given) => Ok(given.unwrap_or(0.0)),
    };
    let samples = 0..assigned.samples.len();
    let depths = samples
        .into_par_iter()
        .map(depth_of)
        .collect::<Result<_, IoError>>()?;
    Ok(Inputs::join(Parts {
        variants,
        reference,
        encoder,
        read_filter,
        reads_contigs,
        assigned,
        depths,
    }))
}

/// The files of reads, those of lists too.
///
/// # Errors
/// A list that cannot be read or lists nothing; a file that is given more than once.
pub(crate) fn reads_files(reads: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let paths = sample_map::expand_lists(reads)?;
    sample_map::check_distinct(&paths)?;
    Ok(paths)
}

/// Opens one file of reads.
///
/// # Errors
/// As [`alignment::header`].
pub(crate) fn open_reads(
    path: PathBuf,
    reference: &Arc<Reference>,
) -> Result<OpenedReads, IoError> {
    let mut header = alignment::header(&path, reference)?;
    let named = NamedReads {
        real: sample_map::real_path(&path),
        path,
        groups: std::mem::take(&mut header.groups),
    };
    Ok(OpenedReads { named, header })
}

/// Assigns reads to the samples of the calls.
///
/// # Errors
/// A map that cannot be read, or that names what is not there; several samples without any reads.
pub(crate) fn assign_samples(
    plan: &EncodingPlan,
    encoder: &Encoder,
    header: &VcfHeader,
    reads: &[NamedReads],
) -> Result<Assignment> {
    let map = match &plan.sample_map {
        Some(path) if encoder.uses_reads() => read_map(path)?,
        _ => SampleMap::default(),
    };
    let columns: Vec<&str> = header.samples().collect();
    // A network that looks at neither reads nor genotypes says the same of every sample.
    let choice = match (&plan.samples, encoder) {
        (SampleChoice::Every, Encoder::Gatk { reads: false, .. }) => SampleChoice::One(None),
        (choice, _) => choice.clone(),
    };
    assign(&columns, &choice, reads, &map).map_err(|error| match (&error, &plan.sample_map) {
        (AssignError::Map(_), Some(path)) => anyhow!("{}: {error}", path.display()),
        _ => error.into(),
    })
}

/// Compares the contigs of two files.
///
/// # Errors
/// Where they are not about the same reference.
pub(crate) fn agree(left: (&Path, &ContigTable), right: (&Path, &ContigTable)) -> Result<()> {
    let advice = "give the reference that the reads were aligned to and called with";
    contigs::compare(left.1, right.1)
        .map_err(|mismatch| another_reference(left.0, right.0, &mismatch, advice))
}

impl Inputs {
    /// Joins what was opened and found to agree.
    pub(crate) fn join(parts: Parts<'_>) -> Self {
        let mut bases_before = vec![0];
        for contig in parts.reference.contigs().iter() {
            let before = bases_before.last().copied().unwrap_or(0);
            bases_before.push(before + contig.length.unwrap_or(0));
        }
        let (variants, header) = parts.variants;
        let samples = parts.assigned.samples.iter().zip(parts.depths);
        let sample_inputs = samples
            .map(|(sample, mean_depth)| SampleInput {
                column: sample.column,
                mean_depth,
            })
            .collect();
        Self {
            sample_inputs,
            columns: header.samples().count(),
            samples: parts.assigned.samples,
            reads: parts.assigned.files,
            read_filter: parts.read_filter,
            encoder: parts.encoder,
            bases_before,
            reference: parts.reference,
            variants: variants.to_owned(),
            reads_contigs: parts.reads_contigs,
            calls_contigs: header.contigs(),
        }
    }

    /// The contigs that a region may name: those of the calls and of the reference.
    pub(crate) fn known_contigs(&self) -> ContigTable {
        let of_reference = self.reference.contigs().iter();
        ContigTable::new(self.calls_contigs.iter().chain(of_reference).cloned())
    }

    /// Share of the reference's bases that lie before a position, 0 to 1; nothing for a contig that
    /// it does not have.
    pub(crate) fn share_passed(&self, contig: &str, position: u64) -> Option<f64> {
        let rank = self.reference.contigs().rank(contig)?;
        let total = *self.bases_before.last()?;
        (total > 0).then(|| (self.bases_before[rank] + position) as f64 / total as f64)
    }
}
