//! Made-up examples and weights for tests, here and in the crates above (feature `testing`).

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be prepared should stop"
)]

use std::sync::Arc;

use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::testing::noise;
use cnnfilter_nn::weights::{WeightTensor, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::encode::allele::{AlleleLayout, read_features};
use crate::encode::{Encoder, Example, SiteTensor};
use crate::networks::allele::{AlleleArchitecture, AlleleSpec, Channels};
use crate::networks::family::TrainedInputs;
use crate::networks::gatk::GatkSpec;
use crate::networks::scaling::Scaling;
pub use crate::networks::test_vectors::format_1::{allele_example, example};
use crate::networks::{Architecture, Builtin};

/// An example with each of these numbers of reads.
pub fn examples(reads: &[usize]) -> Vec<Example> {
    let model = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let encoder: &Encoder = model.encoder();
    let seeds = 3u64..;
    let examples = seeds.zip(reads);
    examples
        .map(|(seed, reads)| allele_example(encoder, seed, *reads))
        .collect()
}

/// A scaling of the numbers of such an example, which leaves them small.
pub fn scaling_of(example: &Example) -> Scaling {
    let SiteTensor::Allele(set) = &example.tensor else {
        panic!("a tensor of our own");
    };
    let model = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let scaling = model.card().scaling.clone().unwrap();
    let numbers = set.site.len() + example.annotations.len();
    assert_eq!(scaling.features.len(), numbers);
    scaling
}

/// One of our convolutional networks for such examples, without weights.
pub fn allele_architecture(spec: AlleleSpec) -> Arc<dyn Architecture> {
    let model = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let inputs = TrainedInputs {
        annotations: model.card().annotations.clone(),
        scaling: model.card().scaling.clone().unwrap(),
        layout: AlleleLayout::usual(spec.reads),
        channels: Channels::usual(spec.reads),
    };
    Arc::new(AlleleArchitecture::new(spec, inputs).unwrap())
}

/// Weights of He's spread, biases among them; the quality gate at its start.
pub fn allele_weights(spec: &AlleleSpec, scaling: &Scaling) -> Weights {
    let shapes = spec.weight_shapes(
        read_features::USUAL,
        2 * scaling.features.len(),
        &Channels::usual(spec.reads),
    );
    let seeds = 11u64..;
    seeds
        .zip(shapes)
        .map(|(seed, (name, shape))| {
            let inputs = shape[1..].iter().product::<usize>().max(10) as f32;
            let mut data = noise(shape.iter().product(), seed);
            let spread = 2.0 * (6.0 / inputs).sqrt();
            data.iter_mut().for_each(|weight| *weight *= spread);
            match name.as_str() {
                "quality_gate.threshold" => data = vec![15.0],
                "quality_gate.temperature" => data = vec![5.0],
                _ => {}
            }
            (name, WeightTensor { shape, data })
        })
        .collect()
}

/// Weights from a seed, uniform with the spread of Glorot's initialisation (Glorot and Bengio
/// 2010), for networks that are to be trained or to be tested; batch normalisation starts as the
/// identity.
pub fn random_weights(spec: &GatkSpec, seed: u64) -> Weights {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = Weights::new();
    for (name, shape) in spec.weight_shapes() {
        let count: usize = shape.iter().product();
        let data = if name.starts_with("annotation_norm") {
            let one = name.ends_with(".weight") || name.ends_with(".running_var");
            vec![if one { 1.0 } else { 0.0 }; count]
        } else if shape.len() == 1 {
            (0..count)
                .map(|_| random.random_range(-0.05f32..0.05))
                .collect()
        } else {
            let field: usize = shape[2..].iter().product();
            let spread = (6.0 / ((shape[0] + shape[1]) * field) as f32).sqrt();
            (0..count)
                .map(|_| random.random_range(-spread..spread))
                .collect()
        };
        weights.insert(name, WeightTensor { shape, data });
    }
    weights
}
