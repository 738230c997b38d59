//! The program `cnnfilter`: files, commands and the command line over the crates that do the work.
//!
//! ```text
//! job ── a command line, parsed and run
//!  └ cli ── the arguments become a plan
//!     └ commands ── run the plan
//!         io ── VCF, BAM, CRAM, FASTA, model folders (the only user of htslib)
//!         terminal ── threads, progress, the summary of a run
//! ```
//!
//! [`in_process`] is the way in for other programs, which want values instead of files.

mod cli;
mod clock;
mod commands;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod in_process;
pub mod io;
mod job;
mod stop;
mod terminal;
mod version;

pub use job::Job;
pub use stop::Stop;
