//! The program `cnnfilter`: files, commands and the command line over the crates that do the work.
//!
//! ```text
//! cli ── what the user types becomes a plan
//!  └ commands ── run the plan
//!      io ── VCF, BAM, CRAM, FASTA, model folders (the only user of htslib)
//!      terminal ── threads, progress, the summary of a run
//! ```

pub mod cli;
pub mod commands;
pub mod io;
pub mod terminal;
