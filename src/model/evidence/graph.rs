//! Our own networks on candle's tensors: many alleles at a time, differentiable.

use std::collections::BTreeMap;

use candle_core::{D, Device, Result, Tensor};

use super::inputs::{CELL_CHANNELS, GATED, HAPLOTYPE_CHANNELS, Inputs};
use super::spec::{EvidenceSpec, KEPT_COLUMNS};
use crate::encode::evidence::columns::WINDOW;
use crate::encode::evidence::read_set::READ_FEATURES;
use crate::model::layers::{conv_rows, dense, expand, pool_max, pool_mean, relu};

/// The weights by name, as tensors of one device.
pub type Parameters = BTreeMap<String, Tensor>;

/// What training changes in the passage of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passage<'a> {
    /// `[alleles][join_width[0]]`: what the outputs of the first joining layer are multiplied with
    /// (dropout); nothing for scoring.
    pub dropout: Option<&'a [f32]>,
}

/// The four outputs `[alleles, 4]` before softmax. `offsets` says which reads belong to which allele
/// ([`crate::model::layers::segments`]); the inputs are those of all alleles, one behind the other.
///
/// # Errors
/// Sizes that do not fit together, and candle's own errors.
pub fn forward(
    spec: &EvidenceSpec,
    parameters: &Parameters,
    inputs: &Inputs,
    offsets: &[usize],
    passage: Passage<'_>,
    device: &Device,
) -> Result<Tensor> {
    let alleles = offsets.len() - 1;
    let get = |name: &str| {
        parameters
            .get(name)
            .ok_or_else(|| candle_core::Error::Msg(format!("there is no weight `{name}`")))
    };
    let zeros = |count: usize| Tensor::zeros(count, candle_core::DType::F32, device);
    let haplotype = Tensor::from_slice(
        &inputs.haplotype,
        (alleles, WINDOW, HAPLOTYPE_CHANNELS),
        device,
    )?;
    let of_haplotype = conv_rows(
        &haplotype,
        get("haplotype.weight")?,
        get("haplotype.bias")?,
        !spec.reads,
    )?;
    let mut joined = Vec::new();
    let of_site = if spec.reads {
        let reads = offsets.last().copied().unwrap_or(0);
        let mut cells = Tensor::from_slice(&inputs.cells, (reads, WINDOW, CELL_CHANNELS), device)?;
        if spec.quality_gate {
            cells = gated(
                &cells,
                inputs,
                reads,
                get("quality_gate.threshold")?,
                get("quality_gate.temperature")?,
            )?;
        }
        let of_reads = Tensor::from_slice(&inputs.reads, (reads, READ_FEATURES), device)?;
        let base = spec.base_filters;
        let width = WINDOW - (spec.kernel - 1);
        let first = conv_rows(&cells, get("bases.weight")?, &zeros(base)?, false)?;
        let flags = dense(&of_reads, get("flags.weight")?, &zeros(base)?)?;
        let haplotypes =
            expand(&of_haplotype.flatten_from(1)?, offsets)?.reshape((reads, width, base))?;
        let first = (first + haplotypes)?.broadcast_add(&flags.reshape((reads, 1, base))?)?;
        let second = conv_rows(&relu(&first)?, get("read.weight")?, get("read.bias")?, true)?;
        let columns = width - (spec.kernel - 1);
        let filters = spec.read_filters;
        let alt: Vec<f32> = inputs
            .supports_alt
            .iter()
            .map(|is| f32::from(u8::from(*is)))
            .collect();
        let reference: Vec<f32> = inputs
            .supports_ref
            .iter()
            .map(|is| f32::from(u8::from(*is)))
            .collect();
        let carriers = inputs.supports_alt.as_slice();
        let pools = [
            pool_max(&second, offsets, None)?,
            pool_mean(&second, offsets, None)?,
            pool_max(&second, offsets, Some(carriers))?,
            pool_mean(&second, offsets, Some(&alt))?,
        ]
        .map(|pool| pool.reshape((alleles, columns, filters)));
        let pools = pools.into_iter().collect::<Result<Vec<_>>>()?;
        let pooled = Tensor::cat(&pools, 2)?;
        let first = conv_rows(&pooled, get("site1.weight")?, get("site1.bias")?, true)?;
        let of_site = conv_rows(&first, get("site2.weight")?, get("site2.bias")?, true)?;

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
        joined.extend([
            pool_max(&two, offsets, None)?,
            pool_mean(&two, offsets, None)?,
            pool_max(&two, offsets, Some(carriers))?,
            pool_mean(&two, offsets, Some(&alt))?,
            pool_mean(&two, offsets, Some(&reference))?,
        ]);
        of_site
    } else {
        conv_rows(
            &of_haplotype,
            get("site2.weight")?,
            get("site2.bias")?,
            true,
        )?
    };
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
    let scaled = Tensor::from_slice(
        &inputs.scaled,
        (alleles, inputs.scaled.len() / alleles.max(1)),
        device,
    )?;
    joined.push(scaled.clone());
    let joined = Tensor::cat(&joined, D::Minus1)?;
    let mut wide = relu(&dense(&joined, get("join1.weight")?, get("join1.bias")?)?)?;
    if let Some(dropout) = passage.dropout {
        wide = (wide * Tensor::from_slice(dropout, (alleles, spec.join_width[0]), device)?)?;
    }
    let narrow = relu(&dense(&wide, get("join2.weight")?, get("join2.bias")?)?)?;
    let out = dense(&narrow, get("out.weight")?, get("out.bias")?)?;
    out + dense(&scaled, get("shortcut.weight")?, &zeros(4)?)?
}

/// The cells with each base weighted by sigmoid((quality - t) / T).
fn gated(
    cells: &Tensor,
    inputs: &Inputs,
    reads: usize,
    threshold: &Tensor,
    temperature: &Tensor,
) -> Result<Tensor> {
    let device = cells.device();
    let qualities = Tensor::from_slice(&inputs.qualities, (reads, WINDOW, 1), device)?;
    let exponent = qualities
        .broadcast_sub(threshold)?
        .broadcast_div(temperature)?;
    // 1 / (1 + exp(-x)) with the exponent bounded, so that no infinity meets a 0.
    let gate = (exponent.clamp(-30f32, 30f32)?.neg()?.exp()? + 1.0)?.recip()?;
    let mask: Vec<f32> = GATED.iter().map(|is| f32::from(u8::from(*is))).collect();
    let mask = Tensor::from_vec(mask, (1, 1, CELL_CHANNELS), device)?;
    // weight = 1 - mask + mask * gate
    let weight = (gate - 1.0)?.broadcast_mul(&mask)?;
    cells.mul(&(weight + 1.0)?)
}
