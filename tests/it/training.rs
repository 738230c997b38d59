//! `train`: examples become a model that scores.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::*;
use crate::tensors::tensors;

/// A network and a run that are small enough for a test. Enough is held out that both types have
/// real and false calls there.
const CONFIG: &str = "seed = 5
patience = 0

[optimizer]
ema_decay = 0.5

[schedule]
warmup_steps = 2

[validation]
last_fraction = 0.4

[architecture]
base_filters = 4
read_filters = 4
site_filters = 4
kernel = 3
read_width = 4
join_width = [8, 4]
";

/// The demo's calls as examples, with reads or without.
fn examples(lab: &Lab, name: &str, with_reads: bool) -> PathBuf {
    let (output, bam) = (lab.path(name), demo("reads.bam"));
    let more = if with_reads {
        vec!["-I", text(&bam)]
    } else {
        vec![]
    };
    tensors(&demo("calls.vcf"), &output, &more);
    output
}

/// A run of two short epochs, unless `more` says otherwise: later settings win.
fn train(lab: &Lab, examples: &[&Path], run: &Path, more: &[&str]) -> Command {
    let config = lab.file("config.toml", CONFIG);
    let mut arguments = vec!["train", "--config", text(&config), "-o", text(run)];
    for examples in examples {
        arguments.extend(["-e", text(examples)]);
    }
    for setting in [
        "epochs=2",
        "batches.per_class=2",
        "batches.steps_per_epoch=3",
    ] {
        arguments.extend(["--set", setting]);
    }
    arguments.extend(more);
    program(&arguments)
}

/// Weights and card of the model in the folder of a run.
fn model_files(run: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| std::fs::read(run.join("model").join(name)).unwrap();
    (read("model.safetensors"), read("model.json"))
}

/// Lines of a run's history without the column of seconds, its heading first; none before the first
/// epoch.
fn history(run: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(run.join("history.tsv")).unwrap_or_default();
    let line = |line: &str| {
        let mut columns: Vec<String> = line.split('\t').map(String::from).collect();
        columns.remove(2);
        columns
    };
    text.lines().map(line).collect()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_its_folder_and_a_model_that_scores() {
    let lab = Lab::new();
    let (calls, bam) = (demo("calls.vcf"), demo("reads.bam"));
    for (with_reads, key) in [(true, "CNN_2D"), (false, "CNN_1D")] {
        let examples = examples(&lab, &format!("{key}.bin"), with_reads);
        let run = lab.path(key);
        succeed(train(&lab, &[&examples], &run, &[]).output().unwrap());

        assert_eq!(
            names_in(&run),
            ["checkpoint", "config.toml", "history.tsv", "model"]
        );
        assert_eq!(
            names_in(&run.join("model")),
            ["model.json", "model.safetensors"]
        );
        assert_eq!(
            names_in(&run.join("checkpoint")),
            [
                "best-0002.safetensors",
                "checkpoint.json",
                "optimizer-0002.safetensors",
                "weights-0002.safetensors"
            ]
        );
        let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
        for line in [
            "seed = 5",
            "epochs = 2",
            "per_class = 2",
            "base_filters = 4",
            "clip_norm = 1.0",
        ] {
            assert!(
                config.lines().any(|found| found == line),
                "{line} in {config}"
            );
        }
        let history = history(&run);
        assert_eq!(history.len(), 3, "{history:?}");
        let column = |name: &str| {
            history[0]
                .iter()
                .position(|found| found == name)
                .expect(name)
        };
        for row in &history[1..] {
            for name in [
                "train_loss",
                "validation_loss",
                "pr_auc_snp",
                "pr_auc_indel",
            ] {
                let value: f64 = row[column(name)].parse().unwrap();
                assert!(value.is_finite() && value >= 0.0, "{name}: {value}");
            }
        }

        let more = if with_reads {
            vec!["-I", text(&bam)]
        } else {
            vec![]
        };
        let scored = records(&succeed(score(&calls, &run.join("model"), &more)));
        assert_eq!(scored.len(), records(&std::fs::read(&calls).unwrap()).len());
        let mut scores: Vec<&str> = scored
            .iter()
            .map(|line| info(line, key).expect("every call of the demo can be scored"))
            .collect();
        assert!(scored.iter().all(|line| info(line, "CNN_AS").is_some()));
        scores.sort_unstable();
        scores.dedup();
        assert!(scores.len() > 50, "{} different scores", scores.len());
    }
}

#[test]
fn the_seed_decides_the_weights_and_threads_do_not() {
    let lab = Lab::new();
    let examples = examples(&lab, "e.bin", true);
    let run = |name: &str, more: &[&str]| {
        let run = lab.path(name);
        succeed(train(&lab, &[&examples], &run, more).output().unwrap());
        (model_files(&run), history(&run))
    };
    let first = run("first", &["--threads", "1"]);
    assert!(
        first == run("again", &["--threads", "1"]),
        "the same once more"
    );
    assert!(first == run("two", &["--threads", "2"]), "two threads");
    let other = run("other", &["--threads", "2", "--set", "seed=6"]);
    assert!(first.0.0 != other.0.0, "another seed");
}

#[test]
fn the_family_of_the_network_is_chosen_in_the_configuration() {
    let lab = Lab::new();
    let (with, without) = (
        examples(&lab, "with.bin", true),
        examples(&lab, "without.bin", false),
    );
    let config = lab.file("attention.toml", "[network]\nfamily = \"attention\"\n");
    let arguments = |examples: &Path, run: &Path, more: &[&str]| {
        let mut arguments = vec!["train", "--config", text(&config), "-e", text(examples)];
        arguments.extend(["-o", text(run)]);
        for setting in [
            "epochs=1",
            "batches.per_class=2",
            "batches.steps_per_epoch=3",
            "validation.last_fraction=0.4",
        ] {
            arguments.extend(["--set", setting]);
        }
        arguments.extend(more);
        program(&arguments).output().unwrap()
    };
    let runs = ["1", "2"].map(|threads| {
        let run = lab.path(threads);
        succeed(arguments(&with, &run, &["--threads", threads]));
        run
    });
    assert!(
        model_files(&runs[0]) == model_files(&runs[1]),
        "other weights with two threads"
    );
    let card = String::from_utf8(model_files(&runs[0]).1).unwrap();
    assert!(card.contains("\"architecture\": \"cnnfilter_attention\""));
    let (calls, bam) = (demo("calls.vcf"), demo("reads.bam"));
    let scored = records(&succeed(score(
        &calls,
        &runs[0].join("model"),
        &["-I", text(&bam)],
    )));
    assert!(scored.iter().all(|line| info(line, "CNN_2D").is_some()));

    let refused = lab.path("refused");
    for (examples, more, expected) in [
        (&without, vec![], "make examples with reads"),
        (
            &with,
            vec!["--set", "network.family=recurrent"],
            "no network family `recurrent`; there are allele, attention",
        ),
        (
            &with,
            vec!["--set", "architecture.heads=99"],
            "heads must be 1 to 16, found 99",
        ),
    ] {
        let message = fail(arguments(examples, &refused, &more));
        assert!(message.contains(expected), "{more:?}: {message}");
    }
}

#[test]
fn an_interrupted_run_ends_as_one_that_was_not() {
    const EPOCHS: usize = 24;
    let lab = Lab::new();
    let examples = examples(&lab, "e.bin", true);
    let setting = format!("epochs={EPOCHS}");
    let (whole, broken) = (lab.path("whole"), lab.path("broken"));
    let more = ["--set", &setting, "--threads", "1"];
    succeed(train(&lab, &[&examples], &whole, &more).output().unwrap());

    let mut child = train(&lab, &[&examples], &broken, &more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while history(&broken).len() < 2 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended without an epoch");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = history(&broken).len() - 1;
    assert!((1..EPOCHS).contains(&done), "{done} of {EPOCHS} epochs");
    assert!(!broken.join("model").exists());

    let more = ["--set", &setting, "--threads", "2", "--resume"];
    succeed(train(&lab, &[&examples], &broken, &more).output().unwrap());
    assert_eq!(history(&broken), history(&whole));
    let (broken, whole) = (model_files(&broken), model_files(&whole));
    assert!(broken.0 == whole.0, "the weights");
    assert!(broken.1 == whole.1, "the card");
}

#[test]
fn a_checkpoint_goes_on_with_its_own_configuration_and_examples_only() {
    let lab = Lab::new();
    let (examples, others) = (examples(&lab, "e.bin", false), lab.path("others.bin"));
    tensors(&demo("calls.freebayes.vcf"), &others, &[]);
    let run = lab.path("run");
    succeed(train(&lab, &[&examples], &run, &[]).output().unwrap());
    let (model, so_far) = (model_files(&run), history(&run));
    for (files, more, expected) in [
        (
            &examples,
            vec![],
            "it holds a checkpoint; go on with --resume",
        ),
        (
            &examples,
            vec!["--resume", "--set", "seed=6"],
            "the checkpoint belongs to another configuration",
        ),
        (
            &examples,
            vec!["--resume", "--set", "architecture.base_filters=5"],
            "the checkpoint belongs to another configuration",
        ),
        (
            &others,
            vec!["--resume"],
            "the checkpoint belongs to other examples",
        ),
    ] {
        let message = fail(train(&lab, &[files], &run, &more).output().unwrap());
        assert!(message.contains(expected), "{more:?}: {message}");
        assert!(message.contains(text(&run)), "{more:?}: {message}");
    }
    assert!(model_files(&run) == model && history(&run) == so_far);
    // A run that is at its end stays what it is.
    let again = train(&lab, &[&examples], &run, &["--resume"])
        .output()
        .unwrap();
    succeed(again);
    assert!(model_files(&run) == model && history(&run) == so_far);
}

#[test]
fn a_single_type_is_trained_on_only_if_asked_for() {
    let lab = Lab::new();
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let is_snp = |line: &&str| {
        let columns: Vec<&str> = line.split('\t').collect();
        line.starts_with('#')
            || (columns[3].len() == 1 && columns[4].len() == 1 && columns[4] != "*")
    };
    let lines: Vec<&str> = calls.lines().filter(is_snp).collect();
    let snps = lab.file("snps.vcf", lines.join("\n") + "\n");
    let examples = lab.path("snps.bin");
    tensors(&snps, &examples, &[]);
    let run = lab.path("run");
    let message = fail(train(&lab, &[&examples], &run, &[]).output().unwrap());
    for part in [
        "no training examples of type INDEL",
        "batches.allow_one_type",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!run.join("model").exists() && !run.join("checkpoint").exists());
    let more = ["--set", "batches.allow_one_type=true"];
    succeed(train(&lab, &[&examples], &run, &more).output().unwrap());
    let scored = records(&succeed(score(&demo("calls.vcf"), &run.join("model"), &[])));
    assert!(scored.iter().all(|line| info(line, "CNN_1D").is_some()));
}

#[test]
fn files_and_settings_that_are_none_are_named() {
    let lab = Lab::new();
    let (with, without) = (
        examples(&lab, "with.bin", true),
        examples(&lab, "without.bin", false),
    );
    let no_examples = lab.copy("calls.vcf");
    let bytes = std::fs::read(&without).unwrap();
    let cut = lab.file("cut.bin", &bytes[..bytes.len() - 4]);
    let missing = lab.path("missing.bin");
    let wrong_field = lab.file("field.toml", "[optimizer]\nmomentum = 0.9\n");
    let wrong_size = lab.file("size.toml", "[architecture]\nfilters = 4\n");
    let wrong_text = lab.file("text.toml", "epochs: 3\n");
    let run = lab.path("run");
    let one = vec![&without];
    let cases: Vec<(Vec<&PathBuf>, Vec<&str>, Vec<&str>)> = vec![
        (
            vec![&no_examples],
            vec![],
            vec!["calls.vcf", "expected a file that `cnnfilter tensors`"],
        ),
        (vec![&cut], vec![], vec!["cut.bin", "cut off or damaged"]),
        (vec![&missing], vec![], vec!["missing.bin"]),
        (
            vec![&with, &without],
            vec![],
            vec!["with.bin", "without.bin", "do not go together"],
        ),
        (
            one.clone(),
            vec!["--config", text(&wrong_field)],
            vec!["field.toml", "momentum"],
        ),
        (
            one.clone(),
            vec!["--config", text(&wrong_size)],
            vec!["filters"],
        ),
        (
            one.clone(),
            vec!["--config", text(&wrong_text)],
            vec!["text.toml"],
        ),
        (
            one.clone(),
            vec!["--set", "architecture.kernel=4"],
            vec!["architecture", "kernel", "1, 3, 5, 7 or 9"],
        ),
        (
            one.clone(),
            vec!["--set", "validation.sets=nobody"],
            vec!["the configuration names the set `nobody`; there are without"],
        ),
    ];
    for (files, more, expected) in cases {
        let mut arguments = vec!["train", "-o", text(&run)];
        for file in &files {
            arguments.extend(["-e", text(file)]);
        }
        arguments.extend(&more);
        let message = fail(program(&arguments).output().unwrap());
        for part in &expected {
            assert!(message.contains(part), "{more:?}: {part} in {message}");
        }
        assert!(!run.exists(), "{more:?}");
    }
}

/// The column of a history by its name, without its heading.
fn column(history: &[Vec<String>], name: &str) -> Vec<f64> {
    let at = history[0].iter().position(|found| found == name).unwrap();
    let rows = history[1..].iter();
    rows.map(|row| row[at].parse().unwrap()).collect()
}

#[test]
fn an_annealed_temperature_falls_while_the_threshold_moves() {
    let lab = Lab::new();
    let examples = examples(&lab, "e.bin", true);
    let run = lab.path("run");
    let more = [
        "--set",
        "architecture.quality_gate=true",
        "--set",
        "schedule.temperature_start=20",
        "--set",
        "schedule.temperature_end=0.5",
        "--set",
        "epochs=3",
    ];
    succeed(train(&lab, &[&examples], &run, &more).output().unwrap());
    let history = history(&run);
    let temperature = column(&history, "quality_temperature");
    assert!(
        temperature[0] > temperature[1] && temperature[1] > temperature[2],
        "{temperature:?}"
    );
    assert!((temperature[2] - 0.5).abs() < 1e-6, "{temperature:?}");
    let threshold = column(&history, "quality_threshold");
    assert!(
        threshold.iter().all(|t| *t != 15.0) && threshold[0] != threshold[2],
        "{threshold:?}"
    );

    // Without a threshold there is nothing to anneal.
    let message = fail(
        train(&lab, &[&examples], &lab.path("none"), &more[2..])
            .output()
            .unwrap(),
    );
    assert!(message.contains("architecture.quality_gate"), "{message}");
}

#[test]
fn a_genotype_head_is_put_on_a_model_whose_scores_stay() {
    let lab = Lab::new();
    let (calls, bam) = (demo("calls.vcf"), demo("reads.bam"));
    let examples = examples(&lab, "e.bin", true);
    let first = lab.path("first");
    succeed(train(&lab, &[&examples], &first, &[]).output().unwrap());
    let model = first.join("model");
    let config = lab.file(
        "head.toml",
        "patience = 0\nepochs = 6\n[genotype]\nalone = true\n[architecture]\ngenotype_width = 6\n\
         [batches]\nper_class = 4\nsteps_per_epoch = 20\n[optimizer]\nema_decay = 0.5\n[schedule]\nwarmup_steps = 2\n",
    );
    let run = lab.path("head");
    let mut arguments = vec!["train", "--config", text(&config), "-e", text(&examples)];
    arguments.extend(["--init", text(&model), "-o", text(&run)]);
    succeed(program(&arguments).output().unwrap());
    let losses = column(&history(&run), "genotype_loss");
    assert!(losses[5] < losses[0], "{losses:?}");

    let with_head = run.join("model");
    let scores = |model: &Path| records(&succeed(score(&calls, model, &["-I", text(&bam)])));
    assert_eq!(scores(&model), scores(&with_head));
    let card = std::fs::read_to_string(with_head.join("model.json")).unwrap();
    assert!(
        card.contains("\"genotype\": {") && card.contains("\"two_copies\""),
        "{card}"
    );
    let genotyped = records(&succeed(score(
        &calls,
        &with_head,
        &["-I", text(&bam), "--genotype"],
    )));
    assert!(genotyped.iter().all(|line| line.contains(":CNN_GT:")));

    // A head needs a model to sit on, and a width.
    for (leave_out, part) in [
        ("--init", "name the model"),
        ("architecture", "genotype_width"),
    ] {
        let mut arguments = vec!["train", "-e", text(&examples), "-o", "unused"];
        let none = lab.path("none");
        arguments[4] = text(&none);
        arguments.extend(["--set", "genotype.alone=true", "--set", "epochs=1"]);
        if leave_out != "--init" {
            arguments.extend(["--init", text(&model)]);
        } else {
            arguments.extend(["--set", "architecture.genotype_width=6"]);
        }
        let message = fail(program(&arguments).output().unwrap());
        assert!(message.contains(part), "{message}");
    }
}
