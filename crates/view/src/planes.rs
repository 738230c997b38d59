//! The channels of a tensor as a network gets them, out of a layout's tables.

use crate::layout::{Layout, Table};
use crate::site::Rows;

/// One channel: `[row][column]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Its name.
    pub name: String,
    /// The value that is drawn black.
    pub low: f32,
    /// The value that is drawn white.
    pub high: f32,
    /// Columns; bases of the window, or for numbers of reads these numbers.
    pub columns: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Plane {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// Each value as a grey: 0 for the lowest, 255 for the highest.
    pub fn greys(&self) -> Vec<u8> {
        let range = self.high - self.low;
        let share = |value: &f32| ((value - self.low) / range).clamp(0.0, 1.0);
        self.values
            .iter()
            .map(|value| (share(value) * 255.0).round() as u8)
            .collect()
    }
}

/// The channels of a tensor's cells, of its reference and ALT, and of its reads.
pub fn planes(rows: &Rows, layout: &Layout) -> Vec<Plane> {
    let mut planes = Vec::new();
    if rows.count() > 0 {
        planes.extend(table_planes(
            &layout.cells,
            rows.columns,
            rows.symbols.len(),
            |at| cell_index(rows, layout, at),
        ));
    }
    planes.extend(table_planes(
        &layout.haplotypes,
        rows.columns,
        rows.columns,
        |at| {
            let reference = layout.index_of(rows.reference[at])?;
            if !layout.has_alternate {
                return Some(reference);
            }
            let alternate = layout.index_of(rows.alternate[at])?;
            Some(reference * layout.symbols.len() + alternate)
        },
    ));
    if rows.count() > 0 {
        planes.extend(number_planes(rows, layout));
    }
    planes
}

/// The place of a cell in the table of cells.
fn cell_index(rows: &Rows, layout: &Layout, at: usize) -> Option<usize> {
    let symbol = layout.index_of(rows.symbols[at])?;
    let quality = usize::from(rows.qualities[at]).min(layout.qualities - 1);
    let index = symbol * layout.qualities + quality;
    if !layout.cells_compare {
        return Some(index);
    }
    let expected = layout.index_of(rows.reference[at % rows.columns])?;
    let agrees = layout.symbols[symbol].base == layout.symbols[expected].code;
    Some(index * 2 + usize::from(agrees))
}

fn table_planes<'a>(
    table: &'a Table,
    columns: usize,
    count: usize,
    index: impl Fn(usize) -> Option<usize> + 'a,
) -> impl Iterator<Item = Plane> + 'a {
    let width = table.names.len();
    let value = move |at: usize, channel: usize| {
        let found = index(at).and_then(|index| table.values.get(index * width + channel));
        found.copied().unwrap_or(0.0)
    };
    let named = table.names.iter().enumerate();
    named.map(move |(channel, name)| Plane {
        name: name.clone(),
        low: 0.0,
        high: 1.0,
        columns,
        values: (0..count).map(|at| value(at, channel)).collect(),
    })
}

/// The numbers of the reads: a channel each where the network has them so, else one picture of all.
fn number_planes(rows: &Rows, layout: &Layout) -> Vec<Plane> {
    let width = layout.read.len();
    if width == 0 {
        return Vec::new();
    }
    if !layout.numbers_are_channels {
        let values = rows.numbers.clone();
        let bound =
            |start: f32, pick: fn(f32, f32) -> f32| values.iter().copied().fold(start, pick);
        return vec![Plane {
            name: "numbers of the reads".to_owned(),
            low: bound(0.0, f32::min),
            high: bound(1.0, f32::max),
            columns: width,
            values,
        }];
    }
    let plane = |number: usize| {
        let mut values = vec![0.0; rows.count() * rows.columns];
        for (row, (from, to)) in rows.spans.iter().enumerate() {
            let first = row * rows.columns;
            let covered =
                first + usize::from(*from)..first + usize::from(*to).max(usize::from(*from));
            values[covered].fill(rows.numbers[row * width + number]);
        }
        Plane {
            name: layout.read[number].name.clone(),
            low: 0.0,
            high: 1.0,
            columns: rows.columns,
            values,
        }
    };
    (0..width).map(plane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::encode::gatk::read_tensor::ReadRow;
    use cnnfilter_core::encode::gatk::{CHANNELS, ReadTensor, WINDOW};
    use cnnfilter_core::encode::{Encoder, SiteTensor};
    use cnnfilter_core::genome::ReadFlags;
    use cnnfilter_core::networks::allele::Channels;

    /// GATK's tensor, whose floats core writes whole, has the same values in its planes.
    #[test]
    fn planes_are_the_channels_of_gatk() {
        let mut letters = [b'A'; WINDOW];
        letters[3..9].copy_from_slice(b"CGT*NR");
        let mut qualities = [30; WINDOW];
        qualities[6] = 0;
        let row = ReadRow {
            letters,
            qualities,
            from: 2,
            to: 100,
            flags: ReadFlags(0x63),
            mapping_quality: 27,
        };
        let mut reference = [b'C'; WINDOW];
        reference[5] = b'*';
        let tensor = ReadTensor {
            reference,
            rows: vec![row],
        };
        let mut floats = Vec::new();
        tensor.write_floats(&mut floats);
        let encoder = Encoder::Gatk {
            reads: true,
            annotations: Vec::new(),
        };
        let layout = Layout::of(&encoder, None, &Channels::usual(true));
        let found = planes(&Rows::of(&SiteTensor::Reads(tensor)), &layout);
        assert_eq!(found.len(), CHANNELS);
        for (channel, plane) in found.iter().enumerate() {
            for column in 0..WINDOW {
                let expected = floats[column * CHANNELS + channel];
                assert_eq!(plane.values[column], expected, "{} {column}", plane.name);
            }
        }
    }
}
