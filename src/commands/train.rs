//! `cnnfilter train`: examples become a model folder.

mod data;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::data::Data;
use crate::io::{IoError, atomic, model_dir, run_dir};
use crate::terminal::steps::Steps;
use crate::terminal::summary::TrainSummary;
use crate::terminal::threads;
use cnnfilter_core::encode::allele::AlleleLayout;
use cnnfilter_core::networks::allele::Channels;
use cnnfilter_core::networks::card::{GenotypeHead, Training};
use cnnfilter_core::networks::family::{self, Sizes, Trainable, TrainedInputs};
use cnnfilter_core::networks::initial::initial_weights;
use cnnfilter_core::networks::{Model, Trained};
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::weights::{self, Weights};
use cnnfilter_train::calibrate::{calibrate, calibrate_copies};
use cnnfilter_train::checkpoint::{self, CheckpointMetadata};
use cnnfilter_train::config::TrainConfig;
use cnnfilter_train::fit::{Callbacks, Event, Figures, Run, Scored, State};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct TrainPlan {
    /// Files of examples to train on; parts of them may be held out.
    pub(crate) examples: Vec<PathBuf>,
    /// Files of examples to validate on, whole.
    pub(crate) validation: Vec<PathBuf>,
    /// The configuration; defaults without.
    pub(crate) config: Option<PathBuf>,
    /// Fields of the configuration that the command line sets, by path.
    pub(crate) overrides: Vec<(String, String)>,
    /// A model folder to start from.
    pub(crate) init: Option<PathBuf>,
    /// Name of the model.
    pub(crate) name: String,
    /// The folder of the run.
    pub(crate) output: PathBuf,
    /// Go on from the checkpoint in it.
    pub(crate) resume: bool,
    /// Threads that work.
    pub(crate) threads: usize,
    /// The devices it runs on.
    pub(crate) device: DeviceChoice,
    /// No progress.
    pub(crate) quiet: bool,
}

/// Trains, and returns a summary.
///
/// # Errors
/// Anything that is wrong with the configuration or the examples, or a file that cannot be written.
pub(crate) fn run(plan: &TrainPlan) -> Result<TrainSummary> {
    let pool = threads::pool(plan.threads)?;
    let config = read_config(plan)?;
    let data = Data::open(plan, &config)?;
    let init = plan
        .init
        .as_deref()
        .map(|folder| model_dir::load(folder, DeviceChoice::Cpu))
        .transpose()?;
    if config.genotype.alone && init.is_none() {
        bail!("genotype.alone learns the head of a model; name the model (--init)");
    }
    let (family, sizes) = match &init {
        Some(model) => data.check_init(model, &config)?,
        None => chosen_network(&config, data.with_reads)?,
    };
    let scaling = match init.as_ref().and_then(|model| model.card().scaling.clone()) {
        Some(scaling) => scaling,
        None => pool.install(|| data.scaling())?,
    };
    let inputs = TrainedInputs {
        annotations: data.annotations.clone(),
        scaling,
        layout: AlleleLayout::usual(data.with_reads),
        channels: Channels::usual(data.with_reads),
    };
    let architecture = family
        .architecture(&sizes, inputs)
        .context("[architecture]")?;
    if config.genotype.alone && !architecture.tells_copies() {
        bail!(
            "genotype.alone learns a head that the network lacks; give it a width (architecture.genotype_width)"
        );
    }
    let config_text = config.to_toml()?;
    let sizes = serde_json::to_string(&sizes)?;
    let config_sha256 = weights::sha256(format!("{config_text}\n{sizes}").as_bytes());
    let start = prepare(plan, &data, &config_text, &config_sha256)?;
    let run = Run {
        config: &config,
        architecture,
        examples: &data,
        training: data.split.training.clone(),
        training_classes: data.split.training_classes.clone(),
        validation: data.split.validation.clone(),
        sets: data.split.sets.clone(),
        devices: plan.device.open()?,
    };
    let weights = init.as_ref().map(|model| {
        // A head that the model lacks begins as in a fit from nothing.
        let mut weights = initial_weights(&*run.architecture, config.seed);
        weights.extend(model.weights().clone());
        weights
    });
    let state = pool.install(|| fit(plan, &data, &run, &config_sha256, start, weights))?;
    let scored = pool.install(|| run.score(&state.best, &data.split.validation))?;
    let trained = trained(plan, &data, &run, &state, &scored, config_text);
    let trained = match &init {
        Some(model) if config.genotype.alone => with_head(model, trained),
        _ => trained,
    };
    let figures = Figures::of(&scored);
    let best_epoch = state.early_stopping.best_epoch.unwrap_or(0);
    let mut model = Model::of_training(trained, state.best.clone())?;
    if let Some(novelty) = pool.install(|| data.novelty(&model))? {
        model = model.with_novelty(novelty)?;
    }
    let folder = model_dir::save(&plan.output, &model)?;
    Ok(TrainSummary {
        epochs: state.history.rows().len(),
        best_epoch,
        pr_auc_snp: figures.snp,
        pr_auc_indel: figures.indel,
        validation_examples: scored.len(),
        model: folder,
    })
}

/// A model with another genotype head: everything else stays what it was.
fn with_head(model: &Model, trained: Trained) -> Trained {
    let card = model.card();
    Trained {
        calibration: card.calibration.clone(),
        thresholds: card.thresholds.clone(),
        genotype: trained.genotype.map(|head| GenotypeHead {
            training: trained.training,
            ..head
        }),
        training: card.training.clone(),
        ..trained
    }
}

/// The configuration with what the command line sets.
fn read_config(plan: &TrainPlan) -> Result<TrainConfig> {
    let mut config = match &plan.config {
        Some(path) => TrainConfig::from_toml(&run_dir::read_text(path)?)
            .with_context(|| path.display().to_string())?,
        None => TrainConfig::default(),
    };
    config.apply_overrides(&plan.overrides).context("--set")?;
    config.check()?;
    Ok(config)
}

/// Fits, from a checkpoint or from weights where there are any; says how far it is and writes
/// checkpoints.
fn fit(
    plan: &TrainPlan,
    data: &Data,
    run: &Run<'_>,
    config_sha256: &str,
    start: Option<State>,
    init: Option<Weights>,
) -> Result<State> {
    let begun = Instant::now();
    let mut steps = Steps::new(plan.quiet, run.config.epochs);
    let callbacks = Callbacks {
        clock: &|| begun.elapsed().as_secs_f64(),
        on_event: &mut |event| match event {
            Event::Step {
                step,
                per_epoch,
                loss,
            } => steps.step(step, per_epoch, loss),
            Event::Epoch(row) => steps.epoch(row),
        },
        save_checkpoint: &mut |state| -> Result<()> {
            Ok(save_checkpoint(plan, data, config_sha256, state)?)
        },
    };
    let fitted = run.fit(start, init, callbacks);
    steps.finish();
    fitted
}

/// The family and the sizes that the configuration asks for.
fn chosen_network(
    config: &TrainConfig,
    with_reads: bool,
) -> Result<(&'static dyn Trainable, Sizes)> {
    let family = family::trainable(&config.network.family).context("[network]")?;
    let chosen: Sizes = config.architecture().context("[architecture]")?;
    if let Some(reads) = chosen.get("reads").and_then(serde_json::Value::as_bool)
        && reads != with_reads
    {
        bail!(
            "[architecture]: reads is {reads}, but the examples are {} reads; leave it out",
            if with_reads { "with" } else { "without" }
        );
    }
    let sizes = family.sizes(&chosen, with_reads);
    Ok((family, sizes.context("[architecture]")?))
}

/// Makes the folder of the run ready: a new one gets its configuration, an old one gives its
/// checkpoint.
fn prepare(
    plan: &TrainPlan,
    data: &Data,
    config: &str,
    config_sha256: &str,
) -> Result<Option<State>> {
    atomic::create_folder(&plan.output)?;
    let has_checkpoint = run_dir::has_checkpoint(&plan.output);
    if has_checkpoint && !plan.resume {
        bail!(
            "{}: it holds a checkpoint; go on with --resume, or give another folder",
            plan.output.display()
        );
    }
    if !has_checkpoint {
        atomic::write(&plan.output.join(run_dir::CONFIG), config.as_bytes())?;
        return Ok(None);
    }
    let (metadata, mut tensors) = run_dir::load_checkpoint(&plan.output)?;
    metadata
        .check_resume(config_sha256, &data.checksums)
        .with_context(|| plan.output.display().to_string())?;
    let mut take = |name: &str| {
        tensors
            .remove(name)
            .with_context(|| format!("{}: the checkpoint lacks `{name}`", plan.output.display()))
    };
    Ok(Some(State {
        weights: take("weights")?,
        optimizer: take("optimizer")?,
        best: take("best")?,
        optimizer_steps: metadata.step,
        history: metadata.history,
        early_stopping: metadata.early_stopping,
        plateau: metadata.plateau,
    }))
}

/// Writes the checkpoint and the history.
fn save_checkpoint(
    plan: &TrainPlan,
    data: &Data,
    config_sha256: &str,
    state: &State,
) -> Result<(), IoError> {
    let metadata = CheckpointMetadata {
        format: checkpoint::FORMAT,
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        config_sha256: config_sha256.to_owned(),
        data: data.checksums.clone(),
        files: BTreeMap::new(),
        epoch: state.history.rows().len() as u64,
        step: state.optimizer_steps,
        early_stopping: state.early_stopping.clone(),
        plateau: state.plateau.clone(),
        history: state.history.clone(),
    };
    let tensors: [(&str, &Weights); 3] = [
        ("weights", &state.weights),
        ("optimizer", &state.optimizer),
        ("best", &state.best),
    ];
    run_dir::save_checkpoint(&plan.output, metadata, &tensors)?;
    let history = plan.output.join(run_dir::HISTORY);
    let table = state.history.to_tsv();
    let table = table.map_err(|error| IoError::other(&history, error.to_string()))?;
    atomic::write(&history, table.as_bytes())
}

/// Calibrates on the validation examples, chooses thresholds there and fills the card.
fn trained(
    plan: &TrainPlan,
    data: &Data,
    run: &Run<'_>,
    state: &State,
    scored: &[Scored],
    config: String,
) -> Trained {
    let calibrated = calibrate(scored, data.validation_text());
    for (kind, error) in calibrated.not_calibrated.present() {
        log::warn!("{kind}s are not calibrated: {error}");
    }
    let genotype = run.architecture.tells_copies().then(|| {
        let calibrated = calibrate_copies(scored);
        for (kind, error) in calibrated.not_calibrated.present() {
            log::warn!("copies of {kind}s are not calibrated: {error}");
        }
        GenotypeHead {
            calibration: calibrated.calibration,
            validation: calibrated.figures,
            training: None,
        }
    });
    let best = state.early_stopping.best_epoch.unwrap_or(0);
    Trained {
        genotype,
        name: plan.name.clone(),
        architecture: Arc::clone(&run.architecture),
        calibration: calibrated.calibration,
        thresholds: calibrated.thresholds,
        training: Some(Training {
            epochs: state.history.rows().len() as u64,
            best_epoch: best,
            steps: state.optimizer_steps,
            config,
            sets: data.sets(),
            validation: calibrated.figures,
        }),
    }
}
