//! Integrated gradients: how much each cell of the pileup contributes to an output.
//!
//! The cells are scaled from nothing to what they are; the gradients on the way, averaged and multiplied by
//! the cells, sum to the difference of the outputs (Sundararajan, Taly and Yan, "Axiomatic Attribution for
//! Deep Networks", ICML 2017, equation 1). Haplotypes, numbers of the reads and numbers of the call stay.

use std::cell::RefCell;

use candle_core::{Tensor, Var};

use super::family::{ForwardOptions, OnDevice};
use super::{Model, ModelError};
use crate::encode::allele::columns::WINDOW;
use crate::encode::{Example, SiteTensor};
use crate::genome::VariantKind;

/// Points on the way in the first attempt, and factor of each further one.
const STEPS: usize = 8;
const FINER: usize = 4;
/// Attempts; the last one is taken as it is.
const ATTEMPTS: usize = 4;
/// Points that are computed together.
const TOGETHER: usize = 16;
/// Largest error of a sum: a share of the difference, and beside it in natural-log odds.
const TOLERANCE: f64 = 0.01;
const LEAST: f64 = 0.002;

/// Scales the cells of a batch on their way into a network and keeps them.
#[derive(Debug)]
pub struct CellInput {
    /// Of each read of the batch.
    shares: Vec<f32>,
    /// The cells as they are, and scaled.
    entered: RefCell<Option<(Tensor, Var)>>,
}

impl CellInput {
    fn new(shares: Vec<f32>) -> Self {
        Self {
            shares,
            entered: RefCell::new(None),
        }
    }

    /// The scaled cells; `cells` is `[read, column, channel]`.
    pub(super) fn enter(&self, cells: &Tensor) -> candle_core::Result<Tensor> {
        let count = self.shares.len();
        let shares = Tensor::from_slice(&self.shares, (count, 1, 1), cells.device())?;
        let scaled = Var::from_tensor(&cells.broadcast_mul(&shares)?)?;
        let input = scaled.as_tensor().clone();
        *self.entered.borrow_mut() = Some((cells.detach(), scaled));
        Ok(input)
    }

    /// Gradient times cell, summed over points and channels: `[row][column]`. Nothing where the odds do
    /// not depend on the cells.
    fn contributions(self, odds: &Tensor) -> candle_core::Result<Vec<f32>> {
        let gradients = odds.sum_all()?.backward()?;
        let Some((cells, scaled)) = self.entered.into_inner() else {
            return Ok(Vec::new());
        };
        let Some(gradient) = gradients.get(scaled.as_tensor()) else {
            return Ok(Vec::new());
        };
        let products = (cells * gradient)?.sum(2)?;
        let points = odds.elem_count();
        let cells = products.elem_count() / points;
        products.reshape((points, cells))?.sum(0)?.to_vec1()
    }
}

/// Contributions of cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellContributions {
    /// `[row][column]`, natural-log odds; they sum to `whole - empty` within a hundredth of it.
    pub cells: Vec<f32>,
    /// Log odds of the call as it is, real less false output of its kind.
    pub whole: f64,
    /// The same with nothing in the cells.
    pub empty: f64,
}

/// Computes integrated gradients for one model, on the CPU.
#[derive(Debug)]
pub struct Integrator<'a> {
    model: &'a Model,
    on: OnDevice,
}

impl<'a> Integrator<'a> {
    /// Copies the weights into candle's tensors.
    ///
    /// # Errors
    /// candle's own.
    pub fn new(model: &'a Model) -> Result<Self, ModelError> {
        let on = model.on_cpu()?;
        Ok(Self { model, on })
    }

    /// The contributions of the cells of a call; nothing for a call without rows and for GATK's networks.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn cells(
        &self,
        example: &Example,
        kind: VariantKind,
    ) -> Result<Option<CellContributions>, ModelError> {
        let SiteTensor::Allele(tensor) = &example.tensor else {
            return Ok(None);
        };
        if tensor.rows.is_empty() || !self.model.uses_reads() {
            return Ok(None);
        }
        let rows = tensor.rows.len();
        let ends: Vec<f32> = self
            .forward(example, rows, &[0.0, 1.0], kind)?
            .1
            .to_vec1()?;
        let (empty, whole) = (f64::from(ends[0]), f64::from(ends[1]));
        let mut found = CellContributions {
            cells: Vec::new(),
            whole,
            empty,
        };
        let mut steps = STEPS;
        for _ in 0..ATTEMPTS {
            found.cells = self.integrate(example, rows, steps, kind)?;
            let sum: f64 = found.cells.iter().map(|value| f64::from(*value)).sum();
            if (sum - (whole - empty)).abs() <= TOLERANCE * (whole - empty).abs() + LEAST {
                break;
            }
            steps *= FINER;
        }
        Ok(Some(found))
    }

    /// The mean over so many midpoints of gradient times cell: `[row][column]`.
    fn integrate(
        &self,
        example: &Example,
        rows: usize,
        steps: usize,
        kind: VariantKind,
    ) -> Result<Vec<f32>, ModelError> {
        let shares: Vec<f32> = (0..steps)
            .map(|step| (step as f32 + 0.5) / steps as f32)
            .collect();
        let mut sums = vec![0.0; rows * WINDOW];
        for shares in shares.chunks(TOGETHER) {
            let (input, odds) = self.forward(example, rows, shares, kind)?;
            let part = input.contributions(&odds)?;
            let pairs = sums.iter_mut().zip(part);
            pairs.for_each(|(sum, more)| *sum += f64::from(more));
        }
        let mean = |sum: f64| (sum / steps as f64) as f32;
        Ok(sums.into_iter().map(mean).collect())
    }

    /// The odds at some points of the way, `[point]`, and the cells that they come from.
    fn forward(
        &self,
        example: &Example,
        rows: usize,
        shares: &[f32],
        kind: VariantKind,
    ) -> Result<(CellInput, Tensor), ModelError> {
        let examples = vec![example.clone(); shares.len()];
        let of_reads = shares.iter().flat_map(|share| vec![*share; rows]);
        let input = CellInput::new(of_reads.collect());
        let options = ForwardOptions {
            cells: Some(&input),
            ..ForwardOptions::default()
        };
        let batch = self.model.architecture().batch(&examples)?;
        let logits = batch.forward(&self.on, options)?;
        Ok((input, odds(&logits, kind)?))
    }
}

/// The real less the false output of a kind, `[example]`: the score without its bounds. A call of neither
/// kind takes the larger.
fn odds(logits: &Tensor, kind: VariantKind) -> candle_core::Result<Tensor> {
    let output = |at: usize| logits.narrow(1, at, 1)?.flatten_all();
    let snp = (output(2)? - output(0)?)?;
    let indel = (output(3)? - output(1)?)?;
    match kind {
        VariantKind::Snp => Ok(snp),
        VariantKind::Indel => Ok(indel),
        VariantKind::Other => snp.maximum(&indel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Builtin;
    use crate::score::log_odds::log_odds;
    use cnnfilter_nn::DeviceChoice;

    #[test]
    fn cells_sum_to_the_difference_of_the_scores() {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        let model = builtin.load(DeviceChoice::Cpu).unwrap();
        let integrator = Integrator::new(&model).unwrap();
        for (seed, reads) in [(5, 12), (6, 40), (7, 1)] {
            let example = model.architecture().made_up(seed, reads);
            for kind in [VariantKind::Snp, VariantKind::Indel] {
                let found = integrator.cells(&example, kind).unwrap().unwrap();
                assert_eq!(found.cells.len(), reads * WINDOW);
                let sum: f64 = found.cells.iter().map(|value| f64::from(*value)).sum();
                let difference = found.whole - found.empty;
                assert!(
                    (sum - difference).abs() <= 0.01 * difference.abs() + 0.002,
                    "{sum} is not {difference}"
                );
                let logits = model.logits(std::slice::from_ref(&example)).unwrap()[0];
                let score = log_odds(logits, kind);
                if score.abs() < 10.0 {
                    assert!((found.whole - score).abs() < 1e-3 * (1.0 + score.abs()));
                }
            }
        }
    }

    #[test]
    fn without_rows_there_is_nothing_to_integrate() {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        let model = builtin.load(DeviceChoice::Cpu).unwrap();
        let integrator = Integrator::new(&model).unwrap();
        let example = model.architecture().made_up(5, 0);
        assert_eq!(integrator.cells(&example, VariantKind::Snp).unwrap(), None);
    }
}
