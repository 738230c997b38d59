//! Our own networks on candle's tensors: many alleles at a time, differentiable.

use std::collections::BTreeMap;

use candle_core::{D, DType, Result, Tensor};

use super::batch::{Batch, Tables};
use super::inputs::{CELL_CHANNELS, GATED};
use super::spec::{AlleleSpec, CELL_POOLS, KEPT_COLUMNS, READ_POOLS};
use crate::encode::allele::columns::WINDOW;
use cnnfilter_nn::layers::{conv_rows, dense, expand, pool_max, pool_mean, relu};

/// The weights by name, as tensors of one device.
pub type Parameters = BTreeMap<String, Tensor>;

/// What training changes in the passage of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardOptions<'a> {
    /// `[alleles][join_width[0]]`: what the outputs of the first joining layer are multiplied with
    /// (dropout); nothing for scoring.
    pub dropout: Option<&'a [f32]>,
}

/// The four outputs `[alleles, 4]` before softmax, on the device of `parameters` and `tables`.
///
/// # Errors
/// Sizes that do not fit together, and candle's own errors.
pub fn forward(
    spec: &AlleleSpec,
    parameters: &Parameters,
    batch: &Batch,
    tables: &Tables,
    passage: ForwardOptions<'_>,
) -> Result<Tensor> {
    let (alleles, device) = (batch.alleles(), tables.device());
    let get = |name: &str| weight(parameters, name);
    let of_haplotype = conv_rows(
        &batch.haplotypes_on(tables)?,
        get("haplotype.weight")?,
        get("haplotype.bias")?,
        !spec.reads,
    )?;
    let mut joined = Vec::new();
    let over_site = if spec.reads {
        let (pooled, of_reads) = read_layers(spec, parameters, batch, tables, &of_haplotype)?;
        joined.push(of_reads);
        conv_rows(&pooled, get("site1.weight")?, get("site1.bias")?, true)?
    } else {
        of_haplotype
    };
    let of_site = conv_rows(&over_site, get("site2.weight")?, get("site2.bias")?, true)?;
    let columns = of_site.dim(1)?;
    let kept = of_site
        .narrow(1, spec.first_kept(), KEPT_COLUMNS)?
        .flatten_from(1)?;
    // Each allele's columns are the rows of one segment.
    let by_column = of_site.flatten_to(1)?;
    let column_offsets: Vec<usize> = (0..=alleles).map(|allele| allele * columns).collect();
    let max = pool_max(&by_column, &column_offsets, None)?;
    let mean = pool_mean(&by_column, &column_offsets, None)?;
    joined.splice(0..0, [kept, max, mean]);
    let scaled = batch.scaled_on(tables)?;
    joined.push(scaled.clone());
    let joined = Tensor::cat(&joined, D::Minus1)?;
    let mut wide = relu(&dense(&joined, get("join1.weight")?, get("join1.bias")?)?)?;
    if let Some(dropout) = passage.dropout {
        wide = (wide * Tensor::from_slice(dropout, (alleles, spec.join_width[0]), device)?)?;
    }
    let narrow = relu(&dense(&wide, get("join2.weight")?, get("join2.bias")?)?)?;
    let out = dense(&narrow, get("out.weight")?, get("out.bias")?)?;
    let zero = Tensor::zeros(4, DType::F32, device)?;
    out + dense(&scaled, get("shortcut.weight")?, &zero)?
}

fn weight<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a Tensor> {
    parameters
        .get(name)
        .ok_or_else(|| candle_core::Error::Msg(format!("there is no weight `{name}`")))
}

/// The layers over reads and their pools: `[alleles, columns, pool * filters]` of the cells and
/// `[alleles, pool * width]` of the reads' own numbers.
fn read_layers(
    spec: &AlleleSpec,
    parameters: &Parameters,
    batch: &Batch,
    tables: &Tables,
    of_haplotype: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let (alleles, reads, offsets) = (batch.alleles(), batch.reads(), batch.offsets());
    let device = tables.device();
    let get = |name: &str| weight(parameters, name);
    let (base, filters) = (spec.base_filters, spec.read_filters);
    let width = WINDOW - (spec.kernel - 1);
    let columns = width - (spec.kernel - 1);
    if reads == 0 {
        // A tensor without elements is nothing that a GPU can be given.
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, device);
        return Ok((
            zeros(&[alleles, columns, CELL_POOLS * filters])?,
            zeros(&[alleles, READ_POOLS * spec.read_width])?,
        ));
    }
    let mut cells = batch.cells_on(tables)?;
    if spec.quality_gate {
        cells = gated(
            &cells,
            &batch.qualities_on(tables)?,
            get("quality_gate.threshold")?,
            get("quality_gate.temperature")?,
        )?;
    }
    let of_reads = batch.reads_on(tables)?;
    let zero = Tensor::zeros(base, DType::F32, device)?;
    let first = conv_rows(&cells, get("bases.weight")?, &zero, false)?;
    let flags = dense(&of_reads, get("flags.weight")?, &zero)?;
    let haplotypes =
        expand(&of_haplotype.flatten_from(1)?, offsets)?.reshape((reads, width, base))?;
    let first = (first + haplotypes)?.broadcast_add(&flags.reshape((reads, 1, base))?)?;
    let second = conv_rows(&relu(&first)?, get("read.weight")?, get("read.bias")?, true)?;
    let floats = |marks: &[bool]| -> Vec<f32> {
        let floats = marks.iter().map(|is| f32::from(u8::from(*is)));
        floats.collect()
    };
    let (alt, reference) = (floats(&batch.supports_alt), floats(&batch.supports_ref));
    let carriers = batch.supports_alt.as_slice();
    let pools = [
        pool_max(&second, offsets, None)?,
        pool_mean(&second, offsets, None)?,
        pool_max(&second, offsets, Some(carriers))?,
        pool_mean(&second, offsets, Some(&alt))?,
    ]
    .map(|pool| pool.reshape((alleles, columns, filters)));
    let pools = pools.into_iter().collect::<Result<Vec<_>>>()?;
    let pooled = Tensor::cat(&pools, 2)?;

    let one = relu(&dense(
        &of_reads,
        get("read_dense1.weight")?,
        get("read_dense1.bias")?,
    )?)?;
    let two = relu(&dense(
        &one,
        get("read_dense2.weight")?,
        get("read_dense2.bias")?,
    )?)?;
    let of_reads = [
        pool_max(&two, offsets, None)?,
        pool_mean(&two, offsets, None)?,
        pool_max(&two, offsets, Some(carriers))?,
        pool_mean(&two, offsets, Some(&alt))?,
        pool_mean(&two, offsets, Some(&reference))?,
    ];
    Ok((pooled, Tensor::cat(&of_reads, 1)?))
}

/// The cells with each base weighted by sigmoid((quality - t) / T).
fn gated(
    cells: &Tensor,
    qualities: &Tensor,
    threshold: &Tensor,
    temperature: &Tensor,
) -> Result<Tensor> {
    let exponent = qualities
        .broadcast_sub(threshold)?
        .broadcast_div(temperature)?;
    // 1 / (1 + exp(-x)) with the exponent bounded, so that no infinity meets a 0.
    let gate = (exponent.clamp(-30f32, 30f32)?.neg()?.exp()? + 1.0)?.recip()?;
    let mask: Vec<f32> = GATED.iter().map(|is| f32::from(u8::from(*is))).collect();
    let mask = Tensor::from_vec(mask, (1, 1, CELL_CHANNELS), cells.device())?;
    // weight = 1 - mask + mask * gate
    let weight = (gate - 1.0)?.broadcast_mul(&mask)?;
    cells.mul(&(weight + 1.0)?)
}
