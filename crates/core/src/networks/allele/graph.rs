//! Our own networks on candle's tensors: many alleles at a time, differentiable.

use candle_core::{D, DType, Tensor};

use super::batch::AlleleBatch;
use super::channels::Channels;
use super::spec::{AlleleSpec, CELL_POOLS, KEPT_COLUMNS, READ_POOLS};
use crate::encode::allele::columns::WINDOW;
use crate::networks::ModelError;
use crate::networks::activations::Layer;
use crate::networks::family::{Batch, ForwardOptions, OnDevice};
use cnnfilter_nn::layers::{conv_rows, dense, expand, pool_max, pool_mean, relu};

/// The layers whose outputs can be read, with reads or without.
pub(super) fn layers(reads: bool) -> Vec<Layer> {
    let columns: &[&str] = &["allele", "column", "filter"];
    let mut layers = vec![
        Layer::new("haplotype", columns),
        Layer::new("site2", columns),
        Layer::new("join1", &["allele", "unit"]),
        Layer::new("join2", &["allele", "unit"]),
    ];
    if reads {
        layers.extend([
            Layer::new("read", &["read", "column", "filter"]),
            Layer::new("read_dense2", &["read", "unit"]),
            Layer::new("site1", columns),
        ]);
    }
    layers
}

/// A batch and the sizes of the network that it runs through.
#[derive(Debug)]
pub(super) struct Graph {
    pub spec: AlleleSpec,
    pub channels: Channels,
    pub batch: AlleleBatch,
}

impl Batch for Graph {
    fn forward(&self, on: &OnDevice, options: ForwardOptions<'_>) -> Result<Tensor, ModelError> {
        forward(self, on, options)
    }
}

/// The four outputs before softmax, and the log odds of two copies where there is a head for it:
/// `[alleles, 4]` or `[alleles, 5]`.
///
/// # Errors
/// Sizes that do not fit together, and candle's own errors.
fn forward(
    graph: &Graph,
    on: &OnDevice,
    options: ForwardOptions<'_>,
) -> Result<Tensor, ModelError> {
    let Graph { spec, batch, .. } = graph;
    let (alleles, device) = (batch.alleles(), on.device());
    let get = |name: &str| on.weight(name);
    let of_haplotype = conv_rows(
        &batch.haplotypes_on(on)?,
        get("haplotype.weight")?,
        get("haplotype.bias")?,
        !spec.reads,
    )?;
    options.record("haplotype", &of_haplotype);
    let mut joined = Vec::new();
    let over_site = if spec.reads {
        let (pooled, of_reads) = read_layers(graph, on, &of_haplotype, options)?;
        joined.push(of_reads);
        let over_site = conv_rows(&pooled, get("site1.weight")?, get("site1.bias")?, true)?;
        options.record("site1", &over_site);
        over_site
    } else {
        of_haplotype
    };
    let of_site = conv_rows(&over_site, get("site2.weight")?, get("site2.bias")?, true)?;
    options.record("site2", &of_site);
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
    let scaled = batch.scaled_on(on)?;
    joined.push(scaled.clone());
    let joined = Tensor::cat(&joined, D::Minus1)?;
    let wide = relu(&dense(&joined, get("join1.weight")?, get("join1.bias")?)?)?;
    options.record("join1", &wide);
    let wide = options.drop_out(0, wide)?;
    let narrow = relu(&dense(&wide, get("join2.weight")?, get("join2.bias")?)?)?;
    options.record("join2", &narrow);
    let out = dense(&narrow, get("out.weight")?, get("out.bias")?)?;
    let zero = Tensor::zeros(4, DType::F32, device)?;
    let out = (out + dense(&scaled, get("shortcut.weight")?, &zero)?)?;
    if spec.genotype_width == 0 {
        return Ok(out);
    }
    let hidden = dense(&joined, get("genotype1.weight")?, get("genotype1.bias")?)?;
    let two_copies = dense(
        &relu(&hidden)?,
        get("genotype2.weight")?,
        get("genotype2.bias")?,
    )?;
    Ok(Tensor::cat(&[out, two_copies], D::Minus1)?)
}

/// The layers over reads and their pools: `[alleles, columns, pool * filters]` of the cells and
/// `[alleles, pool * width]` of the reads' own numbers.
fn read_layers(
    graph: &Graph,
    on: &OnDevice,
    of_haplotype: &Tensor,
    options: ForwardOptions<'_>,
) -> Result<(Tensor, Tensor), ModelError> {
    let Graph { spec, batch, .. } = graph;
    let (alleles, reads, offsets) = (batch.alleles(), batch.reads(), batch.offsets());
    let device = on.device();
    let get = |name: &str| on.weight(name);
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
    let mut cells = batch.cells_on(on)?;
    if spec.quality_gate {
        cells = gated(
            &graph.channels,
            &cells,
            &batch.qualities_on(on)?,
            get("quality_gate.threshold")?,
            get("quality_gate.temperature")?,
        )?;
    }
    let cells = options.enter_cells(cells)?;
    let of_reads = batch.reads_on(on)?;
    let zero = Tensor::zeros(base, DType::F32, device)?;
    let first = conv_rows(&cells, get("bases.weight")?, &zero, false)?;
    let flags = dense(&of_reads, get("flags.weight")?, &zero)?;
    let haplotypes =
        expand(&of_haplotype.flatten_from(1)?, offsets)?.reshape((reads, width, base))?;
    let first = (first + haplotypes)?.broadcast_add(&flags.reshape((reads, 1, base))?)?;
    let second = conv_rows(&relu(&first)?, get("read.weight")?, get("read.bias")?, true)?;
    options.record("read", &second);
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
    let pools = pools.into_iter().collect::<candle_core::Result<Vec<_>>>()?;
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
    options.record("read_dense2", &two);
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
    channels: &Channels,
    cells: &Tensor,
    qualities: &Tensor,
    threshold: &Tensor,
    temperature: &Tensor,
) -> candle_core::Result<Tensor> {
    let exponent = qualities
        .broadcast_sub(threshold)?
        .broadcast_div(temperature)?;
    // 1 / (1 + exp(-x)) with the exponent bounded, so that no infinity meets a 0.
    let gate = (exponent.clamp(-30f32, 30f32)?.neg()?.exp()? + 1.0)?.recip()?;
    let mask: Vec<f32> = channels.gated().map(|is| f32::from(u8::from(is))).collect();
    let mask = Tensor::from_vec(mask, (1, 1, channels.cells()), cells.device())?;
    // weight = 1 - mask + mask * gate
    let weight = (gate - 1.0)?.broadcast_mul(&mask)?;
    cells.mul(&(weight + 1.0)?)
}
