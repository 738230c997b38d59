//! Header lines of a run.

use anyhow::Result;

use super::ScorePlan;
use super::scores::tells_samples_apart;
use crate::commands::encoding::Inputs;
use crate::commands::quote;
use cnnfilter_core::encode::Encoder;
use cnnfilter_core::filter::ModelLine;
use cnnfilter_core::genome::FlagSet;
use cnnfilter_core::networks::Model;
use cnnfilter_core::score::keys::{ALLELE_KEY, PROBABILITY_KEY, SAMPLE_KEY};
use cnnfilter_core::vcf::VcfHeader;

/// Adds the definition of the score, the program's version and what decided the scores. Lines of an
/// earlier run for the same key are replaced.
///
/// `##cnnfilterCommand` holds what the scores depend on (reads, reference, model) and nothing else:
/// neither threads, batch size, regions nor where the records came from and go to. So a scattered
/// run has the header of a whole one, byte for byte.
///
/// # Errors
/// A card whose numbers cannot be written.
pub(super) fn extend(
    header: &mut VcfHeader,
    plan: &ScorePlan,
    model: &Model,
    inputs: &Inputs,
) -> Result<()> {
    let card = model.card();
    let key = &card.info_key;
    header.put_info(
        key,
        format!(
            "##INFO=<ID={key},Number=1,Type=Float,Description=\"Log odds of being a true variant versus being false under the convolutional network {} (natural logarithm)\">",
            card.name
        ),
    );
    if matches!(model.encoder(), Encoder::Allele { .. }) {
        header.put_info(
            ALLELE_KEY,
            format!("##INFO=<ID={ALLELE_KEY},Number=A,Type=Float,Description=\"{key} of each ALT allele\">"),
        );
    }
    if card.calibration.is_some() {
        header.put_info(
            PROBABILITY_KEY,
            format!(
                "##INFO=<ID={PROBABILITY_KEY},Number=1,Type=Float,Description=\"Calibrated probability that the best ALT allele is real, by the convolutional network {}\">",
                card.name
            ),
        );
    }
    if tells_samples_apart(model, inputs) {
        header.put_format(
            SAMPLE_KEY,
            format!(
                "##FORMAT=<ID={SAMPLE_KEY},Number=1,Type=Float,Description=\"{key} of the sample's best ALT allele, from the sample's own reads and genotype\">"
            ),
        );
    }
    let version = env!("CARGO_PKG_VERSION");
    header.put_meta(
        "##cnnfilterVersion=",
        format!("##cnnfilterVersion={version}"),
    );
    let prefix = format!("##cnnfilterCommand=score --info-key {key} ");
    let mut command = prefix.clone();
    command += &format!("--model {} ", quote(&card.name));
    command += &format!("--model-sha256 {} ", card.weights_sha256);
    for path in plan.encoding.reads.iter().filter(|_| model.uses_reads()) {
        command += &format!("-I {} ", quote(&path.to_string_lossy()));
    }
    if model.uses_reads() {
        if let Some(map) = &plan.encoding.sample_map {
            command += &format!("--sample-map {} ", quote(&map.to_string_lossy()));
        }
        let filter = plan.encoding.read_filter;
        if filter.min_mapping_quality > 0 {
            command += &format!("--min-mapq {} ", filter.min_mapping_quality);
        }
        if filter.required != FlagSet::default() {
            command += &format!("--require-flags {} ", filter.required);
        }
        if let Some(excluded) = filter.excluded {
            command += &format!("--exclude-flags {excluded} ");
        }
    }
    if let Some(depth) = plan.encoding.sample_depth {
        command += &format!("--sample-depth {depth} ");
    }
    command += &format!("-R {}", quote(&plan.encoding.reference.to_string_lossy()));
    header.put_meta(&prefix, command);
    if card.calibration.is_some() || card.thresholds.is_some() {
        let line = ModelLine {
            name: card.name.clone(),
            sha256: card.weights_sha256.clone(),
            calibration: card.calibration.clone(),
            thresholds: card.thresholds.clone(),
        };
        line.put(header)?;
    }
    Ok(())
}
