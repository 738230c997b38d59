//! Regions of equal work, for runs that are scattered over machines.
//!
//! Indexes say how much of a file lies before some positions of a contig: a [`WorkCurve`]. Between two of
//! them the work is taken to be spread evenly, so that a cut is off by what lies between two positions of the
//! index at most.

use super::interval::Interval;

/// Work that lies before each position of one contig: known at some positions, a straight line between them.
/// It never falls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkCurve {
    /// Position (0-based) and work before it: the first at 0 and without work, the last at the contig's end.
    points: Vec<(u64, u64)>,
}

impl WorkCurve {
    /// A curve through points in any order, of a contig of `length` bases; points behind its end count for
    /// its end. Where the work falls from one point to the next, it stays.
    pub fn new(mut points: Vec<(u64, u64)>, length: u64) -> Self {
        points.push((0, 0));
        for (position, _) in &mut points {
            *position = (*position).min(length);
        }
        points.sort_unstable();
        let mut kept: Vec<(u64, u64)> = Vec::with_capacity(points.len() + 1);
        for (position, work) in points {
            match kept.last_mut() {
                Some(last) if last.0 == position && position == 0 => {}
                Some(last) if last.0 == position => last.1 = last.1.max(work),
                Some(last) => {
                    let work = work.max(last.1);
                    kept.push((position, work));
                }
                None => kept.push((position, 0)),
            }
        }
        let total = kept.last().map_or(0, |(_, work)| *work);
        if kept.last().is_some_and(|(position, _)| *position < length) {
            kept.push((length, total));
        }
        Self { points: kept }
    }

    /// A contig of `length` bases, each as much work as the next.
    pub fn even(length: u64) -> Self {
        Self::new(vec![(length, length)], length)
    }

    /// The work of the whole contig.
    pub fn total(&self) -> u64 {
        self.points.last().map_or(0, |(_, work)| *work)
    }

    /// Bases of the contig.
    pub fn length(&self) -> u64 {
        self.points.last().map_or(0, |(position, _)| *position)
    }

    /// The work before a position.
    pub fn before(&self, position: u64) -> u64 {
        let next = self.points.partition_point(|(at, _)| *at < position);
        match (
            next.checked_sub(1).map(|at| self.points[at]),
            self.points.get(next),
        ) {
            (Some((from, low)), Some((to, high))) => {
                let share = u128::from(high - low) * u128::from(position - from);
                // No more than `high - low`.
                low + (share / u128::from(to - from)) as u64
            }
            (Some((_, work)), None) => work,
            (None, _) => 0,
        }
    }

    /// The first position before which at least `work` lies; the contig's end where there is none.
    fn reaches(&self, work: u64) -> u64 {
        let next = self.points.partition_point(|(_, before)| *before < work);
        match (
            next.checked_sub(1).map(|at| self.points[at]),
            self.points.get(next),
        ) {
            (Some((from, low)), Some((to, high))) => {
                let share = u128::from(work - low) * u128::from(to - from);
                from + share.div_ceil(u128::from(high - low)) as u64
            }
            (None, _) => 0,
            (Some(_), None) => self.length(),
        }
    }

    /// The work of two curves of one contig together.
    pub fn plus(&self, other: &Self) -> Self {
        let both = self.points.iter().chain(&other.points);
        let mut positions: Vec<u64> = both.map(|(position, _)| *position).collect();
        positions.sort_unstable();
        positions.dedup();
        let points = positions
            .into_iter()
            .map(|at| (at, self.before(at).saturating_add(other.before(at))))
            .collect();
        Self { points }
    }

    /// The curve with `total` as its whole work.
    pub fn scaled_to(&self, total: u64) -> Self {
        let whole = u128::from(self.total().max(1));
        let scale = |work: u64| (u128::from(work) * u128::from(total) / whole) as u64;
        let points = self.points.iter();
        Self {
            points: points.map(|(at, work)| (*at, scale(*work))).collect(),
        }
    }

    /// Work and reads of each piece of the curve: its end, its work, its depth in reads a base.
    fn pieces<'a>(&'a self, reads: &'a Self) -> impl Iterator<Item = (u64, u64, f64)> + 'a {
        self.points.windows(2).map(|ends| {
            let ((from, low), (to, high)) = (ends[0], ends[1]);
            let reads = reads.before(to) - reads.before(from);
            (to, high - low, reads as f64 / (to - from).max(1) as f64)
        })
    }
}

/// Calls weighted by their reads: half of a call's work at mean depth is taken to be its reads, and to grow
/// with their number. `contigs` are calls and reads of each contig; the mean is that over the calls.
pub fn weighted_by_depth(contigs: &[(WorkCurve, WorkCurve)]) -> Vec<WorkCurve> {
    let pieces = || {
        contigs
            .iter()
            .flat_map(|(calls, reads)| calls.pieces(reads))
    };
    let calls: f64 = pieces().map(|(_, work, _)| work as f64).sum();
    let reads: f64 = pieces().map(|(_, work, depth)| work as f64 * depth).sum();
    let mean = if reads > 0.0 { reads / calls } else { 1.0 };
    let weigh = |(calls, reads): &(WorkCurve, WorkCurve)| {
        let mut whole = 0u64;
        let points = calls.pieces(reads).map(|(end, work, depth)| {
            whole = whole.saturating_add((work as f64 * (1.0 + depth / mean) / 2.0) as u64);
            (end, whole)
        });
        WorkCurve::new(points.collect(), calls.length())
    };
    contigs.iter().map(weigh).collect()
}

/// A stretch of a contig, by the contig's number.
pub type Piece = (usize, Interval);

/// Cuts a genome into `count` shards of nearly equal work, in the order of its contigs. Each position lies
/// in one shard; no shard is empty, so that a genome of fewer bases than shards has fewer. Without any work
/// the bases count.
///
/// A shard's work is at most its equal share and what lies on one base.
pub fn shards(contigs: &[WorkCurve], count: usize) -> Vec<Vec<Piece>> {
    let total: u128 = contigs.iter().map(|curve| u128::from(curve.total())).sum();
    if total == 0 && contigs.iter().any(|curve| curve.length() > 0) {
        let even = contigs.iter().map(|curve| WorkCurve::even(curve.length()));
        return shards(&even.collect::<Vec<_>>(), count);
    }
    let mut shards: Vec<Vec<Piece>> = vec![Vec::new()];
    let (mut work, mut next) = (0u128, 1u128);
    for (number, curve) in contigs.iter().enumerate() {
        let end = work + u128::from(curve.total());
        let mut start = 0;
        while next < count as u128 {
            let target = (total * next).div_ceil(count as u128);
            if target > end {
                break;
            }
            let cut = curve.reaches((target - work) as u64);
            add(&mut shards, number, start, cut);
            start = start.max(cut);
            if shards.last().is_some_and(|shard| !shard.is_empty()) {
                shards.push(Vec::new());
            }
            next += 1;
        }
        add(&mut shards, number, start, curve.length());
        work = end;
    }
    shards.retain(|shard| !shard.is_empty());
    shards
}

/// Adds `start..end` of a contig to the last shard.
fn add(shards: &mut [Vec<Piece>], contig: usize, start: u64, end: u64) {
    if let Some(shard) = shards.last_mut()
        && start < end
    {
        shard.push((contig, Interval { start, end }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn work_of(shard: &[Piece], contigs: &[WorkCurve]) -> u64 {
        let pieces = shard.iter();
        pieces
            .map(|(contig, at)| contigs[*contig].before(at.end) - contigs[*contig].before(at.start))
            .sum()
    }

    #[test]
    fn a_curve_is_straight_between_its_points_and_never_falls() {
        let curve = WorkCurve::new(vec![(20, 4), (10, 10), (90, 30)], 40);
        let at = [0, 5, 10, 20, 30, 40].map(|position| curve.before(position));
        assert_eq!(at, [0, 5, 10, 10, 20, 30]);
        assert_eq!(
            [0, 1, 10, 11, 30, 31].map(|work| curve.reaches(work)),
            [0, 1, 10, 21, 40, 40]
        );
        let both = curve.plus(&WorkCurve::even(40));
        assert_eq!((both.before(5), both.total()), (10, 70));
        assert_eq!(both.scaled_to(7).before(5), 1);
    }

    #[test]
    fn a_shard_may_hold_several_contigs_and_gaps_cost_nothing() {
        let one = WorkCurve::new(vec![(100, 0), (200, 80)], 1_000);
        let contigs = [WorkCurve::new(vec![], 50), one, WorkCurve::even(40)];
        let found = shards(&contigs, 2);
        let interval = |start, end| Interval { start, end };
        let expected = [
            vec![(0, interval(0, 50)), (1, interval(0, 175))],
            vec![(1, interval(175, 1_000)), (2, interval(0, 40))],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn without_calls_bases_count() {
        let contigs = [WorkCurve::new(vec![], 30), WorkCurve::new(vec![], 10)];
        let lengths = shards(&contigs, 4).into_iter();
        let lengths: Vec<u64> = lengths
            .map(|shard| shard[0].1.end - shard[0].1.start)
            .collect();
        assert_eq!(lengths, [10, 10, 10, 10]);
        assert!(shards(&[], 3).is_empty());
        assert_eq!(shards(&[WorkCurve::even(2)], 9).len(), 2);
    }

    #[test]
    fn calls_under_twice_the_reads_weigh_more() {
        let calls = WorkCurve::new(vec![(100, 1_000), (200, 2_000)], 200);
        let reads = WorkCurve::new(vec![(100, 500), (200, 2_000)], 200);
        // Depths 5 and 15, mean 10.
        let [weighed] = &weighted_by_depth(&[(calls.clone(), reads)])[..] else {
            panic!("one contig")
        };
        assert_eq!((weighed.before(100), weighed.total()), (750, 2_000));
        let none = WorkCurve::new(vec![], 200);
        let halves = weighted_by_depth(&[(calls, none)]);
        assert_eq!((halves[0].before(100), halves[0].total()), (500, 1_000));
    }

    proptest! {
        #[test]
        fn shards_hold_each_position_once_and_equal_work(
            raw in prop::collection::vec(
                (0u64..300, prop::collection::vec((0u64..300, 0u64..10_000), 0..6)), 0..6),
            count in 1usize..12,
        ) {
            let contigs = raw.into_iter().map(|(length, points)| WorkCurve::new(points, length));
            let contigs: Vec<_> = contigs.collect();
            let found = shards(&contigs, count);
            prop_assert!(found.len() <= count);
            let lines: Vec<Piece> = found.iter().flatten().copied().collect();
            let mut expected = lines.iter();
            for (number, curve) in contigs.iter().enumerate() {
                let mut position = 0;
                while position < curve.length() {
                    let (contig, at) = *expected.next().unwrap();
                    prop_assert_eq!((contig, at.start), (number, position));
                    prop_assert!(at.end > at.start);
                    position = at.end;
                }
            }
            prop_assert!(expected.next().is_none());
            let total: u64 = contigs.iter().map(WorkCurve::total).sum();
            let bases = contigs.iter().flat_map(|curve| {
                (0..curve.length()).map(|at| curve.before(at + 1) - curve.before(at))
            });
            let base = bases.max().unwrap_or(0);
            for shard in &found {
                prop_assert!(!shard.is_empty());
                let work = work_of(shard, &contigs);
                prop_assert!(work <= total.div_ceil(count as u64) + base + 1, "{} of {}", work, total);
            }
        }
    }
}
