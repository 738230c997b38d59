//! What a scoring run did, for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use cnnfilter_core::encode::kind::Skip;
use cnnfilter_core::genome::VariantKind;

/// Where the time went. Sweeping, encoding and the network are summed over threads, which work
/// while the main thread reads and writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct StageTimes {
    /// Threads that sweep, encode and compute.
    pub threads: usize,
    /// Until the first record is read: model, indexes, header, the sample's depth.
    pub starting: Duration,
    /// Reading the calls.
    pub reading: Duration,
    /// Sweeping the reads.
    pub sweeping: Duration,
    /// Making tensors.
    pub encoding: Duration,
    /// The network.
    pub network: Duration,
    /// Writing the calls, index included.
    pub writing: Duration,
    /// The whole run.
    pub whole: Duration,
}

impl StageTimes {
    /// The stages as lines of text: seconds, and for those of the threads the share of what the
    /// threads had.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, time: Duration, note: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<58} {:>10.3} s{note}", time.as_secs_f64());
        };
        let threads = self.threads.max(1);
        let available = self.whole.saturating_sub(self.starting).as_secs_f64() * threads as f64;
        let share = |time: Duration| match available {
            available if available > 0.0 => {
                format!(" {:>5.1} %", 100.0 * time.as_secs_f64() / available)
            }
            _ => String::new(),
        };
        line(
            "starting: model, indexes, depth of the samples",
            self.starting,
            "",
        );
        line("main thread: reading calls", self.reading, "");
        line("main thread: writing calls", self.writing, "");
        let work = [
            ("sweeping reads", self.sweeping),
            ("encoding", self.encoding),
            ("network", self.network),
        ];
        for (what, time) in work {
            line(&format!("{threads} threads: {what}"), time, &share(time));
        }
        line("whole run", self.whole, "");
        text
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Default)]
pub struct ScoreSummary {
    /// INFO key of the score.
    pub key: String,
    /// Records read.
    pub records_in: u64,
    /// Records outside the regions asked for, not written.
    pub outside_regions: u64,
    /// Records scored, by kind.
    pub scored: BTreeMap<VariantKind, u64>,
    /// Records not scored, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Records that lack all annotations of the model.
    pub without_annotations: u64,
    /// Records scored without a single read.
    pub without_reads: u64,
    /// Samples that were scored by themselves; 0 and 1 say nothing.
    pub samples: usize,
    /// Records with more reads than the model looks at.
    pub sampled: u64,
    /// Most reads of a record that the model looks at.
    pub read_limit: usize,
    /// Records that passed the thresholds, where they were applied.
    pub passed: u64,
    /// Records that failed them.
    pub failed: u64,
    /// Records that they say nothing about, whose FILTER stays.
    pub not_filtered: u64,
    /// Time spent.
    pub times: StageTimes,
}

impl ScoreSummary {
    /// Adds the counts and times of a part of the run.
    pub fn add(&mut self, part: &Self) {
        for (kind, count) in &part.scored {
            *self.scored.entry(*kind).or_default() += count;
        }
        for (skip, count) in &part.skipped {
            *self.skipped.entry(*skip).or_default() += count;
        }
        self.without_annotations += part.without_annotations;
        self.without_reads += part.without_reads;
        self.sampled += part.sampled;
        self.times.sweeping += part.times.sweeping;
        self.times.encoding += part.times.encoding;
        self.times.network += part.times.network;
    }

    /// Records written.
    pub fn records_out(&self) -> u64 {
        self.records_in - self.outside_regions
    }

    /// Records scored.
    pub fn scored_records(&self) -> u64 {
        self.scored.values().sum()
    }

    /// The summary as lines of text.
    pub fn to_text(&self) -> String {
        let key = &self.key;
        let mut text = String::new();
        let mut line = |what: &str, count: u64| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<58} {count:>10}");
        };
        line("records read", self.records_in);
        if self.outside_regions > 0 {
            line("outside the regions, not written", self.outside_regions);
        }
        line("records written", self.records_out());
        for (kind, count) in &self.scored {
            line(&format!("  scored ({key}), {}", kind.name()), *count);
        }
        if self.samples > 1 {
            line("  samples that each got a score", self.samples as u64);
        }
        for (skip, count) in &self.skipped {
            line(&format!("  not scored: {}", skip.reason()), *count);
        }
        if self.without_annotations > 0 {
            line(
                "  scored with every annotation missing",
                self.without_annotations,
            );
        }
        if self.without_reads > 0 {
            line("  scored without a read over the call", self.without_reads);
        }
        if self.sampled > 0 {
            let limit = self.read_limit;
            line(
                &format!("  scored from a sample of {limit} of their reads"),
                self.sampled,
            );
        }
        if self.passed + self.failed > 0 {
            line("  passed the filter", self.passed);
            line("  failed the filter", self.failed);
            line("  not judged by the filter", self.not_filtered);
        }
        let times = self.times;
        let wall = |time: Duration| time.as_secs_f64() / times.threads.max(1) as f64;
        let _ = writeln!(
            text,
            "seconds: {:.1}; the threads spent {:.1} each on reads, {:.1} on encoding, {:.1} on the network",
            times.whole.as_secs_f64(),
            wall(times.sweeping),
            wall(times.encoding),
            wall(times.network),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_accounted_for() {
        let summary = ScoreSummary {
            key: "CNN_2D".to_owned(),
            records_in: 10,
            outside_regions: 3,
            scored: BTreeMap::from([(VariantKind::Snp, 4), (VariantKind::Indel, 2)]),
            skipped: BTreeMap::from([(Skip::NoSequence, 1)]),
            ..ScoreSummary::default()
        };
        assert_eq!(summary.records_out(), 7);
        let text = summary.to_text();
        assert!(text.contains("scored (CNN_2D), INDEL"), "{text}");
        assert!(
            text.contains("not scored: no ALT spelled in bases"),
            "{text}"
        );
    }
}
