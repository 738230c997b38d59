//! Tests of the Keras weight reader on two tiny files.
use proptest::prelude::*;

use super::*;

// Both made by make_tiny.py (h5py 3.16.0, libhdf5's group B-trees of rank 1). Element i of the
// t-th tensor of a file is 100 t + i - 0.25.
// keras_tiny.hd5, model.save of a Theano network: read_tensor (no weights), conv2d_1 (kernel
// (3, 1, 2, 4), bias (4)), dense_1 (kernel (8, 3)).
// keras_tiny_weights.hd5, model.save_weights without a backend: input_1 (no weights), conv1d_1
// (kernel (2, 1, 3), bias (3)).
const WHOLE: &[u8] = include_bytes!("../../../../../../tests/data/keras/keras_tiny.hd5");
const WEIGHTS: &[u8] = include_bytes!("../../../../../../tests/data/keras/keras_tiny_weights.hd5");

fn numbers(tensor: usize, elements: std::ops::Range<usize>) -> Vec<f32> {
    let value = |i| (100 * tensor + i) as f32 - 0.25;
    elements.map(value).collect()
}

fn tensor(layer: &str, weight: &str, shape: &[usize], data: Vec<f32>) -> KerasTensor {
    KerasTensor {
        layer: layer.to_owned(),
        name: format!("{layer}/{weight}"),
        shape: shape.to_vec(),
        data,
    }
}

/// `file` with `to` over the first occurrence of `from`.
fn patched(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = file.windows(from.len()).position(|window| window == from);
    let at = at.expect("the fixture holds the pattern");
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

#[test]
fn reads_a_saved_model_and_turns_theano_kernels() {
    let kernel = [numbers(0, 16..24), numbers(0, 8..16), numbers(0, 0..8)].concat();
    let expected = [
        tensor("conv2d_1", "kernel:0", &[3, 1, 2, 4], kernel),
        tensor("conv2d_1", "bias:0", &[4], numbers(1, 0..4)),
        tensor("dense_1", "kernel:0", &[8, 3], numbers(2, 0..24)),
    ];
    assert_eq!(read_keras_weights(WHOLE).unwrap(), expected);
}

#[test]
fn leaves_kernels_of_other_backends() {
    let file = patched(WHOLE, b"theano", b"cntk\0\0");
    let tensors = read_keras_weights(&file).unwrap();
    assert_eq!(tensors[0].data, numbers(0, 0..24));
}

#[test]
fn reads_saved_weights() {
    let expected = [
        tensor("conv1d_1", "kernel:0", &[2, 1, 3], numbers(0, 0..6)),
        tensor("conv1d_1", "bias:0", &[3], numbers(1, 0..3)),
    ];
    assert_eq!(read_keras_weights(WEIGHTS).unwrap(), expected);
}

#[test]
fn refuses_every_cut_file() {
    for len in 0..WHOLE.len() {
        assert!(read_keras_weights(&WHOLE[..len]).is_err(), "{len} bytes");
    }
    let cut = read_keras_weights(&WHOLE[..WHOLE.len() - 1]);
    assert!(matches!(cut, Err(KerasError::CutOff { .. })), "{cut:?}");
}

#[test]
fn refuses_what_keras_does_not_write() {
    let listed = patched(WHOLE, b"conv2d_1\0\0\0dense_1\0", b"conv2d_1\0\0\0conv2d_1");
    let twice = read_keras_weights(&listed);
    assert!(
        matches!(&twice, Err(KerasError::Twice(layer)) if layer == "conv2d_1"),
        "{twice:?}"
    );

    let unnamed = read_keras_weights(&patched(WHOLE, b"weight_names", b"weight_namez"));
    assert!(
        matches!(unnamed, Err(KerasError::NoAttribute { .. })),
        "{unnamed:?}"
    );

    // The datatype message of a float of 4 bytes; class 0 is an integer.
    let float = [0x11, 0x20, 0x1f, 0, 4, 0, 0, 0];
    let integer = read_keras_weights(&patched(WHOLE, &float, &[0x10]));
    assert!(
        matches!(integer, Err(KerasError::Type { .. })),
        "{integer:?}"
    );
}

#[test]
fn refuses_tensors_larger_than_the_file() {
    let shape: Vec<u8> = [8u64, 3]
        .iter()
        .flat_map(|extent| extent.to_le_bytes())
        .collect();
    for extent in [0, 1 << 10, 1 << 40, u64::MAX] {
        let file = patched(WHOLE, &shape, &extent.to_le_bytes());
        let read = read_keras_weights(&file);
        assert!(
            matches!(read, Err(KerasError::Shape { .. })),
            "{extent}: {read:?}"
        );
    }
}

/// 40 group B-tree nodes, each of which leads to the next one twice: a reader that does not
/// notice visits 2^40 leaves.
#[test]
fn refuses_a_group_that_multiplies() {
    let address = |at: usize| (at as u64).to_le_bytes();
    let root = u64::from_le_bytes(*WHOLE[0x50..].first_chunk().unwrap());
    let (start, size) = (WHOLE.len(), 64);
    let mut file = WHOLE.to_vec();
    for at in 0..=WHOLE.len() - 8 {
        if file[at..at + 8] == root.to_le_bytes() {
            file[at..at + 8].copy_from_slice(&address(start));
        }
    }
    for node in 1..=40u8 {
        let next = match node {
            40 => root.to_le_bytes(),
            _ => address(start + size * usize::from(node)),
        };
        file.extend(b"TREE");
        file.extend([0, 41 - node, 2, 0]);
        file.extend([0xff; 16]);
        for word in [[0; 8], next, [0; 8], next, [0; 8]] {
            file.extend(word);
        }
    }
    let read = read_keras_weights(&file);
    assert!(matches!(read, Err(KerasError::Hdf5 { .. })), "{read:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn survives_broken_bytes(
        whole: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = if whole { WHOLE } else { WEIGHTS }.to_vec();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        for tensor in read_keras_weights(&file).unwrap_or_default() {
            prop_assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
            prop_assert!(tensor.data.len() * 4 <= file.len());
        }
    }
}
