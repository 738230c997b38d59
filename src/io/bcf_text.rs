//! BCF as lines of text: htslib writes it into a pipe.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rust_htslib::bcf::{self, Read as _};

use super::error::IoError;
use super::hts;
use super::text_source::read_error;

/// A name under which htslib can open one end of a pipe.
pub(super) fn descriptor_path(end: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/dev/fd/{}", end.as_raw_fd()))
}

type Translation = (PipeReader, Vec<JoinHandle<Result<(), IoError>>>);

/// Two threads: one hands the (decompressed) BCF to htslib, the other has htslib write it as text.
pub(super) fn bcf_to_text(
    mut bcf: impl Read + Send + 'static,
    path: &Path,
) -> Result<Translation, IoError> {
    let pipe = || io::pipe().map_err(|e| IoError::system(path, "make a pipe for", e));
    let (binary_out, mut binary_in) = pipe()?;
    let (text_out, text_in) = pipe()?;
    let feed_path = path.to_owned();
    let feed = std::thread::spawn(move || match io::copy(&mut bcf, &mut binary_in) {
        // htslib has stopped reading: the other thread says why.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(read_error(&feed_path, e)),
        Ok(_) => Ok(()),
    });
    let path = path.to_owned();
    let translate = std::thread::spawn(move || {
        let fail = |error: String| IoError::htslib(&path, "reading BCF", error);
        let damaged = |error: rust_htslib::errors::Error| fail(error.to_string());
        let mut reader = hts::variant_reader(&descriptor_path(&binary_out)).map_err(fail)?;
        drop(binary_out);
        let target = descriptor_path(&text_in);
        let mut writer =
            hts::variant_writer(&target, &reader, true, bcf::Format::Vcf).map_err(fail)?;
        drop(text_in);
        let mut record = reader.empty_record();
        while let Some(read) = reader.read(&mut record) {
            read.map_err(damaged)?;
            writer.write(&record).map_err(damaged)?;
        }
        Ok(())
    });
    Ok((text_out, vec![feed, translate]))
}
