//! Weights before training.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Architecture;
use cnnfilter_nn::weights::{WeightTensor, Weights};

/// A weight before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// Every number is this.
    Constant(f32),
    /// Numbers from -spread to spread, evenly.
    Uniform(f32),
}

impl Initial {
    /// He's initialisation (He et al. 2015, arXiv 1502.01852), uniform, for layers with a ReLU behind
    /// them: by the number of inputs, the product of all axes but the first. A vector is a bias and
    /// starts at 0.
    pub fn he(shape: &[usize]) -> Self {
        match shape {
            [_] | [] => Self::Constant(0.0),
            [_, inputs @ ..] => {
                let inputs: usize = inputs.iter().product();
                Self::Uniform((6.0 / inputs.max(1) as f64).sqrt() as f32)
            }
        }
    }
}

/// The weights that training starts from; the same for the same seed.
pub fn initial_weights(architecture: &dyn Architecture, seed: u64) -> Weights {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = Weights::new();
    for (name, shape) in architecture.weight_shapes() {
        let count: usize = shape.iter().product();
        let data = match architecture.initial(&name, &shape) {
            Initial::Constant(value) => vec![value; count],
            Initial::Uniform(spread) => (0..count)
                .map(|_| random.random_range(-spread..spread))
                .collect(),
        };
        weights.insert(name, WeightTensor { shape, data });
    }
    weights
}
