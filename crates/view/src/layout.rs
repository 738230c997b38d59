//! The symbols, channels and numbers of an encoder, with tables of their values, so that a page
//! computes no channel by itself.

use serde::Serialize;

use cnnfilter_core::encode::Encoder;
use cnnfilter_core::encode::allele::columns::{EVENT_COLUMN, WINDOW, symbol};
use cnnfilter_core::encode::gatk::{self, read_tensor, reference_tensor};
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::allele::Channels;
use cnnfilter_core::networks::scaling::{FeatureScaling, Scaling, Transform};
use cnnfilter_core::why::Part;

/// Everything that a page must know of the tensors to draw them.
#[derive(Debug, Clone, Serialize)]
pub struct Layout {
    /// Name of the encoder.
    pub encoder: &'static str,
    /// Columns of the window.
    pub columns: usize,
    /// The column of the change's first base.
    pub event_column: usize,
    /// Symbols of a cell.
    pub symbols: Vec<Symbol>,
    /// Phred qualities that the tables hold, from 0.
    pub qualities: usize,
    /// Channels of a read's cell.
    pub cells: Table,
    /// True where a channel of the cells depends on whether the read agrees with the reference.
    pub cells_compare: bool,
    /// Channels of a column of reference and ALT.
    pub haplotypes: Table,
    /// True where there is an ALT row.
    pub has_alternate: bool,
    /// True where the numbers of a read are channels over the columns that the read covers.
    pub numbers_are_channels: bool,
    /// Numbers of a read.
    pub read: Vec<Number>,
    /// Numbers of a call.
    pub site: Vec<Number>,
    /// The caller's annotations.
    pub annotations: Vec<Number>,
    /// Parts of the inputs that are left out to see what they contribute.
    pub parts: Vec<PartText>,
}

/// A symbol of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Symbol {
    /// Its byte.
    pub code: u8,
    /// As it is shown.
    pub text: String,
    /// What it is compared by: equal for a base, clipped or not.
    pub base: u8,
    /// Its sort.
    pub sort: Sort,
    /// Soft-clipped.
    pub clipped: bool,
}

/// Sorts of symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// No read here.
    Empty,
    /// A base, or an unknown one.
    Base,
    /// A deleted base.
    Gap,
    /// Nothing, in a column that an insertion opened.
    Pad,
}

/// Values of channels. Of cells: `[symbol][quality][agrees][channel]`, without `agrees` where
/// nothing is compared; of haplotypes: `[reference symbol][ALT symbol][channel]`, without ALT where
/// there is none. Symbols in the order of [`Layout::symbols`].
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Names of the channels.
    pub names: Vec<String>,
    /// Their values.
    pub values: Vec<f32>,
}

/// A number of a read or a call.
#[derive(Debug, Clone, Serialize)]
pub struct Number {
    /// Its name in a model's card.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its distribution in training, where the model knows it.
    pub scaling: Option<NumberScaling>,
}

/// Mean and spread of a number in training, after a transformation.
#[derive(Debug, Clone, Serialize)]
pub struct NumberScaling {
    transform: Transform,
    mean: f64,
    sd: f64,
    /// False where no training example had it.
    known: bool,
}

/// A part of the inputs in words.
#[derive(Debug, Clone, Serialize)]
pub struct PartText {
    code: &'static str,
    text: &'static str,
}

impl Layout {
    /// The layout of a model's tensors.
    pub fn of_model(model: &Model) -> Self {
        let (encoder, tensor) = (model.encoder(), &model.card().tensor);
        let reads = encoder.uses_reads();
        // A model that was loaded has channels that are known.
        let channels = Channels::resolve(reads, &tensor.cell_channels, &tensor.haplotype_channels);
        let channels = channels.unwrap_or_else(|_| Channels::usual(reads));
        Self::of(encoder, model.architecture().scaling(), &channels)
    }

    /// The layout of an encoder. `scaling` is the model's, over the numbers of a call and then the
    /// annotations; `channels` are those that a network of ours makes of its tensors.
    pub fn of(encoder: &Encoder, scaling: Option<&Scaling>, channels: &Channels) -> Self {
        match encoder {
            Encoder::Gatk { reads, annotations } => {
                Self::of_gatk(encoder.name(), *reads, annotations)
            }
            Encoder::Allele { layout, .. } => {
                let features = scaling.map_or(&[][..], |scaling| &scaling.features);
                let scaling_of = |at: usize| features.get(at).map(NumberScaling::new);
                let annotations = encoder.annotation_names();
                let site_count = layout.site().len();
                let symbols = allele_symbols();
                Self {
                    encoder: encoder.name(),
                    columns: WINDOW,
                    event_column: EVENT_COLUMN,
                    qualities: ALLELE_QUALITIES,
                    cells: allele_cells(&symbols, channels),
                    cells_compare: true,
                    haplotypes: allele_haplotypes(&symbols, channels),
                    symbols,
                    has_alternate: true,
                    numbers_are_channels: false,
                    read: (layout.read().iter())
                        .map(|feature| Number::new(feature.name, feature.unit, None))
                        .collect(),
                    site: (layout.site().iter().enumerate())
                        .map(|(at, feature)| {
                            Number::new(feature.name, feature.unit, scaling_of(at))
                        })
                        .collect(),
                    annotations: (annotations.iter().enumerate())
                        .map(|(at, name)| Number::new(name, "", scaling_of(site_count + at)))
                        .collect(),
                    parts: part_texts(encoder),
                }
            }
        }
    }

    fn of_gatk(encoder: &'static str, reads: bool, annotations: &[String]) -> Self {
        let symbols = gatk_symbols();
        let names = gatk::CHANNEL_NAMES.map(String::from);
        let cells = if reads {
            let values = symbols.iter().flat_map(|symbol| {
                (0..=u8::MAX).flat_map(|quality| read_tensor::read_channels(symbol.code, quality))
            });
            Table {
                values: values.collect(),
                names: names[..5].to_vec(),
            }
        } else {
            Table::none()
        };
        let references = symbols.iter().map(|symbol| symbol.code);
        let references = references.flat_map(reference_tensor::gapped_reference_channels);
        Self {
            encoder,
            columns: gatk::WINDOW,
            event_column: gatk::WINDOW / 2,
            qualities: usize::from(u8::MAX) + 1,
            cells,
            cells_compare: false,
            haplotypes: Table {
                values: references.collect(),
                names: names[5..10].to_vec(),
            },
            symbols,
            has_alternate: false,
            numbers_are_channels: true,
            read: (names[10..].iter().filter(|_| reads))
                .map(|name| {
                    Number::new(
                        name,
                        if name.starts_with("flag") {
                            "0 or 1"
                        } else {
                            "MAPQ / 60"
                        },
                        None,
                    )
                })
                .collect(),
            site: Vec::new(),
            annotations: annotations
                .iter()
                .map(|name| Number::new(name, "", None))
                .collect(),
            parts: Vec::new(),
        }
    }

    /// The symbol of a code.
    pub(crate) fn symbol(&self, code: u8) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.code == code)
    }

    /// The place of a symbol in the tables.
    pub fn index_of(&self, code: u8) -> Option<usize> {
        self.symbols.iter().position(|symbol| symbol.code == code)
    }
}

impl Number {
    fn new(name: &str, unit: &str, scaling: Option<NumberScaling>) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            scaling,
        }
    }
}

impl NumberScaling {
    fn new(of: &FeatureScaling) -> Self {
        Self {
            transform: of.transform,
            mean: of.mean,
            sd: of.sd,
            known: of.present > 0,
        }
    }
}

fn part_texts(encoder: &Encoder) -> Vec<PartText> {
    let text = |part: Part| PartText {
        code: part.code(),
        text: part.text(),
    };
    Part::of_encoder(encoder).into_iter().map(text).collect()
}

impl Table {
    fn none() -> Self {
        Self {
            names: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// Qualities of our own cells, which are cut at 60.
const ALLELE_QUALITIES: usize = 61;

fn allele_symbols() -> Vec<Symbol> {
    let letters = ["", "A", "C", "G", "T", "N", "-", ""];
    (0..16u8)
        .map(|code| {
            let base = code & !symbol::CLIPPED;
            let clipped = code & symbol::CLIPPED != 0;
            let text = letters[usize::from(base)];
            Symbol {
                code,
                text: if clipped {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                },
                base,
                sort: match base {
                    symbol::EMPTY => Sort::Empty,
                    symbol::GAP => Sort::Gap,
                    symbol::PAD => Sort::Pad,
                    _ => Sort::Base,
                },
                clipped,
            }
        })
        .collect()
}

fn allele_cells(symbols: &[Symbol], channels: &Channels) -> Table {
    let mut values = Vec::new();
    for one in symbols {
        for quality in 0..ALLELE_QUALITIES as u8 {
            for agrees in [false, true] {
                if channels.cells() > 0 {
                    values.extend(channels.cell(one.code, quality, agrees));
                }
            }
        }
    }
    Table {
        names: channels.cell_names().map(String::from).collect(),
        values,
    }
}

fn allele_haplotypes(symbols: &[Symbol], channels: &Channels) -> Table {
    let mut values = Vec::new();
    for reference in symbols {
        for alternate in symbols {
            values.extend(channels.haplotype(reference.code, alternate.code));
        }
    }
    Table {
        names: channels.haplotype_names().map(String::from).collect(),
        values,
    }
}

fn gatk_symbols() -> Vec<Symbol> {
    b"\0~*ACGTNKMRYSWBVHDX"
        .iter()
        .map(|&code| Symbol {
            code,
            text: match code {
                0 | b'~' => String::new(),
                b'*' => "-".to_owned(),
                letter => char::from(letter).to_string(),
            },
            base: code,
            sort: match code {
                0 | b'~' => Sort::Empty,
                b'*' => Sort::Gap,
                _ => Sort::Base,
            },
            clipped: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_the_channels_of_the_networks() {
        let known = Channels::usual(true);
        let layout = Layout::of(&Encoder::allele(true, Vec::new()), None, &known);
        let channels = layout.cells.names.len();
        let at = (3 * ALLELE_QUALITIES + 30) * 2 * channels;
        let found = &layout.cells.values[at..at + channels];
        assert_eq!(found, known.cell(3, 30, false));
        assert_eq!(
            layout.cells.values.len(),
            16 * ALLELE_QUALITIES * 2 * channels
        );
        let (reference, alternate) = (4, 6);
        let channels = layout.haplotypes.names.len();
        let at = (reference * 16 + alternate) * channels;
        let found = &layout.haplotypes.values[at..at + channels];
        assert_eq!(found, known.haplotype(4, 6).collect::<Vec<f32>>());
    }

    #[test]
    fn gatk_has_fifteen_channels() {
        let encoder = Encoder::Gatk {
            reads: true,
            annotations: vec!["MQ".to_owned()],
        };
        let layout = Layout::of(&encoder, None, &Channels::usual(true));
        let names = [&layout.cells.names, &layout.haplotypes.names];
        let read = layout.read.iter().map(|number| number.name.as_str());
        let all: Vec<&str> = names
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(read)
            .collect();
        assert_eq!(all, gatk::CHANNEL_NAMES);
        let g = layout.index_of(b'G').unwrap_or_default();
        let at = (g * 256 + 20) * 5;
        assert_eq!(
            layout.cells.values[at..at + 5],
            read_tensor::read_channels(b'G', 20)
        );
    }
}
