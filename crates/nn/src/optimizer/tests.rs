//! Steps against the formula, and going on from a state.

use super::*;
use candle_core::Device;

const SIZES: [(&str, &[usize]); 3] = [("a.weight", &[2, 3]), ("b.bias", &[3]), ("c", &[1])];

fn parameters() -> BTreeMap<String, Var> {
    let of = |(name, shape): &(&str, &[usize])| {
        let len = shape.iter().product::<usize>();
        let data: Vec<f32> = (0..len).map(|i| 0.7 - 0.3 * i as f32).collect();
        let var = Var::from_vec(data, *shape, &Device::Cpu).unwrap();
        (String::from(*name), var)
    };
    SIZES.iter().map(of).collect()
}

/// Gradients of some function of the parameters that changes with the step.
fn gradients(parameters: &BTreeMap<String, Var>, t: usize) -> GradStore {
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    for var in parameters.values() {
        let term = ((var.sqr().unwrap() * (1.0 + t as f64)).unwrap() - var.as_tensor()).unwrap();
        loss = (loss + term.sum_all().unwrap()).unwrap();
    }
    loss.backward().unwrap()
}

fn values(parameters: &BTreeMap<String, Var>) -> Vec<f32> {
    let all = parameters.values().map(|var| elements(var).unwrap());
    all.collect::<Vec<_>>().concat()
}

/// The textbook's steps on plain numbers: all elements, the first six of which decay.
fn by_formula(config: AdamWConfig, rates: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut w: Vec<f64> = values(&parameters()).into_iter().map(f64::from).collect();
    let mut average = w.clone();
    let (mut m, mut v) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    let mut norms = Vec::new();
    for (i, rate) in rates.iter().enumerate() {
        let t = (i + 1) as f64;
        let g: Vec<f64> = w.iter().map(|w| 2.0 * w * (1.0 + i as f64) - 1.0).collect();
        let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        norms.push(norm);
        let scale = config.clip_norm.map_or(1.0, |most| (most / norm).min(1.0));
        for k in 0..w.len() {
            let g = g[k] * scale;
            if k < 6 {
                w[k] -= rate * config.weight_decay * w[k];
            }
            m[k] = config.beta1 * m[k] + (1.0 - config.beta1) * g;
            v[k] = config.beta2 * v[k] + (1.0 - config.beta2) * g * g;
            let m_hat = m[k] / (1.0 - config.beta1.powf(t));
            let v_hat = v[k] / (1.0 - config.beta2.powf(t));
            w[k] -= rate * m_hat / (v_hat.sqrt() + config.epsilon);
            let d = config
                .average_decay
                .unwrap_or(0.0)
                .min((1.0 + t) / (10.0 + t));
            average[k] = d * average[k] + (1.0 - d) * w[k];
        }
    }
    (w, average, norms)
}

fn configs() -> [AdamWConfig; 3] {
    let plain = AdamWConfig::default();
    [
        plain,
        AdamWConfig {
            clip_norm: Some(1.5),
            average_decay: Some(0.999),
            ..plain
        },
        AdamWConfig {
            beta1: 0.8,
            beta2: 0.95,
            epsilon: 1e-3,
            weight_decay: 0.3,
            clip_norm: Some(100.0),
            average_decay: Some(0.1),
        },
    ]
}

const RATES: [f64; 5] = [0.1, 0.2, 0.05, 0.1, 0.3];

fn assert_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 2e-6,
            "{found} {expected}"
        );
    }
}

#[test]
fn five_steps_are_those_of_the_formula() {
    for config in configs() {
        let (expected, average, norms) = by_formula(config, &RATES);
        let parameters = parameters();
        let mut optimizer = AdamW::new(parameters.clone(), config).unwrap();
        for (t, &rate) in RATES.iter().enumerate() {
            let norm = optimizer.step(&gradients(&parameters, t), rate).unwrap();
            assert!((norm / norms[t] - 1.0).abs() < 1e-5, "{norm} {}", norms[t]);
        }
        assert_eq!(optimizer.steps(), 5);
        assert_near(&values(&parameters), &expected);
        let averages = optimizer.averages().unwrap();
        let found = averages.values().map(|a| elements(a).unwrap());
        let found = found.collect::<Vec<_>>().concat();
        let kept = config.average_decay.is_some();
        assert_near(&found, if kept { &average } else { &expected });
    }
}

#[test]
fn steps_by_tensors_are_the_same() {
    for config in configs() {
        let parameters = parameters();
        let (name, var) = parameters.first_key_value().unwrap();
        let mut one = AdamW::new(parameters.clone(), config).unwrap();
        let step = Step {
            beta1: config.beta1,
            beta2: config.beta2,
            epsilon: config.epsilon,
            keep: 0.9,
            rate: 0.5,
            correction2: 0.7,
            clip: 0.3,
            average: 0.6,
        };
        // Moments that are not 0.
        one.step(&gradients(&parameters, 0), 0.1).unwrap();
        let moments = &one.parameters[name].moments;
        let grads = gradients(&parameters, 1);
        let g = grads.get(var).unwrap();
        let weight = var.as_detached_tensor();
        let (fused, a) = step.fused(&weight, g, moments).unwrap();
        let (tensors, b) = step.by_tensors(&weight, g, moments).unwrap();
        let pairs = [(fused, tensors), (a.first, b.first), (a.second, b.second)];
        let averages = a.average.into_iter().zip(b.average);
        for (a, b) in pairs.into_iter().chain(averages) {
            let b: Vec<f64> = elements(&b).unwrap().into_iter().map(f64::from).collect();
            assert_near(&elements(&a).unwrap(), &b);
        }
    }
}

#[test]
fn a_restored_optimizer_goes_on_to_the_bit() {
    let config = configs()[1];
    let through = parameters();
    let mut optimizer = AdamW::new(through.clone(), config).unwrap();
    let mut resumed = None;
    for t in 0..6 {
        if t == 3 {
            let copies = through.iter().map(|(name, var)| {
                let copy = Var::from_tensor(&var.as_detached_tensor().copy().unwrap());
                (name.clone(), copy.unwrap())
            });
            let copies: BTreeMap<String, Var> = copies.collect();
            let mut other = AdamW::new(copies.clone(), config).unwrap();
            other.restore(optimizer.steps(), optimizer.state()).unwrap();
            resumed = Some((copies, other));
        }
        optimizer.step(&gradients(&through, t), 0.1).unwrap();
        if let Some((copies, other)) = &mut resumed {
            other.step(&gradients(copies, t), 0.1).unwrap();
        }
    }
    let (copies, other) = resumed.unwrap();
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(values(&through)), bits(values(&copies)));
    for (name, tensor) in optimizer.state() {
        let other = elements(&other.state()[&name]).unwrap();
        assert_eq!(bits(elements(&tensor).unwrap()), bits(other), "{name}");
    }
    assert_eq!(optimizer.state().len(), 9);
}

#[test]
fn a_foreign_state_is_refused() {
    let config = AdamWConfig::default();
    let mut optimizer = AdamW::new(parameters(), config).unwrap();
    let good = optimizer.state();
    let mut missing = good.clone();
    missing.remove("second.b.bias");
    let error = optimizer.restore(1, missing).unwrap_err();
    assert!(matches!(error, NnError::MissingWeight { name, .. } if name == "second.b.bias"));
    let mut extra = good.clone();
    extra.insert("average.c".into(), good["first.c"].clone());
    let error = optimizer.restore(1, extra).unwrap_err();
    assert!(matches!(error, NnError::ExtraWeight { name } if name == "average.c"));
    let mut other = good.clone();
    other.insert("first.c".into(), good["first.b.bias"].clone());
    let error = optimizer.restore(1, other).unwrap_err();
    assert!(matches!(error, NnError::WeightShape { found, .. } if found == [3]));
    assert_eq!(optimizer.steps(), 0);
    optimizer.restore(7, good).unwrap();
    assert_eq!(optimizer.steps(), 7);
}

#[test]
fn gradients_that_are_absent_or_not_finite_change_nothing() {
    let parameters = parameters();
    let before = values(&parameters);
    let mut optimizer = AdamW::new(parameters.clone(), AdamWConfig::default()).unwrap();
    let loss = parameters["c"].log().unwrap().sum_all().unwrap();
    let broken = (loss * f64::NAN).unwrap().backward().unwrap();
    assert!(optimizer.step(&broken, 0.1).unwrap().is_nan());
    assert_eq!(
        (optimizer.steps(), values(&parameters)),
        (0, before.clone())
    );

    let grads = parameters["c"].sum_all().unwrap().backward().unwrap();
    assert_eq!(optimizer.step(&grads, 0.1).unwrap(), 1.0);
    let after = values(&parameters);
    assert_eq!(after[..9], before[..9]);
    assert!((after[9] - 0.6).abs() < 1e-6);
}

#[test]
fn other_types_are_refused() {
    let var = Var::zeros(3, DType::F64, &Device::Cpu).unwrap();
    let parameters = BTreeMap::from([("x".to_owned(), var)]);
    assert!(AdamW::new(parameters, AdamWConfig::default()).is_err());
}
