//! Records to VCF, VCF.gz or BCF, in a file or on standard output.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use noodles_bgzf as bgzf;
use rust_htslib::bcf::{self, Read as _, index};

use super::atomic::{self, PendingFile, hold_folder_of, is_special};
use super::bcf_text::descriptor_path;
use super::error::{IoError, Problem, refuse_remote};
use super::{header_ids, hts, standard_output, with_suffix};
use cnnfilter_core::vcf::{OrderCheck, VcfHeader, VcfRecord};

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Plain text (`-O v`).
    Vcf,
    /// Text in BGZF blocks (`-O z`).
    VcfGz,
    /// BCF in BGZF blocks (`-O b`).
    Bcf,
    /// Uncompressed BCF, for pipes (`-O u`).
    BcfUncompressed,
}

impl OutputFormat {
    fn is_bcf(self) -> bool {
        matches!(self, Self::Bcf | Self::BcfUncompressed)
    }

    /// The format that a file's suffix asks for.
    pub fn from_suffix(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name.ends_with(".vcf.gz") || name.ends_with(".vcf.bgz") {
            Some(Self::VcfGz)
        } else if name.ends_with(".vcf") {
            Some(Self::Vcf)
        } else if name.ends_with(".bcf") {
            Some(Self::Bcf)
        } else {
            None
        }
    }
}

/// Where and how to write.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The target; `-` for standard output.
    pub path: PathBuf,
    /// The format.
    pub format: OutputFormat,
    /// True where a compressed file gets an index beside it.
    pub index: bool,
    /// Threads that compress.
    pub threads: usize,
}

enum Sink {
    Text(BufWriter<Box<dyn Write + Send>>),
    Bgzf(bgzf::io::MultithreadedWriter<Box<dyn Write + Send>>),
    Bcf {
        pipe: BufWriter<io::PipeWriter>,
        workers: Vec<JoinHandle<Result<(), IoError>>>,
    },
}

/// Writes one file. Nothing stands at the target before [`VcfWriter::finish`].
pub struct VcfWriter {
    options: OutputOptions,
    sink: Sink,
    /// None for standard output and for devices and pipes, which are written directly.
    pending: Option<PendingFile>,
    line: Vec<u8>,
    order: OrderCheck,
    /// Records that were out of order, where an index is wanted.
    out_of_order: u64,
}

/// Size of the buffers in front of files and pipes, in bytes.
const BUFFER: usize = 1 << 16;

impl VcfWriter {
    /// Opens the output and writes the header.
    ///
    /// # Errors
    /// Where the target cannot be created or written.
    pub fn create(options: OutputOptions, header: &VcfHeader) -> Result<Self, IoError> {
        refuse_remote(&options.path)?;
        standard_output::check(&options.path)?;
        if options.format.is_bcf() {
            check_for_bcf(&options.path, header)?;
        }
        let mut options = options;
        options.path = atomic::resolve(&options.path);
        let path = options.path.clone();
        let mut pending = None;
        let raw: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else if is_special(&path) {
            let file = File::options().write(true).open(&path);
            Box::new(file.map_err(|e| IoError::system(&path, "open", e))?)
        } else if path.is_dir() {
            let found = "a folder".to_owned();
            let expected = "a file name for the output";
            return Err(IoError::new(&path, Problem::Format { expected, found }));
        } else {
            let (temporary, file) = PendingFile::create(&path)?;
            pending = Some(temporary);
            Box::new(file)
        };
        let sink = match options.format {
            OutputFormat::Vcf => Sink::Text(BufWriter::with_capacity(BUFFER, raw)),
            OutputFormat::VcfGz => {
                let workers = NonZero::new(options.threads).unwrap_or(NonZero::<usize>::MIN);
                Sink::Bgzf(bgzf::io::MultithreadedWriter::with_worker_count(
                    workers, raw,
                ))
            }
            OutputFormat::Bcf | OutputFormat::BcfUncompressed => encode_bcf(&path, raw, &options)?,
        };
        let mut writer = Self {
            options,
            sink,
            pending,
            line: Vec::new(),
            order: OrderCheck::default(),
            out_of_order: 0,
        };
        if writer.wants_index() {
            atomic::check_name(&with_suffix(&writer.options.path, ".tbi"))?;
        }
        writer.write_bytes(&header.to_bytes())?;
        Ok(writer)
    }

    /// Writes one record.
    ///
    /// # Errors
    /// Where the output takes no more: disk full, or nobody reads it.
    pub fn write(&mut self, record: &VcfRecord) -> Result<(), IoError> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        record.write_to(&mut line);
        if self.wants_index() && self.order.next(record).is_some() {
            self.out_of_order += 1;
        }
        let written = self.write_bytes(&line);
        self.line = line;
        written
    }

    /// True where an index is to stand beside the file.
    fn wants_index(&self) -> bool {
        self.options.index
            && self.pending.is_some()
            && matches!(self.options.format, OutputFormat::VcfGz | OutputFormat::Bcf)
    }

    /// Closes the output, makes its index, if the records were sorted, and puts both in their places.
    ///
    /// # Errors
    /// Where the rest cannot be written, or the index cannot be made.
    pub fn finish(mut self) -> Result<(), IoError> {
        let path = self.options.path.clone();
        let fail = |e| IoError::system(&path, "write", e);
        let is_indexed = self.wants_index() && self.out_of_order == 0;
        match self.sink {
            Sink::Text(mut writer) => writer.flush().map_err(fail)?,
            Sink::Bgzf(mut writer) => writer
                .finish()
                .and_then(|mut raw| raw.flush())
                .map_err(fail)?,
            Sink::Bcf { pipe, workers } => {
                let flushed = pipe.into_inner().map(drop).map_err(|e| e.into_error());
                join(workers, &path)?;
                flushed.map_err(fail)?;
            }
        }
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        if self.out_of_order > 0 {
            log::warn!(
                "{}: {} records are out of order; they are written as they came, without an index (`bcftools sort` makes a file that can have one)",
                path.display(),
                self.out_of_order
            );
        }
        let index = is_indexed
            .then(|| make_index(&path, pending.path(), &self.options))
            .transpose()?;
        // Of two runs with one target the file and the index of the same one are left.
        let _held = hold_folder_of(&path);
        pending.commit()?;
        let mut stale = vec!["tbi", "csi"];
        if let Some((index, suffix)) = index {
            index.commit()?;
            stale.retain(|old| *old != suffix);
        }
        // An index of the file that was replaced would point into the wrong one.
        for suffix in stale {
            let old = with_suffix(&path, &format!(".{suffix}"));
            if old.is_file() {
                std::fs::remove_file(&old).map_err(|e| IoError::system(&old, "remove", e))?;
            }
        }
        Ok(())
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        let written = match &mut self.sink {
            Sink::Text(writer) => writer.write_all(bytes),
            Sink::Bgzf(writer) => writer.write_all(bytes),
            Sink::Bcf { pipe, workers } => match pipe.write_all(bytes) {
                // A worker has stopped; its own error says why.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                    join(std::mem::take(workers), &self.options.path)?;
                    Err(e)
                }
                written => written,
            },
        };
        written.map_err(|e| IoError::system(&self.options.path, "write", e))
    }
}

/// Refuses a header that BCF cannot hold, before htslib does, which does not say why.
fn check_for_bcf(path: &Path, header: &VcfHeader) -> Result<(), IoError> {
    header_ids::check_columns(header)
        .and_then(|()| header_ids::contigs(header).map(drop))
        .map_err(|what| {
            let advice = "`-O z` writes it as it is";
            IoError::other(
                path,
                format!("the calls cannot be written as BCF: {what}; {advice}"),
            )
        })
}

/// Waits for the workers; the error of the first that has one counts.
fn join(workers: Vec<JoinHandle<Result<(), IoError>>>, path: &Path) -> Result<(), IoError> {
    let ends: Vec<Result<(), IoError>> = workers
        .into_iter()
        .map(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(IoError::other(path, "writing BCF failed")))
        })
        .collect();
    ends.into_iter().collect()
}

/// Two threads: in one htslib reads the text from a pipe and writes BCF into another, the other
/// copies that to the output. (htslib closes a file without a word; here a full disk shows.)
fn encode_bcf(
    path: &Path,
    raw: Box<dyn Write + Send>,
    options: &OutputOptions,
) -> Result<Sink, IoError> {
    let pipe = || io::pipe().map_err(|e| IoError::system(path, "make a pipe for", e));
    let (text_out, text_in) = pipe()?;
    let (binary_out, binary_in) = pipe()?;
    let copy_path = path.to_owned();
    let copier = std::thread::spawn(move || copy_bcf(binary_out, raw, &copy_path));
    let path = path.to_owned();
    let uncompressed = options.format == OutputFormat::BcfUncompressed;
    let threads = options.threads;
    let encoder = std::thread::spawn(move || {
        let fail = |action: &str, error: String| IoError::htslib(&path, action, error);
        let reading = "the calls cannot be written as BCF (is every key defined in the header?)";
        let mut reader = hts::variant_reader(&descriptor_path(&text_out))
            .map_err(|error| fail(reading, error))?;
        drop(text_out);
        let target = descriptor_path(&binary_in);
        let mut writer = hts::variant_writer(&target, &reader, uncompressed, bcf::Format::Bcf)
            .map_err(|error| fail("opening the output", error))?;
        drop(binary_in);
        if threads > 1 {
            writer
                .set_threads(threads - 1)
                .map_err(|error| fail("starting threads", error.to_string()))?;
        }
        let mut record = reader.empty_record();
        while let Some(read) = reader.read(&mut record) {
            read.map_err(|error| fail(reading, error.to_string()))?;
            writer
                .write(&record)
                .map_err(|error| {
                    let position = record.pos() + 1;
                    let action = format!(
                        "a record at position {position} cannot be written as BCF (every contig, filter and key must be defined in the header; `-O z` writes it as it is)"
                    );
                    fail(&action, error.to_string())
                })?;
        }
        Ok(())
    });
    Ok(Sink::Bcf {
        pipe: BufWriter::with_capacity(BUFFER, text_in),
        workers: vec![copier, encoder],
    })
}

/// Copies BCF to the output.
fn copy_bcf(
    mut binary: io::PipeReader,
    mut raw: Box<dyn Write + Send>,
    path: &Path,
) -> Result<(), IoError> {
    let fail = |e| IoError::system(path, "write", e);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = binary.read(&mut buffer).map_err(fail)?;
        if count == 0 {
            return raw.flush().map_err(fail);
        }
        raw.write_all(&buffer[..count]).map_err(fail)?;
    }
}

/// Makes the description of an index, which htslib's wrapper consumes.
type IndexKind = fn() -> index::Type;

/// Indexes the finished temporary file: `.tbi` for VCF.gz, as GATK and bcftools expect it, unless a
/// contig is too long for it (512 Mb); `.csi` for that and for BCF.
fn make_index(
    path: &Path,
    temporary: &Path,
    options: &OutputOptions,
) -> Result<(PendingFile, &'static str), IoError> {
    let kinds: &[(&str, IndexKind)] = match options.format {
        OutputFormat::VcfGz => &[
            ("tbi", || index::Type::Tbx),
            ("csi", || index::Type::Csi(14)),
        ],
        _ => &[("csi", || index::Type::Csi(14))],
    };
    let mut failure = String::new();
    for (suffix, kind) in kinds {
        let (pending, _) = PendingFile::create(&with_suffix(path, &format!(".{suffix}")))?;
        let temporary_index = pending.path().to_owned();
        let threads = options.threads as u32;
        match hts::build_index(temporary, &temporary_index, threads, kind()) {
            Ok(()) => return Ok((pending, suffix)),
            Err(error) => failure = error,
        }
    }
    Err(IoError::htslib(
        path,
        "making the index (`--no-index` leaves it out)",
        failure,
    ))
}
