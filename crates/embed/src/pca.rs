//! Principal components, and the scaling before them.

use rayon::prelude::*;

use super::{Matrix, eigen};

/// Shift and factor of each number of a layer: mean 0, variance 1. A number that is the same for all calls gets
/// factor 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Means.
    pub mean: Vec<f32>,
    /// One over the standard deviation.
    pub factor: Vec<f32>,
}

impl Scaling {
    /// The scaling of a matrix.
    pub fn fit(matrix: &Matrix) -> Self {
        let (mean, variance) = moments(matrix);
        let factor = (mean.iter().zip(&variance)).map(|(mean, variance)| {
            let deviation = variance.sqrt();
            // What rounding leaves of a constant is no variance.
            match deviation > 1e-6 * mean.abs().max(1e-6) {
                true => (1.0 / deviation) as f32,
                false => 0.0,
            }
        });
        Self {
            factor: factor.collect(),
            mean: mean.iter().map(|mean| *mean as f32).collect(),
        }
    }

    /// The scaled matrix.
    #[must_use]
    pub fn apply(&self, matrix: &Matrix) -> Matrix {
        let mut scaled = matrix.clone();
        let columns = matrix.columns().max(1);
        for row in scaled.data_mut().chunks_exact_mut(columns) {
            for ((value, mean), factor) in row.iter_mut().zip(&self.mean).zip(&self.factor) {
                *value = (*value - mean) * factor;
            }
        }
        scaled
    }
}

/// Means and variances of the columns.
fn moments(matrix: &Matrix) -> (Vec<f64>, Vec<f64>) {
    let columns = matrix.columns();
    let count = matrix.rows().max(1) as f64;
    let mut mean = vec![0.0f64; columns];
    for at in 0..matrix.rows() {
        for (sum, value) in mean.iter_mut().zip(matrix.row(at)) {
            *sum += f64::from(*value);
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= count);
    let mut variance = vec![0.0f64; columns];
    for at in 0..matrix.rows() {
        let row = matrix.row(at).iter().zip(&mean);
        for (sum, (value, mean)) in variance.iter_mut().zip(row) {
            *sum += (f64::from(*value) - mean).powi(2);
        }
    }
    variance.iter_mut().for_each(|sum| *sum /= count);
    (mean, variance)
}

/// Principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Means of the columns.
    pub mean: Vec<f32>,
    /// The axes, `[component, column]`.
    pub axes: Matrix,
    /// The variance along each.
    pub variance: Vec<f64>,
    /// The variance of all columns together.
    pub total: f64,
}

impl Pca {
    /// The components of largest variance, at most `most` of them; none along which nothing varies.
    pub fn fit(matrix: &Matrix, most: usize) -> Self {
        let columns = matrix.columns();
        let (mean, _) = moments(matrix);
        let covariance = covariance(matrix, &mean);
        let total: f64 = (0..columns).map(|at| covariance[at * columns + at]).sum();
        let (values, vectors) = eigen::symmetric(&covariance, columns);
        let kept = values.iter().take(most);
        let kept = kept
            .take_while(|value| **value > 1e-9 * total.max(1e-30))
            .count();
        let axes = vectors[..kept].iter().flatten().map(|entry| *entry as f32);
        Self {
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            axes: Matrix::new(columns, axes.collect()),
            variance: values[..kept].to_vec(),
            total,
        }
    }

    /// Components.
    pub fn components(&self) -> usize {
        self.variance.len()
    }

    /// The coordinates of the rows along the axes.
    #[must_use]
    pub fn apply(&self, matrix: &Matrix) -> Matrix {
        let components = self.components();
        let mut out = Matrix::zeros(matrix.rows(), components);
        if components == 0 {
            return out;
        }
        let rows = out.data_mut().par_chunks_exact_mut(components);
        rows.enumerate().for_each(|(at, out)| {
            let centred: Vec<f32> = (matrix.row(at).iter().zip(&self.mean))
                .map(|(value, mean)| value - mean)
                .collect();
            for (component, out) in out.iter_mut().enumerate() {
                *out = dot(self.axes.row(component), &centred);
            }
        });
        out
    }
}

/// Sum of products, in one order on every machine.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Rows that are centred together.
const TOGETHER: usize = 64;

/// The covariance of the columns, `[column][column]`: each thread computes some rows of it over all calls.
fn covariance(matrix: &Matrix, mean: &[f64]) -> Vec<f64> {
    let columns = matrix.columns();
    let mut sums = vec![0.0f64; columns * columns];
    if columns == 0 {
        return sums;
    }
    let block = columns.div_ceil(16).max(4);
    let blocks = sums.par_chunks_mut(block * columns);
    blocks.enumerate().for_each(|(at, sums)| {
        let first = at * block;
        let mut centred = vec![0.0f64; TOGETHER * columns];
        for start in (0..matrix.rows()).step_by(TOGETHER) {
            let rows = start..(start + TOGETHER).min(matrix.rows());
            for (row, out) in rows.clone().zip(centred.chunks_exact_mut(columns)) {
                for ((value, mean), out) in matrix.row(row).iter().zip(mean).zip(out) {
                    *out = f64::from(*value) - mean;
                }
            }
            for (own, sums) in sums.chunks_exact_mut(columns).enumerate() {
                for row in centred[..rows.len() * columns].chunks_exact(columns) {
                    let factor = row[first + own];
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += factor * value;
                    }
                }
            }
        }
    });
    let count = (matrix.rows().max(2) - 1) as f64;
    sums.iter_mut().for_each(|sum| *sum /= count);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_along_which_points_lie_is_found() {
        let points = (0..50).flat_map(|at| {
            let along = at as f32 - 25.0;
            [3.0 * along + 7.0, 4.0 * along - 2.0, 5.0]
        });
        let matrix = Matrix::new(3, points.collect());
        let pca = Pca::fit(&matrix, 200);
        assert_eq!(pca.components(), 1);
        assert!((pca.axes.row(0)[0] - 0.6).abs() < 1e-5);
        let places = pca.apply(&matrix);
        assert!((places.row(49)[0] - places.row(0)[0] - 245.0).abs() < 1e-2);
    }

    #[test]
    fn fewer_calls_than_columns_and_equal_calls_give_no_nan() {
        for data in [
            vec![1.0; 4 * 30],
            (0..120).map(|x| (x * x % 17) as f32).collect(),
        ] {
            let matrix = Matrix::new(30, data);
            let scaled = Scaling::fit(&matrix).apply(&matrix);
            let pca = Pca::fit(&scaled, 200);
            assert!(pca.components() <= 3);
            let places = pca.apply(&scaled);
            assert_eq!(places.rows(), 4);
            assert!(places.data().iter().all(|value| value.is_finite()));
        }
    }
}
