//! The course of a run, one row an epoch, as `history.tsv` holds it.

use csv::{QuoteStyle, StringRecord, WriterBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::early_stopping::validation_metric;

/// Columns of `history.tsv`, in order.
pub const COLUMNS: [&str; 13] = [
    "epoch",
    "step",
    "seconds",
    "learning_rate",
    "gradient_norm",
    "train_loss",
    "validation_loss",
    "pr_auc_snp",
    "pr_auc_indel",
    "genotype_loss",
    "quality_threshold",
    "quality_temperature",
    "best",
];

/// A figure that is undefined.
const UNDEFINED: &str = "NA";

/// One epoch; the fields stand in the order of [`COLUMNS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Steps done at its end, since the beginning of the run.
    pub step: u64,
    /// Seconds of training until then, interruptions left out.
    #[serde(serialize_with = "shortest")]
    pub seconds: f64,
    /// Learning rate of its last step.
    #[serde(serialize_with = "shortest")]
    pub learning_rate: f64,
    /// Mean over its steps of the gradient's norm before clipping.
    #[serde(serialize_with = "shortest")]
    pub gradient_norm: f64,
    /// Mean loss over its training batches, in nats, as they were while it ran.
    #[serde(serialize_with = "shortest")]
    pub train_loss: f64,
    /// Mean loss over the validation examples at its end, in nats; `None` without examples.
    #[serde(serialize_with = "figure")]
    pub validation_loss: Option<f64>,
    /// Average precision of the validation SNPs; `None` where undefined.
    #[serde(serialize_with = "figure")]
    pub pr_auc_snp: Option<f64>,
    /// Average precision of the validation indels; `None` where undefined.
    #[serde(serialize_with = "figure")]
    pub pr_auc_indel: Option<f64>,
    /// Mean loss of the genotype head over the real validation examples whose copies are known, in nats; `None`
    /// without a head.
    #[serde(serialize_with = "figure")]
    pub genotype_loss: Option<f64>,
    /// The learned quality threshold, t of sigmoid((q - t) / T), phred; `None` without one.
    #[serde(serialize_with = "figure")]
    pub quality_threshold: Option<f64>,
    /// Its temperature, T, phred.
    #[serde(serialize_with = "figure")]
    pub quality_temperature: Option<f64>,
    /// The validation metric was the best so far.
    #[serde(with = "digit")]
    pub best: bool,
}

/// A number with as many digits as it takes to read it back, without an exponent.
fn shortest<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn figure<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => shortest(value, serializer),
        None => serializer.serialize_str(UNDEFINED),
    }
}

/// A truth value as 1 or 0.
mod digit {
    use super::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<bool, D::Error> {
        match u8::deserialize(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(de::Error::custom("neither 0 nor 1")),
        }
    }
}

impl HistoryRow {
    /// The metric that early stopping watches ([`validation_metric`]).
    pub fn metric(&self) -> Option<f64> {
        validation_metric(self.pr_auc_snp, self.pr_auc_indel)
    }

    fn from_fields(fields: &StringRecord, line: usize) -> Result<Self, HistoryError> {
        if fields.len() != COLUMNS.len() {
            return Err(HistoryError::Columns {
                line,
                found: fields.len(),
            });
        }
        let no_value = |column: usize| HistoryError::Value {
            line,
            column: COLUMNS[column],
            found: fields[column].to_owned(),
        };
        // csv takes an empty field for a value that is absent; here only `NA` is.
        if let Some(column) = fields.iter().position(str::is_empty) {
            return Err(no_value(column));
        }
        let defined = |field| if field == UNDEFINED { "" } else { field };
        let values: StringRecord = fields.iter().map(defined).collect();
        values.deserialize(None).map_err(|error| {
            let column = match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => err.field(),
                _ => None,
            };
            // The one error without a column is that of `digit`, in the last.
            no_value(column.map_or(COLUMNS.len() - 1, |column| column as usize))
        })
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
    #[error("line {line}: expected 13 columns, found {found}")]
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
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(try_from = "String")]
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
    ///
    /// # Errors
    /// None for any rows: every one has all columns.
    pub fn to_tsv(&self) -> Result<String, csv::Error> {
        let mut table = WriterBuilder::new()
            .delimiter(b'\t')
            .quote_style(QuoteStyle::Never)
            .has_headers(false)
            .from_writer(Vec::new());
        table.write_record(COLUMNS)?;
        for row in &self.rows {
            table.serialize(row)?;
        }
        let bytes = table
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads the text of [`History::to_tsv`]. A killed run may leave a row without its newline at
    /// the end; that row is left out.
    ///
    /// # Errors
    /// Names the line and the mistake.
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
            let fields: StringRecord = line.split('\t').collect();
            history.push(HistoryRow::from_fields(&fields, number)?)?;
        }
        Ok(history)
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_tsv().map_err(ser::Error::custom)?)
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
            genotype_loss: Some(0.125),
            quality_threshold: None,
            quality_temperature: None,
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
            history(1).to_tsv().unwrap(),
            "epoch\tstep\tseconds\tlearning_rate\tgradient_norm\ttrain_loss\tvalidation_loss\t\
             pr_auc_snp\tpr_auc_indel\tgenotype_loss\tquality_threshold\tquality_temperature\tbest\n\
             1\t100\t1.5\t0.001\t0.25\t0.5\t0.30000000000000004\t0.75\tNA\t0.125\tNA\tNA\t1\n"
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
            let again = History::from_tsv(&history.to_tsv().unwrap()).unwrap();
            prop_assert_eq!(again.to_tsv().unwrap(), history.to_tsv().unwrap());
            for (a, b) in again.rows().iter().zip(history.rows()) {
                prop_assert!(a.train_loss == b.train_loss || b.train_loss.is_nan());
                prop_assert_eq!(a.validation_loss.is_none(), undefined);
            }
            let json = serde_json::to_string(&history).unwrap();
            let again: History = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(again.to_tsv().unwrap(), history.to_tsv().unwrap());
        }

        /// A text cut anywhere behind its header holds the rows that are whole.
        #[test]
        fn a_torn_last_row_is_left_out(cut in 0.0_f64..1.0) {
            let all = history(5);
            let text = all.to_tsv().unwrap();
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
                9..15,
            ),
        ) {
            let header = COLUMNS.join("\t");
            let line = fields.join("\t");
            for text in [text, format!("{header}\n{line}\n"), format!("{header}\n1\t1\t{line}\n")] {
                if let Ok(history) = History::from_tsv(&text) {
                    let again = History::from_tsv(&history.to_tsv().unwrap()).unwrap();
                    prop_assert_eq!(again.to_tsv().unwrap(), history.to_tsv().unwrap());
                }
            }
        }
    }

    #[test]
    fn fields_stand_in_the_order_of_the_columns() {
        let mut table = WriterBuilder::new()
            .delimiter(b'\t')
            .from_writer(Vec::new());
        table.serialize(row(1)).unwrap();
        let text = String::from_utf8(table.into_inner().unwrap()).unwrap();
        assert_eq!(text.lines().next().unwrap(), COLUMNS.join("\t"));
        let empty = History::default().to_tsv().unwrap();
        assert_eq!(empty.trim_end(), COLUMNS.join("\t"));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let text = history(2).to_tsv().unwrap();
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
                "\tNA\t0\n",
                "\t\t0\n",
                "line 3: \"\" is no value of column quality_temperature",
            ),
            (
                "\n2\t",
                "\nNA\t",
                "line 3: \"NA\" is no value of column epoch",
            ),
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
            (
                "\tNA\t0\n",
                "\t0\n",
                "line 3: expected 13 columns, found 12",
            ),
            (
                "\tNA\t0\n",
                "\tNA\t0\n\n",
                "line 4: expected 13 columns, found 1",
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
