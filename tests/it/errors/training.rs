//! `train`: examples, configurations, checkpoints.

use std::sync::LazyLock;

use super::*;

const CONFIG: &str = "patience = 0\nepochs = 1\n[batches]\nper_class = 2\nsteps_per_epoch = 2\n
[validation]\nlast_fraction = 0.4\n[architecture]\nbase_filters = 2\nread_filters = 2\nsite_filters = 2
kernel = 1\nread_width = 2\njoin_width = [4, 2]\n";

/// The demo's calls as examples without reads.
static EXAMPLES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let lab = Lab::new();
    let output = lab.path("examples.bin");
    crate::tensors::tensors(&demo("calls.vcf"), &output, &[]);
    std::fs::read(output).unwrap()
});

fn train() -> Case {
    let case = Case::new(
        "train -e examples.bin --config config.toml -o run",
        &["calls.vcf"],
    );
    case.write("examples.bin", &*EXAMPLES);
    case.write("config.toml", CONFIG);
    case
}

/// A run that is to go on from the checkpoint in its folder.
fn resume() -> Case {
    let mut case = train();
    let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
    let run = program(&arguments).current_dir(case.path("")).output();
    succeed(run.unwrap());
    case.add("--resume");
    case
}

#[test]
fn examples() {
    check(
        train,
        &[
            (
                "no examples",
                |c| c.set("-e", "none.bin"),
                &["none.bin: cannot open"],
            ),
            (
                "a folder",
                |c| c.set("-e", "."),
                &[".: expected a file of examples, found a folder"],
            ),
            (
                "an empty file",
                |c| c.write("examples.bin", ""),
                &[
                    "examples.bin: it does not begin with `CNNFEX01`",
                    "cnnfilter tensors",
                ],
            ),
            (
                "calls",
                |c| c.set("-e", "calls.vcf"),
                &["calls.vcf: it does not begin with `CNNFEX01`"],
            ),
            (
                "examples of another version",
                |c| {
                    c.change("examples.bin", |bytes| {
                        [&b"CNNFEX99"[..], &bytes[8..]].concat()
                    })
                },
                &[
                    "examples.bin: it does not begin with `CNNFEX01`",
                    "of this version",
                ],
            ),
            (
                "examples cut off in their header",
                |c| c.change("examples.bin", |bytes| bytes[..100].to_vec()),
                &[
                    "examples.bin: it is cut off or damaged",
                    "cnnfilter tensors",
                ],
            ),
            (
                "examples cut off",
                |c| c.truncate("examples.bin", 0.6),
                &["examples.bin: it is cut off or damaged (number of examples)"],
            ),
            (
                "examples cut off behind zeros",
                |c| {
                    c.change("examples.bin", |mut bytes| {
                        let zeros = bytes.windows(8).rposition(|eight| eight == [0; 8]);
                        bytes.truncate(zeros.unwrap() + 8);
                        bytes
                    })
                },
                &["examples.bin: it is cut off or damaged (number of examples)"],
            ),
        ],
    );
}

#[test]
fn configurations() {
    check(
        train,
        &[
            (
                "no configuration",
                |c| c.set("--config", "none.toml"),
                &["none.toml: cannot read"],
            ),
            (
                "no text",
                |c| c.write("config.toml", [0xffu8, 0xfe, 0]),
                &["config.toml: cannot read: stream did not contain valid UTF-8"],
            ),
            (
                "no TOML",
                |c| c.write("config.toml", "seed = = 1\n"),
                &["config.toml: TOML parse error at line 1, column 8"],
            ),
            (
                "an unknown field",
                |c| c.write("config.toml", "[batches]\nper_klass = 1\n"),
                &[
                    "config.toml: TOML parse error at line 2",
                    "unknown field `per_klass`",
                    "per_class",
                ],
            ),
            (
                "a word for a number",
                |c| c.write("config.toml", "seed = \"a\"\n"),
                &[
                    "config.toml: TOML parse error at line 1",
                    "invalid type: string \"a\"",
                ],
            ),
            (
                "out of range",
                |c| c.write("config.toml", "[optimizer]\nlearning_rate = -1\n"),
                &["config.toml: optimizer.learning_rate is -1; allowed is a number above 0"],
            ),
            (
                "an even kernel",
                |c| c.add("--set architecture.kernel=4"),
                &["kernel must be 1, 3, 5, 7 or 9, found 4"],
            ),
            (
                "a held-out region of another genome",
                |c| c.add("--set validation.regions=[\"chr9:1-2\"]"),
                &["validation.regions: `chr9:1-2`: contig `chr9` is not known (there are demo1"],
            ),
            (
                "a held-out set that is not there",
                |c| c.add("--set validation.sets=[\"x\"]"),
                &["the set `x`; there are examples"],
            ),
            (
                "a folder to start from that is none",
                |c| c.add("--init none"),
                &["none: it has no `model.json`"],
            ),
            (
                "a file where the run's folder goes",
                |c| c.set("-o", "calls.vcf"),
                &["calls.vcf: cannot create"],
            ),
        ],
    );
}

const CHECKPOINT: &str = "run/checkpoint/checkpoint.json";

#[test]
fn checkpoints() {
    check(
        resume,
        &[
            (
                "a run that is not to go on",
                |c| drop(c.arguments.pop()),
                &["run: it holds a checkpoint; go on with --resume, or give another folder"],
            ),
            (
                "another configuration",
                |c| c.add("--set seed=9"),
                &[
                    "run: the checkpoint belongs to another configuration",
                    "start anew",
                ],
            ),
            (
                "other examples",
                |c| {
                    // The same ones under another name of their set.
                    c.change("examples.bin", |bytes| {
                        let text = b"\"set\":\"examples\"";
                        let at = bytes.windows(text.len()).position(|piece| piece == text);
                        let mut bytes = bytes;
                        bytes[at.unwrap() + 7] = b'E';
                        bytes
                    })
                },
                &[
                    "run: the checkpoint belongs to other examples (changed: ",
                    "start anew",
                ],
            ),
            (
                "half a description",
                |c| c.truncate(CHECKPOINT, 0.5),
                &["run/checkpoint/checkpoint.json: this is no checkpoint: EOF"],
            ),
            (
                "another format",
                |c| c.edit(CHECKPOINT, "\"format\": 1", "\"format\": 7"),
                &["checkpoint.json: the checkpoint has format 7, this program reads format 1"],
            ),
            (
                "damaged weights",
                |c| {
                    c.change("run/checkpoint/weights-0001.safetensors", |mut bytes| {
                        let last = bytes.len() - 1;
                        bytes[last] ^= 1;
                        bytes
                    })
                },
                &["weights-0001.safetensors is not the file the checkpoint was written with"],
            ),
            (
                "a file that is gone",
                |c| std::fs::remove_file(c.path("run/checkpoint/best-0001.safetensors")).unwrap(),
                &["run/checkpoint/best-0001.safetensors: cannot read"],
            ),
        ],
    );
}
