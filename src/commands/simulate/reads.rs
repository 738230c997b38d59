//! `cnnfilter simulate reads`: read pairs get errors.

use std::path::PathBuf;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::io::gzip_file::{self, NewFile};
use crate::terminal::summary::ReadsSummary;
use crate::terminal::threads;
use cnnfilter_simulate::reads::{FastqReader, next_block};
use cnnfilter_simulate::{Block, ReadErrors, ReadOptions};

/// Everything `simulate reads` needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ReadsPlan {
    /// The two files of read pairs.
    pub(crate) inputs: [PathBuf; 2],
    /// The two files that are written.
    pub(crate) outputs: [PathBuf; 2],
    /// Kinds and rates of the errors to draw.
    pub(crate) options: ReadOptions,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// Adds errors to read pairs and returns a summary.
///
/// # Errors
/// Files that are no read pairs, or one that cannot be written.
pub(crate) fn reads(plan: &ReadsPlan) -> Result<ReadsSummary> {
    let errors = ReadErrors::new(&plan.options)?;
    let pool = threads::pool(plan.threads)?;
    let [first, second] = &plan.inputs;
    let mut readers = [gzip_file::open(first)?, gzip_file::open(second)?].map(FastqReader::new);
    let mut files = [
        NewFile::create(&plan.outputs[0])?,
        NewFile::create(&plan.outputs[1])?,
    ];
    let mut previous: Option<Block> = None;
    let mut before = 0;
    loop {
        let (mut blocks, mut starts) = (Vec::new(), Vec::new());
        for _ in 0..plan.threads {
            let mut block = Block::default();
            next_block(&mut readers, before, &mut block)
                .with_context(|| format!("{}, {}", first.display(), second.display()))?;
            if block.is_empty() {
                break;
            }
            starts.push(before);
            before += block.len() as u64;
            blocks.push(block);
        }
        let earlier = |at: usize| match at.checked_sub(1) {
            Some(one) => blocks.get(one),
            None => previous.as_ref(),
        };
        let texts: Vec<[Vec<u8>; 2]> = pool.install(|| {
            (0..blocks.len())
                .into_par_iter()
                .map(|at| {
                    let mut texts = [Vec::new(), Vec::new()];
                    errors.block(starts[at], earlier(at), &blocks[at], &mut texts);
                    texts
                })
                .collect()
        });
        for text in texts {
            files[0].write(&text[0])?;
            files[1].write(&text[1])?;
        }
        let Some(last) = blocks.pop() else { break };
        previous = Some(last);
    }
    for file in files {
        file.finish()?;
    }
    Ok(ReadsSummary { pairs: before })
}
