//! The order of records.

use std::collections::HashSet;

use super::VcfRecord;

/// Follows the order of records: contigs in one piece each, whichever comes first, and positions
/// ascending.
#[derive(Debug, Default)]
pub struct OrderCheck {
    /// Contig and position of the last record.
    last: Option<(Vec<u8>, u64)>,
    /// Contigs that are done.
    closed: HashSet<Vec<u8>>,
}

/// A record in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disorder {
    /// Its position, 1-based, is smaller than that of the one before.
    #[error("follows position {0}")]
    Follows(u64),
    /// Records of other contigs came since its contig was left.
    #[error("comes back to a contig that was left before")]
    ComesBack,
}

impl OrderCheck {
    /// Takes the next record; what is wrong with its place, if anything.
    pub fn next(&mut self, record: &VcfRecord) -> Option<Disorder> {
        let position = record.position();
        match &mut self.last {
            Some((contig, last)) if contig == record.contig() => {
                let before = std::mem::replace(last, position);
                (position < before).then_some(Disorder::Follows(before))
            }
            last => {
                let known = self.closed.contains(record.contig());
                if let Some((contig, _)) = last.replace((record.contig().to_vec(), position)) {
                    self.closed.insert(contig);
                }
                known.then_some(Disorder::ComesBack)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contigs_in_one_piece_and_positions_ascending() {
        let mut check = OrderCheck::default();
        let mut next = |place: &str| {
            let line = format!("{place}\t.\tA\tC\t.\t.\t.");
            check.next(&VcfRecord::parse(line.into_bytes(), 8).unwrap())
        };
        assert_eq!(next("c2\t5"), None);
        assert_eq!(next("c2\t5"), None);
        assert_eq!(next("c2\t4"), Some(Disorder::Follows(5)));
        assert_eq!(next("c1\t1"), None);
        assert_eq!(next("c2\t9"), Some(Disorder::ComesBack));
        assert_eq!(next("c2\t10"), None);
    }
}
