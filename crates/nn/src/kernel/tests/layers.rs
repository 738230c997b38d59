//! Pooling, fully connected layers, and layers one after the other.

use proptest::prelude::*;

use super::*;

#[test]
fn nan_passes_through_relu_and_pooling() {
    let shape = ConvShape {
        cin: 1,
        cout: 1,
        kh: 1,
        kw: 1,
    };
    let conv = Conv::new(shape, &[1.0], &[0.0], true).unwrap();
    let x = [f32::NAN, -1.0, 2.0];
    for isa in available() {
        let mut y = Vec::new();
        conv.forward_with(isa, all_rows(&x, 1, 3), &mut y).unwrap();
        assert!(y[0].is_nan() && y[1] == 0.0 && y[2] == 2.0, "{isa}: {y:?}");
        let dense = Dense::new(3, 1, &[1.0; 3], &[0.0], true).unwrap();
        dense.forward_with(isa, &x, &mut y).unwrap();
        assert!(y[0].is_nan(), "{isa}: {y:?}");
    }
    let mut y = Vec::new();
    max_pool_rows(all_rows(&x, 3, 1), 1, 3, &mut y).unwrap();
    assert!(y[0].is_nan());
    max_pool_rows(all_rows(&[1.0, f32::NAN], 2, 1), 1, 2, &mut y).unwrap();
    assert!(y[0].is_nan());
}

#[test]
fn a_stack_of_layers_gives_the_same_with_padding_rows_left_out() {
    let conv = |cin, cout, kh, kw, seed| {
        let shape = ConvShape { cin, cout, kh, kw };
        let weight = noise(cin * cout * kh * kw, seed);
        Conv::new(shape, &weight, &noise(cout, seed + 1), true).unwrap()
    };
    let layers = [conv(15, 24, 9, 1, 1), conv(24, 20, 1, 9, 3)];
    let network = |isa: Isa, x: Rows<'_>| {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let shape = layers[0].forward_with(isa, x, &mut a).unwrap();
        let shape = layers[1].forward_with(isa, shape.rows(&a), &mut b).unwrap();
        let shape = max_pool_rows(shape.rows(&b), 20, 3, &mut a).unwrap();
        let flat = full(shape.rows(&a), 20);
        assert_eq!(flat.len(), shape.full_len().unwrap());
        let head = Dense::new(flat.len(), 5, &noise(flat.len() * 5, 8), &[0.0; 5], false);
        head.unwrap().forward_with(isa, &flat, &mut b).unwrap();
        bits(&b)
    };
    for stored in [1, 2, 3, 4, 7, 29, 39, 40] {
        let data = noise(stored * 33 * 15, 5);
        let x = Rows {
            data: &data,
            stored,
            logical: 40,
            width: 33,
        };
        let written_out = full(x, 15);
        for isa in available() {
            let (ragged, all) = (
                network(isa, x),
                network(isa, all_rows(&written_out, 40, 33)),
            );
            assert_eq!(ragged, all, "{isa} {stored}");
        }
    }
}

#[test]
fn the_large_fully_connected_layer_matches_its_definition() {
    let (inputs, outputs) = (15_424, 24);
    let weight = noise(inputs * outputs, 1);
    let x = noise(inputs, 2);
    let dense = Dense::new(inputs, outputs, &weight, &[0.25; 24], false).unwrap();
    let truth: Vec<(f64, f64)> = weight
        .chunks(inputs)
        .map(|row| {
            let products = row
                .iter()
                .zip(&x)
                .map(|(&w, &x)| f64::from(w) * f64::from(x));
            let scale: f64 = products.clone().map(f64::abs).sum();
            (products.sum::<f64>() + 0.25, scale)
        })
        .collect();
    for isa in available() {
        let mut y = Vec::new();
        dense.forward_with(isa, &x, &mut y).unwrap();
        assert_close(&y, &truth, inputs / 64, &isa.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pooling_ragged_rows_is_pooling_all_rows(
        (channels, width, k) in (1usize..5, 1usize..6, 1usize..7),
        more_rows in 0usize..30,
        stored in any::<prop::sample::Index>(),
        seed in 0u64..1_000_000,
    ) {
        let logical = k + more_rows;
        let stored = 1 + stored.index(logical);
        let data = noise(stored * width * channels, seed);
        let x = Rows { data: &data, stored, logical, width };
        let mut y = vec![9.0; 3];
        let shape = max_pool_rows(x, channels, k, &mut y).unwrap();
        prop_assert_eq!(shape.logical, logical / k);
        let before_padding = (0..logical / k).filter(|p| k * p < stored - 1).count();
        prop_assert_eq!(shape.stored, (before_padding + 1).min(logical / k));
        prop_assert_eq!(y.len(), shape.stored * width * channels);
        let written_out = full(x, channels);
        let row = width * channels;
        let expected: Vec<f32> = (0..logical / k * row)
            .map(|i| {
                let (p, at) = (i / row, i % row);
                (0..k).map(|d| written_out[(p * k + d) * row + at]).fold(f32::MIN, f32::max)
            })
            .collect();
        prop_assert_eq!(full(shape.rows(&y), channels), expected);
    }

    #[test]
    fn fully_connected_layers_match_their_definition(
        (inputs, outputs) in (1usize..400, 1usize..30),
        relu: bool,
        seed in 0u64..1_000_000,
    ) {
        let weight = noise(inputs * outputs, seed);
        let bias = noise(outputs, seed + 1);
        let x = noise(inputs, seed + 2);
        let truth: Vec<(f64, f64)> = weight
            .chunks(inputs)
            .zip(&bias)
            .map(|(row, &bias)| {
                let products = row.iter().zip(&x).map(|(&w, &x)| f64::from(w) * f64::from(x));
                let sum = products.clone().sum::<f64>() + f64::from(bias);
                let scale = products.map(f64::abs).sum::<f64>() + f64::from(bias).abs();
                (if relu { sum.max(0.0) } else { sum }, scale)
            })
            .collect();
        let dense = Dense::new(inputs, outputs, &weight, &bias, relu).unwrap();
        let mut fused: Option<Vec<u32>> = None;
        for isa in available() {
            let mut y = vec![3.0; 2];
            dense.forward_with(isa, &x, &mut y).unwrap();
            assert_close(&y, &truth, inputs.div_ceil(64), &isa.to_string());
            if isa != Isa::Portable {
                let first = fused.get_or_insert_with(|| bits(&y));
                prop_assert_eq!(&*first, &bits(&y));
            }
        }
    }
}
