//! GATK's weight files out of a jar, a release zip, or as they are.
//!
//! GATK 4.6.1 and later carry `nvscorevariants/*.pt` (PyTorch). GATK up to 4.6.0 carried the same
//! weights as Keras files (`cnn_score_variants/*.hd5`), which are refused with that advice.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::bgzf_tail::head;
use super::error::{IoError, Problem, refuse_remote};

/// The first bytes of an HDF5 file.
const HDF5_MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Advice for the files of older versions of GATK.
const KERAS: &str =
    "a Keras file of GATK up to 4.6.0; the jar of GATK 4.6.1 or later has the same weights as .pt";

/// Largest weight file, and most of all of one archive together, in bytes; the published ones have 2
/// to 25 MB.
const MAX_WEIGHTS: u64 = 1 << 27;
/// Largest jar inside a release zip.
const MAX_JAR: u64 = 1 << 31;

/// A weight file.
#[derive(Debug)]
pub struct WeightFile {
    /// Its name inside the archive; empty where the file itself was given.
    pub member: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The weight files in `path`: a `.pt` file itself, a jar of GATK that carries some, or a release
/// zip with such a jar in it.
///
/// # Errors
/// Where the file cannot be read or holds none.
pub fn open(path: &Path) -> Result<Vec<WeightFile>, IoError> {
    refuse_remote(path)?;
    let file = File::open(path).map_err(|e| IoError::system(path, "open", e))?;
    if head(path, 8)? == HDF5_MAGIC {
        return Err(no_weights(path, KERAS));
    }
    search(path, file, "", true)
}

/// A weight file that is no archive of several.
fn whole<R: Read + Seek>(
    path: &Path,
    mut reader: R,
    inside: &str,
) -> Result<Vec<WeightFile>, IoError> {
    let mut bytes = Vec::new();
    reader
        .rewind()
        .and_then(|()| reader.take(MAX_WEIGHTS).read_to_end(&mut bytes))
        .map_err(|e| IoError::system(path, "read", e))?;
    let member = inside.to_owned();
    Ok(vec![WeightFile { member, bytes }])
}

fn search<R: Read + Seek>(
    path: &Path,
    mut reader: R,
    inside: &str,
    may_nest: bool,
) -> Result<Vec<WeightFile>, IoError> {
    let mut archive = zip::ZipArchive::new(&mut reader).map_err(|error| {
        IoError::new(
            path,
            Problem::Format {
                expected: "a GATK jar, a GATK release zip or a .pt file",
                found: format!("no readable zip archive ({error})"),
            },
        )
    })?;
    let mut names: Vec<String> = archive.file_names().flatten().map(String::from).collect();
    names.sort_unstable();
    let is_module = names
        .iter()
        .any(|name| name == "data.pkl" || name.ends_with("/data.pkl"));
    if is_module {
        drop(archive);
        return whole(path, reader, inside);
    }
    let mut found = Vec::new();
    let mut left = MAX_WEIGHTS;
    for name in names.iter().filter(|name| name.ends_with(".pt")) {
        let bytes = member(path, &mut archive, name, left)?;
        left -= bytes.len() as u64;
        let member = if inside.is_empty() {
            name.clone()
        } else {
            format!("{inside}!{name}")
        };
        found.push(WeightFile { member, bytes });
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let jars = names
        .iter()
        .filter(|name| may_nest && name.ends_with(".jar") && !name.ends_with("-spark.jar"));
    for name in jars {
        // A jar has 400 MB: it goes through a file, not through memory.
        let copy = |archive: &mut zip::ZipArchive<&mut R>| -> io::Result<File> {
            let mut jar = tempfile::tempfile()?;
            let mut member = archive.by_name(name)?.take(MAX_JAR);
            io::copy(&mut member, &mut jar)?;
            jar.rewind()?;
            Ok(jar)
        };
        let jar = copy(&mut archive).map_err(|e| IoError::system(path, "unpack", e))?;
        if let Ok(found) = search(path, jar, name, false) {
            return Ok(found);
        }
    }
    let has_keras = names.iter().any(|name| name.ends_with(".hd5"));
    let found = if has_keras {
        KERAS
    } else {
        "no `nvscorevariants/*.pt` in it"
    };
    Err(no_weights(path, found))
}

fn no_weights(path: &Path, found: &str) -> IoError {
    IoError::new(
        path,
        Problem::Format {
            expected: "weights of GATK's networks",
            found: found.to_owned(),
        },
    )
}

fn member<R: Read + Seek>(
    path: &Path,
    archive: &mut zip::ZipArchive<R>,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, IoError> {
    let mut read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        archive
            .by_name(name)?
            .take(limit + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|e| IoError::system(path, "unpack", e))?;
    if bytes.len() as u64 > limit {
        let reason = format!(
            "member `{name}`, with those before it, is larger than {MAX_WEIGHTS} bytes; expected weights of GATK's networks"
        );
        return Err(IoError::other(path, reason));
    }
    Ok(bytes)
}
