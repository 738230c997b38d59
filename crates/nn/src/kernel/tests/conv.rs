//! Convolutions.

use proptest::prelude::*;

use super::*;

/// The convolution of a full tensor `[rows][width][cin]` by its definition, in f64, and for
/// each element the sum of the magnitudes of what was added, the scale of its rounding error.
fn conv_by_definition(
    shape: ConvShape,
    weight: &[f32],
    bias: &[f32],
    relu: bool,
    x: &[f32],
    width: usize,
) -> Vec<(f64, f64)> {
    let ConvShape { cin, cout, kh, kw } = shape;
    let rows = x.len() / (width * cin);
    let mut y = Vec::new();
    for r in 0..rows - kh + 1 {
        for p in 0..width - kw + 1 {
            for n in 0..cout {
                let mut sum = f64::from(bias[n]);
                let mut scale = sum.abs();
                for dy in 0..kh {
                    for dx in 0..kw {
                        for c in 0..cin {
                            let w = weight[((n * cin + c) * kh + dy) * kw + dx];
                            let value = x[((r + dy) * width + p + dx) * cin + c];
                            let product = f64::from(w) * f64::from(value);
                            sum += product;
                            scale += product.abs();
                        }
                    }
                }
                y.push((if relu { sum.max(0.0) } else { sum }, scale));
            }
        }
    }
    y
}

/// Everything a convolution promises, for one input.
fn check_conv(
    shape: ConvShape,
    relu: bool,
    stored: usize,
    logical: usize,
    width: usize,
    seed: u64,
) {
    let ConvShape { cin, cout, kh, kw } = shape;
    let inputs = cin * kh * kw;
    let weight = noise(cout * inputs, seed);
    let bias = noise(cout, seed + 1);
    let data = noise(stored * width * cin, seed + 2);
    let x = Rows {
        data: &data,
        stored,
        logical,
        width,
    };
    let written_out = full(x, cin);
    let truth = conv_by_definition(shape, &weight, &bias, relu, &written_out, width);
    let conv = Conv::new(shape, &weight, &bias, relu).unwrap();
    let mut fused: Option<Vec<u32>> = None;
    for isa in available() {
        let what = format!("{isa} {shape:?} relu {relu} rows {stored}/{logical} width {width}");
        // A buffer that was in use before, and is too long.
        let mut y = vec![f32::NAN; truth.len() + 5];
        let y_shape = conv.forward_with(isa, x, &mut y).unwrap();
        let expected = RowsShape {
            stored: (logical - kh + 1).min(stored),
            logical: logical - kh + 1,
            width: width - kw + 1,
            channels: cout,
        };
        assert_eq!(y_shape, expected, "{what}");
        let y_full = full(y_shape.rows(&y), cout);
        assert_close(&y_full, &truth, inputs, &what);

        let mut dense_rows = Vec::new();
        let dense_shape = conv
            .forward_with(isa, all_rows(&written_out, logical, width), &mut dense_rows)
            .unwrap();
        assert_eq!(dense_shape.stored, dense_shape.logical);
        assert_eq!(bits(&y_full), bits(&dense_rows), "{what}: ragged and full");

        if isa != Isa::Portable {
            let first = fused.get_or_insert_with(|| bits(&y_full));
            assert_eq!(*first, bits(&y_full), "{what}: differs between vectors");
        }
    }
}

#[test]
fn reference_networks_layers_match_their_definition() {
    // Channels and kernels of small_2d and of the 1-D network, on fewer rows and positions so
    // that the nested loops end; the full sizes would only repeat them.
    let layers = [
        ((15, 64, 25, 1), 4, 28, 19),
        ((64, 48, 1, 25), 2, 3, 43),
        ((48, 32, 25, 1), 3, 27, 14),
        ((32, 24, 1, 25), 2, 2, 40),
        ((4, 256, 1, 12), 1, 1, 64),
        ((256, 256, 1, 12), 1, 1, 20),
        ((256, 128, 1, 12), 1, 1, 25),
    ];
    for (i, ((cin, cout, kh, kw), stored, logical, width)) in layers.into_iter().enumerate() {
        let shape = ConvShape { cin, cout, kh, kw };
        check_conv(shape, i % 2 == 0, stored, logical, width, 7 + i as u64);
    }
}

#[test]
fn every_number_of_channels_and_positions_is_right() {
    for cout in 1..=70 {
        let shape = ConvShape {
            cin: 3,
            cout,
            kh: 2,
            kw: 2,
        };
        check_conv(shape, true, 2, 4, 2 + cout % 29, cout as u64);
    }
}

#[test]
fn channels_are_in_pytorchs_order() {
    // torch.nn.functional.conv2d with weight torch.arange(8.).reshape(1, 2, 2, 2), bias 0.5,
    // on torch.arange(12.).reshape(1, 2, 2, 3) (two channels of 2 x 3); by hand, position p:
    // channel 0 (p, p+1, p+3, p+4) * (0, 1, 2, 3) + channel 1 (p+6, p+7, p+9, p+10) * (4..7).
    let shape = ConvShape {
        cin: 2,
        cout: 1,
        kh: 2,
        kw: 2,
    };
    let weight: Vec<f32> = (0..8u8).map(f32::from).collect();
    let conv = Conv::new(shape, &weight, &[0.5], false).unwrap();
    let x = [0., 6., 1., 7., 2., 8., 3., 9., 4., 10., 5., 11.];
    for isa in available() {
        let mut y = Vec::new();
        conv.forward_with(isa, all_rows(&x, 2, 3), &mut y).unwrap();
        assert_eq!(y, [202.5, 230.5], "{isa}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolutions_match_their_definition(
        (cin, cout, kh, kw) in (1usize..20, 1usize..90, 1usize..6, 1usize..6),
        relu: bool,
        (more_rows, more_positions) in (0usize..14, 0usize..40),
        stored in any::<prop::sample::Index>(),
        seed in 0u64..1_000_000,
    ) {
        let shape = ConvShape { cin, cout, kh, kw };
        let logical = kh + more_rows;
        let stored = 1 + stored.index(logical);
        check_conv(shape, relu, stored, logical, kw + more_positions, seed);
    }

    /// Weights that need several passes, cut inside a row of the kernel and inside a tap.
    #[test]
    fn cutting_the_weights_into_passes_changes_nothing(
        (cin, cout, kh, kw) in (30usize..120, 1usize..70, 1usize..4, 1usize..8),
        more_rows in 0usize..4,
        seed in 0u64..1_000_000,
    ) {
        let shape = ConvShape { cin, cout, kh, kw };
        check_conv(shape, seed % 2 == 0, 1 + more_rows / 2, kh + more_rows, kw + 9, seed);
    }
}
