//! The end of `embed map`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Summary, count_line};
use cnnfilter_embed::enrichment::Enrichment;
use cnnfilter_embed::{Column, Embedding, MapMeta};

/// A map that was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct EmbedMapSummary {
    /// Calls.
    pub(crate) calls: u64,
    /// Components of each layer, and of all joined, with the share of the variance that they keep.
    pub(crate) components: Vec<(String, usize, f64)>,
    /// Silhouettes by number of clusters, where they chose it.
    pub(crate) silhouettes: Vec<(usize, f64)>,
    /// Clusters of k-means, with what is most enriched in each.
    pub(crate) clusters: Vec<ClusterSummary>,
    /// Calls whose neighbours have another label; null where they were not asked for.
    pub(crate) label_errors: Option<u64>,
}

/// A cluster of k-means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ClusterSummary {
    /// Its name.
    pub(crate) cluster: String,
    /// Its calls.
    pub(crate) calls: u64,
    /// What is more common in it than elsewhere, as `column=value share (share elsewhere)`.
    pub(crate) enriched: Vec<String>,
}

/// Values that are named for a cluster.
const NAMED: usize = 3;

impl EmbedMapSummary {
    /// A summary of the clusters of k-means.
    pub(crate) fn new(input: &Embedding, meta: &MapMeta, rows: &[Enrichment]) -> Self {
        let mut clusters = Vec::new();
        if let Some(Column::Categories { codes, levels }) = input.column("kmeans") {
            for (at, level) in levels.iter().enumerate() {
                let calls = codes.iter().filter(|code| **code == at as i32).count();
                clusters.push(ClusterSummary {
                    cluster: level.clone(),
                    calls: calls as u64,
                    enriched: enriched(rows, level),
                });
            }
        }
        Self {
            calls: input.len() as u64,
            components: meta.components.clone(),
            silhouettes: meta.silhouettes.clone(),
            clusters,
            label_errors: None,
        }
    }
}

fn enriched(rows: &[Enrichment], cluster: &str) -> Vec<String> {
    let of_cluster = rows
        .iter()
        .filter(|row| row.clustering == "kmeans" && row.cluster == cluster && row.effect > 1.0);
    let named = of_cluster.filter_map(|row| {
        let value = row.value.as_deref()?;
        Some(format!(
            "{}={value} {:.2} ({:.2})",
            row.column, row.inside, row.outside
        ))
    });
    named.take(NAMED).collect()
}

impl Summary for EmbedMapSummary {
    const COMMAND: &'static str = "embed map";

    fn to_text(&self) -> String {
        let mut text = String::new();
        for (layer, components, share) in &self.components {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{layer}: {components} components keep {:.1} % of the variance",
                100.0 * share
            );
        }
        for cluster in &self.clusters {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "cluster {:<3} {:>8} calls  {}",
                cluster.cluster,
                cluster.calls,
                cluster.enriched.join(", ")
            );
        }
        count_line(&mut text, "calls on the map", self.calls);
        if let Some(count) = self.label_errors {
            count_line(
                &mut text,
                "calls whose neighbours have another label",
                count,
            );
        }
        text
    }
}
