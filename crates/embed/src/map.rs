//! From activations to a map: layers are scaled and reduced, joined and reduced again, placed in the plane and
//! clustered. A map keeps what it was made by, so that new calls can be placed on it.

use super::kmeans::{self, KMeans};
use super::knn::{Index, Neighbours};
use super::pca::{Pca, Scaling};
use super::{Matrix, spectral, umap};

/// Neighbours by which a call's distance from the others is measured.
pub const ISOLATION_NEIGHBOURS: usize = 10;
/// Points that a map is laid out with at most; the others are placed among them.
pub const MOST_LAID_OUT: usize = 200_000;
/// Points that are laid out where there are more.
const LAID_OUT: usize = 100_000;
/// Clusters of the first step of the hierarchy.
const FIRST_STEP: usize = 3;

/// Choices for a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapOptions {
    /// Principal components a layer at most.
    pub components: usize,
    /// Principal components of the joined layers at most.
    pub dimensions: usize,
    /// Neighbours of a point of the map, itself counted.
    pub neighbours: usize,
    /// Clusters; nothing where the silhouette chooses.
    pub clusters: Option<usize>,
    /// Seed of all that is drawn.
    pub seed: u64,
}

/// How a layer becomes coordinates.
#[derive(Debug, Clone, PartialEq)]
struct LayerModel {
    name: String,
    scaling: Scaling,
    pca: Pca,
    /// Factor by which the layer's total variance becomes 1, so that wide layers do not outweigh narrow ones.
    weight: f32,
}

/// How activations become coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Reducer {
    layers: Vec<LayerModel>,
    join: Pca,
}

/// A named array of a map's file.
pub type Array = (String, Matrix);

impl Reducer {
    /// Learns the reduction of some layers. Returns it with the coordinates of the calls.
    pub fn fit(layers: &[(&str, &Matrix)], options: &MapOptions) -> (Self, Matrix) {
        let mut parts = Vec::new();
        let mut models = Vec::new();
        for (name, matrix) in layers {
            let scaling = Scaling::fit(matrix);
            let scaled = scaling.apply(matrix);
            let pca = Pca::fit(&scaled, options.components);
            let kept: f64 = pca.variance.iter().sum();
            let weight = if kept > 0.0 {
                (1.0 / kept.sqrt()) as f32
            } else {
                0.0
            };
            parts.push(weighted(pca.apply(&scaled), weight));
            models.push(LayerModel {
                name: (*name).to_owned(),
                scaling,
                pca,
                weight,
            });
        }
        let joined = Matrix::beside(&parts);
        let join = Pca::fit(&joined, options.dimensions);
        let coordinates = join.apply(&joined);
        let layers = models;
        (Self { layers, join }, coordinates)
    }

    /// The coordinates of calls; `layers` in the order of [`Self::layers`].
    #[must_use]
    pub fn apply(&self, layers: &[&Matrix]) -> Matrix {
        let parts = self.layers.iter().zip(layers);
        let parts: Vec<Matrix> = parts
            .map(|(model, matrix)| {
                weighted(model.pca.apply(&model.scaling.apply(matrix)), model.weight)
            })
            .collect();
        self.join.apply(&Matrix::beside(&parts))
    }

    /// Name and width of each layer.
    pub fn layers(&self) -> impl Iterator<Item = (&str, usize)> {
        let layers = self.layers.iter();
        layers.map(|layer| (layer.name.as_str(), layer.scaling.mean.len()))
    }

    /// Share of the variance that each layer's components keep, by layer.
    pub fn kept(&self) -> Vec<(String, usize, f64)> {
        let share = |pca: &Pca| match pca.total > 0.0 {
            true => pca.variance.iter().sum::<f64>() / pca.total,
            false => 0.0,
        };
        let layers = self.layers.iter();
        layers
            .map(|layer| {
                (
                    layer.name.clone(),
                    layer.pca.components(),
                    share(&layer.pca),
                )
            })
            .chain([(
                "joined".to_owned(),
                self.join.components(),
                share(&self.join),
            )])
            .collect()
    }

    /// The arrays by which [`Self::of_arrays`] makes it again.
    pub fn arrays(&self) -> Vec<Array> {
        let row = |values: &[f32]| {
            let mut matrix = Matrix::zeros(1, values.len());
            matrix.data_mut().copy_from_slice(values);
            matrix
        };
        let mut arrays = Vec::new();
        for layer in &self.layers {
            let name = |part: &str| format!("{}.{part}", layer.name);
            arrays.push((name("mean"), row(&layer.scaling.mean)));
            arrays.push((name("factor"), row(&layer.scaling.factor)));
            arrays.push((name("centre"), row(&layer.pca.mean)));
            arrays.push((name("axes"), layer.pca.axes.clone()));
            arrays.push((name("weight"), row(&[layer.weight])));
        }
        arrays.push(("joined.centre".to_owned(), row(&self.join.mean)));
        arrays.push(("joined.axes".to_owned(), self.join.axes.clone()));
        arrays
    }

    /// The reduction that a map's file holds; nothing where an array is missing or of another size.
    pub fn of_arrays(layers: &[String], arrays: &[Array]) -> Option<Self> {
        let find = |name: &str| {
            let found = arrays.iter().find(|(known, _)| known == name);
            found.map(|(_, matrix)| matrix)
        };
        let pca = |centre: &Matrix, axes: &Matrix| {
            (centre.columns() == axes.columns() || axes.rows() == 0).then(|| Pca {
                mean: centre.data().to_vec(),
                axes: axes.clone(),
                variance: vec![0.0; axes.rows()],
                total: 0.0,
            })
        };
        let layer = |name: &String| {
            let part = |part: &str| find(&format!("{name}.{part}"));
            let scaling = Scaling {
                mean: part("mean")?.data().to_vec(),
                factor: part("factor")?.data().to_vec(),
            };
            let centre = part("centre")?;
            let fits = scaling.mean.len() == scaling.factor.len()
                && scaling.mean.len() == centre.columns();
            fits.then_some(LayerModel {
                name: name.clone(),
                scaling,
                pca: pca(centre, part("axes")?)?,
                weight: *part("weight")?.data().first()?,
            })
        };
        Some(Self {
            layers: layers.iter().map(layer).collect::<Option<_>>()?,
            join: pca(find("joined.centre")?, find("joined.axes")?)?,
        })
    }
}

fn weighted(mut matrix: Matrix, weight: f32) -> Matrix {
    matrix
        .data_mut()
        .iter_mut()
        .for_each(|value| *value *= weight);
    matrix
}

/// Calls on a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Places in the plane.
    pub umap: Matrix,
    /// k-means.
    pub kmeans: KMeans,
    /// Silhouettes by number of clusters, where they chose.
    pub silhouettes: Vec<(usize, f64)>,
    /// Clusters of two steps.
    pub hierarchical: Vec<String>,
    /// Spectral clusters.
    pub spectral: Vec<u32>,
    /// Mean distance of each call to its nearest neighbours.
    pub isolation: Vec<f32>,
}

impl Map {
    /// Lays out and clusters calls by their coordinates.
    pub fn new(coordinates: &Matrix, options: &MapOptions) -> Self {
        let index = Index::new(coordinates);
        let count = options
            .neighbours
            .saturating_sub(1)
            .max(ISOLATION_NEIGHBOURS);
        let near = index.search(coordinates, count, true);
        let (kmeans, silhouettes) = match options.clusters {
            Some(clusters) => (
                kmeans::kmeans(coordinates, clusters, options.seed),
                Vec::new(),
            ),
            None => kmeans::kmeans_by_silhouette(coordinates, options.seed),
        };
        let clusters = kmeans.centres.rows();
        Self {
            umap: lay_out(coordinates, &near, options),
            hierarchical: kmeans::hierarchical(coordinates, FIRST_STEP, clusters, options.seed),
            spectral: spectral::spectral(coordinates, clusters, options.seed),
            isolation: isolation(&near),
            kmeans,
            silhouettes,
        }
    }
}

/// Places in the plane of calls by their coordinates, and nothing else of a map.
pub fn places(coordinates: &Matrix, options: &MapOptions) -> Matrix {
    let count = options.neighbours.saturating_sub(1);
    let near = match coordinates.rows() <= MOST_LAID_OUT {
        true => Index::new(coordinates).search(coordinates, count, true),
        // Some are laid out, by neighbours among themselves.
        false => Neighbours::default(),
    };
    lay_out(coordinates, &near, options)
}

/// The first neighbours of each point.
fn first(near: &Neighbours, count: usize) -> Neighbours {
    let count = count.min(near.count);
    let (mut indices, mut distances) = (Vec::new(), Vec::new());
    for point in 0..near.points {
        let (others, lengths) = near.of(point);
        indices.extend_from_slice(&others[..count]);
        distances.extend_from_slice(&lengths[..count]);
    }
    Neighbours {
        points: near.points,
        count,
        indices,
        distances,
    }
}

fn lay_out(coordinates: &Matrix, near: &Neighbours, options: &MapOptions) -> Matrix {
    let count = options.neighbours.saturating_sub(1);
    if coordinates.rows() <= MOST_LAID_OUT {
        let graph = umap::Graph::new(&first(near, count));
        return umap::layout(&graph, coordinates, options.seed);
    }
    let step = coordinates.rows().div_ceil(LAID_OUT);
    let kept: Vec<usize> = (0..coordinates.rows()).step_by(step).collect();
    let sample = coordinates.select(&kept);
    let index = Index::new(&sample);
    let graph = umap::Graph::new(&index.search(&sample, count, true));
    let laid_out = umap::layout(&graph, &sample, options.seed);
    let others = index.search(coordinates, count, false);
    let mut all = umap::place(&others, &laid_out, options.seed);
    for (row, at) in kept.iter().enumerate() {
        all.row_mut(*at).copy_from_slice(laid_out.row(row));
    }
    all
}

/// Mean distance to the nearest neighbours; 0 for the only call.
fn isolation(near: &Neighbours) -> Vec<f32> {
    let near = first(near, ISOLATION_NEIGHBOURS);
    (0..near.points)
        .map(|point| {
            let (_, distances) = near.of(point);
            distances.iter().sum::<f32>() / distances.len().max(1) as f32
        })
        .collect()
}

/// New calls on an old map.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Places in the plane.
    pub umap: Matrix,
    /// The nearest centre of k-means.
    pub kmeans: Vec<u32>,
    /// Of each call the old call that is nearest.
    pub nearest: Vec<u32>,
    /// Mean distance to the nearest old calls.
    pub isolation: Vec<f32>,
    /// Share of the old calls that lie nearer to their neighbours, 0 to 1.
    pub novelty: Vec<f32>,
}

/// The calls of an old map.
#[derive(Debug, Clone, Copy)]
pub struct OldMap<'a> {
    /// Their coordinates.
    pub coordinates: &'a Matrix,
    /// Their places.
    pub umap: &'a Matrix,
    /// The centres of k-means.
    pub centres: &'a Matrix,
    /// [`Map::isolation`].
    pub isolation: &'a [f32],
}

impl OldMap<'_> {
    /// Places new calls by their coordinates; no old call moves.
    pub fn place(&self, coordinates: &Matrix, options: &MapOptions) -> Placed {
        let index = Index::new(self.coordinates);
        let count = options.neighbours.max(ISOLATION_NEIGHBOURS);
        let near = index.search(coordinates, count, false);
        let isolation = isolation(&near);
        let mut sorted = self.isolation.to_vec();
        sorted.sort_by(f32::total_cmp);
        let novelty = isolation.iter().map(|own| {
            let nearer = sorted.partition_point(|other| other < own);
            nearer as f32 / sorted.len().max(1) as f32
        });
        let rows = 0..coordinates.rows();
        Placed {
            umap: umap::place(&first(&near, options.neighbours), self.umap, options.seed),
            kmeans: rows
                .clone()
                .map(|at| super::knn::nearest(self.centres, coordinates.row(at)).0 as u32)
                .collect(),
            nearest: rows
                .map(|at| near.of(at).0.first().copied().unwrap_or(0))
                .collect(),
            novelty: novelty.collect(),
            isolation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knn::tests::clouds;

    const OPTIONS: MapOptions = MapOptions {
        components: 200,
        dimensions: 50,
        neighbours: 15,
        clusters: Some(5),
        seed: 1,
    };

    #[test]
    fn layers_become_a_map_and_new_calls_are_placed_on_it() {
        let (wide, narrow) = (clouds(500, 5, 40, 0.5), clouds(500, 5, 3, 0.5));
        let layers = [("wide", &wide), ("narrow", &narrow)];
        let (reducer, coordinates) = Reducer::fit(&layers, &OPTIONS);
        let names = ["wide".to_owned(), "narrow".to_owned()];
        let again = Reducer::of_arrays(&names, &reducer.arrays()).unwrap();
        assert_eq!(again.apply(&[&wide, &narrow]), coordinates);
        let map = Map::new(&coordinates, &OPTIONS);
        assert!((0..500).all(|at| map.kmeans.clusters[at] == map.kmeans.clusters[at % 5]));

        let old = OldMap {
            coordinates: &coordinates,
            umap: &map.umap,
            centres: &map.kmeans.centres,
            isolation: &map.isolation,
        };
        let known = [3usize, 104];
        let far = Matrix::new(40, vec![60.0; 40]);
        let far_too = Matrix::new(3, vec![60.0; 3]);
        let mut new = reducer.apply(&[&wide.select(&known), &narrow.select(&known)]);
        let beyond = reducer.apply(&[&far, &far_too]);
        new = Matrix::new(new.columns(), [new.data(), beyond.data()].concat());
        let placed = old.place(&new, &OPTIONS);
        assert_eq!(placed.nearest[..2], [3, 104]);
        assert_eq!(placed.kmeans[0], map.kmeans.clusters[3]);
        assert_eq!(placed.novelty[2], 1.0);
        assert!(placed.novelty[0] < 0.9);
    }

    #[test]
    fn any_number_of_calls_has_a_map_without_nan() {
        for count in [0usize, 1, 2, 7] {
            let layer = clouds(count, 1, 30, 1.0);
            let layer = if count == 0 {
                Matrix::zeros(0, 30)
            } else {
                layer
            };
            let constant = Matrix::zeros(count, 4);
            let layers = [("a", &layer), ("b", &constant)];
            let options = MapOptions {
                clusters: None,
                ..OPTIONS
            };
            let (_, coordinates) = Reducer::fit(&layers, &options);
            let map = Map::new(&coordinates, &options);
            assert_eq!(map.umap.rows(), count);
            assert_eq!(map.kmeans.clusters.len(), count);
            assert!(map.umap.data().iter().all(|value| value.is_finite()));
            assert!(map.isolation.iter().all(|value| value.is_finite()));
        }
    }
}
