//! Gradients of convolutions along rows.

use proptest::prelude::*;

use super::*;

/// The gradients by their definition, in f64, each with the sum of the magnitudes of what was
/// added: weight `[kw][cin][cout]`, bias, and input.
#[expect(clippy::type_complexity, reason = "three lists of the same pairs")]
fn by_definition(
    shape: RowConv,
    weight: &[f32],
    x: &[f32],
    width: usize,
    dy: &[f32],
    y: Option<&[f32]>,
) -> (Vec<(f64, f64)>, Vec<(f64, f64)>, Vec<(f64, f64)>) {
    let RowConv { cin, cout, kw } = shape;
    let width_out = width - kw + 1;
    let mut dweight = vec![(0.0, 0.0); weight.len()];
    let mut dbias = vec![(0.0, 0.0); cout];
    let mut dx = vec![(0.0, 0.0); x.len()];
    let add = |to: &mut (f64, f64), a: f64, b: f64| {
        to.0 += a * b;
        to.1 += (a * b).abs();
    };
    for row in 0..x.len() / (width * cin) {
        for p in 0..width_out {
            for n in 0..cout {
                let at = (row * width_out + p) * cout + n;
                if y.is_some_and(|y| y[at] <= 0.0) {
                    continue;
                }
                let g = f64::from(dy[at]);
                add(&mut dbias[n], g, 1.0);
                for i in 0..kw {
                    for c in 0..cin {
                        let from = (row * width + p + i) * cin + c;
                        let w = f64::from(weight[(n * cin + c) * kw + i]);
                        add(
                            &mut dweight[(i * cin + c) * cout + n],
                            g,
                            f64::from(x[from]),
                        );
                        add(&mut dx[from], g, w);
                    }
                }
            }
        }
    }
    (dweight, dbias, dx)
}

fn check_backward(shape: RowConv, relu: bool, rows: usize, width: usize, seed: u64) {
    let RowConv { cin, cout, kw } = shape;
    let width_out = width - kw + 1;
    let weight = noise(cout * cin * kw, seed);
    let x = noise(rows * width * cin, seed + 1);
    let dy = noise(rows * width_out * cout, seed + 2);
    // An output with zeros of both signs.
    let mut y = noise(dy.len(), seed + 3);
    for (i, y) in y.iter_mut().enumerate() {
        *y = match i % 5 {
            0 => 0.0,
            1 => -0.0,
            _ => y.max(0.0),
        };
    }
    let y = relu.then_some(&y[..]);
    let (dweight, dbias, dx) = by_definition(shape, &weight, &x, width, &dy, y);
    let backward = ConvBackward::new(shape, Some(&weight)).unwrap();
    let mut fused: Option<Vec<u32>> = None;
    for isa in available() {
        let what = format!("{isa} {shape:?} relu {relu} rows {rows} width {width}");
        let mut sums = ConvSums::zero(shape);
        let mut found = vec![f32::NAN; x.len()];
        backward
            .rows_with(isa, &x, width, &dy, y, &mut sums, Some(&mut found))
            .unwrap();
        assert_close(&sums.weight, &dweight, rows + width_out, &what);
        assert_close(&sums.bias, &dbias, rows + width_out, &what);
        assert_close(&found, &dx, kw * cout, &what);

        let mut again = ConvSums::zero(shape);
        let only = ConvBackward::new(shape, None).unwrap();
        only.rows_with(isa, &x, width, &dy, y, &mut again, None)
            .unwrap();
        assert_eq!(sums, again, "{what}: without the input's gradient");

        if isa != Isa::Portable {
            let all = bits(&[sums.weight, sums.bias, found].concat());
            let first = fused.get_or_insert_with(|| all.clone());
            assert_eq!(*first, all, "{what}: differs between vectors");
        }
    }
}

#[test]
fn every_number_of_channels_is_right() {
    for cout in 1..=70 {
        let shape = RowConv {
            cin: 1 + cout % 7,
            cout,
            kw: 3,
        };
        check_backward(shape, cout % 2 == 0, 2, 3 + cout % 11, cout as u64);
    }
}

#[test]
fn sums_go_on_from_what_they_held() {
    let shape = RowConv {
        cin: 2,
        cout: 3,
        kw: 2,
    };
    let (x, dy) = (noise(16, 1), noise(18, 2));
    let backward = ConvBackward::new(shape, None).unwrap();
    let mut both = ConvSums::zero(shape);
    backward.rows(&x, 4, &dy, None, &mut both, None).unwrap();
    let mut parts = ConvSums::zero(shape);
    for (x, dy) in x.chunks(8).zip(dy.chunks(9)) {
        backward.rows(x, 4, dy, None, &mut parts, None).unwrap();
    }
    assert_eq!(both, parts);
    assert!(both.weight.iter().all(|&sum| sum != 0.0));
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let shape = RowConv {
        cin: 2,
        cout: 3,
        kw: 2,
    };
    let weight = noise(12, 1);
    assert!(ConvBackward::new(shape, Some(&weight[1..])).is_err());
    let zero = RowConv { kw: 0, ..shape };
    assert!(ConvBackward::new(zero, None).is_err());
    let with = ConvBackward::new(shape, Some(&weight)).unwrap();
    let without = ConvBackward::new(shape, None).unwrap();
    let (x, dy, mut dx) = (noise(8, 1), noise(9, 2), noise(8, 3));
    let mut sums = ConvSums::zero(shape);
    let mut run = |conv: &ConvBackward, width, x: &[f32], dy: &[f32], y, dx: Option<&mut [f32]>| {
        conv.rows(x, width, dy, y, &mut sums, dx).is_ok()
    };
    assert!(run(&with, 4, &x, &dy, Some(&dy), Some(&mut dx)));
    assert!(!run(&without, 4, &x, &dy, None, Some(&mut dx)));
    assert!(!run(&with, 4, &x, &dy, None, Some(&mut dx[1..])));
    assert!(!run(&with, 4, &x[1..], &dy, None, None));
    assert!(!run(&with, 4, &x, &dy[1..], None, None));
    assert!(!run(&with, 4, &x, &dy, Some(&dy[1..]), None));
    assert!(!run(&with, 1, &x, &dy, None, None));
    assert!(!run(&with, 0, &x, &dy, None, None));
    sums.bias.pop();
    assert!(with.rows(&x, 4, &dy, None, &mut sums, None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn gradients_match_their_definition(
        (cin, cout, kw) in (1usize..20, 1usize..90, 1usize..7),
        relu: bool,
        rows in 1usize..4,
        more in 0usize..30,
        seed in 0u64..1_000_000,
    ) {
        check_backward(RowConv { cin, cout, kw }, relu, rows, kw + more, seed);
    }
}
