//! The annotations of the calls beside those that a model takes.

use super::{Check, Finding, some_names};
use crate::encode::Encoder;
use crate::networks::ModelCard;
use crate::vcf::VcfRecord;

/// Sampled calls by the annotations that they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationSurvey {
    /// Names of the model's annotations with the number of calls that have each.
    pub present: Vec<(String, u64)>,
    /// Calls that were looked at.
    pub calls: u64,
}

impl AnnotationSurvey {
    /// For the annotations that an encoder takes.
    pub fn new(encoder: &Encoder) -> Self {
        let names = encoder.annotation_names().into_iter();
        Self {
            present: names.map(|name| (name, 0)).collect(),
            calls: 0,
        }
    }

    /// Counts a record with an ALT, as the encoder reads its first one, for a sample (from 0).
    pub fn count(&mut self, encoder: &Encoder, record: &VcfRecord, sample: usize) {
        let alternates = record
            .variant()
            .map_or(0, |variant| variant.alternates.len());
        if alternates == 0 {
            return;
        }
        self.calls += 1;
        for (at, (name, count)) in self.present.iter_mut().enumerate() {
            let is_present = match encoder {
                Encoder::Gatk { .. } => record.info_float(name.as_bytes()).is_some(),
                Encoder::Allele { annotations, .. } => annotations
                    .get(at)
                    .is_some_and(|source| source.value(record, 0, alternates, sample).is_some()),
            };
            *count += u64::from(is_present);
        }
    }

    /// Annotations of a call, on average.
    pub fn mean(&self) -> f64 {
        let present: u64 = self.present.iter().map(|(_, count)| count).sum();
        present as f64 / self.calls.max(1) as f64
    }
}

/// Share of its training examples that had each annotation, by its name, as the card's scaling counts.
fn in_training<'a>(card: &'a ModelCard, name: &'a str) -> Option<f64> {
    let features = &card.scaling.as_ref()?.features;
    let feature = features.iter().rev().find(|feature| feature.name == name)?;
    let all = feature.present + feature.missing;
    (all > 0).then(|| feature.present as f64 / all as f64)
}

/// Do the calls have as many of the model's annotations as its training examples? Where that is not
/// known, as many as there are?
pub fn judge_annotations(survey: &AnnotationSurvey, card: &ModelCard) -> (Finding, Option<f64>) {
    /// Share of the expected number below which it is said.
    const FEW: f64 = 0.65;
    /// Share of the training examples that makes an annotation a usual one.
    const USUAL: f64 = 0.5;
    let shares: Option<Vec<f64>> = survey
        .present
        .iter()
        .map(|(name, _)| in_training(card, name))
        .collect();
    let expected = shares.map(|shares| shares.iter().sum::<f64>());
    let (mean, all) = (survey.mean(), survey.present.len());
    let compared = expected.map_or(String::new(), |expected| {
        format!("; one of its training had {expected:.1}")
    });
    let found = format!("a call has {mean:.1} of the model's {all}{compared}");
    if survey.calls == 0 || all == 0 || mean >= FEW * expected.unwrap_or(all as f64) {
        return (Finding::ok(Check::Annotations, found), expected);
    }
    let is_lacking = |(name, count): &&(String, u64)| {
        *count == 0 && in_training(card, name).is_none_or(|share| share > USUAL)
    };
    let lacking = survey.present.iter().filter(is_lacking);
    let lacking = match some_names(lacking.map(|(name, _)| name.as_str())) {
        names if names.is_empty() => names,
        names => format!("; none has {names}"),
    };
    let advice = "have the caller write them, or measure on calls with a truth (`cnnfilter eval`)";
    let finding = Finding::warning(Check::Annotations, format!("{found}{lacking}")).advise(advice);
    (finding, expected)
}

#[cfg(test)]
#[cfg(feature = "builtin")]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::encode::annotations::BEST_PRACTICES;
    use crate::networks::builtin;

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.replace(' ', "\t").into_bytes(), 10).unwrap()
    }

    #[test]
    fn few_annotations_are_told_with_those_that_are_missed() {
        let (card, _) = ModelCard::parse(builtin::READS.0.card).unwrap();
        let sources = card.annotations.iter().map(|name| name.parse().unwrap());
        let encoder = Encoder::allele(true, sources.collect());
        let judge = |line: &str| {
            let mut survey = AnnotationSurvey::new(&encoder);
            survey.count(&encoder, &record(line), 0);
            // Without an ALT nothing is expected of it.
            survey.count(&encoder, &record("1 5 . A . . . . GT 0/0"), 0);
            assert_eq!(survey.calls, 1);
            judge_annotations(&survey, &card)
        };
        let (finding, expected) = judge(
            "1 5 . A C 50 . DP=30;QD=9;FS=1;SOR=1;MQ=60;MQRankSum=0;ReadPosRankSum=0;BaseQRankSum=0 GT:AD:DP:GQ:PL 0/1:9,9:18:9:9,0,9",
        );
        assert_eq!(finding.status, Status::Ok, "{finding:?}");
        assert!(expected.is_some_and(|expected| expected > 16.0 && expected < 18.0));
        let (finding, _) = judge("1 5 . A C 50 . . GT 0/1");
        assert_eq!(finding.status, Status::Warning);
        // Seldom ones, as INFO/QA, do not count.
        for part in [
            "a call has 3.0 of the model's 36",
            "none has `QUAL/depth`, `AD/share`, `AD/depth`, `PL/reference`, 9 more",
        ] {
            assert!(finding.found.contains(part), "{part}: {finding:?}");
        }
    }

    #[test]
    fn networks_of_gatk_want_all_of_theirs() {
        let (mut card, _) = ModelCard::parse(builtin::READS.0.card).unwrap();
        card.scaling = None;
        let names = BEST_PRACTICES.map(String::from).to_vec();
        let encoder = Encoder::Gatk {
            reads: true,
            annotations: names,
        };
        let mut survey = AnnotationSurvey::new(&encoder);
        survey.count(&encoder, &record("1 5 . A C 50 . MQ=60;DP=9 GT 0/1"), 0);
        let (finding, expected) = judge_annotations(&survey, &card);
        assert_eq!((finding.status, expected), (Status::Warning, None));
        assert!(
            finding.found.contains("none has `SOR`, `FS`, `QD`"),
            "{finding:?}"
        );
    }
}
