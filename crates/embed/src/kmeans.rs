//! k-means with the starts of k-means++ (Arthur and Vassilvitskii, SODA 2007), the best of several.

use rayon::prelude::*;

use super::Matrix;
use super::knn::{nearest, squared};
use super::random::{Purpose, stream, unit};

/// Starts, of which the best is taken.
const STARTS: usize = 8;
/// Rounds of one start at most.
const ROUNDS: usize = 200;
/// Moves below this share of the points' variance end a start.
const TOLERANCE: f64 = 1e-4;
/// Points that the silhouette is computed on.
const SILHOUETTE_POINTS: usize = 2000;
/// Most clusters that are tried where the silhouette chooses.
pub const MOST_CHOSEN: usize = 20;

/// Clusters around centres.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// The centres, those of larger clusters first.
    pub centres: Matrix,
    /// The cluster of each point.
    pub clusters: Vec<u32>,
    /// Sum of squared distances to the centres.
    pub inertia: f64,
}

/// The best of several starts. There are never more clusters than distinct points.
pub fn kmeans(points: &Matrix, clusters: usize, seed: u64) -> KMeans {
    let mut rng = stream(seed, Purpose::KMeans);
    let mut best: Option<KMeans> = None;
    for _ in 0..STARTS {
        let centres = plus_plus(points, clusters.max(1), &mut rng);
        let found = lloyd(points, centres);
        if best
            .as_ref()
            .is_none_or(|best| found.inertia < best.inertia)
        {
            best = Some(found);
        }
    }
    best.map_or_else(
        || lloyd(points, Matrix::zeros(0, points.columns())),
        by_size,
    )
}

/// Chooses the number of clusters, 2 to [`MOST_CHOSEN`], by the silhouette of some of the points; returns the
/// silhouettes that were found.
pub fn kmeans_by_silhouette(points: &Matrix, seed: u64) -> (KMeans, Vec<(usize, f64)>) {
    let step = points.rows().div_ceil(SILHOUETTE_POINTS).max(1);
    let sample: Vec<usize> = (0..points.rows()).step_by(step).collect();
    let distances = pairwise(&points.select(&sample));
    let mut silhouettes = Vec::new();
    let mut best: Option<(f64, KMeans)> = None;
    for clusters in 2..=MOST_CHOSEN.min(points.rows().max(2)) {
        let found = kmeans(points, clusters, seed);
        let of_sample: Vec<u32> = sample.iter().map(|at| found.clusters[*at]).collect();
        let silhouette = silhouette(&distances, &of_sample);
        silhouettes.push((clusters, silhouette));
        if best.as_ref().is_none_or(|(best, _)| silhouette > *best) {
            best = Some((silhouette, found));
        }
    }
    let found = best.map_or_else(|| kmeans(points, 1, seed), |(_, found)| found);
    (found, silhouettes)
}

/// Numbers clusters anew, the largest first.
fn by_size(found: KMeans) -> KMeans {
    let mut sizes = vec![0usize; found.centres.rows()];
    found
        .clusters
        .iter()
        .for_each(|at| sizes[*at as usize] += 1);
    let mut order: Vec<usize> = (0..sizes.len()).filter(|at| sizes[*at] > 0).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(sizes[*at]), *at));
    let mut place = vec![0u32; sizes.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new as u32;
    }
    KMeans {
        centres: found.centres.select(&order),
        clusters: found
            .clusters
            .iter()
            .map(|at| place[*at as usize])
            .collect(),
        inertia: found.inertia,
    }
}

/// Centres far from each other: each is drawn by its squared distance from those before, the best of a few draws.
fn plus_plus(points: &Matrix, clusters: usize, rng: &mut rand_chacha::ChaCha8Rng) -> Matrix {
    let count = points.rows();
    if count == 0 {
        return Matrix::zeros(0, points.columns());
    }
    let trials = 2 + (clusters as f64).ln() as usize;
    let mut chosen = vec![((unit(rng) * count as f64) as usize).min(count - 1)];
    let distances_to = |centre: usize| -> Vec<f32> {
        (0..count)
            .into_par_iter()
            .map(|at| squared(points.row(at), points.row(centre)))
            .collect()
    };
    let mut closest = distances_to(chosen[0]);
    while chosen.len() < clusters.min(count) {
        let total: f64 = closest.iter().map(|one| f64::from(*one)).sum();
        if total <= 0.0 {
            break;
        }
        let mut best: Option<(f64, usize, Vec<f32>)> = None;
        for _ in 0..trials {
            let candidate = drawn(&closest, unit(rng) * total);
            let mut nearer = distances_to(candidate);
            for (new, old) in nearer.iter_mut().zip(&closest) {
                *new = new.min(*old);
            }
            let left: f64 = nearer.iter().map(|one| f64::from(*one)).sum();
            if best.as_ref().is_none_or(|(best, _, _)| left < *best) {
                best = Some((left, candidate, nearer));
            }
        }
        let Some((_, candidate, nearer)) = best else {
            break;
        };
        chosen.push(candidate);
        closest = nearer;
    }
    points.select(&chosen)
}

/// The point at which the sum of weights reaches `target`.
fn drawn(weights: &[f32], target: f64) -> usize {
    let mut sum = 0.0;
    for (at, weight) in weights.iter().enumerate() {
        sum += f64::from(*weight);
        if sum > target {
            return at;
        }
    }
    // Rounding: the last that has a weight.
    weights
        .iter()
        .rposition(|weight| *weight > 0.0)
        .unwrap_or(0)
}

/// Points go to their nearest centre, centres to the middle of their points, until nothing moves much.
fn lloyd(points: &Matrix, mut centres: Matrix) -> KMeans {
    let columns = points.columns();
    let limit = TOLERANCE * variance(points);
    let mut places: Vec<(usize, f32)> = Vec::new();
    for _ in 0..ROUNDS {
        places = assign(points, &centres);
        let mut sums = vec![0f64; centres.rows() * columns];
        let mut counts = vec![0usize; centres.rows()];
        for (at, (cluster, _)) in places.iter().enumerate() {
            counts[*cluster] += 1;
            let sums = &mut sums[cluster * columns..(cluster + 1) * columns];
            for (sum, value) in sums.iter_mut().zip(points.row(at)) {
                *sum += f64::from(*value);
            }
        }
        let mut moved = 0.0f64;
        for (cluster, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let sums = &sums[cluster * columns..(cluster + 1) * columns];
            for (value, sum) in centres.row_mut(cluster).iter_mut().zip(sums) {
                let mean = (sum / *count as f64) as f32;
                moved += f64::from(mean - *value).powi(2);
                *value = mean;
            }
        }
        if moved <= limit {
            break;
        }
    }
    if centres.rows() > 0 {
        places = assign(points, &centres);
    }
    KMeans {
        inertia: places
            .iter()
            .map(|(_, distance)| f64::from(*distance))
            .sum(),
        clusters: places.iter().map(|(cluster, _)| *cluster as u32).collect(),
        centres,
    }
}

fn assign(points: &Matrix, centres: &Matrix) -> Vec<(usize, f32)> {
    (0..points.rows())
        .into_par_iter()
        .map(|at| nearest(centres, points.row(at)))
        .collect()
}

/// Mean of the variances of the columns.
fn variance(points: &Matrix) -> f64 {
    let count = points.rows().max(1) as f64;
    let mut total = 0.0;
    for column in 0..points.columns() {
        let values = || (0..points.rows()).map(|at| f64::from(points.row(at)[column]));
        let mean = values().sum::<f64>() / count;
        total += values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    }
    total / points.columns().max(1) as f64
}

/// All distances, `[point][point]`.
fn pairwise(points: &Matrix) -> Vec<Vec<f32>> {
    (0..points.rows())
        .into_par_iter()
        .map(|a| {
            let others = 0..points.rows();
            others
                .map(|b| squared(points.row(a), points.row(b)).sqrt())
                .collect()
        })
        .collect()
}

/// The mean silhouette (Rousseeuw 1987) of points whose distances are given; 0 for a cluster of one point.
pub(crate) fn silhouette(distances: &[Vec<f32>], clusters: &[u32]) -> f64 {
    let count = clusters.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![0usize; count];
    clusters.iter().for_each(|at| sizes[*at as usize] += 1);
    let of_point = |(own, row): (&u32, &Vec<f32>)| -> f64 {
        let own = *own as usize;
        if sizes[own] < 2 {
            return 0.0;
        }
        let mut sums = vec![0f64; count];
        for (distance, cluster) in row.iter().zip(clusters) {
            sums[*cluster as usize] += f64::from(*distance);
        }
        let inside = sums[own] / (sizes[own] - 1) as f64;
        let others = (0..count).filter(|at| *at != own && sizes[*at] > 0);
        let nearest = others.map(|at| sums[at] / sizes[at] as f64);
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        let larger = inside.max(nearest);
        match larger > 0.0 && larger.is_finite() {
            true => (nearest - inside) / larger,
            false => 0.0,
        }
    };
    let all: Vec<f64> = clusters.par_iter().zip(distances).map(of_point).collect();
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

/// Clusters in two steps: a few by k-means, each cut again into a share of `clusters` by its size. Names are
/// `1.1`, `1.2`, ..., by the order of sizes.
pub fn hierarchical(points: &Matrix, first: usize, clusters: usize, seed: u64) -> Vec<String> {
    let outer = kmeans(points, first, seed);
    let mut names = vec![String::new(); points.rows()];
    for top in 0..outer.centres.rows() as u32 {
        let members: Vec<usize> = (0..points.rows())
            .filter(|at| outer.clusters[*at] == top)
            .collect();
        let share = members.len() as f64 / points.rows().max(1) as f64;
        let inner = ((share * clusters as f64).round() as usize).max(1);
        let found = kmeans(&points.select(&members), inner, seed);
        for (at, sub) in members.iter().zip(found.clusters) {
            names[*at] = format!("{}.{}", top + 1, sub + 1);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knn::tests::clouds;

    #[test]
    fn clouds_are_found_and_the_silhouette_counts_them() {
        let points = clouds(600, 6, 8, 0.4);
        let (found, silhouettes) = kmeans_by_silhouette(&points, 3);
        assert_eq!(found.centres.rows(), 6, "{silhouettes:?}");
        for at in 0..600 {
            assert_eq!(found.clusters[at], found.clusters[at % 6]);
        }
        assert_eq!(kmeans(&points, 6, 3), kmeans(&points, 6, 3));
    }

    #[test]
    fn equal_points_are_one_cluster_and_few_points_as_many_as_there_are() {
        let equal = Matrix::new(3, vec![2.0; 30]);
        let found = kmeans(&equal, 4, 1);
        assert_eq!((found.centres.rows(), found.inertia), (1, 0.0));
        let two = Matrix::new(1, vec![1.0, 5.0]);
        assert_eq!(kmeans(&two, 15, 1).centres.rows(), 2);
        let none = Matrix::new(3, Vec::new());
        assert!(kmeans(&none, 3, 1).clusters.is_empty());
        let (found, _) = kmeans_by_silhouette(&equal, 1);
        assert_eq!(found.centres.rows(), 1);
    }

    #[test]
    fn the_silhouette_is_that_of_its_definition() {
        // Two pairs on a line: 0, 1 and 10, 11.
        let points = Matrix::new(1, vec![0.0, 1.0, 10.0, 11.0]);
        let found = silhouette(&pairwise(&points), &[0, 0, 1, 1]);
        let expected = (2.0 * (10.5 - 1.0) / 10.5 + 2.0 * (9.5 - 1.0) / 9.5) / 4.0;
        assert!((found - expected).abs() < 1e-6);
    }

    #[test]
    fn clusters_are_cut_again_by_size() {
        let points = clouds(600, 6, 8, 0.4);
        let names = hierarchical(&points, 3, 6, 2);
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert!((5..=7).contains(&distinct.len()), "{distinct:?}");
        assert!(names.iter().any(|name| name == "1.1"));
    }
}
