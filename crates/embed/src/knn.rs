//! Nearest neighbours, exact: points lie in cells, and a cell that is too far away is not looked at.

use rayon::prelude::*;

use super::Matrix;
use super::random::{Purpose, index, stream};

/// Neighbours of points, nearest first; of equal distances the lower number comes first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbours {
    /// Points that have neighbours.
    pub points: usize,
    /// Neighbours of each point.
    pub count: usize,
    /// `[point][neighbour]`: numbers of rows.
    pub indices: Vec<u32>,
    /// `[point][neighbour]`: Euclidean distances.
    pub distances: Vec<f32>,
}

impl Neighbours {
    /// The neighbours of a point.
    pub fn of(&self, point: usize) -> (&[u32], &[f32]) {
        let range = point * self.count..(point + 1) * self.count;
        (&self.indices[range.clone()], &self.distances[range])
    }
}

/// Rounds that move the centres of cells; they only have to be near the middle.
const ROUNDS: usize = 3;
/// Points that centres are moved by.
const SAMPLE: usize = 20_000;

/// Points in cells.
#[derive(Debug)]
pub struct Index {
    centres: Matrix,
    /// Largest distance of a point from its centre.
    radii: Vec<f32>,
    /// Points, cell by cell, and the row of each.
    points: Matrix,
    rows: Vec<u32>,
    /// The first point of each cell, and the end.
    starts: Vec<usize>,
}

/// Squared distance, summed in one order on every machine.
pub(crate) fn squared(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    let rest: f32 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The nearest of some centres, and the squared distance; of equal ones the first.
pub(crate) fn nearest(centres: &Matrix, point: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::INFINITY);
    for centre in 0..centres.rows() {
        let distance = squared(centres.row(centre), point);
        if distance < best.1 {
            best = (centre, distance);
        }
    }
    best
}

impl Index {
    /// Sorts points into cells.
    pub fn new(points: &Matrix) -> Self {
        let count = points.rows();
        let cells = ((count as f64).sqrt() as usize)
            .clamp(1, 1024)
            .min(count.max(1));
        let centres = centres(points, cells);
        let places: Vec<(usize, f32)> = (0..count)
            .into_par_iter()
            .map(|at| nearest(&centres, points.row(at)))
            .collect();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|at| (places[*at].0, *at));
        let mut radii = vec![0f32; cells];
        let mut starts = vec![0usize; cells + 1];
        for (cell, distance) in &places {
            radii[*cell] = radii[*cell].max(distance.sqrt());
            starts[cell + 1] += 1;
        }
        (0..cells).for_each(|cell| starts[cell + 1] += starts[cell]);
        Self {
            points: points.select(&order),
            rows: order.iter().map(|at| *at as u32).collect(),
            centres,
            radii,
            starts,
        }
    }

    /// The `count` nearest points of each query, fewer where there are fewer points. With `own` a query is the
    /// point of its number, which is not its own neighbour.
    pub fn search(&self, queries: &Matrix, count: usize, own: bool) -> Neighbours {
        let count = count.min(self.rows.len().saturating_sub(usize::from(own)));
        let found: Vec<Vec<(f32, u32)>> = (0..queries.rows())
            .into_par_iter()
            .map(|at| self.nearest(queries.row(at), count, own.then_some(at as u32)))
            .collect();
        let pairs = found.iter().flatten();
        Neighbours {
            points: queries.rows(),
            count,
            indices: pairs.clone().map(|(_, row)| *row).collect(),
            distances: pairs.map(|(distance, _)| distance.sqrt()).collect(),
        }
    }

    fn nearest(&self, query: &[f32], count: usize, own: Option<u32>) -> Vec<(f32, u32)> {
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
        if count == 0 {
            return best;
        }
        // No point of a cell is nearer than this; rounding may be off by a little.
        let mut cells: Vec<(f32, usize)> = (0..self.radii.len())
            .map(|cell| {
                let distance = squared(self.centres.row(cell), query).sqrt();
                let bound = distance * (1.0 - 1e-4) - self.radii[cell] * (1.0 + 1e-4);
                (bound.max(0.0), cell)
            })
            .collect();
        cells.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (bound, cell) in cells {
            let is_full = best.len() == count;
            if is_full && bound * bound > best[count - 1].0 * (1.0 + 1e-4) {
                break;
            }
            for at in self.starts[cell]..self.starts[cell + 1] {
                let row = self.rows[at];
                let pair = (squared(self.points.row(at), query), row);
                if best.len() == count && pair >= best[count - 1] || own == Some(row) {
                    continue;
                }
                let place = best.partition_point(|other| *other < pair);
                best.truncate(count - 1);
                best.insert(place.min(best.len()), pair);
            }
        }
        best
    }
}

/// Centres of cells: points at random, moved to the middle of those that are nearest.
fn centres(points: &Matrix, cells: usize) -> Matrix {
    let mut rng = stream(0, Purpose::Cells);
    let count = points.rows();
    let step = count.div_ceil(SAMPLE).max(1);
    let sample: Vec<usize> = (0..count).step_by(step).collect();
    let chosen: Vec<usize> = (0..cells.min(count))
        .map(|_| sample[index(&mut rng, sample.len())])
        .collect();
    let mut centres = points.select(&chosen);
    for _ in 0..ROUNDS {
        let places: Vec<usize> = sample
            .par_iter()
            .map(|at| nearest(&centres, points.row(*at)).0)
            .collect();
        let mut sums = vec![0f64; centres.rows() * centres.columns()];
        let mut counts = vec![0usize; centres.rows()];
        let columns = centres.columns();
        for (at, cell) in sample.iter().zip(&places) {
            counts[*cell] += 1;
            let sums = &mut sums[cell * columns..(cell + 1) * columns];
            for (sum, value) in sums.iter_mut().zip(points.row(*at)) {
                *sum += f64::from(*value);
            }
        }
        for (cell, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let sums = &sums[cell * columns..(cell + 1) * columns];
            for (value, sum) in centres.row_mut(cell).iter_mut().zip(sums) {
                *value = (sum / *count as f64) as f32;
            }
        }
    }
    centres
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::normal;

    /// Points in clouds.
    pub(crate) fn clouds(count: usize, clouds: usize, columns: usize, spread: f64) -> Matrix {
        let mut rng = stream(9, Purpose::Umap);
        let middles: Vec<f64> = (0..clouds * columns)
            .map(|_| normal(&mut rng) * 4.0)
            .collect();
        let data = (0..count).flat_map(|at| {
            let cloud = at % clouds;
            let middle = &middles[cloud * columns..(cloud + 1) * columns];
            let point: Vec<f32> = (middle.iter())
                .map(|middle| (middle + spread * normal(&mut rng)) as f32)
                .collect();
            point
        });
        Matrix::new(columns, data.collect())
    }

    #[test]
    fn neighbours_are_those_of_all_pairs() {
        let points = clouds(700, 5, 11, 1.0);
        let found = Index::new(&points).search(&points, 9, true);
        for at in (0..700).step_by(13) {
            let mut all: Vec<(f32, u32)> = (0..700)
                .filter(|other| *other != at)
                .map(|other| (squared(points.row(at), points.row(other)), other as u32))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let expected: Vec<u32> = all[..9].iter().map(|(_, row)| *row).collect();
            assert_eq!(found.of(at).0, expected);
        }
    }

    #[test]
    fn equal_points_and_few_points_have_the_neighbours_there_are() {
        let points = Matrix::new(2, vec![1.0; 12]);
        let found = Index::new(&points).search(&points, 15, true);
        assert_eq!(found.count, 5);
        assert_eq!(found.of(2).0, [0, 1, 3, 4, 5]);
        assert_eq!(found.of(2).1, [0.0; 5]);
        let one = Matrix::new(2, vec![1.0; 2]);
        assert_eq!(Index::new(&one).search(&one, 3, true).count, 0);
        let none = Matrix::new(2, Vec::new());
        assert_eq!(Index::new(&none).search(&one, 3, false).count, 0);
    }
}
