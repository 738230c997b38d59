//! Contributions against scores that are computed another way.

use super::*;
use crate::networks::Builtin;
use cnnfilter_nn::DeviceChoice;

fn model() -> Model {
    let builtin = Builtin::named("cnnfilter_reads").unwrap();
    builtin.load(DeviceChoice::Cpu).unwrap()
}

fn score(model: &Model, example: &Example) -> f64 {
    let logits = model.logits(std::slice::from_ref(example)).unwrap()[0];
    log_odds(logits, VariantKind::Snp)
}

#[test]
fn a_read_contributes_the_score_less_that_without_it() {
    let model = model();
    let example = model.architecture().made_up(5, 12);
    let explainer = Explainer::new(&model);
    let integrator = Integrator::new(&model).unwrap();
    let why = explainer
        .explain_in_detail(&example, VariantKind::Snp, &integrator)
        .unwrap();
    let SiteTensor::Allele(tensor) = &example.tensor else {
        panic!("our own tensor");
    };
    assert_eq!(why.reads.len(), tensor.rows.len());
    let thinner = explainer.thinner.as_ref().unwrap();
    let whole = score(&model, &thinned(&example, tensor, thinner, None));
    for row in [0, tensor.rows.len() - 1] {
        let mut without = tensor.clone();
        let keep: Vec<usize> = (0..tensor.rows.len()).filter(|at| *at != row).collect();
        thinner.thin(&mut without, &keep, 1.0);
        assert_eq!(without.rows.len(), tensor.rows.len() - 1);
        let without = score(
            &model,
            &Example {
                tensor: SiteTensor::Allele(without),
                annotations: example.annotations.clone(),
            },
        );
        assert!((f64::from(why.reads[row]) - (whole - without)).abs() < 1e-6);
    }
}

#[test]
fn each_part_changes_something() {
    let model = model();
    let mut example = model.architecture().made_up(5, 12);
    example.annotations.fill(3.0);
    let explainer = Explainer::new(&model);
    for part in &explainer.parts {
        assert_ne!(explainer.without(&example, *part), example, "{part:?}");
    }
}

#[test]
fn quick_contributions_are_differences_of_scores() {
    let model = model();
    let mut example = model.architecture().made_up(6, 20);
    example.annotations.fill(3.0);
    let explainer = Explainer::new(&model);
    let quick = explainer.quick(&example, VariantKind::Snp).unwrap();
    let logits = model.logits(std::slice::from_ref(&example)).unwrap()[0];
    assert_eq!(quick.logits, logits, "bit for bit");
    let whole = score(&model, &example);
    let topics = explainer.parts.iter().zip(&quick.parts);
    for (part, found) in topics.filter(|(part, _)| **part != Part::Annotations) {
        let changed = explainer.numbers(&example, *part).put_into(&example);
        let expected = (whole - score(&model, &changed)) as f32;
        assert!((found - expected).abs() < 1e-5, "{part:?}");
    }
}

/// Only the shortcut is left of the network: the score is a weighted sum of the scaled numbers.
#[test]
fn of_the_linear_shortcut_parts_are_weights_times_inputs() {
    let trained = model();
    let mut weights = trained.weights().clone();
    for name in ["out.weight", "out.bias"] {
        weights.get_mut(name).unwrap().data.fill(0.0);
    }
    let network = trained.architecture().network(&weights).unwrap();
    let mut example = trained.architecture().made_up(8, 9);
    // Small enough that softmax does not bound the odds; no annotation, so no missing bit changes.
    let Encoder::Allele { layout, .. } = trained.encoder() else {
        panic!("our own encoder");
    };
    let explainer = Explainer::new(&trained);
    if let SiteTensor::Allele(tensor) = &mut example.tensor {
        let count = tensor.site.len();
        tensor.site.copy_from_slice(&explainer.means[..count]);
        for value in tensor.site.iter_mut().skip(3).step_by(4) {
            *value += 0.05;
        }
    }
    example.annotations.fill(f32::NAN);
    let scaling = trained.architecture().scaling().unwrap();
    let shortcut = &weights.get("shortcut.weight").unwrap();
    let width = shortcut.shape[1];
    let margin = |at: usize| shortcut.data[2 * width + at] - shortcut.data[at];
    let SiteTensor::Allele(tensor) = &example.tensor else {
        panic!("our own tensor");
    };
    for part in &explainer.parts {
        let changed = [explainer.numbers(&example, *part)];
        let logits = network.logits_of_numbers(&example, &changed).unwrap();
        let odds = |logits: [f32; 4]| logits[2] - logits[0];
        let found = odds(logits.own) - odds(logits.others[0]);
        let expected: f32 = (layout.site().iter().zip(&tensor.site).enumerate())
            .filter(|(_, (feature, _))| part.holds(feature.topic))
            .map(|(at, (_, value))| margin(at) * scaling.features[at].apply(Some(*value)).0)
            .sum();
        assert!(
            (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
            "{part:?}: {found} is not {expected}"
        );
    }
}

#[test]
fn reasons_for_the_verdict_come_first_and_small_ones_not() {
    let model = model();
    let example = model.architecture().made_up(5, 12);
    let explainer = Explainer::new(&model);
    let at = |topic| {
        let mut parts = explainer.parts.iter();
        parts.position(|part| *part == Part::Topic(topic)).unwrap()
    };
    let mut values = vec![0.0; explainer.parts.len()];
    values[at(Topic::Strand)] = 0.05;
    values[at(Topic::Support)] = -1.0;
    values[at(Topic::Mapping)] = 3.0;
    values[at(Topic::Repeat)] = -2.0;
    *values.last_mut().unwrap() = -9.0;
    let codes = |is_real: bool| -> Vec<&str> {
        let reasons = explainer.reasons(&example, &values, is_real);
        reasons.iter().map(|reason| reason.code).collect()
    };
    assert_eq!(codes(false), ["repeat", "support", "mapping"]);
    assert_eq!(codes(true), ["mapping", "repeat", "support"]);
}

#[test]
fn every_topic_of_gatks_networks_changes_something() {
    for reads in [true, false] {
        let encoder = Encoder::Gatk {
            reads,
            annotations: annotations::BEST_PRACTICES.map(String::from).to_vec(),
        };
        let parts = Part::of_encoder(&encoder);
        let has = |topic| parts.contains(&Part::Topic(topic));
        assert!(has(Topic::Mapping) && has(Topic::Support) && !has(Topic::Repeat));
        assert_eq!(has(Topic::Pileup), reads);
        assert!(!has(Topic::Other), "all of GATK's annotations are known");
    }
}
