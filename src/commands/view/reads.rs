//! The names of the reads that a page shows, and why it does not show the others.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use crate::io::alignment::AlignmentSource;
use crate::io::named_reads::Unused;
use cnnfilter_core::encode::ExampleReads;

/// The reads of a call as the page tells of them.
#[derive(Debug, Default)]
pub(crate) struct ReadsOfCall {
    /// The name of each row's read.
    pub(crate) names: Vec<String>,
    /// Reads over the call that have no row, by reason.
    pub(crate) left_out: Vec<(String, u64)>,
}

/// Looks up the reads of a call of one sample; the network looks at `limit` of them at most.
///
/// # Errors
/// Where a file is damaged.
pub(crate) fn look_up(
    source: &mut AlignmentSource,
    (contig, sample): (&str, usize),
    reads: &ExampleReads,
    limit: usize,
) -> Result<ReadsOfCall> {
    let mut names: HashMap<u64, String> = HashMap::new();
    let mut unused: BTreeMap<Unused, u64> = BTreeMap::new();
    let mut usable = 0;
    source.visit(contig, reads.span, |read| match read.sample {
        Ok(of) if of == sample => {
            usable += 1;
            let text = || String::from_utf8_lossy(read.text).into_owned();
            names.entry(read.name).or_insert_with(text);
        }
        Ok(_) => *unused.entry(Unused::OfNoSample).or_default() += 1,
        Err(reason) => *unused.entry(reason).or_default() += 1,
    })?;
    let unused = unused.into_iter();
    let mut left_out: Vec<(String, u64)> = unused
        .map(|(reason, count)| (text(reason).to_owned(), count))
        .collect();
    let looked_at = reads.seen.min(limit as u64);
    let counted = looked_at.saturating_sub(reads.uncounted);
    let beyond = [
        ("without an alignment".to_owned(), usable, reads.seen),
        (
            format!("beyond a fair sample of {limit}"),
            reads.seen,
            looked_at,
        ),
        (
            "away from the ends of a long deletion".to_owned(),
            looked_at,
            counted,
        ),
        (
            "counted without a row".to_owned(),
            counted,
            reads.rows.len() as u64,
        ),
    ];
    left_out.extend(
        beyond
            .into_iter()
            .filter(|(_, before, left)| before > left)
            .map(|(reason, before, left)| (reason, before - left)),
    );
    let rows = reads.rows.iter();
    Ok(ReadsOfCall {
        names: rows
            .map(|name| names.get(name).cloned().unwrap_or_default())
            .collect(),
        left_out,
    })
}

fn text(reason: Unused) -> &'static str {
    match reason {
        Unused::Refused(refusal) => refusal.text(),
        Unused::OfNoSample => "of another sample",
    }
}
