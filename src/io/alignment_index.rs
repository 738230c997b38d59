//! The indexes of a BAM or CRAM file, looked at before htslib does, which does not survive all of them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::bgzf_tail::is_bgzf;
use super::error::{IoError, Problem};
use super::with_suffix;

/// The indexes that lie beside a file.
pub(super) struct AlignmentIndexes {
    /// Each index and how many contigs it has, where that is known.
    found: Vec<(PathBuf, Option<u32>)>,
}

impl AlignmentIndexes {
    /// Finds them under their usual names; there must be one. Those of a BAM are read to their end.
    ///
    /// # Errors
    /// Where there is none, or one is cut off.
    pub(super) fn find(path: &Path, is_cram: bool) -> Result<Self, IoError> {
        let mut found = Vec::new();
        for index in names_of_indexes(path, is_cram)? {
            let contigs = if is_cram {
                None
            } else {
                contigs_of_index(&index).map_err(|_| {
                    let what = format!(
                        "it is cut off; make it again with `samtools index {}`",
                        path.display()
                    );
                    IoError::other(&index, what)
                })?
            };
            found.push((index, contigs));
        }
        Ok(Self { found })
    }

    /// Refuses the index of a file with fewer contigs: htslib looks the others up behind its end.
    ///
    /// # Errors
    /// Where an index has fewer than the file's `contigs`.
    pub(super) fn check_contigs(&self, path: &Path, contigs: u32) -> Result<(), IoError> {
        for (index, found) in &self.found {
            if let Some(found) = found.filter(|found| *found < contigs) {
                return Err(IoError::other(
                    index,
                    format!(
                        "it is the index of another file: it has {found} contigs, {} has {contigs}; make it again with `samtools index {}`",
                        path.display(),
                        path.display()
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The indexes beside the file, under their usual names; there must be one.
fn names_of_indexes(path: &Path, is_cram: bool) -> Result<Vec<PathBuf>, IoError> {
    let candidates = if is_cram {
        vec![with_suffix(path, ".crai"), path.with_extension("crai")]
    } else {
        vec![
            with_suffix(path, ".bai"),
            with_suffix(path, ".csi"),
            path.with_extension("bai"),
            path.with_extension("csi"),
        ]
    };
    let found: Vec<PathBuf> = candidates
        .iter()
        .filter(|candidate| candidate.is_file())
        .cloned()
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<String> = candidates
        .iter()
        .map(|candidate| format!("`{}`", candidate.display()))
        .collect();
    Err(IoError::new(
        path,
        Problem::NoIndex {
            looked_for: names.join(", "),
            command: format!("samtools index {}", path.display()),
        },
    ))
}

/// How many contigs a `.bai` or `.csi` file has (SAM specification, section 5.2; CSIv1); nothing for
/// a file that is neither, which htslib refuses.
fn contigs_of_index(index: &Path) -> io::Result<Option<u32>> {
    let mut file = BufReader::new(File::open(index)?);
    let number = |bytes: &mut dyn Read| -> io::Result<u32> {
        let mut word = [0; 4];
        bytes.read_exact(&mut word)?;
        Ok(u32::from_le_bytes(word))
    };
    if file.fill_buf()?.starts_with(b"BAI\x01") {
        number(&mut file)?;
        let contigs = number(&mut file)?;
        let skip = |file: &mut BufReader<File>, length: u64| -> io::Result<()> {
            match io::copy(&mut file.take(length), &mut io::sink())? {
                skipped if skipped < length => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(()),
            }
        };
        // To its end: htslib does not survive one that is cut off between two numbers.
        for _ in 0..contigs {
            for _ in 0..number(&mut file)? {
                number(&mut file)?;
                let chunks = number(&mut file)?;
                skip(&mut file, 16 * u64::from(chunks))?;
            }
            let intervals = number(&mut file)?;
            skip(&mut file, 8 * u64::from(intervals))?;
        }
        return Ok(Some(contigs));
    }
    if !is_bgzf(file.fill_buf()?) {
        return Ok(None);
    }
    let mut csi = noodles_bgzf::io::Reader::new(file);
    if number(&mut csi)? != u32::from_le_bytes(*b"CSI\x01") {
        return Ok(None);
    }
    // Smallest interval and depth, then bytes that are the user's own.
    number(&mut csi)?;
    number(&mut csi)?;
    let own = number(&mut csi)?;
    io::copy(&mut csi.by_ref().take(own.into()), &mut io::sink())?;
    number(&mut csi).map(Some)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_index_says_how_many_contigs_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let count = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            contigs_of_index(&path).ok()
        };
        // One contig with one bin of one chunk, and one interval; one with nothing.
        let mut bai = b"BAI\x01\x02\0\0\0\x01\0\0\0\x05\0\0\0\x01\0\0\0".to_vec();
        bai.extend([0; 16]);
        bai.extend(b"\x01\0\0\0");
        bai.extend([0; 8 + 8]);
        assert_eq!(count(&bai), Some(Some(2)));
        for length in 4..bai.len() {
            assert_eq!(count(&bai[..length]), None, "{length}");
        }
        assert_eq!(count(b"hello"), Some(None));
        assert_eq!(count(b""), Some(None));
        let csi = |bytes: &[u8]| {
            let mut writer = noodles_bgzf::io::Writer::new(Vec::new());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        };
        let whole = b"CSI\x01\x0e\0\0\0\x05\0\0\0\x03\0\0\0abc\x09\0\0\0";
        assert_eq!(count(&csi(whole)), Some(Some(9)));
        assert_eq!(count(&csi(&whole[..20])), None);
        assert_eq!(count(&csi(b"TBI\x01")), Some(None));
    }
}
