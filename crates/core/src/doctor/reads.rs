//! Depth, length and flags of the reads.

use std::collections::BTreeMap;

use super::{Check, Finding, counted};
use crate::genome::{FlagSet, ReadFilter, ReadFlags, Refusal};
use crate::networks::card::Training;

/// Lengths of the reads that the shipped models were trained on (`models/README.md`); cards do not state
/// theirs.
const SHIPPED_LENGTHS: std::ops::RangeInclusive<usize> = 100..=250;

/// Reads that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadSurvey {
    /// Number of reads.
    pub reads: u64,
    /// Those that callers leave out ([`FlagSet::UNUSABLE`]), by the first reason.
    pub unusable: BTreeMap<Refusal, u64>,
    /// The others by their length in bases, soft clips included.
    pub lengths: BTreeMap<usize, u64>,
}

impl ReadSurvey {
    /// Counts a read of a length in bases.
    pub fn count(&mut self, flags: ReadFlags, length: usize) {
        let filter = ReadFilter {
            excluded: FlagSet::UNUSABLE,
            ..ReadFilter::default()
        };
        self.reads += 1;
        match filter.refusal(flags, 0) {
            Some(refusal) => *self.unusable.entry(refusal).or_default() += 1,
            None => *self.lengths.entry(length).or_default() += 1,
        }
    }

    /// Adds other reads.
    pub fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        for (refusal, count) in &other.unusable {
            *self.unusable.entry(*refusal).or_default() += count;
        }
        for (length, count) in &other.lengths {
            *self.lengths.entry(*length).or_default() += count;
        }
    }

    /// Number of reads that callers use.
    pub fn usable(&self) -> u64 {
        self.lengths.values().sum()
    }

    /// The median length of those; nothing without any.
    pub fn median_length(&self) -> Option<usize> {
        let half = self.usable() / 2;
        let mut passed = 0;
        self.lengths.iter().find_map(|(length, count)| {
            passed += count;
            (passed > half).then_some(*length)
        })
    }

    /// Share of the reads that a reason leaves out, 0 to 1.
    pub fn share(&self, refusal: Refusal) -> f64 {
        let count = self.unusable.get(&refusal).copied().unwrap_or(0);
        count as f64 / self.reads.max(1) as f64
    }
}

/// Is the depth of the samples one that the model was trained on?
pub fn judge_depth(depths: &[f32], training: Option<&Training>) -> Finding {
    const CHECK: Check = Check::Depth;
    let range = depths.iter().fold(None, |range, depth| {
        let (least, most) = range.unwrap_or((*depth, *depth));
        Some((f32::min(least, *depth), f32::max(most, *depth)))
    });
    let Some((least, most)) = range else {
        return Finding::warning(CHECK, "no sample has reads");
    };
    let found = match depths.len() {
        1 => format!("{least:.1} reads"),
        count => format!("{least:.1} to {most:.1} reads, of {count} samples"),
    };
    if least <= 0.0 {
        let found = format!("{found}: no usable reads were found for a sample");
        return Finding::warning(CHECK, found)
            .advise("see that these are its reads, and not filtered away");
    }
    let Some((low, high)) = training.and_then(usual_depths) else {
        return Finding::ok(CHECK, found);
    };
    let found = format!("{found}; almost all examples of the training had {low:.0} to {high:.0}");
    // Both ends as they are shown.
    if least < low.round() - 0.5 || most > high.round() + 0.5 {
        let advice =
            "measure on calls with a truth (`cnnfilter eval`), or train on data of this depth";
        return Finding::warning(CHECK, found).advise(advice);
    }
    Finding::ok(CHECK, found)
}

/// The depths of the samples of a training, but for the twentieth of its examples that had the least reads:
/// slivers of samples are among its sets, whose depth says little.
fn usual_depths(training: &Training) -> Option<(f32, f32)> {
    let mut sets: Vec<(f32, u64)> = training
        .sets
        .iter()
        .filter_map(|set| Some((set.depth?, set.training.iter().sum())))
        .filter(|(depth, examples)| *depth > 0.0 && *examples > 0)
        .collect();
    sets.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all: u64 = sets.iter().map(|(_, examples)| examples).sum();
    let mut passed = 0;
    let low = sets.iter().find_map(|(depth, examples)| {
        passed += examples;
        (passed * 20 > all).then_some(*depth)
    })?;
    Some((low, sets.last()?.0))
}

/// Are the reads as long as those that models are trained on?
pub fn judge_lengths(survey: &ReadSurvey) -> Finding {
    const CHECK: Check = Check::ReadLength;
    let (Some(median), Some(longest)) = (survey.median_length(), survey.lengths.keys().max())
    else {
        return Finding::warning(CHECK, "no usable reads were found");
    };
    let found = if *longest == median {
        format!("{median} bases")
    } else {
        format!("{median} bases in the middle, {longest} at most")
    };
    if SHIPPED_LENGTHS.contains(&median) {
        return Finding::ok(CHECK, found);
    }
    let (short, long) = (SHIPPED_LENGTHS.start(), SHIPPED_LENGTHS.end());
    let found = format!("{found}; the shipped models were trained on reads of {short} to {long}");
    Finding::warning(CHECK, found).advise("measure on calls with a truth (`cnnfilter eval`)")
}

/// How many reads do their flags leave out?
pub fn judge_flags(survey: &ReadSurvey) -> Finding {
    const CHECK: Check = Check::Flags;
    /// Share of reads left out from which it is said.
    const MANY: f64 = 0.5;
    let share = |count: u64| match 100.0 * count as f64 / survey.reads.max(1) as f64 {
        percent if percent < 0.05 => "< 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    };
    let shares: Vec<String> = survey
        .unusable
        .iter()
        .map(|(refusal, count)| format!("{} {}", share(*count), refusal.text()))
        .collect();
    let shares = match shares.len() {
        0 => "none is a duplicate, secondary or supplementary".to_owned(),
        _ => shares.join(", "),
    };
    let found = format!("{} looked at: {shares}", counted(survey.reads, "read"));
    let left_out = survey.reads - survey.usable();
    if survey.reads > 0 && left_out as f64 >= MANY * survey.reads as f64 {
        return Finding::warning(CHECK, found)
            .advise("most reads are not used: see that these are the reads that were called from");
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::networks::card::TrainedOn;

    fn training(sets: &[(f32, u64)]) -> Training {
        let sets = sets.iter().map(|(depth, examples)| TrainedOn {
            set: String::new(),
            training: [*examples, 0, 0, 0],
            validation: [0; 4],
            depth: Some(*depth),
            calls_sha256: String::new(),
        });
        Training {
            epochs: 1,
            best_epoch: 1,
            steps: 1,
            config: String::new(),
            sets: sets.collect(),
            validation: BTreeMap::new(),
        }
    }

    #[test]
    fn depth_is_compared_with_that_of_the_examples() {
        let training = training(&[(30.2, 50), (0.1, 4), (8.4, 40), (52.3, 6), (99.0, 0)]);
        assert_eq!(usual_depths(&training), Some((8.4, 52.3)));
        for (depths, status) in [
            (&[30.0][..], Status::Ok),
            (&[8.0, 52.0], Status::Ok),
            (&[7.4], Status::Warning),
            (&[30.0, 52.6], Status::Warning),
            (&[0.0, 30.0], Status::Warning),
            (&[], Status::Warning),
        ] {
            assert_eq!(
                judge_depth(depths, Some(&training)).status,
                status,
                "{depths:?}"
            );
        }
        assert_eq!(judge_depth(&[300.0], None).status, Status::Ok);
    }

    fn survey(reads: &[(u16, usize)]) -> ReadSurvey {
        let mut survey = ReadSurvey::default();
        for (flags, length) in reads {
            survey.count(ReadFlags(*flags), *length);
        }
        let mut twice = survey.clone();
        twice.add(&survey);
        assert_eq!(
            (twice.reads, twice.usable()),
            (2 * survey.reads, 2 * survey.usable())
        );
        survey
    }

    #[test]
    fn lengths_are_those_of_usable_reads() {
        for (reads, status, text) in [
            (
                &[(0, 150), (0, 150), (0x800, 20)][..],
                Status::Ok,
                "150 bases",
            ),
            (
                &[(0, 100), (0, 150), (0, 151)],
                Status::Ok,
                "150 bases in the middle, 151 at most",
            ),
            (&[(0, 15_000)], Status::Warning, "reads of 100 to 250"),
            (&[(0, 50)], Status::Warning, "50 bases"),
            (&[(0x400, 150)], Status::Warning, "no usable reads"),
        ] {
            let found = judge_lengths(&survey(reads));
            assert!(
                found.status == status && found.found.contains(text),
                "{found:?}"
            );
        }
    }

    #[test]
    fn reads_that_are_left_out_are_counted_by_reason() {
        let found = judge_flags(&survey(&[
            (0x400, 9),
            (0x100, 9),
            (0, 9),
            (0, 9),
            (0x10, 9),
        ]));
        assert_eq!(found.status, Status::Ok);
        assert_eq!(
            found.found,
            "5 reads looked at: 20.0 % secondary, 20.0 % duplicate"
        );
        let found = judge_flags(&survey(&[(0x400, 9), (0, 9)]));
        assert_eq!(found.status, Status::Warning);
        assert!(
            judge_flags(&survey(&[(0, 9)]))
                .found
                .contains("none is a duplicate")
        );
    }
}
