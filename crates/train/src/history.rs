//! The course of a run, one row an epoch, as `history.tsv` holds it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::early_stopping::validation_metric;

/// Columns of `history.tsv`, in order.
pub const COLUMNS: [&str; 10] = [
    "epoch",
    "step",
    "seconds",
    "learning_rate",
    "gradient_norm",
    "train_loss",
    "validation_loss",
    "pr_auc_snp",
    "pr_auc_indel",
    "best",
];

/// Stands for a figure that is undefined.
const UNDEFINED: &str = "NA";

/// One epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Steps done at its end, since the beginning of the run.
    pub step: u64,
    /// Seconds of training until then, interruptions left out.
    pub seconds: f64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Mean over its steps of the gradient's norm before clipping.
    pub gradient_norm: f64,
    /// Mean loss over its training batches, in nats, as they were while it ran.
    pub train_loss: f64,
    /// Mean loss over the validation examples at its end, in nats; `None` without examples.
    pub validation_loss: Option<f64>,
    /// Average precision of the validation SNPs; `None` where undefined.
    pub pr_auc_snp: Option<f64>,
    /// Average precision of the validation indels; `None` where undefined.
    pub pr_auc_indel: Option<f64>,
    /// True where the validation metric was the best so far.
    pub best: bool,
}

impl HistoryRow {
    /// The figure that early stopping looks at ([`validation_metric`]).
    pub fn metric(&self) -> Option<f64> {
        validation_metric(self.pr_auc_snp, self.pr_auc_indel)
    }

    fn to_line(&self) -> String {
        let figure = |value: Option<f64>| value.map_or(UNDEFINED.to_owned(), |v| v.to_string());
        [
            self.epoch.to_string(),
            self.step.to_string(),
            self.seconds.to_string(),
            self.learning_rate.to_string(),
            self.gradient_norm.to_string(),
            self.train_loss.to_string(),
            figure(self.validation_loss),
            figure(self.pr_auc_snp),
            figure(self.pr_auc_indel),
            u8::from(self.best).to_string(),
        ]
        .join("\t")
    }

    fn from_line(line: &str, number: usize) -> Result<Self, HistoryError> {
        let fields: Vec<&str> = line.split('\t').collect();
        let fields: [&str; 10] =
            fields
                .try_into()
                .map_err(|fields: Vec<&str>| HistoryError::Columns {
                    line: number,
                    found: fields.len(),
                })?;
        let row = Fields {
            fields,
            line: number,
        };
        Ok(Self {
            epoch: row.value(0)?,
            step: row.value(1)?,
            seconds: row.value(2)?,
            learning_rate: row.value(3)?,
            gradient_norm: row.value(4)?,
            train_loss: row.value(5)?,
            validation_loss: row.figure(6)?,
            pr_auc_snp: row.figure(7)?,
            pr_auc_indel: row.figure(8)?,
            best: match fields[9] {
                "0" => false,
                "1" => true,
                _ => return Err(row.error(9)),
            },
        })
    }
}

struct Fields<'a> {
    fields: [&'a str; 10],
    line: usize,
}

impl Fields<'_> {
    fn error(&self, column: usize) -> HistoryError {
        HistoryError::Value {
            line: self.line,
            column: COLUMNS[column],
            found: self.fields[column].to_owned(),
        }
    }

    fn value<T: FromStr>(&self, column: usize) -> Result<T, HistoryError> {
        self.fields[column].parse().map_err(|_| self.error(column))
    }

    fn figure(&self, column: usize) -> Result<Option<f64>, HistoryError> {
        if self.fields[column] == UNDEFINED {
            return Ok(None);
        }
        self.value(column).map(Some)
    }
}

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The first line is not the header.
    #[error("line 1: expected the columns {}, found {found:?}", COLUMNS.join(", "))]
    Header {
        /// The line.
        found: String,
    },
    /// A line has another number of columns.
    #[error("line {line}: expected 10 columns, found {found}")]
    Columns {
        /// Number of the line, from 1.
        line: usize,
        /// Number of columns.
        found: usize,
    },
    /// A value cannot be read.
    #[error("line {line}: {found:?} is no value of column {column}")]
    Value {
        /// Number of the line, from 1.
        line: usize,
        /// Name of the column.
        column: &'static str,
        /// The value.
        found: String,
    },
    /// Epochs do not count up by one, or steps go back.
    #[error("line {line}: epoch {epoch} at step {step} does not follow on the line before")]
    Order {
        /// Number of the line, from 1.
        line: usize,
        /// Its epoch.
        epoch: u64,
        /// Its step.
        step: u64,
    },
}

/// All epochs so far. In JSON it is the text of `history.tsv`, so that figures keep their last bit
/// and NaN can be held.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct History {
    rows: Vec<HistoryRow>,
}

impl History {
    /// Epochs in order, from 1.
    pub fn rows(&self) -> &[HistoryRow] {
        &self.rows
    }

    /// Appends an epoch.
    ///
    /// # Errors
    /// [`HistoryError::Order`] where the epoch is not the next one, or the step goes back.
    pub fn push(&mut self, row: HistoryRow) -> Result<(), HistoryError> {
        let (epoch, step) = self
            .rows
            .last()
            .map_or((0, 0), |last| (last.epoch, last.step));
        if Some(row.epoch) != epoch.checked_add(1) || row.step < step {
            return Err(HistoryError::Order {
                line: self.rows.len() + 2,
                epoch: row.epoch,
                step: row.step,
            });
        }
        self.rows.push(row);
        Ok(())
    }

    /// The best epoch: the last one that was the best so far.
    pub fn best(&self) -> Option<&HistoryRow> {
        self.rows.iter().rev().find(|row| row.best)
    }

    /// The text of `history.tsv`. Numbers have as many digits as it takes to read the same number
    /// back; undefined figures are `NA`, `best` is 1 or 0.
    pub fn to_tsv(&self) -> String {
        let mut text = COLUMNS.join("\t");
        text.push('\n');
        for row in &self.rows {
            text.push_str(&row.to_line());
            text.push('\n');
        }
        text
    }

    /// Reads what [`History::to_tsv`] wrote. A last line without its newline is what a killed run
    /// leaves of a row; it is left out.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn from_tsv(text: &str) -> Result<Self, HistoryError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = (1..).zip(whole.split('\n'));
        let header = lines.next().map_or("", |(_, line)| line);
        if header != COLUMNS.join("\t") {
            return Err(HistoryError::Header {
                found: header.to_owned(),
            });
        }
        let mut history = Self::default();
        for (number, line) in lines {
            history.push(HistoryRow::from_line(line, number)?)?;
        }
        Ok(history)
    }
}

impl From<History> for String {
    fn from(history: History) -> Self {
        history.to_tsv()
    }
}

impl TryFrom<String> for History {
    type Error = HistoryError;

    fn try_from(text: String) -> Result<Self, HistoryError> {
        Self::from_tsv(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(epoch: u64) -> HistoryRow {
        HistoryRow {
            epoch,
            step: epoch * 100,
            seconds: epoch as f64 * 1.5,
            learning_rate: 1e-3,
            gradient_norm: 0.25,
            train_loss: 0.5,
            validation_loss: Some(0.1 + 0.2),
            pr_auc_snp: Some(0.75),
            pr_auc_indel: None,
            best: epoch % 2 == 1,
        }
    }

    fn history(epochs: u64) -> History {
        let mut history = History::default();
        for epoch in 1..=epochs {
            history.push(row(epoch)).unwrap();
        }
        history
    }

    #[test]
    fn the_text_is_a_header_and_a_row_an_epoch() {
        assert_eq!(
            history(1).to_tsv(),
            "epoch\tstep\tseconds\tlearning_rate\tgradient_norm\ttrain_loss\tvalidation_loss\t\
             pr_auc_snp\tpr_auc_indel\tbest\n\
             1\t100\t1.5\t0.001\t0.25\t0.5\t0.30000000000000004\t0.75\tNA\t1\n"
        );
        assert_eq!(history(4).best().map(|row| row.epoch), Some(3));
        assert_eq!(History::default().best(), None);
        assert_eq!(row(1).metric(), Some(0.75));
    }

    proptest! {
        #[test]
        fn numbers_come_back_to_the_last_bit(
            bits in prop::collection::vec(prop::array::uniform4(any::<u64>()), 0..6),
            undefined: bool,
        ) {
            let mut history = History::default();
            for (epoch, [a, b, c, d]) in (1..).zip(bits) {
                history.push(HistoryRow {
                    seconds: f64::from_bits(a),
                    learning_rate: f64::from_bits(b),
                    train_loss: f64::from_bits(c),
                    validation_loss: (!undefined).then_some(f64::from_bits(d)),
                    ..row(epoch)
                }).unwrap();
            }
            let again = History::from_tsv(&history.to_tsv()).unwrap();
            prop_assert_eq!(again.to_tsv(), history.to_tsv());
            for (a, b) in again.rows().iter().zip(history.rows()) {
                prop_assert!(a.train_loss == b.train_loss || b.train_loss.is_nan());
                prop_assert_eq!(a.validation_loss.is_none(), undefined);
            }
            let json = serde_json::to_string(&history).unwrap();
            let again: History = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(again.to_tsv(), history.to_tsv());
        }

        /// A text cut anywhere behind its header holds the rows that are whole.
        #[test]
        fn a_torn_last_row_is_left_out(cut in 0.0_f64..1.0) {
            let all = history(5);
            let text = all.to_tsv();
            let header = text.find('\n').unwrap() + 1;
            let end = header + ((text.len() - header) as f64 * cut) as usize;
            let whole = text[header..end].matches('\n').count();
            let read = History::from_tsv(&text[..end]).unwrap();
            prop_assert_eq!(read.rows(), &all.rows()[..whole]);
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in "\\PC{0,40}",
            fields in prop::collection::vec(
                prop::sample::select(vec!["1", "0", "NA", "nan", "-1", "x", "1.5", "", "1e400"]),
                7..12,
            ),
        ) {
            let header = COLUMNS.join("\t");
            let line = fields.join("\t");
            for text in [text, format!("{header}\n{line}\n"), format!("{header}\n1\t1\t{line}\n")] {
                if let Ok(history) = History::from_tsv(&text) {
                    let again = History::from_tsv(&history.to_tsv()).unwrap();
                    prop_assert_eq!(again.to_tsv(), history.to_tsv());
                }
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let text = history(2).to_tsv();
        for (from, to, expected) in [
            (
                "epoch\t",
                "epochs\t",
                "line 1: expected the columns epoch, step,",
            ),
            (
                "\t200\t",
                "\t200x\t",
                "line 3: \"200x\" is no value of column step",
            ),
            ("\t0\n", "\t2\n", "line 3: \"2\" is no value of column best"),
            (
                "\n2\t",
                "\n3\t",
                "line 3: epoch 3 at step 200 does not follow",
            ),
            (
                "\t200\t",
                "\t20\t",
                "line 3: epoch 2 at step 20 does not follow",
            ),
            ("\tNA\t0\n", "\t0\n", "line 3: expected 10 columns, found 9"),
            (
                "\tNA\t0\n",
                "\tNA\t0\n\n",
                "line 4: expected 10 columns, found 1",
            ),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text);
            let message = History::from_tsv(&broken).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        assert!(History::from_tsv("").is_err());
    }
}
