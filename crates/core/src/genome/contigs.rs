//! Names and lengths of reference sequences, and what to say when two files disagree about them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// One reference sequence as a file's header states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contig {
    /// Its name as the file spells it.
    pub name: String,
    /// Its length in bases, where the file states one.
    pub length: Option<u64>,
}

/// The reference sequences of one file, in the file's order.
#[derive(Debug, Clone, Default)]
pub struct ContigTable {
    contigs: Vec<Contig>,
    index: HashMap<String, usize>,
}

impl ContigTable {
    /// Builds the table; of a name that stands twice the first entry counts.
    pub fn new(contigs: impl IntoIterator<Item = Contig>) -> Self {
        let mut table = Self::default();
        for contig in contigs {
            table.push(contig);
        }
        table
    }

    /// An empty table with room for this many contigs.
    pub fn with_capacity(contigs: usize) -> Self {
        Self {
            contigs: Vec::with_capacity(contigs),
            index: HashMap::with_capacity(contigs),
        }
    }

    /// Adds a contig as the last one; false, and nothing done, where its name stands already.
    pub fn push(&mut self, contig: Contig) -> bool {
        let next = self.contigs.len();
        match self.index.entry(contig.name.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(slot) => {
                slot.insert(next);
                self.contigs.push(contig);
                true
            }
        }
    }

    /// Number of contigs.
    pub fn len(&self) -> usize {
        self.contigs.len()
    }

    /// Returns true if the file names no contig at all.
    pub fn is_empty(&self) -> bool {
        self.contigs.is_empty()
    }

    /// The contigs in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &Contig> {
        self.contigs.iter()
    }

    /// The rank of a contig in the file's order.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// A contig by its exact name.
    pub fn get(&self, name: &str) -> Option<&Contig> {
        self.rank(name).map(|at| &self.contigs[at])
    }

    /// The name under which this table holds `name` in the other usual spelling:
    /// with or without `chr`, `M` for `MT`.
    pub fn other_spelling(&self, name: &str) -> Option<&str> {
        let bare = name.strip_prefix("chr").unwrap_or(name);
        let mut spellings = vec![bare.to_owned(), format!("chr{bare}")];
        if bare == "M" || bare == "MT" {
            spellings.extend(["M", "MT", "chrM", "chrMT"].map(String::from));
        }
        spellings
            .iter()
            .filter(|spelling| *spelling != name)
            .find_map(|spelling| self.get(spelling))
            .map(|contig| contig.name.as_str())
    }

    /// The first few names, for messages.
    pub fn sample_of_names(&self) -> String {
        let mut names: Vec<&str> = self
            .contigs
            .iter()
            .take(3)
            .map(|c| c.name.as_str())
            .collect();
        if self.contigs.len() > 3 {
            names.push("...");
        }
        names.join(", ")
    }
}

/// How two files disagree about their reference sequences.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContigMismatch {
    /// The same sequence under two spellings, and no name in common.
    #[error("one says `{left}` where the other says `{right}`")]
    Spelling {
        /// Spelling of the first file.
        left: String,
        /// Spelling of the second file.
        right: String,
    },
    /// No name in common, and no near spelling either.
    #[error("they have no contig in common ({left} against {right})")]
    Disjoint {
        /// Some names of the first file.
        left: String,
        /// Some names of the second file.
        right: String,
    },
    /// A shared name with two lengths.
    #[error("contig `{name}` has {left} bases in one and {right} in the other")]
    Length {
        /// The contig.
        name: String,
        /// Its length in the first file.
        left: u64,
        /// Its length in the second file.
        right: u64,
    },
}

/// Checks that two files can be about the same reference: at least one shared name, and equal
/// lengths for each shared name whose length both state. An empty table agrees with anything.
pub fn compare(left: &ContigTable, right: &ContigTable) -> Result<(), ContigMismatch> {
    if left.is_empty() || right.is_empty() {
        return Ok(());
    }
    let mut shared = 0usize;
    for contig in left.iter() {
        let Some(other) = right.get(&contig.name) else {
            continue;
        };
        shared += 1;
        if let (Some(a), Some(b)) = (contig.length, other.length)
            && a != b
        {
            return Err(ContigMismatch::Length {
                name: contig.name.clone(),
                left: a,
                right: b,
            });
        }
    }
    if shared > 0 {
        return Ok(());
    }
    for contig in left.iter() {
        if let Some(spelling) = right.other_spelling(&contig.name) {
            return Err(ContigMismatch::Spelling {
                left: contig.name.clone(),
                right: spelling.to_owned(),
            });
        }
    }
    Err(ContigMismatch::Disjoint {
        left: left.sample_of_names(),
        right: right.sample_of_names(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[(&str, u64)]) -> ContigTable {
        ContigTable::new(names.iter().map(|(name, length)| Contig {
            name: (*name).to_owned(),
            length: (*length > 0).then_some(*length),
        }))
    }

    #[test]
    fn spelling_is_reported_with_both_names() {
        let error = compare(&table(&[("20", 0)]), &table(&[("chr1", 5), ("chr20", 7)]));
        assert_eq!(
            error,
            Err(ContigMismatch::Spelling {
                left: "20".into(),
                right: "chr20".into()
            })
        );
        assert_eq!(table(&[("chrM", 0)]).other_spelling("MT"), Some("chrM"));
    }

    #[test]
    fn lengths_must_agree_where_both_are_known() {
        assert!(compare(&table(&[("1", 0)]), &table(&[("1", 9)])).is_ok());
        assert_eq!(
            compare(&table(&[("1", 8)]), &table(&[("1", 9)])),
            Err(ContigMismatch::Length {
                name: "1".into(),
                left: 8,
                right: 9
            })
        );
    }

    #[test]
    fn of_a_name_that_stands_twice_the_first_counts() {
        let mut table = ContigTable::with_capacity(2);
        let contig = |name: &str, length| Contig {
            name: name.to_owned(),
            length: Some(length),
        };
        assert!(table.push(contig("a", 5)) && table.push(contig("b", 6)));
        assert!(!table.push(contig("a", 7)));
        assert_eq!((table.len(), table.rank("b")), (2, Some(1)));
        assert_eq!(table.get("a").unwrap().length, Some(5));
    }

    #[test]
    fn one_shared_name_is_enough() {
        assert!(compare(&table(&[("a", 0), ("b", 0)]), &table(&[("b", 0)])).is_ok());
        assert!(matches!(
            compare(&table(&[("a", 0)]), &table(&[("b", 0)])),
            Err(ContigMismatch::Disjoint { .. })
        ));
    }
}
