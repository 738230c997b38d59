//! Tables as the terminal shows them.

use std::fmt::Write;

/// Adds a table to a text: the first two columns to the left, the others to the right.
pub(crate) fn write_table<const COLUMNS: usize>(text: &mut String, cells: &[[String; COLUMNS]]) {
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS).map(|at| width(at).unwrap_or(0)).collect();
    for row in cells {
        let padded: Vec<String> = (row.iter().zip(&widths).enumerate())
            .map(|(at, (cell, width))| match at {
                0 | 1 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", padded.join("  ").trim_end());
    }
}
