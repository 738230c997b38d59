//! Several alleles as bytes, and the floats that these stand for, which are looked up on the device
//! that multiplies them: a read's column is two bytes instead of nine floats on its way there.

use candle_core::{DType, Device, Result, Tensor};

use super::channels::{Channels, agrees};
use super::inputs::set_and_numbers;
use crate::encode::Example;
use crate::encode::allele::AlleleTensor;
use crate::encode::allele::columns::WINDOW;
use crate::networks::ModelError;
use crate::networks::family::{OnDevice, Tensors};
use crate::networks::scaling::Scaling;

/// Symbols of a haplotype; a read's are as many, and as many clipped ones.
const SYMBOLS: u8 = 8;
/// Set beside a read's symbol where it is the reference's.
const AGREES: u8 = 2 * SYMBOLS;

/// Alleles one behind the other.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::networks) struct AlleleBatch {
    /// `[read][column]`: symbol, with [`AGREES`].
    cells: Vec<u8>,
    /// `[read][column]`: phred quality, 0 where there is no base.
    qualities: Vec<u8>,
    /// `[allele][column]`: the reference's symbol times [`SYMBOLS`] and the allele's.
    haplotypes: Vec<u8>,
    /// `[read][feature]`.
    reads: Vec<f32>,
    /// For each read whether it supports ALT.
    pub(in crate::networks) supports_alt: Vec<bool>,
    /// For each read whether it supports REF.
    pub(in crate::networks) supports_ref: Vec<bool>,
    /// `[allele][number]`, scaled, then their missing bits.
    scaled: Vec<f32>,
    /// The first read of each allele, and the end.
    offsets: Vec<usize>,
}

impl AlleleBatch {
    /// `examples`, with their reads or without.
    ///
    /// # Errors
    /// An example that was made for another network.
    pub(in crate::networks) fn new(
        examples: &[Example],
        scaling: &Scaling,
        with_reads: bool,
    ) -> std::result::Result<Self, ModelError> {
        let mut batch = Self {
            cells: Vec::new(),
            qualities: Vec::new(),
            haplotypes: Vec::new(),
            reads: Vec::new(),
            supports_alt: Vec::new(),
            supports_ref: Vec::new(),
            scaled: Vec::new(),
            offsets: vec![0],
        };
        for example in examples {
            let (set, numbers) = set_and_numbers(example, scaling)?;
            batch.scaled.extend(numbers);
            let columns = set.haplotype.reference.iter().zip(&set.haplotype.alternate);
            let columns = columns.map(|(reference, alternate)| reference * SYMBOLS + alternate);
            batch.haplotypes.extend(columns);
            if with_reads {
                batch.push_reads(set);
            }
            batch.offsets.push(batch.supports_alt.len());
        }
        Ok(batch)
    }

    fn push_reads(&mut self, set: &AlleleTensor) {
        for row in &set.rows {
            for ([cell, quality], expected) in row.iter().zip(&set.haplotype.reference) {
                let agrees = u8::from(agrees(*cell, *expected)) * AGREES;
                self.cells.push(cell | agrees);
                self.qualities.push(*quality);
            }
        }
        self.reads.extend(&set.reads);
        let supports = set.supports.iter();
        self.supports_alt
            .extend(supports.clone().map(|read| read.alternate));
        self.supports_ref
            .extend(supports.map(|read| read.reference));
    }

    /// Alleles.
    pub(in crate::networks) fn alleles(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Reads of all alleles.
    pub(in crate::networks) fn reads(&self) -> usize {
        self.supports_alt.len()
    }

    /// The first read of each allele, and the end.
    pub(in crate::networks) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// [`super::inputs::Inputs::haplotype`] of each allele, `[allele, column, channel]`.
    pub(in crate::networks) fn haplotypes_on(
        &self,
        on: &OnDevice,
    ) -> std::result::Result<Tensor, ModelError> {
        let bytes = Tensor::from_slice(&self.haplotypes, self.haplotypes.len(), on.device())?;
        let table = on.table(HAPLOTYPES)?;
        let shape = (self.alleles(), WINDOW, table.dim(1)?);
        Ok(table.index_select(&bytes, 0)?.reshape(shape)?)
    }

    /// The floats of [`Channels::push_row`], `[read, column, channel]`, of at least one read.
    pub(in crate::networks) fn cells_on(
        &self,
        on: &OnDevice,
    ) -> std::result::Result<Tensor, ModelError> {
        let count = self.cells.len();
        let cells = Tensor::from_slice(&self.cells, count, on.device())?;
        let qualities = Tensor::from_slice(&self.qualities, count, on.device())?;
        let rows = (cells.to_dtype(DType::U32)? * QUALITIES as f64)?;
        let rows = (rows + qualities.to_dtype(DType::U32)?)?;
        let table = on.table(CELLS)?;
        let shape = (self.reads(), WINDOW, table.dim(1)?);
        Ok(table.index_select(&rows, 0)?.reshape(shape)?)
    }

    /// Phred qualities, `[read, column, 1]`, of at least one read.
    pub(in crate::networks) fn qualities_on(
        &self,
        on: &OnDevice,
    ) -> std::result::Result<Tensor, ModelError> {
        let shape = (self.reads(), WINDOW, 1);
        Ok(Tensor::from_slice(&self.qualities, shape, on.device())?.to_dtype(DType::F32)?)
    }

    /// [`super::inputs::Inputs::reads`], `[read, feature]`, of at least one read.
    pub(in crate::networks) fn reads_on(
        &self,
        on: &OnDevice,
    ) -> std::result::Result<Tensor, ModelError> {
        let shape = (self.reads(), self.reads.len() / self.reads().max(1));
        Ok(Tensor::from_slice(&self.reads, shape, on.device())?)
    }

    /// [`super::inputs::Inputs::scaled`] of each allele, `[allele, number]`.
    pub(in crate::networks) fn scaled_on(
        &self,
        on: &OnDevice,
    ) -> std::result::Result<Tensor, ModelError> {
        let shape = (self.alleles(), self.scaled.len() / self.alleles().max(1));
        Ok(Tensor::from_slice(&self.scaled, shape, on.device())?)
    }
}

/// Values of a quality.
const QUALITIES: usize = 256;

/// Names of the tables of [`tables`].
const CELLS: &str = "cells";
const HAPLOTYPES: &str = "haplotypes";

/// The floats that the bytes of an [`AlleleBatch`] stand for, on a device: `[symbol with AGREES, then
/// quality][channel]` of reads, `[reference and allele][channel]` of haplotypes.
///
/// # Errors
/// candle's own.
pub(in crate::networks) fn tables(channels: &Channels, device: &Device) -> Result<Tensors> {
    let symbols = 0..2 * AGREES;
    let cells: Vec<f32> = symbols
        .flat_map(|symbol| (0..=u8::MAX).map(move |quality| (symbol, quality)))
        .flat_map(|(symbol, quality)| {
            channels.cell(symbol & !AGREES, quality, symbol & AGREES != 0)
        })
        .copied()
        .collect();
    let haplotypes: Vec<f32> = (0..SYMBOLS * SYMBOLS)
        .flat_map(|column| channels.haplotype(column / SYMBOLS, column % SYMBOLS))
        .collect();
    let rows = |floats: Vec<f32>, channels: usize| {
        let count = floats.len().checked_div(channels).unwrap_or(0);
        Tensor::from_vec(floats, (count, channels), device)
    };
    Ok(Tensors::from([
        (CELLS.to_owned(), rows(cells, channels.cells())?),
        (
            HAPLOTYPES.to_owned(),
            rows(haplotypes, channels.haplotypes())?,
        ),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::allele::AlleleSpec;
    use crate::networks::allele::inputs::Inputs;
    use crate::testing::{allele_architecture, examples, scaling_of};
    use cnnfilter_nn::weights::Weights;

    #[test]
    fn bytes_become_the_floats_of_the_inputs() {
        let examples = examples(&[35, 0, 3, 64]);
        let scaling = scaling_of(&examples[0]);
        let channels = Channels::usual(true);
        let mut inputs = Inputs::default();
        let (mut reads, mut cells, mut qualities) = (Vec::new(), Vec::new(), Vec::new());
        for example in &examples {
            let set = inputs.push(example, &scaling, &channels, true).unwrap();
            reads.push(set.rows.len());
            for row in &set.rows {
                channels.push_row(row, &set.haplotype.reference, &mut cells);
                qualities.extend(row.iter().map(|[_, quality]| f32::from(*quality)));
            }
        }
        assert!(reads[0] > 10 && reads[1] == 0, "{reads:?}");
        let batch = AlleleBatch::new(&examples, &scaling, true).unwrap();
        let architecture = allele_architecture(AlleleSpec::default());
        let on = OnDevice::copy(&*architecture, &Weights::new(), &Device::Cpu).unwrap();
        let bits = |floats: &[f32]| floats.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        for (found, expected) in [
            (batch.cells_on(&on), &cells),
            (batch.qualities_on(&on), &qualities),
            (batch.haplotypes_on(&on), &inputs.haplotype),
            (batch.reads_on(&on), &inputs.reads),
            (batch.scaled_on(&on), &inputs.scaled),
        ] {
            let found = found.unwrap().flatten_all().unwrap().to_vec1().unwrap();
            assert_eq!(bits(&found), bits(expected));
        }
        assert_eq!(batch.supports_alt, inputs.supports_alt);
        assert_eq!(batch.supports_ref, inputs.supports_ref);
        assert_eq!(batch.reads(), reads.iter().sum::<usize>());
    }

    #[test]
    fn every_byte_has_its_row() {
        let channels = Channels::usual(true);
        let tables = tables(&channels, &Device::Cpu).unwrap();
        let cells: Vec<Vec<f32>> = tables[CELLS].to_vec2().unwrap();
        let haplotypes: Vec<Vec<f32>> = tables[HAPLOTYPES].to_vec2().unwrap();
        for cell in 0..2 * SYMBOLS {
            for expected in 0..SYMBOLS {
                for quality in [0, 1, 37, 93, 255] {
                    let agrees = agrees(cell, expected);
                    let byte = cell + u8::from(agrees) * AGREES;
                    let row = &cells[usize::from(byte) * QUALITIES + usize::from(quality)];
                    assert_eq!(row, channels.cell(cell, quality, agrees));
                }
                if cell < SYMBOLS {
                    let row = &haplotypes[usize::from(cell * SYMBOLS + expected)];
                    assert_eq!(*row, channels.haplotype(cell, expected).collect::<Vec<_>>());
                }
            }
        }
    }
}
