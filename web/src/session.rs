//! Files that are open, and what is asked of them: records in order, their scores, one call as the viewer shows it.
//!
//! Each worker of the page has a session of its own over the same files. One of them reads the records and measures the
//! depth, all of them score.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::commands::encoding::inputs;
use crate::commands::encoding::shard::{ShardReader, cut};
use crate::commands::encoding::{Call as Numbered, EncodingPlan, Inputs, ReadFilterOptions};
use crate::commands::reads::{ReadsOfCall, look_up};
use crate::io::alignment::AlignmentSource;
use crate::io::file::File;
use crate::io::regions;
use crate::io::vcf_reader::{Counts, Order, VcfReader};
use crate::sandbox::{Edits, Gatherer, Sandbox};
use cnnfilter_core::annotate::{Annotator, ScoreCounts};
use cnnfilter_core::encode::{EncodedAllele, Encoder, KnownContigs, Outcome, ShardEncoder};
use cnnfilter_core::filter::{Decision, ThresholdFilter};
use cnnfilter_core::genome::{IntervalSet, ReadSink, Span, Variant, VariantKind};
use cnnfilter_core::networks::gradients::Integrator;
use cnnfilter_core::networks::{Builtin, Model};
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_core::score::log_odds::{format_probability, format_score, log_odds};
use cnnfilter_core::score::{Aim, CardThresholds};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_core::why::{Explainer, Why};
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::kernel::Isa;
use cnnfilter_view::page::Entry;
use cnnfilter_view::{Call, Layout, ScoredWith, site};

/// The aim of thresholds that `cnnfilter score --filter` has where none is given.
const AIM: Aim = Aim::F1;

/// How far scores may be from the program's: several times what rounding products makes.
const NEAR: f64 = 1.5e-5;

/// The inputs of a session, by the names of files.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    /// The calls.
    pub calls: PathBuf,
    /// Files of reads; empty for the model without.
    pub reads: Vec<PathBuf>,
    /// FASTA.
    pub reference: PathBuf,
    /// Card and weights of a model that was chosen; nothing for the built-in one.
    pub model: Option<[PathBuf; 2]>,
    /// Regions as typed; empty for everything.
    pub regions: Vec<String>,
    /// FILTER is filled by the model's thresholds.
    pub filter: bool,
    /// Mean depth of each sample, where another session has measured it.
    pub depths: Option<Vec<f32>>,
}

/// What a session has opened.
#[derive(Debug, Serialize)]
pub struct Opened {
    /// Name of the model.
    pub model: String,
    /// The layout of its tensors, for the viewer.
    pub layout: Layout,
    /// Names of the samples that are scored.
    pub samples: Vec<Option<String>>,
    /// Mean depth of each.
    pub depths: Vec<f32>,
    /// The model's thresholds, where it has some.
    pub thresholds: Option<CardThresholds>,
    /// True where the model has weights of 8 bits alone.
    pub is_quantized: bool,
    /// The channels that the sandbox can switch off.
    pub channels: Vec<String>,
    /// Header of the scored calls.
    #[serde(skip)]
    pub header: Vec<u8>,
}

/// Records as lines, with the number of each in the file, from 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Lines {
    /// Each record, without a line feed.
    pub text: Vec<String>,
    /// Numbers.
    pub numbers: Vec<u64>,
    /// Records of the file that were read so far, those outside of the regions too.
    pub read: u64,
}

/// Scored records.
#[derive(Debug, Serialize)]
pub struct Scored {
    /// The calls of them for the list, an ALT each.
    pub calls: Vec<Listed>,
    /// Records without a score, by reason.
    pub skipped: Vec<(String, u64)>,
    /// Records with a score.
    pub scored: u64,
    /// Calls that pass, and that fail, by the model's thresholds.
    pub judged: [u64; 2],
    /// Numbers of the records of which a digit may differ from the program's, for [`Session::score`] to compute again.
    pub unsettled: Vec<u64>,
}

/// A call in the list.
#[derive(Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    entry: Entry,
    /// Number of its record in the file.
    record: u64,
    /// Index of the example among those of the record.
    example: usize,
}

/// One call for the viewer.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// With its reasons.
    pub entry: Entry,
}

/// The output of a layer.
#[derive(Debug, Serialize)]
pub struct ShownLayer {
    name: String,
    axes: &'static [&'static str],
    shape: Vec<usize>,
}

/// Open files and a model.
pub struct Session {
    plan: Plan,
    /// The model that scores: [`Self::whole`] or [`Self::small`].
    model: Arc<Model>,
    /// The model as it is.
    whole: Arc<Model>,
    /// The same with weights of 8 bits, once somebody has asked for it.
    small: Option<Arc<Model>>,
    inputs: Inputs,
    calls: VcfReader,
    wanted: Option<IntervalSet>,
    filter: Option<ThresholdFilter>,
    reader: ShardReader,
    names: AlignmentSource,
    /// The model without the channels that were switched off last.
    blind: Option<(Vec<String>, Arc<Model>)>,
    /// The call that was edited last: number of its record, its example.
    held: Option<((u64, usize), Box<Held>)>,
}

/// A call that is edited, and the names of its reads.
struct Held {
    sandbox: Sandbox,
    names: HashMap<u64, String>,
}

impl Session {
    /// Opens the files and checks that they belong together.
    ///
    /// # Errors
    /// As `cnnfilter score`, in its words.
    pub fn open(plan: Plan) -> Result<(Self, Opened)> {
        let model = Arc::new(model(&plan)?);
        let mut calls = VcfReader::open(&plan.calls)?.with_order(Order::Sorted);
        let encoding = encoding_plan(&plan);
        let mut inputs = inputs::open(
            &EncodingPlan {
                // Another session has measured it: nothing is measured here.
                sample_depth: plan.depths.as_ref().map(|_| 0.0),
                ..encoding.clone()
            },
            model.encoder().clone(),
            (calls.path(), calls.header()),
        )?;
        if let Some(depths) = &plan.depths {
            for (sample, depth) in inputs.sample_inputs.iter_mut().zip(depths) {
                sample.mean_depth = *depth;
            }
        }
        let wanted = regions::wanted(&plan.regions, &inputs.known_contigs())?;
        if let Some(wanted) = &wanted {
            calls.restrict(wanted, Counts::Welcome)?;
        }
        let mut header = calls.header().clone();
        annotator(&model, &inputs).extend_header(&mut header, &encoding.command())?;
        let has_thresholds = model.card().thresholds.is_some();
        if plan.filter && !has_thresholds {
            log::warn!(
                "model `{}` has no thresholds: FILTER stays as it is",
                model.card().name
            );
        }
        let filter = plan.filter && has_thresholds;
        let filter = filter.then(|| thresholds(&model)).transpose()?;
        if let Some(filter) = &filter {
            filter.extend_header(&mut header);
        }
        let samples = inputs.samples.iter().map(|sample| sample.name.clone());
        let depths = inputs.sample_inputs.iter().map(|sample| sample.mean_depth);
        let opened = Opened {
            model: model.card().name.clone(),
            layout: Layout::of_model(&model),
            samples: samples.collect(),
            depths: depths.collect(),
            thresholds: model.card().thresholds.clone(),
            is_quantized: model.card().quantization.is_some(),
            channels: model.channels(),
            header: match plan.depths {
                None => header.to_bytes(),
                Some(_) => Vec::new(),
            },
        };
        let session = Self {
            reader: ShardReader::open(&inputs)?,
            names: AlignmentSource::open(&inputs.reads, inputs.read_filter, &inputs.reference)?,
            plan,
            whole: Arc::clone(&model),
            small: None,
            model,
            inputs,
            calls,
            wanted,
            filter,
            blind: None,
            held: None,
        };
        Ok((session, opened))
    }

    /// Chooses whether the network computes with its own weights or with those of 8 bits, as `cnnfilter quantize` makes
    /// them.
    ///
    /// # Errors
    /// A model that has weights of 8 bits alone.
    pub fn weigh(&mut self, small: bool) -> Result<()> {
        let chosen = match (small, &self.small) {
            (false, _) => &self.whole,
            (true, Some(made)) => made,
            (true, None) => {
                let name = format!("{}_8bit", self.whole.card().name);
                self.small.insert(Arc::new(self.whole.quantize(name)?))
            }
        };
        self.model = Arc::clone(chosen);
        self.blind = None;
        Ok(())
    }

    /// The model without channels.
    ///
    /// # Errors
    /// A channel that it does not have.
    fn without(&mut self, channels: &[String]) -> Result<Arc<Model>> {
        if channels.is_empty() {
            return Ok(Arc::clone(&self.model));
        }
        if let Some((off, model)) = &self.blind
            && off == channels
        {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(self.model.without_channels(channels)?);
        self.blind = Some((channels.to_vec(), Arc::clone(&model)));
        Ok(model)
    }

    /// Reads the next records that are wanted, `most` at most; none at the end of the file.
    ///
    /// # Errors
    /// Where the file is cut off, or a record is damaged or out of order.
    pub fn read(&mut self, most: usize) -> Result<Lines> {
        let mut lines = Lines::default();
        let mut line = Vec::new();
        // A stretch without wanted records is passed in pieces, so that the page hears of it.
        for _ in 0..most.saturating_mul(64) {
            let Some((number, record)) = self.calls.next_record()? else {
                break;
            };
            lines.read = number;
            if !regions::hold(self.wanted.as_ref(), &record) {
                continue;
            }
            line.clear();
            record.write_to(&mut line);
            line.pop_if(|last| *last == b'\n');
            lines.text.push(
                String::from_utf8(std::mem::take(&mut line)).with_context(|| {
                    format!("{}: record {number} is no UTF-8", self.plan.calls.display())
                })?,
            );
            lines.numbers.push(number);
            if lines.text.len() == most {
                break;
            }
        }
        Ok(lines)
    }

    /// Scores records. Returns their lines, with line feeds, and what there is to tell.
    ///
    /// Where `exact`, digits that depend on it are computed as processors with a fused multiply-add do it: the lines are
    /// the program's, byte for byte.
    ///
    /// # Errors
    /// A record that cannot belong to the reference, or a damaged file.
    pub fn score(&mut self, lines: &Lines, exact: bool) -> Result<(Vec<u8>, Scored)> {
        let mut out = Vec::new();
        let mut scored = Scored {
            calls: Vec::new(),
            skipped: Vec::new(),
            scored: 0,
            judged: [0; 2],
            unsettled: Vec::new(),
        };
        let mut counts = ScoreCounts::default();
        let model = Arc::clone(&self.model);
        let annotator = annotator(&model, &self.inputs);
        for shard in cut(self.parsed(lines)?, 1, self.inputs.samples.len()) {
            let outcomes = self.reader.encode(&shard, &self.inputs)?;
            let calls = self.unscored_calls(&shard, &outcomes);
            let numbers: Vec<u64> = shard.iter().map(|call| call.number).collect();
            let records = shard.into_iter().map(|call| call.record).zip(outcomes);
            let unscored = annotator.begin(records);
            let mut outputs = annotator.compute(&unscored)?;
            for ((place, _, call), logits) in calls.iter().zip(&mut outputs.logits) {
                if !self.is_unsettled(call.kind, *logits) {
                    continue;
                }
                if exact {
                    let one = std::slice::from_ref(&call.example);
                    *logits = Isa::Simd128Fused.computing_with(|| model.logits(one))?[0];
                } else if scored.unsettled.last() != Some(&numbers[*place]) {
                    scored.unsettled.push(numbers[*place]);
                }
            }
            let logits = outputs.logits.clone();
            let (records, of_shard) = unscored.finish(&annotator, outputs);
            counts.add(&of_shard);
            let mut filters = Vec::with_capacity(records.len());
            for mut record in records {
                self.judge(&mut record, &mut scored);
                filters.push(String::from_utf8_lossy(record.filter()).into_owned());
                record.write_to(&mut out);
            }
            for ((place, example, call), logits) in calls.into_iter().zip(logits) {
                let mut call = self.with_scores(call, logits);
                call.filter.clone_from(&filters[place]);
                scored.calls.push(Listed {
                    entry: Entry::of(call),
                    record: numbers[place],
                    example,
                });
            }
        }
        scored.scored = counts.scored.values().sum();
        let skipped = counts.skipped.iter();
        scored.skipped = skipped
            .map(|(skip, count)| (skip.reason().to_owned(), *count))
            .collect();
        Ok((out, scored))
    }

    /// One call with its tensor and its reasons, those of single reads and cells too where `in_detail`. Returns the
    /// tensor's bytes, as [`cnnfilter_view::site`] writes them.
    ///
    /// # Errors
    /// As [`Self::score`].
    pub fn show(
        &mut self,
        line: &Lines,
        example: usize,
        in_detail: bool,
    ) -> Result<(Vec<u8>, Shown)> {
        let (call, variant, allele) = self.encoded(line, example)?;
        let explainer = Explainer::new(&self.model);
        // Networks of GATK are a hundred times as large: their cells would take minutes.
        let why = if in_detail && matches!(self.inputs.encoder, Encoder::Allele { .. }) {
            let integrator = Integrator::new(&self.model)?;
            explainer.explain_in_detail(&allele.example, allele.kind, &integrator)?
        } else {
            explainer.explain(&allele.example, allele.kind)?
        };
        let logits = self.model.logits(std::slice::from_ref(&allele.example))?;
        let ReadsOfCall { names, left_out } = match &allele.reads {
            Some(reads) => {
                let of = (variant.contig.as_str(), allele.sample);
                look_up(&mut self.names, of, reads, self.inputs.encoder.read_limit())?
            }
            None => ReadsOfCall::default(),
        };
        let shown = self.unscored(&call.record, &variant, &allele);
        let shown = Call {
            names,
            left_out,
            why: Some(why),
            ..self.with_scores(shown, logits[0])
        };
        Ok(self.written(shown))
    }

    /// The bytes of a call's tensor, and its entry in the list.
    fn written(&self, call: Call) -> (Vec<u8>, Shown) {
        let mut bytes = Vec::new();
        site::write(&call, &Layout::of_model(&self.model), &mut bytes);
        let entry = Entry::of(call);
        (bytes, Shown { entry })
    }

    /// A record with one of its ALTs, encoded.
    ///
    /// # Errors
    /// A record without a score or without this ALT, and as [`Self::score`].
    fn encoded(
        &mut self,
        line: &Lines,
        example: usize,
    ) -> Result<(Numbered, Variant, EncodedAllele)> {
        let mut calls = self.parsed(line)?;
        let outcomes = self.reader.encode(&calls, &self.inputs)?;
        let (Some(call), Some(Outcome::Encoded(encoded))) =
            (calls.pop(), outcomes.into_iter().next())
        else {
            bail!("the record has no score");
        };
        let variant = call.record.variant().context("the record has no place")?;
        let allele = encoded.alleles.into_iter().nth(example);
        let allele = allele.context("the record has no such ALT")?;
        Ok((call, variant, allele))
    }

    /// True where the digits of a call that are written depend on how products are rounded.
    fn is_unsettled(&self, kind: VariantKind, logits: [f32; 4]) -> bool {
        let texts = |score| {
            let probability = self.model.probability(kind, score);
            (format_score(score), probability.map(format_probability))
        };
        let score = log_odds(logits, kind);
        texts(score - NEAR) != texts(score + NEAR)
    }

    /// The call with changed reads. Returns the tensor's bytes and the call with its scores.
    ///
    /// # Errors
    /// A change that leaves no call, and as [`Self::score`].
    pub fn edit(
        &mut self,
        line: &Lines,
        example: usize,
        edits: &Edits,
    ) -> Result<(Vec<u8>, Shown)> {
        self.hold(line, example)?;
        let model = self.without(&edits.without_channels)?;
        let (_, held) = self.held.as_ref().context("no call is held")?;
        let edited = held.sandbox.edited(&self.inputs.encoder, edits)?;
        let allele = &edited.allele;
        let quick = Explainer::new(&model).quick(&allele.example, allele.kind)?;
        let rows = allele.reads.iter().flat_map(|reads| &reads.rows);
        let name = |row: &u64| held.names.get(row).cloned().unwrap_or_default();
        let shown = self.unscored(&edited.record, &edited.variant, allele);
        let shown = Call {
            names: rows.map(name).collect(),
            why: Some(Why {
                parts: quick.parts,
                ..Why::default()
            }),
            ..self.with_scores(shown, quick.logits)
        };
        Ok(self.written(shown))
    }

    /// The outputs of the network's layers for the call with changed reads: of each layer its name, its axes, their
    /// sizes, and how many of the bytes (f32, little-endian) are its own.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn layers(
        &mut self,
        line: &Lines,
        example: usize,
        edits: &Edits,
    ) -> Result<(Vec<u8>, Vec<ShownLayer>)> {
        self.hold(line, example)?;
        let model = self.without(&edits.without_channels)?;
        let (_, held) = self.held.as_ref().context("no call is held")?;
        let allele = held.sandbox.edited(&self.inputs.encoder, edits)?.allele;
        let known = model.architecture().layers();
        let names: Vec<&str> = known.iter().map(|layer| layer.name.as_str()).collect();
        let mut outputs = model.activations(&[allele.example], &names)?;
        let mut bytes = Vec::new();
        let mut shown = Vec::new();
        for layer in &known {
            let Some(output) = outputs.remove(&layer.name) else {
                continue;
            };
            bytes.extend(output.data.iter().flat_map(|value| value.to_le_bytes()));
            shown.push(ShownLayer {
                name: layer.name.clone(),
                axes: layer.axes,
                shape: output.shape,
            });
        }
        Ok((bytes, shown))
    }

    /// Holds a call for edits, with the reads over it.
    fn hold(&mut self, line: &Lines, example: usize) -> Result<()> {
        let key = (line.numbers.first().copied().unwrap_or(0), example);
        if self.held.as_ref().is_some_and(|(held, _)| *held == key) {
            return Ok(());
        }
        let (call, variant, allele) = self.encoded(line, example)?;
        let contigs = KnownContigs {
            reference: self.inputs.reference.contigs(),
            reads: &self.inputs.reads_contigs,
        };
        let records = [&call.record];
        let (encoder, samples) = (&self.inputs.encoder, &self.inputs.sample_inputs);
        let shard = ShardEncoder::new(encoder, samples, records, contigs)
            .map_err(|error| anyhow!("{}", error.variant))?;
        let span = shard
            .reference_span()
            .map(|(_, span)| span)
            .context("no place")?;
        let block = self.inputs.reference.reader()?;
        let block = { block }.block(&variant.contig, span.start, span.end)?;
        let mut shard = shard
            .with_reference(block.clone())
            .map_err(|error| anyhow!("{}", error.variant))?;
        let spans: Vec<Option<Span>> = match shard.sinks() {
            Some((_, sinks)) => sinks.iter().map(ReadSink::span).collect(),
            None => Vec::new(),
        };
        let gatherer = |span: &Option<Span>| Gatherer {
            span: *span,
            reads: Vec::new(),
        };
        let mut gatherers: Vec<Gatherer> = spans.iter().map(gatherer).collect();
        self.names.sweep(&variant.contig, &mut gatherers)?;
        let mut names = HashMap::new();
        if let Some(span) = spans.get(allele.sample).copied().flatten() {
            self.names.visit(&variant.contig, span, |read| {
                names.insert(read.name, String::from_utf8_lossy(read.text).into_owned());
            })?;
        }
        let sample = self.inputs.sample_inputs[allele.sample];
        let place = allele.sample;
        let reads = gatherers
            .into_iter()
            .nth(place)
            .map(|gatherer| gatherer.reads);
        let sandbox = Sandbox {
            record: call.record,
            variant,
            allele,
            sample,
            reads: reads.unwrap_or_default(),
            block,
        };
        self.held = Some((key, Box::new(Held { sandbox, names })));
        Ok(())
    }

    fn parsed(&self, lines: &Lines) -> Result<Vec<Numbered>> {
        let columns = self.calls.header().column_count();
        let numbered = lines.numbers.iter().zip(&lines.text);
        numbered
            .map(|(number, text)| {
                let record = VcfRecord::parse(text.clone().into_bytes(), columns)?;
                Ok(Numbered {
                    number: *number,
                    record,
                })
            })
            .collect()
    }

    /// The calls of encoded records: place of the record, number of the example, call.
    fn unscored_calls(
        &self,
        shard: &[Numbered],
        outcomes: &[Outcome],
    ) -> Vec<(usize, usize, Call)> {
        let mut calls = Vec::new();
        for (place, (numbered, outcome)) in shard.iter().zip(outcomes).enumerate() {
            if let (Outcome::Encoded(encoded), Some(variant)) = (outcome, numbered.record.variant())
            {
                let alleles = encoded.alleles.iter().enumerate();
                calls.extend(alleles.map(|(example, allele)| {
                    let call = self.unscored(&numbered.record, &variant, allele);
                    (place, example, call)
                }));
            }
        }
        calls
    }

    /// A call before its scores.
    fn unscored(&self, record: &VcfRecord, variant: &Variant, allele: &EncodedAllele) -> Call {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let alternates = text(record.alleles().1);
        let one = allele.alternate.and_then(|at| variant.alternates.get(at));
        Call {
            contig: variant.contig.clone(),
            start: variant.start,
            id: text(record.id()),
            reference: text(&variant.reference),
            alternate: one.map_or_else(|| alternates.clone(), |one| text(one)),
            alternates,
            sample: self.inputs.samples[allele.sample].name.clone(),
            kind: allele.kind,
            quality: record.quality(),
            filter: text(record.filter()),
            in_file: Vec::new(),
            scored: ScoredWith {
                logits: [0.0; 4],
                score: 0.0,
                probability: None,
                threshold: None,
            },
            label: None,
            reads_seen: allele.reads.as_ref().map(|reads| reads.seen),
            names: Vec::new(),
            left_out: Vec::new(),
            example: allele.example.clone(),
            why: None,
        }
    }

    fn with_scores(&self, call: Call, logits: [f32; 4]) -> Call {
        let score = log_odds(logits, call.kind);
        Call {
            scored: ScoredWith {
                logits,
                score,
                probability: self.model.probability(call.kind, score),
                threshold: threshold(&self.model, call.kind),
            },
            ..call
        }
    }

    /// Fills FILTER of a scored record, where that is asked for.
    fn judge(&self, record: &mut VcfRecord, scored: &mut Scored) {
        let Some(filter) = &self.filter else {
            return;
        };
        let decision = filter.decide(record);
        if let Decision::Judged { filter, .. } = decision {
            scored.judged[usize::from(filter.is_some())] += 1;
        }
        decision.apply(record, false);
    }
}

/// The model that was chosen, or the built-in one.
fn model(plan: &Plan) -> Result<Model> {
    let Some([card, weights]) = &plan.model else {
        return Ok(Builtin::default_for(!plan.reads.is_empty()).load(DeviceChoice::Cpu)?);
    };
    let [card_bytes, weights_bytes] = [read_model(card)?, read_model(weights)?];
    let model = Model::load(&card_bytes, &weights_bytes, DeviceChoice::Cpu);
    let model = model.with_context(|| card.display().to_string())?;
    let name = &model.card().name;
    if model.uses_reads() && plan.reads.is_empty() {
        bail!("model `{name}` looks at reads: choose them, too, or take a model without reads");
    }
    if !model.uses_reads() && !plan.reads.is_empty() {
        log::warn!("model `{name}` does not use reads: they are ignored");
    }
    Ok(model)
}

/// Largest file of a model, in bytes: its instances hold it several times.
const MAX_MODEL: u64 = 50_000_000;

/// A file of a model.
///
/// # Errors
/// One that is too large, or that cannot be read.
fn read_model(path: &Path) -> Result<Vec<u8>> {
    let place = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(place)?;
    file.take(MAX_MODEL + 1)
        .read_to_end(&mut bytes)
        .with_context(place)?;
    if bytes.len() as u64 > MAX_MODEL {
        bail!(
            "{}: larger than {MAX_MODEL} bytes; the program takes it, the page does not",
            place()
        );
    }
    Ok(bytes)
}

fn annotator<'a>(model: &'a Model, inputs: &Inputs) -> Annotator<'a> {
    let columns = inputs.samples.iter().map(|sample| sample.column);
    Annotator::new(model, columns.collect(), inputs.columns)
}

fn encoding_plan(plan: &Plan) -> EncodingPlan {
    EncodingPlan {
        reads: plan.reads.clone(),
        sample_map: None,
        samples: SampleChoice::Every,
        read_filter: ReadFilterOptions::default(),
        reference: plan.reference.clone(),
        sample_depth: None,
    }
}

/// The thresholds of a model for the aim that `cnnfilter score --filter` has.
fn thresholds(model: &Model) -> Result<ThresholdFilter> {
    let card = model.card();
    let thresholds = card
        .thresholds
        .as_ref()
        .context("the model has no thresholds")?;
    Ok(ThresholdFilter::new(thresholds, AIM, &card.name)?)
}

fn threshold(model: &Model, kind: VariantKind) -> Option<f64> {
    let thresholds = model.card().thresholds.as_ref()?;
    let found = thresholds.find(kind, AIM).ok()??;
    Some(found.probability)
}
