//! The worst calls of a report, on a page of their reads.

use anyhow::Result;

use super::VIEW_FILES;
use crate::commands::view::{self, Opened, ViewPlan};
use cnnfilter_core::label::{LabelLineError, LabelTable};
use cnnfilter_eval::report::{self, Report};
use cnnfilter_view::fragment;

/// The page of the worst calls and their table.
pub(super) struct Shown {
    page: String,
    table: String,
    /// Calls on the page.
    pub(super) calls: u64,
}

impl Shown {
    /// Contents of [`VIEW_FILES`].
    pub(super) fn into_files(self) -> [String; 2] {
        [self.page, self.table]
    }
}

/// Makes the page of a report's worst calls and links the report to it.
///
/// # Errors
/// As [`view::make_page`].
pub(super) fn show(plan: &ViewPlan, mut opened: Opened, report: &mut Report) -> Result<Shown> {
    let table = report::worst_table(report);
    opened.show_labels(read(&table)?);
    let page = view::make_page(plan, opened)?;
    for record in &mut report.worst {
        let (reference, alternates) = (&record.reference, &record.alternate);
        let fragment = fragment(&record.contig, record.pos, reference, alternates);
        let is_shown = page.fragments.contains(&fragment);
        record.link = is_shown.then(|| format!("{}#{fragment}", VIEW_FILES[0]));
    }
    Ok(Shown {
        page: page.text,
        table,
        calls: page.calls,
    })
}

fn read(table: &str) -> Result<LabelTable, LabelLineError> {
    let mut lines = table.lines().map(str::as_bytes);
    let mut labels = LabelTable::from_header(lines.next().unwrap_or_default())?;
    lines.try_for_each(|line| labels.add_line(line))?;
    Ok(labels)
}
