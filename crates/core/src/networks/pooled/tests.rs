//! The kernels' pooled outputs are those of the layers that candle records, pooled.

use super::*;
use crate::networks::Model;
use crate::networks::gatk::{assemble, spec};
use crate::networks::{Builtin, card::Source};
use crate::testing::random_weights;
use cnnfilter_nn::DeviceChoice;

/// Compares each layer of a model with what candle's graph gives, pooled by [`pool`].
fn agrees_with_candle(model: &Model, reads: &[usize]) {
    let architecture = model.architecture();
    let (known, recorded) = (model.pooled_layers().unwrap(), architecture.layers());
    let names: Vec<&str> = known.iter().map(|layer| layer.name.as_str()).collect();
    let wanted = Selection::new(&names, &known).unwrap();
    for (seed, reads) in reads.iter().enumerate() {
        let example = architecture.made_up(seed as u64 + 1, *reads);
        let found = &model
            .pooled(std::slice::from_ref(&example), &wanted)
            .unwrap()[0];
        let logits = model.logits(std::slice::from_ref(&example)).unwrap()[0];
        assert_eq!(found.logits, logits);
        for layer in &recorded {
            let range = wanted.range(&layer.name).unwrap();
            let mut expected = vec![0.0; range.len()];
            let all = model.activations(std::slice::from_ref(&example), &[layer.name.as_str()]);
            if let Some(output) = all.unwrap().get(&layer.name) {
                pool(layer, output, &example, &mut expected);
            }
            for (found, expected) in found.numbers[range].iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                    "{} with {reads} reads: {found} against {expected}",
                    layer.name
                );
            }
        }
    }
}

#[test]
fn our_kernels_agree_with_candle() {
    for reads in [true, false] {
        let model = Builtin::default_for(reads).load(DeviceChoice::Cpu).unwrap();
        agrees_with_candle(&model, &[20, 0, 1, 64]);
    }
}

#[test]
fn gatks_kernels_agree_with_candle() {
    for (spec, reads) in [(&spec::SMALL_2D, &[0, 7][..]), (&spec::REFERENCE_1D, &[0])] {
        let source = Source {
            file: "random".into(),
            member: String::new(),
            sha256: String::new(),
            cnnfilter_version: "0".into(),
        };
        let model = assemble(spec, random_weights(spec, 3), source).unwrap();
        agrees_with_candle(&model, reads);
    }
}

#[test]
fn a_layer_has_its_place_and_an_unknown_one_is_told() {
    let known = [
        PooledLayer::new("a", 2, Pools::Reads),
        PooledLayer::new("b", 3, Pools::None),
    ];
    let wanted = Selection::new(&["b", "a", "b"], &known).unwrap();
    assert_eq!(wanted.width(), 11);
    assert_eq!(wanted.range("b"), Some(0..3));
    assert_eq!(wanted.range("a"), Some(3..11));
    let error = Selection::new(&["c"], &known).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("a, b"), "{error}");
}

#[test]
fn a_row_that_stands_for_many_counts_as_many() {
    let mut out = [0.0; 2];
    max_and_mean(&[1.0, 3.0, -5.0, 7.0], 1, (2, 3), &mut out);
    assert_eq!(out, [7.0, (4.0 + 3.0 * 2.0) / 8.0]);
}
