//! The numbers of a record that are scores.

use cnnfilter_core::score::keys::{PROBABILITY_KEY, READS_KEY, REFERENCE_KEY};
use cnnfilter_core::vcf::record::parse_float;
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// Scores that are looked for where the user names none, in the order of the report: ours, those of
/// VQSR, VETS, ugbio and rtg's AVR, the one that hap.py was told to rank by, and what callers write.
const KNOWN: [&str; 11] = [
    PROBABILITY_KEY,
    READS_KEY,
    REFERENCE_KEY,
    "VQSLOD",
    "SCORE",
    "TREE_SCORE",
    "FORMAT/AVR",
    "FORMAT/QQ",
    "QUAL",
    "QD",
    "FORMAT/GQ",
];

/// The place of a score in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Quality,
    Info(String),
    Format(String),
}

/// One score of one file; higher means more likely real.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreColumn {
    name: String,
    place: Place,
}

impl ScoreColumn {
    /// `QUAL`, `KEY` or `INFO/KEY`, `FORMAT/KEY`.
    fn parse(name: &str) -> Self {
        let place = if name == "QUAL" {
            Place::Quality
        } else if let Some(key) = name.strip_prefix("FORMAT/") {
            Place::Format(key.to_owned())
        } else {
            Place::Info(name.strip_prefix("INFO/").unwrap_or(name).to_owned())
        };
        let name = name.to_owned();
        Self { name, place }
    }

    /// Its name in the report.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True where each sample has its own value.
    pub(super) fn is_per_sample(&self) -> bool {
        matches!(self.place, Place::Format(_))
    }

    fn is_defined(&self, header: &VcfHeader) -> bool {
        match &self.place {
            Place::Quality => true,
            Place::Info(key) => header.defines_info(key),
            Place::Format(key) => header.defines_format(key),
        }
    }

    /// The value in a record; NaN where it is missing. Of several values the first counts.
    pub(super) fn value(&self, record: &VcfRecord, sample: usize) -> f32 {
        let found = match &self.place {
            Place::Quality => record.quality(),
            Place::Info(key) => record.info_float(key.as_bytes()),
            Place::Format(key) => record
                .sample_value(sample, key.as_bytes())
                .and_then(|value| parse_float(value.split(|byte| *byte == b',').next()?)),
        };
        found.unwrap_or(f32::NAN)
    }
}

/// The scores to read from a file: those in `asked`, else the known ones, as far as its header
/// defines them. `taken` holds the names of the files before it; a name that is taken gets the
/// file's name behind it (`QUAL@b.vcf`).
pub fn score_columns(
    asked: &[String],
    header: &VcfHeader,
    file: &str,
    taken: &[String],
) -> Vec<ScoreColumn> {
    let names: Vec<&str> = if asked.is_empty() {
        KNOWN.to_vec()
    } else {
        asked.iter().map(String::as_str).collect()
    };
    names
        .into_iter()
        .map(ScoreColumn::parse)
        .filter(|column| column.is_defined(header))
        .map(|mut column| {
            let mut names = vec![column.name.clone(), format!("{}@{file}", column.name)];
            names.extend(
                (2..)
                    .take(taken.len() + 1)
                    .map(|n| format!("{}@{file}#{n}", column.name)),
            );
            // Of that many names one is free.
            if let Some(free) = names.into_iter().find(|name| !taken.contains(name)) {
                column.name = free;
            }
            column
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{header, record};
    use super::*;

    fn names(columns: &[ScoreColumn]) -> Vec<&str> {
        columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn scores_are_found_by_the_header() {
        let header = header(&["a", "b"], &[]);
        let found = score_columns(&[], &header, "a.vcf", &[]);
        assert_eq!(names(&found), ["QUAL", "QD", "FORMAT/GQ"]);
        let taken = vec!["QUAL".to_owned()];
        let again = score_columns(&["QUAL".into(), "ZZ".into()], &header, "b.vcf", &taken);
        assert_eq!(names(&again), ["QUAL@b.vcf"]);
        let taken = vec!["QUAL".to_owned(), "QUAL@b.vcf".to_owned()];
        let third = score_columns(&["QUAL".into()], &header, "b.vcf", &taken);
        assert_eq!(names(&third), ["QUAL@b.vcf#2"]);
    }

    #[test]
    fn values_are_read_where_they_stand() {
        let record = record("1 5 . A C 7.5 . QD=2,9 GT:GQ 0/1:40 0/1:.");
        let value = |name: &str, sample| ScoreColumn::parse(name).value(&record, sample);
        assert_eq!(value("QUAL", 0), 7.5);
        assert_eq!(value("INFO/QD", 0), 2.0);
        assert_eq!(value("FORMAT/GQ", 0), 40.0);
        assert!(value("FORMAT/GQ", 1).is_nan() && value("MQ", 0).is_nan());
    }
}
