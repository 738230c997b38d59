//! Contigs of calls, reads and reference, beyond what makes a run fail.

use std::collections::BTreeMap;

use super::{Check, Finding, counted, some_names};
use crate::genome::ContigTable;
use crate::genome::contigs::ContigMismatch;

/// The contigs of one file.
#[derive(Debug, Clone, Copy)]
pub struct NamedContigs<'a> {
    /// The file as messages name it.
    pub file: &'a str,
    /// Names and lengths.
    pub contigs: &'a ContigTable,
    /// MD5 of their bases in small letters, by name, where the file has it.
    pub checksums: &'a BTreeMap<String, String>,
}

/// What to do about contigs that have two spellings; nothing for another mismatch.
pub fn spelling_advice(mismatch: &ContigMismatch) -> Option<&'static str> {
    matches!(mismatch, ContigMismatch::Spelling { .. }).then_some(
        "`bcftools annotate --rename-chrs` gives the contigs of calls other names, `samtools reheader` those of reads; mind that the same names need not be the same assembly",
    )
}

/// Of files that agree so far that a run begins: contigs of the calls that others lack, and contigs with
/// one name and different bases. `reference` comes with the checksums of its `.dict`.
pub fn judge_contigs(
    calls: NamedContigs<'_>,
    reads: &[NamedContigs<'_>],
    reference: NamedContigs<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for other in [reference].iter().chain(reads) {
        findings.extend(lacking(calls, *other));
    }
    let mut compared = 0;
    let files: Vec<NamedContigs<'_>> = [reference, calls]
        .into_iter()
        .chain(reads.iter().copied())
        .collect();
    for (at, left) in files.iter().enumerate() {
        for right in &files[at + 1..] {
            let shared = left.checksums.iter().filter_map(|(name, checksum)| {
                Some((name, checksum == right.checksums.get(name)?))
            });
            let (same, other): (Vec<_>, Vec<_>) = shared.partition(|(_, is_same)| *is_same);
            compared += same.len() as u64;
            if !other.is_empty() {
                let names = some_names(other.iter().map(|(name, _)| name.as_str()));
                let found = format!(
                    "{names}: the same name and another MD5 in {} than in {}: other bases",
                    right.file, left.file
                );
                let advice = "give the reference that the reads were aligned to and called with";
                findings.push(Finding::warning(Check::Contigs, found).advise(advice));
            }
        }
    }
    if findings.is_empty() {
        let who = if reads.is_empty() {
            "calls and reference"
        } else {
            "calls, reads and reference"
        };
        let checksums = if compared > 0 { ", and on MD5s" } else { "" };
        let count = counted(reference.contigs.len() as u64, "contig");
        let found = format!("{who} agree on names and lengths{checksums} ({count})");
        findings.push(Finding::ok(Check::Contigs, found));
    }
    findings
}

/// Contigs in the header of the calls that another file does not have.
fn lacking(calls: NamedContigs<'_>, other: NamedContigs<'_>) -> Option<Finding> {
    // A header without contigs says nothing about them.
    if other.contigs.is_empty() {
        return None;
    }
    let names = calls.contigs.iter().map(|contig| contig.name.as_str());
    let lacking: Vec<&str> = names
        .filter(|name| other.contigs.get(name).is_none())
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let count = counted(lacking.len() as u64, "contig");
    let spelled = lacking.iter().find_map(|name| {
        let there = other.contigs.other_spelling(name)?;
        Some(format!("; `{name}` may be `{there}` there"))
    });
    let found = format!(
        "{} lacks {count} of {} ({}): calls there get no score{}",
        other.file,
        calls.file,
        some_names(lacking.iter().copied()),
        spelled.unwrap_or_default()
    );
    Some(
        Finding::warning(Check::Contigs, found)
            .advise("fine where no calls lie there, or you need none of them"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::genome::Contig;

    fn table(names: &[&str]) -> ContigTable {
        ContigTable::new(names.iter().map(|name| Contig {
            name: (*name).to_owned(),
            length: Some(9),
        }))
    }

    fn sums(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = of.iter();
        pairs
            .map(|(name, sum)| ((*name).to_owned(), (*sum).to_owned()))
            .collect()
    }

    /// Status and text of the findings about calls, reads and reference with these contigs.
    fn judge(
        calls: &[&str],
        reads: &[(&str, &str)],
        reference: &[(&str, &str)],
    ) -> Vec<(Status, String)> {
        let names = |of: &[(&str, &str)]| {
            of.iter()
                .map(|(name, _)| name.to_string())
                .collect::<Vec<_>>()
        };
        let (read_names, reference_names) = (names(reads), names(reference));
        let text = |names: &[String]| table(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let tables = (table(calls), text(&read_names), text(&reference_names));
        let (none, read_sums, reference_sums) = (BTreeMap::new(), sums(reads), sums(reference));
        let named = |file, contigs, checksums| NamedContigs {
            file,
            contigs,
            checksums,
        };
        let found = judge_contigs(
            named("c", &tables.0, &none),
            &[named("b", &tables.1, &read_sums)],
            named("r", &tables.2, &reference_sums),
        );
        found
            .into_iter()
            .map(|one| (one.status, one.found))
            .collect()
    }

    #[test]
    fn contigs_that_a_file_lacks_are_named() {
        let both = [("1", "x"), ("M", "y")];
        let found = judge(&["1", "MT", "2"], &both, &both);
        assert_eq!(found.len(), 2);
        for (file, (status, text)) in ["r lacks", "b lacks"].iter().zip(found) {
            assert_eq!(status, Status::Warning);
            assert!(
                text.contains(file) && text.contains("2 contigs of c (`MT`, `2`)"),
                "{text}"
            );
            assert!(text.contains("`MT` may be `M` there"), "{text}");
        }
        let found = judge(&["1"], &both, &both);
        assert_eq!(found[0].0, Status::Ok);
        assert!(found[0].1.contains("and on MD5s"), "{}", found[0].1);
    }

    #[test]
    fn other_bases_under_one_name_are_told() {
        let found = judge(&["1"], &[("1", "x")], &[("1", "z")]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .1
                .contains("`1`: the same name and another MD5 in b than in r"),
            "{found:?}"
        );
        let mismatch = ContigMismatch::Spelling {
            left: "1".into(),
            right: "chr1".into(),
        };
        assert!(spelling_advice(&mismatch).is_some());
    }
}
