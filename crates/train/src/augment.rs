//! An example as it looks this time.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::AugmentationConfig;
use cnnfilter_core::encode::allele::{AlleleLayout, CannotThin, Thinner};
use cnnfilter_core::encode::annotations::{AnnotationGroup, AnnotationSource, Thinning};
use cnnfilter_core::encode::{Encoder, Example, SiteTensor};

/// Changes the examples of one layout and one list of annotations.
#[derive(Debug, Clone)]
pub struct Augmenter {
    layout: AlleleLayout,
    thinner: Thinner,
    annotations: Vec<(AnnotationGroup, Thinning)>,
}

impl Augmenter {
    /// For examples that `encoder` makes. Tensors of GATK's are not changed, only annotations.
    ///
    /// # Errors
    /// Examples of this encoder's numbers cannot be thinned.
    pub fn new(encoder: &Encoder) -> Result<Self, CannotThin> {
        let (layout, annotations) = match encoder {
            Encoder::Allele { layout, .. } => (layout.clone(), encoder.annotation_names()),
            Encoder::Gatk { .. } => (AlleleLayout::usual(false), encoder.annotation_names()),
        };
        let behaviour = |name: &String| {
            // A name that is no annotation is missing anyway.
            let unknown = (AnnotationGroup::Sample, Thinning::Missing);
            let source = name.parse::<AnnotationSource>();
            source.map_or(unknown, |source| (source.group(), source.thinning()))
        };
        Ok(Self {
            thinner: Thinner::new(layout.clone())?,
            layout,
            annotations: annotations.iter().map(behaviour).collect(),
        })
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
    augmenter: &Augmenter,
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
            augmenter.layout.flip_strands(set);
        }
        if thin && !set.rows.is_empty() {
            let keep: Vec<usize> = (0..set.rows.len())
                .filter(|_| random.random::<f64>() < share)
                .collect();
            augmenter.thinner.thin(set, &keep, share as f32);
        }
    }
    for (at, value) in example.annotations.iter_mut().enumerate() {
        let behaviour = augmenter.annotations.get(at);
        let of_group = behaviour.is_some_and(|(group, _)| dropped_groups[*group as usize]);
        let of_depth =
            thin && behaviour.is_some_and(|(_, thinning)| *thinning == Thinning::Missing);
        if of_group || of_depth || random.random::<f64>() < config.annotation_dropout {
            *value = f32::NAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::testing::allele_example;

    fn names() -> Vec<String> {
        ["QUAL", "GT/copies", "INFO/DP", "AD/share"]
            .map(String::from)
            .to_vec()
    }

    fn encoder() -> Encoder {
        let annotations = names().iter().map(|name| name.parse().unwrap()).collect();
        Encoder::allele(true, annotations)
    }

    fn example() -> Example {
        let mut example = allele_example(&encoder(), 5, 40);
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

    fn augmenter() -> Augmenter {
        Augmenter::new(&encoder()).unwrap()
    }

    fn augmented(config: &AugmentationConfig, seed: u64) -> Example {
        let mut changed = example();
        augment(&mut changed, &augmenter(), config, seed);
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
        augmenter().layout.flip_strands(&mut back);
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
        assert_eq!(after.rows.len(), after.supports.len());
        let width = before.reads.len() / before.rows.len();
        assert_eq!(after.reads.len(), width * after.rows.len());
        assert_ne!(after.site, before.site);
        assert!(thinned.annotations[0].is_nan() && thinned.annotations[2].is_nan());
        assert_eq!((thinned.annotations[1], thinned.annotations[3]), (2.0, 4.0));
        // Thinning that keeps all reads and all depth counts the same.
        let mut whole = before.clone();
        let all: Vec<usize> = (0..before.rows.len()).collect();
        augmenter().thinner.thin(&mut whole, &all, 1.0);
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
