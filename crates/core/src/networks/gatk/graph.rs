//! A network of GATK's design on candle's tensors, all 128 rows written out.

use candle_core::Tensor;

use super::batch::GatkBatch;
use super::network::NORM_EPSILON;
use crate::networks::ModelError;
use crate::networks::family::{Batch, ForwardOptions, OnDevice};

impl Batch for GatkBatch {
    fn forward(&self, on: &OnDevice, options: ForwardOptions<'_>) -> Result<Tensor, ModelError> {
        let mut x = self.on_device(on)?.permute((0, 3, 1, 2))?.contiguous()?;
        for (at, conv) in self.spec.convs.iter().enumerate() {
            let name = format!("conv{}", at + 1);
            let bias = on.weight(&format!("{name}.bias"))?;
            x = x
                .conv2d(on.weight(&format!("{name}.weight"))?, 0, 1, 1, 1)?
                .broadcast_add(&bias.reshape((1, conv.filters, 1, 1))?)?
                .relu()?;
            if conv.pool > 1 {
                x = x.max_pool2d_with_stride((conv.pool, 1), (conv.pool, 1))?;
            }
            options.record(&name, &x);
        }
        let trunk = x.permute((0, 2, 3, 1))?.contiguous()?.flatten_from(1)?;
        let annotations = normalised(&self.annotations_on(on)?, on)?;
        let dense = |name: &str, x: &Tensor| -> Result<Tensor, ModelError> {
            let weight = on.weight(&format!("{name}.weight"))?;
            let bias = on.weight(&format!("{name}.bias"))?;
            Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?)
        };
        let units = dense("annotation_dense", &annotations)?.relu()?;
        options.record("annotation_dense", &units);
        let mut joined = dense("dense", &Tensor::cat(&[&trunk, &units], 1)?)?.relu()?;
        options.record("dense", &joined);
        if self.spec.shortcut {
            joined = Tensor::cat(&[&joined, &annotations], 1)?;
        }
        dense("output", &joined)
    }
}

/// The annotations after the batch normalisation with fixed statistics.
fn normalised(annotations: &Tensor, on: &OnDevice) -> Result<Tensor, ModelError> {
    let get = |name: &str| on.weight(&format!("annotation_norm.{name}"));
    let deviation = (get("running_var")? + f64::from(NORM_EPSILON))?.sqrt()?;
    let scale = (get("weight")? / deviation)?;
    let shift = (get("bias")? - (get("running_mean")? * &scale)?)?;
    Ok(annotations.broadcast_mul(&scale)?.broadcast_add(&shift)?)
}
