//! Drives the real program. One binary, since every test binary links the networks.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod architecture;
mod builtin;
mod call;
mod callers;
mod contract;
mod crams;
mod doctor;
mod embed;
mod errors;
mod eval;
mod explain;
mod faults;
mod filter;
mod formats;
mod genomes;
mod import;
mod inspect;
mod measure;
mod multiqc;
mod novelty;
mod old_models;
mod order;
mod packaged;
mod quantize;
mod read_groups;
mod reads;
mod real_data;
mod region_files;
mod regions;
mod same_bytes;
mod samples;
mod score;
mod serve;
mod shards;
mod simulate;
mod support;
mod tensors;
mod training;
mod truths;
mod view;
mod web;
