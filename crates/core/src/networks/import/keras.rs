//! Reads the weights of a network that GATK's CNNVariantTrain (Keras 2) wrote: an HDF5 file (`.hd5`).
//!
//! Imported files come from anywhere, so nothing is read that the file's own length does not pay
//! for: tensors are refused when together they are larger than the file, attributes are taken
//! undecoded because a list of variable-length strings may name one large string thousands of
//! times, and compressed data, which Keras does not write, is refused.

use std::collections::BTreeSet;

use hdf5_reader::datatype_api::StringSize;
use hdf5_reader::group::Group;
use hdf5_reader::{ByteOrder, Datatype, Hdf5File, OpenOptions, RawAttribute};

/// Most elements that the tensors of one file may have together.
pub const MAX_ELEMENTS: usize = 64 << 20;
/// Most layers of a network, and most tensors.
const MAX_LAYERS: usize = 1024;
/// Largest object header in bytes; HDF5 limits one attribute to 64 KiB.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// A weight tensor of a Keras layer.
#[derive(Debug, Clone, PartialEq)]
pub struct KerasTensor {
    /// The layer, such as `conv2d_1`.
    pub layer: String,
    /// The weight as Keras names it, such as `conv2d_1/kernel:0`; older versions write no `:0`.
    pub name: String,
    /// Extents, slowest axis first. Convolution kernels are (height, width, in, out) or
    /// (length, in, out), dense kernels (in, out), everything else (units).
    pub shape: Vec<usize>,
    /// Elements in row-major order of `shape`.
    pub data: Vec<f32>,
}

/// Why bytes are no Keras weights that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum KerasError {
    /// The file is no HDF5 file, or is broken.
    #[error("cannot read {at} of the Keras file: {source}")]
    Hdf5 {
        /// The object that was being read.
        at: String,
        /// What the HDF5 reader found.
        source: Box<hdf5_reader::error::Error>,
    },
    /// The file is shorter than it says.
    #[error("the Keras file is cut off: {found} of {expected} bytes")]
    CutOff {
        /// Bytes that the file's header promises.
        expected: u64,
        /// Bytes there are.
        found: usize,
    },
    /// A group lacks an attribute that Keras writes.
    #[error("{at} has no attribute {name}: not written by Keras 2")]
    NoAttribute {
        /// The group.
        at: String,
        /// The attribute.
        name: String,
    },
    /// An attribute is not what Keras writes.
    #[error("attribute {name} of {at} is not the text that Keras writes")]
    Attribute {
        /// The group.
        at: String,
        /// The attribute.
        name: String,
    },
    /// A layer or weight is listed twice.
    #[error("{0} is listed twice in the Keras file")]
    Twice(String),
    /// The file lists too much.
    #[error("the Keras file lists more than {limit} {what}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
    },
    /// A weight is not an uncompressed array of 32-bit floats.
    #[error("weight {name} is not a plain array of 32-bit floats: {found}")]
    Type {
        /// The weight.
        name: String,
        /// How it is stored.
        found: String,
    },
    /// A weight has an extent of 0, or is larger than the file that should hold it.
    #[error("weight {name} has the impossible shape {shape:?}")]
    Shape {
        /// The weight.
        name: String,
        /// Its extents.
        shape: Vec<u64>,
    },
}

/// Reads all weights of a Keras 2 file, in the order of Keras' `get_weights`: layers as
/// `layer_names` lists them, weights as the layer's `weight_names` does. Files of
/// `model.save` (weights under `model_weights`) and of `model.save_weights` (at the root) are read.
///
/// Convolution kernels are returned as a cross-correlation uses them, whatever wrote the file:
/// Theano convolves, that is, it stores kernels back to front along their spatial axes, and files
/// whose attribute `backend` says `theano` are turned around as Keras does when it loads them
/// elsewhere (`keras/engine/saving.py` of Keras 2.2, `preprocess_weights_for_loading` and
/// `convert_kernel`). Of GATK's files this concerns `1d_cnn_mix_train_full_bn` and
/// `2d_cnn_mix_train`. The rows of a dense kernel that follows a `Flatten` are in the order of the
/// network that was trained, which for `2d_cnn_mix_train` is (channel, read, base).
///
/// # Errors
///
/// Any [`KerasError`]. Weights may have [`MAX_ELEMENTS`] elements together,
/// and no more than fit in the file.
pub fn read_keras_weights(bytes: &[u8]) -> Result<Vec<KerasTensor>, KerasError> {
    let options = OpenOptions::default()
        .with_chunk_cache_bytes(0)
        .with_max_read_bytes(bytes.len())
        .with_max_chunk_bytes(bytes.len())
        .with_max_object_header_bytes(MAX_HEADER_BYTES);
    let file = Hdf5File::from_bytes_with_options(bytes, options).map_err(broken("the header"))?;
    let expected = file.superblock().eof_address;
    if expected > bytes.len() as u64 {
        let found = bytes.len();
        return Err(KerasError::CutOff { expected, found });
    }
    let root = file.root_group().map_err(broken("the root"))?;
    let (at, group) = match attribute(&root, "the root", "layer_names")? {
        Some(_) => ("the root", root),
        None => match attribute(&root, "the root", "layer_names0")? {
            Some(_) => ("the root", root),
            None => {
                let at = "model_weights";
                (at, root.group(at).map_err(broken(at))?)
            }
        },
    };
    let turn = match attribute(&group, at, "backend")? {
        Some(backend) => text(&group, at, &backend)? == "theano",
        None => false,
    };

    let mut tensors = Vec::new();
    let mut elements = 0;
    let mut seen = BTreeSet::new();
    for layer in names(&group, at, "layer_names")? {
        if !seen.insert(layer.clone()) {
            return Err(KerasError::Twice(layer));
        }
        let within = group.group(&layer).map_err(broken(&layer))?;
        let mut in_layer = BTreeSet::new();
        for name in names(&within, &layer, "weight_names")? {
            if !in_layer.insert(name.clone()) {
                return Err(KerasError::Twice(name));
            }
            if tensors.len() == MAX_LAYERS {
                return Err(too_many("tensors", MAX_LAYERS));
            }
            let mut tensor = read_tensor(&within, &layer, name, bytes.len(), &mut elements)?;
            if turn {
                turn_kernel(&mut tensor);
            }
            tensors.push(tensor);
        }
    }
    Ok(tensors)
}

/// Makes a [`KerasError::Hdf5`] that says where.
fn broken(at: &str) -> impl FnOnce(hdf5_reader::error::Error) -> KerasError {
    move |source| KerasError::Hdf5 {
        at: at.to_owned(),
        source: Box::new(source),
    }
}

fn too_many(what: &'static str, limit: usize) -> KerasError {
    KerasError::TooMany { what, limit }
}

/// The attribute of this name, not decoded.
fn attribute(group: &Group, at: &str, name: &str) -> Result<Option<RawAttribute>, KerasError> {
    let all = group.raw_attributes().map_err(broken(at))?;
    Ok(all.into_iter().find(|attribute| attribute.name() == name))
}

/// An attribute of one string, of fixed or variable length.
fn text(group: &Group, at: &str, attribute: &RawAttribute) -> Result<String, KerasError> {
    let message = attribute.message();
    let bytes = match &message.datatype {
        Datatype::String {
            size: StringSize::Variable,
            ..
        }
        | Datatype::VarLen { .. } => group
            .resolve_vlen_reference_bytes(&message.raw_data, 1)
            .map_err(broken(at))?,
        Datatype::String { .. } => message.raw_data.clone(),
        _ => return Err(not_text(at, attribute.name())),
    };
    trimmed(&bytes).ok_or_else(|| not_text(at, attribute.name()))
}

fn not_text(at: &str, name: &str) -> KerasError {
    KerasError::Attribute {
        at: at.to_owned(),
        name: name.to_owned(),
    }
}

/// A string without the zeros that fill its place.
fn trimmed(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|&byte| byte == 0);
    let bytes = bytes.get(..end.unwrap_or(bytes.len()))?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// A list of names: one attribute, or when it would not fit in 64 KiB, several whose names end in
/// 0, 1 and so on.
fn names(group: &Group, at: &str, name: &str) -> Result<Vec<String>, KerasError> {
    let all = group.raw_attributes().map_err(broken(at))?;
    let find = |name: &str| all.iter().find(|attribute| attribute.name() == name);
    if let Some(whole) = find(name) {
        return strings(at, whole);
    }
    let mut list = Vec::new();
    for part in 0..MAX_LAYERS {
        match find(&format!("{name}{part}")) {
            Some(part) => list.extend(strings(at, part)?),
            None if part == 0 => {
                let (at, name) = (at.to_owned(), name.to_owned());
                return Err(KerasError::NoAttribute { at, name });
            }
            None => break,
        }
        if list.len() > MAX_LAYERS {
            return Err(too_many("names", MAX_LAYERS));
        }
    }
    Ok(list)
}

/// An attribute that is an array of strings of fixed length. An empty one may have any type: numpy
/// makes an empty list an array of floats.
fn strings(at: &str, attribute: &RawAttribute) -> Result<Vec<String>, KerasError> {
    let message = attribute.message();
    let count = message.dataspace.num_elements();
    let count = count.map_err(|error| broken(at)(error.into()))?;
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > MAX_LAYERS as u64 {
        return Err(too_many("names", MAX_LAYERS));
    }
    let width = match message.datatype {
        Datatype::String {
            size: StringSize::Fixed(width),
            ..
        } if width > 0 => width as usize,
        _ => return Err(not_text(at, attribute.name())),
    };
    let pieces = message.raw_data.chunks_exact(width);
    if pieces.len() as u64 != count || !pieces.remainder().is_empty() {
        return Err(not_text(at, attribute.name()));
    }
    let list: Option<Vec<String>> = pieces.map(trimmed).collect();
    list.ok_or_else(|| not_text(at, attribute.name()))
}

/// Reads the weight `name`, a path below the layer's group. `elements` counts what was read so far;
/// all tensors must fit in the `file_len` bytes of the file.
fn read_tensor(
    layer_group: &Group,
    layer: &str,
    name: String,
    file_len: usize,
    elements: &mut usize,
) -> Result<KerasTensor, KerasError> {
    let (folders, last) = name.rsplit_once('/').unwrap_or(("", &name));
    let mut group = layer_group.clone();
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        group = group.group(folder).map_err(broken(&name))?;
    }
    let dataset = group.dataset(last).map_err(broken(&name))?;
    let order = match dataset.dtype() {
        Datatype::FloatingPoint {
            size: 4,
            byte_order,
        } if dataset.chunks().is_none() => *byte_order,
        other => {
            let found = format!("{other:?}, chunks {:?}", dataset.chunks());
            return Err(KerasError::Type { name, found });
        }
    };
    let count = dataset.shape().iter().try_fold(1usize, |count, &extent| {
        count.checked_mul(usize::try_from(extent).ok()?)
    });
    let total = count
        .filter(|&count| count > 0)
        .and_then(|count| elements.checked_add(count));
    let Some(total) = total.filter(|&total| total <= file_len / size_of::<f32>()) else {
        let shape = dataset.shape().to_vec();
        return Err(KerasError::Shape { name, shape });
    };
    if total > MAX_ELEMENTS {
        return Err(too_many("elements", MAX_ELEMENTS));
    }
    *elements = total;
    let raw = dataset.read_raw_bytes().map_err(broken(&name))?;
    let (words, _) = raw.as_chunks::<4>();
    let data = words.iter().map(|&word| match order {
        ByteOrder::LittleEndian => f32::from_le_bytes(word),
        ByteOrder::BigEndian => f32::from_be_bytes(word),
    });
    Ok(KerasTensor {
        layer: layer.to_owned(),
        shape: dataset
            .shape()
            .iter()
            .map(|&extent| extent as usize)
            .collect(),
        data: data.collect(),
        name,
    })
}

/// Reverses the spatial axes of a convolution kernel, all but the last two. Reversing every one of
/// them is reversing the sequence of (in, out) matrices.
fn turn_kernel(tensor: &mut KerasTensor) {
    let weight = tensor.name.rsplit('/').next().unwrap_or(&tensor.name);
    if let [_, .., inputs, outputs] = tensor.shape[..]
        && tensor.shape.len() >= 3
        && weight.starts_with("kernel")
    {
        let matrices = tensor.data.chunks_exact(inputs * outputs).rev();
        tensor.data = matrices.flatten().copied().collect();
    }
}

#[cfg(test)]
mod tests;
