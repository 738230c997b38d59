//! Lists that name reads: `--sample-map`, and `.list` files of paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::io::text_source::TextSource;

/// Which column of the calls a sample or file of the reads belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleMap {
    path: PathBuf,
    /// Sample of the calls; path or file name of a reads file, or a sample of its read groups.
    entries: Vec<(String, String)>,
}

impl SampleMap {
    /// Reads a table of two columns with a tab between them, as GATK's sample maps have it: the
    /// sample's name in the calls, then a reads file (its path as given, or its file name) or the
    /// sample's name in the read groups. Lines that start with `#` are comments.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that has not two columns.
    pub fn read(path: &Path) -> Result<Self> {
        let map = Self::parse(&read_text(path)?).with_context(|| path.display().to_string())?;
        Ok(Self {
            path: path.to_owned(),
            ..map
        })
    }

    /// [`SampleMap::read`] of text.
    ///
    /// # Errors
    /// A line that has not two columns, or says the same twice.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(b'\t')
            .quoting(false)
            .comment(Some(b'#'))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text);
        let mut entries: Vec<(String, String)> = Vec::new();
        for row in rows.records() {
            let row = row.context("expected a table of two columns with a tab between them")?;
            let line = row.position().map_or(0, csv::Position::line);
            let (Some(sample), Some(reads), 2) = (row.get(0), row.get(1), row.len()) else {
                bail!(
                    "line {line}: found {} column(s), expected two with a tab between them: a sample of the calls, and its reads (a file, or the SM of its read groups)",
                    row.len()
                );
            };
            if sample.is_empty() || reads.is_empty() {
                bail!("line {line}: a name is empty; expected a sample of the calls and its reads");
            }
            if let Some((other, _)) = entries.iter().find(|(_, known)| known == reads) {
                bail!(
                    "line {line}: `{reads}` goes to sample `{sample}` here and to `{other}` further up; give it once"
                );
            }
            entries.push((sample.to_owned(), reads.to_owned()));
        }
        Ok(Self {
            path: PathBuf::new(),
            entries,
        })
    }

    /// Finds what each line names among the reads: a file by its path, else the samples of read groups
    /// and the one file of that name that no line gives by its path. The order of lines does not
    /// matter.
    ///
    /// # Errors
    /// A sample that is not among `columns`, a line that names no reads or could name several files,
    /// or two lines that say two things about the same reads.
    pub fn resolve(&self, columns: &[&str], files: &[MappedFile<'_>]) -> Result<Destinations> {
        self.resolve_lines(columns, files)
            .map_err(|error| anyhow!("{}: {error}", self.path.display()))
    }

    fn resolve_lines(&self, columns: &[&str], files: &[MappedFile<'_>]) -> Result<Destinations> {
        let mut found = Destinations::default();
        for (sample, reads) in &self.entries {
            if !columns.contains(&sample.as_str()) {
                bail!(
                    "the calls have no sample `{sample}`; the first column holds samples of the calls"
                );
            }
            for file in files.iter().filter(|file| is_path_of(reads, file.path)) {
                found.add_file(file.path, sample, reads)?;
            }
        }
        let by_path = found.clone();
        for (sample, reads) in &self.entries {
            if files.iter().any(|file| is_path_of(reads, file.path)) {
                continue;
            }
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
                found.of_sample.insert(reads.clone(), sample.clone());
            }
            match free[..] {
                [only] => found.add_file(only, sample, reads)?,
                [] if is_sample => {}
                [] if of_name.is_empty() => bail!(
                    "no reads file and no read group's sample (SM) is called `{reads}`; the second column holds those"
                ),
                [] => bail!(
                    "`{reads}` (sample `{sample}`) names {}, which other lines give by path; give the path of another file, or take the line out",
                    paths(&of_name)
                ),
                _ => bail!(
                    "`{reads}` (sample `{sample}`) is the name of several reads files ({}); give the path of the one that is meant",
                    paths(&free)
                ),
            }
        }
        found.check_samples(files)?;
        Ok(found)
    }
}

/// A reads file as a map may name it.
#[derive(Debug, Clone)]
pub struct MappedFile<'a> {
    /// Its path as the user gave it.
    pub path: &'a Path,
    /// The samples of its read groups.
    pub samples: Vec<&'a str>,
}

/// Where the reads of files and samples go, by a map that names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    /// The sample of the calls by file, whatever the file's read groups say, with the map's word for it.
    of_file: BTreeMap<PathBuf, (String, String)>,
    /// The sample of the calls by the sample of read groups.
    of_sample: BTreeMap<String, String>,
}

impl Destinations {
    /// The sample that a file's reads belong to, whatever their read groups say.
    pub fn of_file(&self, file: &Path) -> Option<&str> {
        self.of_file.get(file).map(|(sample, _)| sample.as_str())
    }

    /// The sample that reads of the sample `name` belong to.
    pub fn of_sample(&self, name: &str) -> Option<&str> {
        self.of_sample.get(name).map(String::as_str)
    }

    fn add_file(&mut self, file: &Path, sample: &str, word: &str) -> Result<()> {
        if let Some((other, first)) = self.of_file.get(file) {
            bail!(
                "{} goes to sample `{other}` as `{first}` and to `{sample}` as `{word}`; give it once",
                file.display()
            );
        }
        let destination = (sample.to_owned(), word.to_owned());
        self.of_file.insert(file.to_owned(), destination);
        Ok(())
    }

    /// A line for a sample of read groups must not be overruled by lines for all of its files.
    fn check_samples(&self, files: &[MappedFile<'_>]) -> Result<()> {
        for (name, sample) in &self.of_sample {
            let mut holders = files
                .iter()
                .filter(|file| file.samples.contains(&name.as_str()));
            let is_overruled = |file: &MappedFile<'_>| {
                self.of_file(file.path).is_some_and(|other| other != sample)
            };
            if holders.clone().next().is_some() && holders.all(is_overruled) {
                bail!(
                    "the reads of `{name}` go to sample `{sample}`, but other lines give all files that hold them to other samples; say one of the two"
                );
            }
        }
        Ok(())
    }
}

/// Whether `text` is the path of the file, in this spelling or another one (`./x`, `y/../x`).
fn is_path_of(text: &str, file: &Path) -> bool {
    let path = Path::new(text);
    if path == file {
        return true;
    }
    // A bare name stands for a file of that name in any folder.
    path.components().count() > 1
        && matches!((path.canonicalize(), file.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn paths(files: &[&Path]) -> String {
    let shown: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}

/// All lines of a text file.
fn read_text(path: &Path) -> Result<Vec<u8>> {
    let mut source = TextSource::open_list(path)?;
    let (mut text, mut line) = (Vec::new(), Vec::new());
    while source.next_line(&mut line)? {
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    Ok(text)
}

/// The paths of a `.list` file, one a line; empty lines and those that start with `#` do not count.
///
/// # Errors
/// A file that cannot be read, or lists nothing.
pub fn read_list(path: &Path) -> Result<Vec<PathBuf>> {
    let text = read_text(path)?;
    let paths: Vec<PathBuf> = String::from_utf8_lossy(&text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(PathBuf::from)
        .collect();
    if paths.is_empty() {
        bail!(
            "{}: it lists no file; expected the path of a BAM or CRAM file on each line",
            path.display()
        );
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(path: &'a str, samples: &[&'a str]) -> MappedFile<'a> {
        MappedFile {
            path: Path::new(path),
            samples: samples.to_vec(),
        }
    }

    fn resolved(map: &str, files: &[MappedFile<'_>]) -> Result<Destinations, String> {
        let map = SampleMap::parse(map.as_bytes()).unwrap();
        let resolved = map.resolve(&["A", "B", "C c"], files);
        resolved.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_map_names_files_and_samples() {
        let files = [file("dir/a.bam", &[]), file("x/b.bam", &["sm", "A"])];
        let found = resolved("# sample\treads\nA\tdir/a.bam\nB\tb.bam\n", &files).unwrap();
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
                let message = resolved(&lines.join("\n"), &files).unwrap_err();
                assert!(message.contains(expected), "{message}");
            }
        }
        assert!(resolved("A\td1/r.bam\nA\tx\n", &files).is_ok());
    }

    #[test]
    fn two_spellings_of_one_path_are_a_conflict() {
        let file_there = tempfile::NamedTempFile::new().unwrap();
        let given = file_there.path().to_str().unwrap();
        let (folder, name) = given.rsplit_once('/').unwrap();
        let last = folder.rsplit('/').next().unwrap();
        let other = format!("{folder}/../{last}/{name}");
        let message =
            resolved(&format!("A\t{given}\nB\t{other}\n"), &[file(given, &[])]).unwrap_err();
        assert!(message.contains("give it once"), "{message}");
    }

    #[test]
    fn broken_maps_say_where() {
        for (text, expected) in [
            ("A\tx\nB\n", "line 2: found 1 column(s)"),
            ("A\tx\ty\n", "line 1: found 3 column(s)"),
            ("A\t\n", "line 1: a name is empty"),
            ("A\tx\nB\tx\n", "line 2: `x` goes to sample `B`"),
        ] {
            let message = SampleMap::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
