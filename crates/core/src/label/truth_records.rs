//! The fate of the records of a truth set, and the notes and warnings that it gives.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::site::Site;
use crate::vcf::VcfRecord;

/// Values of FILTER that a note lists; the others are summed up.
const VALUES_SHOWN: usize = 5;

/// How many records of a truth set count, and why the others do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TruthRecords {
    /// Records that count.
    pub used: u64,
    /// Records that FILTER leaves out, by its value.
    pub filtered: BTreeMap<String, u64>,
    /// Of those that count, the ones with other names beside PASS, by FILTER's value.
    pub named_beside_pass: BTreeMap<String, u64>,
    /// Records that repeat an earlier one; left out.
    pub duplicates: u64,
}

impl AddAssign for TruthRecords {
    fn add_assign(&mut self, other: Self) {
        self.used += other.used;
        self.duplicates += other.duplicates;
        for (sum, more) in [
            (&mut self.filtered, other.filtered),
            (&mut self.named_beside_pass, other.named_beside_pass),
        ] {
            for (value, count) in more {
                *sum.entry(value).or_default() += count;
            }
        }
    }
}

impl TruthRecords {
    /// Notes for a reader of figures, each with its heading.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        if !self.filtered.is_empty() {
            let text = by_value(&self.filtered);
            notes.push(("truth records left out by FILTER", text));
        }
        if !self.named_beside_pass.is_empty() {
            let text = by_value(&self.named_beside_pass);
            notes.push(("truth records with names beside PASS, which count", text));
        }
        if self.duplicates > 0 {
            let text = self.duplicates.to_string();
            notes.push((
                "truth records that say what an earlier one says, left out",
                text,
            ));
        }
        notes
    }

    /// Warnings about what is odd in the truth.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.used == 0 && !self.filtered.is_empty() {
            warnings.push(format!(
                "FILTER leaves out every truth record ({}); records count whose FILTER is `PASS` or `.`: take the other names out (`bcftools annotate -x FILTER`) if the records are good",
                by_value(&self.filtered)
            ));
        }
        if !self.named_beside_pass.is_empty() {
            warnings.push(format!(
                "truth records with names beside PASS ({}) count as PASS",
                by_value(&self.named_beside_pass)
            ));
        }
        if self.duplicates > 0 {
            warnings.push(format!(
                "{} truth records say what an earlier one says; each allele counts once",
                self.duplicates
            ));
        }
        warnings
    }

    /// Counts a record by its FILTER; its site where the record counts.
    pub(super) fn passing_site(&mut self, record: &VcfRecord, sample: usize) -> Option<Site> {
        let filter = || String::from_utf8_lossy(record.filter()).into_owned();
        if !record.passes() {
            *self.filtered.entry(filter()).or_default() += 1;
            return None;
        }
        if !matches!(record.filter(), b"PASS" | b".") {
            *self.named_beside_pass.entry(filter()).or_default() += 1;
        }
        Some(Site::from_record(record, sample))
    }
}

/// Counts by FILTER's value, the most frequent first: `GAP1 120, LowQual 3`.
fn by_value(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| Reverse(**count));
    let mut parts: Vec<String> = sorted
        .iter()
        .take(VALUES_SHOWN)
        .map(|(value, count)| format!("{value} {count}"))
        .collect();
    if sorted.len() > VALUES_SHOWN {
        let rest: u64 = sorted[VALUES_SHOWN..]
            .iter()
            .map(|(_, count)| **count)
            .sum();
        parts.push(format!("others {rest}"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(filters: &[&str]) -> (TruthRecords, usize) {
        let mut records = TruthRecords::default();
        let sites = filters.iter().filter_map(|filter| {
            let line = format!("1\t2\t.\tC\tT\t.\t{filter}\t.\tGT\t0/1");
            let record = VcfRecord::parse(line.into_bytes(), 10).unwrap();
            records.passing_site(&record, 0)
        });
        let passing = sites.count();
        (records, passing)
    }

    #[test]
    fn records_are_counted_by_filter() {
        let (mut sum, passing) = records(&["PASS", ".", "PASS;High", "GAP", "GAP", "Low"]);
        assert_eq!(passing, 3);
        let (more, _) = records(&["Low"]);
        sum += more;
        assert_eq!(
            sum.notes(),
            [
                (
                    "truth records left out by FILTER",
                    "GAP 2, Low 2".to_owned()
                ),
                (
                    "truth records with names beside PASS, which count",
                    "PASS;High 1".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn rare_values_are_summed_up() {
        let (sum, _) = records(&["a", "b", "c", "d", "e", "f", "g", "g"]);
        assert_eq!(sum.notes()[0].1, "g 2, a 1, b 1, c 1, d 1, others 2");
    }

    #[test]
    fn a_truth_that_filters_itself_away_is_warned_of() {
        let (filtered, _) = records(&["GAP"]);
        assert!(filtered.warnings()[0].starts_with("FILTER leaves out every truth record (GAP 1)"));
        let repeated = TruthRecords {
            used: 3,
            duplicates: 2,
            ..TruthRecords::default()
        };
        assert_eq!(
            repeated.warnings(),
            ["2 truth records say what an earlier one says; each allele counts once"]
        );
        assert!(TruthRecords::default().warnings().is_empty());
    }
}
