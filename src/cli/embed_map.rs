//! `cnnfilter embed map`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::files::Files;
use super::output::plain;
use super::run::ThreadsArgs;
use super::usage::Wrong;
use crate::commands::embed::EmbedMapPlan;
use cnnfilter_embed::MapOptions;

/// Make a map of embedded calls: principal components, UMAP, clusters, and what is common in each.
///
/// Each layer is scaled and reduced, the layers are joined and reduced again. The map is the same for the same
/// seed, with any number of threads.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("outputs").required(true).multiple(true).args(
    ["output", "page", "h5ad", "enrichment", "label_errors", "neighbour_table"])))]
pub(crate) struct EmbedMapArgs {
    /// The file of embeddings that `cnnfilter embed` wrote (.emb, .npz).
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// The map (.emb, .npz): coordinates, places, clusters, all columns, and what --transform needs.
    #[arg(short = 'o', long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// A page for a browser (.html): the map coloured by any column, clusters and what is common in them, a
    /// lasso. Beyond 50,000 calls its data lie beside it (.data.js).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    page: Option<PathBuf>,

    /// A page of `cnnfilter view` of the same calls, beside the page: it shows the call under the pointer.
    #[arg(long, value_name = "FILE", requires = "page", help_heading = "Output")]
    view: Option<String>,

    /// Map and activations for AnnData and scanpy (obsm X_umap and X_pca).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    h5ad: Option<PathBuf>,

    /// A table (TSV) of what is more common in each cluster: share, odds ratio or effect, p and q.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    enrichment: Option<PathBuf>,

    /// A table (TSV) of calls whose nearest labelled neighbours have another label.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    label_errors: Option<PathBuf>,

    /// Share of the 15 neighbours that must have another label.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, requires = "label_errors", help_heading = "Output",
          value_parser = parse_share)]
    label_share: f32,

    /// A table (TSV) of the calls that are most like those of --like.
    #[arg(long, value_name = "FILE", requires = "like", help_heading = "Output")]
    neighbour_table: Option<PathBuf>,

    /// Calls for --neighbour-table: contig:position or contig:position:REF>ALT; several times for several.
    #[arg(
        long,
        value_name = "CALL",
        requires = "neighbour_table",
        help_heading = "Output"
    )]
    like: Vec<String>,

    /// Neighbours of each call of --like.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "like", help_heading = "Output",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    most: u32,

    /// Layers, by name; left out, all of the file.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',', help_heading = "Map")]
    layers: Vec<String>,

    /// Lay out each layer by itself as well: places `umap.NAME` in the map, X_umap_NAME in AnnData, and maps
    /// side by side on the page. Takes as long again for each layer.
    #[arg(long, help_heading = "Map")]
    by_layer: bool,

    /// Place the calls on an old map, which does not move. A column `novelty` says how far each lies from all
    /// of its calls.
    #[arg(long, value_name = "MAP", help_heading = "Map",
          conflicts_with_all = ["layers", "by_layer", "components", "dimensions", "neighbours", "clusters"])]
    transform: Option<PathBuf>,

    /// Principal components of a layer at most.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Map",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    components: u32,

    /// Principal components of the joined layers at most.
    #[arg(long, value_name = "N", default_value_t = 50, help_heading = "Map",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    dimensions: u32,

    /// Neighbours by which UMAP places a call, itself counted.
    #[arg(long, value_name = "N", default_value_t = 15, help_heading = "Map",
          value_parser = clap::value_parser!(u32).range(2..=200))]
    neighbours: u32,

    /// Clusters: a number, or auto, which takes the number with the best silhouette (2 to 20).
    #[arg(long, value_name = "N|auto", default_value = "15", value_parser = parse_clusters, help_heading = "Map")]
    clusters: Clusters,

    /// Seed of all that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Map")]
    seed: u64,

    #[command(flatten)]
    threads: ThreadsArgs,
}

/// A number of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clusters {
    Auto,
    Number(usize),
}

fn parse_clusters(text: &str) -> Result<Clusters, String> {
    match (text, text.parse()) {
        ("auto", _) => Ok(Clusters::Auto),
        (_, Ok(number @ 1..=500)) => Ok(Clusters::Number(number)),
        _ => Err("expected a number, 1 to 500, or auto".to_owned()),
    }
}

fn parse_share(text: &str) -> Result<f32, String> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share, 0 to 1".to_owned())
}

impl EmbedMapArgs {
    /// The settings of the run, defaults filled in.
    ///
    /// # Errors
    /// An output that is standard output or named twice.
    pub(super) fn resolve(self, files: &mut Files) -> Result<EmbedMapPlan, Wrong> {
        files.input("FILE", &self.input);
        files.inputs("--transform", &self.transform);
        for (option, path) in [
            ("-o", &self.output),
            ("--page", &self.page),
            ("--h5ad", &self.h5ad),
            ("--enrichment", &self.enrichment),
            ("--label-errors", &self.label_errors),
            ("--neighbour-table", &self.neighbour_table),
        ] {
            let Some(path) = path else { continue };
            if plain(path) == Path::new("-") {
                return Err(Wrong::value(format!(
                    "{option}: it cannot go to standard output; give a file name"
                )));
            }
            files.output(option, path);
        }
        Ok(EmbedMapPlan {
            by_layer: self.by_layer,
            input: self.input,
            layers: self.layers,
            transform: self.transform,
            options: MapOptions {
                components: self.components as usize,
                dimensions: self.dimensions as usize,
                neighbours: self.neighbours as usize,
                clusters: match self.clusters {
                    Clusters::Auto => None,
                    Clusters::Number(number) => Some(number),
                },
                seed: self.seed,
            },
            output: self.output,
            page: self.page,
            view: self.view,
            h5ad: self.h5ad,
            enrichment: self.enrichment,
            label_errors: self.label_errors,
            label_share: self.label_share,
            like: self.like,
            neighbours: self.neighbour_table,
            most: self.most as usize,
            threads: self.threads.resolve(),
        })
    }
}
