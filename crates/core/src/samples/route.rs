//! The way of a file's reads to the samples.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// One `@RG` line of a file of reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadGroup {
    /// Its name, ID.
    pub name: Vec<u8>,
    /// Its sample, SM.
    pub sample: Option<String>,
}

impl ReadGroup {
    /// Returns true if reads of a group of this name are haplotypes that HaplotypeCaller made up:
    /// `-bamout` writes them as reads of a group with `artificial` in its name, as GATK's networks
    /// have it.
    pub fn is_artificial(name: &str) -> bool {
        const MARK: &[u8] = b"artificial";
        name.as_bytes()
            .windows(MARK.len())
            .any(|part| part.eq_ignore_ascii_case(MARK))
    }
}

/// The sample that each read of a file belongs to. Samples are numbered from 0 in the run's own
/// order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadRoute {
    /// All to one.
    All(usize),
    /// By the name of the read group.
    Groups {
        /// Sample of each group; reads of a group that is not here belong to none.
        samples: BTreeMap<Vec<u8>, usize>,
        /// Sample of reads that have no group.
        ungrouped: Option<usize>,
    },
}

/// A file and the way of its reads.
#[derive(Debug, Clone)]
pub struct RoutedFile {
    /// The file.
    pub path: PathBuf,
    /// Where its reads go.
    pub route: ReadRoute,
    /// The read groups to which its header gives a sample; all of them where it gives none.
    pub groups: Vec<Vec<u8>>,
}

impl ReadRoute {
    /// Returns true if any read goes to `sample`.
    pub fn reaches(&self, sample: usize) -> bool {
        match self {
            Self::All(one) => *one == sample,
            Self::Groups { samples, ungrouped } => {
                *ungrouped == Some(sample) || samples.values().any(|one| *one == sample)
            }
        }
    }

    /// The sample of a read of this read group (`None` for a read without one). Reads of
    /// artificial groups ([`ReadGroup::is_artificial`]), and of groups that no sample asks for,
    /// belong to none.
    pub fn sample_of(&self, group: Option<&str>) -> Option<usize> {
        if group.is_some_and(ReadGroup::is_artificial) {
            return None;
        }
        match (self, group) {
            (Self::All(sample), _) => Some(*sample),
            (Self::Groups { samples, .. }, Some(group)) => samples.get(group.as_bytes()).copied(),
            (Self::Groups { ungrouped, .. }, None) => *ungrouped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_where_their_group_goes() {
        let all = ReadRoute::All(3);
        let groups = ReadRoute::Groups {
            samples: BTreeMap::from([(b"a".to_vec(), 0), (b"b".to_vec(), 1)]),
            ungrouped: None,
        };
        for (group, by_all, by_group) in [
            (None, Some(3), None),
            (Some("a"), Some(3), Some(0)),
            (Some("b"), Some(3), Some(1)),
            (Some("c"), Some(3), None),
            (Some("ArtificialHaplotypeRG"), None, None),
        ] {
            assert_eq!(all.sample_of(group), by_all, "{group:?}");
            assert_eq!(groups.sample_of(group), by_group, "{group:?}");
        }
        assert!(groups.reaches(1) && !groups.reaches(2));
        let ungrouped = ReadRoute::Groups {
            samples: BTreeMap::new(),
            ungrouped: Some(2),
        };
        assert!(ungrouped.reaches(2));
        assert_eq!(ungrouped.sample_of(None), Some(2));
    }
}
