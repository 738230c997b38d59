//! The assignment of reads to columns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::map::{Destinations, MapError, MappedFile, SampleMap};
use super::route::{ReadGroup, ReadRoute, RoutedFile};

/// The user's choice among the samples of the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleChoice {
    /// Each one, by itself.
    Every,
    /// One: the one of this name, the first without a name.
    One(Option<String>),
}

/// A sample whose calls are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its name; nothing where the calls have no samples.
    pub name: Option<String>,
    /// Its column behind FORMAT, from 0.
    pub column: usize,
}

/// The samples that are scored, and the way of each file's reads to them.
#[derive(Debug)]
pub struct Assignment {
    /// The samples, in the order of their columns.
    pub samples: Vec<Sample>,
    /// The files whose reads belong to one of them; routes count `samples`.
    pub files: Vec<RoutedFile>,
    /// Samples and reads that have no counterpart, in sentences for the user.
    pub notes: Vec<String>,
}

/// A file of reads with its read groups.
#[derive(Debug, Clone)]
pub struct NamedReads {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// The one spelling of its path (no links, no `..`), where it is known.
    pub real: Option<PathBuf>,
    /// Its read groups.
    pub groups: Vec<ReadGroup>,
}

impl NamedReads {
    /// The sample of each group (of the whole file, where the map names the file).
    fn samples<'a>(&'a self, map: &'a Destinations) -> Vec<(&'a [u8], Option<&'a str>)> {
        let of_file = map.of_file(&self.path);
        self.groups
            .iter()
            .map(|group| {
                let of_group = group.sample.as_deref();
                let renamed = of_group.and_then(|sample| map.of_sample(sample));
                (&group.name[..], of_file.or(renamed).or(of_group))
            })
            .collect()
    }

    /// The one sample of all reads, where there is no doubt about it: the only one that the header
    /// names. Reads of a group that it gives no sample are that sample's too, as bcftools has it.
    fn only_sample<'a>(&'a self, map: &'a Destinations) -> Option<&'a str> {
        let samples = self.samples(map).into_iter();
        let named: BTreeSet<&str> = samples.filter_map(|(_, name)| name).collect();
        match (map.of_file(&self.path), named.len()) {
            (Some(name), _) => Some(name),
            (None, 1) => named.into_iter().next(),
            _ => None,
        }
    }

    /// The file with a route, and the groups to which its header gives a sample (all, where it gives
    /// none).
    fn routed(&self, route: ReadRoute) -> RoutedFile {
        let name = |group: &ReadGroup| group.name.clone();
        let with_sample = self.groups.iter().filter(|group| group.sample.is_some());
        let mut groups: Vec<Vec<u8>> = with_sample.map(name).collect();
        if groups.is_empty() {
            groups = self.groups.iter().map(name).collect();
        }
        RoutedFile {
            path: self.path.clone(),
            route,
            groups,
        }
    }
}

/// Why reads cannot be assigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// The map names what is not there.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The calls do not have the sample that was chosen.
    #[error("the calls have no sample `{name}`; they have {known}")]
    NoSample {
        /// Its name.
        name: String,
        /// The first samples that they have.
        known: String,
    },
    /// No read belongs to any of several samples.
    #[error(
        "the calls are of {samples} samples ({columns}), and the read groups of the reads (@RG, SM) are of none of them: they have {named}; name the reads of each sample with --sample-map"
    )]
    NoReads {
        /// Number of samples.
        samples: usize,
        /// The first of them.
        columns: String,
        /// The first samples that the reads name.
        named: String,
    },
}

/// Assigns reads to the columns of the calls: by the sample of their read group (`@RG`, SM), or as
/// `map` says. `columns` are the sample names of the calls.
///
/// Where one sample is asked about and no read group names it, all reads are its own: many files
/// hold one sample under two names. Where there are several that would be a guess, and an error.
///
/// # Errors
/// A choice or a map that names what is not there; several samples without a single read group of
/// theirs.
pub fn assign(
    columns: &[&str],
    choice: &SampleChoice,
    reads: &[NamedReads],
    map: &SampleMap,
) -> Result<Assignment, AssignError> {
    let files: Vec<MappedFile<'_>> = reads
        .iter()
        .map(|file| MappedFile {
            path: &file.path,
            real: file.real.as_deref(),
            samples: file
                .groups
                .iter()
                .filter_map(|group| group.sample.as_deref())
                .collect(),
        })
        .collect();
    let map = &map.resolve(columns, &files)?;
    match choice {
        SampleChoice::Every if columns.len() > 1 => assign_each(columns, reads, map),
        SampleChoice::Every | SampleChoice::One(None) => {
            Ok(assign_one(columns.first().copied(), 0, reads, map))
        }
        SampleChoice::One(Some(name)) => {
            let Some(column) = columns.iter().position(|known| known == name) else {
                return Err(AssignError::NoSample {
                    name: name.clone(),
                    known: list(columns.iter().copied()),
                });
            };
            Ok(assign_one(Some(name), column, reads, map))
        }
    }
}

fn assign_one(
    name: Option<&str>,
    column: usize,
    reads: &[NamedReads],
    map: &Destinations,
) -> Assignment {
    let named: BTreeSet<&str> = reads
        .iter()
        .flat_map(|file| file.samples(map))
        .filter_map(|(_, sample)| sample)
        .collect();
    let mut notes = Vec::new();
    let is_named = name.is_some_and(|name| named.contains(name));
    let others = list(named.iter().copied().filter(|other| Some(*other) != name));
    if let Some(name) = name {
        if is_named && named.len() > 1 {
            notes.push(format!(
                "reads of {others} are left out: the calls are of sample `{name}`"
            ));
        } else if !is_named && named.len() > 1 {
            notes.push(format!(
                "no reads are of sample `{name}`, as the calls have it: those of {others} are taken for its own; say which are with --sample-map"
            ));
        } else if !is_named && !named.is_empty() {
            log::debug!("the reads of {others} are taken for those of sample `{name}`");
        }
    }
    let wanted = name.filter(|_| is_named);
    let files = reads
        .iter()
        .filter_map(|file| {
            let samples = file.samples(map);
            let is_wanted = |sample: &Option<&str>| wanted.is_none() || *sample == wanted;
            let is_all = samples.iter().all(|(_, sample)| is_wanted(sample))
                || is_wanted(&file.only_sample(map));
            let route = if is_all {
                ReadRoute::All(0)
            } else {
                let groups = samples.iter().filter(|(_, sample)| is_wanted(sample));
                ReadRoute::Groups {
                    samples: groups.map(|(group, _)| (group.to_vec(), 0)).collect(),
                    ungrouped: None,
                }
            };
            route.reaches(0).then(|| file.routed(route))
        })
        .collect();
    Assignment {
        samples: vec![Sample {
            name: name.map(String::from),
            column,
        }],
        files,
        notes,
    }
}

fn assign_each(
    columns: &[&str],
    reads: &[NamedReads],
    map: &Destinations,
) -> Result<Assignment, AssignError> {
    let of_name: BTreeMap<&str, usize> = columns
        .iter()
        .enumerate()
        .map(|(column, name)| (*name, column))
        .collect();
    let named: BTreeSet<&str> = reads
        .iter()
        .flat_map(|file| {
            file.samples(map)
                .into_iter()
                .map(|(_, sample)| sample)
                .chain([map.of_file(&file.path)])
        })
        .flatten()
        .collect();
    let with_reads: BTreeSet<usize> = named
        .iter()
        .filter_map(|name| of_name.get(name).copied())
        .collect();
    if with_reads.is_empty() && !reads.is_empty() {
        return Err(AssignError::NoReads {
            samples: columns.len(),
            columns: list(columns.iter().copied()),
            named: if named.is_empty() {
                "no names".to_owned()
            } else {
                list(named.iter().copied())
            },
        });
    }
    let mut notes = notes_on_each(columns, reads, &with_reads, &named);
    let slots: BTreeMap<usize, usize> = if reads.is_empty() {
        (0..columns.len()).map(|column| (column, column)).collect()
    } else {
        with_reads
            .iter()
            .enumerate()
            .map(|(slot, column)| (*column, slot))
            .collect()
    };
    let slot_of = |name: &str| {
        of_name
            .get(name)
            .and_then(|column| slots.get(column))
            .copied()
    };
    let files = reads
        .iter()
        .filter_map(|file| {
            let route = route_by_name(file, map, &slot_of, &mut notes)?;
            Some(file.routed(route))
        })
        .collect();
    Ok(Assignment {
        samples: slots
            .keys()
            .map(|column| Sample {
                name: Some(columns[*column].to_owned()),
                column: *column,
            })
            .collect(),
        files,
        notes,
    })
}

/// Samples and reads that have no counterpart.
fn notes_on_each(
    columns: &[&str],
    reads: &[NamedReads],
    with_reads: &BTreeSet<usize>,
    named: &BTreeSet<&str>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let without = (0..columns.len()).filter(|column| !with_reads.contains(column));
    let without: Vec<&str> = without.map(|column| columns[column]).collect();
    if !without.is_empty() && !reads.is_empty() {
        notes.push(format!(
            "{} of {} samples have no reads and get no score: {}",
            without.len(),
            columns.len(),
            list(without)
        ));
    }
    let strangers = named.iter().copied();
    let strangers: Vec<&str> = strangers.filter(|name| !columns.contains(name)).collect();
    if !strangers.is_empty() {
        notes.push(format!(
            "reads of samples that the calls do not have are left out: {}",
            list(strangers)
        ));
    }
    notes
}

/// The route of a file's reads to the samples that `slot_of` knows by name; `None` where none of
/// them is among those.
fn route_by_name(
    file: &NamedReads,
    map: &Destinations,
    slot_of: &impl Fn(&str) -> Option<usize>,
    notes: &mut Vec<String>,
) -> Option<ReadRoute> {
    if let Some(name) = file.only_sample(map) {
        return slot_of(name).map(ReadRoute::All);
    }
    let groups = file.samples(map);
    if groups.iter().all(|(_, name)| name.is_none()) {
        notes.push(format!(
            "{}: its header names no sample (@RG, SM): its reads are left out; name it with --sample-map",
            file.path.display()
        ));
    }
    let samples: BTreeMap<Vec<u8>, usize> = groups
        .into_iter()
        .filter_map(|(group, name)| Some((group.to_vec(), slot_of(name?)?)))
        .collect();
    (!samples.is_empty()).then_some(ReadRoute::Groups {
        samples,
        ungrouped: None,
    })
}

/// Names for a message: the first few, and how many more.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > SHOWN {
        text.push(format!("{} more", names.len() - SHOWN));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(path: &str, groups: &[(&str, Option<&str>)]) -> NamedReads {
        NamedReads {
            path: path.into(),
            real: None,
            groups: groups
                .iter()
                .map(|(name, sample)| ReadGroup {
                    name: name.as_bytes().to_vec(),
                    sample: sample.map(String::from),
                })
                .collect(),
        }
    }

    /// A map from lines of two columns.
    fn map_of(text: &str) -> SampleMap {
        let mut map = SampleMap::default();
        for line in text.lines() {
            let (sample, reads) = line.split_once('\t').unwrap();
            map.insert(sample, reads, None).unwrap();
        }
        map
    }

    fn groups(of: &[(&str, usize)]) -> ReadRoute {
        ReadRoute::Groups {
            samples: of
                .iter()
                .map(|(group, sample)| (group.as_bytes().to_vec(), *sample))
                .collect(),
            ungrouped: None,
        }
    }

    /// Names of samples, routes by file, number of notes.
    fn assigned(
        columns: &[&str],
        choice: SampleChoice,
        reads: &[NamedReads],
        map: &str,
    ) -> (Vec<String>, Vec<(String, ReadRoute)>, usize) {
        let map = map_of(map);
        let found = assign(columns, &choice, reads, &map).unwrap();
        (
            found
                .samples
                .into_iter()
                .map(|sample| format!("{}{}", sample.name.unwrap_or_default(), sample.column))
                .collect(),
            found
                .files
                .into_iter()
                .map(|file| (file.path.to_string_lossy().into_owned(), file.route))
                .collect(),
            found.notes.len(),
        )
    }

    #[test]
    fn one_sample_takes_its_own_reads_or_all() {
        let mixed = [
            reads("x", &[("1", Some("A")), ("2", Some("B"))]),
            reads("y", &[("3", Some("B"))]),
            reads("z", &[]),
        ];
        let every = || SampleChoice::Every;
        let (samples, files, notes) = assigned(&["A"], every(), &mixed, "");
        assert_eq!((samples, notes), (vec!["A0".to_owned()], 1));
        assert_eq!(
            files,
            [
                ("x".to_owned(), groups(&[("1", 0)])),
                ("z".to_owned(), ReadRoute::All(0))
            ]
        );
        // Nobody has its name: all of them.
        let (_, files, notes) = assigned(&["C"], every(), &mixed, "");
        assert!(files.iter().all(|(_, route)| *route == ReadRoute::All(0)));
        assert_eq!((files.len(), notes), (3, 1));
        // Calls without samples: all of them, without a word.
        let (samples, files, notes) = assigned(&[], every(), &mixed, "");
        assert_eq!((samples, files.len(), notes), (vec!["0".to_owned()], 3, 0));
        // The map names it.
        let (_, files, _) = assigned(&["C"], every(), &mixed, "C\tB\n");
        assert_eq!(files[0], ("x".to_owned(), groups(&[("2", 0)])));
        let chosen = SampleChoice::One(Some("B".to_owned()));
        let (samples, files, _) = assigned(&["A", "B"], chosen, &mixed, "");
        assert_eq!(samples, ["B1"]);
        assert_eq!(files[1], ("y".to_owned(), ReadRoute::All(0)));
    }

    #[test]
    fn several_samples_take_their_own_reads() {
        let files = [
            reads(
                "dir/x",
                &[("1", Some("A")), ("2", Some("C")), ("3", Some("Q"))],
            ),
            reads("dir/y", &[("1", Some("C"))]),
            reads("dir/z", &[]),
        ];
        let (samples, routed, notes) = assigned(&["A", "B", "C"], SampleChoice::Every, &files, "");
        assert_eq!(samples, ["A0", "C2"]);
        assert_eq!(
            routed,
            [
                ("dir/x".to_owned(), groups(&[("1", 0), ("2", 1)])),
                ("dir/y".to_owned(), ReadRoute::All(1)),
            ]
        );
        // B without reads, Q without a column, z without a name.
        assert_eq!(notes, 3);
        let (samples, routed, notes) = assigned(
            &["A", "B", "C"],
            SampleChoice::Every,
            &files,
            "B\tz\nA\tQ\n",
        );
        assert_eq!(samples, ["A0", "B1", "C2"]);
        assert_eq!(routed[0].1, groups(&[("1", 0), ("2", 2), ("3", 0)]));
        assert_eq!(routed[2].1, ReadRoute::All(1));
        assert_eq!(notes, 0);
        // Without reads each column stands for itself.
        let (samples, routed, _) = assigned(&["A", "B"], SampleChoice::Every, &[], "");
        assert_eq!((samples, routed.len()), (vec!["A0".into(), "B1".into()], 0));
    }

    #[test]
    fn guesses_are_errors() {
        let files = [reads("x", &[("1", Some("Q"))])];
        let fail = |columns: &[&str], choice, map: &str| {
            let map = map_of(map);
            assign(columns, &choice, &files, &map)
                .unwrap_err()
                .to_string()
        };
        let message = fail(&["A", "B"], SampleChoice::Every, "");
        assert!(
            message.contains("`A`, `B`") && message.contains("`Q`"),
            "{message}"
        );
        assert!(message.contains("--sample-map"), "{message}");
        let message = fail(&["A"], SampleChoice::One(Some("Z".into())), "");
        assert!(message.contains("no sample `Z`"), "{message}");
        let message = fail(&["A", "B"], SampleChoice::Every, "Z\tQ\n");
        assert!(message.contains("`Z`"), "{message}");
        let message = fail(&["A", "B"], SampleChoice::Every, "A\tR\n");
        assert!(message.contains("`R`"), "{message}");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        let text = list(names.iter().map(String::as_str));
        assert!(text.ends_with("`7`, 12 more"), "{text}");
    }
}
