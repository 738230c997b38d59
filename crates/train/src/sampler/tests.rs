use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn classes(counts: [usize; 4]) -> Vec<u8> {
    (0_u8..)
        .zip(counts)
        .flat_map(|(class, count)| vec![class; count])
        .collect()
}

fn sampler(counts: [usize; 4], per_class: usize, seed: u64) -> BalancedSampler {
    BalancedSampler::new(&classes(counts), &[], per_class, seed, false).unwrap()
}

#[test]
fn every_example_of_a_class_is_seen_once_in_a_pass() {
    let mut sampler = sampler([7, 3, 10, 1], 5, 4);
    let mut drawn: [Vec<usize>; 4] = Default::default();
    for step in 0..42 {
        let batch = sampler.batch(step);
        assert_eq!(batch.examples.len(), 20);
        for (&example, &class) in batch.examples.iter().zip(&batch.classes) {
            drawn[usize::from(class)].push(example);
        }
    }
    for (range, drawn) in [0..7, 7..10, 10..20, 20..21].into_iter().zip(drawn) {
        let members: Vec<usize> = range.collect();
        let mut orders = Vec::new();
        for pass in drawn.chunks_exact(members.len()) {
            let mut sorted = pass.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, members);
            orders.push(pass.to_vec());
        }
        orders.sort();
        orders.dedup();
        assert!(members.len() < 7 || orders.len() > 10, "{orders:?}");
    }
}

proptest! {
    #[test]
    fn a_batch_depends_on_its_step_only(
        counts in prop::array::uniform4(1_usize..40),
        per_class in 1_usize..20,
        seed: u64,
        steps in prop::collection::vec(0_u64..1_000, 1..20),
        weighted: bool,
    ) {
        let classes = classes(counts);
        let weights: Vec<f64> = if weighted {
            (0..classes.len()).map(|i| [1.0, 0.3, 5.0][i % 3]).collect()
        } else {
            Vec::new()
        };
        let new = || BalancedSampler::new(&classes, &weights, per_class, seed, false).unwrap();
        let mut warm = new();
        for step in steps {
            let batch = warm.batch(step);
            prop_assert_eq!(&batch, &new().batch(step));
            for class in 0..4 {
                let n = batch.classes.iter().filter(|&&c| c == class).count();
                prop_assert_eq!(n, per_class);
            }
            for (&example, &class) in batch.examples.iter().zip(&batch.classes) {
                prop_assert_eq!(classes[example], class);
            }
        }
    }

    /// n·w/Σw copies, rounded up or down, in every pass.
    #[test]
    fn weights_are_kept_in_every_pass(
        weights in prop::collection::vec(0.01_f64..5.0, 2..60),
        seed: u64,
    ) {
        let n = weights.len();
        let total: f64 = weights.iter().sum();
        let mut cycle = ClassCycle::new(0, (0..n as u32).collect(), weights.clone());
        for pass in 0..4 {
            cycle.shuffle(seed, pass);
            prop_assert_eq!(cycle.order.len(), n);
            for (i, weight) in weights.iter().enumerate() {
                let expected = n as f64 * weight / total;
                let found = cycle.order.iter().filter(|&&m| m as usize == i).count() as f64;
                prop_assert!((found - expected).abs() < 1.0 + 1e-9, "{} {}", found, expected);
            }
        }
    }
}

#[test]
fn mean_copies_are_those_of_the_weights() {
    let weights = vec![0.5, 0.5, 1.0, 3.0, 0.25];
    let total: f64 = weights.iter().sum();
    let mut cycle = ClassCycle::new(2, (0..5).collect(), weights.clone());
    let mut copies = [0_u32; 5];
    let passes = 4_000;
    for pass in 0..passes {
        cycle.shuffle(8, pass);
        for &member in &cycle.order {
            copies[member as usize] += 1;
        }
    }
    for (count, weight) in copies.into_iter().zip(weights) {
        let found = f64::from(count) / passes as f64;
        // Standard error at most 0.5 / sqrt(4000) = 0.008.
        assert!((found - 5.0 * weight / total).abs() < 0.04, "{copies:?}");
    }
}

#[test]
fn weight_zero_is_never_drawn_and_equal_weights_change_nothing() {
    let classes = classes([4, 4, 4, 4]);
    let plain = BalancedSampler::new(&classes, &[], 3, 1, false)
        .unwrap()
        .batch(9);
    let equal = BalancedSampler::new(&classes, &[0.1; 16], 3, 1, false)
        .unwrap()
        .batch(9);
    assert_eq!(plain, equal);
    let mut weights = [1.0; 16];
    weights[0] = 0.0;
    let mut sampler = BalancedSampler::new(&classes, &weights, 3, 1, false).unwrap();
    assert_eq!(sampler.counts(), ClassCounts([3, 4, 4, 4]));
    assert!((0..50).all(|step| !sampler.batch(step).examples.contains(&0)));
}

/// All 24 orders of four examples come about equally often: chi-square with 23 degrees of
/// freedom stays below its 0.9999 quantile, 57.
#[test]
fn shuffles_are_even() {
    let mut cycle = ClassCycle::new(1, (0..4).collect(), vec![1.0; 4]);
    let mut orders: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
    for pass in 0..4_800 {
        cycle.shuffle(3, pass);
        *orders.entry(cycle.order.clone()).or_default() += 1.0;
    }
    assert_eq!(orders.len(), 24);
    let chi_square: f64 = orders.values().map(|n| (n - 200.0).powi(2) / 200.0).sum();
    assert!(chi_square < 57.0, "{chi_square}");
}

#[test]
fn seeds_of_slots_steps_and_runs_differ() {
    let mut seeds = Vec::new();
    for run in 0..3 {
        let mut sampler = sampler([5, 5, 5, 5], 4, run);
        for step in 0..20 {
            seeds.extend(sampler.batch(step).augmentation_seeds);
        }
    }
    let n = seeds.len();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!((n, seeds.len()), (960, 960));
    assert_ne!(
        sampler([50; 4], 4, 0).batch(0).examples,
        sampler([50; 4], 4, 1).batch(0).examples
    );
}

#[test]
fn an_empty_class_is_named() {
    let message = |counts, one| {
        BalancedSampler::new(&classes(counts), &[], 4, 1, one)
            .unwrap_err()
            .to_string()
    };
    for one in [false, true] {
        assert_eq!(
            message([5, 0, 7, 3], one),
            "no training example of class NOT_INDEL (5 NOT_SNP, 0 NOT_INDEL, 7 SNP, 3 INDEL): \
             a filter needs true and false calls of a type"
        );
        assert!(message([5, 0, 0, 0], one).contains("class SNP"));
        assert!(message([0; 4], one).starts_with("there are no training examples"));
    }
    assert_eq!(
        message([5, 0, 7, 0], false),
        "there are no training examples of type INDEL (5 NOT_SNP, 0 NOT_INDEL, 7 SNP, 0 INDEL); to train on \
         one type only, set batches.allow_one_type"
    );
}

#[test]
fn one_type_makes_batches_of_its_two_classes() {
    let mut sampler = BalancedSampler::new(&classes([0, 4, 0, 6]), &[], 3, 1, true).unwrap();
    assert_eq!(sampler.batch_size(), 6);
    assert_eq!(sampler.batch(2).classes, [1, 1, 1, 3, 3, 3]);
    assert_eq!(sampler.batch(2).augmentation_seeds.len(), 6);
}

#[test]
fn broken_input_is_refused() {
    let new = |classes: &[u8], weights: &[f64]| {
        BalancedSampler::new(classes, weights, 4, 1, false).unwrap_err()
    };
    assert_eq!(
        new(&[0, 4], &[]),
        SamplerError::Class { index: 1, found: 4 }
    );
    assert_eq!(
        new(&[0, 1, 2, 3], &[1.0, -1.0, 1.0, 1.0]),
        SamplerError::Weight {
            index: 1,
            found: -1.0
        }
    );
    assert!(matches!(
        new(&[0, 1, 2, 3], &[f64::NAN; 4]),
        SamplerError::Weight { index: 0, .. }
    ));
    assert_eq!(
        new(&[0, 1, 2, 3], &[1.0]),
        SamplerError::WeightCount {
            found: 1,
            expected: 4
        }
    );
}

/// The draws of this sampler when it was written; another value means that a resumed run, or one that
/// is repeated from its seed, would see other batches.
#[test]
fn the_stream_of_a_seed_stays() {
    let batch = sampler([9, 9, 9, 9], 2, 42).batch(5);
    assert_eq!(batch.examples, [4, 0, 11, 9, 25, 22, 27, 29]);
    assert_eq!(
        batch.augmentation_seeds[..2],
        [7353498499883696752, 2536993429799768647]
    );
}
