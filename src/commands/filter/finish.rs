//! What happens to a record after its FILTER is decided: genotypes, exclusion, writing.

use anyhow::Result;

use super::FilterPlan;
use crate::io::vcf_writer::VcfWriter;
use crate::terminal::progress::Progress;
use cnnfilter_core::filter::alleles::{AlleleFields, trim};
use cnnfilter_core::filter::genotypes::{
    FILTER_KEY, FILTER_LINE, Which, set_missing, write_filters,
};
use cnnfilter_core::filter::{FilterSummary, ThresholdFilter, filter_column};
use cnnfilter_core::score::Calibration;
use cnnfilter_core::score::keys::SAMPLE_KEY;
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// Records between two signs of progress.
const STEP: u64 = 4096;

/// Writes filtered records.
pub(crate) struct Output<'a> {
    plan: &'a FilterPlan,
    writer: VcfWriter,
    progress: Progress,
    waiting: u64,
}

impl<'a> Output<'a> {
    /// Opens the output and writes its header.
    ///
    /// # Errors
    /// Where the target cannot be created.
    pub(crate) fn create(plan: &'a FilterPlan, header: &VcfHeader) -> Result<Self> {
        Ok(Self {
            plan,
            writer: VcfWriter::create(plan.output.clone(), header)?,
            progress: Progress::new(plan.quiet),
            waiting: 0,
        })
    }

    /// Writes a record whose FILTER is decided, unless filtered records are left out; `failing` are
    /// the samples whose genotypes fail.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub(crate) fn write(
        &mut self,
        record: &mut VcfRecord,
        failing: &[bool],
        summary: &mut FilterSummary,
    ) -> Result<()> {
        let fails = filter_column::fails(record.filter());
        if self.plan.set_gt_missing {
            let which = if fails {
                Which::All
            } else {
                Which::Of(failing)
            };
            summary.missing_genotypes += set_missing(record, which);
        }
        if fails && self.plan.exclude_filtered {
            summary.excluded += 1;
        } else {
            self.writer.write(record)?;
            summary.records_written += 1;
        }
        self.waiting += 1;
        if self.waiting == STEP {
            let contig = String::from_utf8_lossy(record.contig());
            let place = format!("{contig}:{}", record.position());
            self.progress.advance(self.waiting, &place, None);
            self.waiting = 0;
        }
        Ok(())
    }

    /// Closes the output and puts it in its place.
    ///
    /// # Errors
    /// Where the rest cannot be written, or the index cannot be made.
    pub(crate) fn finish(self) -> Result<()> {
        self.progress.finish();
        Ok(self.writer.finish()?)
    }
}

/// Filters below the record: ALTs and genotypes, by their own scores.
pub(crate) struct Parts<'a> {
    filter: &'a ThresholdFilter,
    calibration: Calibration,
    fields: AlleleFields,
    trims: bool,
    has_sample_scores: bool,
}

impl<'a> Parts<'a> {
    /// Looks up in a header what there is.
    pub(crate) fn new(
        filter: &'a ThresholdFilter,
        calibration: Calibration,
        header: &VcfHeader,
        trims: bool,
    ) -> Self {
        Self {
            filter,
            calibration,
            fields: AlleleFields::of_header(header),
            trims,
            has_sample_scores: header.defines_format(SAMPLE_KEY),
        }
    }

    /// Adds the definition of FT where genotypes are filtered.
    pub(crate) fn extend_header(&self, header: &mut VcfHeader) {
        if self.has_sample_scores {
            header.put_format(FILTER_KEY, FILTER_LINE.to_owned());
        }
    }

    /// Takes out failed ALTs of a record that passes, and filters its genotypes; returns which
    /// samples fail.
    pub(crate) fn apply(
        &self,
        record: &mut VcfRecord,
        passes: bool,
        summary: &mut FilterSummary,
    ) -> Vec<bool> {
        if self.trims && passes {
            let failing = self.filter.failing_alternates(record, &self.calibration);
            if !failing.is_empty() {
                match trim(record, &failing, &self.fields) {
                    Ok(()) => summary.trimmed_alternates += failing.len() as u64,
                    Err(why) => *summary.not_trimmed.entry(why.to_string()).or_default() += 1,
                }
            }
        }
        if !self.has_sample_scores {
            return Vec::new();
        }
        let judged = self.filter.judge_samples(record, &self.calibration);
        let Some((verdicts, name)) = judged else {
            return Vec::new();
        };
        let failing = write_filters(record, &verdicts, name);
        summary.failed_genotypes += failing.iter().filter(|fails| **fails).count() as u64;
        failing
    }
}
