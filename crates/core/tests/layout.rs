//! A model takes the numbers of a read and of a call that its card lists, in the card's order,
//! whatever else the encoder knows.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be prepared should stop"
)]

use cnnfilter_core::encode::SiteTensor;
use cnnfilter_core::testing::allele_example;
use cnnfilter_core::{Builtin, DeviceChoice, Example, Model};
use cnnfilter_nn::weights::{self, WeightTensor, Weights};
use serde_json::{Value, json};

/// Layers that take the pools and the scaled numbers.
const JOINED: [&str; 3] = ["join1.weight", "shortcut.weight", "genotype1.weight"];

/// Takes columns of a matrix `[out][in]`, by index.
fn columns(weight: &WeightTensor, take: &[usize]) -> WeightTensor {
    let inputs = weight.shape[1];
    let rows = weight.data.chunks_exact(inputs);
    WeightTensor {
        shape: vec![weight.shape[0], take.len()],
        data: rows
            .flat_map(|row| take.iter().map(|at| row[*at]))
            .collect(),
    }
}

/// The model with these weights, and these numbers of its card by index: of a read, of a call.
fn model(weights: &Weights, read: &[usize], site: &[usize]) -> Model {
    let mut card: Value = serde_json::from_slice(Builtin::default_for(true).0.card).unwrap();
    let pick = |list: &Value, take: &[usize]| -> Vec<Value> {
        take.iter().map(|at| list[*at].clone()).collect()
    };
    card["tensor"]["channels"] = json!(pick(&card["tensor"]["channels"], read));
    let known = card["tensor"]["site_features"].as_array().unwrap().len();
    card["tensor"]["site_features"] = json!(pick(&card["tensor"]["site_features"], site));
    let features = card["scaling"]["features"].clone();
    let count = features.as_array().unwrap().len();
    let scaled: Vec<usize> = site.iter().copied().chain(known..count).collect();
    card["scaling"]["features"] = json!(pick(&features, &scaled));
    // Vectors and summary are those of the whole model.
    card["test_vectors"] = json!([]);
    card["novelty"] = Value::Null;

    let mut weights = weights.clone();
    for name in ["flags.weight", "read_dense1.weight"] {
        let taken = columns(&weights[name], read);
        weights.insert(name.to_owned(), taken);
    }
    for name in JOINED {
        // What the convolutions give, then the scaled numbers, then their missing bits.
        let before = weights[name].shape[1] - 2 * count;
        let missing = scaled.iter().map(|at| at + count);
        let numbers = scaled.iter().copied().chain(missing);
        let take: Vec<usize> = (0..before).chain(numbers.map(|at| before + at)).collect();
        let taken = columns(&weights[name], &take);
        weights.insert(name.to_owned(), taken);
    }
    let bytes = weights::to_safetensors(&weights).unwrap();
    card["weights_sha256"] = json!(weights::sha256(&bytes));
    Model::load(
        &serde_json::to_vec(&card).unwrap(),
        &bytes,
        DeviceChoice::Cpu,
    )
    .unwrap()
}

/// Sets columns of a matrix to 0, by index.
fn blank(weight: &mut WeightTensor, at: &[usize]) {
    let inputs = weight.shape[1];
    for row in weight.data.chunks_exact_mut(inputs) {
        at.iter().for_each(|at| row[*at] = 0.0);
    }
}

#[test]
fn a_model_takes_the_numbers_that_its_card_lists_in_its_order() {
    let whole = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let (read, site) = (
        whole.card().tensor.channels.len(),
        whole.card().tensor.site_features.len(),
    );
    let scaled = whole.card().scaling.as_ref().unwrap().features.len();
    // A model that was made before its version knew some of the numbers ...
    let (new_read, new_site) = (19, 33);
    let mut weights = whole.weights().clone();
    for name in ["flags.weight", "read_dense1.weight"] {
        blank(weights.get_mut(name).unwrap(), &[new_read]);
    }
    for name in JOINED {
        let weight = weights.get_mut(name).unwrap();
        let before = weight.shape[1] - 2 * scaled;
        blank(weight, &[before + new_site, before + scaled + new_site]);
    }
    let blanked = model(&weights, &all(read), &all(site));
    // ... and that lists those it knew in another order.
    let without = |count: usize, new: usize| -> Vec<usize> {
        (0..count).rev().filter(|at| *at != new).collect()
    };
    let older = model(&weights, &without(read, new_read), &without(site, new_site));
    assert_eq!(older.card().tensor.channels.len(), read - 1);
    for (seed, reads) in [(1, 40), (2, 3), (3, 0), (4, 90)] {
        let [of_older, of_blanked] =
            [&older, &blanked].map(|model| allele_example(model.encoder(), seed, reads));
        assert_eq!(numbers(&of_older).1, numbers(&of_blanked).1 - 1);
        let found = older.logits(std::slice::from_ref(&of_older)).unwrap()[0];
        let expected = blanked.logits(std::slice::from_ref(&of_blanked)).unwrap()[0];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
        // An example of another layout is refused.
        let wrong = older.logits(std::slice::from_ref(&of_blanked));
        assert!(wrong.is_err(), "{seed}");
    }
}

fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

/// Numbers of a read, in all, and of the call.
fn numbers(example: &Example) -> (usize, usize) {
    let SiteTensor::Allele(set) = &example.tensor else {
        panic!("a tensor of our own");
    };
    (set.reads.len(), set.site.len())
}

#[test]
fn values_follow_their_names() {
    let whole = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let weights = whole.weights().clone();
    let read: Vec<usize> = (0..whole.card().tensor.channels.len()).rev().collect();
    let site: Vec<usize> = (0..whole.card().tensor.site_features.len()).rev().collect();
    let turned = model(&weights, &read, &site);
    let [a, b] = [&whole, &turned].map(|model| allele_example(model.encoder(), 7, 30));
    let (SiteTensor::Allele(a), SiteTensor::Allele(b)) = (a.tensor, b.tensor) else {
        panic!("tensors of our own");
    };
    let back: Vec<f32> = b.site.iter().rev().copied().collect();
    assert_eq!(a.site, back);
    let width = read.len();
    assert_eq!((a.rows, &a.supports), (b.rows, &b.supports));
    for (one, other) in a.reads.chunks(width).zip(b.reads.chunks(width)) {
        assert_eq!(one, other.iter().rev().copied().collect::<Vec<f32>>());
    }
}

/// Takes input channels of a convolution `[out][in][kernel]`, by index.
fn input_channels(weight: &WeightTensor, take: &[usize]) -> WeightTensor {
    let [_, inputs, kernel] = weight.shape[..] else {
        panic!("a convolution");
    };
    let filters = weight.data.chunks_exact(inputs * kernel);
    WeightTensor {
        shape: vec![weight.shape[0], take.len(), kernel],
        data: filters
            .flat_map(|filter| {
                let channel = |at: &usize| &filter[at * kernel..(at + 1) * kernel];
                take.iter().flat_map(channel)
            })
            .copied()
            .collect(),
    }
}

/// The built-in model with these channels of cells and haplotypes, by index; `blanked` ones weigh
/// nothing.
fn with_channels(cells: &[usize], haplotypes: &[usize], blanked: [usize; 2]) -> Model {
    let whole = Builtin::default_for(true).load(DeviceChoice::Cpu).unwrap();
    let names = cnnfilter_core::networks::allele::Channels::usual(true);
    let mut card: Value = serde_json::from_slice(Builtin::default_for(true).0.card).unwrap();
    let pick = |names: Vec<&str>, take: &[usize]| -> Vec<String> {
        take.iter().map(|at| names[*at].to_owned()).collect()
    };
    card["tensor"]["cell_channels"] = json!(pick(names.cell_names().collect(), cells));
    card["tensor"]["haplotype_channels"] =
        json!(pick(names.haplotype_names().collect(), haplotypes));
    card["test_vectors"] = json!([]);
    let mut weights = whole.weights().clone();
    for (name, take, blank) in [
        ("bases.weight", cells, blanked[0]),
        ("haplotype.weight", haplotypes, blanked[1]),
    ] {
        let weight = weights.get_mut(name).unwrap();
        let [_, inputs, kernel] = weight.shape[..] else {
            panic!("a convolution");
        };
        for filter in weight.data.chunks_exact_mut(inputs * kernel) {
            filter[blank * kernel..(blank + 1) * kernel].fill(0.0);
        }
        let taken = input_channels(weight, take);
        weights.insert(name.to_owned(), taken);
    }
    let bytes = weights::to_safetensors(&weights).unwrap();
    card["weights_sha256"] = json!(weights::sha256(&bytes));
    let card = serde_json::to_vec(&card).unwrap();
    Model::load(&card, &bytes, DeviceChoice::Cpu).unwrap()
}

#[test]
fn a_model_has_the_channels_that_its_card_lists_in_its_order() {
    let names = cnnfilter_core::networks::allele::Channels::usual(true);
    let (cells, haplotypes) = (names.cells(), names.haplotypes());
    // A model from before its version knew the clips and the column without a reference base.
    let new = [5, 4];
    let blanked = with_channels(&all(cells), &all(haplotypes), new);
    let without = |count: usize, new: usize| -> Vec<usize> {
        (0..count).rev().filter(|at| *at != new).collect()
    };
    let older = with_channels(&without(cells, new[0]), &without(haplotypes, new[1]), new);
    assert_eq!(older.card().tensor.cell_channels.len(), cells - 1);
    for (seed, reads) in [(1, 40), (2, 3), (3, 0), (4, 90)] {
        let example = allele_example(older.encoder(), seed, reads);
        let [found, expected] = [&older, &blanked]
            .map(|model| model.logits(std::slice::from_ref(&example)).unwrap()[0]);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
    }
    // Saved, it says so and is read again.
    let (card, weights) = older.to_files().unwrap();
    let again = Model::load(&card, &weights, DeviceChoice::Cpu).unwrap();
    assert_eq!(again.card(), older.card());
}
