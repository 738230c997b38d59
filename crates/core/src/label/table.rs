//! Labels from a table: a header line that names the columns `chrom pos ref alt label`, in any order
//! and with others between them, then one record a line, separated by tabs.

use std::collections::{BTreeSet, HashMap};

use super::labelled::{GivenLabel, LabelLineError, lossy};

/// The labels of a table, found by contig, position and alleles, in capitals or not.
#[derive(Debug, Clone)]
pub struct LabelTable {
    columns: TableColumns,
    labels: HashMap<String, HashMap<RecordKey, GivenLabel>>,
}

/// 0-based position, REF and the ALT column in capitals.
type RecordKey = (u64, Vec<u8>, Vec<u8>);

impl LabelTable {
    /// Starts a table from its header line.
    ///
    /// # Errors
    /// The first column that is missing.
    pub fn from_header(line: &[u8]) -> Result<Self, LabelLineError> {
        Ok(Self {
            columns: TableColumns::from_header(line)?,
            labels: HashMap::new(),
        })
    }

    /// Adds the label of one line; a blank line adds nothing.
    ///
    /// # Errors
    /// As [`TableColumns::read`], and where an earlier line gives the record another label.
    pub fn add_line(&mut self, line: &[u8]) -> Result<(), LabelLineError> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let row = self.columns.read(line)?;
        let contig = lossy(row.contig);
        let labels = self.labels.entry(contig.clone()).or_default();
        let before = labels.insert(key(row.start, row.reference, row.alternates), row.label);
        if before.is_some_and(|before| before != row.label) {
            let position = row.start + 1;
            return Err(LabelLineError::Conflict { contig, position });
        }
        Ok(())
    }

    /// The label of a record: its contig, 0-based position, REF and ALT column as the VCF writes
    /// them. [`GivenLabel::NotAssessed`] where the table does not list it.
    pub fn label(
        &self,
        contig: &str,
        start: u64,
        reference: &[u8],
        alternates: &[u8],
    ) -> GivenLabel {
        self.labels
            .get(contig)
            .and_then(|labels| labels.get(&key(start, reference, alternates)))
            .copied()
            .unwrap_or(GivenLabel::NotAssessed)
    }

    /// The contigs that the table names.
    pub fn contigs(&self) -> BTreeSet<String> {
        self.labels.keys().cloned().collect()
    }
}

fn key(start: u64, reference: &[u8], alternates: &[u8]) -> RecordKey {
    let (reference, alternates) = (
        reference.to_ascii_uppercase(),
        alternates.to_ascii_uppercase(),
    );
    (start, reference, alternates)
}

/// Where a label table has its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumns {
    columns: usize,
    contig: usize,
    position: usize,
    reference: usize,
    alternates: usize,
    label: usize,
}

/// One line of a label table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLabel<'a> {
    /// The contig's name.
    pub contig: &'a [u8],
    /// 0-based position (the table counts from 1).
    pub start: u64,
    /// REF as written.
    pub reference: &'a [u8],
    /// The ALT column as written, several alleles separated by commas.
    pub alternates: &'a [u8],
    /// The label.
    pub label: GivenLabel,
}

impl TableColumns {
    /// Finds the columns in the header line, with or without `#` in front; names in any case.
    ///
    /// # Errors
    /// The first column that is missing.
    pub fn from_header(line: &[u8]) -> Result<Self, LabelLineError> {
        let line = end_trimmed(line);
        let names: Vec<&[u8]> = line
            .strip_prefix(b"#")
            .unwrap_or(line)
            .split(is_tab)
            .collect();
        let find = |column: &'static str| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(column.as_bytes()))
                .ok_or(LabelLineError::Column { column })
        };
        Ok(Self {
            columns: names.len(),
            contig: find("chrom")?,
            position: find("pos")?,
            reference: find("ref")?,
            alternates: find("alt")?,
            label: find("label")?,
        })
    }

    /// Reads a line. Labels, in any case: `TP`, `true`, `1`; `AM` (allele right, genotype wrong);
    /// `FP`, `false`, `0`; `UNK`, `N`, `.`.
    ///
    /// # Errors
    /// The line is short, the position is no number from 1 on, or the label is none of these.
    pub fn read<'a>(&self, line: &'a [u8]) -> Result<TableLabel<'a>, LabelLineError> {
        let fields: Vec<&[u8]> = end_trimmed(line).split(is_tab).collect();
        if fields.len() < self.columns {
            return Err(LabelLineError::ShortLine {
                found: fields.len(),
                expected: self.columns,
            });
        }
        let position = fields[self.position];
        let start = std::str::from_utf8(position)
            .ok()
            .and_then(|text| text.parse::<u64>().ok()?.checked_sub(1))
            .ok_or_else(|| LabelLineError::Value {
                field: "pos",
                found: lossy(position),
                expected: "the numbers from 1 on",
            })?;
        let label = match fields[self.label].to_ascii_uppercase().as_slice() {
            b"TP" | b"TRUE" | b"1" => GivenLabel::Right,
            b"AM" => GivenLabel::AlleleOnly,
            b"FP" | b"FALSE" | b"0" => GivenLabel::False,
            b"UNK" | b"N" | b"." => GivenLabel::NotAssessed,
            _ => {
                return Err(LabelLineError::Value {
                    field: "label",
                    found: lossy(fields[self.label]),
                    expected: "TP, AM, FP, UNK, true, false, 1, 0, N, .",
                });
            }
        };
        Ok(TableLabel {
            contig: fields[self.contig],
            start,
            reference: fields[self.reference],
            alternates: fields[self.alternates],
            label,
        })
    }
}

fn is_tab(byte: &u8) -> bool {
    *byte == b'\t'
}

fn end_trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let columns = TableColumns::from_header(b"#chrom\tpos\tref\talt\ttype\tlabel\r\n").unwrap();
        let line = columns.read(b"20\t350490\tT\tC,CA\tSNP\tTP\n").unwrap();
        assert_eq!(
            line,
            TableLabel {
                contig: b"20",
                start: 350_489,
                reference: b"T",
                alternates: b"C,CA",
                label: GivenLabel::Right
            }
        );
        let label = |text: &str| {
            columns
                .read(format!("20\t1\tT\tC\tSNP\t{text}").as_bytes())
                .map(|line| line.label)
        };
        assert_eq!(label("false").unwrap(), GivenLabel::False);
        assert_eq!(label("am").unwrap(), GivenLabel::AlleleOnly);
        assert_eq!(label("unk").unwrap(), GivenLabel::NotAssessed);
        assert!(matches!(
            label("maybe"),
            Err(LabelLineError::Value { field: "label", .. })
        ));
        assert_eq!(
            columns.read(b"20\t1\tT"),
            Err(LabelLineError::ShortLine {
                found: 3,
                expected: 6
            })
        );
        for position in ["0", "x", "-1"] {
            let line = format!("20\t{position}\tT\tC\tSNP\tTP");
            assert!(matches!(
                columns.read(line.as_bytes()),
                Err(LabelLineError::Value { field: "pos", .. })
            ));
        }
        assert_eq!(
            TableColumns::from_header(b"chrom\tpos\tref\talt"),
            Err(LabelLineError::Column { column: "label" })
        );
    }

    #[test]
    fn labels_are_found_by_place_and_alleles() {
        let mut table = LabelTable::from_header(b"chrom\tpos\tref\talt\tlabel\n").unwrap();
        table.add_line(b"1\t10\ta\tc\tTP\n").unwrap();
        table.add_line(b"\r\n").unwrap();
        table.add_line(b"1\t10\tA\tC\ttrue\n").unwrap();
        table.add_line(b"2\t10\tA\tC,G\tAM\n").unwrap();
        assert_eq!(table.label("1", 9, b"A", b"C"), GivenLabel::Right);
        assert_eq!(table.label("2", 9, b"A", b"C,G"), GivenLabel::AlleleOnly);
        for (contig, start, alternates) in [("1", 9, "G"), ("1", 10, "C"), ("3", 9, "C")] {
            assert_eq!(
                table.label(contig, start, b"A", alternates.as_bytes()),
                GivenLabel::NotAssessed
            );
        }
        assert_eq!(table.contigs(), ["1", "2"].map(String::from).into());
        assert!(table.add_line(b"1\t10\tA").is_err());
        let conflict = table.add_line(b"1\t10\tA\tC\tFP").unwrap_err();
        assert_eq!(
            conflict.to_string(),
            "1:10 stands further up with another label; keep one of them"
        );
    }
}
