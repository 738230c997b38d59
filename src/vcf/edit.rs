//! Columns of a record that filtering rewrites: FILTER, ALT, INFO entries, FORMAT and samples.

use super::record::{ALT, FILTER, INFO, VcfRecord, entries, entry_key};

impl VcfRecord {
    /// Puts `filter` into the FILTER column.
    pub fn set_filter(&mut self, filter: &[u8]) {
        if self.filter() != filter {
            self.replace_column(FILTER, filter);
        }
    }

    /// Puts `alternates` (comma-separated) into the ALT column.
    pub fn set_alternates(&mut self, alternates: &[u8]) {
        self.replace_column(ALT, alternates);
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
    fn a_record_without_samples_has_no_genotype_columns() {
        let mut r = record("1\t5\t.\tA\tC\t.\t.\tDP=3");
        assert!(r.genotype_columns().is_empty());
        r.set_genotype_columns(&[]);
        assert_eq!(text(&r), "1\t5\t.\tA\tC\t.\t.\tDP=3\n");
    }
}
