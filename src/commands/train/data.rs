//! The examples of a run: which to train on, which to hold out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::TrainPlan;
use crate::commands::summary_of_training::summarise;
use crate::io::example_file::ExampleFile;
use crate::io::{checksum, regions};
use cnnfilter_core::encode::store::{LabelledExample, StoreError, StoreHeader};
use cnnfilter_core::genome::{Contig, ContigTable, IntervalSet, PerKind};
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::card::{TensorSpec, TrainedOn};
use cnnfilter_core::networks::family::{self, Sizes, Trainable};
use cnnfilter_core::networks::scaling::{Scaling, ScalingLearner};
use cnnfilter_core::score::Novelty;
use cnnfilter_train::config::{NetworkConfig, TrainConfig};
use cnnfilter_train::fit::ExampleSource;
use cnnfilter_train::split::{ExampleSet, Split};

/// The size that a model to start from may get.
const GENOTYPE_WIDTH: &str = "genotype_width";

/// Examples decoded together while the scaling is learned.
const CHUNK: usize = 4096;

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
    /// Which of them are trained on and which are held out.
    pub(crate) split: Split,
    /// SHA-256 of the files, by name.
    pub(crate) checksums: BTreeMap<String, String>,
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
            split: Split::default(),
            checksums: BTreeMap::new(),
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

    /// The file's class, contig and position of each example.
    fn example_set(&self, at: usize, only_validates: bool) -> Result<ExampleSet> {
        let file = &self.files[at];
        let view = file.view();
        let labels = (0..view.len()).map(|at| view.label(at));
        Ok(ExampleSet {
            name: self.headers[at].set.clone(),
            only_validates,
            labels: labels
                .collect::<Result<_, _>>()
                .with_context(|| file.path().display().to_string())?,
        })
    }

    /// Decides which examples are held out.
    fn split(&mut self, plan: &TrainPlan, config: &TrainConfig) -> Result<()> {
        let sets = (0..self.files.len())
            .map(|at| self.example_set(at, at >= plan.examples.len()))
            .collect::<Result<Vec<_>>>()?;
        let regions = held_regions(&sets, &config.validation.regions)?;
        self.split = Split::new(&sets, config, regions.as_ref())?;
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
        for chunk in self.split.training.chunks(CHUNK) {
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
        // A head may be put on.
        let mut sizes = sizes.clone();
        let mut asked = config.architecture::<Sizes>().context("[architecture]")?;
        if let Some(width) = asked.remove(GENOTYPE_WIDTH) {
            if sizes
                .get(GENOTYPE_WIDTH)
                .is_some_and(|known| *known != width)
            {
                bail!(
                    "--init: `{}` has a genotype head of another width; take `{GENOTYPE_WIDTH}` out of the configuration",
                    card.name
                );
            }
            sizes.insert(GENOTYPE_WIDTH.to_owned(), width);
        }
        if !asked.is_empty() {
            bail!(
                "--init: the sizes are those of `{}`; take `architecture` out of the configuration, but for `{GENOTYPE_WIDTH}`",
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
        let sizes = family.sizes(&sizes, self.with_reads);
        Ok((family, sizes.context("[architecture]")?))
    }

    /// The summary of the training examples, for the card.
    ///
    /// # Errors
    /// A damaged example.
    pub(super) fn novelty(&self, model: &Model) -> Result<Option<Novelty>> {
        let mut kinds = PerKind::<Vec<usize>>::default();
        for ((index, _), class) in self.split.training.iter().zip(&self.split.training_classes) {
            match class % 2 {
                0 => kinds.snp.push(*index),
                _ => kinds.indel.push(*index),
            }
        }
        let made_of = "the training examples".to_owned();
        summarise(model, Vec::new(), kinds, made_of, &|index| {
            Ok(self.get(index)?)
        })
    }

    /// The sets, for the card.
    pub(super) fn sets(&self) -> Vec<TrainedOn> {
        self.split.trained_on(&self.headers)
    }

    /// The validation examples, in words.
    pub(super) fn validation_text(&self) -> String {
        self.split.validation_text(&self.headers)
    }
}

/// The regions that the configuration holds out, on the contigs of the examples.
fn held_regions(sets: &[ExampleSet], typed: &[String]) -> Result<Option<IntervalSet>> {
    if typed.is_empty() {
        return Ok(None);
    }
    let labels = sets.iter().flat_map(|set| &set.labels);
    let names: BTreeSet<&String> = labels.map(|(_, contig, _)| contig).collect();
    let known = ContigTable::new(names.into_iter().map(|name| Contig {
        name: name.clone(),
        length: None,
    }));
    let read = regions::read(typed, &known).map_err(|mut error| {
        if error.path.as_os_str() == "-L" {
            error.path = "validation.regions".into();
        }
        error
    });
    Ok(Some(read?))
}
