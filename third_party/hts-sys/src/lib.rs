//! Raw bindings of htslib, made by bindgen.
#![allow(warnings, clippy::all, reason = "names and types are those of C")]

extern crate bzip2_sys;
extern crate libdeflate_sys;
extern crate libz_sys;
extern crate lzma_sys;

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
