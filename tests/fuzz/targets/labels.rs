//! Labels as `eval` and `tensors` take them: a table, and calls that carry their own or meet a truth.
//!
//! What must hold: nothing panics; each line of a table that is read gives its record its label, and
//! every call has as many states as ALTs. A 0 byte parts the table from records of calls, another one
//! those from records of the truth.

#![no_main]

use std::path::PathBuf;

use cnnfilter::fuzzing::read_label_table;
use cnnfilter_core::label::{
    ContigLabels, ContigTruth, HappySamples, LabelTable, MatchRule, SampleRecords, TableColumns,
};
use cnnfilter_core::vcf::VcfRecord;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// The contig of the records.
const BASES: &[u8] = b"GGTCACACATTGACNACGTAAAAAAAAACGTCTCTCTCTGGGTTTACGATCACACACAGTNNacgtTTTGGA";
/// Columns up to two samples.
const COLUMNS: usize = 11;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder");
}

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (text, calls, truth) = (part(), records(part()), records(part()));
    let table = FOLDER.with(|folder| {
        let path: PathBuf = folder.path().join("x.tsv");
        std::fs::write(&path, text).expect("written");
        read_label_table(&path).ok()
    });
    for rule in [MatchRule::Allele, MatchRule::Genotype] {
        if let Some(table) = &table {
            check(&calls, ContigLabels::by_table("c", &calls, table, rule));
        }
        let samples = HappySamples { truth: 0, query: 1 };
        let _ = ContigLabels::by_happy(&calls, samples, rule).map(|found| check(&calls, found));
        let _ = ContigLabels::by_vcfeval(&calls, rule).map(|found| check(&calls, found));
        let of = |records, sample| SampleRecords { records, sample };
        let truth = ContigTruth {
            records: of(&truth, 1),
            confident: None,
            regions: None,
        };
        for bases in [BASES, b""] {
            check(
                &calls,
                ContigLabels::by_truth("c", of(&calls, 0), truth, bases, rule),
            );
        }
    }
    if let Some(table) = table
        && !text.starts_with(&[0x1f, 0x8b])
        && !text.starts_with(b"BCF")
    {
        check_lines(text, &table);
    }
});

/// The first lines that can be records.
fn records(text: &[u8]) -> Vec<VcfRecord> {
    let lines = text.split(|byte| *byte == b'\n').take(24);
    lines
        .filter_map(|line| VcfRecord::parse(line.to_vec(), COLUMNS).ok())
        .collect()
}

fn check(calls: &[VcfRecord], found: ContigLabels) {
    assert_eq!(found.labels.len(), calls.len());
    assert_eq!(found.kinds.len(), calls.len());
    assert_eq!(found.alternates.len(), calls.len());
    for (label, states) in found.labels.iter().zip(&found.alternates) {
        assert!(label.is_some() || states.is_empty());
    }
    for missed in &found.missed {
        assert!(missed.alternate < missed.site.alternates.len());
    }
}

/// What the table says about each line of its text.
fn check_lines(text: &[u8], table: &LabelTable) {
    let mut lines = text.split(|byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let columns = TableColumns::from_header(header).expect("the header of a table");
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        let row = columns.read(line).expect("a line of a table");
        let contig = String::from_utf8_lossy(row.contig);
        let found = table.label(&contig, row.start, row.reference, row.alternates);
        assert_eq!(found, row.label);
        assert!(table.contigs().contains(&*contig));
    }
}
