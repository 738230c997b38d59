//! The page of a map.

use std::path::Path;

use anyhow::Result;

use super::map::{EmbedMapPlan, Made};
use crate::io::atomic;
use cnnfilter_embed::enrichment::{Enrichment, text_of_ln};
use cnnfilter_embed::{Column, Embedding, Matrix};
use cnnfilter_view::map_page::{Finding, MapPage, Pane, Values};

/// Findings of a cluster that the page shows.
const FINDINGS: usize = 15;

/// Writes the page, and the script with its data where there are many calls.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write(
    path: &Path,
    plan: &EmbedMapPlan,
    input: &Embedding,
    made: &Made,
    rows: &[Enrichment],
) -> Result<()> {
    let mut maps = vec![("UMAP".to_owned(), in_the_plane(&made.places))];
    for (name, places) in &made.by_layer {
        maps.push((format!("UMAP of {name}"), in_the_plane(places)));
    }
    let components = "first two principal components".to_owned();
    maps.push((components, in_the_plane(&made.coordinates)));
    let columns = (input.meta.columns.iter().zip(&input.columns)).map(|(meta, column)| {
        let values = match column {
            Column::Numbers(values) => Values::Numbers(values),
            Column::Integers(values) => Values::Integers(values),
            Column::Categories { codes, levels } => Values::Words(codes, levels),
        };
        (meta.name.as_str(), values)
    });
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let layers: Vec<&str> = (input.meta.layers.iter())
        .map(|layer| layer.name.as_str())
        .collect();
    let page = MapPage {
        title: format!("cnnfilter embed: {}", name(&plan.input)),
        notes: vec![format!(
            "What {} makes of them, by layers {}. Each point is a call; clusters are made in all dimensions, not in the plane.",
            input.meta.model,
            layers.join(", ")
        )],
        provenance: provenance(input),
        panes: maps
            .iter()
            .map(|(name, places)| Pane { name, places })
            .collect(),
        columns: columns.collect(),
        findings: findings(rows),
        view: plan.view.clone(),
    };
    let data_path = path.with_extension("data.js");
    let made = page.finish(&name(&data_path))?;
    if let Some(data) = made.data {
        atomic::write(&data_path, data.as_bytes())?;
    }
    Ok(atomic::write(path, made.page.as_bytes())?)
}

fn provenance(input: &Embedding) -> Vec<(String, String)> {
    let meta = &input.meta;
    let mut facts = meta.inputs.clone();
    let model = format!("{} ({})", meta.model, meta.architecture);
    facts.push(("model".to_owned(), model));
    facts.push((
        "SHA-256 of its weights".to_owned(),
        meta.weights_sha256.clone(),
    ));
    facts.push(("cnnfilter".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    facts
}

/// The first two columns; 0 where there is none.
fn in_the_plane(matrix: &Matrix) -> Vec<[f32; 2]> {
    (0..matrix.rows())
        .map(|row| {
            let row = matrix.row(row);
            std::array::from_fn(|axis| row.get(axis).copied().unwrap_or(0.0))
        })
        .collect()
}

/// The first findings of each cluster whose q is below 0.05: words that are more common there, and numbers.
fn findings(rows: &[Enrichment]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut of_cluster = 0;
    for row in rows {
        let same = found.last().is_some_and(|last| {
            (&last.clustering, &last.cluster) == (&row.clustering, &row.cluster)
        });
        of_cluster = if same { of_cluster } else { 0 };
        let says = row.ln_q < 0.05f64.ln() && (row.value.is_none() || row.effect > 1.0);
        if says && of_cluster < FINDINGS {
            of_cluster += 1;
            found.push(Finding {
                clustering: row.clustering.clone(),
                cluster: row.cluster.clone(),
                column: row.column.clone(),
                value: row.value.clone(),
                inside: row.inside,
                outside: row.outside,
                effect: row.effect,
                q: text_of_ln(row.ln_q),
            });
        }
    }
    found
}
