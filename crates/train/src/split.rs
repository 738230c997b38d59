//! Which examples are trained on and which are held out.

use std::collections::{BTreeMap, BTreeSet};

use cnnfilter_core::encode::store::StoreHeader;
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::networks::card::TrainedOn;

use crate::config::{SetWeight, TrainConfig};

/// Sets that a message names.
const SETS_NAMED: usize = 8;

/// A file of examples, as far as the split looks at it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExampleSet {
    /// Name of the set; several files may share one.
    pub name: String,
    /// True for a file that was given to validate on: all of it is held out.
    pub only_validates: bool,
    /// Class, contig and 0-based position of each example, in the order of the file.
    pub labels: Vec<(usize, String, u64)>,
}

/// The examples of a run, numbered through all files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Split {
    /// Examples to train on, with their weights.
    pub training: Vec<(usize, f64)>,
    /// Class of each of these.
    pub training_classes: Vec<u8>,
    /// Examples to validate on.
    pub validation: Vec<usize>,
    /// Number of the set of each example, of all; files of one name are one set.
    pub sets: Vec<u32>,
    /// Of each file the examples of each class, to train on and to validate on.
    counts: Vec<[[u64; 4]; 2]>,
}

/// A configuration that does not fit the examples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// It names a set that none of the files is.
    #[error(
        "the configuration names the set `{name}`; there are {}",
        listed(known)
    )]
    UnknownSet {
        /// The name.
        name: String,
        /// Names of the sets that there are.
        known: BTreeSet<String>,
    },
    /// One side of the split is empty.
    #[error(
        "there is no example to {purpose} on: of {examples} examples {held_out} are held out; see `validation` in the configuration and --validation"
    )]
    Empty {
        /// train or validate.
        purpose: &'static str,
        /// Examples of all files.
        examples: usize,
        /// Examples that are held out.
        held_out: usize,
    },
}

fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().map(String::as_str).take(SETS_NAMED).collect();
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl Split {
    /// Decides for each example whether it is held out: those of files given to validate on, of the
    /// sets and in the regions that the configuration names, or, without any of these, the last
    /// share of every file by position. `regions` are those of the configuration.
    ///
    /// # Errors
    /// A set that there is not, or nothing to train or to validate on.
    pub fn new(
        sets: &[ExampleSet],
        config: &TrainConfig,
        regions: Option<&IntervalSet>,
    ) -> Result<Self, SplitError> {
        let held = &config.validation;
        let weights = &config.batches.set_weights;
        for name in held.sets.iter().chain(weights.keys()) {
            if !sets.iter().any(|set| set.name == *name) {
                return Err(SplitError::UnknownSet {
                    name: name.clone(),
                    known: sets.iter().map(|set| set.name.clone()).collect(),
                });
            }
        }
        let by_share = held.sets.is_empty()
            && held.regions.is_empty()
            && !sets.iter().any(|set| set.only_validates);
        let mut split = Self::default();
        let mut first = 0;
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for set in sets {
            let next = numbers.len() as u32;
            let number = *numbers.entry(&set.name).or_insert(next);
            let whole = set.only_validates || held.sets.contains(&set.name);
            let weight = weights.get(&set.name).copied();
            let weight = weight.unwrap_or(SetWeight::Every(1.0));
            let examples = set.labels.len();
            split.sets.resize(first + examples, number);
            let last_share = examples - (examples as f64 * held.last_fraction).ceil() as usize;
            let mut counts = [[0; 4]; 2];
            for (number, (class, contig, start)) in set.labels.iter().enumerate() {
                let in_regions = regions.is_some_and(|set| set.contains(contig, *start));
                let held_out = whole || in_regions || (by_share && number >= last_share);
                counts[usize::from(held_out)][*class] += 1;
                if held_out {
                    split.validation.push(first + number);
                } else {
                    split.training.push((first + number, weight.of(*class)));
                    split.training_classes.push(*class as u8);
                }
            }
            split.counts.push(counts);
            first += examples;
        }
        split.check(first)?;
        Ok(split)
    }

    fn check(&self, examples: usize) -> Result<(), SplitError> {
        for (purpose, is_empty) in [
            ("train", self.training.is_empty()),
            ("validate", self.validation.is_empty()),
        ] {
            if is_empty {
                return Err(SplitError::Empty {
                    purpose,
                    examples,
                    held_out: self.validation.len(),
                });
            }
        }
        Ok(())
    }

    /// The sets for the card: `headers` are those of the files, in their order.
    pub fn trained_on(&self, headers: &[StoreHeader]) -> Vec<TrainedOn> {
        headers
            .iter()
            .zip(&self.counts)
            .map(|(header, [training, validation])| TrainedOn {
                set: header.set.clone(),
                training: *training,
                validation: *validation,
                depth: header.sample_depth,
                calls_sha256: header
                    .inputs
                    .iter()
                    .find(|input| input.role == "calls")
                    .map_or(String::new(), |input| input.sha256.clone()),
            })
            .collect()
    }

    /// The validation examples in words: `held-out calls of a (12 calls), b (3 calls)`.
    pub fn validation_text(&self, headers: &[StoreHeader]) -> String {
        let parts: Vec<String> = headers
            .iter()
            .zip(&self.counts)
            .map(|(header, [_, validation])| (header, validation.iter().sum::<u64>()))
            .filter(|(_, calls)| *calls > 0)
            .map(|(header, calls)| format!("{} ({calls} calls)", header.set))
            .collect();
        format!("held-out calls of {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::encode::store::StoreInput;
    use cnnfilter_core::genome::Interval;

    /// Ten examples of a set at positions 0, 10, ..., 90 of a contig, one class after the other.
    fn set(name: &str, contig: &str) -> ExampleSet {
        ExampleSet {
            name: name.to_owned(),
            only_validates: false,
            labels: (0..10)
                .map(|at| (at % 4, contig.to_owned(), 10 * at as u64))
                .collect(),
        }
    }

    fn config() -> TrainConfig {
        TrainConfig::default()
    }

    fn header(name: &str) -> StoreHeader {
        StoreHeader {
            set: name.to_owned(),
            encoder: "cnnfilter_reads".to_owned(),
            annotations: Vec::new(),
            site_features: Vec::new(),
            read_features: Vec::new(),
            sample_depth: Some(31.0),
            inputs: vec![StoreInput {
                role: "calls".to_owned(),
                file: "calls.vcf".to_owned(),
                sha256: format!("sum of {name}"),
            }],
            left_out: Vec::new(),
            classes: [0; 4],
            cnnfilter_version: String::new(),
        }
    }

    #[test]
    fn without_choice_the_last_share_of_each_file_is_held_out() {
        let mut config = config();
        config.validation.last_fraction = 0.15;
        let sets = [set("a", "1"), set("b", "2")];
        let split = Split::new(&sets, &config, None).unwrap();
        // 1.5 examples of ten are two.
        assert_eq!(split.validation, [8, 9, 18, 19]);
        assert_eq!(split.training.len(), 16);
        assert_eq!(split.training_classes[..5], [0, 1, 2, 3, 0]);
        assert_eq!(split.training[8], (10, 1.0));
    }

    #[test]
    fn files_sets_and_regions_are_held_out_as_they_are_named() {
        let mut given = set("c", "3");
        given.only_validates = true;
        let mut config = config();
        config.validation.sets = vec!["b".to_owned()];
        config.validation.regions = vec!["1:21-40".to_owned()];
        let regions = IntervalSet::new([("1".to_owned(), Interval { start: 20, end: 40 })]);
        let sets = [set("a", "1"), set("b", "2"), given];
        let split = Split::new(&sets, &config, Some(&regions)).unwrap();
        let expected: Vec<usize> = [2, 3].into_iter().chain(10..30).collect();
        assert_eq!(split.validation, expected);
        let headers = ["a", "b", "c"].map(header);
        let text = split.validation_text(&headers);
        assert_eq!(
            text,
            "held-out calls of a (2 calls), b (10 calls), c (10 calls)"
        );
        let cards = split.trained_on(&headers);
        assert_eq!(cards[0].training, [3, 3, 1, 1]);
        assert_eq!(cards[0].validation, [0, 0, 1, 1]);
        assert_eq!(cards[1].calls_sha256, "sum of b");
        assert_eq!(cards[2].depth, Some(31.0));
    }

    #[test]
    fn weights_are_those_of_the_set_and_the_class() {
        let mut config = config();
        config.batches.set_weights = BTreeMap::from([
            ("a".to_owned(), SetWeight::Every(0.5)),
            ("b".to_owned(), SetWeight::Classes([1.0, 2.0, 3.0, 4.0])),
        ]);
        let sets = [set("a", "1"), set("b", "2"), set("c", "3")];
        let split = Split::new(&sets, &config, None).unwrap();
        let weights: Vec<f64> = split.training.iter().map(|(_, weight)| *weight).collect();
        assert_eq!(weights[..9], [0.5; 9]);
        assert_eq!(weights[9..14], [1.0, 2.0, 3.0, 4.0, 1.0]);
        assert_eq!(weights[18..], [1.0; 9]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut config = config();
        config.validation.sets = vec!["z".to_owned()];
        let sets: Vec<ExampleSet> = (0..10).map(|at| set(&format!("s{at}"), "1")).collect();
        let told = |sets: &[ExampleSet], config: &TrainConfig| {
            Split::new(sets, config, None).unwrap_err().to_string()
        };
        assert_eq!(
            told(&sets, &config),
            "the configuration names the set `z`; there are s0, s1, s2, s3, s4, s5, s6, s7 and 2 more"
        );
        config.validation.sets = vec!["s0".to_owned()];
        let text = told(&sets[..1], &config);
        assert!(
            text.contains("no example to train on: of 10 examples 10"),
            "{text}"
        );
        config.validation.sets = Vec::new();
        config.validation.regions = vec!["2:1-5".to_owned()];
        let nowhere = IntervalSet::new([]);
        let error = Split::new(&sets, &config, Some(&nowhere)).unwrap_err();
        assert!(
            error.to_string().contains("no example to validate on"),
            "{error}"
        );
    }
}
