//! Tensors out of a pickled PyTorch module (`torch.save(module, path)`).
//!
//! The file is a zip with `NAME/data.pkl`, the object tree, and `NAME/data/KEY`, the numbers of
//! each storage. A module keeps its tensors in `_parameters` and `_buffers` and its children in
//! `_modules`; a tensor is a call of `torch._utils._rebuild_tensor_v2` with storage, offset, shape
//! and strides (PyTorch, `torch/_utils.py`). Nothing of the file is executed.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::pickle::{self, PickleError, Value};
use cnnfilter_nn::weights::{WeightTensor, Weights};

/// Most numbers of the storages of a file, each counted whenever a tensor names it; the largest
/// published network has 2 million.
const MAX_NUMBERS: usize = 1 << 24;
/// Largest object tree in bytes; the published ones have 8 kB.
const MAX_PICKLE: u64 = 1 << 20;
/// Modules inside modules.
const MAX_DEPTH: usize = 32;
/// Modules and tensors of a file, each counted whenever a module names it; the published ones have
/// 39 at most.
const MAX_NAMED: usize = 4096;

/// Why a file gives no tensors.
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// It is no zip, or damaged.
    #[error("it is not a readable zip archive ({0})")]
    Zip(#[from] zip::result::ZipError),
    /// A member cannot be decompressed.
    #[error("its member `{member}` cannot be read ({source})")]
    Member {
        /// Name inside the zip.
        member: String,
        /// The problem.
        source: std::io::Error,
    },
    /// No `data.pkl` in it.
    #[error("it holds no `data.pkl`; expected a file written by `torch.save`")]
    NoPickle,
    /// The object tree cannot be read.
    #[error(transparent)]
    Pickle(#[from] PickleError),
    /// A tensor is not what `_rebuild_tensor_v2` makes, or too large.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// Its path of module names.
        name: String,
        /// The problem.
        reason: String,
    },
    /// Sizes beyond any network of this kind.
    #[error("{what} is larger than {limit}; this is no network of the kind that is imported")]
    TooLarge {
        /// The part that is too large.
        what: String,
        /// The bound.
        limit: u64,
    },
}

type Archive<'a> = zip::ZipArchive<Cursor<&'a [u8]>>;

/// All floating-point tensors of a pickled module, by their dotted path (`conv.0.weight`).
///
/// # Errors
/// [`TorchError`] where the bytes are not such a file.
pub fn read_module(bytes: &[u8]) -> Result<Weights, TorchError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let pickle_name = archive
        .file_names()
        .flatten()
        .find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .map(String::from)
        .ok_or(TorchError::NoPickle)?;
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    let tree = pickle::read(&member(&mut archive, &pickle_name, MAX_PICKLE)?)?;
    let (mut found, mut left) = (Vec::new(), MAX_NAMED);
    walk(&tree, "", 0, &mut left, &mut found)?;
    let mut weights = BTreeMap::new();
    let mut left = MAX_NUMBERS;
    for (name, value) in found {
        if let Some(tensor) = tensor(&mut archive, &root, &name, &value, &mut left)? {
            weights.insert(name, tensor);
        }
    }
    Ok(weights)
}

fn too_large(what: impl Into<String>, limit: u64) -> TorchError {
    TorchError::TooLarge {
        what: what.into(),
        limit,
    }
}

fn member(archive: &mut Archive, name: &str, limit: u64) -> Result<Vec<u8>, TorchError> {
    let file = archive.by_name(name)?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| TorchError::Member {
            member: name.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > limit {
        return Err(too_large(format!("member `{name}`"), limit));
    }
    Ok(bytes)
}

/// The attributes of an object: the dictionary it would be given as state.
fn state(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => Some(object.1.clone()),
        _ => None,
    }
}

/// Collects the tensors of a module and of its children, depth first.
fn walk(
    module: &Value,
    path: &str,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<(String, Value)>,
) -> Result<(), TorchError> {
    if depth > MAX_DEPTH {
        return Err(too_large("the nesting of modules", MAX_DEPTH as u64));
    }
    let Some(attributes) = state(module) else {
        return Ok(());
    };
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for group in ["_parameters", "_buffers"] {
        for (name, value) in named(attributes.get(group)) {
            count_one(left)?;
            found.push((join(&name), value));
        }
    }
    for (name, child) in named(attributes.get("_modules")) {
        count_one(left)?;
        walk(&child, &join(&name), depth + 1, left, found)?;
    }
    Ok(())
}

fn count_one(left: &mut usize) -> Result<(), TorchError> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| too_large("the number of modules and tensors", MAX_NAMED as u64))?;
    Ok(())
}

fn named(dict: Option<Value>) -> Vec<(String, Value)> {
    match dict {
        Some(Value::Dict(items)) => items
            .borrow()
            .iter()
            .filter_map(|(name, value)| Some((name.text()?.to_owned(), value.clone())))
            .collect(),
        _ => Vec::new(),
    }
}

fn is_global(value: &Value, expected: &str) -> bool {
    matches!(value, Value::Global(name) if &**name == expected)
}

/// The arguments of the call that rebuilds a tensor, through the `Parameter` around it.
fn rebuild_arguments(value: &Value) -> Option<Vec<Value>> {
    let call = match value {
        Value::Call(call) => Some(call.as_ref()),
        _ => None,
    }?;
    let arguments = call.1.items()?;
    if is_global(&call.0, "torch._utils._rebuild_parameter") {
        rebuild_arguments(arguments.first()?)
    } else if is_global(&call.0, "torch._utils._rebuild_tensor_v2") {
        Some(arguments.to_vec())
    } else {
        None
    }
}

/// Reads one tensor; nothing for `None` entries and for tensors of integers (counters). `left` is
/// how many numbers may still be read.
fn tensor(
    archive: &mut Archive,
    root: &str,
    name: &str,
    value: &Value,
    left: &mut usize,
) -> Result<Option<WeightTensor>, TorchError> {
    let fail = |reason: &str| TorchError::Tensor {
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    if matches!(value, Value::None) {
        return Ok(None);
    }
    let arguments = rebuild_arguments(value).ok_or_else(|| fail("not a plain tensor"))?;
    let [Value::External(storage), offset, shape, strides, ..] = arguments.as_slice() else {
        return Err(fail("its storage, offset, shape and strides are missing"));
    };
    let counts =
        |value: &Value| -> Option<Vec<usize>> { value.items()?.iter().map(Value::count).collect() };
    let (Some(offset), Some(shape), Some(strides)) =
        (offset.count(), counts(shape), counts(strides))
    else {
        return Err(fail("its offset, shape or strides are no counts"));
    };
    let Some([_, kind, key, _, numbers]) = storage.items() else {
        return Err(fail("its storage is not described"));
    };
    if is_global(kind, "torch.LongStorage") {
        return Ok(None);
    }
    if !is_global(kind, "torch.FloatStorage") {
        return Err(fail("only 32-bit floats can be imported"));
    }
    let (Some(key), Some(numbers)) = (key.text(), numbers.count()) else {
        return Err(fail("its storage has no key or no size"));
    };
    // A view that repeats its storage counts by what comes out of it.
    let wanted = shape
        .iter()
        .try_fold(1usize, |count, size| count.checked_mul(*size))
        .map(|count| count.max(numbers));
    *left = wanted
        .and_then(|wanted| left.checked_sub(wanted))
        .ok_or_else(|| too_large(format!("tensor `{name}`"), MAX_NUMBERS as u64))?;
    let bytes = member(archive, &format!("{root}data/{key}"), 4 * numbers as u64)?;
    let storage: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    gather(&storage, offset, &shape, &strides)
        .map(|data| Some(WeightTensor { shape, data }))
        .ok_or_else(|| fail("its shape does not fit its storage"))
}

/// The numbers of a strided view, row-major; nothing where it leaves the storage.
fn gather(storage: &[f32], offset: usize, shape: &[usize], strides: &[usize]) -> Option<Vec<f32>> {
    if shape.len() != strides.len() || shape.len() > 8 {
        return None;
    }
    let count = shape
        .iter()
        .try_fold(1usize, |count, size| count.checked_mul(*size))
        .filter(|count| *count <= MAX_NUMBERS)?;
    let mut data = Vec::with_capacity(count);
    for flat in 0..count {
        let mut rest = flat;
        let mut at = offset;
        for (size, stride) in shape.iter().zip(strides).rev() {
            at = at.checked_add((rest % size).checked_mul(*stride)?)?;
            rest /= size;
        }
        data.push(*storage.get(at)?);
    }
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    /// A module with a child `c` that has a 2 x 3 parameter, stored transposed, and a counter.
    /// Written by hand after the object tree of `torch.save(nn.Sequential(...))`.
    fn saved_module() -> Vec<u8> {
        let text = |s: &str| {
            let mut out = b"X".to_vec();
            out.extend_from_slice(&(s.len() as u32).to_le_bytes());
            out.extend_from_slice(s.as_bytes());
            out
        };
        let tensor = |kind: &str, key: &str, numbers: u8, shape: &[u8], strides: &[u8]| {
            let mut out = b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
            out.extend(text("storage"));
            out.extend(format!("ctorch\n{kind}\n").bytes());
            out.extend(text(key));
            out.extend(text("cpu"));
            out.extend([b'K', numbers]);
            out.extend(b"tQK\x00(");
            shape.iter().for_each(|n| out.extend([b'K', *n]));
            out.extend(b"t(");
            strides.iter().for_each(|n| out.extend([b'K', *n]));
            out.extend(b"t\x89}tR");
            out
        };
        let mut pickle = b"\x80\x02cpackage\nModule\n)\x81}".to_vec();
        pickle.extend(text("_modules"));
        pickle.extend(b"}");
        pickle.extend(text("c"));
        pickle.extend(b"cpackage\nChild\n)\x81}(");
        pickle.extend(text("_parameters"));
        pickle.extend(b"}");
        pickle.extend(text("weight"));
        pickle.extend(b"ctorch._utils\n_rebuild_parameter\n(");
        pickle.extend(tensor("FloatStorage", "0", 6, &[2, 3], &[1, 2]));
        pickle.extend(b"\x88}tRs");
        pickle.extend(text("_buffers"));
        pickle.extend(b"}");
        pickle.extend(text("steps"));
        pickle.extend(tensor("LongStorage", "1", 1, &[], &[]));
        pickle.extend(b"sub");
        pickle.extend(b"ssb.");
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [
            ("m/data.pkl", pickle),
            (
                "m/data/0",
                (0..6u8).flat_map(|n| f32::from(n).to_le_bytes()).collect(),
            ),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn parameters_come_out_by_path_and_row_major() {
        let weights = read_module(&saved_module()).unwrap();
        assert_eq!(weights.keys().collect::<Vec<_>>(), ["c.weight"]);
        let tensor = &weights["c.weight"];
        assert_eq!(tensor.shape, [2, 3]);
        assert_eq!(tensor.data, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    }

    #[test]
    fn damage_is_an_error_never_a_panic() {
        let bytes = saved_module();
        for length in (0..bytes.len()).step_by(7) {
            assert!(read_module(&bytes[..length]).is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            let _ = read_module(&damaged);
        }
    }

    /// A module of `levels` modules, each of which has the one below it twice: 2^levels paths.
    fn shared_modules(levels: usize) -> Value {
        let dict = |items: Vec<(&str, Value)>| {
            let items = items.into_iter();
            let items = items.map(|(name, value)| (Value::Text(name.into()), value));
            Value::Dict(Rc::new(RefCell::new(items.collect())))
        };
        let module = |children| {
            let state = dict(vec![("_modules", children)]);
            Value::Object(Rc::new((Value::None, state)))
        };
        (0..levels).fold(module(dict(Vec::new())), |below, _| {
            module(dict(vec![("a", below.clone()), ("b", below)]))
        })
    }

    #[test]
    fn modules_that_are_shared_again_and_again_are_refused() {
        let names = |levels| {
            let (mut found, mut left) = (Vec::new(), MAX_NAMED);
            walk(&shared_modules(levels), "", 0, &mut left, &mut found).map(|()| MAX_NAMED - left)
        };
        assert_eq!(names(3).unwrap(), 2 + 4 + 8);
        assert!(matches!(names(30), Err(TorchError::TooLarge { .. })));
    }

    #[test]
    fn views_outside_their_storage_are_refused() {
        assert_eq!(gather(&[1.0, 2.0], 1, &[1], &[1]), Some(vec![2.0]));
        assert_eq!(gather(&[1.0, 2.0], 1, &[2], &[1]), None);
        assert_eq!(gather(&[1.0], 0, &[usize::MAX, 2], &[0, 0]), None);
        assert_eq!(gather(&[1.0], usize::MAX, &[2], &[1]), None);
    }
}
