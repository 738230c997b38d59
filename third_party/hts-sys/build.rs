//! Compiles htslib and makes its bindings.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The folders of what is compiled: all of their C files.
const FOLDERS: [&str; 3] = ["htslib", "htslib/cram", "htslib/htscodecs/htscodecs"];

fn main() {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo says where"));
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let mut build = cc::Build::new();
    build
        .warnings(false)
        .pic(true)
        .include(&out)
        .include("htslib");
    for library in [
        "DEP_Z_INCLUDE",
        "DEP_BZIP2_INCLUDE",
        "DEP_LIBDEFLATE_INCLUDE",
        "DEP_LZMA_INCLUDE",
    ] {
        build.includes(env::var_os(library));
    }
    if let Some(root) = env::var_os("DEP_BZIP2_ROOT") {
        build.include(Path::new(&root).join("include"));
    }
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .expect("htslib is part of this crate")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|suffix| suffix == "c"))
            .collect();
        files.sort();
        build.files(files);
    }
    println!("cargo:rerun-if-changed=htslib/htslib");
    println!("cargo:rerun-if-changed=quiet.c");
    println!("cargo:rerun-if-changed=wrapper.c");
    println!("cargo:rerun-if-changed=wrapper.h");
    println!("cargo:rerun-if-changed=build.rs");

    let mut config = vec![
        "HAVE_DRAND48",
        "HAVE_LIBBZ2",
        "HAVE_LIBDEFLATE",
        "HAVE_LIBLZMA",
    ];
    // macOS has the library without its header, for which htslib has a stand-in.
    if target("OS") != "macos" {
        config.push("HAVE_LZMA_H");
    }
    for (feature, flag, macros) in [
        ("avx2", "-mavx2", "HAVE_AVX2"),
        ("sse4.1", "-msse4.1", "HAVE_SSE4_1"),
        ("ssse3", "-mssse3", "HAVE_SSSE3"),
        ("popcnt", "-mpopcnt", "HAVE_POPCNT"),
    ] {
        if target("FEATURE").split(',').any(|given| given == feature) {
            build.flag(flag);
            config.push(macros);
        }
    }
    let version = fs::read_to_string("htslib/VERSION").expect("htslib is part of this crate");
    let define = |name: &str, value: &str| format!("#define {name} {value}\n");
    let lines: String = config.iter().map(|name| define(name, "1")).collect();
    let vars = ["CC", "CPPFLAGS", "CFLAGS", "LDFLAGS", "LIBS"];
    let vars: String = vars
        .iter()
        .map(|name| define(&format!("HTS_{name}"), "\"\""))
        .collect();
    for (name, text) in [
        ("config.h", lines),
        (
            "version.h",
            define("HTS_VERSION_TEXT", &format!("{:?}", version.trim())),
        ),
        ("config_vars.h", vars),
    ] {
        fs::write(out.join(name), text).expect("a writable folder");
    }
    // Decoders tell of damage on standard error, beside the errors that they return.
    build.define("fprintf", "cnnfilter_fprintf");
    build.define("perror", "cnnfilter_perror");
    build.file("wrapper.c").file("quiet.c").compile("hts");

    bindgen::Builder::default()
        .header("wrapper.h")
        .layout_tests(false)
        .generate_comments(false)
        .blocklist_function("strtold")
        .blocklist_type("max_align_t")
        .generate()
        .expect("bindgen makes bindings")
        .write_to_file(out.join("bindings.rs"))
        .expect("a writable folder");
}
