//! The end of a scoring run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::super::multiqc::{Column, Section, Show};
use super::{Summary, count_line};
use cnnfilter_core::annotate::ScoreCounts;
use cnnfilter_core::genome::VariantKind;

/// Where the time went. Sweeping, encoding and the network are summed over threads, which work
/// while the main thread reads and writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StageTimes {
    /// Threads that sweep, encode and compute.
    pub(crate) threads: usize,
    /// Until the first record is read: model, indexes, header, the sample's depth.
    pub(crate) starting: Duration,
    /// Reading the calls.
    pub(crate) reading: Duration,
    /// Sweeping the reads.
    pub(crate) sweeping: Duration,
    /// Making tensors.
    pub(crate) encoding: Duration,
    /// The network.
    pub(crate) network: Duration,
    /// Writing the calls, index included.
    pub(crate) writing: Duration,
    /// The whole run.
    pub(crate) whole: Duration,
}

impl StageTimes {
    /// The stages as lines of text: seconds, and for those of the threads the share of what the
    /// threads had.
    pub(crate) fn to_text(self) -> String {
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
pub(crate) struct ScoreSummary {
    /// INFO key of the score.
    pub(crate) key: String,
    /// Records read.
    pub(crate) records_in: u64,
    /// Records outside the regions asked for, not written.
    pub(crate) outside_regions: u64,
    /// Records scored and skipped.
    pub(crate) counts: ScoreCounts,
    /// Samples that were scored by themselves; 0 and 1 say nothing.
    pub(crate) samples: usize,
    /// Most reads of a record that the model looks at.
    pub(crate) read_limit: usize,
    /// True where novelty is told.
    pub(crate) novelty: bool,
    /// Records that passed the thresholds, where they were applied.
    pub(crate) passed: u64,
    /// Records that failed them.
    pub(crate) failed: u64,
    /// Records that they say nothing about, whose FILTER stays.
    pub(crate) not_filtered: u64,
    /// Time spent.
    pub(crate) times: StageTimes,
}

impl ScoreSummary {
    /// Adds the counts and times of a part of the run.
    pub(crate) fn add(&mut self, part: &Self) {
        self.counts.add(&part.counts);
        self.times.sweeping += part.times.sweeping;
        self.times.encoding += part.times.encoding;
        self.times.network += part.times.network;
    }

    /// Records written.
    pub(crate) fn records_out(&self) -> u64 {
        self.records_in - self.outside_regions
    }
}

impl Serialize for ScoreSummary {
    /// All but the times.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scored = self.counts.scored.iter();
        let scored: BTreeMap<_, _> = scored.map(|(kind, count)| (kind.name(), count)).collect();
        let skipped = self.counts.skipped.iter();
        let skipped: BTreeMap<_, _> = skipped
            .map(|(skip, count)| (skip.reason(), count))
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("info_key", &self.key)?;
        map.serialize_entry("records_read", &self.records_in)?;
        map.serialize_entry("outside_regions", &self.outside_regions)?;
        map.serialize_entry("records_written", &self.records_out())?;
        map.serialize_entry("samples", &self.samples)?;
        map.serialize_entry("scored", &scored)?;
        map.serialize_entry("not_scored", &skipped)?;
        map.serialize_entry("without_annotations", &self.counts.without_annotations)?;
        map.serialize_entry("without_reads", &self.counts.without_reads)?;
        map.serialize_entry("read_limit", &self.read_limit)?;
        map.serialize_entry("from_a_sample_of_reads", &self.counts.sampled)?;
        if self.novelty {
            map.serialize_entry("unlike_training", &self.counts.unlike)?;
        }
        map.serialize_entry("passed", &self.passed)?;
        map.serialize_entry("failed", &self.failed)?;
        map.serialize_entry("not_judged", &self.not_filtered)?;
        map.end()
    }
}

impl Summary for ScoreSummary {
    const COMMAND: &'static str = "score";

    fn to_text(&self) -> String {
        let key = &self.key;
        let mut text = String::new();
        let mut line = |what: &str, count: u64| count_line(&mut text, what, count);
        line("records read", self.records_in);
        if self.outside_regions > 0 {
            line("outside the regions, not written", self.outside_regions);
        }
        line("records written", self.records_out());
        for (kind, count) in &self.counts.scored {
            line(&format!("  scored ({key}), {}", kind.name()), *count);
        }
        if self.samples > 1 {
            line("  samples that each got a score", self.samples as u64);
        }
        for (skip, count) in &self.counts.skipped {
            line(&format!("  not scored: {}", skip.reason()), *count);
        }
        if self.counts.without_annotations > 0 {
            line(
                "  scored with every annotation missing",
                self.counts.without_annotations,
            );
        }
        if self.counts.without_reads > 0 {
            line(
                "  scored without a read over the call",
                self.counts.without_reads,
            );
        }
        if self.counts.sampled > 0 {
            let limit = self.read_limit;
            line(
                &format!("  scored from a sample of {limit} of their reads"),
                self.counts.sampled,
            );
        }
        if self.novelty {
            line(
                "  unlike the training calls (CNN_NOVEL above 0.999)",
                self.counts.unlike,
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

    fn section(&self) -> Option<Section> {
        let kind = |kind| self.counts.scored.get(&kind).copied().unwrap_or(0);
        let mut columns = vec![
            Column::count("records", "Records", "Records written", self.records_out()),
            Column::count("snps", "SNPs", "SNPs with a score", kind(VariantKind::Snp)),
            Column::count(
                "indels",
                "Indels",
                "Indels with a score",
                kind(VariantKind::Indel),
            ),
            Column::count(
                "not_scored",
                "Not scored",
                "Records without a score",
                self.counts.skipped.values().sum(),
            ),
            Column::count(
                "without_reads",
                "No reads",
                "Records scored without a read over them",
                self.counts.without_reads,
            ),
        ];
        let judged = self.passed + self.failed;
        if judged > 0 {
            columns.extend([
                Column::count(
                    "passed",
                    "Passed",
                    "Records that passed the thresholds",
                    self.passed,
                ),
                Column::count(
                    "failed",
                    "Failed",
                    "Records that failed the thresholds",
                    self.failed,
                ),
                Column::share(
                    "passed_share",
                    "% passed",
                    "Passed, of the records that were compared with a threshold",
                    Some(self.passed as f64 / judged as f64),
                ),
            ]);
        }
        Some(Section {
            id: "cnnfilter_score",
            name: "cnnfilter score",
            description: "Calls scored by a convolutional network.",
            show: Show::Table,
            columns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::encode::kind::Skip;

    #[test]
    fn every_record_is_accounted_for() {
        let summary = ScoreSummary {
            key: "CNN_2D".to_owned(),
            records_in: 10,
            outside_regions: 3,
            counts: ScoreCounts {
                scored: BTreeMap::from([(VariantKind::Snp, 4), (VariantKind::Indel, 2)]),
                skipped: BTreeMap::from([(Skip::NoSequence, 1)]),
                ..ScoreCounts::default()
            },
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
