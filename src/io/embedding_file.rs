//! Files of embeddings: a zip of NumPy arrays, stored without compression, with `meta.json` in front.
//!
//! ```text
//! meta.json          cnnfilter_embed::Meta
//! layer/NAME.npy     [calls, width] <f4
//! obs/NAME.npy       [calls] <f4, <i8, or <i4 codes of words in meta.json
//! map/NAME.npy       [rows, columns] <f4, of a map: what new calls are placed by
//! ```

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::atomic::PendingFile;
use super::error::{IoError, Problem};
use super::h5ad;
use cnnfilter_embed::embedding::{FORMAT, Levels};
use cnnfilter_embed::npy::{self, Kind};
use cnnfilter_embed::{Column, ColumnKind, ColumnMeta, Embedding, Matrix, Meta};

const META: &str = "meta.json";

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; NaN where it is missing.
    Number(f32),
    /// A whole number.
    Integer(i64),
    /// A word; nothing where it is missing.
    Word(Option<String>),
}

/// Writes calls one after another; each array waits in a nameless file until its length is known.
pub struct EmbeddingWriter {
    target: PathBuf,
    layers: Vec<Spool>,
    columns: Vec<(Spool, Levels)>,
    meta: Meta,
}

/// The numbers of an array so far.
struct Spool {
    file: BufWriter<File>,
}

impl EmbeddingWriter {
    /// Begins a file of the layers and columns of `meta`.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn create(target: &Path, meta: Meta) -> Result<Self, IoError> {
        // A target that cannot be is told before the work, not after it.
        PendingFile::create(target)?;
        let folder = target.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let spool = || {
            let file = tempfile::tempfile_in(folder).map_err(|error| {
                IoError::system(target, "create a temporary file beside", error)
            })?;
            let file = BufWriter::new(file);
            Ok(Spool { file })
        };
        let columns = meta
            .columns
            .iter()
            .map(|_| Ok((spool()?, Levels::default())));
        Ok(Self {
            layers: meta
                .layers
                .iter()
                .map(|_| spool())
                .collect::<Result<_, _>>()?,
            columns: columns.collect::<Result<_, _>>()?,
            target: target.to_owned(),
            meta,
        })
    }

    /// Adds a call: the numbers of all layers, one behind the other, and the values of all columns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn push(&mut self, numbers: &[f32], values: &[Value]) -> Result<(), IoError> {
        let fail = |error| IoError::system(&self.target, "write", error);
        let mut rest = numbers;
        for (layer, spool) in self.meta.layers.iter().zip(&mut self.layers) {
            let (own, behind) = rest.split_at(layer.width);
            rest = behind;
            for number in own {
                spool.file.write_all(&number.to_le_bytes()).map_err(fail)?;
            }
        }
        for (value, (spool, levels)) in values.iter().zip(&mut self.columns) {
            match value {
                Value::Number(number) => spool.file.write_all(&number.to_le_bytes()),
                Value::Integer(number) => spool.file.write_all(&number.to_le_bytes()),
                Value::Word(word) => {
                    let code = levels.code(word.as_deref());
                    spool.file.write_all(&code.to_le_bytes())
                }
            }
            .map_err(fail)?;
        }
        self.meta.calls += 1;
        Ok(())
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.meta.calls
    }

    /// Puts the file together under its name; `describe` completes what it says of itself.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self, describe: impl FnOnce(&mut Meta)) -> Result<Meta, IoError> {
        let Self {
            target,
            layers,
            columns,
            mut meta,
        } = self;
        let (spools, words): (Vec<Spool>, Vec<Levels>) = columns.into_iter().unzip();
        for (column, levels) in meta.columns.iter_mut().zip(words) {
            column.levels = levels.into_words();
        }
        describe(&mut meta);
        let fail = |error| IoError::system(&target, "write", error);
        let (pending, file) = PendingFile::create(&target)?;
        let mut zip = Zip::new(file, &target, &meta)?;
        let calls = meta.calls as usize;
        for (layer, spool) in meta.layers.iter().zip(layers) {
            let header = npy::header(Kind::F4, &[calls, layer.width]);
            zip.member(
                &layer_member(&layer.name),
                &header,
                spool.reader().map_err(fail)?,
            )?;
        }
        for (column, spool) in meta.columns.iter().zip(spools) {
            let header = npy::header(column.kind.numbers(), &[calls]);
            zip.member(
                &column_member(column),
                &header,
                spool.reader().map_err(fail)?,
            )?;
        }
        zip.finish()?;
        match is_h5ad(&target) {
            true => h5ad::write(&target, &read(pending.path(), &[])?, &[])?,
            false => pending.commit()?,
        }
        Ok(meta)
    }
}

/// Returns true for a name by which an AnnData file is wanted.
pub fn is_h5ad(target: &Path) -> bool {
    target.extension().is_some_and(|suffix| suffix == "h5ad")
}

impl Spool {
    fn reader(self) -> std::io::Result<File> {
        let mut file = self.file.into_inner().map_err(|error| error.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

/// Writes calls that are in memory.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(target: &Path, embedding: &Embedding) -> Result<(), IoError> {
    let (pending, file) = PendingFile::create(target)?;
    let mut zip = Zip::new(file, target, &embedding.meta)?;
    let calls = embedding.len();
    for (layer, matrix) in embedding.meta.layers.iter().zip(&embedding.layers) {
        let header = npy::header(Kind::F4, &[calls, layer.width]);
        let bytes: Vec<u8> = matrix.data().iter().flat_map(|n| n.to_le_bytes()).collect();
        zip.member(&layer_member(&layer.name), &header, bytes.as_slice())?;
    }
    for (meta, column) in embedding.meta.columns.iter().zip(&embedding.columns) {
        let header = npy::header(meta.kind.numbers(), &[calls]);
        let bytes: Vec<u8> = match column {
            Column::Numbers(values) => values.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Column::Integers(values) => values.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Column::Categories { codes, .. } => {
                codes.iter().flat_map(|n| n.to_le_bytes()).collect()
            }
        };
        zip.member(&column_member(meta), &header, bytes.as_slice())?;
    }
    for (name, matrix) in &embedding.arrays {
        let header = npy::header(Kind::F4, &[matrix.rows(), matrix.columns()]);
        let bytes: Vec<u8> = matrix.data().iter().flat_map(|n| n.to_le_bytes()).collect();
        zip.member(&array_member(name), &header, bytes.as_slice())?;
    }
    zip.finish()?;
    pending.commit()
}

fn layer_member(name: &str) -> String {
    format!("layer/{name}.npy")
}

fn array_member(name: &str) -> String {
    format!("map/{name}.npy")
}

fn column_member(column: &ColumnMeta) -> String {
    format!("obs/{}.npy", column.name)
}

/// An archive that is being written; the same members give the same bytes.
struct Zip<'a> {
    writer: ZipWriter<BufWriter<File>>,
    target: &'a Path,
}

impl<'a> Zip<'a> {
    fn new(file: File, target: &'a Path, meta: &Meta) -> Result<Self, IoError> {
        let writer = ZipWriter::new(BufWriter::new(file));
        let mut zip = Self { writer, target };
        let mut json = serde_json::to_vec_pretty(meta)
            .map_err(|error| IoError::other(target, error.to_string()))?;
        json.push(b'\n');
        zip.member(META, &[], json.as_slice())?;
        Ok(zip)
    }

    fn member(&mut self, name: &str, header: &[u8], body: impl Read) -> Result<(), IoError> {
        // The date is the first that a zip knows.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644)
            .large_file(true);
        let target = self.target;
        self.writer
            .start_file(name, options)
            .map_err(|error| IoError::other(target, format!("cannot write {name}: {error}")))?;
        let fail = |error| IoError::system(target, "write", error);
        self.writer.write_all(header).map_err(fail)?;
        std::io::copy(&mut BufReader::new(body), &mut self.writer).map_err(fail)?;
        Ok(())
    }

    fn finish(self) -> Result<(), IoError> {
        let target = self.target;
        let done = self.writer.finish();
        let file =
            done.map_err(|error| IoError::other(target, format!("cannot write: {error}")))?;
        let inner = file.into_inner();
        inner.map_err(|error| IoError::system(target, "write", error.into_error()))?;
        Ok(())
    }
}

/// Reads a file of embeddings: the layers that are named (all where none is) and all columns.
///
/// # Errors
/// Where it is missing, damaged or another kind of file, or has no such layer.
pub fn read(path: &Path, layers: &[String]) -> Result<Embedding, IoError> {
    let file = File::open(path).map_err(|error| IoError::system(path, "open", error))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        let expected = "a file that `cnnfilter embed` wrote (a zip of NumPy arrays)";
        let found = format!("no readable zip archive ({error})");
        IoError::new(path, Problem::Format { expected, found })
    })?;
    let mut meta = read_meta(path, &mut archive)?;
    for name in layers {
        if !meta.layers.iter().any(|layer| layer.name == *name) {
            let known: Vec<&str> = meta
                .layers
                .iter()
                .map(|layer| layer.name.as_str())
                .collect();
            let message = format!("it has no layer `{name}`; it has {}", known.join(", "));
            return Err(IoError::other(path, message));
        }
    }
    if !layers.is_empty() {
        meta.layers.retain(|layer| layers.contains(&layer.name));
    }
    let calls = meta.calls as usize;
    let mut found = Embedding::default();
    for layer in &meta.layers {
        let member = layer_member(&layer.name);
        let bytes = array(path, &mut archive, &member, Kind::F4, &[calls, layer.width])?;
        found.layers.push(matrix(calls, layer.width, &bytes));
    }
    for column in &meta.columns {
        let member = column_member(column);
        let kind = column.kind.numbers();
        let bytes = array(path, &mut archive, &member, kind, &[calls])?;
        found.columns.push(match column.kind {
            ColumnKind::Number => Column::Numbers(floats(&bytes)),
            ColumnKind::Integer => {
                let (numbers, _) = bytes.as_chunks::<8>();
                Column::Integers(numbers.iter().map(|n| i64::from_le_bytes(*n)).collect())
            }
            ColumnKind::Category => {
                let (numbers, _) = bytes.as_chunks::<4>();
                let codes = numbers.iter().map(|n| i32::from_le_bytes(*n));
                Column::Categories {
                    codes: codes.collect(),
                    levels: column.levels.clone(),
                }
            }
        });
    }
    for (name, rows, columns) in meta.map.iter().flat_map(|map| &map.arrays) {
        let shape = [*rows, *columns];
        let bytes = array(path, &mut archive, &array_member(name), Kind::F4, &shape)?;
        found
            .arrays
            .push((name.clone(), matrix(*rows, *columns, &bytes)));
    }
    found.meta = meta;
    Ok(found)
}

fn matrix(rows: usize, columns: usize, bytes: &[u8]) -> Matrix {
    let mut matrix = Matrix::zeros(rows, columns);
    matrix.data_mut().copy_from_slice(&floats(bytes));
    matrix
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|n| f32::from_le_bytes(*n)).collect()
}

fn read_meta<R: Read + Seek>(path: &Path, archive: &mut ZipArchive<R>) -> Result<Meta, IoError> {
    let bytes = member(path, archive, META)?;
    let meta: Meta = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{META}: {error}; make the file again with `cnnfilter embed`");
        IoError::other(path, message)
    })?;
    if meta.format != FORMAT {
        let message = format!(
            "it has format {}; this version reads format {FORMAT}: make it again with `cnnfilter embed`",
            meta.format
        );
        return Err(IoError::other(path, message));
    }
    Ok(meta)
}

fn member<R: Read + Seek>(
    path: &Path,
    archive: &mut ZipArchive<R>,
    name: &str,
) -> Result<Vec<u8>, IoError> {
    let mut bytes = Vec::new();
    let read = |error: std::io::Error| IoError::other(path, format!("{name}: {error}"));
    archive
        .by_name(name)
        .map_err(|error| IoError::other(path, format!("{name}: {error}")))?
        .read_to_end(&mut bytes)
        .map_err(read)?;
    Ok(bytes)
}

/// The numbers of an array of this kind and shape.
fn array<R: Read + Seek>(
    path: &Path,
    archive: &mut ZipArchive<R>,
    name: &str,
    kind: Kind,
    shape: &[usize],
) -> Result<Vec<u8>, IoError> {
    let mut bytes = member(path, archive, name)?;
    let (found, axes, start) =
        npy::parse(&bytes).map_err(|error| IoError::other(path, format!("{name}: {error}")))?;
    let count: usize = shape.iter().product();
    if found != kind || axes != shape || bytes.len() - start != count * kind.size() {
        let message = format!("{name}: expected {kind:?} {shape:?}, found {found:?} {axes:?}");
        return Err(IoError::other(path, message));
    }
    bytes.drain(..start);
    Ok(bytes)
}
