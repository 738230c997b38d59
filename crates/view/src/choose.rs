//! Which calls of a file are shown, in one pass and in bounded memory.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A rule by which calls are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The first ones.
    First,
    /// Those with the lowest scores.
    Lowest,
    /// Those whose probability lies nearest to the threshold of their kind.
    NearThreshold,
    /// Those that FILTER fails.
    Failed,
    /// Those that two scores rank most differently.
    Disagree,
    /// A fair sample.
    Random {
        /// Seed.
        seed: u64,
    },
    /// Those that have a label.
    Labelled,
    /// Those whose score contradicts their label most: false ones with high scores, real ones with
    /// low scores.
    Worst,
}

/// What a choice needs to know of a record.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Facts {
    /// Number of the record in the file, from 1.
    pub number: u64,
    /// FILTER holds something other than `PASS` and `.`.
    pub has_failed: bool,
    /// The score.
    pub score: Option<f64>,
    /// Distance of its probability from the threshold.
    pub from_threshold: Option<f64>,
    /// Two scores to compare.
    pub pair: Option<(f64, f64)>,
    /// The label, where there is one: true for real.
    pub is_real: Option<bool>,
}

/// Records seen, and the best of them so far.
#[derive(Debug)]
pub struct Chooser {
    choice: Choice,
    most: usize,
    random: ChaCha8Rng,
    /// The worst of the best on top.
    kept: BinaryHeap<Ranked>,
    pairs: Vec<(u64, f32, f32)>,
    eligible: u64,
}

/// A record by its rank: lower is better, ties go to the earlier record.
#[derive(Debug, PartialEq)]
struct Ranked {
    rank: f64,
    number: u64,
}

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_rank = self.rank.total_cmp(&other.rank);
        by_rank.then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Chooser {
    /// Chooses `most` records at most.
    pub fn new(choice: Choice, most: usize) -> Self {
        let seed = match choice {
            Choice::Random { seed } => seed,
            _ => 0,
        };
        Self {
            choice,
            most,
            random: ChaCha8Rng::seed_from_u64(seed),
            kept: BinaryHeap::new(),
            pairs: Vec::new(),
            eligible: 0,
        }
    }

    /// Takes the next record of the file.
    pub fn offer(&mut self, facts: Facts) {
        let rank = match self.choice {
            Choice::First => Some(facts.number as f64),
            Choice::Failed => facts.has_failed.then_some(facts.number as f64),
            Choice::Labelled => facts.is_real.map(|_| facts.number as f64),
            Choice::Lowest => facts.score,
            Choice::NearThreshold => facts.from_threshold,
            Choice::Random { .. } => Some(self.random.random::<f64>()),
            Choice::Worst => facts.is_real.and_then(|is_real| {
                let score = facts.score?;
                Some(if is_real { score } else { -score })
            }),
            Choice::Disagree => {
                if let Some((left, right)) = facts.pair {
                    self.eligible += 1;
                    self.pairs.push((facts.number, left as f32, right as f32));
                }
                return;
            }
        };
        if let Some(rank) = rank.filter(|rank| !rank.is_nan()) {
            self.eligible += 1;
            self.keep(rank, facts.number);
        }
    }

    fn keep(&mut self, rank: f64, number: u64) {
        self.kept.push(Ranked { rank, number });
        if self.kept.len() > self.most {
            self.kept.pop();
        }
    }

    /// Records that could have been chosen: those that have what the choice looks at.
    pub fn eligible(&self) -> u64 {
        self.eligible
    }

    /// Numbers of the records chosen.
    pub fn finish(mut self) -> BTreeSet<u64> {
        let pairs = std::mem::take(&mut self.pairs);
        let ranks = [
            ranks(pairs.iter().map(|(_, left, _)| *left)),
            ranks(pairs.iter().map(|(_, _, right)| *right)),
        ];
        for (at, (number, _, _)) in pairs.iter().enumerate() {
            let apart = ranks[0][at].abs_diff(ranks[1][at]);
            self.keep(-f64::from(apart), *number);
        }
        self.kept.into_iter().map(|one| one.number).collect()
    }
}

/// The place of each value among all of them; equal values share the place of their middle.
fn ranks(values: impl Iterator<Item = f32>) -> Vec<u32> {
    let mut sorted: Vec<(f32, usize)> = values.enumerate().map(|(at, value)| (value, at)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranks = vec![0; sorted.len()];
    let mut place = 0;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        for (_, at) in tied {
            ranks[*at] = (2 * place + tied.len() - 1) as u32 / 2;
        }
        place += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: Choice, most: usize, facts: &[Facts]) -> Vec<u64> {
        let mut chooser = Chooser::new(choice, most);
        facts.iter().for_each(|facts| chooser.offer(*facts));
        chooser.finish().into_iter().collect()
    }

    fn facts() -> Vec<Facts> {
        let scores = [3.0, -1.0, 5.0, -4.0, 0.5];
        let facts = |(at, score): (usize, f64)| Facts {
            number: at as u64 + 1,
            has_failed: score < 0.0,
            score: Some(score),
            from_threshold: Some((score - 1.0).abs()),
            pair: Some((score, [1.0, 2.0, 3.0, 4.0, 5.0][at])),
            is_real: [Some(true), Some(true), Some(false), Some(false), None][at],
        };
        scores.into_iter().enumerate().map(facts).collect()
    }

    #[test]
    fn each_rule_chooses_its_own() {
        let facts = facts();
        assert_eq!(chosen(Choice::First, 2, &facts), [1, 2]);
        assert_eq!(chosen(Choice::Failed, 9, &facts), [2, 4]);
        assert_eq!(chosen(Choice::Labelled, 9, &facts), [1, 2, 3, 4]);
        assert_eq!(chosen(Choice::Lowest, 2, &facts), [2, 4]);
        assert_eq!(chosen(Choice::NearThreshold, 1, &facts), [5]);
        // Records 1 and 4 have places 3 and 0 of five by one score, 0 and 3 by the other.
        assert_eq!(chosen(Choice::Disagree, 2, &facts), [1, 4]);
        // The false call with 5, the real one with -1.
        assert_eq!(chosen(Choice::Worst, 2, &facts), [2, 3]);
    }

    #[test]
    fn what_has_no_value_is_not_chosen() {
        let facts = [Facts {
            number: 1,
            score: Some(f64::NAN),
            ..Facts::default()
        }];
        for choice in [
            Choice::Lowest,
            Choice::NearThreshold,
            Choice::Disagree,
            Choice::Worst,
        ] {
            assert!(chosen(choice, 5, &facts).is_empty());
        }
    }

    #[test]
    fn a_seed_gives_one_sample() {
        let facts: Vec<Facts> = (1..=1000)
            .map(|number| Facts {
                number,
                ..Facts::default()
            })
            .collect();
        let sample = |seed| chosen(Choice::Random { seed }, 10, &facts);
        assert_eq!(sample(7), sample(7));
        assert_ne!(sample(7), sample(8));
        assert_eq!(sample(7).len(), 10);
    }

    #[test]
    fn ties_share_a_rank() {
        assert_eq!(ranks([2.0, 1.0, 2.0, 0.0].into_iter()), [2, 1, 2, 0]);
    }
}
