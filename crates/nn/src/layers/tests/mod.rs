//! Every layer against its definition written as nested loops in f64, and its gradients against
//! differences of that definition.

use crate::testing::noise;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

mod conv;
mod loss;
mod pool;
mod segments;

fn var(data: &[f32], shape: &[usize]) -> Var {
    Var::from_slice(data, shape, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    assert_eq!(tensor.dtype(), DType::F32);
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    numbers(tensor).into_iter().map(f32::to_bits).collect()
}

/// Gradients of `sum of y_i c_i` with noise as c.
fn gradients(y: &Tensor) -> GradStore {
    let c = Tensor::from_vec(noise(y.elem_count(), 1234), y.shape(), y.device()).unwrap();
    (y * c).unwrap().sum_all().unwrap().backward().unwrap()
}

fn gradient(grads: &GradStore, var: &Var) -> Vec<f32> {
    let gradient = grads.get(var).expect("a gradient");
    assert_eq!(gradient.shape(), var.shape());
    numbers(gradient)
}

/// Fails unless `y` is `definition` of the variables, and the gradients those of the definition:
/// central differences in f64, so that only the layer's own rounding is allowed for.
fn check(what: &str, y: &Tensor, vars: &[&Var], definition: impl Fn(&[Vec<f64>]) -> Vec<f64>) {
    let mut point: Vec<Vec<f64>> = vars
        .iter()
        .map(|var| numbers(var).into_iter().map(f64::from).collect())
        .collect();
    let close = |found: f32, expected: f64, of: &str| {
        assert!(
            (f64::from(found) - expected).abs() <= 4e-6 * (1.0 + expected.abs()),
            "{what}: {of} is {found}, expected {expected}"
        );
    };
    let truth = definition(&point);
    assert_eq!(y.elem_count(), truth.len(), "{what}");
    for (i, (&found, &expected)) in numbers(y).iter().zip(&truth).enumerate() {
        close(found, expected, &format!("output {i}"));
    }
    let grads = gradients(y);
    let c = noise(truth.len(), 1234);
    let step = 1e-6;
    for (at, var) in vars.iter().enumerate() {
        for (i, &found) in gradient(&grads, var).iter().enumerate() {
            let here = point[at][i];
            let mut value = |there: f64| -> f64 {
                point[at][i] = there;
                let y = definition(&point);
                y.iter().zip(&c).map(|(y, &c)| y * f64::from(c)).sum()
            };
            let difference = (value(here + step) - value(here - step)) / (2.0 * step);
            value(here);
            close(found, difference, &format!("gradient {i} of variable {at}"));
        }
    }
}

/// Fails unless two tensors agree to f32's rounding of a few dozen sums.
fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
            "{what}: element {i} is {found}, expected {expected}"
        );
    }
}

/// The bits of what `f` gives, which must be the same on one thread and on two and three.
fn same_on_any_threads(f: impl Fn() -> Vec<Vec<u32>> + Sync) {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(&f)
    };
    let one = on(1);
    assert!(one.iter().flatten().any(|&bits| bits != 0));
    for threads in [2, 3] {
        assert_eq!(one, on(threads), "{threads} threads");
    }
}
