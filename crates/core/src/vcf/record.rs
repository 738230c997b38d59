//! One record of a VCF: its bytes, and the few columns the program reads or edits.

use std::ops::Range;

use super::error::VcfError;
use crate::genome::Variant;

/// Indices of the fixed columns.
const CHROM: usize = 0;
const POS: usize = 1;
const ID: usize = 2;
const REF: usize = 3;
pub(super) const ALT: usize = 4;
pub(super) const QUAL: usize = 5;
pub(super) const FILTER: usize = 6;
pub(super) const INFO: usize = 7;
const FIXED: usize = 8;

/// One data line. Columns that are not edited keep their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VcfRecord {
    /// The line without its line end.
    line: Vec<u8>,
    /// Where each of the eight fixed columns ends in `line`.
    ends: [usize; FIXED],
    /// The line ended in CR LF.
    carriage_return: bool,
    /// POS, 1-based; 0 stands for the telomere (section 1.6.1).
    position: u64,
}

impl VcfRecord {
    /// Takes one data line without its line feed.
    ///
    /// # Errors
    /// [`VcfError`] where the line has not `columns` columns, POS is no number, or REF or ALT
    /// cannot be an allele.
    pub fn parse(mut line: Vec<u8>, columns: usize) -> Result<Self, VcfError> {
        let carriage_return = line.last() == Some(&b'\r');
        if carriage_return {
            line.pop();
        }
        let mut ends = [line.len(); FIXED];
        let mut found = 1;
        for (at, _) in line.iter().enumerate().filter(|(_, byte)| **byte == b'\t') {
            if found <= FIXED {
                ends[found - 1] = at;
            }
            found += 1;
        }
        if found != columns || found < FIXED {
            return Err(VcfError::Columns {
                expected: columns,
                found,
            });
        }
        let mut record = Self {
            line,
            ends,
            carriage_return,
            position: 0,
        };
        record.position = std::str::from_utf8(record.column(POS))
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| VcfError::Position {
                found: lossy(record.column(POS)),
            })?;
        record.check_alleles()?;
        Ok(record)
    }

    /// The line as it is to be written, with its line end.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.line);
        if self.carriage_return {
            out.push(b'\r');
        }
        out.push(b'\n');
    }

    /// Contig name.
    pub fn contig(&self) -> &[u8] {
        self.column(CHROM)
    }

    /// POS, 1-based; 0 is the telomere.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The ID column as it stands.
    pub fn id(&self) -> &[u8] {
        self.column(ID)
    }

    /// QUAL, or nothing for `.`.
    pub fn quality(&self) -> Option<f32> {
        parse_float(self.column(QUAL))
    }

    /// The QUAL column as it stands.
    pub fn quality_column(&self) -> &[u8] {
        self.column(QUAL)
    }

    /// The INFO column as it stands.
    pub fn info_column(&self) -> &[u8] {
        self.column(INFO)
    }

    /// The FILTER column as it stands.
    pub fn filter(&self) -> &[u8] {
        self.column(FILTER)
    }

    /// Returns true if FILTER lets the record through: it is empty, or `PASS` stands in it, alone or beside
    /// other names (`PASS;HighConf`), which then say something but do not filter.
    pub fn passes(&self) -> bool {
        let mut names = self.filter().split(|byte| *byte == b';');
        self.filter() == b"." || names.any(|name| name == b"PASS")
    }

    /// The columns REF and ALT as they stand.
    pub fn alleles(&self) -> (&[u8], &[u8]) {
        (self.column(REF), self.column(ALT))
    }

    /// Place and alleles; nothing for POS 0, which no base belongs to.
    pub fn variant(&self) -> Option<Variant> {
        let start = self.position.checked_sub(1)?;
        let reference = self.column(REF).to_ascii_uppercase();
        let alternates = match self.column(ALT) {
            b"." => Vec::new(),
            alleles => alleles
                .split(|byte| *byte == b',')
                .map(|allele| {
                    if Variant::is_sequence(allele) {
                        allele.to_ascii_uppercase()
                    } else {
                        allele.to_vec()
                    }
                })
                .collect(),
        };
        // As htslib does, an END in front of the record is not believed.
        let end = self
            .info(b"END")
            .and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok())
            .filter(|end| *end > start)
            .unwrap_or(start.saturating_add(reference.len() as u64));
        Some(Variant {
            contig: lossy(self.contig()),
            start,
            end,
            reference,
            alternates,
        })
    }

    /// The value of an INFO key: empty for a flag, nothing where the key is absent.
    pub fn info(&self, key: &[u8]) -> Option<&[u8]> {
        entries(self.column(INFO)).find_map(|entry| match entry.strip_prefix(key)? {
            [] => Some(&[][..]),
            [b'=', value @ ..] => Some(value),
            _ => None,
        })
    }

    /// The first number under an INFO key; nothing for an absent key, `.`, NaN or infinity.
    pub fn info_float(&self, key: &[u8]) -> Option<f32> {
        let value = self.info(key)?;
        parse_float(value.split(|byte| *byte == b',').next()?)
    }

    /// The FORMAT column; empty where there is none.
    pub fn format(&self) -> &[u8] {
        self.columns_after_info().next().unwrap_or(&[])
    }

    /// Samples of the record.
    pub fn sample_count(&self) -> usize {
        self.columns_after_info().skip(1).count()
    }

    /// The whole column of a sample, from 0.
    pub fn sample(&self, sample: usize) -> Option<&[u8]> {
        self.columns_after_info().nth(1 + sample)
    }

    /// The value of a FORMAT key of a sample, from 0; nothing where the key is absent or the sample's
    /// trailing fields were left out.
    pub fn sample_value(&self, sample: usize, key: &[u8]) -> Option<&[u8]> {
        let at = self
            .format()
            .split(|byte| *byte == b':')
            .position(|name| name == key)?;
        self.sample(sample)?.split(|byte| *byte == b':').nth(at)
    }

    pub(super) fn columns_after_info(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.line.get(self.ends[INFO] + 1..).unwrap_or(&[]);
        rest.split(|byte| *byte == b'\t')
            .take_while(|_| self.ends[INFO] < self.line.len())
    }

    /// Sets an INFO key, in its place where it stands already (and only once), else at the end;
    /// `None` takes it out.
    pub fn set_info(&mut self, key: &[u8], value: Option<&[u8]>) {
        let info = self.column(INFO);
        let holds = entries(info).any(|entry| entry_key(entry) == key);
        let Some(value) = value else {
            if holds {
                let kept: Vec<&[u8]> = entries(info)
                    .filter(|entry| entry_key(entry) != key)
                    .collect();
                let kept = if kept.is_empty() {
                    b".".to_vec()
                } else {
                    kept.join(&b';')
                };
                self.replace_column(INFO, &kept);
            }
            return;
        };
        let entry = [key, b"=", value].concat();
        let written = if entries(info).next().is_none() {
            entry
        } else if !holds {
            [info, b";", &entry].concat()
        } else {
            // In the place of the first; entries of other keys keep their bytes, empty ones too.
            let mut pending = Some(entry);
            let parts = info.split(|byte| *byte == b';').filter_map(|part| {
                if entry_key(part) == key && !part.is_empty() {
                    pending.take()
                } else {
                    Some(part.to_vec())
                }
            });
            parts.collect::<Vec<_>>().join(&b';')
        };
        self.replace_column(INFO, &written);
    }

    pub(super) fn replace_column(&mut self, column: usize, bytes: &[u8]) {
        let range = self.range(column);
        let grown = bytes.len() as isize - range.len() as isize;
        self.line.splice(range, bytes.iter().copied());
        for end in &mut self.ends[column..] {
            *end = end.saturating_add_signed(grown);
        }
    }

    /// Puts `bytes` (FORMAT and the samples, tab-separated) in the place of all columns behind INFO.
    pub(super) fn replace_columns_after_info(&mut self, bytes: &[u8]) {
        let start = (self.ends[INFO] + 1).min(self.line.len());
        self.line.splice(start.., bytes.iter().copied());
    }

    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.line[self.range(column)]
    }

    fn range(&self, column: usize) -> Range<usize> {
        let start = if column == 0 {
            0
        } else {
            self.ends[column - 1] + 1
        };
        start..self.ends[column]
    }

    fn check_alleles(&self) -> Result<(), VcfError> {
        let reference = self.column(REF);
        if !Variant::is_sequence(reference) {
            return Err(VcfError::Allele {
                column: "REF",
                found: lossy(reference),
                expected: "bases",
            });
        }
        let alternates = self.column(ALT);
        if alternates.is_empty() || alternates.split(|byte| *byte == b',').any(<[u8]>::is_empty) {
            return Err(VcfError::Allele {
                column: "ALT",
                found: lossy(alternates),
                expected: "`.` or a list of alleles",
            });
        }
        Ok(())
    }
}

pub(super) fn entries(info: &[u8]) -> impl Iterator<Item = &[u8]> {
    info.split(|byte| *byte == b';')
        .filter(|entry| !entry.is_empty() && *entry != b".")
}

pub(super) fn entry_key(entry: &[u8]) -> &[u8] {
    entry.split(|byte| *byte == b'=').next().unwrap_or(entry)
}

/// A finite number; nothing for `.`, NaN and infinity.
pub fn parse_float(text: &[u8]) -> Option<f32> {
    let value: f32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
    }

    fn text(record: &VcfRecord) -> String {
        let mut out = Vec::new();
        record.write_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn untouched_bytes_stay() {
        let line =
            "chr1\t007\trs1;x\tAc\tT,<DEL>\t1.50e1\tq10\tDP=5;DB;CNN_2D=1.5;MQ=6.0e1\tGT\t0/1";
        let mut r = record(line);
        assert_eq!(text(&r), format!("{line}\n"));
        r.set_info(b"CNN_2D", Some(b"-2.000"));
        r.set_info(b"CNN_1D", Some(b"0.1"));
        assert_eq!(
            text(&r),
            "chr1\t007\trs1;x\tAc\tT,<DEL>\t1.50e1\tq10\tDP=5;DB;CNN_2D=-2.000;MQ=6.0e1;CNN_1D=0.1\tGT\t0/1\n"
        );
        assert_eq!(r.info(b"DB"), Some(&b""[..]));
        assert_eq!(r.info_float(b"MQ"), Some(60.0));
        assert_eq!(r.quality(), Some(15.0));
    }

    #[test]
    fn keys_are_whole_words_and_never_doubled() {
        let mut r = record("1\t5\t.\tA\tC\t.\t.\tXDP=1;DP=2;DPX=3;DP=4");
        assert_eq!(r.info_float(b"DP"), Some(2.0));
        r.set_info(b"DP", Some(b"9"));
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tXDP=1;DP=9;DPX=3\n");
        r.set_info(b"DP", None);
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tXDP=1;DPX=3\n");
    }

    #[test]
    fn an_empty_info_column_is_a_dot() {
        let mut r = record("1\t5\t.\tA\tC\t.\t.\t.\r");
        r.set_info(b"K", Some(b"1"));
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tK=1\r\n");
        r.set_info(b"K", None);
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\t.\r\n");
    }

    #[test]
    fn missing_numbers_are_none() {
        let r = record("1\t5\t.\tA\tC\t.\t.\tA=.;B=nan;C=inf;D=x;E=.,3;F");
        for key in ["A", "B", "C", "D", "E", "F", "G"] {
            assert_eq!(r.info_float(key.as_bytes()), None, "{key}");
        }
        assert_eq!(r.quality(), None);
    }

    #[test]
    fn odd_bytes_of_other_entries_stay() {
        let mut r = record("1\t5\t.\tA\tC\t.\t.\tDP=5;;END=9;");
        r.set_info(b"K", None);
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tDP=5;;END=9;\n");
        r.set_info(b"DP", Some(b"7"));
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tDP=7;;END=9;\n");
    }

    #[test]
    fn samples_are_read_by_key() {
        let r = record("1\t5\t.\tA\tC\t.\t.\tDP=3\tGT:AD:DP\t0/1:3,4:7\t./.");
        assert_eq!(r.sample_value(0, b"AD"), Some(&b"3,4"[..]));
        assert_eq!(r.sample_value(1, b"GT"), Some(&b"./."[..]));
        assert_eq!(r.sample_value(1, b"DP"), None);
        assert_eq!(r.sample_value(0, b"PL"), None);
        assert_eq!(r.sample_value(2, b"GT"), None);
        let r = record("1\t5\t.\tA\tC\t.\t.\tDP=3");
        assert_eq!((r.format(), r.sample(0)), (&b""[..], None));
    }

    #[test]
    fn end_comes_from_info_where_it_is_behind_the_start() {
        let variant = record("1\t5\t.\taCg\tt,*,<DEL>\t.\t.\tEND=20")
            .variant()
            .unwrap();
        assert_eq!((variant.start, variant.end), (4, 20));
        assert_eq!(variant.reference, b"ACG");
        assert_eq!(variant.alternates, [&b"T"[..], b"*", b"<DEL>"]);
        let variant = record("1\t5\t.\tACG\tT\t.\t.\tEND=3").variant().unwrap();
        assert_eq!((variant.start, variant.end), (4, 7));
        assert_eq!(record("1\t0\t.\tN\tT\t.\t.\t.").variant(), None);
    }

    #[test]
    fn damaged_lines_are_named() {
        let parse = |line: &str| VcfRecord::parse(line.as_bytes().to_vec(), 8).unwrap_err();
        assert_eq!(
            parse("1\t5\t."),
            VcfError::Columns {
                expected: 8,
                found: 3
            }
        );
        assert!(matches!(
            parse("1\tx\t.\tA\tC\t.\t.\t."),
            VcfError::Position { .. }
        ));
        assert!(matches!(
            parse("1\t5\t.\t\tC\t.\t.\t."),
            VcfError::Allele { column: "REF", .. }
        ));
        assert!(matches!(
            parse("1\t5\t.\tA\tC,\t.\t.\t."),
            VcfError::Allele { column: "ALT", .. }
        ));
    }

    proptest! {
        #[test]
        fn setting_a_key_changes_that_key_only(
            entries in prop::collection::vec("[A-D](=[0-9.,a-z]{0,4})?", 0..6),
            key in "[A-D]",
            value in prop::option::of("[0-9]{1,3}"),
        ) {
            let info = if entries.is_empty() { ".".to_owned() } else { entries.join(";") };
            let mut r = record(&format!("1\t5\t.\tA\tC\t.\t.\t{info}\tGT\t0/1"));
            r.set_info(key.as_bytes(), value.as_deref().map(str::as_bytes));
            prop_assert_eq!(r.info(key.as_bytes()), value.as_deref().map(str::as_bytes));
            let kept = |all: Vec<&str>| -> Vec<String> {
                all.into_iter()
                    .filter(|e| e.split('=').next() != Some(key.as_str()) && *e != ".")
                    .map(String::from)
                    .collect()
            };
            let after = text(&r);
            let columns: Vec<&str> = after.trim_end().split('\t').collect();
            prop_assert_eq!(
                kept(columns[7].split(';').collect()),
                kept(entries.iter().map(String::as_str).collect())
            );
            prop_assert_eq!(&columns[8..], &["GT", "0/1"]);
        }
    }
}
