//! Every layer against its definition written as nested loops, on every instruction set of
//! the machine the tests run on.

use super::*;
use crate::testing::noise;

mod backward;
mod conv;
mod layers;
mod sizes;

/// The instruction sets of this machine; at least the portable one.
fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available())
}

/// A tensor's rows written out in full.
fn full(x: Rows<'_>, channels: usize) -> Vec<f32> {
    let mut out = Vec::new();
    x.expand(channels, &mut out).unwrap();
    out
}

/// A full tensor's rows.
fn all_rows(data: &[f32], rows: usize, width: usize) -> Rows<'_> {
    Rows {
        data,
        stored: rows,
        logical: rows,
        width,
    }
}

/// Fails unless every element is within f32's rounding error of the truth: `terms` roundings
/// of at most 2^-24 of the running sum each.
fn assert_close(found: &[f32], truth: &[(f64, f64)], terms: usize, what: &str) {
    assert_eq!(found.len(), truth.len(), "{what}");
    for (i, (&y, &(exact, scale))) in found.iter().zip(truth).enumerate() {
        let bound = (2 * terms + 2) as f64 * scale * 2f64.powi(-24) + 1e-30;
        assert!(
            (f64::from(y) - exact).abs() <= bound,
            "{what}: element {i} is {y}, expected {exact} within {bound}"
        );
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
