//! A whole VCF as bytes: header and records are parsed, read, edited and written back.
//!
//! What must hold: nothing panics; a header and a record that parse and are not edited come back byte
//! for byte; a record that was edited parses again, says what was written and keeps its other entries.

#![no_main]

use cnnfilter_core::encode::annotations::{self, AnnotationSource, DEFAULT};
use cnnfilter_core::encode::kind::{gatk_kind, gatk_sorts_by_base, scorable};
use cnnfilter_core::filter::alleles::{AlleleFields, trim};
use cnnfilter_core::filter::genotypes::{Which, recount, set_missing, write_filters};
use cnnfilter_core::filter::{ModelLine, filter_column};
use cnnfilter_core::genome::Variant;
use cnnfilter_core::genome::{Edit, record_kind};
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut meta: Vec<Vec<u8>> = Vec::new();
    for line in lines.by_ref() {
        meta.push(line.to_vec());
        if !line.starts_with(b"##") {
            break;
        }
    }
    let whole: Vec<u8> = meta
        .iter()
        .flat_map(|line| [line, &b"\n"[..]].concat())
        .collect();
    let returns = meta.iter().filter(|line| line.ends_with(b"\r")).count();
    let alike = returns == 0 || returns == meta.len();
    let Ok(mut header) = VcfHeader::from_bytes(meta) else {
        return;
    };
    if alike {
        assert_eq!(header.to_bytes(), whole, "the header");
    }
    let columns = header.column_count();
    let fields = AlleleFields::of_header(&header);
    look_at_header(&mut header);
    let sources: Vec<AnnotationSource> = DEFAULT
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    for line in lines.take(64) {
        let Ok(record) = VcfRecord::parse(line.to_vec(), columns) else {
            continue;
        };
        assert_eq!(written(&record), [line, b"\n"].concat(), "the record");
        look_at_record(&record, &sources);
        edit_info(&record, columns);
        edit_the_rest(&record, &fields, columns);
    }
});

fn written(record: &VcfRecord) -> Vec<u8> {
    let mut out = Vec::new();
    record.write_to(&mut out);
    out
}

/// The record as another program would read what was written.
fn again(record: &VcfRecord, columns: usize) -> VcfRecord {
    let mut line = written(record);
    line.pop();
    VcfRecord::parse(line, columns).expect("a record that was edited can be read")
}

fn look_at_header(header: &mut VcfHeader) {
    let _ = (
        header.contigs(),
        header.samples().count(),
        header.defines_info("DP"),
    );
    let _ = (
        header.info_field("DP", "Number"),
        header.format_field("GT", "Type"),
    );
    let _ = header.info_keys_of_type("Float").count();
    let _ = ModelLine::of_header(header);
    header.put_info(
        "CNN_2D",
        "##INFO=<ID=CNN_2D,Number=1,Type=Float,Description=\"x\">".into(),
    );
    header.put_meta("##cnnfilterCommand", "##cnnfilterCommand=x".into());
    header.remove_filters(|name| name.starts_with("CNN_"));
    let _ = header.to_bytes();
}

fn look_at_record(record: &VcfRecord, sources: &[AnnotationSource]) {
    let _ = (
        record.quality(),
        filter_column::names(record.filter()),
        record.info_entries().count(),
    );
    let _ = annotations::encode(record, &["MQ", "DP"].map(String::from));
    let Some(variant) = record.variant() else {
        return;
    };
    let _ = (
        scorable(&variant),
        gatk_kind(&variant),
        gatk_sorts_by_base(&variant),
    );
    let _ = (
        record_kind(&variant.reference, &variant.alternates),
        variant.to_string(),
    );
    for (at, alternate) in variant.alternates.iter().enumerate().take(8) {
        let _ = annotations::of_allele(record, sources, at, variant.alternates.len(), 0);
        if Variant::is_sequence(alternate)
            && let Some(edit) = Edit::trimmed(variant.start, &variant.reference, alternate)
        {
            let _ = edit.left_aligned(&b"ACGTACGT"[..]);
        }
    }
}

fn edit_info(record: &VcfRecord, columns: usize) {
    const KEY: &[u8] = b"CNN_2D";
    let others = |record: &VcfRecord| -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let entries = record.info_entries().filter(|(key, _)| *key != KEY);
        entries
            .map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)))
            .collect()
    };
    let mut edited = record.clone();
    edited.set_info(KEY, Some(b"-1.250"));
    let found = again(&edited, columns);
    assert_eq!(found.info(KEY), Some(&b"-1.250"[..]));
    assert_eq!(others(&found), others(record), "other entries");
    assert_eq!(found.genotype_columns(), record.genotype_columns());
    edited.set_info(KEY, None);
    let found = again(&edited, columns);
    assert_eq!(found.info(KEY), None);
    assert_eq!(others(&found), others(record), "other entries");
}

fn edit_the_rest(record: &VcfRecord, fields: &AlleleFields, columns: usize) {
    let mut edited = record.clone();
    edited.set_filter(b"CNN_LOW;q10");
    assert_eq!(again(&edited, columns).filter(), b"CNN_LOW;q10");
    let mut edited = record.clone();
    edited.set_genotype_columns(&record.genotype_columns());
    assert_eq!(written(&edited), written(record), "the same genotypes");
    for failing in [&[0][..], &[1], &[0, 2]] {
        let mut edited = record.clone();
        if trim(&mut edited, failing, fields).is_err() {
            assert_eq!(&edited, record);
        }
        again(&edited, columns);
    }
    let mut edited = record.clone();
    set_missing(&mut edited, Which::All);
    recount(&mut edited);
    again(&edited, columns);
    let mut edited = record.clone();
    write_filters(&mut edited, &[Some(false), None, Some(true)], "CNN_LOW");
    again(&edited, columns);
}
