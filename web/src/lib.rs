//! cnnfilter on a page. The readers and recipes of the program (`src/io`, `src/commands/encoding`), its networks and its
//! viewer are compiled once more, over files that a browser hands out, so that the page scores as the program does and
//! says the same where something is wrong.
//!
//! ```text
//! exports ── bytes in and out of WebAssembly's memory
//!  └ request ── what the page's script asks for
//!     └ session ── open files, records in, scored records and pictures out
//!     └ candidates ── alleles of reads alone, a tile at a time
//!         commands, io ── the program's own modules
//!         bam ── BAM and CRAM in Rust alone, in the place of htslib
//! ```
//!
//! `web/build.sh` makes the page of it.

// The unit tests of the program's modules are the program's: they need htslib.
#![cfg(not(test))]

// The program's modules name rust-htslib; here that is [`bam`].
extern crate self as rust_htslib;

pub mod bam;
pub mod candidates;
mod clock;
mod commands;
pub mod errors;
pub mod exports;
pub mod io;
mod journal;
pub mod request;
pub mod sandbox;
pub mod session;
#[path = "../../src/stop.rs"]
mod stop;

pub use stop::Stop;
