//! Tables of numbers.

/// Numbers, row-major.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// A matrix of `columns` columns over `data`, whose length is a multiple of it.
    pub fn new(columns: usize, data: Vec<f32>) -> Self {
        let rows = data.len().checked_div(columns).unwrap_or(0);
        debug_assert_eq!(rows * columns, data.len());
        Self {
            rows,
            columns,
            data,
        }
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            data: vec![0.0; rows * columns],
        }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    pub fn row(&self, at: usize) -> &[f32] {
        &self.data[at * self.columns..(at + 1) * self.columns]
    }

    /// One row, to change.
    pub fn row_mut(&mut self, at: usize) -> &mut [f32] {
        &mut self.data[at * self.columns..(at + 1) * self.columns]
    }

    /// All numbers, row by row.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All numbers, row by row, to change.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Some rows, in the order of `which`.
    #[must_use]
    pub fn select(&self, which: &[usize]) -> Self {
        let mut data = Vec::with_capacity(which.len() * self.columns);
        for at in which {
            data.extend_from_slice(self.row(*at));
        }
        Self {
            rows: which.len(),
            columns: self.columns,
            data,
        }
    }

    /// The first columns.
    #[must_use]
    pub fn first_columns(&self, count: usize) -> Self {
        let count = count.min(self.columns);
        let rows = (0..self.rows).flat_map(|at| &self.row(at)[..count]);
        Self {
            rows: self.rows,
            columns: count,
            data: rows.copied().collect(),
        }
    }

    /// Matrices of as many rows, side by side.
    #[must_use]
    pub fn beside(parts: &[Self]) -> Self {
        let rows = parts.first().map_or(0, Self::rows);
        let columns = parts.iter().map(Self::columns).sum();
        let mut data = Vec::with_capacity(rows * columns);
        for at in 0..rows {
            parts
                .iter()
                .for_each(|part| data.extend_from_slice(part.row(at)));
        }
        Self {
            rows,
            columns,
            data,
        }
    }
}
