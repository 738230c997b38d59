//! The end of a training run.

use std::path::PathBuf;

use serde::Serialize;

use super::Summary;

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TrainSummary {
    /// Epochs that were trained.
    pub(crate) epochs: usize,
    /// The epoch whose weights are the model's, from 1.
    pub(crate) best_epoch: u64,
    /// Average precision of SNPs on the held-out examples.
    pub(crate) pr_auc_snp: Option<f64>,
    /// Average precision of indels.
    pub(crate) pr_auc_indel: Option<f64>,
    /// Held-out examples.
    pub(crate) validation_examples: usize,
    /// The model folder.
    pub(crate) model: PathBuf,
}

impl Summary for TrainSummary {
    const COMMAND: &'static str = "train";

    fn to_text(&self) -> String {
        let text = |value: Option<f64>| value.map_or("undefined".to_owned(), |v| format!("{v:.4}"));
        format!(
            "{} epochs, the best was {}\nvalidation PR-AUC: SNP {}, INDEL {} ({} examples)\nmodel: {}\n",
            self.epochs,
            self.best_epoch,
            text(self.pr_auc_snp),
            text(self.pr_auc_indel),
            self.validation_examples,
            self.model.display()
        )
    }
}
