//! From scored validation examples to the calibration, the thresholds and the figures of a card.

use std::collections::BTreeMap;

use cnnfilter_core::genome::{PerKind, VariantKind};
use cnnfilter_core::score::calibration::{Calibration, CalibrationError, PlattScaling};
use cnnfilter_core::score::thresholds::{Aim, CardThresholds, HeldOut, choose};

use crate::fit::{Figures, Scored};

/// Aims that every card lists a threshold for.
pub const AIMS: [Aim; 9] = [
    Aim::F1,
    Aim::Precision(0.9),
    Aim::Precision(0.95),
    Aim::Precision(0.99),
    Aim::Precision(0.999),
    Aim::Sensitivity(0.9),
    Aim::Sensitivity(0.95),
    Aim::Sensitivity(0.99),
    Aim::Sensitivity(0.999),
];

/// Calibration and thresholds of a model, with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// From scores to probabilities; nothing where no kind could be calibrated.
    pub calibration: Option<Calibration>,
    /// A threshold for each of [`AIMS`] that one reaches, for each kind that is calibrated.
    pub thresholds: Option<CardThresholds>,
    /// Figures by name: counts of real and false calls, calibration errors before and after,
    /// average precision.
    pub figures: BTreeMap<String, f64>,
    /// Why a kind is not calibrated.
    pub not_calibrated: PerKind<Option<CalibrationError>>,
}

/// Calibrates on scored validation examples at their natural prevalence, SNPs and indels apart, and
/// chooses thresholds on the probabilities that come of it. `measured_on` names the examples.
///
/// An example is one ALT: its own kind calibrates it and chooses its threshold.
pub fn calibrate(scored: &[Scored], measured_on: String) -> Calibrated {
    let mut figures = BTreeMap::new();
    let fits = PerKind::<()>::default().map(|kind, ()| fit(scored, kind, &mut figures));
    let of_all = Figures::of(scored);
    for (kind, value) in [("SNP", of_all.snp), ("INDEL", of_all.indel)] {
        figures.extend(value.map(|value| (format!("{kind} PR-AUC"), value)));
    }
    let not_calibrated = fits.clone().map(|_, fit| fit.err());
    let calibration = Calibration {
        kinds: fits.map(|_, fit| fit.ok()),
    };
    let held_out: Vec<HeldOut> = scored
        .iter()
        .filter_map(|scored| {
            let kind = kind_of(scored);
            Some(HeldOut {
                kind,
                probability: calibration.probability(kind, scored.score)?,
                is_real: scored.is_real,
            })
        })
        .collect();
    let thresholds = CardThresholds {
        measured_on,
        kinds: choose(&held_out, &AIMS),
        tested: Vec::new(),
    };
    Calibrated {
        calibration: (!calibration.kinds.is_empty()).then_some(calibration),
        thresholds: (!thresholds.kinds.is_empty()).then_some(thresholds),
        figures,
        not_calibrated,
    }
}

/// The genotype head of a model: its calibration and its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedCopies {
    /// From its log odds to probabilities of two copies, by kind.
    pub calibration: Calibration,
    /// Figures by name: counts of calls with one copy and with two, share of them that the more probable number
    /// gets right, calibration errors before and after.
    pub figures: BTreeMap<String, f64>,
    /// Why a kind is not calibrated.
    pub not_calibrated: PerKind<Option<CalibrationError>>,
}

/// Calibrates the genotype head on scored validation examples: the real ones whose copies are known, SNPs and indels
/// apart.
pub fn calibrate_copies(scored: &[Scored]) -> CalibratedCopies {
    let mut figures = BTreeMap::new();
    let fits = PerKind::<()>::default().map(|kind, ()| {
        let of_kind = scored.iter().filter(|scored| kind_of(scored) == kind);
        let (odds, are_two): (Vec<f64>, Vec<bool>) = of_kind
            .filter_map(|scored| Some((scored.two_copies?, scored.copies? == 2)))
            .unzip();
        let two = are_two.iter().filter(|is_two| **is_two).count();
        figures.insert(
            format!("{kind} with one copy"),
            (are_two.len() - two) as f64,
        );
        figures.insert(format!("{kind} with two copies"), two as f64);
        let fit = PlattScaling::fit(&odds, &are_two)?;
        let right = odds.iter().zip(&are_two);
        let right =
            right.filter(|(odds, is_two)| (fit.scaling.probability(**odds) >= 0.5) == **is_two);
        figures.insert(
            format!("{kind} copies right"),
            right.count() as f64 / odds.len() as f64,
        );
        for (when, reliability) in [("before", fit.before), ("after", fit.after)] {
            let name = format!("{kind} copies calibration error {when}");
            figures.insert(name, reliability.expected_calibration_error);
        }
        Ok(fit.scaling)
    });
    CalibratedCopies {
        figures,
        not_calibrated: fits
            .clone()
            .map(|_, fit: Result<_, CalibrationError>| fit.err()),
        calibration: Calibration {
            kinds: fits.map(|_, fit| fit.ok()),
        },
    }
}

fn kind_of(scored: &Scored) -> VariantKind {
    if scored.is_indel {
        VariantKind::Indel
    } else {
        VariantKind::Snp
    }
}

/// Fits the calibration of one kind and notes its figures.
fn fit(
    scored: &[Scored],
    kind: VariantKind,
    figures: &mut BTreeMap<String, f64>,
) -> Result<PlattScaling, CalibrationError> {
    let of_kind = scored.iter().filter(|scored| kind_of(scored) == kind);
    let (scores, labels): (Vec<f64>, Vec<bool>) =
        of_kind.map(|scored| (scored.score, scored.is_real)).unzip();
    let real = labels.iter().filter(|is_real| **is_real).count();
    figures.insert(format!("{kind} real"), real as f64);
    figures.insert(format!("{kind} false"), (labels.len() - real) as f64);
    let fit = PlattScaling::fit(&scores, &labels)?;
    for (when, reliability) in [("before", fit.before), ("after", fit.after)] {
        figures.insert(
            format!("{kind} calibration error {when}"),
            reliability.expected_calibration_error,
        );
    }
    Ok(fit.scaling)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight SNPs whose score says which are real, with one mistake each way, and indels that are
    /// all real.
    fn scored() -> Vec<Scored> {
        let snp = |score, is_real| Scored {
            set: 0,
            score,
            is_real,
            is_indel: false,
            two_copies: None,
            copies: None,
        };
        let indel = |score| Scored {
            set: 0,
            score,
            is_real: true,
            is_indel: true,
            two_copies: None,
            copies: None,
        };
        vec![
            snp(4.0, true),
            snp(3.0, true),
            snp(2.0, true),
            snp(1.0, false),
            snp(-1.0, true),
            snp(-2.0, false),
            snp(-3.0, false),
            snp(-4.0, false),
            indel(2.0),
            indel(-1.0),
        ]
    }

    #[test]
    fn each_kind_is_calibrated_by_its_own_calls() {
        let calibrated = calibrate(&scored(), "held-out calls".into());
        let kinds = calibrated.calibration.unwrap().kinds;
        let snp = kinds.snp.unwrap();
        assert!(snp.slope > 0.0 && snp.intercept.abs() < 1e-9, "{snp:?}");
        assert_eq!(kinds.indel, None);
        assert_eq!(
            calibrated.not_calibrated,
            PerKind {
                snp: None,
                indel: Some(CalibrationError::OneClass {
                    examples: 2,
                    positives: 2
                })
            }
        );
        let figure = |name: &str| calibrated.figures.get(name).copied();
        assert_eq!(
            (figure("SNP real"), figure("SNP false")),
            (Some(4.0), Some(4.0))
        );
        assert_eq!(
            (figure("INDEL real"), figure("INDEL false")),
            (Some(2.0), Some(0.0))
        );
        assert!(figure("SNP calibration error before").is_some());
        assert!(figure("SNP calibration error after").is_some());
        assert_eq!(figure("INDEL calibration error after"), None);
        // Three real ones first, then one false, one real: 3/4 · 1 + 1/4 · 4/5.
        assert!((figure("SNP PR-AUC").unwrap() - 0.95).abs() < 1e-12);
    }

    #[test]
    fn thresholds_are_those_of_calibrated_kinds() {
        let calibrated = calibrate(&scored(), "held-out calls".into());
        let scaling = calibrated.calibration.unwrap().kinds.snp.unwrap();
        let thresholds = calibrated.thresholds.unwrap();
        assert_eq!(thresholds.measured_on, "held-out calls");
        assert_eq!(thresholds.kinds.indel, None);
        let entries = thresholds.kinds.snp.unwrap();
        let aims: Vec<Aim> = entries.iter().map(|entry| entry.aim).collect();
        assert_eq!(aims, AIMS);
        // All real calls and one false one: between the scores of -1 and -2.
        let all = entries.last().unwrap();
        assert_eq!((all.precision, all.recall), (0.8, 1.0));
        assert!(all.probability < scaling.probability(-1.0));
        assert!(all.probability > scaling.probability(-2.0));
        // The three best alone.
        let precise = &entries[1];
        assert_eq!((precise.precision, precise.recall), (1.0, 0.75));
    }

    #[test]
    fn copies_are_calibrated_by_real_calls_that_know_them() {
        let one = |two_copies: f64, copies: Option<u8>| Scored {
            set: 0,
            score: 1.0,
            is_real: copies.is_some(),
            is_indel: false,
            two_copies: Some(two_copies),
            copies,
        };
        let scored = [
            one(3.0, Some(2)),
            one(2.0, Some(2)),
            one(-1.0, Some(2)),
            one(1.0, Some(1)),
            one(-2.0, Some(1)),
            one(-3.0, Some(1)),
            one(-9.0, None),
        ];
        let found = calibrate_copies(&scored);
        let snp = found.calibration.kinds.snp.unwrap();
        assert!(snp.slope > 0.0 && snp.intercept.abs() < 1e-9, "{snp:?}");
        let figure = |name: &str| found.figures.get(name).copied();
        assert_eq!(figure("SNP with one copy"), Some(3.0));
        assert_eq!(figure("SNP with two copies"), Some(3.0));
        assert_eq!(figure("SNP copies right"), Some(4.0 / 6.0));
        assert!(found.not_calibrated.indel.is_some() && found.not_calibrated.snp.is_none());
    }

    #[test]
    fn without_examples_there_is_neither() {
        let calibrated = calibrate(&[], String::new());
        assert_eq!(calibrated.calibration, None);
        assert_eq!(calibrated.thresholds, None);
        assert_eq!(calibrated.not_calibrated.present().count(), 2);
    }
}
