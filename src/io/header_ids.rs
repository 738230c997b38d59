//! The numbers by which BCF names contigs and keys, as htslib gives them out.
//!
//! The first field that is there decides: `IDX=` of the header line, else the next free number.
//! FILTER, INFO and FORMAT share their numbers, by name, and `PASS` has 0.

use std::collections::{BTreeMap, BTreeSet};

use cnnfilter_core::vcf::VcfHeader;
use cnnfilter_core::vcf::header::field;

/// Highest number that is believed: htslib keeps a table as long as the highest one, and headers of
/// millions of contigs have less.
const HIGHEST: u64 = 1 << 24;

/// The names of one kind, by number.
#[derive(Debug, Default)]
struct Dictionary {
    names: BTreeMap<u64, String>,
    known: BTreeSet<String>,
}

impl Dictionary {
    /// Gives a name its number, unless it has one.
    fn add(&mut self, name: &str, idx: Option<&str>) -> Result<(), String> {
        if self.known.contains(name) {
            return Ok(());
        }
        let next = self.names.last_key_value().map_or(0, |(last, _)| last + 1);
        let number = match idx {
            None => next,
            // htslib skips a line with such a number, so that its records have no key.
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number <= HIGHEST)
                .ok_or(format!(
                    "`{name}` has IDX={text}; expected a whole number up to {HIGHEST}"
                ))?,
        };
        if let Some(other) = self.names.get(&number) {
            return Err(format!(
                "`{name}` has IDX={number}, which `{other}` has already"
            ));
        }
        self.names.insert(number, name.to_owned());
        self.known.insert(name.to_owned());
        Ok(())
    }
}

/// The names of contigs by their numbers in a BCF's records.
///
/// # Errors
/// Where htslib would refuse the header, or not survive it: the reason, with what to do.
pub(super) fn contigs(header: &VcfHeader) -> Result<BTreeMap<u64, String>, String> {
    let (mut contigs, mut keys) = (Dictionary::default(), Dictionary::default());
    keys.add("PASS", None)?;
    for line in header.meta() {
        let Some((kind, body)) = structured(line) else {
            continue;
        };
        let dictionary = match kind {
            "contig" => &mut contigs,
            "FILTER" | "INFO" | "FORMAT" => &mut keys,
            _ => continue,
        };
        let Some(name) = field(body, "ID") else {
            continue;
        };
        dictionary.add(name, field(body, "IDX")).map_err(|what| {
            format!("the header numbers its lines wrongly: {kind} {what}; take the IDX fields out (`sed 's/,IDX=[0-9]*//'` on the header, `bcftools reheader`)")
        })?;
    }
    Ok(contigs.names)
}

/// The part of a header's columns that cannot stand in BCF, with what to do.
///
/// # Errors
/// FORMAT without a sample, or a sample without a name.
pub(super) fn check_columns(header: &VcfHeader) -> Result<(), String> {
    let names: Vec<&str> = header.samples().collect();
    if names.is_empty() && header.column_count() > 8 {
        return Err(
            "the #CHROM line has FORMAT and no sample behind it; take the column out (`cut -f1-8`), or name the samples"
                .to_owned(),
        );
    }
    let is_blank = |name: &&str| name.bytes().all(|byte| byte.is_ascii_whitespace());
    match names.iter().position(is_blank) {
        None => Ok(()),
        Some(at) => Err(format!(
            "sample {} of the #CHROM line has no name (is there a tab at its end?); name it, or take its column out",
            at + 1
        )),
    }
}

/// Kind and fields of a line `##kind=<fields>`.
fn structured(line: &str) -> Option<(&str, &str)> {
    let (kind, rest) = line.strip_prefix("##")?.split_once('=')?;
    Some((kind, rest.strip_prefix('<')?.trim_end().strip_suffix('>')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(lines: &[&str], columns: &str) -> VcfHeader {
        let columns = format!("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{columns}");
        let lines = ["##fileformat=VCFv4.2"].iter().chain(lines);
        let lines = lines.map(ToString::to_string).chain([columns]);
        VcfHeader::parse(lines.collect()).unwrap()
    }

    #[test]
    fn contigs_have_the_numbers_that_their_lines_give() {
        let found = contigs(&header(
            &[
                "##contig=<ID=a>",
                "##contig=<ID=b,IDX=7>",
                "##contig=<ID=a,IDX=3>",
                "##contig=<ID=c>",
                "##INFO=<ID=x,Number=1,Type=String,Description=\"a, IDX=0, \\\" b\",IDX=4>",
                "##FORMAT=<ID=x,Number=1,Type=String,Description=\"\",IDX=9>",
            ],
            "",
        ));
        let found: Vec<(u64, String)> = found.unwrap().into_iter().collect();
        let expected = [(0, "a"), (7, "b"), (8, "c")];
        assert_eq!(
            found,
            expected.map(|(number, name)| (number, name.to_owned()))
        );
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        for (lines, expected) in [
            (
                &["##INFO=<ID=x,IDX=0>"][..],
                "INFO `x` has IDX=0, which `PASS`",
            ),
            (
                &["##FILTER=<ID=x,IDX=2>", "##FORMAT=<ID=y,IDX=2>"],
                "FORMAT `y` has IDX=2, which `x` has already",
            ),
            (
                &["##contig=<ID=x,IDX=2>", "##contig=<ID=y,IDX=2>"],
                "contig `y` has IDX=2",
            ),
            (&["##contig=<ID=x,IDX=2000000000>"], "up to 16777216"),
            (
                &["##contig=<ID=x,IDX=-1>"],
                "IDX=-1; expected a whole number",
            ),
        ] {
            let message = contigs(&header(lines, "")).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn columns_without_names_are_named() {
        for (columns, expected) in [
            ("", None),
            ("\tFORMAT\ta\tb", None),
            ("\tFORMAT", Some("no sample behind it")),
            (
                "\tFORMAT\t",
                Some("sample 1 of the #CHROM line has no name"),
            ),
            (
                "\tFORMAT\ta\t ",
                Some("sample 2 of the #CHROM line has no name"),
            ),
            ("\tFORMAT\ta\t\tb", Some("sample 2")),
        ] {
            let found = check_columns(&header(&[], columns));
            match expected {
                None => assert_eq!(found, Ok(()), "{columns:?}"),
                Some(part) => assert!(found.unwrap_err().contains(part), "{columns:?}"),
            }
        }
    }
}
