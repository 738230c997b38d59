//! Foreign libraries stay behind their borders: inside the root package, where the compiler sees
//! one crate. Between crates the manifests keep them.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
}

/// Lines of `src` outside `allowed` that mention `word`.
fn trespassers(word: &str, allowed: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found");
    let mut found = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if allowed.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for line in fs::read_to_string(&file).unwrap().lines() {
            let code = line.split("//").next().unwrap();
            if code.contains(word) {
                found.push(format!("{name}: {line}"));
            }
        }
    }
    found
}

#[test]
fn each_library_has_its_folder() {
    for (word, allowed) in [
        ("rust_htslib", &["io/"][..]),
        ("noodles", &["io/"]),
        ("clap", &["cli/"]),
        // `in_process.rs` hands commands to programs, `fuzzing.rs` readers of commands to the fuzz targets.
        (
            "anyhow",
            &[
                "commands/",
                "in_process.rs",
                "fuzzing.rs",
                "job.rs",
                "main.rs",
            ],
        ),
        ("indicatif", &["terminal/"]),
        ("std::fs", &["io/"]),
        (
            "unsafe",
            &["io/example_file.rs", "io/hts.rs", "at_start.rs"],
        ),
    ] {
        assert_eq!(trespassers(word, allowed), Vec::<String>::new(), "`{word}`");
    }
}

#[test]
fn no_file_is_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 800, "{} has {lines} lines", file.display());
    }
}
