//! The graph against the network on this crate's kernels, and as it is computed on a GPU.

use candle_core::{Device, Tensor, Var};

use super::AlleleSpec;
use crate::networks::Architecture;
use crate::networks::family::{Batch, ForwardOptions, OnDevice};
use crate::testing::{allele_architecture, allele_weights as random_weights, examples, scaling_of};
use cnnfilter_nn::layers::weighted_cross_entropy;
use cnnfilter_nn::testing::as_elsewhere;
use cnnfilter_nn::weights::Weights;

const SPECS: [AlleleSpec; 2] = [
    AlleleSpec {
        reads: true,
        base_filters: 8,
        read_filters: 6,
        site_filters: 5,
        kernel: 5,
        read_width: 7,
        join_width: [12, 9],
        quality_gate: true,
        genotype_width: 6,
    },
    AlleleSpec {
        reads: false,
        base_filters: 7,
        read_filters: 1,
        site_filters: 6,
        kernel: 3,
        read_width: 1,
        join_width: [10, 8],
        quality_gate: false,
        genotype_width: 0,
    },
];

/// Outputs of a batch, loss and the gradient of each weight, by name.
fn outputs_and_gradients(
    architecture: &dyn Architecture,
    weights: &Weights,
    batch: &dyn Batch,
    classes: &[u8],
) -> (Vec<f32>, Vec<(String, Vec<f32>)>) {
    let variables: Vec<(String, Var)> = weights
        .iter()
        .map(|(name, weight)| {
            let shape = weight.shape.as_slice();
            let var = Var::from_slice(&weight.data, shape, &Device::Cpu).unwrap();
            (name.clone(), var)
        })
        .collect();
    let parameters = variables
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let on = OnDevice::new(architecture, parameters, &Device::Cpu).unwrap();
    let dropout: Vec<f32> = (0..classes.len() * architecture.dropout()[0].width)
        .map(|unit| if unit % 5 == 2 { 0.0 } else { 1.25 })
        .collect();
    let masks = [dropout];
    let options = ForwardOptions {
        dropout: Some(&masks),
        ..ForwardOptions::default()
    };
    let logits = batch.forward(&on, options).unwrap();
    let ones = vec![1.0; classes.len()];
    let loss = weighted_cross_entropy(&logits, classes, &ones, 0.0).unwrap();
    let gradients = loss.backward().unwrap();
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    let gradients = variables
        .iter()
        .filter_map(|(name, var)| Some((name.clone(), flat(gradients.get(var)?))))
        .collect();
    (flat(&logits), gradients)
}

/// Fails unless the two agree, as a share of the largest number.
fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0f32, |most, x| most.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-4 * largest,
            "{what}: {found} against {expected}, largest {largest}"
        );
    }
}

#[test]
fn what_a_gpu_computes_agrees_with_the_kernels() {
    let scaling = scaling_of(&examples(&[1])[0]);
    for spec in SPECS {
        let weights = random_weights(&spec, &scaling);
        let architecture = allele_architecture(spec);
        let network = architecture.network(&weights).unwrap();
        for reads in [&[20, 0, 7, 1, 64, 3][..], &[0, 0], &[30]] {
            let what = format!("{reads:?} reads");
            let examples = examples(reads);
            let batch = architecture.batch(&examples).unwrap();
            let outputs = network.outputs(&examples).unwrap();
            let logits: Vec<[f32; 4]> = outputs.iter().map(|output| output.logits).collect();
            assert_eq!(network.logits(&examples).unwrap(), logits);
            let expected: Vec<f32> = (outputs.iter())
                .flat_map(|output| output.logits.into_iter().chain(output.two_copies))
                .collect();
            let on = OnDevice::copy(&*architecture, &weights, &Device::Cpu).unwrap();
            let found = as_elsewhere(|| batch.forward(&on, ForwardOptions::default()));
            let found: Vec<f32> = found.unwrap().flatten_all().unwrap().to_vec1().unwrap();
            assert_near(&found, &expected, &what);

            let classes: Vec<u8> = (0..examples.len() as u8).map(|at| at % 4).collect();
            let run = || outputs_and_gradients(&*architecture, &weights, &*batch, &classes);
            let (logits, gradients) = run();
            let (found, elsewhere) = as_elsewhere(run);
            assert_near(&found, &logits, &what);
            assert_eq!(elsewhere.len(), gradients.len());
            // Without any read, their layers have no gradient, and the one behind them zeros.
            let has_reads = reads.iter().any(|reads| *reads > 0);
            assert!(!has_reads || gradients.len() == weights.len());
            for ((name, found), (_, expected)) in elsewhere.iter().zip(&gradients) {
                assert!(!has_reads || expected.iter().any(|g| *g != 0.0), "{name}");
                assert_near(found, expected, &format!("{what}, gradient of {name}"));
            }
        }
    }
}
