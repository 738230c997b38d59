//! A user's own table of samples and their reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which column of the calls a sample or a file of the reads belongs to, as a user says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleMap {
    entries: Vec<Entry>,
}

/// One line of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Sample of the calls.
    sample: String,
    /// Path or name of a file of reads, or a sample of its read groups.
    reads: String,
    /// The one spelling of the path, where `reads` is one.
    real: Option<PathBuf>,
}

/// Reads that a map gives to two samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reads}` goes to sample `{sample}` here and to `{other}` further up; give it once")]
pub struct TwiceInMap {
    /// The reads.
    pub reads: String,
    /// The sample given now.
    pub sample: String,
    /// The sample given before.
    pub other: String,
}

/// A line of a map that does not go with the calls and the reads, or with another line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// No column of the calls has this name.
    #[error("the calls have no sample `{0}`; the first column holds samples of the calls")]
    Sample(String),
    /// Neither a file nor a read group's sample has this name.
    #[error(
        "no reads file and no read group's sample (SM) is called `{0}`; the second column holds those"
    )]
    Reads(String),
    /// Other lines give every file of this name by its path.
    #[error(
        "`{reads}` (sample `{sample}`) names {files}, which other lines give by path; give the path of another file, or take the line out"
    )]
    GivenByPath {
        /// The name.
        reads: String,
        /// The sample given with it.
        sample: String,
        /// The files.
        files: String,
    },
    /// Several files have this name.
    #[error(
        "`{reads}` (sample `{sample}`) is the name of several reads files ({files}); give the path of the one that is meant"
    )]
    SeveralFiles {
        /// The name.
        reads: String,
        /// The sample given with it.
        sample: String,
        /// The files.
        files: String,
    },
    /// Two lines name one file.
    #[error(
        "{file} goes to sample `{other}` as `{first}` and to `{sample}` as `{reads}`; give it once"
    )]
    OneFileTwice {
        /// The file.
        file: String,
        /// The sample given first, and the file's name there.
        other: String,
        /// See `other`.
        first: String,
        /// The sample given then, and the file's name there.
        sample: String,
        /// See `sample`.
        reads: String,
    },
    /// Lines for files leave nothing to a line for a sample of read groups.
    #[error(
        "the reads of `{reads}` go to sample `{sample}`, but other lines give all files that hold them to other samples; say one of the two"
    )]
    Overruled {
        /// The sample of the read groups.
        reads: String,
        /// The sample of the calls given with it.
        sample: String,
    },
}

/// A file of reads as a map may name it.
#[derive(Debug, Clone)]
pub(super) struct MappedFile<'a> {
    /// Its path as the user gave it.
    pub(super) path: &'a Path,
    /// The one spelling of its path, where it is known.
    pub(super) real: Option<&'a Path>,
    /// The samples of its read groups.
    pub(super) samples: Vec<&'a str>,
}

impl SampleMap {
    /// Adds an entry: `reads` is a file (its path, or its file name) or a sample of the read groups,
    /// `sample` the sample of the calls it belongs to. `real` is the one spelling of the path (no
    /// links, no `..`), where `reads` is a path of more than a bare name.
    ///
    /// # Errors
    /// The map has an entry for `reads` already.
    pub fn insert(
        &mut self,
        sample: &str,
        reads: &str,
        real: Option<PathBuf>,
    ) -> Result<(), TwiceInMap> {
        if let Some(other) = self.entries.iter().find(|entry| entry.reads == reads) {
            return Err(TwiceInMap {
                reads: reads.to_owned(),
                sample: sample.to_owned(),
                other: other.sample.clone(),
            });
        }
        self.entries.push(Entry {
            sample: sample.to_owned(),
            reads: reads.to_owned(),
            real,
        });
        Ok(())
    }

    /// Finds what each line names among the reads: a file by its path, else the samples of read
    /// groups and the one file of that name that no line gives by its path. The order of lines does
    /// not matter.
    ///
    /// # Errors
    /// A sample that is not among `columns`, a line that names no reads or could name several
    /// files, or two lines that say two things about the same reads.
    pub(super) fn resolve(
        &self,
        columns: &[&str],
        files: &[MappedFile<'_>],
    ) -> Result<Destinations, MapError> {
        let mut found = Destinations::default();
        for entry in &self.entries {
            if !columns.contains(&entry.sample.as_str()) {
                return Err(MapError::Sample(entry.sample.clone()));
            }
            for file in files.iter().filter(|file| entry.is_path_of(file)) {
                found.add_file(file.path, entry)?;
            }
        }
        let by_path = found.clone();
        for entry in &self.entries {
            if !files.iter().any(|file| entry.is_path_of(file)) {
                found.add_by_name(entry, files, &by_path)?;
            }
        }
        found.check_samples(files)?;
        Ok(found)
    }
}

impl Entry {
    /// Returns true if it is the path of the file, in this spelling or another one (`./x`, `y/../x`). A bare
    /// name stands for a file of that name in any folder.
    fn is_path_of(&self, file: &MappedFile<'_>) -> bool {
        Path::new(&self.reads) == file.path
            || (self.real.is_some() && self.real.as_deref() == file.real)
    }
}

/// Where the reads of files and samples go, by a map that names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    /// The sample of the calls by file, whatever the file's read groups say, with the map's word for
    /// it.
    of_file: BTreeMap<PathBuf, (String, String)>,
    /// The sample of the calls by the sample of read groups.
    of_sample: BTreeMap<String, String>,
}

impl Destinations {
    /// The sample that a file's reads belong to, whatever their read groups say.
    pub(super) fn of_file(&self, file: &Path) -> Option<&str> {
        self.of_file.get(file).map(|(sample, _)| sample.as_str())
    }

    /// The sample that reads of the sample `name` belong to.
    pub(super) fn of_sample(&self, name: &str) -> Option<&str> {
        self.of_sample.get(name).map(String::as_str)
    }

    fn add_file(&mut self, file: &Path, entry: &Entry) -> Result<(), MapError> {
        if let Some((other, first)) = self.of_file.get(file) {
            return Err(MapError::OneFileTwice {
                file: file.display().to_string(),
                other: other.clone(),
                first: first.clone(),
                sample: entry.sample.clone(),
                reads: entry.reads.clone(),
            });
        }
        let destination = (entry.sample.clone(), entry.reads.clone());
        self.of_file.insert(file.to_owned(), destination);
        Ok(())
    }

    /// Adds what a line names that is no path. `by_path` is what the other lines give by path.
    fn add_by_name(
        &mut self,
        entry: &Entry,
        files: &[MappedFile<'_>],
        by_path: &Self,
    ) -> Result<(), MapError> {
        let Entry { sample, reads, .. } = entry;
        let of_name: Vec<&Path> = files
            .iter()
            .map(|file| file.path)
            .filter(|path| path.file_name().is_some_and(|name| name == reads.as_str()))
            .collect();
        let free: Vec<&Path> = of_name
            .iter()
            .copied()
            .filter(|path| by_path.of_file(path).is_none())
            .collect();
        let is_sample = files
            .iter()
            .any(|file| file.samples.contains(&reads.as_str()));
        if is_sample {
            self.of_sample.insert(reads.clone(), sample.clone());
        }
        match free[..] {
            [only] => self.add_file(only, entry),
            [] if is_sample => Ok(()),
            [] if of_name.is_empty() => Err(MapError::Reads(reads.clone())),
            [] => Err(MapError::GivenByPath {
                reads: reads.clone(),
                sample: sample.clone(),
                files: paths(&of_name),
            }),
            _ => Err(MapError::SeveralFiles {
                reads: reads.clone(),
                sample: sample.clone(),
                files: paths(&free),
            }),
        }
    }

    /// A line for a sample of read groups must not be overruled by lines for all of its files.
    fn check_samples(&self, files: &[MappedFile<'_>]) -> Result<(), MapError> {
        for (name, sample) in &self.of_sample {
            let mut holders = files
                .iter()
                .filter(|file| file.samples.contains(&name.as_str()));
            let is_overruled = |file: &MappedFile<'_>| {
                self.of_file(file.path).is_some_and(|other| other != sample)
            };
            if holders.clone().next().is_some() && holders.all(is_overruled) {
                return Err(MapError::Overruled {
                    reads: name.clone(),
                    sample: sample.clone(),
                });
            }
        }
        Ok(())
    }
}

fn paths(files: &[&Path]) -> String {
    let shown: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(path: &'a str, samples: &[&'a str]) -> MappedFile<'a> {
        MappedFile {
            path: Path::new(path),
            real: None,
            samples: samples.to_vec(),
        }
    }

    fn map_of(text: &str) -> SampleMap {
        let mut map = SampleMap::default();
        for line in text.lines() {
            let (sample, reads) = line.split_once('\t').unwrap();
            map.insert(sample, reads, None).unwrap();
        }
        map
    }

    fn resolved(map: &str, files: &[MappedFile<'_>]) -> Result<Destinations, MapError> {
        map_of(map).resolve(&["A", "B", "C c"], files)
    }

    #[test]
    fn a_map_names_files_and_samples() {
        let files = [file("dir/a.bam", &[]), file("x/b.bam", &["sm", "A"])];
        let found = resolved("A\tdir/a.bam\nB\tb.bam\n", &files).unwrap();
        assert_eq!(found.of_file(Path::new("dir/a.bam")), Some("A"));
        assert_eq!(found.of_file(Path::new("x/b.bam")), Some("B"));
        let found = resolved("C c\tsm\n", &files).unwrap();
        assert_eq!(found.of_sample("sm"), Some("C c"));
        assert_eq!(found.of_sample("A"), None);
        assert_eq!(found.of_file(Path::new("x/b.bam")), None);
    }

    #[test]
    fn a_path_wins_over_a_name_in_any_order() {
        let files = [file("d1/r.bam", &["x"]), file("d2/r.bam", &["y"])];
        let there = resolved("A\td1/r.bam\nB\tr.bam\n", &files).unwrap();
        let back = resolved("B\tr.bam\nA\td1/r.bam\n", &files).unwrap();
        for found in [&there, &back] {
            assert_eq!(found.of_file(Path::new("d1/r.bam")), Some("A"));
            assert_eq!(found.of_file(Path::new("d2/r.bam")), Some("B"));
        }
        assert_eq!(there, back);
    }

    #[test]
    fn doubts_and_conflicts_are_errors() {
        let files = [file("d1/r.bam", &["x"]), file("d2/r.bam", &["y", "z"])];
        for (map, expected) in [
            (
                "A\tr.bam\n",
                "`r.bam` (sample `A`) is the name of several reads files (d1/r.bam, d2/r.bam)",
            ),
            (
                "A\td1/r.bam\nB\td2/r.bam\nC c\tr.bam\n",
                "which other lines give by path",
            ),
            ("A\td1/r.bam\nB\tx\n", "the reads of `x` go to sample `B`"),
            (
                "A\tq\n",
                "no reads file and no read group's sample (SM) is called `q`",
            ),
            ("Z\tx\n", "the calls have no sample `Z`"),
        ] {
            for reversed in [false, true] {
                let mut lines: Vec<&str> = map.lines().collect();
                if reversed {
                    lines.reverse();
                }
                let error = resolved(&lines.join("\n"), &files).unwrap_err();
                let message = error.to_string();
                assert!(message.contains(expected), "{message}");
            }
        }
        assert!(resolved("A\td1/r.bam\nA\tx\n", &files).is_ok());
    }

    #[test]
    fn two_spellings_of_one_path_are_a_conflict() {
        let real = Path::new("/folder/r.bam");
        let mut map = SampleMap::default();
        map.insert("A", "r/../r.bam", Some(real.to_owned()))
            .unwrap();
        map.insert("B", "./r.bam", Some(real.to_owned())).unwrap();
        let there = MappedFile {
            real: Some(real),
            ..file("r.bam", &[])
        };
        let error = map.resolve(&["A", "B"], &[there]).unwrap_err();
        assert!(error.to_string().contains("give it once"), "{error}");
        assert!(matches!(error, MapError::OneFileTwice { .. }));
    }

    #[test]
    fn reads_belong_to_one_sample() {
        let mut map = map_of("A\tx\nA\ty\n");
        assert_eq!(map.insert("B", "x", None).unwrap_err().other, "A");
    }
}
