//! Weighted cross-entropy, optionally focal.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};

use super::cpu::{elements, with_elements};

/// `sum of w_i (1 - p_i)^gamma (-ln p_i) / sum of w_i`, a scalar, with p_i the softmax probability
/// of the target of site i. Gamma 0 is plain cross-entropy; above 0 it is the focal loss of Lin et
/// al. 2017 (arXiv 1708.02002), which gives less weight to sites that are already right.
///
/// `logits` are `[S, C]`, `targets` S numbers below C, `weights` S numbers, not negative and finite
/// with a sum above 0. Computed in f64 from the f32 logits, on the CPU whatever the device: the
/// result lies there.
///
/// # Errors
/// Operands that do not fit together or are out of range, a gamma that is negative or not finite,
/// and candle's own.
pub fn weighted_cross_entropy(
    logits: &Tensor,
    targets: &[u8],
    weights: &[f32],
    focal_gamma: f32,
) -> Result<Tensor> {
    let (sites, classes) = logits.dims2()?;
    if targets.len() != sites || weights.len() != sites {
        let (targets, weights) = (targets.len(), weights.len());
        bail!("{targets} targets and {weights} weights for logits of {sites} sites");
    }
    if let Some(bad) = targets.iter().find(|&&target| target as usize >= classes) {
        bail!("{bad} is none of {classes} classes");
    }
    let weight = |weight: &&f32| !(weight.is_finite() && **weight >= 0.0);
    if let Some(bad) = weights.iter().find(weight) {
        bail!("{bad} is no weight");
    }
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    if total <= 0.0 {
        bail!("the weights of {sites} sites sum to {total}");
    }
    if !(focal_gamma.is_finite() && focal_gamma >= 0.0) {
        bail!("{focal_gamma} is no focal gamma");
    }
    let loss = CrossEntropy {
        targets: targets.to_vec(),
        shares: weights.iter().map(|&w| f64::from(w) / total).collect(),
        gamma: f64::from(focal_gamma),
    };
    logits
        .to_device(&Device::Cpu)?
        .contiguous()?
        .apply_op1(loss)
}

/// The loss of one batch.
struct CrossEntropy {
    targets: Vec<u8>,
    /// Weights, summing to 1.
    shares: Vec<f64>,
    gamma: f64,
}

/// The numbers of a site that the loss and its gradient need.
struct Site {
    /// -ln p of the target.
    surprise: f64,
    /// 1 - p of the target, as the sum of the other classes.
    others: f64,
    /// Probability of each class.
    p: Vec<f64>,
}

impl Site {
    fn new(logits: &[f32], target: usize) -> Site {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let above: Vec<f64> = logits
            .iter()
            .map(|&z| f64::from(z) - f64::from(most))
            .collect();
        let p: Vec<f64> = above.iter().map(|z| z.exp()).collect();
        let sum: f64 = p.iter().sum();
        let p: Vec<f64> = p.iter().map(|p| p / sum).collect();
        let others = p.iter().enumerate().filter(|(class, _)| *class != target);
        let others: f64 = others.map(|(_, p)| p).sum();
        // Near certainty the logarithm of the sum of all classes is that of 1.
        let surprise = if others < 0.5 {
            -(-others).ln_1p()
        } else {
            sum.ln() - above[target]
        };
        Site {
            surprise,
            others,
            p,
        }
    }
}

impl CrossEntropy {
    /// The sites of `[S, C]` logits with their shares and targets.
    fn sites<'a>(
        &'a self,
        logits: &'a [f32],
        classes: usize,
    ) -> impl Iterator<Item = (Site, f64, usize)> + 'a {
        let sites = logits.chunks_exact(classes).zip(&self.targets);
        sites.zip(&self.shares).map(|((logits, &target), &share)| {
            let target = usize::from(target);
            (Site::new(logits, target), share, target)
        })
    }
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, classes) = layout.shape().dims2()?;
        let logits = elements(logits, layout)?;
        let loss: f64 = self
            .sites(logits, classes)
            .filter(|(_, share, _)| *share > 0.0)
            .map(|(site, share, _)| share * site.others.powf(self.gamma) * site.surprise)
            .sum();
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (sites, classes) = logits.dims2()?;
        let dy = f64::from(dy.to_scalar::<f32>()?);
        let mut gradient = Vec::with_capacity(sites * classes);
        with_elements(logits, |logits| {
            for (site, share, target) in self.sites(logits, classes) {
                // With q = 1 - p, the derivative of -q^gamma ln p by logit j is
                // q^gamma (gamma p ln p / q - 1) ((j = target) - p_j), and ln p / q -> -1 as
                // q -> 0.
                let ratio = if site.others > 0.0 {
                    -site.surprise / site.others
                } else {
                    -1.0
                };
                let slope = self.gamma * site.p[target] * ratio - 1.0;
                let factor = dy * share * site.others.powf(self.gamma) * slope;
                for (class, &p) in site.p.iter().enumerate() {
                    let direction = if class == target { site.others } else { -p };
                    let part = if share > 0.0 { factor * direction } else { 0.0 };
                    gradient.push(part as f32);
                }
            }
            Ok(())
        })?;
        let gradient = Tensor::from_vec(gradient, (sites, classes), logits.device())?;
        Ok(Some(gradient))
    }
}
