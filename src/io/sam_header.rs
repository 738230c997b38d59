//! Lines of a SAM header: of reads, and of a reference's `.dict`.

use std::collections::BTreeMap;

use cnnfilter_core::genome::{Contig, ContigTable};

/// The reference sequences that a header names.
#[derive(Debug, Clone, Default)]
pub struct Sequences {
    /// Names and lengths.
    pub contigs: ContigTable,
    /// MD5 of their bases, by name, where the header has it.
    pub checksums: BTreeMap<String, String>,
}

impl Sequences {
    /// Those of the `@SQ` lines (SAM specification, section 1.3).
    pub(super) fn of_header(text: &[u8]) -> Self {
        let mut found = Self::default();
        let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for line in lines(text, b"@SQ\t") {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(name) = field(line, b"SN:").map(string) else {
                continue;
            };
            if let Some(checksum) = field(line, b"M5:") {
                let checksum = string(checksum).to_ascii_lowercase();
                found.checksums.insert(name.clone(), checksum);
            }
            let length = field(line, b"LN:").and_then(|length| string(length).parse().ok());
            found.contigs.push(Contig { name, length });
        }
        found
    }
}

/// The lines that begin so.
pub(super) fn lines<'a>(text: &'a [u8], start: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    text.split(|byte| *byte == b'\n')
        .filter(move |line| line.starts_with(start))
}

/// The value of a field of a line, by its tag with the colon.
pub(super) fn field<'a>(line: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    line.split(|byte| *byte == b'\t')
        .find_map(|field| field.strip_prefix(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_have_names_lengths_and_checksums() {
        let text = b"@HD\tVN:1.6\n@SQ\tSN:a\tLN:90\tM5:0B93\r\n@SQ\tLN:7\tSN:b\n@CO\t@SQ\tSN:c\n";
        let found = Sequences::of_header(text);
        let contigs: Vec<_> = found
            .contigs
            .iter()
            .map(|one| (one.name.as_str(), one.length))
            .collect();
        assert_eq!(contigs, [("a", Some(90)), ("b", Some(7))]);
        assert_eq!(
            found.checksums,
            BTreeMap::from([("a".to_owned(), "0b93".to_owned())])
        );
    }
}
