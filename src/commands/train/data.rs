//! The examples of a run: which to train on, which to hold out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::TrainPlan;
use crate::io::example_file::ExampleFile;
use crate::io::{checksum, regions};
use cnnfilter_core::encode::store::{LabelledExample, StoreError, StoreHeader};
use cnnfilter_core::genome::{Contig, ContigTable};
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::card::{TensorSpec, TrainedOn};
use cnnfilter_core::networks::family::{self, Sizes, Trainable};
use cnnfilter_core::networks::scaling::{Scaling, ScalingLearner};
use cnnfilter_train::config::{NetworkConfig, SetWeight, TrainConfig};
use cnnfilter_train::fit::ExampleSource;

/// Examples decoded together while the scaling is learned.
const CHUNK: usize = 4096;

/// Sets that a message names.
const SETS_NAMED: usize = 8;

/// All files of examples.
pub(super) struct Data {
    files: Vec<ExampleFile>,
    headers: Vec<StoreHeader>,
    /// Number of the first example of each file, and of all examples at the end.
    first: Vec<usize>,
    /// Annotations of every example.
    pub(crate) annotations: Vec<String>,
    /// True where they have reads.
    pub(crate) with_reads: bool,
    /// Examples to train on, with their weights.
    pub(crate) training: Vec<(usize, f64)>,
    /// Classes of these.
    pub(crate) training_classes: Vec<u8>,
    /// Examples to validate on.
    pub(crate) validation: Vec<usize>,
    /// SHA-256 of the files, by name.
    pub(crate) checksums: BTreeMap<String, String>,
    /// Per file, examples per class to train and to validate on.
    counts: Vec<[[u64; 4]; 2]>,
}

impl ExampleSource for Data {
    fn len(&self) -> usize {
        self.first.last().copied().unwrap_or(0)
    }

    fn get(&self, index: usize) -> Result<LabelledExample, StoreError> {
        let file = self.file_of(index);
        self.files[file].view().get(index - self.first[file])
    }
}

impl Data {
    /// Opens all files and decides what is held out: the files given for validation, the sets and
    /// regions that the configuration names, or, without any of these, the last share of every file
    /// by position.
    ///
    /// # Errors
    /// Files that do not go together, or nothing to train or to validate on.
    pub(super) fn open(plan: &TrainPlan, config: &TrainConfig) -> Result<Self> {
        let mut data = Self {
            files: Vec::new(),
            headers: Vec::new(),
            first: vec![0],
            annotations: Vec::new(),
            with_reads: false,
            training: Vec::new(),
            training_classes: Vec::new(),
            validation: Vec::new(),
            checksums: BTreeMap::new(),
            counts: Vec::new(),
        };
        for path in plan.examples.iter().chain(&plan.validation) {
            let file = ExampleFile::open(path)?;
            let header = file.header().clone();
            data.check_layout(&file, &header)?;
            let name = path.display().to_string();
            data.checksums.insert(name, checksum::sha256_of_file(path)?);
            data.first.push(data.len() + file.view().len());
            data.headers.push(header);
            data.files.push(file);
        }
        data.split(plan, config)?;
        for (what, empty) in [
            ("train", data.training.is_empty()),
            ("validate", data.validation.is_empty()),
        ] {
            if empty {
                bail!(
                    "there is no example to {what} on: of {} examples {} are held out; see `validation` in the configuration and --validation",
                    data.len(),
                    data.validation.len()
                );
            }
        }
        Ok(data)
    }

    /// All files must have the same numbers in the same order, those of this version.
    fn check_layout(&mut self, file: &ExampleFile, header: &StoreHeader) -> Result<()> {
        let reads = header.encoder == "cnnfilter_reads";
        let tensor = TensorSpec::of_allele(reads);
        if header.encoder != tensor.encoder
            || header.site_features != tensor.site_features
            || header.read_features != tensor.channels
        {
            bail!(
                "{}: its examples were made by another version ({}) of the encoder; make them again with `cnnfilter tensors`",
                file.path().display(),
                header.cnnfilter_version
            );
        }
        let Some(known) = self.headers.first() else {
            self.annotations.clone_from(&header.annotations);
            self.with_reads = reads;
            return Ok(());
        };
        if known.encoder != header.encoder || known.annotations != header.annotations {
            bail!(
                "{} and {} do not go together: {} with {} annotations against {} with {}; make both with the same options of `cnnfilter tensors`",
                self.files[0].path().display(),
                file.path().display(),
                known.encoder,
                known.annotations.len(),
                header.encoder,
                header.annotations.len()
            );
        }
        Ok(())
    }

    fn split(&mut self, plan: &TrainPlan, config: &TrainConfig) -> Result<()> {
        let held = &config.validation;
        for name in held.sets.iter().chain(config.batches.set_weights.keys()) {
            if !self.headers.iter().any(|header| header.set == *name) {
                let known: BTreeSet<&str> = self.headers.iter().map(|h| h.set.as_str()).collect();
                let mut known: Vec<&str> = known.into_iter().collect();
                let more = known.len().saturating_sub(SETS_NAMED);
                known.truncate(SETS_NAMED);
                bail!(
                    "the configuration names the set `{name}`; there are {}{}",
                    known.join(", "),
                    match more {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    }
                );
            }
        }
        let by_share =
            plan.validation.is_empty() && held.sets.is_empty() && held.regions.is_empty();
        let mut labels = Vec::new();
        let mut contigs = BTreeMap::new();
        for file in &self.files {
            let view = file.view();
            let of_file: Vec<(usize, String, u64)> = (0..view.len())
                .map(|at| view.label(at))
                .collect::<Result<_, _>>()
                .map_err(|error| anyhow::anyhow!("{}: {error}", file.path().display()))?;
            contigs.extend(of_file.iter().map(|(_, contig, _)| (contig.clone(), ())));
            labels.push(of_file);
        }
        let known = ContigTable::new(
            contigs
                .into_keys()
                .map(|name| Contig { name, length: None }),
        );
        let regions = if held.regions.is_empty() {
            None
        } else {
            let read = regions::read(&held.regions, &known).map_err(|mut error| {
                if error.path.as_os_str() == "-L" {
                    error.path = "validation.regions".into();
                }
                error
            });
            Some(read?)
        };
        for (at, of_file) in labels.iter().enumerate() {
            let header = &self.headers[at];
            let whole = at >= plan.examples.len() || held.sets.contains(&header.set);
            let weight = config
                .batches
                .set_weights
                .get(&header.set)
                .copied()
                .unwrap_or(SetWeight::Every(1.0));
            let last_share =
                of_file.len() - (of_file.len() as f64 * held.last_fraction).ceil() as usize;
            let mut counts = [[0; 4]; 2];
            for (number, (class, contig, start)) in of_file.iter().enumerate() {
                let index = self.first[at] + number;
                let in_regions = regions
                    .as_ref()
                    .is_some_and(|set| set.contains(contig, *start));
                let held_out = whole || in_regions || (by_share && number >= last_share);
                counts[usize::from(held_out)][*class] += 1;
                if held_out {
                    self.validation.push(index);
                } else {
                    self.training.push((index, weight.of(*class)));
                    self.training_classes.push(*class as u8);
                }
            }
            self.counts.push(counts);
        }
        Ok(())
    }

    fn file_of(&self, index: usize) -> usize {
        self.first.partition_point(|first| *first <= index) - 1
    }

    /// Learns the scaling of the training examples.
    ///
    /// # Errors
    /// A damaged example.
    pub(super) fn scaling(&self) -> Result<Scaling> {
        let names = TensorSpec::of_allele(self.with_reads).site_features;
        let names = names.into_iter().chain(self.annotations.iter().cloned());
        let mut learner = ScalingLearner::new(names.map(|name| (name, None)));
        for chunk in self.training.chunks(CHUNK) {
            let decoded: Vec<Vec<Option<f32>>> = chunk
                .par_iter()
                .map(|(index, _)| {
                    let example = self.get(*index)?.example;
                    let cnnfilter_core::encode::SiteTensor::Allele(set) = &example.tensor else {
                        return Err(StoreError::Magic);
                    };
                    let values = set.site.iter().chain(&example.annotations);
                    Ok(values
                        .map(|value| (!value.is_nan()).then_some(*value))
                        .collect())
                })
                .collect::<Result<_, StoreError>>()?;
            for values in decoded {
                learner.add(&values)?;
            }
        }
        let scaling = learner.finish();
        for feature in &scaling.features {
            if feature.not_finite > 0 {
                log::warn!(
                    "{}: {} infinite values count as missing",
                    feature.name,
                    feature.not_finite
                );
            }
        }
        Ok(scaling)
    }

    /// The family and the sizes of a model to start from, which must take these examples.
    ///
    /// # Errors
    /// Another encoder or other annotations, or a configuration that asks for another network.
    pub(super) fn check_init(
        &self,
        model: &Model,
        config: &TrainConfig,
    ) -> Result<(&'static dyn Trainable, Sizes)> {
        let card = model.card();
        let family = family::of_architecture(&card.architecture);
        let trainable = family.and_then(|family| Some((family.name(), family.trainable()?)));
        let (Some((name, family)), Some(sizes)) = (trainable, &card.network) else {
            bail!(
                "--init: `{}` is one of GATK's networks, which cannot be trained further here",
                card.name
            );
        };
        if model.uses_reads() != self.with_reads || card.annotations != self.annotations {
            bail!(
                "--init: `{}` takes {} with {} annotations, the examples are {} with {}; make them with the options that the model was made with",
                card.name,
                card.tensor.encoder,
                card.annotations.len(),
                self.headers[0].encoder,
                self.annotations.len()
            );
        }
        if !config.architecture.is_empty() {
            bail!(
                "--init: the sizes are those of `{}`; take `architecture` out of the configuration",
                card.name
            );
        }
        let asked = &config.network;
        if *asked != NetworkConfig::default() && asked.family != name {
            bail!(
                "--init: `{}` is of the family `{name}`; take `network` out of the configuration",
                card.name
            );
        }
        Ok((family, sizes.clone()))
    }

    /// The sets, for the card.
    pub(super) fn sets(&self) -> Vec<TrainedOn> {
        self.headers
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

    /// The validation examples, in words.
    pub(super) fn validation_text(&self) -> String {
        let parts: Vec<String> = self
            .headers
            .iter()
            .zip(&self.counts)
            .filter(|(_, [_, validation])| validation.iter().sum::<u64>() > 0)
            .map(|(header, [_, validation])| {
                format!("{} ({} calls)", header.set, validation.iter().sum::<u64>())
            })
            .collect();
        format!("held-out calls of {}", parts.join(", "))
    }
}
