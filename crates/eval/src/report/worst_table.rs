//! The worst records as a table of labels, which `--labels` takes.

use std::collections::BTreeMap;

use super::{Report, WorstRecord};

/// A place and its alleles.
type Key<'a> = (&'a str, u64, &'a str, &'a str);

/// One line a record, in the order of the report: its label, and behind it each score that it is
/// among the worst of, with the value (`NA` where the record lacks the score).
pub fn worst_table(report: &Report) -> String {
    let mut lines: Vec<(&WorstRecord, String)> = Vec::new();
    let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    for record in &report.worst {
        let key = (
            record.contig.as_str(),
            record.pos,
            record.reference.as_str(),
            record.alternate.as_str(),
        );
        let value = record.value.map_or("NA".to_owned(), |one| one.to_string());
        let score = format!("{}={value}", record.score);
        match known.get(&key) {
            Some(at) => lines[*at].1 += &format!(";{score}"),
            None => {
                known.insert(key, lines.len());
                lines.push((record, score));
            }
        }
    }
    let mut table = "chrom\tpos\tref\talt\tlabel\tscores\n".to_owned();
    for (record, scores) in lines {
        let fields = [
            record.contig.as_str(),
            &record.pos.to_string(),
            &record.reference,
            &record.alternate,
            record.label.name(),
            &scores,
        ];
        table += &fields
            .map(|field| field.replace(['\t', '\n', '\r'], " "))
            .join("\t");
        table.push('\n');
    }
    table
}
