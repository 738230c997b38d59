//! `cnnfilter view`: calls are chosen, scored and explained, and become a page or pictures.
//!
//! The file is read twice: once to choose, once to encode what was chosen, a chunk at a time. Memory
//! is bounded by the chunk and by the page, which holds deflated bytes.

mod calls;
mod choice;
mod pictures;
mod reads;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::encoding::{Call, EncodingPlan, Inputs, Workers, encode_calls, inputs, read_notes};
use super::labels::read_table;
use crate::io::vcf_reader::{Counts, VcfReader};
use crate::io::{atomic, model_dir, regions};
use crate::terminal::progress::Progress;
use crate::terminal::summary::ViewSummary;
use crate::terminal::threads;
pub(crate) use choice::ViewChoice;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::encode::annotations::BEST_PRACTICES;
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::label::{GivenLabel, LabelTable};
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::Aim;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_nn::DeviceChoice;
use cnnfilter_view::{Call as ShownCall, Layout, Page};
pub(crate) use pictures::{PictureFormat, PicturePlan};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ViewPlan {
    /// The calls, a file.
    pub(crate) variants: PathBuf,
    /// Reads and reference.
    pub(crate) encoding: EncodingPlan,
    /// The page, or the folder of pictures.
    pub(crate) output: PathBuf,
    /// Pictures instead of a page.
    pub(crate) pictures: Option<PicturePlan>,
    /// Pictures of GATK's tensor.
    pub(crate) gatk_tensor: bool,
    /// A model folder or the name of a built-in model; the default without.
    pub(crate) model: Option<PathBuf>,
    /// Regions as typed; empty for everything.
    pub(crate) regions: Vec<String>,
    /// Which calls.
    pub(crate) choice: ViewChoice,
    /// Labels to show: a table.
    pub(crate) labels: Option<PathBuf>,
    /// Contributions of single reads and columns, too.
    pub(crate) in_detail: bool,
    /// The aim whose thresholds are shown.
    pub(crate) aim: Aim,
    /// Threads that work.
    pub(crate) threads: usize,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Calls encoded together.
const CHUNK: usize = 256;

/// What a run has open.
pub(crate) struct Opened {
    model: Model,
    inputs: Inputs,
    labels: Option<LabelTable>,
    wanted: Option<IntervalSet>,
}

impl Opened {
    /// Shows these labels, whatever the plan names.
    pub(crate) fn show_labels(&mut self, labels: LabelTable) {
        self.labels = Some(labels);
    }

    /// The label of a record, where there are labels.
    fn label(&self, record: &VcfRecord) -> Option<GivenLabel> {
        let labels = self.labels.as_ref()?;
        let contig = String::from_utf8_lossy(record.contig());
        let start = record.position().saturating_sub(1);
        let (reference, alternates) = record.alleles();
        Some(labels.label(&contig, start, reference, alternates))
    }
}

/// A page that is not written yet.
pub(crate) struct MadePage {
    /// Its HTML.
    pub(crate) text: String,
    /// Calls on it: one an ALT.
    pub(crate) calls: u64,
    /// The fragments at which it opens, one a record ([`cnnfilter_view::fragment`]).
    pub(crate) fragments: BTreeSet<String>,
}

/// Writes the page or the pictures and returns a summary.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written.
pub(crate) fn run(plan: &ViewPlan) -> Result<ViewSummary> {
    if let Some(pictures) = plan.pictures {
        return pictures::write(plan, pictures, Chosen::new(plan, open(plan)?)?);
    }
    atomic::check_target(&plan.output)?;
    let page = make_page(plan, open(plan)?)?;
    atomic::write(&plan.output, page.text.as_bytes())?;
    Ok(ViewSummary {
        output: plan.output.clone(),
        calls: page.calls,
        page_bytes: Some(page.text.len()),
    })
}

/// Makes the page and writes nothing.
///
/// # Errors
/// Anything that is wrong with the inputs.
pub(crate) fn make_page(plan: &ViewPlan, opened: Opened) -> Result<MadePage> {
    let chosen = Chosen::new(plan, opened)?;
    let layout = Layout::of_model(&chosen.opened.model);
    let name = chosen.opened.model.card().name.clone();
    let title = format!("cnnfilter view: {}", file_name(&plan.variants));
    let mut page = Page::new(title, name, layout);
    chosen.notes.iter().for_each(|note| page.note(note.clone()));
    add_provenance(plan, &chosen.opened, &mut page);
    let notes = chosen.each_call(plan, |call| Ok(page.add(call)?))?;
    notes.into_iter().for_each(|note| page.note(note));
    Ok(MadePage {
        calls: page.len() as u64,
        fragments: page.fragments(),
        text: page.finish()?,
    })
}

/// Calls in memory.
pub(crate) struct ShownCalls {
    /// The layout of their tensors.
    pub(crate) layout: Layout,
    /// One an ALT, in the order of the file.
    pub(crate) calls: Vec<ShownCall>,
    /// What the choice left out, and what cannot be shown.
    pub(crate) notes: Vec<String>,
}

/// The chosen calls, scored and explained.
///
/// # Errors
/// Anything that is wrong with the inputs.
pub(crate) fn shown_calls(plan: &ViewPlan) -> Result<ShownCalls> {
    let chosen = Chosen::new(plan, open(plan)?)?;
    let mut calls = Vec::new();
    let mut notes = chosen.notes.clone();
    notes.extend(chosen.each_call(plan, |call| {
        calls.push(call);
        Ok(())
    })?);
    Ok(ShownCalls {
        layout: Layout::of_model(&chosen.opened.model),
        calls,
        notes,
    })
}

/// A run whose calls are chosen.
struct Chosen {
    pool: rayon::ThreadPool,
    opened: Opened,
    /// Numbers of the records.
    records: BTreeSet<u64>,
    /// What the choice left out.
    notes: Vec<String>,
}

impl Chosen {
    fn new(plan: &ViewPlan, opened: Opened) -> Result<Self> {
        let pool = threads::pool(plan.threads)?;
        let reader = VcfReader::open(&plan.variants)?;
        let (records, notes) = choice::choose(plan, &opened, restricted(reader, &opened)?)?;
        Ok(Self {
            pool,
            opened,
            records,
            notes,
        })
    }

    /// Hands over each call, scored and explained, in the order of the file. Returns notes about them.
    fn each_call(
        &self,
        plan: &ViewPlan,
        mut take: impl FnMut(ShownCall) -> Result<()>,
    ) -> Result<Vec<String>> {
        let Self {
            pool,
            opened,
            records,
            ..
        } = self;
        let workers = Workers::default();
        let mut maker = calls::CallMaker::new(plan, opened, &workers)?;
        let mut progress = Progress::new(plan.quiet);
        let mut reader = restricted(VcfReader::open(&plan.variants)?, opened)?;
        let mut left = records.len();
        while left > 0 {
            let chunk = next_chunk(&mut reader, records)?;
            let Some(last) = chunk.last() else {
                break;
            };
            let (size, last) = (chunk.len(), place(&last.record));
            left -= size.min(left);
            let encoded = encode_calls(chunk, &opened.inputs, pool, &workers)?;
            for call in pool.install(|| maker.make(encoded))? {
                take(call)?;
            }
            progress.advance(size as u64, &last, None);
        }
        progress.finish();
        for note in read_notes(&workers.read_counts(), &opened.inputs) {
            log::warn!("{note}");
        }
        Ok(maker.notes())
    }
}

/// Opens the model, the reference, the reads and the labels.
///
/// # Errors
/// Anything that is wrong with them, or that they do not fit together.
pub(crate) fn open(plan: &ViewPlan) -> Result<Opened> {
    let calls = VcfReader::open(&plan.variants)?;
    let reads = !plan.encoding.reads.is_empty();
    let model = model_dir::load_choice(plan.model.as_deref(), reads, DeviceChoice::Cpu)?;
    if model.uses_reads() && !reads {
        bail!("{} looks at reads: give them with -I", model.card().name);
    }
    let encoder = if plan.gatk_tensor {
        Encoder::Gatk {
            reads,
            annotations: BEST_PRACTICES.map(String::from).to_vec(),
        }
    } else {
        model.encoder().clone()
    };
    let calls = (plan.variants.as_path(), calls.header());
    let inputs =
        threads::pool(plan.threads)?.install(|| inputs::open(&plan.encoding, encoder, calls))?;
    let wanted = regions::wanted(&plan.regions, &inputs.known_contigs())?;
    Ok(Opened {
        labels: plan.labels.as_deref().map(read_table).transpose()?,
        model,
        inputs,
        wanted,
    })
}

/// The reader, with the index's help where regions are asked for.
fn restricted(mut reader: VcfReader, opened: &Opened) -> Result<VcfReader> {
    if let Some(wanted) = &opened.wanted {
        reader.restrict(wanted, Counts::Welcome)?;
    }
    Ok(reader)
}

/// The next records that were chosen.
fn next_chunk(reader: &mut VcfReader, chosen: &BTreeSet<u64>) -> Result<Vec<Call>> {
    let mut chunk = Vec::new();
    while chunk.len() < CHUNK {
        let Some((number, record)) = reader.next_record()? else {
            break;
        };
        if chosen.contains(&number) {
            chunk.push(Call { number, record });
        }
    }
    Ok(chunk)
}

fn place(record: &VcfRecord) -> String {
    let contig = String::from_utf8_lossy(record.contig());
    format!("{contig}:{}", record.position())
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn add_provenance(plan: &ViewPlan, opened: &Opened, page: &mut Page) {
    let card = opened.model.card();
    page.provenance("calls", file_name(&plan.variants));
    for reads in &plan.encoding.reads {
        page.provenance("reads", file_name(reads));
    }
    page.provenance("reference", file_name(&plan.encoding.reference));
    if let Some(name) = &opened.inputs.samples[0].name {
        page.provenance("sample", name.clone());
    }
    let depth = opened.inputs.sample_inputs[0].mean_depth;
    if depth > 0.0 {
        page.provenance("mean depth of the sample", format!("{depth:.1}"));
    }
    page.provenance("model", format!("{} ({})", card.name, card.architecture));
    page.provenance("SHA-256 of its weights", card.weights_sha256.clone());
    page.provenance("encoder", opened.model.encoder().name().to_owned());
    page.provenance("cnnfilter", env!("CARGO_PKG_VERSION").to_owned());
}
