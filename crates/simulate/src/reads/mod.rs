//! Errors of the library and the sequencer that read simulators lack, put into read pairs.
//!
//! A pair goes through, in this order: slippage of the polymerase at tandem repeats
//! ([`slippage`]), damaged bases ([`damage`]), joining with another fragment ([`chimeras`]), errors
//! after certain motifs on one strand ([`context`]), an early error that all copies of a fragment
//! share, and copying ([`duplicates`]); qualities are binned last ([`bins`]). All of it is done in
//! the read's own orientation. Every pair has random numbers of its own, from the seed and its
//! number, so pairs may be worked on in any order; what a pair becomes depends on the pairs before
//! it only through chimeras.

pub mod bins;
pub mod chimeras;
pub mod context;
pub mod damage;
pub mod duplicates;
pub mod fastq;
mod process;
pub mod slippage;

pub use fastq::{Block, FastqError, FastqReader, PAIRS_PER_BLOCK, Read, next_block};
pub use process::{ReadErrors, ReadOptions};
