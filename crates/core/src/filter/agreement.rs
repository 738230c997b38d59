//! How far two models that share a card lie apart on the same calls.

use super::decision::{Decision, ThresholdFilter, score_of};
use crate::networks::ModelError;
use crate::networks::card::{Compared, ModelCard};
use crate::score::Aim;
use crate::score::keys::PROBABILITY_KEY;
use crate::score::logistic::sigmoid;
use crate::vcf::VcfRecord;

/// Decisions and probabilities of two models, over the records that both scored.
#[derive(Debug, Clone)]
pub struct Agreement {
    info_key: String,
    /// Nothing for a model that has none.
    thresholds: Option<ThresholdFilter>,
    compared: Compared,
    sum: f64,
}

impl Agreement {
    /// For the calls of a file, by the thresholds of this card for the best F1.
    ///
    /// # Errors
    /// [`ModelError::CardField`] for thresholds that cannot be right.
    pub fn new(card: &ModelCard, calls: String) -> Result<Self, ModelError> {
        let filter = |thresholds| ThresholdFilter::new(thresholds, Aim::F1, &card.name);
        let thresholds = card.thresholds.as_ref().map(filter).transpose();
        Ok(Self {
            info_key: card.info_key.clone(),
            thresholds: thresholds.map_err(|error| ModelError::CardField {
                field: "thresholds",
                expected: "usable numbers".to_owned(),
                found: error.to_string(),
            })?,
            compared: Compared {
                calls,
                ..Compared::default()
            },
            sum: 0.0,
        })
    }

    /// Adds a record as each of the models scored it. One that has no score counts for nothing.
    pub fn add(&mut self, one: &VcfRecord, other: &VcfRecord) {
        let (Some(before), Some(after)) = (self.probability(one), self.probability(other)) else {
            return;
        };
        let shift = (before - after).abs();
        let found = &mut self.compared;
        found.records += 1;
        found.largest_shift = found.largest_shift.max(shift);
        self.sum += shift;
        let differ = self.passes(one, before) != self.passes(other, after);
        self.compared.other_decisions += u64::from(differ);
    }

    /// What was found.
    pub fn finish(self) -> Compared {
        Compared {
            mean_shift: self.sum / self.compared.records.max(1) as f64,
            ..self.compared
        }
    }

    /// As the record has it; without a calibration the share that its log odds stand for.
    fn probability(&self, record: &VcfRecord) -> Option<f64> {
        let calibrated = score_of(record, PROBABILITY_KEY);
        let of_odds = || score_of(record, &self.info_key).map(sigmoid);
        calibrated.or_else(|_| of_odds()).ok()
    }

    fn passes(&self, record: &VcfRecord, probability: f64) -> bool {
        let decision = self.thresholds.as_ref().map(|filter| filter.decide(record));
        match decision {
            Some(Decision::Judged { filter, .. }) => filter.is_none(),
            Some(Decision::NotJudged(_)) | None => probability >= 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::builtin;
    use crate::networks::{Builtin, Model};
    use cnnfilter_nn::DeviceChoice;

    fn record(info: &str) -> VcfRecord {
        VcfRecord::parse(format!("c\t7\t.\tA\tC\t.\t.\t{info}").into_bytes(), 8).unwrap()
    }

    fn model() -> Model {
        let builtin: Builtin = builtin::REFERENCE;
        builtin.load(DeviceChoice::Cpu).unwrap()
    }

    #[test]
    fn decisions_are_those_of_the_thresholds_and_shifts_those_of_probabilities() {
        let model = model();
        let filter = model.card().thresholds.clone().unwrap();
        let filter = ThresholdFilter::new(&filter, Aim::F1, "x").unwrap();
        let snp = filter
            .rows()
            .iter()
            .find(|row| row.kind == crate::genome::VariantKind::Snp);
        let at = snp.unwrap().entry.probability;
        let mut agreement = Agreement::new(model.card(), "x.vcf".into()).unwrap();
        let of = |p: f64| record(&format!("CNN_1D=1.0;CNN_PROB={p}"));
        agreement.add(&of(at), &of(at - 0.01));
        agreement.add(&of(0.999), &of(0.996));
        agreement.add(&record("DP=1"), &of(0.5));
        let found = agreement.finish();
        assert_eq!((found.records, found.other_decisions), (2, 1));
        assert!((found.largest_shift - 0.01).abs() < 1e-9);
        assert!((found.mean_shift - 0.0065).abs() < 1e-9);
        assert_eq!(found.calls, "x.vcf");
    }

    #[test]
    fn without_thresholds_a_call_is_rather_real_or_not() {
        let mut card = model().card().clone();
        (card.thresholds, card.calibration) = (None, None);
        let mut agreement = Agreement::new(&card, String::new()).unwrap();
        agreement.add(&record("CNN_1D=0.1"), &record("CNN_1D=-0.1"));
        agreement.add(&record("CNN_1D=5"), &record("CNN_1D=4"));
        let found = agreement.finish();
        assert_eq!((found.records, found.other_decisions), (2, 1));
        let share = 1.0 / (1.0 + (-0.1f64).exp());
        assert!((found.largest_shift - (2.0 * share - 1.0)).abs() < 1e-9);
        let nothing = Agreement::new(&card, String::new()).unwrap().finish();
        assert_eq!((nothing.records, nothing.mean_shift), (0, 0.0));
    }
}
