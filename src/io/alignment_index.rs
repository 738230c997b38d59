//! The index of a BAM or CRAM file, looked at before htslib does, which does not survive all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::binning_index::BinningIndex;
use super::error::{IoError, Problem};
use super::file::{self, File};
use super::{gzip_file, with_suffix};

/// By how much a file may be newer than its index: some programs close it last.
pub(super) const SLACK: Duration = Duration::from_secs(60);

/// The index of a file, as htslib would choose it.
#[derive(Debug)]
pub(super) struct AlignmentIndex {
    /// Where it lies.
    pub path: PathBuf,
    /// Its content; nothing for a CRAM's, or for a file that is no index, which htslib refuses.
    bins: Option<BinningIndex>,
}

impl AlignmentIndex {
    /// Finds it under its usual names; there must be one. That of a BAM is read to its end.
    ///
    /// # Errors
    /// Where there is none, or it is cut off.
    pub(super) fn find(path: &Path, is_cram: bool) -> Result<Self, IoError> {
        let index = path_of_index(path, is_cram)?;
        let bins = if is_cram {
            None
        } else {
            BinningIndex::read(&index)
                .map_err(|_| IoError::other(&index, again("it is cut off", path)))?
        };
        Ok(Self { path: index, bins })
    }

    /// Its content; nothing for a CRAM's.
    pub(super) fn bins(&self) -> Option<&BinningIndex> {
        self.bins.as_ref()
    }

    /// Refuses the index of another file: one with fewer contigs (htslib looks the others up behind
    /// its end), or of a longer one. Of one that is older than its file the warning comes back.
    ///
    /// # Errors
    /// Where the index is not of this file.
    pub(super) fn check(&self, path: &Path, contigs: u32) -> Result<Option<String>, IoError> {
        let name = path.display();
        let fail = |what: String| Err(IoError::other(&self.path, again(&what, path)));
        if let Some(bins) = &self.bins {
            let found = bins.contigs.len();
            if found < contigs as usize {
                return fail(format!(
                    "it is the index of another file: it has {found} contigs, {name} has {contigs}"
                ));
            }
            let length = file::length(path).unwrap_or(u64::MAX);
            if bins.end().is_some_and(|end| end >> 16 > length) {
                return fail(format!(
                    "it is the index of another file: it points behind the end of {name}"
                ));
            }
        }
        Ok(is_older(&self.path, path).then(|| {
            format!(
                "{}: it is older than {name}; if the reads have changed since, make it again with `samtools index {name}`",
                self.path.display()
            )
        }))
    }
}

/// True where an index was written before its file.
pub(super) fn is_older(index: &Path, path: &Path) -> bool {
    match (file::modified(index), file::modified(path)) {
        (Some(index), Some(path)) => index + SLACK < path,
        _ => false,
    }
}

fn again(what: &str, path: &Path) -> String {
    format!(
        "{what}; make it again with `samtools index {}`",
        path.display()
    )
}

/// The index beside the file, of the names that htslib looks for the first that is there.
///
/// # Errors
/// Where there is none.
pub(super) fn path_of_index(path: &Path, is_cram: bool) -> Result<PathBuf, IoError> {
    let suffixes: &[&str] = if is_cram { &["crai"] } else { &["csi", "bai"] };
    let candidates: Vec<PathBuf> = suffixes
        .iter()
        .flat_map(|suffix| {
            let beside = with_suffix(path, &format!(".{suffix}"));
            [beside, path.with_extension(suffix)]
        })
        .collect();
    if let Some(found) = candidates.iter().find(|candidate| file::is_file(candidate)) {
        return Ok(found.clone());
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

/// Records of each contig of a CRAM, by its number: its index says which containers hold which contigs,
/// and a container's header how many records it has (CRAM specification 3.1, sections 7 and 12). No
/// record is decoded. Those of a container of several contigs count for each in equal parts.
///
/// # Errors
/// Where the file or its index cannot be read.
pub(super) fn records_of_contigs(
    path: &Path,
    index: &Path,
    contigs: usize,
) -> Result<Vec<u64>, IoError> {
    let mut containers: BTreeMap<u64, BTreeSet<Option<usize>>> = BTreeMap::new();
    for line in gzip_file::open(index)?.lines() {
        let line = line.map_err(|error| IoError::system(index, "read", error))?;
        let mut columns = line.split('\t');
        let contig = columns.next().and_then(|text| text.parse().ok());
        let offset = columns.nth(2).and_then(|text| text.parse().ok());
        if let Some(offset) = offset {
            containers.entry(offset).or_default().insert(contig);
        }
    }
    let mut file = File::open(path).map_err(|error| IoError::system(path, "open", error))?;
    let mut records = vec![0; contigs];
    for (offset, of_container) in containers {
        let count = records_of_container(&mut file, offset)
            .map_err(|error| IoError::system(path, "read", error))?;
        for contig in of_container.iter().flatten() {
            if let Some(records) = records.get_mut(*contig) {
                *records += count / of_container.len() as u64;
            }
        }
    }
    Ok(records)
}

/// Number of records by the header of a container, which begins at `offset`.
fn records_of_container(file: &mut File, offset: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(offset))?;
    // Its length as four bytes; contig, start, span and records in one to five bytes each.
    let mut header = Vec::new();
    file.take(4 + 4 * 5).read_to_end(&mut header)?;
    let mut bytes = header.get(4..).unwrap_or_default();
    for _ in 0..3 {
        itf8(&mut bytes);
    }
    Ok(itf8(&mut bytes))
}

/// The number that some bytes begin with (CRAM specification 3.1, section 2.3): as many leading bits of
/// the first byte are set as bytes follow.
fn itf8(bytes: &mut &[u8]) -> u64 {
    let Some((first, rest)) = bytes.split_first() else {
        return 0;
    };
    let more = (first.leading_ones() as usize).min(4);
    let (following, rest) = rest.split_at(more.min(rest.len()));
    *bytes = rest;
    let shift = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if more < 4 {
        let begun = u64::from(first & (0xff >> (more + 1)));
        return following.iter().fold(begun, shift);
    }
    // Of the first and the fifth byte half counts.
    let begun = following.iter().take(3).fold(u64::from(first & 0xf), shift);
    begun << 4 | u64::from(following.get(3).map_or(0, |byte| byte & 0xf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_bytes_as_their_first_one_says() {
        for (mut bytes, expected) in [
            (&[0x7f, 9][..], 0x7f),
            (&[0x80 | 0x12, 0x34, 9], 0x1234),
            (&[0xc0 | 0x12, 0x34, 0x56, 9], 0x12_3456),
            (&[0xe0 | 0x02, 0x34, 0x56, 0x78, 9], 0x234_5678),
            (&[0xf1, 0x23, 0x45, 0x67, 0x08, 9], 0x1234_5678),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 9], 0xffff_ffff),
        ] {
            assert_eq!(itf8(&mut bytes), expected);
            assert_eq!(bytes, [9]);
        }
        assert_eq!(itf8(&mut &[][..]), 0);
    }

    #[test]
    fn records_count_for_the_contigs_of_their_container() {
        let folder = tempfile::tempdir().unwrap();
        let (file, index) = (folder.path().join("x.cram"), folder.path().join("x.crai"));
        // Two containers of 300 and 50 records.
        let containers = [
            &[0; 4][..],
            &[0, 1, 9, 0x81, 0x2c, 0],
            &[0; 4],
            &[0xff, 0xff, 0xff, 0xff, 0x0e, 0, 0, 50],
        ];
        std::fs::write(&file, containers.concat()).unwrap();
        let text = "0\t1\t9\t0\t20\t300\n0\t9\t9\t10\t20\t50\n1\t1\t5\t10\t20\t50\n9\t0\t0\t10\t20\t90\n-1\t0\t0\t10\t2\t90\n";
        std::fs::write(&index, text).unwrap();
        assert_eq!(records_of_contigs(&file, &index, 3).unwrap(), [312, 12, 0]);
    }

    #[test]
    fn the_index_is_the_one_that_htslib_takes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bam");
        let message = path_of_index(&path, false).unwrap_err().to_string();
        assert!(
            message.contains("x.bam.bai") && message.contains("x.csi"),
            "{message}"
        );
        for name in ["x.bai", "x.bam.bai", "x.csi", "x.bam.csi"] {
            let index = folder.path().join(name);
            std::fs::write(&index, "").unwrap();
            assert_eq!(path_of_index(&path, false).unwrap(), index);
        }
    }
}
