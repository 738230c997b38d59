//! Columns of a record that filtering rewrites: FILTER, ALT, INFO entries, FORMAT and samples.

use super::record::{ALT, FILTER, INFO, QUAL, VcfRecord, entries, entry_key};

impl VcfRecord {
    /// Puts `filter` into the FILTER column.
    pub fn set_filter(&mut self, filter: &[u8]) {
        if self.filter() != filter {
            self.replace_column(FILTER, filter);
        }
    }

    /// Puts `quality` into the QUAL column.
    pub fn set_quality(&mut self, quality: &[u8]) {
        self.replace_column(QUAL, quality);
    }

    /// Puts `alternates` (comma-separated) into the ALT column.
    pub fn set_alternates(&mut self, alternates: &[u8]) {
        self.replace_column(ALT, alternates);
    }

    /// Puts a value a sample under a FORMAT key: in its place where it stands already, else behind the
    /// others, with `.` for the fields that a sample left out before it; a value of `.` is left out
    /// with them. `None` takes the key out.
    /// Nothing happens where the record has no samples.
    pub fn set_sample_values(&mut self, key: &[u8], values: Option<&[String]>) {
        let has_samples = self.columns_after_info().nth(1).is_some();
        let keys = self.format().split(|byte| *byte == b':');
        let place = keys.clone().position(|name| name == key);
        if !has_samples || (place.is_none() && values.is_none()) {
            return;
        }
        // A FORMAT of `.` alone is an empty one.
        let is_empty = matches!(self.format(), b"" | b".");
        let at = place.unwrap_or(if is_empty { 0 } else { keys.count() });
        let mut written = Vec::new();
        for (column, text) in self.columns_after_info().enumerate() {
            let mut fields: Vec<&[u8]> = text.split(|byte| *byte == b':').collect();
            if column > 0 {
                written.push(b'\t');
            }
            let value = match (values, column.checked_sub(1)) {
                (None, _) => None,
                (Some(_), None) => Some(key),
                (Some(values), Some(sample)) => {
                    Some(values.get(sample).map_or(&b"."[..], String::as_bytes))
                }
            };
            match value {
                // A missing value may be left out at the end, as all behind it are.
                Some(b".") if column > 0 && at >= fields.len() => {}
                Some(value) => {
                    fields.resize(fields.len().max(at + 1), b".");
                    fields[at] = value;
                }
                None if at < fields.len() => {
                    fields.remove(at);
                }
                None => {}
            }
            if fields.is_empty() {
                fields.push(b".");
            }
            written.extend_from_slice(&fields.join(&b':'));
        }
        self.replace_columns_after_info(&written);
    }

    /// The value of a FORMAT key for each sample, as [`Self::set_sample_values`] takes them: `.` where a sample has none.
    pub fn sample_values(&self, key: &[u8]) -> Vec<String> {
        let value = |sample| self.sample_value(sample, key).unwrap_or(b".");
        let text = |sample| String::from_utf8_lossy(value(sample)).into_owned();
        (0..self.sample_count()).map(text).collect()
    }

    /// Keys and values of INFO in their order; a flag has no value.
    pub fn info_entries(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        entries(self.column(INFO)).map(|entry| {
            let key = entry_key(entry);
            (key, entry.get(key.len() + 1..))
        })
    }

    /// FORMAT and the columns of all samples as lists of fields, in their order; empty where there
    /// is no FORMAT. A sample may have fewer fields than FORMAT has keys.
    pub fn genotype_columns(&self) -> Vec<Vec<Vec<u8>>> {
        self.columns_after_info()
            .map(|column| {
                column
                    .split(|byte| *byte == b':')
                    .map(<[u8]>::to_vec)
                    .collect()
            })
            .collect()
    }

    /// Puts FORMAT and samples back, as [`Self::genotype_columns`] gives them. Nothing happens
    /// where the record has no FORMAT.
    pub fn set_genotype_columns(&mut self, columns: &[Vec<Vec<u8>>]) {
        if self.format().is_empty() || columns.is_empty() {
            return;
        }
        let columns: Vec<Vec<u8>> = columns.iter().map(|fields| fields.join(&b':')).collect();
        self.replace_columns_after_info(&columns.join(&b'\t'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
    }

    fn text(record: &VcfRecord) -> String {
        let mut out = Vec::new();
        record.write_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_replaced_and_the_others_stay() {
        let mut r = record("1\t5\t.\tA\tC,G\t1.0\tq10\tDP=3;DB\tGT:AD\t0/1:1,2,3\t./.");
        r.set_filter(b"PASS");
        r.set_alternates(b"C");
        let mut columns = r.genotype_columns();
        assert_eq!(columns.len(), 3);
        columns[1][1] = b"1,2".to_vec();
        r.set_genotype_columns(&columns);
        r.set_info(b"X", Some(b"1"));
        assert_eq!(
            text(&r),
            "1\t5\t.\tA\tC\t1.0\tPASS\tDP=3;DB;X=1\tGT:AD\t0/1:1,2\t./.\n"
        );
        let info: Vec<_> = r.info_entries().collect();
        assert_eq!(info[1], (&b"DB"[..], None));
        assert_eq!(info[2], (&b"X"[..], Some(&b"1"[..])));
    }

    #[test]
    fn values_of_samples_are_put_replaced_and_taken_out() {
        let fixed = "1\t5\t.\tA\tC\t.\t.\tDP=3";
        let values = ["1.5".to_owned(), ".".to_owned()];
        for (before, after) in [
            ("GT:AD\t0/1:1,2\t0/0:3,0", "GT:AD:K\t0/1:1,2:1.5\t0/0:3,0"),
            ("GT:AD\t0/1\t./.", "GT:AD:K\t0/1:.:1.5\t./."),
            ("GT:K:AD\t0/1:9:1,2\t0/0:8", "GT:K:AD\t0/1:1.5:1,2\t0/0:."),
            ("K\t9\t8", "K\t1.5\t."),
            (".\t.\t.", "K\t1.5\t."),
        ] {
            let mut r = record(&format!("{fixed}\t{before}"));
            r.set_sample_values(b"K", Some(&values));
            assert_eq!(text(&r), format!("{fixed}\t{after}\n"));
        }
        for (before, after) in [
            ("GT:K:AD\t0/1:9:1,2\t0/0", "GT:AD\t0/1:1,2\t0/0"),
            ("K\t9\t8", ".\t.\t."),
            ("GT\t0/1\t0/0", "GT\t0/1\t0/0"),
        ] {
            let mut r = record(&format!("{fixed}\t{before}"));
            r.set_sample_values(b"K", None);
            assert_eq!(text(&r), format!("{fixed}\t{after}\n"));
        }
        for alone in ["", "\tGT"] {
            let mut r = record(&format!("{fixed}{alone}"));
            r.set_sample_values(b"K", Some(&values));
            assert_eq!(text(&r), format!("{fixed}{alone}\n"));
        }
    }

    #[test]
    fn a_record_without_samples_has_no_genotype_columns() {
        let mut r = record("1\t5\t.\tA\tC\t.\t.\tDP=3");
        assert!(r.genotype_columns().is_empty());
        r.set_genotype_columns(&[]);
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tDP=3\n");
    }
}
