//! Calls and truth, a contig at a time, into the collector.

use anyhow::{Result, bail};

use super::inputs::Inputs;
use super::{EvalPlan, Tallies};
use crate::commands::labels::ContigCalls;
use crate::io::regions;
use cnnfilter_core::genome::Contig;
use cnnfilter_core::label::SampleRecords;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_eval::calls::{CallCollector, FileRecords, SideBySide};

/// Labels the calls of one contig and collects them with their scores.
pub(super) fn add_contig(
    plan: &EvalPlan,
    inputs: &mut Inputs,
    contig: &str,
    mut records: Vec<VcfRecord>,
    collector: &mut CallCollector,
    tallies: &mut Tallies,
) -> Result<()> {
    let before = records.len();
    records.retain(|record| regions::hold(inputs.regions.as_ref(), record));
    tallies.outside += (before - records.len()) as u64;
    if plan.genotype_key != GT {
        take_genotypes(&mut records, &plan.genotype_key);
    }
    let bases = inputs.bases.contig(contig)?;
    let calls = ContigCalls {
        contig,
        calls: SampleRecords {
            records: &records,
            sample: inputs.samples[0],
        },
        bases: &bases,
    };
    let regions = inputs.regions.as_ref();
    let labels = inputs.source.label(&calls, plan.rule, regions)?;
    let mut further = Vec::new();
    for file in &mut inputs.others {
        further.push(file.take(contig)?);
    }
    let mut files = std::iter::once(&records)
        .chain(&further)
        .zip(&inputs.columns)
        .zip(&inputs.samples)
        .map(|((records, columns), &sample)| FileRecords {
            records,
            columns,
            sample,
        });
    let Some(first) = files.next() else {
        return Ok(());
    };
    let side_by_side = SideBySide::join(first, &files.collect::<Vec<_>>());
    for (total, count) in tallies.unmatched.iter_mut().zip(side_by_side.unmatched()) {
        *total += count;
    }
    collector.add(contig, &side_by_side, &labels, &bases)?;
    tallies.truth += labels.truth_counts;
    tallies.truth_records += labels.truth_records;
    tallies.contigs.push(Contig {
        name: contig.to_owned(),
        length: None,
    });
    Ok(())
}

/// The key of the caller's genotypes.
const GT: &str = "GT";

/// Puts the genotypes of another key in the place of the caller's. A record without the key has none.
fn take_genotypes(records: &mut [VcfRecord], key: &str) {
    for record in records {
        let values = record.sample_values(key.as_bytes());
        record.set_sample_values(GT.as_bytes(), Some(&values));
    }
}

pub(super) fn warn_of_unmatched(plan: &EvalPlan, unmatched: &[u64]) {
    for (path, count) in plan.variants[1..].iter().zip(unmatched) {
        if *count > 0 {
            log::warn!(
                "{}: {count} calls of {} are not in it (same position, REF and ALT); there its scores count as missing",
                path.display(),
                plan.variants[0].display()
            );
        }
    }
}

/// Adds the truth on contigs without a call: all of it is missed.
pub(super) fn add_rest_of_truth(
    plan: &EvalPlan,
    inputs: Inputs,
    collector: &mut CallCollector,
    tallies: &mut Tallies,
) -> Result<()> {
    let Inputs {
        source,
        mut bases,
        regions,
        ..
    } = inputs;
    let rest = source.contigs_without_calls()?;
    if let Some((first, _)) = rest.contigs.first()
        && regions.is_none()
    {
        log::warn!(
            "the truth has {} contigs without a call ({first}, ...); what it has there counts as missed unless -L leaves it out",
            rest.contigs.len(),
        );
    }
    for (contig, records) in &rest.contigs {
        if let Some(other) = tallies.contigs.other_spelling(contig) {
            bail!(
                "the truth says `{contig}` where the calls say `{other}`; use one spelling in both"
            );
        }
        let contig_bases = bases.contig(contig)?;
        let labels = rest.label(contig, records, &contig_bases, plan.rule, regions.as_ref());
        collector.add_missed(contig, &labels.missed)?;
        tallies.truth += labels.truth_counts;
        tallies.truth_records += labels.truth_records;
    }
    Ok(())
}
