//! The configuration of a training run: a TOML, with a default for every field.
//!
//! The effective configuration, defaults filled in, is written beside the run before its first
//! step ([`TrainConfig::to_toml`]); its text is also what a checkpoint's hash is taken over.

mod check;
mod overrides;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is no TOML, or holds a field that does not exist, or one of the wrong type.
    #[error(transparent)]
    Read(#[from] toml::de::Error),
    /// The configuration cannot be written as TOML.
    #[error("the configuration cannot be written as TOML: {0}")]
    Write(#[from] toml::ser::Error),
    /// A value is outside its range.
    #[error("{field} is {found}; allowed is {allowed}")]
    Invalid {
        /// Dotted path of the field.
        field: &'static str,
        /// The value found.
        found: String,
        /// The values allowed.
        allowed: &'static str,
    },
    /// An override names a field that does not exist.
    #[error("there is no {path}; {table} has {known}")]
    UnknownField {
        /// The path asked for.
        path: String,
        /// The innermost table of the path that exists.
        table: String,
        /// The fields of that table.
        known: String,
    },
    /// An override gives a value of the wrong type or to a table.
    #[error("{path}={value}: {message}")]
    Override {
        /// The path asked for.
        path: String,
        /// The value as typed.
        value: String,
        /// The reason.
        message: String,
    },
}

/// The whole configuration of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the initial weights, the batches and the augmentation; 0 to 2^63 - 1.
    pub seed: u64,
    /// Epochs at most, at least 1.
    pub epochs: u64,
    /// Epochs without a better validation PR-AUC (mean of SNP and INDEL) after which the run
    /// ends; 0 never ends it early.
    pub patience: u64,
    /// Make-up of the batches.
    pub batches: BatchConfig,
    /// The loss.
    pub loss: LossConfig,
    /// The head that tells one copy of an allele from two.
    pub genotype: GenotypeConfig,
    /// AdamW.
    pub optimizer: OptimizerConfig,
    /// The learning rate, step by step.
    pub schedule: ScheduleConfig,
    /// Random changes of an example each time it is seen.
    pub augmentation: AugmentationConfig,
    /// Examples that are held out.
    pub validation: ValidationConfig,
    /// The networks that are trained.
    pub network: NetworkConfig,
    /// Sizes of the network's layers, kept as they are written: the family gives them a type (see
    /// [`TrainConfig::architecture`]). An empty table is the family's default.
    pub architecture: toml::Table,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 40,
            patience: 8,
            batches: BatchConfig::default(),
            loss: LossConfig::default(),
            genotype: GenotypeConfig::default(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            augmentation: AugmentationConfig::default(),
            validation: ValidationConfig::default(),
            network: NetworkConfig::default(),
            architecture: toml::Table::new(),
        }
    }
}

/// The networks that are trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// A family of networks, by name ([`cnnfilter_core::networks::family::FAMILIES`]).
    pub family: String,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            family: "allele".to_owned(),
        }
    }
}

/// Minibatches balanced over NOT_SNP, NOT_INDEL, SNP, INDEL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Examples of each class in a batch, 1 to 4096; four times that is the batch.
    pub per_class: usize,
    /// Batches in an epoch; 0 is as many as hold as many examples as there are (see
    /// [`BatchConfig::steps_per_epoch`]).
    pub steps_per_epoch: u64,
    /// Train although there are no SNPs at all, or no indels at all.
    pub allow_one_type: bool,
    /// Frequency at which an example of a set of examples is drawn, relative to 1, the weight of sets not
    /// named here; 0 leaves the set out. Classes stay balanced.
    pub set_weights: BTreeMap<String, SetWeight>,
}

/// Frequency at which the examples of a set are drawn, relative to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number, or four: of false SNPs, false INDELs, real SNPs and real INDELs"
)]
pub enum SetWeight {
    /// All of them.
    Every(f64),
    /// Those of each class, in the order of [`cnnfilter_core::score::log_odds::LABELS`].
    Classes([f64; 4]),
}

impl SetWeight {
    /// The weight of the examples of a class.
    pub fn of(self, class: usize) -> f64 {
        match self {
            Self::Every(weight) => weight,
            Self::Classes(weights) => weights.get(class).copied().unwrap_or(0.0),
        }
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            per_class: 16,
            steps_per_epoch: 0,
            allow_one_type: false,
            set_weights: BTreeMap::new(),
        }
    }
}

impl BatchConfig {
    /// Batches in an epoch over `examples` training examples and batches of `batch_size`.
    ///
    /// Where the configuration says 0, an epoch shows as many examples as there are: `examples /
    /// batch_size`, rounded up. Classes are balanced, so in an epoch the examples of a class that
    /// is rarer than a quarter are seen several times and those of a more frequent one not all.
    pub fn steps_per_epoch(&self, examples: usize, batch_size: usize) -> u64 {
        if self.steps_per_epoch > 0 {
            self.steps_per_epoch
        } else {
            examples.div_ceil(batch_size.max(1)).max(1) as u64
        }
    }
}

/// Weighted cross-entropy over the four classes.
///
/// Batches hold every class equally often, which does already what class weights of 1/frequency
/// do; leave the weights at 1 unless a kind of error shall cost more than another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Weights of NOT_SNP, NOT_INDEL, SNP, INDEL; not negative, not all 0.
    pub class_weights: [f64; 4],
    /// Exponent of the focal term `(1 - p)^gamma` (Lin et al. 2017), 0 to 10; 0 is plain
    /// cross-entropy.
    pub focal_gamma: f64,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            class_weights: [1.0; 4],
            focal_gamma: 0.0,
        }
    }
}

/// The genotype head, where `architecture.genotype_width` is above 0. It learns from real calls of which the truth says
/// how many copies there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenotypeConfig {
    /// Weight of its cross-entropy beside that of the classes, above 0 and at most 100.
    pub weight: f64,
    /// Learn the head alone, on top of a model to start from: scores, calibration and thresholds of that model
    /// stay. Runs are compared by the head's validation loss then.
    pub alone: bool,
}

impl Default for GenotypeConfig {
    fn default() -> Self {
        Self {
            weight: 0.5,
            alone: false,
        }
    }
}

/// AdamW (Loshchilov and Hutter 2019) and what goes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Learning rate after warm-up, above 0 and at most 1.
    pub learning_rate: f64,
    /// Decoupled weight decay, 0 to 1.
    pub weight_decay: f64,
    /// Largest norm of the gradient of all weights together; larger ones are scaled down to it. 0
    /// does not clip.
    pub clip_norm: f64,
    /// Decay per step of the running average of the weights, 0 to below 1; the averaged weights
    /// are validated and saved. 0 keeps no average.
    pub ema_decay: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            weight_decay: 1e-4,
            clip_norm: 1.0,
            ema_decay: 0.999,
        }
    }
}

/// The shape of a learning-rate schedule after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Half a cosine from the learning rate down to its final fraction (Loshchilov and Hutter
    /// 2017, without restarts).
    Cosine,
    /// The rate is cut whenever validation has not improved for some epochs.
    Plateau,
    /// The rate stays.
    Constant,
}

/// The learning rate over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// `cosine`, `plateau` or `constant`.
    pub kind: ScheduleKind,
    /// Steps over which the rate rises linearly from about 0.
    pub warmup_steps: u64,
    /// Lowest rate, as a fraction of `optimizer.learning_rate`, 0 to 1: where a cosine ends and
    /// below which a plateau does not cut.
    pub final_fraction: f64,
    /// Epochs without improvement before a plateau cuts, at least 1.
    pub plateau_patience: u64,
    /// Factor of the rate at a plateau, above 0 and below 1.
    pub plateau_factor: f64,
    /// Temperature of a quality threshold (`architecture.quality_gate`) at the first step and at the last, phred;
    /// by the same factor from step to step. 0 in both: it is learned, as the threshold is.
    pub temperature_start: f64,
    /// See [`ScheduleConfig::temperature_start`].
    pub temperature_end: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Cosine,
            warmup_steps: 200,
            final_fraction: 0.01,
            plateau_patience: 3,
            plateau_factor: 0.5,
            temperature_start: 0.0,
            temperature_end: 0.0,
        }
    }
}

/// Random changes of an example each time it is seen; all are probabilities but the fraction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Probability that all reads of an example change strands.
    pub strand_flip: f64,
    /// Probability that reads are thinned.
    pub downsample_probability: f64,
    /// Smallest fraction of reads kept when thinned, above 0 and at most 1; the fraction is drawn
    /// evenly between this and 1.
    pub downsample_min_fraction: f64,
    /// Probability, for each annotation by itself, that it is set missing.
    pub annotation_dropout: f64,
    /// Probability, for each group of annotations by itself, that the whole group is set missing.
    pub group_dropout: f64,
}

impl Default for AugmentationConfig {
    fn default() -> Self {
        Self {
            strand_flip: 0.5,
            downsample_probability: 0.5,
            downsample_min_fraction: 0.15,
            annotation_dropout: 0.05,
            group_dropout: 0.1,
        }
    }
}

/// Examples that are held out of the fit: by place or by set, never at random, since neighbouring
/// calls share reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationConfig {
    /// Regions held out: `contig`, `contig:first-last` (1-based, inclusive) or a BED file. A call
    /// belongs to a region when its POS does.
    pub regions: Vec<String>,
    /// Sets of examples held out as a whole, by name.
    pub sets: Vec<String>,
    /// Where neither regions nor sets nor whole files are given: the share of every file that is held
    /// out, its last examples by position; above 0, below 1.
    pub last_fraction: f64,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            sets: Vec::new(),
            last_fraction: 0.1,
        }
    }
}

impl TrainConfig {
    /// Reads a configuration; fields that are left out have their defaults.
    ///
    /// # Errors
    /// Text that is no TOML, unknown fields, values of the wrong type or outside their range.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// The whole configuration as TOML, defaults included; reading it gives the same
    /// configuration.
    ///
    /// # Errors
    /// A value that TOML cannot hold; none in a configuration that [`TrainConfig::check`] passes.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        Ok(toml::to_string(self)?)
    }

    /// The table `[architecture]` as a type of the model layer.
    ///
    /// # Errors
    /// Unknown fields or values of the wrong type, as `A` sees it.
    pub fn architecture<A: DeserializeOwned>(&self) -> Result<A, ConfigError> {
        Ok(self.architecture.clone().try_into()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default_and_the_default_is_valid() {
        assert_eq!(TrainConfig::from_toml("").unwrap(), TrainConfig::default());
    }

    #[test]
    fn every_field_is_written_and_read_back() {
        let mut config = TrainConfig {
            seed: 77,
            ..TrainConfig::default()
        };
        config.optimizer.learning_rate = 0.1 + 0.2;
        config
            .batches
            .set_weights
            .insert("real calls".into(), SetWeight::Every(4.0));
        let by_class = SetWeight::Classes([3.0, 2.0, 1.0, 0.5]);
        config
            .batches
            .set_weights
            .insert("by class".into(), by_class);
        config.validation.regions = vec!["20".into(), "chr1:1-1000".into()];
        config
            .architecture
            .insert("name".into(), "reads".to_owned().into());
        let text = config.to_toml().unwrap();
        assert_eq!(TrainConfig::from_toml(&text).unwrap(), config);
        for field in ["patience", "per_class", "clip_norm", "last_fraction"] {
            assert!(text.contains(&format!("\n{field} = ")), "{field} in {text}");
        }
        assert!(text.contains("\nkind = \"cosine\"\n"), "{text}");
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_named() {
        for (text, expected) in [
            ("epoch = 3", "epoch"),
            ("[optimizer]\nmomentum = 0.9", "momentum"),
            ("[schedule]\nkind = \"linear\"", "linear"),
            ("[batches]\nper_class = -1", "per_class"),
            ("[loss]\nclass_weights = [1.0]", "class_weights"),
        ] {
            let message = TrainConfig::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn the_architecture_takes_any_type() {
        #[derive(Deserialize, PartialEq, Debug)]
        #[serde(deny_unknown_fields)]
        struct Architecture {
            name: String,
            filters: usize,
        }
        let config =
            TrainConfig::from_toml("[architecture]\nname = \"reads\"\nfilters = 32").unwrap();
        let found: Architecture = config.architecture().unwrap();
        assert_eq!((found.name.as_str(), found.filters), ("reads", 32));
        let config =
            TrainConfig::from_toml("[architecture]\nname = \"reads\"\nkernel = 3").unwrap();
        let message = config
            .architecture::<Architecture>()
            .unwrap_err()
            .to_string();
        assert!(message.contains("kernel"), "{message}");
    }

    #[test]
    fn an_epoch_shows_as_many_examples_as_there_are() {
        let batches = BatchConfig::default();
        assert_eq!(batches.steps_per_epoch(640, 64), 10);
        assert_eq!(batches.steps_per_epoch(641, 64), 11);
        assert_eq!(batches.steps_per_epoch(3, 64), 1);
        let fixed = BatchConfig {
            steps_per_epoch: 7,
            ..batches
        };
        assert_eq!(fixed.steps_per_epoch(640, 64), 7);
    }
}
