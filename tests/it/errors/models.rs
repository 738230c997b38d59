//! Model folders.

use super::*;

use cnnfilter_nn::weights::{Weights, from_safetensors, sha256, to_safetensors};

/// `score` with a copy of the built-in model in the folder `m`.
fn model() -> Case {
    let mut case = Case::score();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/cnnfilter_reads");
    std::fs::create_dir(case.path("m")).unwrap();
    for name in ["model.json", "model.safetensors"] {
        let name_here = case.path("m").join(name);
        std::fs::copy(source.join(name), name_here).unwrap();
    }
    case.add("--model m");
    case
}

const CARD: &str = "m/model.json";
const WEIGHTS: &str = "m/model.safetensors";

/// Writes other weights, with the checksum that belongs to them.
fn weigh(case: &Case, bytes: Vec<u8>) {
    let before = sha256(&case.bytes(WEIGHTS));
    case.edit(CARD, &before, &sha256(&bytes));
    case.write(WEIGHTS, bytes);
}

fn change_weights(case: &Case, change: fn(&mut Weights)) {
    let mut weights = from_safetensors(&case.bytes(WEIGHTS)).unwrap();
    change(&mut weights);
    weigh(case, to_safetensors(&weights).unwrap());
}

#[test]
fn folders_and_cards() {
    check(
        model,
        &[
            (
                "no model",
                |c| c.set("--model", "none"),
                &["none: there is no such model folder", "cnnfilter_reads"],
            ),
            (
                "a file",
                |c| c.set("--model", "calls.vcf"),
                &["calls.vcf/model.json: cannot read"],
            ),
            (
                "no card",
                |c| std::fs::remove_file(c.path(CARD)).unwrap(),
                &["m: it has no `model.json`; expected a model folder"],
            ),
            (
                "no weights",
                |c| std::fs::remove_file(c.path(WEIGHTS)).unwrap(),
                &["m: it has no `model.safetensors`; expected a model folder"],
            ),
            (
                "an empty card",
                |c| c.write(CARD, ""),
                &["m: model.json is not a model card"],
            ),
            (
                "half a card",
                |c| c.truncate(CARD, 0.5),
                &["m: model.json is not a model card (EOF"],
            ),
            (
                "a damaged card",
                |c| c.edit(CARD, "{", "["),
                &["m: model.json is not a model card"],
            ),
            (
                "a field too few",
                |c| c.edit(CARD, "\"info_key\": \"CNN_2D\",", ""),
                &["m: model.json is not a model card (missing field `info_key`"],
            ),
            (
                "a field too many",
                |c| c.edit(CARD, "\"info_key\"", "\"speed\": 1, \"info_key\""),
                &["(unknown field `speed`, expected one of `format`"],
            ),
            (
                "another format",
                |c| c.edit(CARD, "\"format\": 2", "\"format\": 9"),
                &[
                    "m: model.json has format 9, this version reads format 1",
                    "again",
                ],
            ),
            (
                "an unknown architecture",
                |c| {
                    c.edit(
                        CARD,
                        "\"architecture\": \"cnnfilter_reads\"",
                        "\"architecture\": \"resnet\"",
                    )
                },
                &["architecture must be one of gatk_1d", "found resnet"],
            ),
            (
                "the architecture of another network",
                |c| {
                    c.edit(
                        CARD,
                        "\"architecture\": \"cnnfilter_reads\"",
                        "\"architecture\": \"gatk_1d\"",
                    )
                },
                &["m: model.json: tensor must be", "found"],
            ),
            (
                "an even kernel",
                |c| c.edit(CARD, "\"kernel\": 5", "\"kernel\": 4"),
                &["m: model.json: kernel must be 1, 3, 5, 7 or 9, found 4"],
            ),
            (
                "a layer of a thousand million",
                |c| c.edit(CARD, "\"base_filters\": ", "\"base_filters\": 1000000000"),
                &["m: model.json: base_filters must be 1 to 1024, found 1000000000"],
            ),
            (
                "a test vector of a million million reads",
                |c| c.edit(CARD, "\"reads\": 35", "\"reads\": 1000000000000"),
                &["m: model.json: test_vectors must be at most 64 of at most 1000 reads"],
            ),
            (
                "a test vector of another network",
                |c| c.edit(CARD, "\"seed\": 1,", "\"seed\": 77,"),
                &[
                    "m: test vector 0: logit NOT_SNP is",
                    "the card says",
                    "damaged",
                ],
            ),
            (
                "no thresholds, which --filter needs",
                |c| {
                    let mut card: serde_json::Value = serde_json::from_str(&c.text(CARD)).unwrap();
                    card.as_object_mut().unwrap().remove("thresholds").unwrap();
                    c.write(CARD, card.to_string());
                    c.add("--filter");
                },
                &[
                    "--filter: model `cnnfilter_reads` has no thresholds",
                    "--resource",
                ],
            ),
        ],
    );
}

#[test]
fn weights() {
    check(
        model,
        &[
            (
                "damaged",
                |c| {
                    c.change(WEIGHTS, |mut bytes| {
                        bytes[100_000] ^= 1;
                        bytes
                    })
                },
                &["m: ", "SHA-256"],
            ),
            (
                "of another model",
                |c| {
                    let other =
                        include_bytes!("../../../models/cnnfilter_reference/model.safetensors");
                    weigh(c, other.to_vec())
                },
                &[
                    "m: weight `haplotype.weight` has shape [2, ",
                    "expected [24, ",
                ],
            ),
            (
                "empty",
                |c| weigh(c, Vec::new()),
                &["m: model.safetensors cannot be read"],
            ),
            (
                "half",
                |c| weigh(c, c.bytes(WEIGHTS)[..200_000].to_vec()),
                &["m: model.safetensors cannot be read"],
            ),
            (
                "a header that says it is huge",
                |c| {
                    let mut bytes = c.bytes(WEIGHTS);
                    bytes[..8].copy_from_slice(&(u64::MAX >> 1).to_le_bytes());
                    weigh(c, bytes)
                },
                &["m: model.safetensors cannot be read (header too large)"],
            ),
            (
                "a tensor too few",
                |c| change_weights(c, |weights| drop(weights.remove("out.bias").unwrap())),
                &["m: weight `out.bias` is missing; expected shape [4]"],
            ),
            (
                "a tensor too many",
                |c| {
                    change_weights(c, |weights| {
                        let copy = weights["out.bias"].clone();
                        weights.insert("more".into(), copy);
                    })
                },
                &["m: weight `more` belongs to no layer"],
            ),
            (
                "a tensor of another shape",
                |c| {
                    change_weights(c, |weights| {
                        weights.get_mut("join1.weight").unwrap().shape.reverse()
                    })
                },
                &["m: weight `join1.weight` has shape [", "expected ["],
            ),
            (
                "NaN",
                |c| {
                    change_weights(c, |weights| {
                        weights.get_mut("out.bias").unwrap().data[2] = f32::NAN
                    })
                },
                &["m: weight `out.bias` holds NaN or infinity"],
            ),
        ],
    );
}

#[test]
fn a_model_that_is_not_what_was_asked_for() {
    check(
        Case::score,
        &[
            (
                "the other tensor type",
                |c| c.add("--model cnnfilter_reads --tensor-type reference"),
                &["--tensor-type reference was asked for"],
            ),
            (
                "no GPU",
                |c| c.add("--device cuda:7"),
                &["device `cuda:7` cannot be used"],
            ),
        ],
    );
}
