//! A model's card in words.

use std::fmt::Write as _;

use cnnfilter_core::annotate::info_keys;
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::networks::Model;
use cnnfilter_core::networks::card::{ModelCard, Quantization, Training};
use cnnfilter_core::score::measured::{Worth, worth_table};
use cnnfilter_core::score::{Aim, CardThresholds, Novelty};

/// Width of the names before the facts.
const NAMES: usize = 14;
/// Letters of a line.
const WIDTH: usize = 100;

/// The card: inputs, training, held-out figures, thresholds, and where not to use the model.
pub(super) fn describe(model: &Model) -> String {
    let card = model.card();
    let mut text = format!("{}\n\n", card.name);
    let mut fact = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<NAMES$}{}", wrapped(&value));
    };
    fact(
        "network",
        format!("{}, card of format {}", card.architecture, card.format),
    );
    fact("writes", info_keys(model).join(", "));
    fact("reads", needs(model));
    fact("tensor", tensor(card));
    fact("annotations", card.annotations.join(" "));
    let weights: usize = model.weights().values().map(|one| one.data.len()).sum();
    fact(
        "weights",
        format!("{weights}, SHA-256 {}", card.weights_sha256),
    );
    if let Some(quantization) = &card.quantization {
        fact("quantised", in_8_bits(quantization));
    }
    fact("layers", layers(model));
    fact("origin", origin(card));
    if let Some(novelty) = &card.novelty {
        fact("novelty", novelty_fact(novelty));
    }
    if let Some(training) = &card.training {
        for (name, value) in training_facts(training) {
            fact(name, value);
        }
    }
    calibration(card, &mut text);
    copies(card, &mut text);
    thresholds(card, &mut text);
    text += "\nNot for\n";
    for limit in limits(model) {
        text += &format!("* {limit}\n");
    }
    text
}

/// What its weights were, and what became other by it.
fn in_8_bits(quantization: &Quantization) -> String {
    let mut parts = vec![format!("in 8 bits; made of {}", quantization.of_model)];
    parts.extend(quantization.compared.iter().map(|one| {
        format!(
            "{}: {} of {} decided otherwise, probabilities move by at most {:.5}",
            one.calls, one.other_decisions, one.records, one.largest_shift
        )
    }));
    parts.join("; ")
}

/// The layers that `embed` reads, with the numbers a call that each gives.
fn layers(model: &Model) -> String {
    let layers = model.pooled_layers().unwrap_or_default();
    let names = layers
        .iter()
        .map(|layer| format!("{} ({})", layer.name, layer.width));
    names.collect::<Vec<String>>().join(", ")
}

/// The words in lines of at most [`WIDTH`] letters, those behind the first indented as the facts.
fn wrapped(words: &str) -> String {
    let (mut text, mut length) = (String::new(), NAMES);
    for word in words.split(' ') {
        if length > NAMES && length + 1 + word.len() > WIDTH {
            text += &format!("\n{:NAMES$}", "");
            length = NAMES;
        } else if length > NAMES {
            text.push(' ');
            length += 1;
        }
        text += word;
        length += word.len();
    }
    text
}

fn needs(model: &Model) -> String {
    if model.uses_reads() {
        format!("at most {} a call, from -I", model.encoder().read_limit())
    } else {
        "none".to_owned()
    }
}

fn tensor(card: &ModelCard) -> String {
    let tensor = &card.tensor;
    let mut parts = vec![format!("{} columns", tensor.window)];
    let counts = [
        (tensor.cell_channels.len(), "channels of a cell"),
        (tensor.haplotype_channels.len(), "channels of REF and ALT"),
        (tensor.channels.len(), "numbers of a read"),
        (tensor.site_features.len(), "numbers of the call"),
    ];
    let present = counts.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(present.map(|(count, of)| format!("{count} {of}")));
    parts.join(", ")
}

fn origin(card: &ModelCard) -> String {
    let source = &card.source;
    let version = &source.cnnfilter_version;
    match (source.file.as_str(), source.member.as_str()) {
        ("", _) => format!("trained by cnnfilter {version}"),
        (file, "") => format!("imported from {file} by cnnfilter {version}"),
        (file, member) => format!("imported from {file}!{member} by cnnfilter {version}"),
    }
}

/// What the summary of training calls is of.
fn novelty_fact(novelty: &Novelty) -> String {
    let kinds = novelty.kinds.present();
    let kinds: Vec<String> = kinds
        .map(|(kind, summary)| format!("{} {kind}s", summary.calls))
        .collect();
    let layers = novelty.layers.join(", ");
    format!(
        "by {layers}, from {}: {}",
        kinds.join(" and "),
        novelty.made_of
    )
}

fn training_facts(training: &Training) -> Vec<(&'static str, String)> {
    let sets = &training.sets;
    let trained = in_words(sets.iter().map(|set| set.training));
    let mut facts = vec![
        ("trained on", format!("{trained}, in {} sets", sets.len())),
        ("held out", in_words(sets.iter().map(|set| set.validation))),
    ];
    if let Some((least, most)) = depths(training) {
        facts.push(("depths", format!("{least:.0} to {most:.0} reads")));
    }
    facts.push((
        "epochs",
        format!("{}, the best is {}", training.epochs, training.best_epoch),
    ));
    let figures: Vec<String> = (training.validation.iter())
        .filter(|(name, _)| name.ends_with("PR-AUC"))
        .map(|(name, value)| format!("{name} {value:.5}"))
        .collect();
    if !figures.is_empty() {
        facts.push(("on held-out", figures.join(", ")));
    }
    facts
}

/// The sum of the examples of several sets: false SNP, false INDEL, SNP, INDEL.
fn in_words(counts: impl Iterator<Item = [u64; 4]>) -> String {
    let [false_snp, false_indel, snp, indel] = counts.fold([0; 4], |sums, counts| {
        std::array::from_fn(|at| sums[at] + counts[at])
    });
    format!("SNP {snp} real, {false_snp} false; INDEL {indel} real, {false_indel} false")
}

/// The least and the largest mean depth of the samples.
fn depths(training: &Training) -> Option<(f32, f32)> {
    let depths = training.sets.iter().filter_map(|set| set.depth);
    // Sets that were encoded without reads have none.
    let depths = depths.filter(|depth| *depth > 0.0);
    depths.fold(None, |range, depth| {
        let (least, most) = range.unwrap_or((depth, depth));
        Some((least.min(depth), most.max(depth)))
    })
}

fn calibration(card: &ModelCard, text: &mut String) {
    let Some(calibration) = &card.calibration else {
        return;
    };
    for kind in [VariantKind::Snp, VariantKind::Indel] {
        let Some(Some(platt)) = calibration.kinds.get(kind) else {
            continue;
        };
        let fitted = platt.fitted_to.as_ref().map_or_else(String::new, |fitted| {
            format!(
                ", from {} calls, {} of them real",
                fitted.examples, fitted.positives
            )
        });
        let name = format!("{} odds", kind.name());
        let _ = writeln!(
            text,
            "{name:<NAMES$}{:.4} x score {:+.4}{fitted}",
            platt.slope, platt.intercept
        );
    }
}

/// The genotype head: how often it tells one copy from two on held-out calls.
fn copies(card: &ModelCard, text: &mut String) {
    let Some(head) = &card.genotype else {
        return;
    };
    let figure = |name: String| head.validation.get(&name).copied();
    for (kind, _) in head.calibration.kinds.present() {
        let kind = kind.name();
        let right = figure(format!("{kind} copies right"));
        let one = figure(format!("{kind} with one copy"));
        let two = figure(format!("{kind} with two copies"));
        if let (Some(right), Some(one), Some(two)) = (right, one, two) {
            let name = format!("{kind} copies");
            let _ = writeln!(
                text,
                "{name:<NAMES$}right in {right:.4} of {one} with one copy and {two} with two"
            );
        }
    }
}

fn thresholds(card: &ModelCard, text: &mut String) {
    let Some(thresholds) = &card.thresholds else {
        return;
    };
    let measured = wrapped(&thresholds.measured_on);
    let _ = writeln!(text, "\nThresholds,\n{:<NAMES$}{measured}", "measured on");
    let _ = writeln!(
        text,
        "{:<7}{:<22}{:>12}{:>11}{:>9}",
        "kind", "aim", "probability", "precision", "recall"
    );
    for kind in [VariantKind::Snp, VariantKind::Indel] {
        let Some(Some(aims)) = thresholds.kinds.get(kind) else {
            continue;
        };
        for one in aims {
            let (kind, aim) = (kind.name(), one.aim.to_string());
            let _ = writeln!(
                text,
                "{kind:<7}{aim:<22}{:>12.5}{:>11.5}{:>9.5}",
                one.probability, one.precision, one.recall
            );
        }
    }
    tested(thresholds, text);
}

/// What the thresholds for the best F1 are worth on other calls, and how far the probabilities are off there.
fn tested(thresholds: &CardThresholds, text: &mut String) {
    let kinds = [VariantKind::Snp, VariantKind::Indel].into_iter();
    let best = kinds.filter_map(|kind| {
        let entries = thresholds.kinds.get(kind)?.as_ref()?;
        let entry = entries.iter().find(|entry| entry.aim == Aim::F1)?;
        Some((kind.name(), thresholds.worth(kind, entry)))
    });
    let best: Vec<(&str, Vec<Worth>)> = best.collect();
    let rows = best.iter();
    let rows = rows.flat_map(|(kind, worth)| worth.iter().map(move |one| (*kind, one)));
    let table = worth_table(rows);
    if !table.is_empty() {
        *text += "\nAim f1, on calls that the model has never seen (95 % intervals)\n";
        *text += &table;
    }
}

/// Calls that the card says nothing about.
fn limits(model: &Model) -> Vec<String> {
    let card = model.card();
    let mut limits = Vec::new();
    if let Some((least, most)) = card.training.as_ref().and_then(depths) {
        limits.push(format!(
            "samples with less than {least:.0} or more than {most:.0} reads: it was trained on none"
        ));
    }
    if card.calibration.is_none() {
        limits.push("probabilities: it is not calibrated, so there is no CNN_PROB".to_owned());
    }
    if card.thresholds.is_none() {
        limits.push("score --filter: it has no thresholds; filter takes tranches by known sites (--resource)".to_owned());
    }
    if card.novelty.is_none() {
        limits.push("score --novelty: it has no summary of its training calls".to_owned());
    }
    if card.training.is_none() {
        limits.push("claims about its training: the card does not know it".to_owned());
    }
    limits.push("alleles without a sequence, as <DEL> or *: they get no score".to_owned());
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::networks::Builtin;
    use cnnfilter_nn::DeviceChoice;

    #[test]
    fn a_card_tells_inputs_figures_and_limits() {
        for (reads, parts) in [
            (
                true,
                [
                    "CNN_2D, CNN_AS, CNN_PROB",
                    "at most 400 a call, from -I",
                    "22 numbers of a read, 74",
                    "SNP PR-AUC 0.99",
                    "\nSNP    precision=0.9",
                    "* samples with less than ",
                ],
            ),
            (
                false,
                [
                    "CNN_1D, CNN_AS, CNN_PROB",
                    "reads         none\n",
                    "20 numbers of the call",
                    "INDEL PR-AUC 0.9",
                    "\nINDEL  f1 ",
                    "alleles without a sequence",
                ],
            ),
        ] {
            let builtin = Builtin::default_for(reads);
            let text = describe(&builtin.load(DeviceChoice::Cpu).unwrap());
            for part in parts {
                assert!(text.contains(part), "{part} in\n{text}");
            }
            let facts = text.split("\n\n").nth(1).unwrap();
            assert!(facts.lines().all(|line| line.len() <= WIDTH), "{facts}");
        }
    }
}
