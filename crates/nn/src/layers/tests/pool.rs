//! Pools over a site's rows.

use super::super::pool_max::{Kept, by_gather};
use super::super::pool_mean::{by_index_add, shares};
use super::super::{pool_max, pool_mean};
use super::*;

const OFFSETS: [usize; 6] = [0, 3, 3, 4, 9, 10];
const KEEP: [bool; 10] = [
    true, false, true, true, false, true, true, true, false, false,
];
const COLUMNS: usize = 5;

fn max_by_definition(x: &[f64], keep: &[bool]) -> Vec<f64> {
    let mut y = Vec::new();
    for pair in OFFSETS.windows(2) {
        for column in 0..COLUMNS {
            let kept = (pair[0]..pair[1]).filter(|&row| keep[row]);
            let best = kept.map(|row| x[row * COLUMNS + column]).reduce(f64::max);
            y.push(best.unwrap_or(0.0));
        }
    }
    y
}

fn mean_by_definition(x: &[f64], weights: &[f32]) -> Vec<f64> {
    let mut y = Vec::new();
    for pair in OFFSETS.windows(2) {
        let total: f64 = weights[pair[0]..pair[1]]
            .iter()
            .copied()
            .map(f64::from)
            .sum();
        for column in 0..COLUMNS {
            let sum: f64 = (pair[0]..pair[1])
                .map(|row| f64::from(weights[row]) * x[row * COLUMNS + column])
                .sum();
            y.push(if total > 0.0 { sum / total } else { 0.0 });
        }
    }
    y
}

/// [`pool_max`] as other devices compute it.
fn max_elsewhere(x: &Tensor, offsets: &[usize], keep: Option<&[bool]>) -> Tensor {
    by_gather(x, &Kept::new(x, offsets, keep).unwrap()).unwrap()
}

#[test]
fn maxima_and_their_gradients_are_those_of_the_definition() {
    let x = var(&noise(10 * COLUMNS, 1), &[10, COLUMNS]);
    for keep in [None, Some(&KEEP[..])] {
        let marks = keep.unwrap_or(&[true; 10]);
        let y = pool_max(&x, &OFFSETS, keep).unwrap();
        assert_eq!(y.dims(), [5, COLUMNS]);
        let what = format!("max, kept {keep:?}");
        check(&what, &y, &[&x], |at| max_by_definition(&at[0], marks));
        let other = max_elsewhere(&x, &OFFSETS, keep);
        let what = format!("{what}, candle's operations");
        check(&what, &other, &[&x], |at| max_by_definition(&at[0], marks));
    }
}

#[test]
fn means_and_their_gradients_are_those_of_the_definition() {
    let x = var(&noise(10 * COLUMNS, 1), &[10, COLUMNS]);
    // Of the last site, all weights are 0.
    let some = [0.5, 2.0, 0.0, 7.0, 1.0, 1e-3, 0.0, 3.0, 0.25, 0.0];
    for weights in [None, Some(&some[..])] {
        let numbers = weights.unwrap_or(&[1.0; 10]);
        let y = pool_mean(&x, &OFFSETS, weights).unwrap();
        assert_eq!(y.dims(), [5, COLUMNS]);
        let what = format!("mean, weights {weights:?}");
        check(&what, &y, &[&x], |at| mean_by_definition(&at[0], numbers));
        let shares = shares(&x, &OFFSETS, weights).unwrap();
        let other = by_index_add(&x, &OFFSETS, &shares).unwrap();
        let what = format!("{what}, candle's operations");
        check(&what, &other, &[&x], |at| {
            mean_by_definition(&at[0], numbers)
        });
    }
}

#[test]
fn the_first_of_equal_rows_takes_the_gradient() {
    // Column 0 ties in rows 1 and 2, column 1 in all, column 2 in rows 0 and 3.
    let data = [1., 4., 9., 3., 4., 8., 3., 4., 7., 2., 4., 9.];
    let x = var(&data, &[4, 3]);
    let skipped = [false, true, true, true];
    for (keep, expected) in [
        (None, [0., 1., 1., 1., 0., 0., 0., 0., 0., 0., 0., 0.]),
        (
            Some(&skipped[..]),
            [0., 0., 0., 1., 1., 0., 0., 0., 0., 0., 0., 1.],
        ),
    ] {
        for y in [
            pool_max(&x, &[0, 4], keep).unwrap(),
            max_elsewhere(&x, &[0, 4], keep),
        ] {
            assert_eq!(numbers(&y), [3., 4., 9.]);
            let grads = y.sum_all().unwrap().backward().unwrap();
            assert_eq!(gradient(&grads, &x), expected);
        }
    }
}

#[test]
fn nan_and_infinities() {
    let (nan, low) = (f32::NAN, f32::NEG_INFINITY);
    let data = [low, nan, 1.0, low, 2.0, nan, low, 3.0, 4.0];
    let x = var(&data, &[3, 3]);
    for y in [
        pool_max(&x, &[0, 3], None).unwrap(),
        max_elsewhere(&x, &[0, 3], None),
    ] {
        let y = numbers(&y);
        assert_eq!(y[0], low);
        assert!(y[2].is_nan() || y[2] == 4.0);
    }
    let y = numbers(&pool_max(&x, &[0, 3], None).unwrap());
    assert!(y[1].is_nan() && y[2].is_nan());
}

#[test]
fn more_axes_are_columns_and_no_rows_give_zeros() {
    let x = var(&noise(24, 1), &[4, 2, 3]);
    let flat = x.flatten_from(1).unwrap();
    let offsets = [0, 3, 4];
    assert_eq!(
        bits(&pool_max(&x, &offsets, None).unwrap()),
        bits(&pool_max(&flat, &offsets, None).unwrap())
    );
    let y = pool_mean(&x, &offsets, None).unwrap();
    assert_eq!(y.dims(), [2, 6]);
    assert_eq!(gradient(&gradients(&y), &x).len(), 24);

    let none = Tensor::zeros((0, 6), DType::F32, &Device::Cpu).unwrap();
    for y in [
        pool_max(&none, &[0, 0, 0], None).unwrap(),
        max_elsewhere(&none, &[0, 0, 0], None),
        pool_mean(&none, &[0, 0, 0], None).unwrap(),
    ] {
        assert_eq!(numbers(&y), [0.0; 12]);
    }
}

#[test]
fn wrong_operands_are_refused() {
    let x = var(&noise(20, 1), &[4, 5]);
    for offsets in [&[0, 5][..], &[1, 4], &[0, 3, 2, 4], &[]] {
        assert!(pool_max(&x, offsets, None).is_err(), "{offsets:?}");
        assert!(pool_mean(&x, offsets, None).is_err(), "{offsets:?}");
    }
    assert!(pool_max(&x, &[0, 4], Some(&[true; 3])).is_err());
    assert!(pool_mean(&x, &[0, 4], Some(&[1.0; 5])).is_err());
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(pool_mean(&x, &[0, 4], Some(&[1.0, 1.0, 1.0, bad])).is_err());
    }
}

#[test]
fn threads_change_no_bit() {
    let x = var(&noise(400 * 30, 1), &[400, 30]);
    let offsets: Vec<usize> = (0..=40).map(|i| i * 10).collect();
    let weights = noise(400, 2).iter().map(|w| w.abs()).collect::<Vec<f32>>();
    same_on_any_threads(|| {
        let max = pool_max(&x, &offsets, None).unwrap();
        let mean = pool_mean(&x, &offsets, Some(&weights)).unwrap();
        let grads = gradients(&(&max + &mean).unwrap());
        vec![bits(&max), bits(&mean), bits(grads.get(&x).unwrap())]
    });
}
