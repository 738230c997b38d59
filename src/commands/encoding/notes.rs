//! What a user should know about the reads, once all of them were seen.

use std::collections::BTreeMap;
use std::path::Path;

use super::inputs::Inputs;
use crate::io::alignment::ReadCounts;
use cnnfilter_core::samples::{ReadRoute, RoutedFile};

/// Groups that a message names.
const SHOWN: usize = 8;

/// One message a file with reads of groups that its header gives no sample, and one for spliced reads.
pub(crate) fn read_notes(counts: &ReadCounts, inputs: &Inputs) -> Vec<String> {
    let of_sample = |sample: usize| inputs.samples.get(sample)?.name.as_deref();
    notes(counts, &inputs.reads, of_sample)
}

fn notes<'a>(
    counts: &ReadCounts,
    files: &[RoutedFile],
    of_sample: impl Fn(usize) -> Option<&'a str>,
) -> Vec<String> {
    let mut of_files: BTreeMap<&Path, Vec<(&[u8], u64)>> = BTreeMap::new();
    for ((path, group), count) in &counts.strangers {
        of_files.entry(path).or_default().push((group, *count));
    }
    let mut notes = Vec::new();
    for (path, groups) in of_files {
        let total: u64 = groups.iter().map(|(_, count)| count).sum();
        let groups = list(&groups);
        let route = files.iter().find(|file| file.path == path);
        notes.push(match route.map(|file| &file.route) {
            Some(ReadRoute::All(sample)) => format!(
                "{}: {total} reads over calls are of read groups to which its header gives no sample ({groups}): they are taken for {}, as all of the file",
                path.display(),
                of_sample(*sample).map_or("the sample's own".to_owned(), |name| format!("those of sample `{name}`"))
            ),
            _ => format!(
                "{}: {total} reads over calls are left out, for its header gives their read groups no sample ({groups}); mend the header (`samtools reheader`), or give all reads of the file to one sample with --sample-map",
                path.display()
            ),
        });
    }
    if counts.spliced > 0 {
        notes.push(format!(
            "{} reads over calls are spliced (`N` in the CIGAR, as RNA has it): no model was trained on such reads",
            counts.spliced
        ));
    }
    notes
}

fn list(groups: &[(&[u8], u64)]) -> String {
    let mut names: Vec<String> = groups
        .iter()
        .take(SHOWN)
        .map(|(group, count)| match group {
            [] => format!("none: {count}"),
            group => format!("`{}`: {count}", String::from_utf8_lossy(group)),
        })
        .collect();
    if groups.len() > SHOWN {
        names.push(format!("{} more groups", groups.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_and_taken_reads_are_told_apart() {
        let file = |path: &str, route| RoutedFile {
            path: path.into(),
            route,
            groups: Vec::new(),
        };
        let groups = ReadRoute::Groups {
            samples: BTreeMap::new(),
            ungrouped: None,
        };
        let files = [file("a", ReadRoute::All(0)), file("b", groups)];
        let counts = ReadCounts {
            strangers: [("a", "x", 3), ("b", "x", 4), ("b", "", 5)]
                .map(|(path, group, count)| ((path.into(), group.into()), count))
                .into(),
            spliced: 7,
        };
        let found = notes(&counts, &files, |_| Some("demo"));
        for (note, parts) in found.iter().zip([
            &["a: 3 reads", "(`x`: 3)", "those of sample `demo`"][..],
            &[
                "b: 9 reads over calls are left out",
                "none: 5, `x`: 4",
                "--sample-map",
            ],
            &["7 reads over calls are spliced"],
        ]) {
            assert!(parts.iter().all(|part| note.contains(part)), "{note}");
        }
        assert_eq!(found.len(), 3);
        assert!(notes(&ReadCounts::default(), &files, |_| None).is_empty());
    }
}
