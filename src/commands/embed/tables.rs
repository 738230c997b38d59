//! Tables of calls that belong to a map: label errors, neighbours.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use cnnfilter_embed::knn::Index;
use cnnfilter_embed::{Column, Embedding, Matrix, labels};

/// Columns that say which call a row is about; `tensors --labels` and `view --labels` know them.
const CALL: [(&str, &str); 4] = [
    ("chrom", "contig"),
    ("pos", "pos"),
    ("ref", "ref"),
    ("alt", "alt"),
];

fn value(embedding: &Embedding, column: &str, call: usize) -> String {
    let column = embedding.column(column);
    column.map(|column| column.text(call)).unwrap_or_default()
}

/// The place and alleles of a call, tabs between them.
fn place(embedding: &Embedding, call: usize) -> String {
    let values: Vec<String> = (CALL.iter())
        .map(|(_, column)| value(embedding, column, call))
        .collect();
    values.join("\t")
}

fn header() -> String {
    let names: Vec<&str> = CALL.iter().map(|(name, _)| *name).collect();
    names.join("\t")
}

/// A label as tables of labels have it.
fn verdict(label: &str) -> &str {
    match label {
        "real" => "TP",
        "false" => "FP",
        other => other,
    }
}

/// Calls whose neighbours disagree with their label, and how many they are.
pub(super) fn label_errors(
    embedding: &Embedding,
    coordinates: &Matrix,
    of_calls: &Column,
    share: f32,
) -> (String, u64) {
    let found = labels::doubts(coordinates, of_calls, share);
    let mut text = format!(
        "{}\tlabel\tneighbours_say\tshare\tdistance\tscore\tsample\n",
        header()
    );
    for doubt in &found {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{:.3}\t{:.4}\t{}\t{}",
            place(embedding, doubt.call),
            verdict(&of_calls.text(doubt.call)),
            verdict(&doubt.others),
            doubt.share,
            doubt.distance,
            value(embedding, "score", doubt.call),
            value(embedding, "sample", doubt.call)
        );
    }
    (text, found.len() as u64)
}

/// The calls that are most like each of some.
///
/// # Errors
/// A call that the file does not have.
pub(super) fn neighbours(
    embedding: &Embedding,
    coordinates: &Matrix,
    like: &[String],
    most: usize,
) -> Result<String> {
    let mut asked = Vec::new();
    for name in like {
        let before = asked.len();
        asked.extend((0..embedding.len()).filter(|call| is_named(embedding, *call, name)));
        if asked.len() == before {
            bail!(
                "--like {name}: no call of that name; expected contig:position or contig:position:REF>ALT of a call in the file"
            );
        }
    }
    let near = Index::new(coordinates).search(&coordinates.select(&asked), most + 1, false);
    let mut text = format!(
        "like\trank\tdistance\t{}\tsample\ttype\tgenotype\tfilter\tscore\tkmeans\n",
        header()
    );
    for (row, call) in asked.iter().enumerate() {
        let (indices, distances) = near.of(row);
        let others = indices.iter().zip(distances);
        let others = others
            .filter(|(other, _)| **other as usize != *call)
            .take(most);
        for (rank, (other, distance)) in others.enumerate() {
            let other = *other as usize;
            let columns = ["sample", "type", "genotype", "filter", "score", "kmeans"];
            let values: Vec<String> = (columns.iter())
                .map(|column| value(embedding, column, other))
                .collect();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{}\t{}\t{distance:.4}\t{}\t{}",
                embedding.name(*call),
                rank + 1,
                place(embedding, other),
                values.join("\t")
            );
        }
    }
    Ok(text)
}

/// Returns true for a call of this name, its alleles named or not.
fn is_named(embedding: &Embedding, call: usize, name: &str) -> bool {
    let whole = embedding.name(call);
    let without_sample = whole.split('@').next().unwrap_or_default();
    let place = without_sample.rsplit_once(':').map(|(place, _)| place);
    name == whole || name == without_sample || Some(name) == place
}
