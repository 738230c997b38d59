//! What a run leaves in the header.

use super::ScorePlan;
use crate::commands::quote;
use crate::model::Model;
use crate::vcf::VcfHeader;

/// Adds the definition of the score, the program's version and what decided the scores. Lines of an
/// earlier run for the same key are replaced.
///
/// `##cnnfilterCommand` holds what the scores depend on (reads, reference, model) and nothing else:
/// neither threads, batch size, regions nor where the records came from and go to. So a scattered
/// run has the header of a whole one, byte for byte.
pub fn extend(header: &mut VcfHeader, plan: &ScorePlan, model: &Model) {
    let card = model.card();
    let key = &card.info_key;
    header.put_info(
        key,
        format!(
            "##INFO=<ID={key},Number=1,Type=Float,Description=\"Log odds of being a true variant versus being false under the convolutional network {} (natural logarithm)\">",
            card.name
        ),
    );
    let version = env!("CARGO_PKG_VERSION");
    header.put_meta(
        "##cnnfilterVersion=",
        format!("##cnnfilterVersion={version}"),
    );
    let prefix = format!("##cnnfilterCommand=score --info-key {key} ");
    let mut command = prefix.clone();
    command += &format!("--model {} ", quote(&card.name));
    command += &format!("--model-sha256 {} ", card.weights_sha256);
    for path in plan.reads.iter().filter(|_| model.uses_reads()) {
        command += &format!("-I {} ", quote(&path.to_string_lossy()));
    }
    command += &format!("-R {}", quote(&plan.reference.to_string_lossy()));
    header.put_meta(&prefix, command);
}
