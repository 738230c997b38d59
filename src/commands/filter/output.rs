//! Where filtered records go.

use anyhow::Result;

use super::FilterPlan;
use crate::io::vcf_writer::VcfWriter;
use crate::terminal::progress::Progress;
use cnnfilter_core::filter::{Failing, FilterSummary};
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// Records between two signs of progress.
const STEP: u64 = 4096;

/// Writes filtered records.
pub(super) struct Output {
    failing: Failing,
    writer: VcfWriter,
    progress: Progress,
    waiting: u64,
}

impl Output {
    /// Opens the output and writes its header.
    ///
    /// # Errors
    /// Where the target cannot be created.
    pub(super) fn create(plan: &FilterPlan, header: &VcfHeader) -> Result<Self> {
        Ok(Self {
            failing: plan.failing,
            writer: VcfWriter::create(plan.output.clone(), header)?,
            progress: Progress::new(plan.quiet),
            waiting: 0,
        })
    }

    /// Writes a record whose FILTER is decided, unless filtered records are left out; `samples` says
    /// which samples fail.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub(super) fn write(
        &mut self,
        record: &mut VcfRecord,
        samples: &[bool],
        summary: &mut FilterSummary,
    ) -> Result<()> {
        if self.failing.apply(record, samples, summary) {
            self.writer.write(record)?;
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
    pub(super) fn finish(self) -> Result<()> {
        self.progress.finish();
        Ok(self.writer.finish()?)
    }
}
