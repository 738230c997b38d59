//! Cross-entropy.

use super::super::weighted_cross_entropy;
use super::*;

const TARGETS: [u8; 5] = [0, 3, 1, 1, 2];
const WEIGHTS: [f32; 5] = [1.0, 0.25, 3.0, 0.0, 2.0];

fn definition(logits: &[f64], gamma: f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, z) in logits.chunks_exact(4).enumerate() {
        let target = usize::from(TARGETS[i]);
        let all: f64 = z.iter().map(|z| z.exp()).sum();
        let p = z[target].exp() / all;
        let weight = f64::from(WEIGHTS[i]);
        sum += weight * (1.0 - p).powf(gamma) * -p.ln();
        total += weight;
    }
    sum / total
}

#[test]
fn losses_and_their_gradients_are_those_of_the_definition() {
    for gamma in [0.0, 0.5, 1.0, 2.0, 3.7] {
        for scale in [1.0, 10.0] {
            let logits: Vec<f32> = noise(20, 1).iter().map(|z| z * scale).collect();
            let logits = var(&logits, &[5, 4]);
            let loss = weighted_cross_entropy(&logits, &TARGETS, &WEIGHTS, gamma).unwrap();
            assert_eq!(loss.rank(), 0);
            check(&format!("gamma {gamma}"), &loss, &[&logits], |at| {
                vec![definition(&at[0], f64::from(gamma))]
            });
        }
    }
}

#[test]
fn plain_cross_entropy_is_candles() {
    let logits = var(&noise(20, 1), &[5, 4]);
    let loss = weighted_cross_entropy(&logits, &TARGETS, &[1.0; 5], 0.0).unwrap();
    let targets = Tensor::new(TARGETS.map(u32::from).as_slice(), &Device::Cpu).unwrap();
    let theirs = candle_nn::loss::cross_entropy(&logits, &targets).unwrap();
    assert_near(&numbers(&loss), &numbers(&theirs), "loss");
    let (ours, candles) = (loss.backward().unwrap(), theirs.backward().unwrap());
    assert_near(
        &gradient(&ours, &logits),
        &gradient(&candles, &logits),
        "gradient",
    );
}

#[test]
fn extreme_logits_stay_finite() {
    // Targets certain to the last digit and beyond, and as good as impossible.
    let data = [
        1000.0, 0.0, 0.0, 0.0, // right
        0.0, 0.0, 1000.0, 0.0, // wrong
        0.0, 40.0, 0.0, 0.0, // right, 1 - p below f64's resolution of 1
        -1000.0, -1000.0, -1000.0, -1000.0, // undecided
        0.0, 0.0, 0.0, 0.0,
    ];
    for gamma in [0.0, 0.5, 1.0, 2.0] {
        let logits = var(&data, &[5, 4]);
        let loss = weighted_cross_entropy(&logits, &[0, 3, 1, 1, 2], &[1.0; 5], gamma).unwrap();
        let found = f64::from(loss.to_scalar::<f32>().unwrap());
        let undecided = 0.75f64.powf(f64::from(gamma)) * 4f64.ln();
        let expected = (1000.0 + 2.0 * undecided) / 5.0;
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        let g = gradient(&loss.backward().unwrap(), &logits);
        assert!(g.iter().all(|g| g.is_finite()), "gamma {gamma}: {g:?}");
        assert_eq!(g[0], 0.0);
        assert_near(&g[4..8], &[0.0, 0.0, 0.2, -0.2], "wrong");
        let tiny = 3.0 * (-40f64).exp();
        let slope = tiny.powf(f64::from(gamma)) * (f64::from(gamma) + 1.0) * -tiny / 5.0;
        assert!(
            (f64::from(g[9]) / slope - 1.0).abs() < 1e-6 || slope.abs() < 1e-38,
            "gamma {gamma}: {} {slope}",
            g[9]
        );
    }
}

#[test]
fn a_weight_of_zero_hides_a_site() {
    let logits = var(&noise(20, 1), &[5, 4]);
    let loss = weighted_cross_entropy(&logits, &TARGETS, &WEIGHTS, 2.0).unwrap();
    let g = gradient(&loss.backward().unwrap(), &logits);
    assert_eq!(g[12..16], [0.0; 4]);
    assert!(g[..12].iter().all(|&g| g != 0.0));
}

#[test]
fn wrong_operands_are_refused() {
    let logits = var(&noise(8, 1), &[2, 4]);
    let refused = |targets: &[u8], weights: &[f32], gamma| {
        weighted_cross_entropy(&logits, targets, weights, gamma).is_err()
    };
    assert!(!refused(&[0, 3], &[1.0, 2.0], 0.0));
    assert!(refused(&[0, 4], &[1.0, 2.0], 0.0));
    assert!(refused(&[0], &[1.0, 2.0], 0.0));
    assert!(refused(&[0, 3], &[1.0], 0.0));
    assert!(refused(&[0, 3], &[0.0, 0.0], 0.0));
    assert!(refused(&[0, 3], &[-1.0, 2.0], 0.0));
    assert!(refused(&[0, 3], &[f32::NAN, 2.0], 0.0));
    assert!(refused(&[0, 3], &[1.0, 2.0], -1.0));
    assert!(refused(&[0, 3], &[1.0, 2.0], f32::NAN));
}
