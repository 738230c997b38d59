//! Progress of a training run.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use cnnfilter_train::history::HistoryRow;

/// Time between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(30);
/// Weight of the past in the loss that is shown.
const SMOOTH: f64 = 0.98;

/// Tells about steps and epochs on standard error.
#[derive(Debug)]
pub(crate) struct Steps {
    bar: Option<ProgressBar>,
    quiet: bool,
    epochs: u64,
    told: Instant,
    begun: Instant,
    done: u64,
    loss: Option<f64>,
    validation: String,
}

impl Steps {
    /// Begins; `quiet` says nothing at all.
    pub(crate) fn new(quiet: bool, epochs: u64) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(1);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            quiet,
            epochs,
            told: Instant::now(),
            begun: Instant::now(),
            done: 0,
            loss: None,
            validation: String::new(),
        }
    }

    /// A step is done.
    pub(crate) fn step(&mut self, step: u64, per_epoch: u64, loss: f64) {
        self.done += 1;
        let past = self.loss.unwrap_or(loss);
        let shown = SMOOTH * past + (1.0 - SMOOTH) * loss;
        self.loss = Some(shown);
        let is_due = self.told.elapsed() >= EVERY;
        if self.bar.is_none() && (self.quiet || !is_due) {
            return;
        }
        let total = per_epoch * self.epochs;
        let rate = self.done as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
        let left = ((total - step) as f64 / rate) as u64;
        let message = format!(
            "epoch {}/{} step {step}/{total}, loss {shown:.4}{}, {rate:.1} steps/s, {}:{:02} left at most",
            (step - 1) / per_epoch + 1,
            self.epochs,
            self.validation,
            left / 60,
            left % 60
        );
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(step);
            bar.set_message(message);
        } else {
            self.told = Instant::now();
            log::info!("{message}");
        }
    }

    /// An epoch is done.
    pub(crate) fn epoch(&mut self, row: &HistoryRow) {
        let text = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        self.validation = format!(
            ", PR-AUC SNP {} INDEL {}",
            text(row.pr_auc_snp),
            text(row.pr_auc_indel)
        );
        if self.quiet {
            return;
        }
        let line = format!(
            "epoch {}: loss {:.4}, validation loss {}, PR-AUC SNP {} INDEL {}{}",
            row.epoch,
            row.train_loss,
            text(row.validation_loss),
            text(row.pr_auc_snp),
            text(row.pr_auc_indel),
            if row.best { ", the best so far" } else { "" }
        );
        match &self.bar {
            Some(bar) => bar.suspend(|| log::info!("{line}")),
            None => log::info!("{line}"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
