//! Records for tests.

use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// A record from its columns, which spaces separate here.
pub(super) fn record(line: &str) -> VcfRecord {
    let columns = line.split(' ').count();
    VcfRecord::parse(line.replace(' ', "\t").into_bytes(), columns).unwrap()
}

/// A header with these samples that defines INFO/QD, FORMAT/GQ and what `more` says.
pub(super) fn header(samples: &[&str], more: &[&str]) -> VcfHeader {
    let mut lines: Vec<String> = [
        "##fileformat=VCFv4.2",
        "##INFO=<ID=QD,Number=1,Type=Float,Description=\"x\">",
        "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"x\">",
    ]
    .iter()
    .chain(more)
    .map(|line| (*line).to_owned())
    .collect();
    let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
    lines.push(format!("{columns}\t{}", samples.join("\t")));
    VcfHeader::parse(lines).unwrap()
}
