//! One call's tensor as bytes.
//!
//! ```text
//! u16           rows
//! u64           0-based position of the first column that shows a base of the reference
//! [columns] u8  reference, then ALT (0 where there is none)
//! [rows] u8     side: 0 supports ALT, 1 REF, 2 neither, 3 unknown
//! [rows] u8     first column that the read's numbers cover, then [rows] u8 one past the last
//! [rows][columns] u8  symbols, then qualities
//! floats        numbers of the reads [number][row]
//! floats        numbers of the call, annotations (NaN: missing)
//! floats        contributions of the rows and of the parts; NaN where not computed
//! f32           largest contribution of a cell; NaN where not computed, and then no cell follows
//! [rows][columns] i8  contributions of the cells, in sevenths of the largest
//! the rest      names of the reads, a line feed between them
//! ```
//!
//! Numbers are little-endian. Floats stand byte by byte: the first bytes of all, then the second, so
//! that they deflate well.

use crate::call::Call;
use crate::layout::{Layout, Sort};
use cnnfilter_core::encode::SiteTensor;
use cnnfilter_core::encode::allele::AlleleTensor;
use cnnfilter_core::encode::allele::columns::{EVENT_COLUMN, symbol};
use cnnfilter_core::encode::gatk::ReadTensor;
use cnnfilter_core::genome::Edit;
use cnnfilter_core::why::Why;

/// The symbols of a tensor, whatever its encoder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Columns of the window.
    pub columns: usize,
    /// Reference, a symbol a column.
    pub reference: Vec<u8>,
    /// ALT; zeros where there is none.
    pub alternate: Vec<u8>,
    /// Sides of the reads.
    pub sides: Vec<u8>,
    /// Columns that a read's numbers cover, half-open.
    pub spans: Vec<(u8, u8)>,
    /// `[row][column]`.
    pub symbols: Vec<u8>,
    /// `[row][column]`.
    pub qualities: Vec<u8>,
    /// `[row][number]`.
    pub numbers: Vec<f32>,
    /// Numbers of the call.
    pub site: Vec<f32>,
}

impl Rows {
    /// Takes a tensor apart.
    pub fn of(tensor: &SiteTensor) -> Self {
        match tensor {
            SiteTensor::Allele(tensor) => Self::of_allele(tensor),
            SiteTensor::Reads(tensor) => Self::of_reads(tensor),
            SiteTensor::Reference(tensor) => Self {
                columns: tensor.letters.len(),
                reference: tensor.letters.to_vec(),
                alternate: vec![0; tensor.letters.len()],
                ..Self::default()
            },
        }
    }

    /// Number of reads.
    pub fn count(&self) -> usize {
        self.sides.len()
    }

    fn of_allele(tensor: &AlleleTensor) -> Self {
        let columns = tensor.haplotype.reference.len();
        let cells = || tensor.rows.iter().flatten();
        Self {
            columns,
            reference: tensor.haplotype.reference.to_vec(),
            alternate: tensor.haplotype.alternate.to_vec(),
            sides: (tensor.supports.iter())
                .map(|supports| match (supports.alternate, supports.reference) {
                    (true, _) => 0,
                    (_, true) => 1,
                    _ => 2,
                })
                .collect(),
            spans: vec![(0, columns as u8); tensor.rows.len()],
            symbols: cells().map(|[symbol, _]| *symbol).collect(),
            qualities: cells().map(|[_, quality]| *quality).collect(),
            numbers: tensor.reads.clone(),
            site: tensor.site.clone(),
        }
    }

    fn of_reads(tensor: &ReadTensor) -> Self {
        let rows = &tensor.rows;
        Self {
            columns: tensor.reference.len(),
            reference: tensor.reference.to_vec(),
            alternate: vec![0; tensor.reference.len()],
            sides: vec![3; rows.len()],
            spans: rows.iter().map(|row| (row.from, row.to)).collect(),
            symbols: rows.iter().flat_map(|row| row.letters).collect(),
            qualities: rows.iter().flat_map(|row| row.qualities).collect(),
            numbers: rows
                .iter()
                .flat_map(|row| row.constant_channels())
                .collect(),
            site: Vec::new(),
        }
    }
}

/// Appends a call's bytes, as `assets/site.js` takes them apart.
pub fn write(call: &Call, layout: &Layout, out: &mut Vec<u8>) {
    let rows = Rows::of(&call.example.tensor);
    let count = rows.count();
    out.extend((count as u16).to_le_bytes());
    out.extend(first_position(call, &rows).to_le_bytes());
    out.extend(&rows.reference);
    out.extend(&rows.alternate);
    out.extend(&rows.sides);
    out.extend(rows.spans.iter().map(|(from, _)| *from));
    out.extend(rows.spans.iter().map(|(_, to)| *to));
    out.extend(&rows.symbols);
    out.extend(&rows.qualities);
    let width = layout.read.len();
    let by_number = (0..width).flat_map(|number| {
        let numbers = &rows.numbers;
        (0..count).map(move |row| numbers[row * width + number])
    });
    floats(&by_number.collect::<Vec<f32>>(), out);
    let numbers: Vec<f32> = (rows.site.iter().chain(&call.example.annotations))
        .copied()
        .collect();
    floats(&numbers, out);
    let nothing = Why::default();
    let why = call.why.as_ref().unwrap_or(&nothing);
    let filled = |values: &[f32], length: usize| -> Vec<f32> {
        let value = |at: usize| values.get(at).copied().unwrap_or(f32::NAN);
        (0..length).map(value).collect()
    };
    let of_why = [
        filled(&why.reads, count),
        filled(&why.parts, layout.parts.len()),
    ];
    floats(&of_why.concat(), out);
    write_cells(&why.cells, out);
    out.extend(call.names.join("\n").bytes());
}

/// Steps from nothing to the largest contribution of a cell: few, so that they deflate well.
const CELL_STEPS: f32 = 7.0;

/// Appends contributions of cells.
fn write_cells(cells: &[f32], out: &mut Vec<u8>) {
    let largest = cells.iter().fold(0f32, |most, cell| most.max(cell.abs()));
    if cells.is_empty() {
        out.extend(f32::NAN.to_le_bytes());
        return;
    }
    out.extend(largest.to_le_bytes());
    let step = |cell: &f32| (cell / largest.max(f32::MIN_POSITIVE) * CELL_STEPS).round() as i8;
    out.extend(cells.iter().map(|cell| step(cell).to_le_bytes()[0]));
}

/// Appends floats, the first bytes of all of them first.
fn floats(values: &[f32], out: &mut Vec<u8>) {
    for byte in 0..size_of::<f32>() {
        out.extend(values.iter().map(|value| value.to_le_bytes()[byte]));
    }
}

/// 0-based position of each column; `None` in one that an insertion opened, or beyond the contig.
pub(crate) fn column_positions(call: &Call, rows: &Rows, layout: &Layout) -> Vec<Option<u64>> {
    let mut next = first_position(call, rows);
    let is_base = |code: u8| (layout.symbol(code)).is_some_and(|symbol| symbol.sort == Sort::Base);
    let columns = rows.reference.iter();
    columns
        .map(|code| {
            is_base(*code).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

/// 0-based position of the first column that shows a base of the reference. Columns from there on
/// that hold a base follow each other.
fn first_position(call: &Call, rows: &Rows) -> u64 {
    if let SiteTensor::Allele(_) = call.example.tensor {
        let (reference, alternate) = (call.reference.as_bytes(), call.alternate.as_bytes());
        let edit = Edit::trimmed(call.start, reference, alternate);
        let event = edit.map_or(call.start, |edit| edit.start);
        let before = rows.reference.iter().take(EVENT_COLUMN);
        let shown = before.filter(|one| !matches!(**one, symbol::EMPTY | symbol::PAD));
        event.saturating_sub(shown.count() as u64)
    } else {
        call.start.saturating_sub(rows.columns as u64 / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_sevenths_of_the_largest() {
        let mut out = Vec::new();
        write_cells(&[0.5, -1.0, 0.0, 0.04], &mut out);
        assert_eq!(out[..4], 1f32.to_le_bytes());
        assert_eq!(out[4..], [4, (-7i8).to_le_bytes()[0], 0, 0]);
        out.clear();
        write_cells(&[], &mut out);
        assert_eq!(out, f32::NAN.to_le_bytes());
    }

    #[test]
    fn floats_stand_byte_by_byte() {
        let mut out = Vec::new();
        floats(&[1.0, -2.5], &mut out);
        let [one, other] = [1f32.to_le_bytes(), (-2.5f32).to_le_bytes()];
        let expected: Vec<u8> = (0..4).flat_map(|byte| [one[byte], other[byte]]).collect();
        assert_eq!(out, expected);
    }
}
