//! The network on candle's tensors, many alleles at a time.

use candle_core::{D, DType, Tensor};

use super::spec::AttentionSpec;
use crate::networks::ModelError;
use crate::networks::activations::Layer;
use crate::networks::allele::batch::AlleleBatch;
use crate::networks::family::{Batch, ForwardOptions, OnDevice};
use cnnfilter_nn::layers::{conv_rows, dense, expand, pool_max, pool_mean, relu};

/// Bound of a score: a read weighs at most e^8 times as much as another.
const LARGEST_SCORE: f64 = 4.0;

/// Keeps a mean over no reads from being 0 / 0; far below any sum of weights.
const TINY: f64 = 1e-6;

/// The layers whose outputs can be read.
pub(super) fn layers() -> Vec<Layer> {
    vec![
        Layer::new("haplotype", &["allele", "column", "filter"]),
        Layer::new("read", &["read", "column", "filter"]),
        Layer::new("value", &["read", "unit"]),
        Layer::new("score", &["read", "head"]),
        Layer::new("join", &["allele", "unit"]),
    ]
}

/// A batch and the sizes of the network that it runs through.
#[derive(Debug)]
pub(super) struct Graph {
    pub spec: AttentionSpec,
    pub batch: AlleleBatch,
}

impl Batch for Graph {
    fn forward(&self, on: &OnDevice, options: ForwardOptions<'_>) -> Result<Tensor, ModelError> {
        let get = |name: &str| on.weight(name);
        let of_haplotype = conv_rows(
            &self.batch.haplotypes_on(on)?,
            get("haplotype.weight")?,
            get("haplotype.bias")?,
            false,
        )?;
        options.record("haplotype", &of_haplotype);
        let scaled = self.batch.scaled_on(on)?;
        let parts = [
            self.of_reads(on, &of_haplotype, options)?,
            over_columns(&relu(&of_haplotype)?)?,
            scaled.clone(),
        ];
        let joined = Tensor::cat(&parts, D::Minus1)?;
        let joined = relu(&dense(&joined, get("join.weight")?, get("join.bias")?)?)?;
        options.record("join", &joined);
        let joined = options.drop_out(0, joined)?;
        let out = dense(&joined, get("out.weight")?, get("out.bias")?)?;
        let zero = Tensor::zeros(4, DType::F32, on.device())?;
        Ok((out + dense(&scaled, get("shortcut.weight")?, &zero)?)?)
    }
}

impl Graph {
    /// The reads of each allele, joined: `[allele, head * unit]`.
    fn of_reads(
        &self,
        on: &OnDevice,
        of_haplotype: &Tensor,
        options: ForwardOptions<'_>,
    ) -> Result<Tensor, ModelError> {
        let (batch, device) = (&self.batch, on.device());
        let (alleles, reads, offsets) = (batch.alleles(), batch.reads(), batch.offsets());
        let (heads, width) = (self.spec.heads, self.spec.read_width);
        if reads == 0 {
            // A tensor without elements is nothing that a GPU can be given.
            return Ok(Tensor::zeros((alleles, heads * width), DType::F32, device)?);
        }
        let get = |name: &str| on.weight(name);
        let features = batch.reads_on(on)?;
        let base = self.spec.base_filters;
        let zero = Tensor::zeros(base, DType::F32, device)?;
        let cells = options.enter_cells(batch.cells_on(on)?)?;
        let cells = conv_rows(&cells, get("bases.weight")?, &zero, false)?;
        let flags = dense(&features, get("flags.weight")?, &zero)?;
        let haplotypes = expand(&of_haplotype.flatten_from(1)?, offsets)?;
        let first = (&cells + haplotypes.reshape(cells.shape())?)?;
        let first = relu(&first.broadcast_add(&flags.reshape((reads, 1, base))?)?)?;
        let of_read = conv_rows(&first, get("read.weight")?, get("read.bias")?, true)?;
        options.record("read", &of_read);

        let vector = Tensor::cat(&[over_columns(&of_read)?, features], 1)?;
        let value = relu(&dense(&vector, get("value.weight")?, get("value.bias")?)?)?;
        options.record("value", &value);
        let score = dense(&value, get("score.weight")?, get("score.bias")?)?;
        let score = ((score / LARGEST_SCORE)?.tanh()? * LARGEST_SCORE)?;
        options.record("score", &score);
        // The mean of weight * value over the mean of the weights: the number of reads cancels.
        let weight = score.exp()?;
        let weighted = weight.unsqueeze(2)?.broadcast_mul(&value.unsqueeze(1)?)?;
        let weighted = pool_mean(&weighted.flatten_from(1)?, offsets, None)?;
        let weight = (pool_mean(&weight, offsets, None)? + TINY)?;
        let joined = weighted.reshape((alleles, heads, width))?;
        let joined = joined.broadcast_div(&weight.reshape((alleles, heads, 1))?)?;
        Ok(joined.flatten_from(1)?)
    }
}

/// Maximum and mean over the columns: `[n, column, filter]` becomes `[n, 2 * filter]`.
fn over_columns(x: &Tensor) -> Result<Tensor, ModelError> {
    let (count, columns, _) = x.dims3()?;
    let rows = x.flatten_to(1)?;
    let offsets: Vec<usize> = (0..=count).map(|at| at * columns).collect();
    let pools = [
        pool_max(&rows, &offsets, None)?,
        pool_mean(&rows, &offsets, None)?,
    ];
    Ok(Tensor::cat(&pools, 1)?)
}
