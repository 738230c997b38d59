//! Encoded examples as bytes, so that training reads alignments once.
//!
//! A file of examples is a [`StoreHeader`] as JSON between a magic word with its length and the
//! examples, then where each example begins, then their number. Numbers are little-endian.
//!
//! ```text
//! "CNNFEX01"  u64 length of the header  header
//! example ... example
//! u64 x examples: offset of each from the start of the file
//! u64 number of examples
//! ```

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::allele::AlleleTensor;
use super::allele::columns::{Haplotype, WINDOW, symbol};
use super::allele::read_features::{SUPPORTS_ALT, SUPPORTS_REF};
use super::allele::support::Supports;
use super::{Example, SiteTensor};

/// First bytes of a file of examples; the digits are the layout's generation.
pub const MAGIC: &[u8; 8] = b"CNNFEX01";

/// Where a set of examples comes from and how it is laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreHeader {
    /// Name of the set.
    pub set: String,
    /// Name of the encoder ([`super::Encoder::name`]).
    pub encoder: String,
    /// Annotations of each example, in order.
    pub annotations: Vec<String>,
    /// Numbers of each call, in order.
    pub site_features: Vec<String>,
    /// Numbers of each read, in order; empty without reads.
    pub read_features: Vec<String>,
    /// The sample's mean depth; nothing without reads.
    pub sample_depth: Option<f32>,
    /// The files it was made of, by role, with their SHA-256.
    pub inputs: Vec<StoreInput>,
    /// Records that gave no example, by reason.
    pub left_out: Vec<(String, u64)>,
    /// Examples per class: NOT_SNP, NOT_INDEL, SNP, INDEL.
    pub classes: [u64; 4],
    /// Version of the program.
    pub cnnfilter_version: String,
}

/// A file that examples were made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreInput {
    /// calls, reads, reference, truth, confident or labels.
    pub role: String,
    /// Its name, without folders.
    pub file: String,
    /// Its SHA-256; of reads and references, which are large, of the index.
    pub sha256: String,
}

/// An example with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledExample {
    /// The network's input.
    pub example: Example,
    /// True if ALT changes the length.
    pub is_indel: bool,
    /// True if the allele is real.
    pub is_real: bool,
    /// True if the genotype is right as well.
    pub is_genotype_right: bool,
    /// How many copies of the allele the sample has, 0 to 2, where the truth tells.
    pub copies: Option<u8>,
    /// Contig.
    pub contig: String,
    /// 0-based position of the record.
    pub start: u64,
    /// REF.
    pub reference: Vec<u8>,
    /// The ALT asked about.
    pub alternate: Vec<u8>,
}

impl LabelledExample {
    /// Its class: 0 NOT_SNP, 1 NOT_INDEL, 2 SNP, 3 INDEL.
    pub fn class(&self) -> usize {
        usize::from(self.is_indel) + 2 * usize::from(self.is_real)
    }
}

/// Bytes that hold no examples, or an example that cannot become bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another kind of file, or another generation.
    #[error(
        "it does not begin with `CNNFEX01`; expected a file that `cnnfilter tensors` of this version wrote"
    )]
    Magic,
    /// It ends too early, or its numbers point outside it.
    #[error("it is cut off or damaged ({0}); make it again with `cnnfilter tensors`")]
    Damaged(&'static str),
    /// The header is no header.
    #[error("its header cannot be read: {0}")]
    Header(String),
    /// An example that a file cannot hold.
    #[error("an example of GATK's tensors cannot be stored; expected one of cnnfilter's own")]
    Tensor,
}

/// The bytes before the first example.
///
/// # Errors
/// [`StoreError::Header`], which no header gives.
pub fn prefix(header: &StoreHeader) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(header).map_err(|e| StoreError::Header(e.to_string()))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(json);
    Ok(bytes)
}

/// Appends one example, whose tensor was made by the layout that the header names.
///
/// # Errors
/// [`StoreError::Tensor`] for a tensor of GATK's, which a file does not hold; nothing is appended.
pub fn write_example(example: &LabelledExample, out: &mut Vec<u8>) -> Result<(), StoreError> {
    let SiteTensor::Allele(set) = &example.example.tensor else {
        return Err(StoreError::Tensor);
    };
    out.push(u8::from(example.is_indel));
    out.push(u8::from(example.is_real));
    out.push(u8::from(example.is_genotype_right));
    // 0 where it is not known, as in files of versions that did not know any.
    out.push(example.copies.map_or(0, |copies| copies + 1));
    out.extend(example.start.to_le_bytes());
    for text in [
        example.contig.as_bytes(),
        &example.reference,
        &example.alternate,
    ] {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text);
    }
    let counts = [
        example.example.annotations.len(),
        set.site.len(),
        set.rows.len(),
    ];
    counts
        .iter()
        .for_each(|count| out.extend((*count as u32).to_le_bytes()));
    let floats = example.example.annotations.iter().chain(&set.site);
    floats.for_each(|value| out.extend(value.to_le_bytes()));
    out.extend(set.haplotype.reference);
    out.extend(set.haplotype.alternate);
    out.extend(set.rows.iter().flatten().flatten());
    set.reads
        .iter()
        .for_each(|value| out.extend(value.to_le_bytes()));
    Ok(())
}

/// The bytes behind the last example.
pub fn suffix(offsets: &[u64]) -> Vec<u8> {
    let count = offsets.len() as u64;
    offsets
        .iter()
        .chain([&count])
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// How a file of examples is laid out: read once a file, since the header is long.
#[derive(Debug)]
pub struct StoreLayout {
    /// Its header.
    pub header: StoreHeader,
    /// Where the offsets begin.
    index: usize,
    count: usize,
    sides: SideFeatures,
}

/// Where the numbers of a read say which allele it supports.
#[derive(Debug, Clone, Copy, Default)]
struct SideFeatures {
    alternate: usize,
    reference: usize,
}

impl SideFeatures {
    /// Finds them by their names; a file without reads has none.
    fn find(names: &[String]) -> Result<Self, StoreError> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let find = |wanted: &str| {
            let at = names.iter().position(|name| name == wanted);
            at.ok_or_else(|| StoreError::Header(format!("its reads have no number `{wanted}`")))
        };
        Ok(Self {
            alternate: find(SUPPORTS_ALT)?,
            reference: find(SUPPORTS_REF)?,
        })
    }

    /// The alleles that a read with these numbers supports.
    fn supports(self, read: &[f32]) -> Supports {
        let says = |at: usize| read.get(at).is_some_and(|value| *value > 0.5);
        Supports {
            alternate: says(self.alternate),
            reference: says(self.reference),
        }
    }
}

/// The examples of a file.
#[derive(Debug, Clone, Copy)]
pub struct StoreView<'a> {
    layout: &'a StoreLayout,
    bytes: &'a [u8],
}

/// Byte ranges of an example's parts in its file, in their order there. What a part holds is written
/// at [`write_example`]; numbers are not aligned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExamplePlaces {
    /// `u8` each: is an INDEL, is real, has the right genotype; copies of the allele and 1, or 0 where they are not known.
    pub flags: Range<usize>,
    /// `u64`: 0-based position of the record.
    pub start: Range<usize>,
    /// Name of the contig.
    pub contig: Range<usize>,
    /// REF.
    pub reference: Range<usize>,
    /// The ALT asked about.
    pub alternate: Range<usize>,
    /// `f32` each, NaN for a missing one.
    pub annotations: Range<usize>,
    /// `f32` each.
    pub site: Range<usize>,
    /// `u8`, `[reference and ALT][column]`.
    pub haplotypes: Range<usize>,
    /// `u8`, `[read][column][symbol and quality]`.
    pub cells: Range<usize>,
    /// `f32`, `[read][number]`.
    pub reads: Range<usize>,
    /// Number of reads.
    pub rows: usize,
}

impl StoreLayout {
    /// Reads the layout out of the bytes of a whole file.
    ///
    /// # Errors
    /// [`StoreError`] where they are none.
    pub fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Cursor { bytes, at: 0 };
        if reader.take(8).ok() != Some(&MAGIC[..]) {
            return Err(StoreError::Magic);
        }
        let length =
            usize::try_from(reader.u64()?).map_err(|_| StoreError::Damaged("header length"))?;
        let header: StoreHeader = serde_json::from_slice(reader.take(length)?)
            .map_err(|error| StoreError::Header(error.to_string()))?;
        let first = reader.at;
        let end = bytes
            .len()
            .checked_sub(8)
            .ok_or(StoreError::Damaged("no end"))?;
        let count = u64::from_le_bytes(array(&bytes[end..])?);
        let index = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(8))
            .and_then(|size| end.checked_sub(size))
            .filter(|index| *index >= first)
            // A file that is cut off may end in what looks like a number, mostly 0.
            .filter(|_| {
                header
                    .classes
                    .iter()
                    .try_fold(0u64, |sum, n| sum.checked_add(*n))
                    == Some(count)
            })
            .ok_or(StoreError::Damaged("number of examples"))?;
        Ok(Self {
            sides: SideFeatures::find(&header.read_features)?,
            header,
            index,
            count: count as usize,
        })
    }

    /// The examples in `bytes`, which are those of the file that this is the layout of.
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> StoreView<'a> {
        StoreView {
            layout: self,
            bytes,
        }
    }
}

impl StoreView<'_> {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.layout.count
    }

    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.layout.count == 0
    }

    /// Where an example begins.
    fn cursor(&self, at: usize) -> Result<Cursor<'_>, StoreError> {
        let (index, count) = (self.layout.index, self.layout.count);
        if at >= count {
            return Err(StoreError::Damaged("example number"));
        }
        let (examples, offsets) = self
            .bytes
            .split_at_checked(index)
            .ok_or(StoreError::Damaged("sizes"))?;
        let mut offsets = Cursor {
            bytes: offsets,
            at: 8 * at,
        };
        let offset = offsets.u64()?;
        let at = usize::try_from(offset).map_err(|_| StoreError::Damaged("offset"))?;
        Ok(Cursor {
            bytes: examples,
            at,
        })
    }

    /// Class, contig and 0-based start of one example, without the rest of it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn label(&self, at: usize) -> Result<(usize, String, u64), StoreError> {
        let mut reader = self.cursor(at)?;
        let [is_indel, is_real, _, _]: [u8; 4] = array(reader.take(4)?)?;
        let start = reader.u64()?;
        let length = reader.u32()?;
        let contig = String::from_utf8_lossy(reader.take(length)?).into_owned();
        let class = usize::from(is_indel != 0) + 2 * usize::from(is_real != 0);
        Ok((class, contig, start))
    }

    /// Where the parts of one example lie in the bytes of the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn places(&self, at: usize) -> Result<ExamplePlaces, StoreError> {
        let mut reader = self.cursor(at)?;
        let flags = reader.skip(4)?;
        let start = reader.skip(8)?;
        let mut text = || {
            let length = reader.u32()?;
            reader.skip(length)
        };
        let (contig, reference, alternate) = (text()?, text()?, text()?);
        let (annotations, site, rows) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let width = self.layout.header.read_features.len();
        if rows > 0 && width == 0 {
            return Err(StoreError::Damaged("rows"));
        }
        let many = |count: usize, size| count.checked_mul(size).ok_or(StoreError::Damaged("sizes"));
        Ok(ExamplePlaces {
            flags,
            start,
            contig,
            reference,
            alternate,
            annotations: reader.skip(many(annotations, 4)?)?,
            site: reader.skip(many(site, 4)?)?,
            haplotypes: reader.skip(2 * WINDOW)?,
            cells: reader.skip(many(rows, 2 * WINDOW)?)?,
            reads: reader.skip(many(many(rows, width)?, 4)?)?,
            rows,
        })
    }

    /// One example.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn get(&self, at: usize) -> Result<LabelledExample, StoreError> {
        let places = self.places(at)?;
        let part = |place: &Range<usize>| {
            let found = self.bytes.get(place.clone());
            found.ok_or(StoreError::Damaged("sizes"))
        };
        let [is_indel, is_real, is_genotype_right, copies]: [u8; 4] = array(part(&places.flags)?)?;
        let (reference, alternate) = part(&places.haplotypes)?.split_at(WINDOW);
        let haplotype = Haplotype {
            reference: array(reference)?,
            alternate: array(alternate)?,
        };
        let mut symbols = haplotype.reference.iter().chain(&haplotype.alternate);
        if symbols.any(|letter| *letter >= symbol::CLIPPED) {
            return Err(StoreError::Damaged("haplotype"));
        }
        let cells = part(&places.cells)?;
        if cells
            .iter()
            .step_by(2)
            .any(|cell| *cell >= 2 * symbol::CLIPPED)
        {
            return Err(StoreError::Damaged("cell"));
        }
        let rows_of = cells
            .chunks_exact(2 * WINDOW)
            .map(|row| std::array::from_fn(|column| [row[2 * column], row[2 * column + 1]]))
            .collect();
        let reads = floats(part(&places.reads)?)?;
        let of_reads = reads.chunks_exact(self.layout.header.read_features.len().max(1));
        let supports = of_reads
            .map(|read| self.layout.sides.supports(read))
            .collect();
        let tensor = SiteTensor::Allele(AlleleTensor {
            haplotype,
            rows: rows_of,
            supports,
            reads,
            site: floats(part(&places.site)?)?,
        });
        Ok(LabelledExample {
            example: Example {
                tensor,
                annotations: floats(part(&places.annotations)?)?,
            },
            is_indel: is_indel != 0,
            is_real: is_real != 0,
            is_genotype_right: is_genotype_right != 0,
            copies: copies.checked_sub(1).filter(|copies| *copies <= 2),
            contig: String::from_utf8_lossy(part(&places.contig)?).into_owned(),
            start: u64::from_le_bytes(array(part(&places.start)?)?),
            reference: part(&places.reference)?.to_vec(),
            alternate: part(&places.alternate)?.to_vec(),
        })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let end = self.at.checked_add(count);
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or(StoreError::Damaged("it ends inside an example"))?;
        self.at += count;
        Ok(found)
    }

    fn u64(&mut self) -> Result<u64, StoreError> {
        Ok(u64::from_le_bytes(array(self.take(8)?)?))
    }

    fn u32(&mut self) -> Result<usize, StoreError> {
        Ok(u32::from_le_bytes(array(self.take(4)?)?) as usize)
    }

    /// Passes over some bytes and says where they lie.
    fn skip(&mut self, count: usize) -> Result<Range<usize>, StoreError> {
        let start = self.at;
        self.take(count)?;
        Ok(start..self.at)
    }
}

fn floats(bytes: &[u8]) -> Result<Vec<f32>, StoreError> {
    let values = bytes.chunks_exact(4);
    values
        .map(|bytes| Ok(f32::from_le_bytes(array(bytes)?)))
        .collect()
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("sizes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::allele::Side;
    use proptest::prelude::*;

    fn header(examples: usize) -> StoreHeader {
        StoreHeader {
            set: "s".into(),
            encoder: "cnnfilter_reads".into(),
            annotations: vec!["QUAL".into(), "INFO/QD".into()],
            site_features: vec!["a".into()],
            read_features: vec![SUPPORTS_REF.into(), "cycle".into(), SUPPORTS_ALT.into()],
            sample_depth: Some(31.5),
            inputs: vec![],
            left_out: vec![],
            classes: [0, 0, examples as u64, 0],
            cnnfilter_version: "0".into(),
        }
    }

    fn example(rows: usize, fill: u8) -> LabelledExample {
        LabelledExample {
            example: Example {
                tensor: SiteTensor::Allele(AlleleTensor {
                    haplotype: Haplotype {
                        reference: [fill % 8; WINDOW],
                        alternate: [3; WINDOW],
                    },
                    rows: vec![[[fill, 30]; WINDOW]; rows],
                    supports: vec![Side::Reference.into(); rows],
                    reads: [1.0, f32::from(fill), 0.0].repeat(rows),
                    site: vec![f32::from(fill) / 3.0],
                }),
                annotations: vec![1.5, -2.0],
            },
            is_indel: fill.is_multiple_of(2),
            is_real: fill.is_multiple_of(3),
            is_genotype_right: false,
            copies: [None, Some(0), Some(1), Some(2)][usize::from(fill % 4)],
            contig: "chr1".into(),
            start: 1 << 40,
            reference: b"A".to_vec(),
            alternate: b"ACGT".to_vec(),
        }
    }

    fn file(examples: &[LabelledExample]) -> Vec<u8> {
        let mut bytes = prefix(&header(examples.len())).unwrap();
        let mut offsets = Vec::new();
        for example in examples {
            offsets.push(bytes.len() as u64);
            write_example(example, &mut bytes).unwrap();
        }
        bytes.extend(suffix(&offsets));
        bytes
    }

    #[test]
    fn examples_survive() {
        let examples = [example(0, 1), example(3, 2), example(7, 9)];
        let bytes = file(&examples);
        let layout = StoreLayout::new(&bytes).unwrap();
        let view = layout.view(&bytes);
        assert_eq!((view.len(), &layout.header), (3, &header(3)));
        for (at, example) in examples.iter().enumerate() {
            assert_eq!(&view.get(at).unwrap(), example);
            let label = (example.class(), example.contig.clone(), example.start);
            assert_eq!(view.label(at).unwrap(), label);
        }
        assert!(view.get(3).is_err());
        let places = view.places(1).unwrap();
        assert_eq!((&bytes[places.contig], places.rows), (&b"chr1"[..], 3));
        assert_eq!(bytes[places.cells], [2, 30].repeat(3 * WINDOW));
        assert_eq!(bytes[places.site], (2.0f32 / 3.0).to_le_bytes());
    }

    #[test]
    fn what_a_file_cannot_hold_is_an_error() {
        let mut other = example(1, 1);
        let letters = [b'A'; crate::encode::gatk::WINDOW];
        let tensor = crate::encode::gatk::ReferenceTensor { letters };
        other.example.tensor = SiteTensor::Reference(tensor);
        let mut out = Vec::new();
        assert_eq!(write_example(&other, &mut out), Err(StoreError::Tensor));
        assert!(out.is_empty());
        let mut header = header(0);
        header.read_features = vec!["cycle".into()];
        let bytes = [prefix(&header).unwrap(), suffix(&[])].concat();
        assert!(matches!(
            StoreLayout::new(&bytes),
            Err(StoreError::Header(_))
        ));
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let bytes = file(&[example(1, 1), example(2, 2)]);
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            let read = StoreLayout::new(cut).and_then(|layout| {
                let view = layout.view(cut);
                (0..view.len())
                    .map(|at| view.get(at))
                    .collect::<Result<Vec<_>, _>>()
            });
            assert!(read.is_err(), "{length}");
        }
        // Cut inside zeros, it ends in what looks like the number of no examples.
        let mut cut = prefix(&header(2)).unwrap();
        cut.extend([0; 64]);
        assert!(StoreLayout::new(&cut).is_err());
    }

    proptest! {
        #[test]
        fn damage_is_no_panic(at in 0usize..2000, value: u8) {
            let mut bytes = file(&[example(1, 1), example(2, 2)]);
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(layout) = StoreLayout::new(&bytes) {
                let view = layout.view(&bytes);
                for at in 0..view.len().min(5) {
                    let _ = view.get(at);
                }
            }
        }
    }
}
