//! The network learns, gives the same numbers wherever it runs, and survives its files.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Var};

use super::{AttentionFamily, AttentionSpec};
use crate::encode::Example;
use crate::encode::allele::AlleleLayout;
use crate::networks::allele::Channels;
use crate::networks::allele::architecture::to_sizes;
use crate::networks::family::{Batch, ForwardOptions, OnDevice, Trainable, TrainedInputs, rows};
use crate::networks::initial::initial_weights;
use crate::networks::{Architecture, Builtin, Model, Trained};
use crate::testing::examples;
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::layers::weighted_cross_entropy;
use cnnfilter_nn::optimizer::{AdamW, AdamWConfig};
use cnnfilter_nn::testing::as_elsewhere;
use cnnfilter_nn::weights::{WeightTensor, Weights};

/// A network for the examples of [`examples`].
fn architecture() -> Arc<dyn Architecture> {
    let spec = AttentionSpec {
        base_filters: 6,
        read_filters: 5,
        kernel: 3,
        read_width: 7,
        heads: 2,
        join_width: 9,
    };
    let model = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let inputs = TrainedInputs {
        annotations: model.card().annotations.clone(),
        scaling: model.card().scaling.clone().unwrap(),
        layout: AlleleLayout::usual(true),
        channels: Channels::usual(true),
    };
    let sizes = AttentionFamily.sizes(&to_sizes(&spec), true).unwrap();
    AttentionFamily.architecture(&sizes, inputs).unwrap()
}

/// Losses of some steps, and the weights behind them.
fn trained(examples: &[Example], classes: &[u8], steps: usize) -> (Vec<f32>, Weights) {
    let architecture = architecture();
    let variables: BTreeMap<String, Var> = initial_weights(&*architecture, 7)
        .into_iter()
        .map(|(name, weight)| {
            let var = Var::from_slice(&weight.data, weight.shape.as_slice(), &Device::Cpu);
            (name, var.unwrap())
        })
        .collect();
    let tensors = variables
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()));
    let on = OnDevice::new(&*architecture, tensors.collect(), &Device::Cpu).unwrap();
    let mut optimizer = AdamW::new(variables.clone(), AdamWConfig::default()).unwrap();
    let batch = architecture.batch(examples).unwrap();
    let ones = vec![1.0; examples.len()];
    let losses = (0..steps)
        .map(|_| {
            let logits = batch.forward(&on, ForwardOptions::default()).unwrap();
            let loss = weighted_cross_entropy(&logits, classes, &ones, 0.0).unwrap();
            let gradients = loss.backward().unwrap();
            optimizer.step(&gradients, 0.01).unwrap();
            loss.to_scalar().unwrap()
        })
        .collect();
    let weights = variables.iter().map(|(name, var)| {
        let data = var.flatten_all().unwrap().to_vec1().unwrap();
        let shape = var.dims().to_vec();
        (name.clone(), WeightTensor { shape, data })
    });
    (losses, weights.collect())
}

#[test]
fn the_loss_falls_and_the_weights_are_the_same_twice() {
    let examples = examples(&[9, 0, 14, 3, 6, 11, 2]);
    let classes = [0u8, 1, 2, 3, 1, 3, 0];
    let (losses, weights) = trained(&examples, &classes, 12);
    assert!(losses[11] < 0.8 * losses[0], "{losses:?}");
    let start = initial_weights(&*architecture(), 7);
    for (name, weight) in &weights {
        assert_ne!(weight, &start[name], "{name} does not learn");
    }
    assert!(weights == trained(&examples, &classes, 12).1);
}

#[test]
fn candles_operations_agree_with_the_layers_on_kernels() {
    let (architecture, examples) = (architecture(), examples(&[20, 0, 7, 1, 64, 3]));
    let (_, weights) = trained(&examples, &[0, 1, 2, 3, 0, 1], 3);
    let network = architecture.network(&weights).unwrap();
    let alone = network.logits(&examples).unwrap();
    let on = OnDevice::copy(&*architecture, &weights, &Device::Cpu).unwrap();
    let batch = architecture.batch(&examples).unwrap();
    let forward = |batch: &dyn Batch| batch.forward(&on, ForwardOptions::default()).unwrap();
    let together = rows(&forward(&*batch)).unwrap();
    let elsewhere = rows(&as_elsewhere(|| forward(&*batch))).unwrap();
    for found in [together, elsewhere] {
        let found = found.iter().flat_map(|output| output.logits);
        for (found, expected) in found.zip(alone.as_flattened()) {
            assert!((found - expected).abs() < 1e-4 * (1.0 + expected.abs()));
        }
    }
    // Reads change the outcome, and the order of examples does not.
    assert_ne!(alone[0], alone[1]);
    let reversed: Vec<Example> = examples.into_iter().rev().collect();
    let mut backwards = network.logits(&reversed).unwrap();
    backwards.reverse();
    assert_eq!(backwards, alone);
}

#[test]
fn a_model_survives_its_files_and_shows_its_layers() {
    let examples = examples(&[5, 2]);
    let (_, weights) = trained(&examples, &[0, 3], 2);
    let parts = Trained {
        name: "attention".to_owned(),
        architecture: architecture(),
        calibration: None,
        thresholds: None,
        genotype: None,
        training: None,
    };
    let made = Model::of_training(parts, weights).unwrap();
    let (card, weights) = made.to_files().unwrap();
    let model = Model::load(&card, &weights, DeviceChoice::Cpu).unwrap();
    assert_eq!(model.card().architecture, "cnnfilter_attention");
    assert_eq!(
        model.logits(&examples).unwrap(),
        made.logits(&examples).unwrap()
    );

    let shown = model.activations(&examples, &["score", "join"]).unwrap();
    let shapes: Vec<(&str, &[usize])> = shown
        .iter()
        .map(|(name, shown)| (name.as_str(), shown.shape.as_slice()))
        .collect();
    assert_eq!(shapes, [("join", &[2, 9][..]), ("score", &[7, 2])]);
    let error = model.activations(&examples, &["site1"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no layer `site1`; there are haplotype, read, value, score, join"
    );
}

#[test]
fn without_reads_it_is_refused() {
    let error = AttentionFamily.sizes(&Default::default(), false);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("examples with reads"), "{error}");
}
