//! Convolution, the fully connected layer and ReLU.

use super::super::conv::{Sizes, by_matmul};
use super::super::{conv_rows, dense, relu};
use super::*;

/// The convolution by its definition.
fn definition(
    (rows, width, cin): (usize, usize, usize),
    (cout, kw): (usize, usize),
    relu: bool,
    at: &[Vec<f64>],
) -> Vec<f64> {
    let (x, weight, bias) = (&at[0], &at[1], &at[2]);
    let mut y = Vec::new();
    for r in 0..rows {
        for p in 0..width - kw + 1 {
            for n in 0..cout {
                let mut sum = bias[n];
                for i in 0..kw {
                    for c in 0..cin {
                        sum += x[(r * width + p + i) * cin + c] * weight[(n * cin + c) * kw + i];
                    }
                }
                y.push(if relu { sum.max(0.0) } else { sum });
            }
        }
    }
    y
}

/// Variables of a convolution.
fn vars(x: (usize, usize, usize), (cout, kw): (usize, usize), seed: u64) -> [Var; 3] {
    let (rows, width, cin) = x;
    [
        var(&noise(rows * width * cin, seed), &[rows, width, cin]),
        var(&noise(cout * cin * kw, seed + 1), &[cout, cin, kw]),
        var(&noise(cout, seed + 2), &[cout]),
    ]
}

/// [`conv_rows`] as other devices compute it.
fn elsewhere([x, weight, bias]: &[Var; 3], relu: bool) -> Tensor {
    let sizes = Sizes::of(x.shape(), weight.shape(), bias.shape()).unwrap();
    by_matmul(x, weight, bias, relu, sizes).unwrap()
}

#[test]
fn convolutions_and_their_gradients_are_those_of_the_definition() {
    let shapes = [
        ((2, 7, 3), (5, 3)),
        ((1, 5, 2), (17, 5)),
        ((3, 4, 1), (1, 1)),
        ((67, 2, 1), (2, 2)),
        ((70, 1, 3), (2, 1)),
        ((2, 6, 8), (24, 5)),
    ];
    for (i, (x, w)) in shapes.into_iter().enumerate() {
        for relu in [false, true] {
            let vars = vars(x, w, i as u64 * 10);
            let [x_var, weight, bias] = &vars;
            let y = conv_rows(x_var, weight, bias, relu).unwrap();
            assert_eq!(y.dims(), [x.0, x.1 - w.1 + 1, w.0]);
            let all = [x_var, weight, bias];
            let what = format!("{x:?} by {w:?} relu {relu}");
            check(&what, &y, &all, |at| definition(x, w, relu, at));

            let other = elsewhere(&vars, relu);
            check(
                &format!("{what}, candle's operations"),
                &other,
                &all,
                |at| definition(x, w, relu, at),
            );
        }
    }
}

#[test]
fn long_convolutions_agree_with_candles_operations() {
    // Three chunks of rows, two vectors of channels, and layers on top of each other.
    let (x, w) = ((150, 20, 8), (24, 5));
    let vars = vars(x, w, 5);
    let [x_var, weight, bias] = &vars;
    let y = conv_rows(x_var, weight, bias, false).unwrap();
    let theirs = x_var
        .transpose(1, 2)
        .unwrap()
        .contiguous()
        .unwrap()
        .conv1d(weight, 0, 1, 1, 1)
        .unwrap()
        .transpose(1, 2)
        .unwrap()
        .broadcast_add(bias)
        .unwrap()
        .contiguous()
        .unwrap();
    assert_near(&numbers(&y), &numbers(&theirs), "output");
    let ours = gradients(&y);
    let other = gradients(&elsewhere(&vars, false));
    for (var, what) in [(x_var, "x"), (weight, "weight"), (bias, "bias")] {
        assert_near(&gradient(&ours, var), &gradient(&other, var), what);
    }

    let more = self::vars((1, 1, 24), w, 50);
    let two = |first: &Tensor, elsewhere_too: bool| {
        if elsewhere_too {
            let sizes = Sizes::of(first.shape(), more[1].shape(), more[2].shape()).unwrap();
            by_matmul(first, &more[1], &more[2], true, sizes).unwrap()
        } else {
            conv_rows(first, &more[1], &more[2], true).unwrap()
        }
    };
    let ours = two(&conv_rows(x_var, weight, bias, true).unwrap(), false);
    let other = two(&elsewhere(&vars, true), true);
    let (grads, expected) = (gradients(&ours), gradients(&other));
    for var in [x_var, weight, bias, &more[1], &more[2]] {
        assert_near(
            &gradient(&grads, var),
            &gradient(&expected, var),
            "two layers",
        );
    }
}

#[test]
fn a_relu_at_zero_passes_no_gradient() {
    let [_, weight, _] = vars((2, 4, 3), (5, 2), 1);
    let x = var(&[0.0; 24], &[2, 4, 3]);
    let bias = var(&[0.0; 5], &[5]);
    for y in [
        conv_rows(&x, &weight, &bias, true).unwrap(),
        elsewhere(&[x.clone(), weight.clone(), bias.clone()], true),
    ] {
        let grads = gradients(&y);
        for var in [&x, &weight, &bias] {
            assert!(gradient(&grads, var).iter().all(|&g| g == 0.0));
        }
    }
    let x = var(&[-1.0, -0.0, 0.0, 2.0, f32::NEG_INFINITY], &[5]);
    let y = relu(&x).unwrap();
    assert_eq!(numbers(&y), [0.0, 0.0, 0.0, 2.0, 0.0]);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(gradient(&grads, &x), [0.0, 0.0, 0.0, 1.0, 0.0]);
    let nan = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
    assert!(numbers(&relu(&nan).unwrap())[0].is_nan());
}

#[test]
fn relu_and_dense_are_those_of_the_definition() {
    let x = var(&noise(12, 3), &[3, 4]);
    let y = relu(&x).unwrap();
    check("relu", &y, &[&x], |at| {
        at[0].iter().map(|x| x.max(0.0)).collect()
    });

    for (sites, inputs, outputs) in [(3, 4, 2), (1, 70, 1), (66, 2, 3), (2, 1, 40)] {
        let x = var(&noise(sites * inputs, 1), &[sites, inputs]);
        let weight = var(&noise(outputs * inputs, 2), &[outputs, inputs]);
        let bias = var(&noise(outputs, 3), &[outputs]);
        let y = dense(&x, &weight, &bias).unwrap();
        assert_eq!(y.dims(), [sites, outputs]);
        let what = format!("dense {sites} {inputs} {outputs}");
        check(&what, &y, &[&x, &weight, &bias], |at| {
            definition((sites, 1, inputs), (outputs, 1), false, at)
        });
    }
}

#[test]
fn an_input_without_variables_gets_no_gradient() {
    let [x, weight, bias] = vars((2, 4, 3), (5, 2), 1);
    let plain = x.as_detached_tensor();
    let y = conv_rows(&plain, &weight, &bias, true).unwrap();
    let with = gradients(&conv_rows(&x, &weight, &bias, true).unwrap());
    let without = gradients(&y);
    assert!(without.get(&plain).is_none());
    assert_eq!(gradient(&with, &weight), gradient(&without, &weight));
}

#[test]
fn strided_operands_are_understood() {
    let [x, weight, bias] = vars((4, 6, 3), (5, 2), 1);
    let y = conv_rows(&x.narrow(0, 1, 2).unwrap(), &weight, &bias, true).unwrap();
    let all = conv_rows(&x, &weight, &bias, true).unwrap();
    assert_eq!(bits(&y), bits(&all.narrow(0, 1, 2).unwrap()));
    let turned = weight.permute((2, 1, 0)).unwrap().contiguous().unwrap();
    let turned = turned.permute((2, 1, 0)).unwrap();
    let again = conv_rows(&x, &turned, &bias, true).unwrap();
    assert_eq!(bits(&again), bits(&all));
    // A gradient that arrives transposed.
    let grads = gradients(&all.transpose(0, 2).unwrap());
    let expected = gradients(&all.transpose(0, 2).unwrap().contiguous().unwrap());
    assert_eq!(gradient(&grads, &x), gradient(&expected, &x));
}

#[test]
fn no_rows_and_wrong_shapes() {
    let [_, weight, bias] = vars((1, 4, 3), (5, 2), 1);
    let none = Tensor::zeros((0, 4, 3), DType::F32, &Device::Cpu).unwrap();
    let y = conv_rows(&none, &weight, &bias, true).unwrap();
    assert_eq!(y.dims(), [0, 3, 5]);
    let grads = gradients(&y);
    assert!(gradient(&grads, &weight).iter().all(|&g| g == 0.0));
    for bad in [(2, 1, 3), (2, 4, 2)] {
        let x = Tensor::zeros(bad, DType::F32, &Device::Cpu).unwrap();
        assert!(conv_rows(&x, &weight, &bias, true).is_err(), "{bad:?}");
    }
    let x = Tensor::zeros((2, 4, 3), DType::F32, &Device::Cpu).unwrap();
    assert!(conv_rows(&x, &weight, &weight, true).is_err());
    let wide = x.to_dtype(DType::F64).unwrap();
    assert!(conv_rows(&wide, &weight, &bias, true).is_err());
}

#[test]
fn threads_change_no_bit() {
    let [x, weight, bias] = vars((200, 9, 8), (24, 3), 1);
    let [_, more, _] = vars((1, 1, 7 * 24), (10, 1), 4);
    let more = more.squeeze(2).unwrap();
    same_on_any_threads(|| {
        let y = conv_rows(&x, &weight, &bias, true).unwrap();
        let flat = y.flatten_from(1).unwrap();
        let zero = Tensor::zeros(10, DType::F32, &Device::Cpu).unwrap();
        let z = dense(&flat, &more, &zero).unwrap();
        let grads = gradients(&z);
        let of = |var: &Var| bits(grads.get(var).unwrap());
        vec![bits(&y), bits(&z), of(&x), of(&weight), of(&bias)]
    });
}
