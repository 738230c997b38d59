//! Spectral clustering on the graph of nearest neighbours (Ng, Jordan and Weiss 2001; von Luxburg 2007).
//!
//! Beyond [`MOST_POINTS`] a part of the points, evenly taken, is clustered; the others join the cluster that most
//! of their nearest clustered points belong to.

use rayon::prelude::*;

use super::kmeans::kmeans;
use super::knn::{Index, Neighbours};
use super::random::{Purpose, normal, stream};
use super::{Matrix, eigen};

/// Points that are clustered at most.
pub const MOST_POINTS: usize = 20_000;
/// Neighbours of a point in the graph.
const NEIGHBOURS: usize = 15;
/// Neighbours by which a point that is left out joins a cluster.
const VOTES: usize = 5;
/// Blocks of a Krylov space.
const STEPS: usize = 8;
/// Times that the space is built anew from the best vectors.
const RESTARTS: usize = 4;

/// The cluster of each point, the largest first.
pub fn spectral(points: &Matrix, clusters: usize, seed: u64) -> Vec<u32> {
    let step = points.rows().div_ceil(MOST_POINTS).max(1);
    let kept: Vec<usize> = (0..points.rows()).step_by(step).collect();
    let sample = points.select(&kept);
    let found = of_sample(&sample, clusters, seed);
    if step == 1 {
        return found;
    }
    let index = Index::new(&sample);
    let near = index.search(points, VOTES, false);
    let joined = (0..points.rows()).into_par_iter().map(|at| {
        let (indices, _) = near.of(at);
        most_common(indices.iter().map(|other| found[*other as usize]))
    });
    let mut all: Vec<u32> = joined.collect();
    kept.iter()
        .zip(&found)
        .for_each(|(at, cluster)| all[*at] = *cluster);
    all
}

/// The most common value; of several the one that comes first.
fn most_common(values: impl Iterator<Item = u32> + Clone) -> u32 {
    let mut best = (0, 0);
    for value in values.clone() {
        let count = values.clone().filter(|other| *other == value).count();
        if count > best.0 {
            best = (count, value);
        }
    }
    best.1
}

fn of_sample(points: &Matrix, clusters: usize, seed: u64) -> Vec<u32> {
    if points.rows() <= clusters {
        return (0..points.rows() as u32).collect();
    }
    let graph = Similar::new(&Index::new(points).search(points, NEIGHBOURS, true));
    let mut vectors = graph.leading(clusters, seed);
    // As Ng, Jordan and Weiss: rows of length 1.
    let columns = vectors.columns().max(1);
    for row in vectors.data_mut().chunks_exact_mut(columns) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|x| *x /= length);
        }
    }
    kmeans(&vectors, clusters, seed).clusters
}

/// Who is a neighbour of whom, both ways, with weights 1 (mutual) and 1/2.
struct Similar {
    starts: Vec<usize>,
    ends: Vec<u32>,
    weights: Vec<f64>,
    /// One over the root of each point's sum of weights.
    scale: Vec<f64>,
}

impl Similar {
    fn new(neighbours: &Neighbours) -> Self {
        let points = neighbours.points;
        let mut edges: Vec<(u32, u32)> = Vec::new();
        for point in 0..points {
            for other in neighbours.of(point).0 {
                edges.push((point as u32, *other));
                edges.push((*other, point as u32));
            }
        }
        edges.par_sort_unstable();
        let mut graph = Self {
            starts: vec![0; points + 1],
            ends: Vec::new(),
            weights: Vec::new(),
            scale: vec![0.0; points],
        };
        for group in edges.chunk_by(|a, b| a == b) {
            let (point, other) = group[0];
            let weight = group.len() as f64 / 2.0;
            graph.ends.push(other);
            graph.weights.push(weight);
            graph.starts[point as usize + 1] += 1;
            graph.scale[point as usize] += weight;
        }
        (0..points).for_each(|at| graph.starts[at + 1] += graph.starts[at]);
        for degree in &mut graph.scale {
            *degree = if *degree > 0.0 {
                1.0 / degree.sqrt()
            } else {
                0.0
            };
        }
        graph
    }

    /// The normalised weights times a vector, plus the vector: eigenvalues lie between 0 and 2.
    fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..vector.len())
            .into_par_iter()
            .map(|point| {
                let edges = self.starts[point]..self.starts[point + 1];
                let sum: f64 = edges
                    .map(|edge| {
                        let other = self.ends[edge] as usize;
                        self.weights[edge] * self.scale[other] * vector[other]
                    })
                    .sum();
                vector[point] + self.scale[point] * sum
            })
            .collect()
    }

    /// The eigenvectors of the largest eigenvalues, `[point, eigenvector]`, from a block Krylov space.
    fn leading(&self, count: usize, seed: u64) -> Matrix {
        let points = self.scale.len();
        let block = (count + 4).min(points);
        let mut rng = stream(seed, Purpose::Spectral);
        let mut best: Vec<Vec<f64>> = (0..block)
            .map(|_| (0..points).map(|_| normal(&mut rng)).collect())
            .collect();
        for _ in 0..RESTARTS {
            let mut basis: Vec<Vec<f64>> = Vec::new();
            let mut last = best;
            for _ in 0..STEPS {
                let before = basis.len();
                for vector in last {
                    orthonormalise(vector, &mut basis);
                }
                last = basis[before..].iter().map(|one| self.times(one)).collect();
            }
            best = self.ritz(&basis, block);
        }
        let mut data = vec![0f32; points * count.min(best.len())];
        let columns = count.min(best.len()).max(1);
        for (at, vector) in best.iter().take(columns).enumerate() {
            for (row, value) in data.chunks_exact_mut(columns).zip(vector) {
                row[at] = *value as f32;
            }
        }
        Matrix::new(columns, data)
    }

    /// The best approximations to eigenvectors in the span of a basis.
    fn ritz(&self, basis: &[Vec<f64>], count: usize) -> Vec<Vec<f64>> {
        let size = basis.len();
        let products: Vec<Vec<f64>> = basis.iter().map(|one| self.times(one)).collect();
        let rows = (0..size * size).into_par_iter();
        let small: Vec<f64> = rows
            .map(|at| dot(&basis[at / size], &products[at % size]))
            .collect();
        let even: Vec<f64> = (0..size * size)
            .map(|at| f64::midpoint(small[at], small[at % size * size + at / size]))
            .collect();
        let (_, vectors) = eigen::symmetric(&even, size);
        let of_vector = |weights: &Vec<f64>| {
            let mut sum = vec![0.0; basis.first().map_or(0, Vec::len)];
            for (weight, one) in weights.iter().zip(basis) {
                sum.iter_mut()
                    .zip(one)
                    .for_each(|(sum, x)| *sum += weight * x);
            }
            sum
        };
        vectors.par_iter().take(count).map(of_vector).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Takes the parts along the basis away, twice, and adds what is left where it is something.
fn orthonormalise(mut vector: Vec<f64>, basis: &mut Vec<Vec<f64>>) {
    let before = dot(&vector, &vector).sqrt();
    for _ in 0..2 {
        let shares: Vec<f64> = basis.par_iter().map(|one| dot(one, &vector)).collect();
        for (share, one) in shares.iter().zip(basis.iter()) {
            vector
                .iter_mut()
                .zip(one)
                .for_each(|(x, y)| *x -= share * y);
        }
    }
    let length = dot(&vector, &vector).sqrt();
    if length > 1e-9 * before && length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
        basis.push(vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knn::tests::clouds;

    #[test]
    fn rings_that_kmeans_cannot_part_are_parted() {
        let ring = |at: usize, radius: f32| {
            let angle = at as f32 * 0.031_415_926;
            [radius * angle.cos(), radius * angle.sin()]
        };
        let points = (0..400).flat_map(|at| ring(at / 2, if at % 2 == 0 { 1.0 } else { 4.0 }));
        let found = spectral(&Matrix::new(2, points.collect()), 2, 1);
        assert_ne!(found[0], found[1]);
        assert!((0..400).all(|at| found[at] == found[at % 2]));
    }

    #[test]
    fn many_points_are_clustered_by_a_part_of_them() {
        let points = clouds(24_000, 5, 5, 0.3);
        let found = spectral(&points, 5, 1);
        let right = (0..24_000).filter(|at| found[*at] == found[at % 5]).count();
        assert!(right > 23_900, "{right}");
    }

    #[test]
    fn equal_points_and_few_points_are_clustered() {
        assert_eq!(spectral(&Matrix::new(2, vec![1.0; 2]), 5, 1), [0]);
        let equal = spectral(&Matrix::new(2, vec![1.0; 100]), 3, 1);
        assert_eq!(equal.len(), 50);
        assert!(spectral(&Matrix::new(2, Vec::new()), 3, 1).is_empty());
    }
}
