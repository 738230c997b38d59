//! Blocks of a GVCF: stretches between the calls, cut where calls reach over them and at the regions asked for.

use cnnfilter_core::candidates::{ReferenceStretch, Swept};
use cnnfilter_core::genome::{IntervalSet, ReferenceBlock};

/// What a sweep of a tile finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Candidates, and stretches between them where a GVCF is written.
    pub(super) swept: Swept,
    /// The reference of the tile.
    pub(super) reference: ReferenceBlock,
}

/// How far the records of a contig reach.
#[derive(Debug, Default)]
pub(super) struct Reach {
    contig: String,
    end: u64,
}

impl Reach {
    /// The end on this contig.
    fn on(&mut self, contig: &str) -> &mut u64 {
        if self.contig != contig {
            *self = Self {
                contig: contig.to_owned(),
                end: 0,
            };
        }
        &mut self.end
    }
}

/// The blocks of a tile of `contig`. Tiles come in order; `reach` goes from one to the next.
pub(super) fn blocks(
    found: Found,
    contig: &str,
    wanted: Option<&IntervalSet>,
    reach: &mut Reach,
) -> Vec<ReferenceStretch> {
    let reach = reach.on(contig);
    let covered = *reach;
    let ends = found
        .swept
        .sites
        .iter()
        .map(|site| site.start + site.reference.len() as u64);
    *reach = ends.max().unwrap_or(0).max(covered);
    let base = |at: u64| {
        found
            .reference
            .slice(at..at + 1)
            .first()
            .copied()
            .unwrap_or(b'N')
    };
    let stretches = found.swept.stretches.into_iter();
    let uncovered = stretches.filter_map(|stretch| stretch.from(covered, base));
    let Some(wanted) = wanted else {
        return uncovered.collect();
    };
    let intervals = wanted.on(contig);
    let mut cut = Vec::new();
    for stretch in uncovered {
        let first = intervals.partition_point(|interval| interval.end <= stretch.start);
        for interval in intervals[first..]
            .iter()
            .take_while(|one| one.start < stretch.end)
        {
            let mut part = stretch.clone();
            part.end = part.end.min(interval.end);
            cut.extend(part.from(interval.start, base));
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::candidates::CandidateSite;
    use cnnfilter_core::genome::Interval;

    fn stretch(start: u64, end: u64) -> ReferenceStretch {
        ReferenceStretch {
            start,
            end,
            base: b'A',
            depth: 20,
            min_depth: 18,
            ploidy: 2,
            quality: 54,
            likelihoods: vec![0, 54, 300],
        }
    }

    fn found(sites: &[(u64, usize)], stretches: &[(u64, u64)]) -> Found {
        let site = |(start, length): &(u64, usize)| CandidateSite {
            start: *start,
            reference: vec![b'A'; *length],
            alternates: Vec::new(),
            samples: Vec::new(),
        };
        Found {
            swept: Swept {
                sites: sites.iter().map(site).collect(),
                stretches: stretches
                    .iter()
                    .map(|(start, end)| stretch(*start, *end))
                    .collect(),
                ..Swept::default()
            },
            reference: ReferenceBlock::new(0, b"ACGT".repeat(100), 400),
        }
    }

    fn places(blocks: &[ReferenceStretch]) -> Vec<(u64, u64, u8)> {
        blocks
            .iter()
            .map(|one| (one.start, one.end, one.base))
            .collect()
    }

    #[test]
    fn a_deletion_reaches_into_the_next_tile() {
        let mut reach = Reach::default();
        let first = blocks(found(&[(95, 10)], &[(0, 95)]), "c", None, &mut reach);
        assert_eq!(places(&first), [(0, 95, b'A')]);
        let second = blocks(found(&[], &[(100, 103), (103, 200)]), "c", None, &mut reach);
        assert_eq!(places(&second), [(105, 200, b'C')]);
        let other = blocks(found(&[], &[(0, 9)]), "d", None, &mut reach);
        assert_eq!(places(&other), [(0, 9, b'A')]);
    }

    #[test]
    fn blocks_are_cut_at_regions() {
        let interval = |start, end| ("c".to_owned(), Interval { start, end });
        let wanted = IntervalSet::new([interval(10, 20), interval(30, 40), interval(90, 300)]);
        let all = found(&[], &[(0, 35), (35, 100)]);
        let cut = blocks(all, "c", Some(&wanted), &mut Reach::default());
        assert_eq!(
            places(&cut),
            [
                (10, 20, b'G'),
                (30, 35, b'G'),
                (35, 40, b'A'),
                (90, 100, b'G')
            ]
        );
    }
}
