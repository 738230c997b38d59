//! The whole report as JSON.

use super::Report;

/// One JSON object with the fields of [`Report`]; a figure without a value is `null` beside its `reason`.
///
/// # Errors
/// None for a report that [`crate::evaluate`] made: its keys are strings and its figures finite.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(report)?;
    text.push('\n');
    Ok(text)
}
