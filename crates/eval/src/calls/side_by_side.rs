//! The same calls in several files, whose scores stand side by side.

use std::collections::HashMap;

use cnnfilter_core::vcf::VcfRecord;

use super::score_column::ScoreColumn;

/// The records of one contig in one file of calls, and what is read from them.
#[derive(Debug, Clone, Copy)]
pub struct FileRecords<'a> {
    /// The records.
    pub records: &'a [VcfRecord],
    /// The scores to read.
    pub columns: &'a [ScoreColumn],
    /// Index of the sample.
    pub sample: usize,
}

/// The calls of one contig in the first file, each with its record in every other file: the one of
/// the same position, REF and ALT.
#[derive(Debug)]
pub struct SideBySide<'a> {
    pub(super) first: FileRecords<'a>,
    others: Vec<OtherFile<'a>>,
}

#[derive(Debug)]
struct OtherFile<'a> {
    columns: &'a [ScoreColumn],
    sample: usize,
    /// One a record of the first file.
    counterparts: Vec<Option<&'a VcfRecord>>,
}

impl<'a> SideBySide<'a> {
    /// Finds the counterparts of the records of `first` in the other files.
    pub fn join(first: FileRecords<'a>, others: &[FileRecords<'a>]) -> Self {
        let key = |record: &'a VcfRecord| (record.position(), record.alleles());
        let others = others
            .iter()
            .map(|file| {
                let by_alleles: HashMap<_, &VcfRecord> = file
                    .records
                    .iter()
                    .map(|record| (key(record), record))
                    .collect();
                let records = first.records.iter();
                OtherFile {
                    columns: file.columns,
                    sample: file.sample,
                    counterparts: records
                        .map(|record| by_alleles.get(&key(record)).copied())
                        .collect(),
                }
            })
            .collect();
        Self { first, others }
    }

    /// How many calls each other file lacks.
    pub fn unmatched(&self) -> impl Iterator<Item = u64> {
        self.others.iter().map(|file| {
            let found = file.counterparts.iter();
            found.filter(|record| record.is_none()).count() as u64
        })
    }

    /// All scores of call `at`, those of the first file first; NaN where a value or the record is
    /// missing.
    pub(super) fn scores(&self, at: usize) -> Vec<f32> {
        let record = &self.first.records[at];
        let mut scores: Vec<f32> = self
            .first
            .columns
            .iter()
            .map(|column| column.value(record, self.first.sample))
            .collect();
        for file in &self.others {
            let record = file.counterparts[at];
            scores.extend(
                file.columns.iter().map(|column| {
                    record.map_or(f32::NAN, |record| column.value(record, file.sample))
                }),
            );
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::super::score_columns;
    use super::super::testing::{header, record};
    use super::*;

    #[test]
    fn counterparts_have_the_same_position_and_alleles() {
        let first = [
            record("1 5 . A C 7 . QD=1 GT 0/1"),
            record("1 5 . A G 8 . QD=2 GT 0/1"),
            record("1 9 . A G 9 . . GT 0/1"),
        ];
        let other = [
            record("1 9 . A G 3 . . GT 0/1"),
            record("1 5 . A G 4 . . GT 0/1"),
        ];
        let header = header(&["a"], &[]);
        let all = score_columns(&["QD".into(), "QUAL".into()], &header, "", &[]);
        let quality = score_columns(&["QUAL".into()], &header, "", &[]);
        let file = |records, columns| FileRecords {
            records,
            columns,
            sample: 0,
        };
        let joined = SideBySide::join(file(&first, &all), &[file(&other, &quality)]);
        assert_eq!(joined.unmatched().collect::<Vec<_>>(), [1]);
        assert_eq!(joined.scores(1), [2.0, 8.0, 4.0]);
        let missing: Vec<bool> = joined.scores(0).iter().map(|v| v.is_nan()).collect();
        assert_eq!(missing, [false, false, true]);
        let missing: Vec<bool> = joined.scores(2).iter().map(|v| v.is_nan()).collect();
        assert_eq!(missing, [true, false, false]);
    }
}
