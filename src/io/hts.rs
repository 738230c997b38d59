//! The doors to htslib: silent, and with the checks that its wrapper leaves out. rust-htslib 1.0 goes
//! on with a null pointer where htslib refuses a header.
#![expect(
    unsafe_code,
    reason = "null checks and a switch that the wrapper does not offer"
)]

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;

use rust_htslib::bam::{IndexedReader, Read as _};
use rust_htslib::bcf::header::{Header, HeaderView};
use rust_htslib::bcf::{self, Format, Read as _, index};
use rust_htslib::htslib;

static SILENCE: Once = Once::new();

/// Takes htslib its voice: it writes to standard error whatever level the user asks for, beside our
/// own messages, which carry what matters.
fn silence() {
    // SAFETY: sets one number of htslib; `Once` keeps threads apart, and nothing else sets it.
    SILENCE.call_once(|| unsafe { htslib::hts_set_log_level(htslib::htsLogLevel_HTS_LOG_OFF) });
}

/// True where htslib has made no header.
fn is_null(header: &HeaderView) -> bool {
    // SAFETY: the pointer is compared and not followed, and does not outlive the header.
    unsafe { header.as_ptr() }.is_null()
}

/// htslib's own version.
pub(crate) fn version() -> String {
    // SAFETY: htslib returns a text that is part of the program.
    let text = unsafe { CStr::from_ptr(htslib::hts_version()) };
    text.to_string_lossy().into_owned()
}

/// Opens VCF or BCF with its header.
///
/// # Errors
/// Where htslib cannot open the file, or refuses its header.
pub(super) fn variant_reader(path: &Path) -> Result<bcf::Reader, String> {
    silence();
    let reader = bcf::Reader::from_path(path).map_err(|error| error.to_string())?;
    if is_null(reader.header()) {
        return Err("htslib refuses the header".to_owned());
    }
    Ok(reader)
}

/// Opens an output for the records of `reader` and writes its header.
///
/// # Errors
/// Where htslib cannot open the file, or copy the header.
pub(super) fn variant_writer(
    path: &Path,
    reader: &bcf::Reader,
    uncompressed: bool,
    format: Format,
) -> Result<bcf::Writer, String> {
    silence();
    let refused = || "htslib cannot copy the header".to_owned();
    let header = Header::from_template(reader.header());
    // SAFETY: as in `is_null`.
    if unsafe { header.inner_ptr() }.is_null() {
        return Err(refused());
    }
    let writer = bcf::Writer::from_path(path, &header, uncompressed, format)
        .map_err(|error| error.to_string())?;
    if is_null(writer.header()) {
        return Err(refused());
    }
    Ok(writer)
}

/// Makes the index of a VCF.gz or BCF.
///
/// # Errors
/// htslib's own words.
pub(super) fn build_index(
    path: &Path,
    index: &Path,
    threads: u32,
    kind: index::Type,
) -> Result<(), String> {
    silence();
    index::build(path, Some(index), threads, kind).map_err(|error| error.msg)
}

/// Opens BAM or CRAM with its index.
///
/// # Errors
/// Where htslib cannot open the file or the index, or refuses the header.
pub(super) fn alignment_reader(path: &Path, index: &Path) -> Result<IndexedReader, String> {
    silence();
    let reader =
        IndexedReader::from_path_and_index(path, index).map_err(|error| error.to_string())?;
    if reader.header().inner_ptr().is_null() {
        return Err("htslib refuses the header".to_owned());
    }
    Ok(reader)
}

/// Gives a CRAM its reference. (The wrapper looks for the index of `ref` under `ref..fai`.)
///
/// # Errors
/// Where htslib cannot open the reference or its index.
pub(super) fn set_reference(reader: &IndexedReader, reference: &Path) -> Result<(), String> {
    let mut name = reference.as_os_str().as_bytes().to_vec();
    name.extend(b".fai");
    let name = CString::new(name).map_err(|error| error.to_string())?;
    // SAFETY: the file is open as long as the reader, and htslib copies the name.
    match unsafe { htslib::hts_set_fai_filename(reader.htsfile(), name.as_ptr()) } {
        0 => Ok(()),
        _ => Err("htslib cannot open it, or its index".to_owned()),
    }
}

/// Lets the reader keep this many bytes of inflated blocks of a BAM, for one that goes back and forth. A CRAM has none.
pub(super) fn keep_blocks(reader: &IndexedReader, bytes: i32) {
    // SAFETY: the file is open as long as the reader, which no thread of htslib reads ahead of.
    unsafe { htslib::hts_set_cache_size(reader.htsfile(), bytes) };
}
