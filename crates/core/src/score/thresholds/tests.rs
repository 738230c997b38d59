//! Choosing and finding thresholds.

use proptest::prelude::*;

use super::*;

fn entry(aim: &str, probability: f64) -> AimThreshold {
    AimThreshold {
        aim: aim.parse().unwrap(),
        probability,
        precision: 0.9,
        recall: 0.8,
    }
}

fn card(entries: Vec<AimThreshold>) -> CardThresholds {
    CardThresholds {
        measured_on: "held-out chr20".into(),
        kinds: PerKind {
            snp: Some(entries),
            indel: None,
        },
        tested: Vec::new(),
    }
}

#[test]
fn aims_are_read_and_written() {
    for (text, aim, suffix) in [
        ("f1", Aim::F1, "F1"),
        ("precision=0.99", Aim::Precision(0.99), "PRECISION_0.99"),
        (
            "sensitivity=0.999",
            Aim::Sensitivity(0.999),
            "SENSITIVITY_0.999",
        ),
    ] {
        assert_eq!(text.parse(), Ok(aim));
        assert_eq!(aim.to_string(), text);
        assert_eq!(aim.filter_suffix(), suffix);
    }
    for wrong in [
        "",
        "f2",
        "precision",
        "precision=0",
        "precision=1.1",
        "sensitivity=x",
        "recall=nan",
    ] {
        assert!(wrong.parse::<Aim>().is_err(), "{wrong}");
    }
}

#[test]
fn an_aim_that_is_not_listed_takes_the_nearest_stricter_one() {
    let card = card(vec![
        entry("f1", 0.5),
        entry("precision=0.9", 0.6),
        entry("precision=0.99", 0.8),
        entry("precision=0.95", 0.7),
    ]);
    let find = |aim: &str| {
        let found = card.find(VariantKind::Snp, aim.parse().unwrap());
        found.map(|entry| entry.map(|entry| entry.probability))
    };
    assert_eq!(find("precision=0.95"), Ok(Some(0.7)));
    assert_eq!(find("precision=0.93"), Ok(Some(0.7)));
    assert_eq!(find("f1"), Ok(Some(0.5)));
    for aim in ["precision=0.999", "sensitivity=0.9"] {
        let error = find(aim).unwrap_err().to_string();
        assert!(
            error.contains("f1, precision=0.9, precision=0.99, precision=0.95"),
            "{error}"
        );
    }
    assert_eq!(card.find(VariantKind::Indel, Aim::F1), Ok(None));
}

#[test]
fn numbers_that_cannot_be_right_are_named() {
    assert_eq!(card(vec![entry("f1", 0.5)]).check(), Ok(()));
    let error = card(vec![entry("f1", 1.5)])
        .check()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("SNP, aim f1: probability must lie in 0 to 1, found 1.5"),
        "{error}"
    );
    // Neither other aims nor thresholds by depth or stratum, which no version has written.
    for (aim, more) in [("best", ""), ("f1", r#","depth":[0,10]"#)] {
        let json = format!(
            r#"{{"measured_on":"x","kinds":{{"SNP":[{{"aim":"{aim}","probability":0.5,"precision":1,"recall":1{more}}}]}}}}"#
        );
        assert!(
            serde_json::from_str::<CardThresholds>(&json).is_err(),
            "{json}"
        );
    }
    let json = r#"{"measured_on":"x","kinds":{},"more":1}"#;
    assert!(serde_json::from_str::<CardThresholds>(json).is_err());
}

fn held_out(calls: &[(f64, bool)]) -> Vec<HeldOut> {
    calls
        .iter()
        .map(|(probability, is_real)| HeldOut {
            kind: VariantKind::Snp,
            probability: *probability,
            is_real: *is_real,
        })
        .collect()
}

/// Real at .9, .8, .6, false at .7, .2: counts by hand. At .8: precision 1, recall 2/3, F1 .8; at
/// .6: precision 3/4, recall 1, F1 6/7.
#[test]
fn thresholds_lie_between_what_passes_and_what_does_not() {
    let calls = held_out(&[
        (0.9, true),
        (0.8, true),
        (0.7, false),
        (0.6, true),
        (0.2, false),
    ]);
    let aims = [
        Aim::F1,
        Aim::Precision(0.9),
        Aim::Sensitivity(0.6),
        Aim::Sensitivity(1.0),
    ];
    let chosen = choose(&calls, &aims).snp.unwrap();
    let found: Vec<(f64, f64)> = chosen.iter().map(|e| (e.probability, e.recall)).collect();
    assert_eq!(
        found,
        [(0.4, 1.0), (0.75, 2.0 / 3.0), (0.75, 2.0 / 3.0), (0.4, 1.0)]
    );
    assert_eq!(chosen[0].precision, 0.75);
    assert_eq!(chosen[1].aim, Aim::Precision(0.9));
    // A precision that nothing reaches is left out.
    let calls = held_out(&[(0.9, false), (0.8, true)]);
    assert_eq!(choose(&calls, &[Aim::Precision(0.9)]).snp, Some(Vec::new()));
    assert!(choose(&[], &aims).is_empty());
}

#[test]
fn thresholds_have_few_decimals() {
    for (low, high, expected) in [
        (0.0, 1.0, 0.5),
        (0.62, 0.71, 0.67),
        (0.999_1, 0.999_2, 0.999_15),
        (0.5, 0.5, 0.5),
        (0.0, 0.0, 0.0),
    ] {
        assert_eq!(between(low, high), expected, "{low} {high}");
    }
}

proptest! {
    /// Against the definition: every threshold that could be set is tried.
    #[test]
    fn no_other_threshold_does_better(
        calls in prop::collection::vec((0u8..20, any::<bool>()), 1..60),
        least in 0.05f64..1.0,
    ) {
        let calls: Vec<(f64, bool)> = calls.into_iter().map(|(p, r)| (f64::from(p) / 20.0, r)).collect();
        let real = calls.iter().filter(|call| call.1).count();
        let counts = |threshold: f64| {
            let passing = calls.iter().filter(|call| call.0 >= threshold);
            let (tp, fp) = passing.fold((0, 0), |(t, f), call| if call.1 { (t + 1, f) } else { (t, f + 1) });
            (tp, fp)
        };
        let every: Vec<(usize, usize)> = calls.iter().map(|call| counts(call.0)).collect();
        let aims = [Aim::F1, Aim::Precision(least), Aim::Sensitivity(least)];
        let chosen = choose(&held_out(&calls), &aims).snp.unwrap();
        prop_assert_eq!(real == 0, chosen.is_empty());
        for entry in &chosen {
            let (tp, fp) = counts(entry.probability);
            prop_assert!((entry.precision - tp as f64 / (tp + fp) as f64).abs() < 1e-12);
            prop_assert!((entry.recall - tp as f64 / real as f64).abs() < 1e-12);
            for (t, f) in &every {
                match entry.aim {
                    Aim::F1 => prop_assert!(2 * t * (tp + fp + real) <= 2 * tp * (t + f + real)),
                    Aim::Precision(_) => prop_assert!(
                        (*t as f64 / (t + f) as f64) < least || *t <= tp),
                    Aim::Sensitivity(_) => prop_assert!(
                        (*t as f64 / real as f64) < least || *f >= fp),
                }
            }
        }
    }
}
