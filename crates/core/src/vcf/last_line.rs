//! Last records without a final line feed: whole ones are told from cut ones.

use super::genotype::{Genotype, count_genotypes};
use super::record::parse_float;
use super::{VcfHeader, VcfRecord};

/// Returns true if nothing shows that the record's line was cut off. The record has all its columns; its
/// last value is looked at: its key must be known, and it must have as many parts as its definition
/// says. A number that lost digits, or a text that lost letters, cannot be told from a whole one.
pub fn looks_whole(record: &VcfRecord, header: &VcfHeader) -> bool {
    let quality = record.quality_column();
    if record.filter().is_empty() || !(quality == b"." || parse_float(quality).is_some()) {
        return false;
    }
    if record.format().is_empty() {
        last_info_looks_whole(record, header)
    } else {
        last_sample_looks_whole(record, header)
    }
}

fn last_info_looks_whole(record: &VcfRecord, header: &VcfHeader) -> bool {
    let column = record.info_column();
    if column == b"." {
        return true;
    }
    let Some(entry) = column.rsplit(|byte| *byte == b';').next() else {
        return false;
    };
    let mut parts = entry.splitn(2, |byte| *byte == b'=');
    let key = String::from_utf8_lossy(parts.next().unwrap_or(b""));
    match (header.info_field(&key, "Number"), parts.next()) {
        // A key that the header lacks may be the beginning of one that it has.
        (None, _) => false,
        (Some("0"), value) => value.is_none(),
        (Some(_), None) => false,
        (Some(number), Some(value)) => has_parts(value, number, record, 2),
    }
}

fn last_sample_looks_whole(record: &VcfRecord, header: &VcfHeader) -> bool {
    let keys: Vec<&[u8]> = record.format().split(|byte| *byte == b':').collect();
    let last = header.samples().count().checked_sub(1);
    let Some(column) = last.and_then(|sample| record.sample(sample)) else {
        return false;
    };
    let values: Vec<&[u8]> = column.split(|byte| *byte == b':').collect();
    let (Some(key), Some(value), true) = (keys.last(), values.last(), keys.len() == values.len())
    else {
        // Trailing fields may be left out, but not where they may be cut off.
        return false;
    };
    if *key == b"GT" {
        // One allele may be the first of two.
        return Genotype::parse(value).ploidy() > 1
            && !value.ends_with(b"/")
            && !value.ends_with(b"|");
    }
    let genotype = keys.iter().position(|key| *key == b"GT");
    let ploidy = genotype.map_or(2, |at| Genotype::parse(values[at]).ploidy().max(1));
    let key = String::from_utf8_lossy(key);
    let number = header.format_field(&key, "Number").unwrap_or(".");
    has_parts(value, number, record, ploidy)
}

/// Returns true if a list has the number of values that a definition asks for, none of them empty.
fn has_parts(value: &[u8], number: &str, record: &VcfRecord, ploidy: usize) -> bool {
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b',').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return false;
    }
    let alternates = match record.alleles().1 {
        b"." => 0,
        list => list.split(|byte| *byte == b',').count(),
    };
    let wanted = match number {
        "A" => Some(alternates),
        "R" => Some(alternates + 1),
        "G" => count_genotypes(alternates + 1, ploidy),
        number => number.parse().ok(),
    };
    // A dot stands for a whole list.
    value == b"." || wanted.is_none_or(|wanted| parts.len() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(columns: &str, line: &str) -> bool {
        let lines = [
            "##fileformat=VCFv4.2",
            "##INFO=<ID=DB,Number=0,Type=Flag,Description=\"x\">",
            "##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">",
            "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">",
            "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">",
            "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"x\">",
            &format!("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{columns}"),
        ];
        let header = VcfHeader::parse(lines.map(String::from).to_vec()).unwrap();
        let record = VcfRecord::parse(line.as_bytes().to_vec(), header.column_count()).unwrap();
        looks_whole(&record, &header)
    }

    #[test]
    fn a_site_is_whole_or_cut() {
        for (info, whole) in [
            (".", true),
            ("AF=0.5,0.1", true),
            ("AF=.", true),
            ("AF=0.5;DB", true),
            ("AF=0.5", false),
            ("AF=0.5,", false),
            ("AF=", false),
            ("AF", false),
            ("DB;A", false),
            ("DB;", false),
            ("", false),
        ] {
            let line = format!("1\t5\t.\tA\tC,G\t9.5\tPASS\t{info}");
            assert_eq!(looks("", &line), whole, "{info}");
        }
        assert!(looks("", "1\t5\t.\tA\tC,G\t.\tPASS\t."));
        assert!(!looks("", "1\t5\t.\tA\tC,G\t9.5x\tPASS\t."));
        assert!(!looks("", "1\t5\t.\tA\tC,G\t9\t\t."));
    }

    #[test]
    fn a_sample_is_whole_or_cut() {
        for (format, sample, whole) in [
            ("GT:AD:PL", "0/1:3,4:9,0,9", true),
            ("GT:AD:PL", "0/1:3,4:.", true),
            ("GT:AD:PL", "1:3,4:9,0", true),
            ("GT:AD:PL", "0/1:3,4:9,0", false),
            ("GT:AD:PL", "0/1:3,4:9,0,", false),
            ("GT:AD:PL", "0/1:3,4", false),
            ("GT:AD:PL", "0/1", false),
            ("GT", "0|1", true),
            ("GT", "./.", true),
            ("GT", "|0|1", true),
            ("GT", "0|", false),
            ("GT", "0", false),
            ("GT", "", false),
            ("GT:XX", "0/1:a,b", true),
            ("GT:XX", "0/1:", false),
        ] {
            let line = format!("1\t5\t.\tA\tC\t9.5\tPASS\t.\t{format}\t{sample}");
            assert_eq!(looks("\tFORMAT\ts", &line), whole, "{format} {sample}");
        }
    }
}
