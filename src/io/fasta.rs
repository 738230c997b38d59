//! The reference: FASTA, plain or bgzipped, with its index.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noodles_bgzf as bgzf;
use noodles_fasta::fai;

use super::alignment_index::is_older;
use super::bgzf_tail::{head, is_bgzf};
use super::error::{IoError, Problem, refuse_remote};
use super::file::{self, File};
use super::sam_header::Sequences;
use super::with_suffix;
use cnnfilter_core::genome::ReferenceBlock;
use cnnfilter_core::genome::{Contig, ContigTable};

/// Bytes of a `.dict` that are looked at: enough for millions of contigs.
const MAX_DICTIONARY: u64 = 1 << 28;

fn buffered(path: &Path) -> io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}

trait SeekRead: Read + Seek + Send {}
impl<T: Read + Seek + Send> SeekRead for T {}

/// Where a contig's bases stand in the file.
#[derive(Debug)]
struct Layout {
    length: u64,
    offset: u64,
    line_bases: u64,
    line_width: u64,
}

/// An indexed FASTA file, shared by all readers of it.
#[derive(Debug)]
pub struct Reference {
    path: PathBuf,
    contigs: ContigTable,
    /// By the contig's rank.
    layouts: Vec<Layout>,
    /// Block offsets of a bgzipped file.
    blocks: Option<bgzf::gzi::Index>,
}

impl Reference {
    /// Reads the index of a FASTA file.
    ///
    /// # Errors
    /// Where the file or its `.fai` (and `.gzi`, if it is bgzipped) cannot be read.
    pub fn open(path: &Path) -> Result<Arc<Self>, IoError> {
        refuse_remote(path)?;
        let start = head(path, 18)?;
        let no_index = |looked_for: &Path| {
            IoError::new(
                path,
                Problem::NoIndex {
                    looked_for: format!("`{}`", looked_for.display()),
                    command: format!("samtools faidx {}", path.display()),
                },
            )
        };
        let compressed = start.starts_with(&[0x1f, 0x8b]);
        if compressed && !is_bgzf(&start) {
            return Err(IoError::new(
                path,
                Problem::Format {
                    expected: "FASTA, plain or compressed with bgzip",
                    found: "gzip; unpack it and use bgzip".to_owned(),
                },
            ));
        }
        if !compressed && !start.starts_with(b">") {
            return Err(IoError::new(
                path,
                Problem::Format {
                    expected: "FASTA, which begins with `>`",
                    found: format!("`{}`", String::from_utf8_lossy(&start)),
                },
            ));
        }
        let fai_path = with_suffix(path, ".fai");
        if !file::is_file(&fai_path) {
            return Err(no_index(&fai_path));
        }
        let index = buffered(&fai_path)
            .and_then(|bytes| fai::io::Reader::new(bytes).read_index())
            .map_err(|e| IoError::system(&fai_path, "read", e))?;
        let blocks = if compressed {
            let gzi = with_suffix(path, ".gzi");
            if !file::is_file(&gzi) {
                return Err(no_index(&gzi));
            }
            let blocks = buffered(&gzi)
                .and_then(|bytes| bgzf::gzi::io::Reader::new(bytes).read_index())
                .map_err(|e| IoError::system(&gzi, "read", e))?;
            Some(blocks)
        } else {
            None
        };
        let records: &[fai::Record] = index.as_ref();
        if records.is_empty() {
            let what = format!(
                "it lists no contig; make it again with `samtools faidx {}`",
                path.display()
            );
            return Err(IoError::other(&fai_path, what));
        }
        let mut contigs = ContigTable::with_capacity(records.len());
        let mut layouts = Vec::with_capacity(records.len());
        for record in records {
            let is_new = contigs.push(Contig {
                name: String::from_utf8_lossy(record.name()).into_owned(),
                length: Some(record.length()),
            });
            if is_new {
                layouts.push(Layout {
                    length: record.length(),
                    offset: record.position(),
                    line_bases: record.line_base_count().get(),
                    line_width: record.line_width().get(),
                });
            }
        }
        Ok(Arc::new(Self {
            path: path.to_owned(),
            contigs,
            layouts,
            blocks,
        }))
    }

    /// Names and lengths.
    pub fn contigs(&self) -> &ContigTable {
        &self.contigs
    }

    /// The file as the user named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The indexes beside the file that were written before it, and so may be of another one.
    pub fn stale_indexes(&self) -> Vec<PathBuf> {
        let gzi = self.blocks.is_some().then_some(".gzi");
        let indexes = [".fai"].into_iter().chain(gzi);
        indexes
            .map(|suffix| with_suffix(&self.path, suffix))
            .filter(|index| is_older(index, &self.path))
            .collect()
    }

    /// The `.dict` beside the file, as Picard and `samtools dict` name it, with its path; nothing
    /// where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn dictionary(&self) -> Result<Option<(PathBuf, Sequences)>, IoError> {
        let plain = match self.path.extension() {
            Some(suffix) if suffix == "gz" || suffix == "bgz" => self.path.with_extension(""),
            _ => self.path.clone(),
        };
        let candidates = [
            plain.with_extension("dict"),
            with_suffix(&self.path, ".dict"),
        ];
        let Some(path) = candidates.into_iter().find(|path| file::is_file(path)) else {
            return Ok(None);
        };
        let text = head(&path, MAX_DICTIONARY)?;
        Ok(Some((path, Sequences::of_header(&text))))
    }

    /// A reader of its own for one thread.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn reader(self: &Arc<Self>) -> Result<FastaReader, IoError> {
        let file = File::open(&self.path).map_err(|e| IoError::system(&self.path, "open", e))?;
        let bytes: Box<dyn SeekRead> = match &self.blocks {
            Some(blocks) => Box::new(bgzf::io::IndexedReader::new(
                BufReader::new(file),
                blocks.clone(),
            )),
            None => Box::new(BufReader::new(file)),
        };
        Ok(FastaReader {
            reference: Arc::clone(self),
            bytes,
        })
    }
}

/// Reads stretches of the reference.
pub struct FastaReader {
    reference: Arc<Reference>,
    bytes: Box<dyn SeekRead>,
}

impl FastaReader {
    /// The bases `start..end` (0-based, half-open) of a contig, cut at its ends.
    ///
    /// # Errors
    /// Where the contig is unknown or the file shorter than its index says.
    pub fn block(&mut self, contig: &str, start: u64, end: u64) -> Result<ReferenceBlock, IoError> {
        let reference = Arc::clone(&self.reference);
        let path = &reference.path;
        let layout = reference
            .contigs
            .rank(contig)
            .and_then(|rank| reference.layouts.get(rank))
            .ok_or_else(|| IoError::other(path, format!("there is no contig `{contig}`")))?;
        let end = end.min(layout.length);
        let start = start.min(end);
        let bases = if start == end {
            Vec::new()
        } else {
            self.read(layout, start, end).map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => IoError::new(
                    path,
                    Problem::Truncated(
                        "it ends inside a compressed block; copy or make it again".to_owned(),
                    ),
                ),
                _ => IoError::system(path, "read", e),
            })?
        };
        let expected = (end - start) as usize;
        if bases.len() != expected {
            let what = format!(
                "{contig}:{}-{end} has {} of its {expected} bases; the index does not belong to this file, or the file is cut off (`samtools faidx` makes the index again)",
                start + 1,
                bases.len()
            );
            return Err(IoError::new(path, Problem::Truncated(what)));
        }
        Ok(ReferenceBlock::new(start, bases, layout.length))
    }

    fn read(&mut self, layout: &Layout, start: u64, end: u64) -> std::io::Result<Vec<u8>> {
        let at = |position: u64| {
            let line = position.checked_div(layout.line_bases).unwrap_or(0);
            layout.offset + line * layout.line_width + (position - line * layout.line_bases)
        };
        let (from, to) = (at(start), at(end - 1) + 1);
        self.bytes.seek(SeekFrom::Start(from))?;
        let mut raw = Vec::new();
        self.bytes
            .by_ref()
            .take(to.saturating_sub(from))
            .read_to_end(&mut raw)?;
        raw.retain(u8::is_ascii_alphabetic);
        Ok(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, fasta: &str, fai: Option<&str>) -> PathBuf {
        let path = folder.join("r.fa");
        std::fs::write(&path, fasta).unwrap();
        if let Some(fai) = fai {
            std::fs::write(folder.join("r.fa.fai"), fai).unwrap();
        }
        path
    }

    #[test]
    fn any_stretch_comes_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(
            folder.path(),
            ">a x\nACGT\nacgt\nNN\n>b\nTT\n",
            Some("a\t10\t5\t4\t5\nb\t2\t21\t2\t3\n"),
        );
        let reference = Reference::open(&path).unwrap();
        let mut reader = reference.reader().unwrap();
        let whole = b"ACGTACGTNN";
        for start in 0..10u64 {
            for end in start..12 {
                let block = reader.block("a", start, end).unwrap();
                assert_eq!(
                    block.slice(0..20),
                    &whole[start as usize..end.min(10) as usize]
                );
            }
        }
        assert_eq!(reader.block("b", 0, 9).unwrap().slice(0..9), b"TT");
        assert!(reader.block("c", 0, 9).is_err());
        assert_eq!(reference.contigs().get("a").unwrap().length, Some(10));
    }

    #[test]
    fn the_dictionary_is_found_under_its_usual_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), ">a\nACGT\n", Some("a\t4\t3\t4\t5\n"));
        let reference = Reference::open(&path).unwrap();
        assert!(reference.dictionary().unwrap().is_none());
        for (name, checksum) in [("r.fa.dict", "1"), ("r.dict", "2")] {
            let text = format!("@SQ\tSN:a\tLN:4\tM5:{checksum}\n");
            std::fs::write(folder.path().join(name), text).unwrap();
            let (found, sequences) = reference.dictionary().unwrap().unwrap();
            assert_eq!(found, folder.path().join(name));
            assert_eq!(sequences.checksums["a"], checksum);
        }
        assert!(reference.stale_indexes().is_empty());
    }

    #[test]
    fn a_missing_or_foreign_index_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), ">a\nACGT\n", None);
        let error = Reference::open(&path).unwrap_err().to_string();
        assert!(error.contains("samtools faidx"), "{error}");
        let path = file(folder.path(), ">a\nACGT\n", Some(""));
        let error = Reference::open(&path).unwrap_err().to_string();
        assert!(error.contains("r.fa.fai: it lists no contig"), "{error}");
        let path = file(folder.path(), ">a\nACGT\n", Some("a\t40\t3\t40\t41\n"));
        let reference = Reference::open(&path).unwrap();
        let error = reference
            .reader()
            .unwrap()
            .block("a", 0, 40)
            .unwrap_err()
            .to_string();
        assert!(error.contains("4 of its 40 bases"), "{error}");
    }
}
