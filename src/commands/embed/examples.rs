//! `cnnfilter embed -e`: examples of files in place of calls and reads.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::columns::Describer;
use super::{begun, selection};
use crate::commands::encoding::Call;
use crate::commands::example_sets::ExampleSets;
use crate::io::embedding_file::{EmbeddingWriter, Value};
use crate::io::example_file::ExampleFile;
use crate::io::model_dir;
use crate::terminal::progress::Progress;
use crate::terminal::summary::EmbedSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::EncodedAllele;
use cnnfilter_core::encode::store::LabelledExample;
use cnnfilter_core::genome::{Contig, ContigTable, VariantKind};
use cnnfilter_core::label::AltState;
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::pooled::Selection;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_nn::DeviceChoice;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct EmbedExamplesPlan {
    /// Files of examples.
    pub(crate) examples: Vec<PathBuf>,
    /// A model folder or the name of a built-in model; the default for such examples without.
    pub(crate) model: Option<PathBuf>,
    /// Layers by name; empty for all.
    pub(crate) layers: Vec<String>,
    /// INFO keys among the annotations that become columns.
    pub(crate) info: Vec<String>,
    /// Files of regions that become columns, with the names of these.
    pub(crate) tracks: Vec<(String, PathBuf)>,
    /// Files of calls that become columns likewise.
    pub(crate) sites: Vec<(String, PathBuf)>,
    /// The file of embeddings.
    pub(crate) output: PathBuf,
    /// Threads that work.
    pub(crate) threads: usize,
    /// Examples per chunk.
    pub(crate) batch_size: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Writes the embeddings and returns a summary.
///
/// # Errors
/// Examples that cannot be read or that the model does not read, or an output that cannot be written.
pub(crate) fn run(plan: &EmbedExamplesPlan) -> Result<EmbedSummary> {
    let pool = threads::pool(plan.threads)?;
    let Some(first) = plan.examples.first() else {
        bail!("-e: give a file of examples");
    };
    let reads = !ExampleFile::open(first)?.header().read_features.is_empty();
    let model = model_dir::load_choice(plan.model.as_deref(), reads, DeviceChoice::Cpu)?;
    let wanted = selection(&plan.layers, &model)?;
    let sets = ExampleSets::open(&plan.examples, &model)?;
    let names: Vec<String> = sets.headers().map(|header| header.set.clone()).collect();
    let describer = Describer::of_examples(plan, &model, names, &contigs(&sets)?)?;
    let mut writer = EmbeddingWriter::create(&plan.output, begun(&model, &wanted, &describer))?;
    let mut progress = Progress::new(plan.quiet);
    let all: Vec<usize> = (0..sets.len()).collect();
    for chunk in all.chunks(plan.batch_size) {
        let rows: Vec<(Vec<f32>, Vec<Value>)> = pool.install(|| {
            let rows = chunk.par_iter();
            rows.map(|index| row(*index, &sets, &model, &wanted, &describer))
                .collect::<Result<_>>()
        })?;
        for (numbers, values) in rows {
            writer.push(&numbers, &values)?;
        }
        let share = (chunk[0] + chunk.len()) as f64 / all.len() as f64;
        progress.advance(chunk.len() as u64, "examples", Some(share));
    }
    progress.finish();
    let mut summary = EmbedSummary::new(&plan.output, &wanted);
    summary.calls = writer.calls();
    if summary.calls == 0 {
        log::warn!("no example is embedded; the file has no rows");
    }
    writer.finish(|meta| {
        let inputs = plan.examples.iter().map(|path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            ("examples".to_owned(), name.to_string_lossy().into_owned())
        });
        meta.inputs.extend(inputs);
    })?;
    Ok(summary)
}

/// The contigs that the examples lie on.
fn contigs(sets: &ExampleSets) -> Result<ContigTable> {
    let names = (0..sets.len()).map(|index| sets.contig(index));
    let names: BTreeSet<String> = names.collect::<Result<_>>()?;
    Ok(ContigTable::new(
        names.into_iter().map(|name| Contig { name, length: None }),
    ))
}

/// The numbers and values of an example.
fn row(
    index: usize,
    sets: &ExampleSets,
    model: &Model,
    wanted: &Selection,
    describer: &Describer,
) -> Result<(Vec<f32>, Vec<Value>)> {
    let found = sets.get(index)?;
    let (set, _) = sets.place(index);
    let call = Call {
        number: index as u64 + 1,
        record: record(&found)?,
    };
    let variant = call.record.variant();
    let variant = variant.with_context(|| format!("example {}: no alleles", index + 1))?;
    let state = if found.is_real {
        AltState::AlleleOnly
    } else {
        AltState::False
    };
    let allele = EncodedAllele {
        sample: set,
        alternate: Some(0),
        kind: if found.is_indel {
            VariantKind::Indel
        } else {
            VariantKind::Snp
        },
        example: found.example,
        reads: None,
    };
    let pooled = model.pooled_of(&allele.example, wanted)?;
    let values = describer.values(&call, &variant, &allele, pooled.logits, Some(&[state]));
    Ok((pooled.numbers, values))
}

/// A record of nothing but the alleles of an example.
fn record(example: &LabelledExample) -> Result<VcfRecord> {
    let mut line = format!("{}\t{}\t.\t", example.contig, example.start + 1).into_bytes();
    line.extend(&example.reference);
    line.push(b'\t');
    line.extend(&example.alternate);
    line.extend(b"\t.\t.\t.");
    Ok(VcfRecord::parse(line, 8)?)
}
