//! `embed` and `embed map`: files of embeddings, maps, tables.

use std::collections::BTreeMap;
use std::path::Path;

use cnnfilter::io::embedding_file;
use cnnfilter_embed::{Column, Embedding};

use crate::support::*;
use crate::tensors::tensors;

/// `embed` on the demo with further arguments.
fn embed(lab: &Lab, output: &str, more: &[&str]) -> std::process::Output {
    let (calls, bam, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let output = lab.path(output);
    let mut arguments = vec!["embed", "-V", text(&calls), "-I", text(&bam)];
    arguments.extend(["-R", text(&reference), "-o", text(&output)]);
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

fn map(lab: &Lab, input: &str, more: &[&str]) -> std::process::Output {
    let input = lab.path(input);
    let mut command = program(&[&["embed", "map", text(&input)], more].concat());
    command.current_dir(lab.path("")).output().unwrap()
}

fn read(lab: &Lab, name: &str) -> Embedding {
    embedding_file::read(&lab.path(name), &[]).unwrap()
}

fn numbers<'a>(embedding: &'a Embedding, name: &str) -> &'a [f32] {
    match embedding.column(name) {
        Some(Column::Numbers(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn each_alt_has_a_row_with_the_score_that_score_gives() {
    let lab = Lab::new();
    let (truth, confident) = (demo("truth.vcf.gz"), demo("confident.bed"));
    let track = format!("sure={}", text(&confident));
    let sites = format!("known={}", text(&truth));
    let json = lab.path("summary.json");
    succeed(embed(
        &lab,
        "run.emb",
        &[
            "--truth",
            text(&truth),
            "--confident",
            text(&confident),
            "--track",
            &track,
            "--sites",
            &sites,
            "--info",
            "QD,DP",
            "--summary-json",
            text(&json),
        ],
    ));
    let found = read(&lab, "run.emb");
    let (calls, bam, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let scored = program(&[
        "score",
        "-V",
        text(&calls),
        "-I",
        text(&bam),
        "-R",
        text(&reference),
    ]);
    let mut scored = scored;
    let scored = succeed(scored.output().unwrap());
    // CNN_AS has a score for each ALT, in the order of the file.
    let scores: Vec<String> = (records(&scored).iter())
        .flat_map(|line| {
            let list = info(line, "CNN_AS").unwrap_or("").to_owned();
            list.split(',').map(String::from).collect::<Vec<String>>()
        })
        .filter(|score| !score.is_empty() && score != ".")
        .collect();
    let own: Vec<String> = (numbers(&found, "score").iter())
        .map(|score| format!("{score:.3}"))
        .collect();
    assert_eq!(own.len(), scores.len());
    for (own, score) in own.iter().zip(&scores) {
        let (own, score): (f64, f64) = (own.parse().unwrap(), score.parse().unwrap());
        assert!((own - score).abs() < 0.0011, "{own} {score}");
    }
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(summary["calls"].as_u64().unwrap() as usize, found.len());
    assert_eq!(summary["layers"]["join2"], 48);
    // A call that the label calls real is in the truth.
    let (label, known) = (
        found.column("label").unwrap(),
        found.column("known").unwrap(),
    );
    let mut table: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    for call in 0..found.len() {
        *table
            .entry((label.word(call), known.word(call)))
            .or_default() += 1;
    }
    assert!(table[&(Some("real"), Some("in"))] > 100, "{table:?}");
    assert!(table[&(Some("false"), Some("out"))] > 10, "{table:?}");
    assert!(
        !table.contains_key(&(Some("false"), Some("in"))),
        "{table:?}"
    );
    assert_eq!(found.name(0), "demo1:20:A>G");
    assert_eq!(found.column("genotype").unwrap().word(1), Some("0/1"));
    assert!(numbers(&found, "QD")[0] > 0.0);
}

#[test]
fn bytes_depend_on_neither_threads_nor_batches() {
    let lab = Lab::new();
    for (name, more) in [
        ("1.emb", ["--threads", "1", "--batch-size", "4096"]),
        ("2.emb", ["--threads", "3", "--batch-size", "7"]),
    ] {
        succeed(embed(&lab, name, &more));
    }
    let bytes = |name: &str| std::fs::read(lab.path(name)).unwrap();
    assert!(bytes("1.emb") == bytes("2.emb"));
    for (name, threads) in [("a", "1"), ("b", "3")] {
        let (map_name, table) = (format!("{name}.map"), format!("{name}.tsv"));
        let more = [
            "-o",
            &map_name,
            "--enrichment",
            &table,
            "--threads",
            threads,
        ];
        succeed(map(
            &lab,
            "1.emb",
            &[&more[..], &["--clusters", "4"]].concat(),
        ));
    }
    assert!(bytes("a.map") == bytes("b.map"));
    assert!(bytes("a.tsv") == bytes("b.tsv"));
}

#[test]
fn a_map_has_clusters_tables_and_a_place_for_new_calls() {
    let lab = Lab::new();
    let truth = demo("truth.vcf.gz");
    let layers = ["--layers", "join2,site2", "--truth", text(&truth)];
    succeed(embed(&lab, "run.emb", &layers));
    succeed(map(
        &lab,
        "run.emb",
        &[
            "-o",
            "map.emb",
            "--clusters",
            "5",
            "--enrichment",
            "rich.tsv",
            "--label-errors",
            "wrong.tsv",
            "--like",
            "demo1:20",
            "--most",
            "3",
            "--neighbour-table",
            "near.tsv",
            "--h5ad",
            "map.h5ad",
        ],
    ));
    let found = read(&lab, "map.emb");
    assert_eq!(found.layer("umap").unwrap().columns(), 2);
    let clusters = found.column("kmeans").unwrap();
    let Column::Categories { levels, .. } = clusters else {
        panic!("{clusters:?}");
    };
    assert_eq!(levels.len(), 5);
    let rich = std::fs::read_to_string(lab.path("rich.tsv")).unwrap();
    assert!(
        rich.lines()
            .any(|line| line.starts_with("kmeans\t") && line.contains("\tlabel\tfalse\t"))
    );
    assert!(!rich.contains("NaN") && !rich.contains("inf"), "{rich}");
    let near = std::fs::read_to_string(lab.path("near.tsv")).unwrap();
    assert_eq!(near.lines().count(), 4);
    let wrong = std::fs::read_to_string(lab.path("wrong.tsv")).unwrap();
    assert!(wrong.starts_with("chrom\tpos\tref\talt\tlabel\t"));
    let h5ad = std::fs::read(lab.path("map.h5ad")).unwrap();
    assert!(h5ad.starts_with(b"\x89HDF"));

    // The same calls on the map: each is nearest to itself, and no call is new.
    succeed(map(
        &lab,
        "run.emb",
        &["--transform", "map.emb", "-o", "again.emb"],
    ));
    let again = read(&lab, "again.emb");
    assert_eq!(again.column("kmeans"), found.column("kmeans"));
    assert_eq!(again.column("spectral"), found.column("spectral"));
    assert!(
        numbers(&again, "novelty")
            .iter()
            .all(|novelty| (0.0..1.0).contains(novelty))
    );
}

#[test]
fn few_calls_have_a_map() {
    let lab = Lab::new();
    for (region, calls) in [("demo1:1-30", 1), ("demo1:1-1", 0), ("demo1:1-500", 4)] {
        succeed(embed(&lab, "few.emb", &["-L", region]));
        assert_eq!(read(&lab, "few.emb").len(), calls, "{region}");
        let more = [
            "-o",
            "few.map",
            "--clusters",
            "auto",
            "--enrichment",
            "few.tsv",
        ];
        succeed(map(&lab, "few.emb", &more));
        let found = read(&lab, "few.map");
        assert_eq!(found.layer("umap").unwrap().rows(), calls);
        assert!(
            found
                .layer("umap")
                .unwrap()
                .data()
                .iter()
                .all(|x| x.is_finite())
        );
        succeed(map(&lab, "few.emb", &["--h5ad", "few.h5ad"]));
    }
}

#[test]
fn gatks_networks_have_layers_too() {
    let lab = Lab::new();
    let model = lab.model_2d();
    succeed(embed(
        &lab,
        "gatk.emb",
        &[
            "--model",
            text(&model),
            "--layers",
            "conv4,dense",
            "-L",
            "demo1:1-4000",
        ],
    ));
    let found = read(&lab, "gatk.emb");
    assert_eq!(found.layer("conv4").unwrap().columns(), 48);
    assert_eq!(found.layer("dense").unwrap().columns(), 24);
    assert!(numbers(&found, "mapq").iter().any(|mapq| *mapq > 0.0));
}

#[test]
fn mistakes_are_told() {
    let lab = Lab::new();
    let says = |output: std::process::Output, parts: &[&str]| {
        let message = fail(output);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    says(
        embed(&lab, "x.emb", &["--layers", "join3"]),
        &[
            "`join3`",
            "haplotype, read, read_dense2, site1, site2, numbers, join1, join2",
        ],
    );
    says(
        embed(&lab, "x.emb", &["--info", "NONE"]),
        &["INFO key `NONE`", "--info"],
    );
    let bed = demo("confident.bed");
    let twice = format!("af={}", text(&bed));
    says(
        embed(&lab, "x.emb", &["--track", &twice]),
        &["`af`", "another name"],
    );
    succeed(embed(
        &lab,
        "run.emb",
        &["--layers", "join2", "-L", "demo1:1-3000"],
    ));
    says(
        map(&lab, "run.emb", &["--layers", "site1", "-o", "m"]),
        &["no layer `site1`", "it has join2"],
    );
    says(
        map(&lab, "run.emb", &["--label-errors", "t"]),
        &["has no labels", "--truth"],
    );
    says(
        map(
            &lab,
            "run.emb",
            &["--like", "demo1:1", "--neighbour-table", "t"],
        ),
        &["--like demo1:1", "contig:position"],
    );
    says(
        map(&lab, "run.emb", &["--transform", "run.emb", "-o", "m"]),
        &["it is no map"],
    );
    succeed(map(&lab, "run.emb", &["-o", "map.emb"]));
    says(map(&lab, "map.emb", &["-o", "m"]), &["it is a map"]);
    succeed(embed(&lab, "other.emb", &["--layers", "site2"]));
    says(
        map(&lab, "other.emb", &["--transform", "map.emb", "-o", "m"]),
        &["lacks layer `join2`", "--layers join2"],
    );
    lab.file("no.emb", "text");
    says(
        map(&lab, "no.emb", &["-o", "m"]),
        &["cnnfilter embed", "no readable zip"],
    );
    let output = map(&lab, "run.emb", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!Path::new(&lab.path("m")).exists());
}

#[test]
fn examples_of_a_file_are_embedded_as_the_calls_are() {
    let lab = Lab::new();
    let (truth, confident, bam) = (
        demo("truth.vcf.gz"),
        demo("confident.bed"),
        demo("reads.bam"),
    );
    let labels = ["--truth", text(&truth), "--confident", text(&confident)];
    succeed(embed(
        &lab,
        "calls.emb",
        &[&labels[..], &["--layers", "join2"]].concat(),
    ));
    let set = lab.path("set.examples");
    tensors(&demo("calls.vcf"), &set, &["-I", text(&bam), "--set", "a"]);
    let (sites, out) = (format!("known={}", text(&truth)), lab.path("set.emb"));
    let of_examples = |more: &[&str]| {
        let arguments = ["embed", "-e", text(&set), "-o", text(&out)];
        program(&[&arguments[..], more].concat()).output().unwrap()
    };
    let more = ["--layers", "join2", "--info", "QD", "--sites", &sites];
    succeed(of_examples(&more));
    let (calls, found) = (read(&lab, "calls.emb"), read(&lab, "set.emb"));
    // Calls that the truth does not judge are no examples.
    let judged: Vec<usize> = (0..calls.len())
        .filter(|call| calls.column("label").unwrap().word(*call).is_some())
        .collect();
    assert_eq!(judged.len(), found.len());
    for name in ["score", "af", "mapq", "repeat", "length"] {
        let (calls, found) = (numbers(&calls, name), numbers(&found, name));
        for (row, call) in judged.iter().enumerate() {
            let (call, row) = (calls[*call], found[row]);
            assert!(
                (call - row).abs() < 0.02 || (call.is_nan() && row.is_nan()),
                "{name}"
            );
        }
    }
    let (mut known, mut real) = (0, 0);
    for (row, call) in judged.iter().enumerate() {
        assert_eq!(found.name(row), calls.name(*call));
        assert_eq!(
            found.layer("join2").unwrap().row(row),
            calls.layer("join2").unwrap().row(*call)
        );
        for name in ["label", "type", "change", "contig"] {
            let word = |of: &Embedding, at| of.column(name).unwrap().word(at).map(str::to_owned);
            assert_eq!(word(&found, row), word(&calls, *call), "{name}");
        }
        let is_real = found.column("label").unwrap().word(row) == Some("real");
        let is_known = found.column("known").unwrap().word(row) == Some("in");
        assert!(is_real || !is_known);
        known += usize::from(is_known);
        real += usize::from(is_real);
    }
    // Some real alleles are written in another way in the truth.
    assert!(known * 10 > real * 9, "{known} {real}");
    assert_eq!(found.column("set").unwrap().word(0), Some("a"));
    assert!(numbers(&found, "QD")[0] > 0.0 && numbers(&found, "depth")[0] > 5.0);

    let message = fail(of_examples(&["--info", "NONE"]));
    assert!(
        message.contains("the examples have no annotation `INFO/NONE`; they have QUAL, "),
        "{message}"
    );
    let message = fail(of_examples(&["--model", "cnnfilter_reference"]));
    assert!(
        message.contains("model `cnnfilter_reference` reads `cnnfilter_reference`"),
        "{message}"
    );
    let both = of_examples(&["-V", text(&demo("calls.vcf"))]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn each_layer_has_its_own_places_where_that_is_asked_for() {
    let lab = Lab::new();
    succeed(embed(&lab, "run.emb", &["--layers", "site2,join2"]));
    let made = ["-o", "map.emb", "--page", "map.html", "--by-layer"];
    succeed(map(&lab, "run.emb", &made));
    let found = read(&lab, "map.emb");
    let names: Vec<&str> = (found.meta.layers.iter())
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["pca", "umap", "umap.site2", "umap.join2"]);
    assert_ne!(found.layer("umap.site2"), found.layer("umap.join2"));
    let page = std::fs::read_to_string(lab.path("map.html")).unwrap();
    for name in ["UMAP of site2", "UMAP of join2"] {
        assert!(page.contains(name), "{name}");
    }
    // The places of one layer are those of a map of it alone.
    succeed(map(
        &lab,
        "run.emb",
        &["--layers", "join2", "--by-layer", "-o", "one.emb"],
    ));
    let one = read(&lab, "one.emb");
    assert_eq!(one.meta.layers.len(), 2);
    assert_eq!(one.layer("umap"), found.layer("umap.join2"));
    // Such a map takes new calls as any other.
    succeed(map(
        &lab,
        "run.emb",
        &["--transform", "map.emb", "-o", "again.emb"],
    ));
}
