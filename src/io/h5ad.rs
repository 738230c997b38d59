//! AnnData files (`.h5ad`), as scanpy reads them: calls are observations, numbers of layers variables.
//!
//! The layout is that of AnnData's on-disk format 0.1.0 (dataframes and arrays 0.2.0). The whole file is made in
//! memory.

use std::io::{BufWriter, Write};
use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder, FinishedGroup, GroupBuilder};

use super::atomic::PendingFile;
use super::error::IoError;
use cnnfilter_embed::{Column, Embedding, Matrix};

/// Tables of numbers beside the calls: maps by name (`X_umap`, `X_pca`).
pub type Maps<'a> = &'a [(String, &'a Matrix)];

/// Writes calls, and maps of them.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(target: &Path, embedding: &Embedding, maps: Maps<'_>) -> Result<(), IoError> {
    let fail = |error: hdf5_pure::Error| IoError::other(target, format!("cannot write: {error}"));
    let (pending, file) = PendingFile::create(target)?;
    let mut builder = FileBuilder::new();
    for (name, value) in encoding("anndata", "0.1.0") {
        builder.set_attr(name, value);
    }
    let joined = Matrix::beside(&embedding.layers);
    let data = builder.create_dataset("X");
    data.with_f32_data(joined.data())
        .with_shape(&[embedding.len() as u64, joined.columns() as u64]);
    for (name, value) in encoding("array", "0.2.0") {
        data.set_attr(name, value);
    }
    let groups = [
        observations(builder.create_group("obs"), embedding),
        variables(builder.create_group("var"), embedding),
        maps_group(builder.create_group("obsm"), maps),
        unstructured(builder.create_group("uns"), embedding),
    ];
    for group in groups {
        builder.add_group(group.map_err(fail)?);
    }
    for name in ["layers", "obsp", "varm", "varp"] {
        let mut group = builder.create_group(name);
        describe(&mut group, "dict", "0.1.0");
        builder.add_group(group.finish());
    }
    let mut out = BufWriter::new(file);
    builder.finish_to(&mut out).map_err(fail)?;
    out.flush()
        .map_err(|error| IoError::system(target, "write", error))?;
    pending.commit()
}

type Group = Result<FinishedGroup, hdf5_pure::Error>;

fn text(text: &str) -> AttrValue {
    AttrValue::VarLenString(text.to_owned())
}

/// The two attributes by which AnnData knows what an object is.
fn encoding(kind: &str, version: &str) -> [(&'static str, AttrValue); 2] {
    [
        ("encoding-type", text(kind)),
        ("encoding-version", text(version)),
    ]
}

fn describe(group: &mut GroupBuilder, kind: &str, version: &str) {
    for (name, value) in encoding(kind, version) {
        group.set_attr(name, value);
    }
}

fn words(group: &mut GroupBuilder, name: &str, words: &[&str]) {
    let data = group.create_dataset(name);
    data.with_vlen_strings(words);
    for (name, value) in encoding("string-array", "0.2.0") {
        data.set_attr(name, value);
    }
}

fn array<'a>(group: &'a mut GroupBuilder, name: &str) -> &'a mut hdf5_pure::DatasetBuilder {
    let data = group.create_dataset(name);
    for (name, value) in encoding("array", "0.2.0") {
        data.set_attr(name, value);
    }
    data
}

/// Begins a dataframe with these columns.
fn dataframe(group: &mut GroupBuilder, columns: &[String]) {
    describe(group, "dataframe", "0.2.0");
    group.set_attr("_index", text("_index"));
    let order = AttrValue::VarLenStringArray(columns.to_vec());
    group.set_attr("column-order", order);
}

fn observations(mut group: GroupBuilder, embedding: &Embedding) -> Group {
    let names: Vec<String> = (embedding.meta.columns.iter())
        .map(|column| column.name.clone())
        .collect();
    dataframe(&mut group, &names);
    let calls: Vec<String> = (0..embedding.len()).map(|at| embedding.name(at)).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    words(&mut group, "_index", &calls);
    for (name, column) in names.iter().zip(&embedding.columns) {
        match column {
            Column::Numbers(values) => {
                array(&mut group, name).with_f32_data(values);
            }
            Column::Integers(values) => {
                array(&mut group, name).with_i64_data(values);
            }
            Column::Categories { codes, levels } => {
                let mut inner = group.create_group(name);
                describe(&mut inner, "categorical", "0.2.0");
                inner.set_attr("ordered", AttrValue::U8(0));
                array(&mut inner, "codes").with_i32_data(codes);
                let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
                words(&mut inner, "categories", &levels);
                group.add_group(inner.finish());
            }
        }
    }
    Ok(group.finish())
}

fn variables(mut group: GroupBuilder, embedding: &Embedding) -> Group {
    dataframe(&mut group, &["layer".to_owned()]);
    let layers = &embedding.meta.layers;
    let names: Vec<String> = (layers.iter())
        .flat_map(|layer| (0..layer.width).map(|at| format!("{}:{at}", layer.name)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    words(&mut group, "_index", &names);
    let mut inner = group.create_group("layer");
    describe(&mut inner, "categorical", "0.2.0");
    inner.set_attr("ordered", AttrValue::U8(0));
    let codes: Vec<i32> = (layers.iter().enumerate())
        .flat_map(|(at, layer)| std::iter::repeat_n(at as i32, layer.width))
        .collect();
    array(&mut inner, "codes").with_i32_data(&codes);
    let levels: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    words(&mut inner, "categories", &levels);
    group.add_group(inner.finish());
    Ok(group.finish())
}

fn maps_group(mut group: GroupBuilder, maps: Maps<'_>) -> Group {
    describe(&mut group, "dict", "0.1.0");
    for (name, matrix) in maps {
        let data = array(&mut group, name);
        data.with_f32_data(matrix.data())
            .with_shape(&[matrix.rows() as u64, matrix.columns() as u64]);
    }
    Ok(group.finish())
}

fn unstructured(mut group: GroupBuilder, embedding: &Embedding) -> Group {
    describe(&mut group, "dict", "0.1.0");
    let meta = &embedding.meta;
    for (name, value) in [
        ("cnnfilter_version", &meta.cnnfilter_version),
        ("model", &meta.model),
        ("architecture", &meta.architecture),
        ("weights_sha256", &meta.weights_sha256),
    ] {
        words(&mut group, name, &[value]);
    }
    Ok(group.finish())
}
