//! An example as it looks this time.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::AugmentationConfig;
use cnnfilter_core::encode::allele::read_features::ReadFeatures;
use cnnfilter_core::encode::{Example, SiteTensor};

/// Which group of annotations one belongs to; groups are dropped together, as a caller that lacks
/// one of them often lacks all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// QUAL and what is made of it.
    Quality,
    /// Genotype, its likelihoods and its reads.
    Sample,
    /// INFO keys.
    Site,
}

/// How the annotations of a set of examples are dropped.
#[derive(Debug, Clone)]
pub struct Annotations {
    groups: Vec<Group>,
    /// Whether the value follows the depth, so that it is wrong once reads are taken away.
    follows_depth: Vec<bool>,
}

impl Annotations {
    /// Sorts annotations, by name, into groups.
    pub fn new(names: &[String]) -> Self {
        let group = |name: &String| match name.as_str() {
            "QUAL" | "QUAL/depth" => Group::Quality,
            name if name.starts_with("INFO/") => Group::Site,
            _ => Group::Sample,
        };
        let follows_depth = |name: &String| {
            !matches!(
                name.as_str(),
                "GT/copies" | "GT/others" | "AD/share" | "INFO/MQ" | "INFO/MQM" | "INFO/MQMR"
            )
        };
        Self {
            groups: names.iter().map(group).collect(),
            follows_depth: names.iter().map(follows_depth).collect(),
        }
    }
}

/// Changes an example at random; the same seed changes it alike.
///
/// * Strand flip: all its reads change strands. (The window stays: left-aligned indels have no
///   mirror image.)
/// * Thinning: a share of its reads, drawn between the least share and 1, stays and is counted anew;
///   annotations that follow the depth become missing, since the caller would have written others.
/// * Dropout of single annotations, and of groups of them.
pub fn augment(
    example: &mut Example,
    annotations: &Annotations,
    config: &AugmentationConfig,
    seed: u64,
) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // All draws are made whatever becomes of them, so that settings do not shift one another.
    let flip = random.random::<f64>() < config.strand_flip;
    let thin = random.random::<f64>() < config.downsample_probability;
    let least = config.downsample_min_fraction;
    let share = least + (1.0 - least) * random.random::<f64>();
    let dropped_groups: [bool; 3] =
        std::array::from_fn(|_| random.random::<f64>() < config.group_dropout);
    if let SiteTensor::Allele(set) = &mut example.tensor {
        if flip {
            set.reads.iter_mut().for_each(ReadFeatures::flip_strand);
        }
        if thin && !set.reads.is_empty() {
            let keep: Vec<usize> = (0..set.reads.len())
                .filter(|_| random.random::<f64>() < share)
                .collect();
            set.thin(&keep, share as f32);
        }
    }
    for (at, value) in example.annotations.iter_mut().enumerate() {
        let of_group = annotations
            .groups
            .get(at)
            .is_some_and(|group| dropped_groups[*group as usize]);
        let of_depth = thin && annotations.follows_depth.get(at).copied().unwrap_or(false);
        if of_group || of_depth || random.random::<f64>() < config.annotation_dropout {
            *value = f32::NAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::encode::Encoder;
    use cnnfilter_core::testing::allele_example;

    fn names() -> Vec<String> {
        ["QUAL", "GT/copies", "INFO/DP", "AD/share"]
            .map(String::from)
            .to_vec()
    }

    fn example() -> Example {
        let encoder = Encoder::Allele {
            reads: true,
            annotations: names().iter().map(|name| name.parse().unwrap()).collect(),
        };
        let mut example = allele_example(&encoder, 5, 40);
        example.annotations = vec![1.0, 2.0, 3.0, 4.0];
        example
    }

    fn config(strand_flip: f64, downsample: f64, dropout: f64) -> AugmentationConfig {
        AugmentationConfig {
            strand_flip,
            downsample_probability: downsample,
            downsample_min_fraction: 0.3,
            annotation_dropout: dropout,
            group_dropout: 0.0,
        }
    }

    fn augmented(config: &AugmentationConfig, seed: u64) -> Example {
        let mut changed = example();
        augment(&mut changed, &Annotations::new(&names()), config, seed);
        changed
    }

    #[test]
    fn nothing_is_changed_unasked() {
        assert_eq!(augmented(&config(0.0, 0.0, 0.0), 3), example());
    }

    #[test]
    fn strands_flip_and_flip_back() {
        let (SiteTensor::Allele(before), SiteTensor::Allele(after)) = (
            example().tensor,
            augmented(&config(1.0, 0.0, 0.0), 3).tensor,
        ) else {
            panic!("read sets");
        };
        assert_ne!(before.reads, after.reads);
        assert_eq!(before.rows, after.rows);
        let mut back = after;
        back.reads.iter_mut().for_each(ReadFeatures::flip_strand);
        assert_eq!(back, before);
    }

    #[test]
    fn thinned_reads_are_counted_anew() {
        let thinned = augmented(&config(0.0, 1.0, 0.0), 3);
        let (SiteTensor::Allele(before), SiteTensor::Allele(after)) =
            (example().tensor, thinned.tensor)
        else {
            panic!("read sets");
        };
        assert!(after.rows.len() < before.rows.len());
        assert_eq!(after.rows.len(), after.reads.len());
        assert_ne!(after.site, before.site);
        assert!(thinned.annotations[0].is_nan() && thinned.annotations[2].is_nan());
        assert_eq!((thinned.annotations[1], thinned.annotations[3]), (2.0, 4.0));
        // Thinning that keeps all reads and all depth counts the same.
        let mut whole = before.clone();
        whole.thin(&(0..before.rows.len()).collect::<Vec<_>>(), 1.0);
        for (a, b) in whole.site.iter().zip(&before.site) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn annotations_drop_out() {
        let dropped: usize = (0..200)
            .map(|seed| {
                let changed = augmented(&config(0.0, 0.0, 0.25), seed);
                changed
                    .annotations
                    .iter()
                    .filter(|value| value.is_nan())
                    .count()
            })
            .sum();
        // 200 expected, standard deviation 12.
        assert!((140..=260).contains(&dropped), "{dropped} of 800");
    }
}
