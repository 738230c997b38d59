//! `cnnfilter embed map`: calls with their activations become a map, clusters and tables.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::page;
use super::tables;
use crate::io::{atomic, embedding_file, h5ad};
use crate::terminal::summary::EmbedMapSummary;
use crate::terminal::threads;
use cnnfilter_embed::enrichment::{Enrichment, enrichments, to_tsv};
use cnnfilter_embed::map::places;
use cnnfilter_embed::{
    Column, Embedding, LayerMeta, Map, MapMeta, MapOptions, Matrix, OldMap, Reducer,
};

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct EmbedMapPlan {
    /// The file of embeddings.
    pub(crate) input: PathBuf,
    /// Layers by name; empty for all.
    pub(crate) layers: Vec<String>,
    /// An old map on which the calls are placed.
    pub(crate) transform: Option<PathBuf>,
    /// Choices of a new map.
    pub(crate) options: MapOptions,
    /// The map.
    pub(crate) output: Option<PathBuf>,
    /// A UMAP of each layer, too.
    pub(crate) by_layer: bool,
    /// The same as a page for a browser.
    pub(crate) page: Option<PathBuf>,
    /// A page of `view`, as an address from that page.
    pub(crate) view: Option<String>,
    /// The same as AnnData, with the activations.
    pub(crate) h5ad: Option<PathBuf>,
    /// Clusters and columns that go together.
    pub(crate) enrichment: Option<PathBuf>,
    /// Calls whose neighbours have another label.
    pub(crate) label_errors: Option<PathBuf>,
    /// Share of the neighbours that must have another label.
    pub(crate) label_share: f32,
    /// Calls whose neighbours are asked for, `contig:position[:REF>ALT]`.
    pub(crate) like: Vec<String>,
    /// Calls that are most like these.
    pub(crate) neighbours: Option<PathBuf>,
    /// Neighbours of each.
    pub(crate) most: usize,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// Names of the two layers of a map.
const COORDINATES: &str = "pca";
const PLACES: &str = "umap";
/// The array of the centres of k-means.
const CENTRES: &str = "kmeans.centres";
/// The columns of clusters.
const CLUSTERINGS: [&str; 3] = ["kmeans", "hierarchical", "spectral"];
/// Columns that a comparison of clusters leaves out: names and places.
const NOT_COMPARED: [&str; 7] = [
    "record",
    "pos",
    "ref",
    "alt",
    "kmeans",
    "hierarchical",
    "spectral",
];

/// Makes the map and what belongs to it.
///
/// # Errors
/// An input that cannot be read or does not fit, or an output that cannot be written.
pub(crate) fn run(plan: &EmbedMapPlan) -> Result<EmbedMapSummary> {
    for path in plan.outputs() {
        atomic::check_target(path)?;
    }
    let pool = threads::pool(plan.threads)?;
    let mut input = embedding_file::read(&plan.input, &plan.layers)?;
    if input.meta.map.is_some() {
        bail!(
            "{}: it is a map; give the file that `cnnfilter embed` wrote",
            plan.input.display()
        );
    }
    let made = match &plan.transform {
        Some(old) => pool.install(|| place(plan, &mut input, old))?,
        None => pool.install(|| make(plan, &mut input)),
    };
    pool.install(|| write(plan, input, made))
}

impl EmbedMapPlan {
    /// All files that the run writes.
    fn outputs(&self) -> impl Iterator<Item = &PathBuf> {
        let outputs = [
            &self.output,
            &self.page,
            &self.h5ad,
            &self.enrichment,
            &self.label_errors,
            &self.neighbours,
        ];
        outputs.into_iter().flatten()
    }
}

/// A map before it is written.
pub(super) struct Made {
    pub(super) coordinates: Matrix,
    pub(super) places: Matrix,
    /// Of each layer by itself, where that is asked for.
    pub(super) by_layer: Vec<(String, Matrix)>,
    /// Nothing where calls were placed on an old map.
    meta: MapMeta,
    arrays: Vec<(String, Matrix)>,
}

/// Makes a new map; clusters become columns of the input.
fn make(plan: &EmbedMapPlan, input: &mut Embedding) -> Made {
    let options = &plan.options;
    let layers: Vec<(&str, &Matrix)> = (input.meta.layers.iter().zip(&input.layers))
        .map(|(layer, matrix)| (layer.name.as_str(), matrix))
        .collect();
    let (reducer, coordinates) = Reducer::fit(&layers, options);
    let map = Map::new(&coordinates, options);
    let by_layer = match plan.by_layer && layers.len() > 1 {
        true => layers
            .iter()
            .map(|layer| of_layer(*layer, options))
            .collect(),
        false => Vec::new(),
    };
    let mut arrays = reducer.arrays();
    arrays.push((CENTRES.to_owned(), map.kmeans.centres.clone()));
    let meta = MapMeta {
        layers: reducer.layers().map(|(name, _)| name.to_owned()).collect(),
        components: reducer.kept(),
        neighbours: options.neighbours,
        seed: options.seed,
        silhouettes: map.silhouettes,
        arrays: (arrays.iter())
            .map(|(name, matrix)| (name.clone(), matrix.rows(), matrix.columns()))
            .collect(),
    };
    input.put("kmeans", cluster_column(&map.kmeans.clusters));
    let names = map.hierarchical.iter();
    input.put(
        "hierarchical",
        sorted_words(&names.map(String::as_str).collect::<Vec<_>>()),
    );
    input.put("spectral", cluster_column(&map.spectral));
    input.put("isolation", Column::Numbers(map.isolation));
    Made {
        coordinates,
        places: map.umap,
        by_layer,
        meta,
        arrays,
    }
}

/// The places of the calls by one layer.
fn of_layer((name, matrix): (&str, &Matrix), options: &MapOptions) -> (String, Matrix) {
    let (_, coordinates) = Reducer::fit(&[(name, matrix)], options);
    (name.to_owned(), places(&coordinates, options))
}

/// Places the calls on an old map.
///
/// # Errors
/// A file that is no map, or a map of another model or of layers that the input lacks.
fn place(plan: &EmbedMapPlan, input: &mut Embedding, path: &Path) -> Result<Made> {
    let old = embedding_file::read(path, &[])?;
    let (Some(meta), Some(coordinates), Some(places)) = (
        old.meta.map.clone(),
        old.layer(COORDINATES),
        old.layer(PLACES),
    ) else {
        bail!(
            "{}: it is no map; give the -o of `cnnfilter embed map`",
            path.display()
        );
    };
    if old.meta.weights_sha256 != input.meta.weights_sha256 {
        bail!(
            "{}: it is a map of model `{}` ({:.12}), and {} is of model `{}` ({:.12}); embed the calls with the map's model",
            path.display(),
            old.meta.model,
            old.meta.weights_sha256,
            plan.input.display(),
            input.meta.model,
            input.meta.weights_sha256
        );
    }
    let damaged = || {
        anyhow::anyhow!(
            "{}: the map is damaged; make it again with `cnnfilter embed map`",
            path.display()
        )
    };
    let reducer = Reducer::of_arrays(&meta.layers, &old.arrays).ok_or_else(damaged)?;
    let mut layers = Vec::new();
    for (name, width) in reducer.layers() {
        match input.layer(name) {
            Some(layer) if layer.columns() == width => layers.push(layer),
            _ => bail!(
                "{}: it lacks layer `{name}` ({width} numbers), of which {} is made; embed it with --layers {}",
                plan.input.display(),
                path.display(),
                meta.layers.join(",")
            ),
        }
    }
    let new = reducer.apply(&layers);
    let centres = old.arrays.iter().find(|(name, _)| name == CENTRES);
    let (_, centres) = centres.ok_or_else(damaged)?;
    let Some(Column::Numbers(isolation)) = old.column("isolation") else {
        return Err(damaged());
    };
    let options = MapOptions {
        neighbours: meta.neighbours,
        ..plan.options
    };
    let placed = OldMap {
        coordinates,
        umap: places,
        centres,
        isolation,
    }
    .place(&new, &options);
    for name in CLUSTERINGS {
        let column = match (name, old.column(name)) {
            ("kmeans", Some(Column::Categories { levels, .. })) => Column::Categories {
                codes: placed.kmeans.iter().map(|at| *at as i32).collect(),
                levels: levels.clone(),
            },
            (_, Some(column)) if !old.is_empty() => {
                let nearest: Vec<usize> = placed.nearest.iter().map(|at| *at as usize).collect();
                column.select(&nearest)
            }
            _ => continue,
        };
        input.put(name, column);
    }
    input.put("isolation", Column::Numbers(placed.isolation));
    input.put("novelty", Column::Numbers(placed.novelty));
    Ok(Made {
        coordinates: new,
        places: placed.umap,
        by_layer: Vec::new(),
        meta,
        arrays: old.arrays,
    })
}

/// Clusters as words, from 1, in their order.
fn cluster_column(clusters: &[u32]) -> Column {
    let count = clusters.iter().max().map_or(0, |last| last + 1);
    Column::Categories {
        codes: clusters.iter().map(|at| *at as i32).collect(),
        levels: (1..=count).map(|at| at.to_string()).collect(),
    }
}

/// Words whose codes are in their order.
fn sorted_words(words: &[&str]) -> Column {
    let mut levels: Vec<&str> = words.to_vec();
    levels.sort_unstable();
    levels.dedup();
    let code = |word: &&str| levels.binary_search(word).map_or(-1, |at| at as i32);
    Column::Categories {
        codes: words.iter().map(code).collect(),
        levels: levels.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// Writes all outputs.
fn write(plan: &EmbedMapPlan, input: Embedding, made: Made) -> Result<EmbedMapSummary> {
    let rows = compare(&input);
    let mut summary = EmbedMapSummary::new(&input, &made.meta, &rows);
    if let Some(path) = &plan.h5ad {
        let mut maps = vec![
            ("X_pca".to_owned(), &made.coordinates),
            ("X_umap".to_owned(), &made.places),
        ];
        let by_layer = made.by_layer.iter();
        maps.extend(by_layer.map(|(name, places)| (format!("X_umap_{name}"), places)));
        h5ad::write(path, &input, &maps)?;
    }
    if let Some(path) = &plan.enrichment {
        atomic::write(path, to_tsv(&rows).as_bytes())?;
    }
    if let Some(path) = &plan.label_errors {
        let Some(labels) = input.column("label") else {
            bail!(
                "--label-errors: {} has no labels; embed the calls with --truth or --labels",
                plan.input.display()
            );
        };
        let (text, found) =
            tables::label_errors(&input, &made.coordinates, labels, plan.label_share);
        summary.label_errors = Some(found);
        atomic::write(path, text.as_bytes())?;
    }
    if let Some(path) = &plan.neighbours {
        let text = tables::neighbours(&input, &made.coordinates, &plan.like, plan.most)?;
        atomic::write(path, text.as_bytes())?;
    }
    if let Some(path) = &plan.page {
        page::write(path, plan, &input, &made, &rows)?;
    }
    if let Some(path) = &plan.output {
        embedding_file::write(path, &as_map(input, made))?;
    }
    Ok(summary)
}

/// Clusters against columns.
fn compare(input: &Embedding) -> Vec<Enrichment> {
    let named = |name: &'static str| Some((name, input.column(name)?));
    let clusterings: Vec<(&str, &Column)> = CLUSTERINGS.into_iter().filter_map(named).collect();
    let columns: Vec<(&str, &Column)> = (input.meta.columns.iter().zip(&input.columns))
        .filter(|(meta, _)| !NOT_COMPARED.contains(&meta.name.as_str()))
        .map(|(meta, column)| (meta.name.as_str(), column))
        .collect();
    enrichments(&clusterings, &columns)
}

/// The file of a map: coordinates and places instead of activations.
fn as_map(mut input: Embedding, made: Made) -> Embedding {
    let layer = |name: &str, matrix: &Matrix, pools: &str| LayerMeta {
        name: name.to_owned(),
        width: matrix.columns(),
        pools: pools.to_owned(),
    };
    input.meta.layers = vec![
        layer(
            COORDINATES,
            &made.coordinates,
            "principal components of the joined layers",
        ),
        layer(PLACES, &made.places, "places on the map"),
    ];
    input.layers = vec![made.coordinates, made.places];
    for (name, places) in made.by_layer {
        let of_layer = layer(
            &format!("{PLACES}.{name}"),
            &places,
            "places on the map of the layer",
        );
        input.meta.layers.push(of_layer);
        input.layers.push(places);
    }
    input.meta.map = Some(made.meta);
    input.arrays = made.arrays;
    input
}
