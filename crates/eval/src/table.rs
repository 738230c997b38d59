//! The table of judged records that every figure is computed from.

use super::classes::{ClassBits, Classes};

/// Largest number of stratum BEDs: one bit of a `u32` each.
pub const MAX_STRATA: usize = 32;

/// A record that does not fit the table.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Another number of scores than the table has columns.
    #[error("a record has {found} scores, the table has {expected}")]
    ScoreCount {
        /// Scores of the record.
        found: usize,
        /// Score columns of the table.
        expected: usize,
    },
    /// A stratum bit without a stratum.
    #[error("stratum bits {found:#b} name more than the {expected} strata of the table")]
    StratumBits {
        /// Bits of the record.
        found: u32,
        /// Strata of the table.
        expected: usize,
    },
    /// More stratum BEDs than there are bits.
    #[error("{found} strata, at most {MAX_STRATA} are possible")]
    TooManyStrata {
        /// Strata asked for.
        found: usize,
    },
    /// More records than a 32-bit index can name.
    #[error("more than {} records", u32::MAX)]
    TooManyRecords,
}

/// One record as it enters the table.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Kind, label and the other classes.
    pub classes: Classes,
    /// Bit i is set when the record lies in stratum i.
    pub strata: u32,
    /// Index of the contig, in the order of the file.
    pub contig: u32,
    /// 0-based position on the contig.
    pub pos: u32,
    /// One value a score column, higher = more likely real; NaN = missing.
    pub scores: &'a [f32],
}

/// A truth variant that the caller never emitted, so that no filter can recover it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissedTruth {
    /// Kind, size and zygosity count; ALT fraction and depth are unknown by nature, the rest is ignored.
    pub classes: Classes,
    /// Bit i is set when the variant lies in stratum i.
    pub strata: u32,
}

/// Records by column: 16 bytes a record and 4 bytes a score, so that 5 million records with 5 scores take
/// 180 MB.
///
/// Records must come in file order (contig, then position): the bootstrap takes neighbours in the table
/// for neighbours in the genome.
#[derive(Debug, Clone)]
pub struct JudgedTable {
    score_names: Vec<String>,
    strata_names: Vec<String>,
    pub(crate) bits: Vec<u32>,
    pub(crate) strata: Vec<u32>,
    pub(crate) contig: Vec<u32>,
    pub(crate) pos: Vec<u32>,
    pub(crate) scores: Vec<Vec<f32>>,
    pub(crate) missed: Vec<(u32, u32)>,
    /// `missed` is complete.
    pub(crate) knows_missed: bool,
}

impl JudgedTable {
    /// An empty table with a column for each of `score_names` and a bit for each of `strata_names`.
    ///
    /// # Errors
    /// [`TableError::TooManyStrata`] for more than [`MAX_STRATA`] strata.
    pub fn new(score_names: Vec<String>, strata_names: Vec<String>) -> Result<Self, TableError> {
        if strata_names.len() > MAX_STRATA {
            return Err(TableError::TooManyStrata {
                found: strata_names.len(),
            });
        }
        Ok(Self {
            scores: vec![Vec::new(); score_names.len()],
            score_names,
            strata_names,
            bits: Vec::new(),
            strata: Vec::new(),
            contig: Vec::new(),
            pos: Vec::new(),
            missed: Vec::new(),
            knows_missed: true,
        })
    }

    /// Appends a record. An infinite score becomes the largest finite one of its sign and -0 becomes 0, so
    /// that thresholds can be printed and equal values tie.
    ///
    /// # Errors
    /// [`TableError`] when the numbers of scores or strata differ from the table's, or the table is full.
    pub fn push(&mut self, record: Record<'_>) -> Result<(), TableError> {
        if record.scores.len() != self.scores.len() {
            return Err(TableError::ScoreCount {
                found: record.scores.len(),
                expected: self.scores.len(),
            });
        }
        self.check_strata(record.strata)?;
        if self.bits.len() >= u32::MAX as usize {
            return Err(TableError::TooManyRecords);
        }
        self.bits.push(ClassBits::from(record.classes).0);
        self.strata.push(record.strata);
        self.contig.push(record.contig);
        self.pos.push(record.pos);
        for (column, &score) in self.scores.iter_mut().zip(record.scores) {
            column.push(if score.is_nan() {
                f32::NAN
            } else {
                score.clamp(f32::MIN, f32::MAX) + 0.0
            });
        }
        Ok(())
    }

    /// Adds a truth variant that the caller never emitted.
    ///
    /// # Errors
    /// [`TableError::StratumBits`] for a bit without a stratum.
    pub fn push_missed(&mut self, missed: MissedTruth) -> Result<(), TableError> {
        self.check_strata(missed.strata)?;
        self.missed
            .push((ClassBits::from(missed.classes).0, missed.strata));
        Ok(())
    }

    /// Says that nothing is known of truth variants that were never called, as where labels come
    /// with the calls: figures that need them are undefined.
    pub fn forget_missed(&mut self) {
        self.knows_missed = false;
    }

    fn check_strata(&self, strata: u32) -> Result<(), TableError> {
        if u64::from(strata) >> self.strata_names.len() != 0 {
            return Err(TableError::StratumBits {
                found: strata,
                expected: self.strata_names.len(),
            });
        }
        Ok(())
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// True without a record.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Names of the score columns.
    pub fn score_names(&self) -> &[String] {
        &self.score_names
    }

    /// Names of the stratum BEDs; stratum i is bit i.
    pub fn strata_names(&self) -> &[String] {
        &self.strata_names
    }

    /// Classes of record `index`.
    pub fn classes(&self, index: usize) -> ClassBits {
        ClassBits(self.bits[index])
    }

    /// Contig index and 0-based position of record `index`.
    pub fn site(&self, index: usize) -> (u32, u32) {
        (self.contig[index], self.pos[index])
    }

    /// Stratum bits of record `index`.
    pub fn stratum_bits(&self, index: usize) -> u32 {
        self.strata[index]
    }

    /// Values of score column `score`, one a record, NaN = missing.
    pub fn column(&self, score: usize) -> &[f32] {
        &self.scores[score]
    }
}
