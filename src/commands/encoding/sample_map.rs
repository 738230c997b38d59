//! Lists that name reads: `--sample-map`, and `.list` files of paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::io::text_source::TextSource;
use cnnfilter_core::samples::SampleMap;

/// Reads a table of two columns with a tab between them, as GATK's sample maps have it: the
/// sample's name in the calls, then a reads file (its path as given, or its file name) or the
/// sample's name in the read groups. Lines that start with `#` are comments.
///
/// # Errors
/// A file that cannot be read, or a line that has not two columns or says the same twice.
pub(crate) fn read_map(path: &Path) -> Result<SampleMap> {
    parse_map(&read_text(path)?).with_context(|| path.display().to_string())
}

fn parse_map(text: &[u8]) -> Result<SampleMap> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(b'\t')
        .quoting(false)
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text);
    let mut map = SampleMap::default();
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
        // A bare name stands for a file of that name in any folder.
        let is_path = Path::new(reads).components().count() > 1;
        let real = is_path.then(|| real_path(Path::new(reads))).flatten();
        if let Err(twice) = map.insert(sample, reads, real) {
            bail!("line {line}: {twice}");
        }
    }
    Ok(map)
}

/// The one spelling of a path, without links and `..`; nothing for a file that is not there.
pub(crate) fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
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
pub(crate) fn read_list(path: &Path) -> Result<Vec<PathBuf>> {
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

/// The paths in their order, each `.list` file replaced by the paths that it lists.
///
/// # Errors
/// A list that cannot be read, or lists nothing.
pub(crate) fn expand_lists(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut expanded = Vec::new();
    for path in paths {
        if path.extension().is_some_and(|suffix| suffix == "list") {
            expanded.extend(read_list(path)?);
        } else {
            expanded.push(path.clone());
        }
    }
    Ok(expanded)
}

/// Two names of one file would count its reads twice.
///
/// # Errors
/// A file that is given more than once.
pub(crate) fn check_distinct(paths: &[PathBuf]) -> Result<()> {
    let mut seen: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for path in paths {
        let Some(real) = real_path(path) else {
            continue;
        };
        if let Some(before) = seen.insert(real, path) {
            bail!(
                "{} and {} are one file: its reads would count twice; give it once",
                before.display(),
                path.display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_comments_and_names_with_spaces() {
        let mut expected = SampleMap::default();
        expected.insert("A", "dir/a.bam", None).unwrap();
        expected.insert("C c", "sm", None).unwrap();
        let found = parse_map(b"# sample\treads\nA\tdir/a.bam\nC c\tsm\n").unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_has_one_spelling() {
        let there = tempfile::NamedTempFile::new().unwrap();
        let given = there.path().to_str().unwrap();
        let (folder, name) = given.rsplit_once('/').unwrap();
        let last = folder.rsplit('/').next().unwrap();
        let other = format!("{folder}/../{last}/{name}");
        let found = parse_map(format!("A\t{other}\n").as_bytes()).unwrap();
        let mut expected = SampleMap::default();
        expected
            .insert("A", &other, real_path(there.path()))
            .unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn broken_maps_say_where() {
        for (text, expected) in [
            ("A\tx\nB\n", "line 2: found 1 column(s)"),
            ("A\tx\ty\n", "line 1: found 3 column(s)"),
            ("A\t\n", "line 1: a name is empty"),
            ("A\tx\nB\tx\n", "line 2: `x` goes to sample `B`"),
        ] {
            let message = parse_map(text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
