//! UMAP (McInnes, Healy and Melville 2018, arXiv:1802.03426) in two dimensions over exact neighbours.
//!
//! As umap-learn does it, with two differences, so that the map is the same for any number of threads: it starts
//! from principal components, and in an epoch each point moves by where the others were at its beginning. A
//! point takes the pulls that umap-learn gives it as head and as tail of its edges, and the pushes of random
//! points as head.

use rayon::prelude::*;

use super::Matrix;
use super::knn::Neighbours;
use super::random::{Purpose, SplitMix, normal, stream};
use rand_chacha::rand_core::Rng as _;

/// The curve 1 / (1 + a d^2b) that fits a smallest distance of 0.1 at a spread of 1.
const A: f32 = 1.576_943_5;
const B: f32 = 0.895_060_9;
/// Pushes for each pull.
const NEGATIVES: usize = 5;
/// Longest move along an axis at a pull or push.
const CLIP: f32 = 4.0;
/// Size of the start: the longest axis goes from minus to plus this.
const EXTENT: f32 = 10.0;
/// Smallest width of a neighbourhood, as a share of the mean distance.
const MIN_SCALE: f64 = 1e-3;

/// A neighbourhood of each point: weights of edges, both ways, in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The first edge of each point, and the end.
    starts: Vec<usize>,
    /// The other end of each edge.
    ends: Vec<u32>,
    /// Its weight, above 0 and at most 1.
    weights: Vec<f32>,
}

impl Graph {
    /// The fuzzy union of the neighbourhoods of all points.
    pub fn new(neighbours: &Neighbours) -> Self {
        let points = neighbours.points;
        let mut forward: Vec<(u32, u32, f32)> = Vec::new();
        let mean = mean_distance(neighbours);
        for point in 0..points {
            let (indices, distances) = neighbours.of(point);
            for (other, weight) in indices.iter().zip(membership(distances, mean)) {
                forward.push((point as u32, *other, weight));
            }
        }
        // Both ways, sorted: an edge beside its opposite.
        let mut both: Vec<(u32, u32, f32)> = forward.clone();
        both.extend(forward.iter().map(|(a, b, weight)| (*b, *a, *weight)));
        both.par_sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let mut graph = Self {
            starts: vec![0; points + 1],
            ends: Vec::new(),
            weights: Vec::new(),
        };
        let mut at = 0;
        while at < both.len() {
            let (a, b, weight) = both[at];
            let opposite = both.get(at + 1).filter(|next| (next.0, next.1) == (a, b));
            let union = opposite.map_or(weight, |(_, _, other)| weight + other - weight * other);
            at += 1 + usize::from(opposite.is_some());
            if union > 0.0 {
                graph.ends.push(b);
                graph.weights.push(union);
                graph.starts[a as usize + 1] += 1;
            }
        }
        (0..points).for_each(|at| graph.starts[at + 1] += graph.starts[at]);
        graph
    }

    /// Points.
    pub fn points(&self) -> usize {
        self.starts.len() - 1
    }
}

fn mean_distance(neighbours: &Neighbours) -> f64 {
    let all = neighbours.distances.iter();
    all.map(|distance| f64::from(*distance)).sum::<f64>() / neighbours.distances.len().max(1) as f64
}

/// Weights of a point's neighbours: 1 for the nearest, falling with a width by which they sum to log2 of their
/// number (the point itself counted).
fn membership(distances: &[f32], mean_of_all: f64) -> Vec<f32> {
    let target = ((distances.len() + 1) as f64).log2();
    let nearest = distances.iter().copied().find(|distance| *distance > 0.0);
    let nearest = f64::from(nearest.unwrap_or(0.0));
    let weight = |distance: f32, width: f64| {
        let beyond = f64::from(distance) - nearest;
        if beyond <= 0.0 || width == 0.0 {
            1.0
        } else {
            (-beyond / width).exp()
        }
    };
    let (mut low, mut high, mut width) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..64 {
        let sum: f64 = distances.iter().map(|one| weight(*one, width)).sum();
        if (sum - target).abs() < 1e-5 {
            break;
        }
        if sum > target {
            high = width;
            width = f64::midpoint(low, high);
        } else {
            low = width;
            width = if high.is_finite() {
                f64::midpoint(low, high)
            } else {
                width * 2.0
            };
        }
    }
    let mean: f64 =
        distances.iter().map(|one| f64::from(*one)).sum::<f64>() / distances.len().max(1) as f64;
    let mean = if nearest > 0.0 { mean } else { mean_of_all };
    let width = width.max(MIN_SCALE * mean);
    distances
        .iter()
        .map(|one| weight(*one, width) as f32)
        .collect()
}

/// Epochs that umap-learn takes for so many points.
fn epochs(points: usize) -> usize {
    if points <= 10_000 { 500 } else { 200 }
}

/// Places points: `coordinates` are their principal components, the largest first.
pub fn layout(graph: &Graph, coordinates: &Matrix, seed: u64) -> Matrix {
    let points = graph.points();
    let mut rng = stream(seed, Purpose::Umap);
    let start = start(coordinates, &mut rng);
    let key = rng.next_u64();
    let epochs = epochs(points);
    let largest = graph.weights.iter().copied().fold(0f32, f32::max);
    let least = largest / epochs as f32;
    let mut places = start;
    for epoch in 0..epochs {
        let rate = 1.0 - epoch as f32 / epochs as f32;
        let before = places.clone();
        places
            .par_iter_mut()
            .enumerate()
            .for_each(|(point, place)| {
                let mut random = SplitMix::of(key, epoch, point);
                for edge in graph.starts[point]..graph.starts[point + 1] {
                    let weight = graph.weights[edge];
                    if weight < least || !is_due(weight / largest, epoch) {
                        continue;
                    }
                    let other = before[graph.ends[edge] as usize];
                    // As head of its own edge and as tail of the opposite one.
                    pull(place, other, rate);
                    pull(place, other, rate);
                    for _ in 0..NEGATIVES {
                        let far = random.index(points);
                        if far != point {
                            push(place, before[far], rate);
                        }
                    }
                }
            });
    }
    Matrix::new(2, places.into_iter().flatten().collect())
}

/// Places new points on a map whose points stay: each starts at its nearest neighbour, not between clusters, and
/// moves as in [`layout`].
pub fn place(neighbours: &Neighbours, map: &Matrix, seed: u64) -> Matrix {
    let mut rng = stream(seed, Purpose::Umap);
    let key = rng.next_u64();
    let mean = mean_distance(neighbours);
    let epochs = if neighbours.points <= 10_000 { 100 } else { 30 };
    let old = map.rows();
    let placed: Vec<[f32; 2]> = (0..neighbours.points)
        .into_par_iter()
        .map(|point| {
            let (indices, distances) = neighbours.of(point);
            let weights = membership(distances, mean);
            let nearest = indices.first().map(|other| map.row(*other as usize));
            let mut place = nearest.map_or([0.0; 2], |place| [place[0], place[1]]);
            let largest = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            for epoch in 0..epochs {
                let rate = (1.0 - epoch as f32 / epochs as f32) * 0.25;
                let mut random = SplitMix::of(key, epoch, point);
                for (other, weight) in indices.iter().zip(&weights) {
                    if !is_due(weight / largest, epoch) {
                        continue;
                    }
                    let other = map.row(*other as usize);
                    pull(&mut place, [other[0], other[1]], rate);
                    for _ in 0..NEGATIVES {
                        let far = map.row(random.index(old));
                        push(&mut place, [far[0], far[1]], rate);
                    }
                }
            }
            place
        })
        .collect();
    Matrix::new(2, placed.into_iter().flatten().collect())
}

/// Returns true in as large a share of the epochs as `share`, evenly.
fn is_due(share: f32, epoch: usize) -> bool {
    let before = (share * epoch as f32).floor();
    (share * (epoch + 1) as f32).floor() > before
}

/// The first two components, as large as the extent, with a little noise so that no two points are one.
fn start(coordinates: &Matrix, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<[f32; 2]> {
    let rows = coordinates.rows();
    let value = |row: usize, column: usize| {
        let row = coordinates.row(row);
        row.get(column).copied().unwrap_or(0.0)
    };
    let largest = (0..rows)
        .flat_map(|row| [value(row, 0).abs(), value(row, 1).abs()])
        .fold(0f32, f32::max);
    let scale = if largest > 0.0 { EXTENT / largest } else { 0.0 };
    (0..rows)
        .map(|row| {
            std::array::from_fn(|axis| value(row, axis) * scale + (normal(rng) * 1e-4) as f32)
        })
        .collect()
}

fn distance2(a: &[f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// The gradient of an edge's attraction.
fn pull(place: &mut [f32; 2], other: [f32; 2], rate: f32) {
    let distance = distance2(place, other);
    if distance > 0.0 {
        let power = distance.powf(B);
        let factor = -2.0 * A * B * power / distance / (A * power + 1.0);
        for (own, other) in place.iter_mut().zip(other) {
            *own += (factor * (*own - other)).clamp(-CLIP, CLIP) * rate;
        }
    }
}

/// The gradient of the repulsion of a random point.
fn push(place: &mut [f32; 2], other: [f32; 2], rate: f32) {
    let distance = distance2(place, other);
    if distance > 0.0 {
        let factor = 2.0 * B / ((0.001 + distance) * (A * distance.powf(B) + 1.0));
        for (own, other) in place.iter_mut().zip(other) {
            *own += (factor * (*own - other)).clamp(-CLIP, CLIP) * rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knn::Index;
    use crate::knn::tests::clouds;
    use crate::pca::Pca;

    fn map(points: &Matrix) -> Matrix {
        let neighbours = Index::new(points).search(points, 14, true);
        let coordinates = Pca::fit(points, 2).apply(points);
        layout(&Graph::new(&neighbours), &coordinates, 5)
    }

    /// Share of the points whose nearest point on the map is of their own cloud.
    fn kept(map: &Matrix, clouds: usize) -> f64 {
        let found = Index::new(map).search(map, 1, true);
        let own = (0..map.rows())
            .filter(|at| found.of(*at).0[0] as usize % clouds == at % clouds)
            .count();
        own as f64 / map.rows() as f64
    }

    #[test]
    fn clouds_stay_together_and_threads_change_nothing() {
        let points = clouds(400, 5, 10, 0.7);
        let once = map(&points);
        assert!(kept(&once, 5) > 0.98);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| map(&points)), once);
    }

    #[test]
    fn equal_points_and_few_points_have_finite_places() {
        for points in [
            Matrix::new(4, vec![1.0; 40]),
            Matrix::new(4, vec![1.0, 2.0, 3.0, 4.0]),
            Matrix::new(4, vec![1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 1.0]),
            Matrix::new(4, Vec::new()),
        ] {
            let placed = map(&points);
            assert_eq!(placed.rows(), points.rows());
            assert!(placed.data().iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn a_new_point_lies_among_its_neighbours_and_moves_none() {
        let points = clouds(400, 5, 10, 0.7);
        let once = map(&points);
        let found = Index::new(&points).search(&points.select(&[7, 8]), 15, false);
        let placed = place(&found, &once, 5);
        for (at, row) in [7, 8].iter().zip(0..) {
            let (own, new) = (once.row(*at), placed.row(row));
            assert!(
                (own[0] - new[0]).hypot(own[1] - new[1]) < 3.0,
                "{own:?} {new:?}"
            );
        }
    }

    #[test]
    fn edges_are_due_in_their_share_of_epochs() {
        for share in [1.0, 0.5, 0.3] {
            let due = (0..200).filter(|epoch| is_due(share, *epoch)).count();
            assert!((due as f32 - share * 200.0).abs() <= 1.0);
        }
    }
}
