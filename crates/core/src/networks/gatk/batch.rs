//! Several calls as bytes, and the floats that these stand for, which are looked up on the device that
//! multiplies them.

use candle_core::{DType, Device, Tensor};

use super::network::tensor_of;
use super::spec::GatkSpec;
use crate::encode::annotations::BEST_PRACTICES;
use crate::encode::gatk::read_tensor::{READ_CHANNELS, read_channels};
use crate::encode::gatk::reference_tensor::{REFERENCE_CHANNELS, gapped_reference_channels};
use crate::encode::gatk::{ReadTensor, WINDOW};
use crate::encode::{Example, SiteTensor};
use crate::networks::ModelError;
use crate::networks::family::{OnDevice, Tensors};

/// Calls one behind the other.
#[derive(Debug)]
pub(super) struct GatkBatch {
    pub(super) spec: &'static GatkSpec,
    reads: ReadBatch,
    /// `[call][column]` of reference tensors.
    letters: Vec<u8>,
    /// `[call][annotation]`.
    annotations: Vec<f32>,
}

impl GatkBatch {
    /// Packs `examples`.
    ///
    /// # Errors
    /// An example that was made for another network.
    pub(super) fn new(spec: &'static GatkSpec, examples: &[Example]) -> Result<Self, ModelError> {
        let mut batch = Self {
            spec,
            reads: ReadBatch::default(),
            letters: Vec::new(),
            annotations: Vec::new(),
        };
        for example in examples {
            match tensor_of(spec, example)? {
                SiteTensor::Reads(tensor) => batch.reads.push(tensor, spec.rows),
                SiteTensor::Reference(tensor) => batch.letters.extend(tensor.letters),
                SiteTensor::Allele(_) => {}
            }
            batch.annotations.extend(&example.annotations);
        }
        Ok(batch)
    }

    /// `[call, row, column, channel]`.
    pub(super) fn on_device(&self, on: &OnDevice) -> Result<Tensor, ModelError> {
        if self.spec.uses_reads() {
            return self.reads.on_device(on);
        }
        let count = self.letters.len();
        let letters = Tensor::from_slice(&self.letters, count, on.device())?;
        // Without the channel of a gap.
        let channels = on.table(REFERENCE)?.narrow(1, 0, REFERENCE_CHANNELS - 1)?;
        let shape = (count / WINDOW, 1, WINDOW, REFERENCE_CHANNELS - 1);
        let channels = channels.contiguous()?.index_select(&letters, 0)?;
        Ok(channels.reshape(shape)?)
    }

    /// `[call, annotation]`, as they are.
    pub(super) fn annotations_on(&self, on: &OnDevice) -> Result<Tensor, ModelError> {
        let width = BEST_PRACTICES.len();
        let shape = (self.annotations.len() / width, width);
        Ok(Tensor::from_slice(&self.annotations, shape, on.device())?)
    }
}

/// Read tensors one behind the other, without the rows that repeat a call's last.
#[derive(Debug, Clone, Default)]
struct ReadBatch {
    /// `[call][column]`: the reference's letter.
    reference: Vec<u8>,
    /// `[row][column]`: the read's letter.
    letters: Vec<u8>,
    /// `[row][column]`: its phred quality.
    qualities: Vec<u8>,
    /// `[row][channel]`: flags and mapping quality.
    constants: Vec<f32>,
    /// `[row]`: the columns that carry these.
    from: Vec<u8>,
    to: Vec<u8>,
    /// Call of each row.
    calls: Vec<u32>,
    /// `[call][128]`: which row stands there.
    rows: Vec<u32>,
}

impl ReadBatch {
    /// Appends a call's tensor, of which the network reads `rows` rows.
    fn push(&mut self, tensor: &ReadTensor, rows: usize) {
        let (call, first) = (self.rows.len() / rows, self.calls.len());
        self.reference.extend(tensor.reference);
        let distinct = tensor.distinct_rows().min(rows);
        for at in 0..distinct {
            match tensor.rows.get(at) {
                Some(row) => {
                    self.letters.extend(row.letters);
                    self.qualities.extend(row.qualities);
                    self.constants.extend(row.constant_channels());
                    self.from.push(row.from);
                    self.to.push(row.to);
                }
                None => {
                    self.letters.extend([0; WINDOW]);
                    self.qualities.extend([0; WINDOW]);
                    self.constants.extend([0.0; CONSTANTS]);
                    self.from.push(0);
                    self.to.push(0);
                }
            }
            self.calls.push(call as u32);
        }
        self.rows
            .extend((0..rows).map(|row| (first + row.min(distinct - 1)) as u32));
    }

    /// `[call, row, column, channel]`, channels as in [`crate::encode::gatk::CHANNEL_NAMES`].
    fn on_device(&self, on: &OnDevice) -> Result<Tensor, ModelError> {
        let device = on.device();
        let (count, calls) = (self.calls.len(), self.reference.len() / WINDOW);
        let numbers =
            |bytes: &[u8]| Tensor::from_slice(bytes, bytes.len(), device)?.to_dtype(DType::U32);
        let letters = ((numbers(&self.letters)? * 256.0)? + numbers(&self.qualities)?)?;
        let of_reads = on.table(READS)?.index_select(&letters, 0)?;
        let of_reads = of_reads.reshape((count, WINDOW, READ_CHANNELS))?;
        let reference = on.table(REFERENCE)?;
        let reference = reference.index_select(&numbers(&self.reference)?, 0)?;
        let reference = reference.reshape((calls, WINDOW * REFERENCE_CHANNELS))?;
        let call = Tensor::from_slice(&self.calls, count, device)?;
        let reference = reference.index_select(&call, 0)?;
        let reference = reference.reshape((count, WINDOW, REFERENCE_CHANNELS))?;
        let bound =
            |bytes: &[u8]| Tensor::from_slice(bytes, (count, 1, 1), device)?.to_dtype(DType::F32);
        let columns: Vec<f32> = (0..WINDOW).map(|column| column as f32).collect();
        let columns = Tensor::from_vec(columns, (1, WINDOW, 1), device)?;
        let behind = columns.broadcast_ge(&bound(&self.from)?)?;
        let before = columns.broadcast_lt(&bound(&self.to)?)?;
        let covered = (behind.to_dtype(DType::F32)? * before.to_dtype(DType::F32)?)?;
        let constants = Tensor::from_slice(&self.constants, (count, 1, CONSTANTS), device)?;
        let constants = covered.broadcast_mul(&constants)?;
        let distinct = Tensor::cat(&[&of_reads, &reference, &constants], 2)?.contiguous()?;
        let rows = Tensor::from_slice(&self.rows, self.rows.len(), device)?;
        let channels = READ_CHANNELS + REFERENCE_CHANNELS + CONSTANTS;
        let shape = (calls, self.rows.len() / calls, WINDOW, channels);
        Ok(distinct.index_select(&rows, 0)?.reshape(shape)?)
    }
}

/// Channels of a read's flags and mapping quality.
const CONSTANTS: usize = 5;

/// Names of the tables of [`tables`].
const READS: &str = "reads";
const REFERENCE: &str = "reference";

/// The floats that the bytes of a batch stand for, on a device: `[letter, then quality][channel]` of reads where
/// there are any, and `[letter][channel]` of the reference.
///
/// # Errors
/// candle's own.
pub(super) fn tables(with_reads: bool, device: &Device) -> candle_core::Result<Tensors> {
    let letters = || 0..=u8::MAX;
    let reference: Vec<f32> = letters().flat_map(gapped_reference_channels).collect();
    let reference = Tensor::from_vec(reference, (256, REFERENCE_CHANNELS), device)?;
    let mut tables = Tensors::from([(REFERENCE.to_owned(), reference)]);
    if with_reads {
        let reads: Vec<f32> = letters()
            .flat_map(|letter| (0..=u8::MAX).map(move |quality| (letter, quality)))
            .flat_map(|(letter, quality)| read_channels(letter, quality))
            .collect();
        let reads = Tensor::from_vec(reads, (256 * 256, READ_CHANNELS), device)?;
        tables.insert(READS.to_owned(), reads);
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::gatk::READ_LIMIT;
    use crate::networks::gatk::spec::{REFERENCE_1D, SMALL_2D};
    use crate::networks::test_vectors::format_1;

    fn bits(floats: &[f32]) -> Vec<u32> {
        floats.iter().map(|x| x.to_bits()).collect()
    }

    /// A batch and a device without weights.
    fn batch(spec: &'static GatkSpec, examples: &[Example]) -> Tensor {
        let architecture = super::super::architecture(spec);
        let on = OnDevice::copy(&*architecture, &Default::default(), &Device::Cpu).unwrap();
        GatkBatch::new(spec, examples)
            .unwrap()
            .on_device(&on)
            .unwrap()
    }

    #[test]
    fn bytes_become_the_floats_of_the_tensors() {
        let examples = [(1, 40), (2, 0), (3, 127), (4, 128), (5, 3)]
            .map(|(seed, reads)| format_1::example(&SMALL_2D, seed, reads));
        let mut expected = Vec::new();
        for example in &examples {
            let SiteTensor::Reads(tensor) = &example.tensor else {
                panic!("a read tensor");
            };
            tensor.write_floats(&mut expected);
            for _ in tensor.distinct_rows()..READ_LIMIT {
                expected.extend_from_within(expected.len() - ReadTensor::ROW_LEN..);
            }
        }
        let found = batch(&SMALL_2D, &examples);
        assert_eq!(found.dims(), [5, READ_LIMIT, WINDOW, 15]);
        let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
        assert!(bits(&found) == bits(&expected));

        let examples = [1, 2].map(|seed| format_1::example(&REFERENCE_1D, seed, 0));
        let mut expected = Vec::new();
        for example in &examples {
            let SiteTensor::Reference(tensor) = &example.tensor else {
                panic!("a reference tensor");
            };
            tensor.write_floats(&mut expected);
        }
        let found = batch(&REFERENCE_1D, &examples);
        assert_eq!(found.dims(), [2, 1, WINDOW, 4]);
        let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(bits(&found), bits(&expected));
    }
}
