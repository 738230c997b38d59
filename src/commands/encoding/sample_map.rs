//! Lists that name reads: `--sample-map`, and `.list` files of paths.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

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

    /// The sample that a file's reads belong to, whatever their read groups say.
    pub fn of_file(&self, file: &Path) -> Option<&str> {
        self.find(|reads| names(reads, file))
    }

    /// The sample that reads of the sample `name` belong to.
    pub fn of_sample(&self, name: &str) -> Option<&str> {
        self.find(|reads| reads == name)
    }

    fn find(&self, is: impl Fn(&str) -> bool) -> Option<&str> {
        let entry = self.entries.iter().find(|(_, reads)| is(reads))?;
        Some(&entry.0)
    }

    /// Every name must name something.
    ///
    /// # Errors
    /// A sample that is not among `columns`, or reads that are neither among `files` nor `samples`.
    pub fn check(&self, columns: &[&str], files: &[&Path], samples: &[&str]) -> Result<()> {
        for (sample, reads) in &self.entries {
            if !columns.contains(&sample.as_str()) {
                bail!(
                    "{}: the calls have no sample `{sample}`; the first column holds samples of the calls",
                    self.path.display()
                );
            }
            if !samples.contains(&reads.as_str()) && !files.iter().any(|file| names(reads, file)) {
                bail!(
                    "{}: no reads file and no read group's sample (SM) is called `{reads}`; the second column holds those",
                    self.path.display()
                );
            }
        }
        Ok(())
    }
}

/// Whether `text` names the file: its path, or the last part of it.
fn names(text: &str, file: &Path) -> bool {
    Path::new(text) == file || file.file_name().is_some_and(|name| name == text)
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

    #[test]
    fn a_map_names_files_and_samples() {
        let map = SampleMap::parse(b"# sample\treads\nA\tdir/a.bam\nB\tb.bam\nC c\tsm\n").unwrap();
        assert_eq!(map.of_file(Path::new("dir/a.bam")), Some("A"));
        assert_eq!(map.of_file(Path::new("a.bam")), None);
        assert_eq!(map.of_file(Path::new("x/b.bam")), Some("B"));
        assert_eq!(map.of_sample("sm"), Some("C c"));
        assert_eq!(map.of_sample("A"), None);
        let files = [Path::new("dir/a.bam"), Path::new("b.bam")];
        assert!(map.check(&["A", "B", "C c"], &files, &["sm"]).is_ok());
        assert!(map.check(&["A", "B"], &files, &["sm"]).is_err());
        assert!(map.check(&["A", "B", "C c"], &files, &[]).is_err());
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
