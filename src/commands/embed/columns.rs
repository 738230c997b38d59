//! Columns that describe calls: what people colour a map by.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{EmbedExamplesPlan, EmbedPlan};
use crate::commands::encoding::{Call, Inputs};
use crate::commands::labels::LabelPlan;
use crate::io::IoError;
use crate::io::embedding_file::Value;
use crate::io::regions;
use crate::io::vcf_reader::{Order, VcfReader};
use cnnfilter_core::encode::annotations::AnnotationSource;
use cnnfilter_core::encode::{EncodedAllele, Encoder, SiteTensor};
use cnnfilter_core::genome::{ContigTable, IntervalSet, Variant};
use cnnfilter_core::label::AltState;
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::Calibration;
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_core::vcf::{Genotype, VcfHeader, VcfRecord};
use cnnfilter_embed::{ColumnKind, ColumnMeta};

/// A column and where its values come from.
#[derive(Debug)]
pub(super) struct Column {
    name: String,
    kind: ColumnKind,
    from: From,
}

/// The source of a column.
#[derive(Debug)]
enum From {
    Fixed(Fixed),
    /// A number of an INFO key.
    InfoNumber(AnnotationSource),
    /// The words of an INFO key, as they are.
    InfoWords(String),
    /// Set or not.
    InfoFlag(String),
    Track(IntervalSet),
    Sites(HashSet<String>),
}

/// Columns that every file has.
#[derive(Debug, Clone, Copy)]
enum Fixed {
    Record,
    Contig,
    Position,
    Reference,
    Alternate,
    Sample,
    Kind,
    Change,
    Length,
    Genotype,
    AlleleShare,
    Depth,
    MappingQuality,
    Repeat,
    Quality,
    Filter,
    Score,
    Probability,
    Label,
}

/// Name and kind of each of them, in the order of the file.
const FIXED: [(&str, ColumnKind, Fixed); 19] = [
    ("record", ColumnKind::Integer, Fixed::Record),
    ("contig", ColumnKind::Category, Fixed::Contig),
    ("pos", ColumnKind::Integer, Fixed::Position),
    ("ref", ColumnKind::Category, Fixed::Reference),
    ("alt", ColumnKind::Category, Fixed::Alternate),
    ("sample", ColumnKind::Category, Fixed::Sample),
    ("type", ColumnKind::Category, Fixed::Kind),
    ("change", ColumnKind::Category, Fixed::Change),
    ("length", ColumnKind::Number, Fixed::Length),
    ("genotype", ColumnKind::Category, Fixed::Genotype),
    ("af", ColumnKind::Number, Fixed::AlleleShare),
    ("depth", ColumnKind::Number, Fixed::Depth),
    ("mapq", ColumnKind::Number, Fixed::MappingQuality),
    ("repeat", ColumnKind::Number, Fixed::Repeat),
    ("qual", ColumnKind::Number, Fixed::Quality),
    ("filter", ColumnKind::Category, Fixed::Filter),
    ("score", ColumnKind::Number, Fixed::Score),
    ("probability", ColumnKind::Number, Fixed::Probability),
    ("label", ColumnKind::Category, Fixed::Label),
];

impl Column {
    /// The column as the file describes it.
    pub(super) fn meta(&self) -> ColumnMeta {
        ColumnMeta {
            name: self.name.clone(),
            kind: self.kind,
            levels: Vec::new(),
        }
    }
}

/// Makes the values of all columns.
#[derive(Debug)]
pub(super) struct Describer {
    columns: Vec<Column>,
    /// Column and name of each sample that is encoded.
    samples: Vec<(usize, Option<String>)>,
    calibration: Option<Calibration>,
    encoder: Encoder,
    /// True for examples of a file: annotations are those of the example, for there is no record.
    stored: bool,
}

impl Describer {
    /// Opens the files that columns come from.
    ///
    /// # Errors
    /// A file that cannot be read, an INFO key that the calls do not define, two columns of one name.
    pub(super) fn open(
        plan: &EmbedPlan,
        model: &Model,
        inputs: &Inputs,
        header: &VcfHeader,
    ) -> Result<Self> {
        let labelled = !matches!(plan.labels, LabelPlan::Nothing);
        let fixed = FIXED
            .into_iter()
            .filter(|(_, _, fixed)| labelled || !matches!(fixed, Fixed::Label));
        let mut columns: Vec<Column> = fixed
            .map(|(name, kind, fixed)| Column {
                name: name.to_owned(),
                kind,
                from: From::Fixed(fixed),
            })
            .collect();
        for key in &plan.info {
            columns.push(info_column(key, header, &plan.variants)?);
        }
        add_flags(
            &mut columns,
            &plan.tracks,
            &plan.sites,
            &inputs.known_contigs(),
        )?;
        let samples = inputs.samples.iter();
        Ok(Self {
            columns,
            samples: samples
                .map(|sample| (sample.column, sample.name.clone()))
                .collect(),
            calibration: model.card().calibration.clone(),
            encoder: model.encoder().clone(),
            stored: false,
        })
    }

    /// For examples of files, whose sets have these names and whose calls lie on these contigs.
    ///
    /// # Errors
    /// As [`Describer::open`]; an annotation that the examples have not.
    pub(super) fn of_examples(
        plan: &EmbedExamplesPlan,
        model: &Model,
        sets: Vec<String>,
        contigs: &ContigTable,
    ) -> Result<Self> {
        let fixed = FIXED.into_iter().filter(|(_, _, fixed)| {
            !matches!(fixed, Fixed::Genotype | Fixed::Quality | Fixed::Filter)
        });
        let mut columns: Vec<Column> = fixed
            .map(|(name, kind, fixed)| Column {
                name: if matches!(fixed, Fixed::Sample) {
                    "set"
                } else {
                    name
                }
                .to_owned(),
                kind,
                from: From::Fixed(fixed),
            })
            .collect();
        let known = model.encoder().annotation_names();
        for key in &plan.info {
            let source = AnnotationSource::Info(key.clone());
            if !known.contains(&source.to_string()) {
                bail!(
                    "--info {key}: the examples have no annotation `{source}`; they have {}",
                    known.join(", ")
                );
            }
            columns.push(Column {
                name: key.clone(),
                kind: ColumnKind::Number,
                from: From::InfoNumber(source),
            });
        }
        add_flags(&mut columns, &plan.tracks, &plan.sites, contigs)?;
        Ok(Self {
            columns,
            samples: sets.into_iter().map(|set| (0, Some(set))).collect(),
            calibration: model.card().calibration.clone(),
            encoder: model.encoder().clone(),
            stored: true,
        })
    }

    /// The columns, in order.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values of one ALT of a call, in the order of the columns. `states` are the verdicts on the ALTs
    /// of its record.
    pub(super) fn values(
        &self,
        call: &Call,
        variant: &Variant,
        allele: &EncodedAllele,
        logits: [f32; 4],
        states: Option<&[AltState]>,
    ) -> Vec<Value> {
        let (column, name) = &self.samples[allele.sample];
        let of = Described {
            call,
            variant,
            allele,
            states,
            sample: *column,
            sample_name: name.as_deref(),
            score: log_odds(logits, allele.kind),
            encoder: &self.encoder,
            stored: self.stored,
        };
        let columns = self.columns.iter();
        columns
            .map(|column| match &column.from {
                From::Fixed(Fixed::Probability) => {
                    let calibration = self.calibration.as_ref();
                    let probability =
                        calibration.and_then(|one| one.probability(allele.kind, of.score));
                    number(probability.map(|one| one as f32))
                }
                From::Fixed(fixed) => of.value(*fixed),
                From::InfoNumber(source) => number(of.annotation(source)),
                From::InfoWords(key) => word(call.record.info(key.as_bytes())),
                From::InfoFlag(key) => is_in(
                    call.record
                        .info_entries()
                        .any(|(found, _)| found == key.as_bytes()),
                ),
                From::Track(track) => {
                    let end = variant.start + variant.reference.len() as u64;
                    is_in(track.overlaps(&variant.contig, variant.start, end))
                }
                From::Sites(sites) => is_in(
                    of.alternates()
                        .iter()
                        .any(|alt| sites.contains(&site_key(&call.record, alt))),
                ),
            })
            .collect()
    }
}

/// Adds the columns of tracks and lists of sites.
///
/// # Errors
/// A file that cannot be read, or two columns of one name.
fn add_flags(
    columns: &mut Vec<Column>,
    tracks: &[(String, PathBuf)],
    sites: &[(String, PathBuf)],
    contigs: &ContigTable,
) -> Result<()> {
    let flag = |name: &str, from| Column {
        name: name.to_owned(),
        kind: ColumnKind::Category,
        from,
    };
    for (name, path) in tracks {
        let track = regions::read_file(path, &format!("--track {name}"), contigs)?;
        columns.push(flag(name, From::Track(track)));
    }
    for (name, path) in sites {
        columns.push(flag(name, From::Sites(read_sites(path)?)));
    }
    for (at, column) in columns.iter().enumerate() {
        if columns[..at]
            .iter()
            .any(|earlier| earlier.name == column.name)
        {
            bail!(
                "two columns would be named `{}`; give the track or site list another name",
                column.name
            );
        }
    }
    Ok(())
}

/// The column of an INFO key, by its type in the header.
fn info_column(key: &str, header: &VcfHeader, calls: &Path) -> Result<Column> {
    let name = key.to_owned();
    let Some(of_type) = header.info_field(key, "Type") else {
        bail!(
            "{}: the header defines no INFO key `{key}`, which --info asks for",
            calls.display()
        );
    };
    Ok(match of_type {
        "Float" | "Integer" => Column {
            from: From::InfoNumber(AnnotationSource::Info(name.clone())),
            kind: ColumnKind::Number,
            name,
        },
        "Flag" => Column {
            from: From::InfoFlag(name.clone()),
            kind: ColumnKind::Category,
            name,
        },
        _ => Column {
            from: From::InfoWords(name.clone()),
            kind: ColumnKind::Category,
            name,
        },
    })
}

/// The ALTs of a file of calls.
fn read_sites(path: &Path) -> Result<HashSet<String>, IoError> {
    let mut reader = VcfReader::open(path)?.with_order(Order::Any);
    let mut sites = HashSet::new();
    while let Some((_, record)) = reader.next_record()? {
        let alternates = record.alleles().1.to_ascii_uppercase();
        for alternate in alternates.split(|byte| *byte == b',') {
            sites.insert(site_key(&record, alternate));
        }
    }
    Ok(sites)
}

fn site_key(record: &VcfRecord, alternate: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let reference = record.alleles().0.to_ascii_uppercase();
    format!(
        "{}\t{}\t{}\t{}",
        text(record.contig()),
        record.position(),
        text(&reference),
        text(alternate)
    )
}

fn number(value: Option<f32>) -> Value {
    Value::Number(value.unwrap_or(f32::NAN))
}

fn word(value: Option<&[u8]>) -> Value {
    let text = value.filter(|value| !value.is_empty() && *value != b".");
    Value::Word(text.map(|value| String::from_utf8_lossy(value).into_owned()))
}

fn is_in(is: bool) -> Value {
    Value::Word(Some(if is { "in" } else { "out" }.to_owned()))
}

/// One ALT with what is known of it.
struct Described<'a> {
    call: &'a Call,
    variant: &'a Variant,
    allele: &'a EncodedAllele,
    states: Option<&'a [AltState]>,
    /// Column of its sample.
    sample: usize,
    sample_name: Option<&'a str>,
    score: f64,
    encoder: &'a Encoder,
    stored: bool,
}

impl Described<'_> {
    fn value(&self, fixed: Fixed) -> Value {
        let record = &self.call.record;
        match fixed {
            Fixed::Record => Value::Integer(self.call.number as i64),
            Fixed::Contig => word(Some(self.variant.contig.as_bytes())),
            Fixed::Position => Value::Integer(self.variant.start as i64 + 1),
            Fixed::Reference => word(Some(&self.variant.reference)),
            Fixed::Alternate => word(Some(&self.alternates().join(&b','))),
            Fixed::Sample => word(self.sample_name.map(str::as_bytes)),
            Fixed::Kind => word(Some(self.allele.kind.name().as_bytes())),
            Fixed::Change => word(Some(self.change().as_bytes())),
            Fixed::Length => number(self.length().map(|length| length as f32)),
            Fixed::Genotype => word(self.genotype().as_deref().map(str::as_bytes)),
            Fixed::AlleleShare => number(
                self.annotation(&AnnotationSource::AlleleShare)
                    .or_else(|| self.share_of_reads()),
            ),
            Fixed::Depth => number(self.depth()),
            Fixed::MappingQuality => number(self.mapping_quality()),
            Fixed::Repeat => number(self.repeat()),
            Fixed::Quality => number(record.quality()),
            Fixed::Filter => word(Some(record.filter())),
            Fixed::Score => number(Some(self.score as f32)),
            // The caller knows the calibration.
            Fixed::Probability => number(None),
            Fixed::Label => word(self.label().map(str::as_bytes)),
        }
    }

    /// The ALTs that this is about: one for our encoder, all of the record for GATK's.
    fn alternates(&self) -> Vec<&[u8]> {
        let alternates = &self.variant.alternates;
        match self.allele.alternate.and_then(|at| alternates.get(at)) {
            Some(one) => vec![one],
            None => alternates.iter().map(Vec::as_slice).collect(),
        }
    }

    fn annotation(&self, source: &AnnotationSource) -> Option<f32> {
        if self.stored {
            let Encoder::Allele { annotations, .. } = self.encoder else {
                return None;
            };
            let at = annotations.iter().position(|known| known == source)?;
            let value = self.allele.example.annotations.get(at).copied();
            return value.filter(|value| value.is_finite());
        }
        let alternate = self.allele.alternate.unwrap_or(0);
        let count = self.variant.alternates.len();
        source.value(&self.call.record, alternate, count, self.sample)
    }

    fn length(&self) -> Option<i64> {
        match self.alternates()[..] {
            [one] if Variant::is_sequence(one) => {
                Some(one.len() as i64 - self.variant.reference.len() as i64)
            }
            _ => None,
        }
    }

    /// A substitution by the pyrimidine of its pair, as `C>T`; else what happens to the length.
    fn change(&self) -> String {
        let reference = &self.variant.reference;
        match (self.length(), self.alternates().first()) {
            (Some(0), Some(alternate)) if reference.len() == 1 => {
                let turn = matches!(reference[0], b'A' | b'G');
                let base = |base: u8| match (turn, base) {
                    (true, b'A') => 'T',
                    (true, b'C') => 'G',
                    (true, b'G') => 'C',
                    (true, b'T') => 'A',
                    (_, base) => char::from(base),
                };
                format!("{}>{}", base(reference[0]), base(alternate[0]))
            }
            (Some(0), _) => "several bases".to_owned(),
            (Some(length), _) if length > 0 => "insertion".to_owned(),
            (Some(_), _) => "deletion".to_owned(),
            (None, _) => "several ALTs".to_owned(),
        }
    }

    /// The genotype with its numbers in order, as `0/1`; this ALT is 1 and another one 2 where the example is
    /// about one ALT. Nothing where a number is missing.
    fn genotype(&self) -> Option<String> {
        let value = self.call.record.sample_value(self.sample, b"GT")?;
        let numbers = Genotype::parse(value)
            .numbers()
            .collect::<Option<Vec<_>>>()?;
        let mut numbers: Vec<usize> = match self.allele.alternate {
            None => numbers,
            Some(own) => (numbers.into_iter())
                .map(|number| match number {
                    0 => 0,
                    number if number == own + 1 => 1,
                    _ => 2,
                })
                .collect(),
        };
        numbers.sort_unstable();
        let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        (!texts.is_empty()).then(|| texts.join("/"))
    }

    /// Reads with ALT over reads with ALT or REF, of the rows of the tensor.
    fn share_of_reads(&self) -> Option<f32> {
        let SiteTensor::Allele(tensor) = &self.allele.example.tensor else {
            return None;
        };
        let supports = tensor.supports.iter();
        let alternate = supports.clone().filter(|read| read.alternate).count();
        let either = supports
            .filter(|read| read.alternate || read.reference)
            .count();
        (either > 0).then(|| alternate as f32 / either as f32)
    }

    /// Reads over the call, of a stored example the rows of its tensor; without reads what the record says.
    fn depth(&self) -> Option<f32> {
        if let Some(reads) = &self.allele.reads {
            return Some(reads.seen as f32);
        }
        if let (SiteTensor::Allele(tensor), true) = (
            &self.allele.example.tensor,
            self.stored && self.encoder.uses_reads(),
        ) {
            return Some(tensor.rows.len() as f32);
        }
        let keys = [
            AnnotationSource::Format("DP".to_owned()),
            AnnotationSource::Info("DP".to_owned()),
        ];
        keys.iter().find_map(|key| self.annotation(key))
    }

    /// Mean over the rows of the tensor; without reads INFO/MQ.
    fn mapping_quality(&self) -> Option<f32> {
        let mean = |values: Vec<f32>| {
            let count = values.len() as f32;
            (count > 0.0).then(|| values.iter().sum::<f32>() / count)
        };
        match (&self.allele.example.tensor, self.encoder) {
            (SiteTensor::Allele(tensor), Encoder::Allele { layout, .. })
                if !tensor.rows.is_empty() =>
            {
                let names: Vec<&str> = layout.read_names().collect();
                let at = names.iter().position(|name| *name == "mapping_quality")?;
                let rows = tensor.reads.chunks_exact(names.len());
                mean(rows.map(|row| 60.0 * row[at]).collect())
            }
            (SiteTensor::Reads(tensor), _) => {
                let rows = tensor.rows.iter();
                mean(rows.map(|row| f32::from(row.mapping_quality)).collect())
            }
            _ if self.allele.reads.is_some() => None,
            _ => self.annotation(&AnnotationSource::Info("MQ".to_owned())),
        }
    }

    /// Bases of the tandem repeat that the change stands in; nothing for GATK's encoder.
    fn repeat(&self) -> Option<f32> {
        let (SiteTensor::Allele(tensor), Encoder::Allele { layout, .. }) =
            (&self.allele.example.tensor, self.encoder)
        else {
            return None;
        };
        let at = layout
            .site_names()
            .position(|name| name == "repeat_length")?;
        let bases = tensor.site.get(at).filter(|value| value.is_finite())?;
        Some(bases.exp_m1().round())
    }

    fn label(&self) -> Option<&'static str> {
        let states = self.states?;
        let verdicts: Vec<Option<bool>> = match self.allele.alternate {
            Some(at) => vec![states.get(at)?.is_real()],
            None => states.iter().map(|state| state.is_real()).collect(),
        };
        if verdicts.contains(&Some(true)) {
            Some("real")
        } else {
            let all_false = verdicts.iter().all(|verdict| *verdict == Some(false));
            all_false.then_some("false")
        }
    }
}
