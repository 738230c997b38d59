//! The header of a VCF, as lines.

use std::collections::HashSet;

use super::error::VcfError;
use crate::genome::{Contig, ContigTable};

/// The fixed columns of a VCF, in order.
const FIXED_COLUMNS: [&str; 8] = [
    "#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO",
];

/// A VCF's meta lines and column line, in the order of the file, without line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VcfHeader {
    meta: Vec<String>,
    columns: String,
    /// The bytes were no UTF-8: each stands as the character of its number, and is written back so.
    is_latin1: bool,
    /// Lines end in CR LF.
    has_carriage_returns: bool,
}

impl VcfHeader {
    /// Checks and keeps header lines: `##` lines first, the `#CHROM` line last.
    ///
    /// # Errors
    /// [`VcfError`] where the lines are no VCF header.
    pub fn parse(lines: Vec<String>) -> Result<Self, VcfError> {
        let mut meta = lines;
        let first = meta.first().map_or("", String::as_str);
        if !first.starts_with("##fileformat=VCF") {
            return Err(VcfError::NotVcf {
                found: first.chars().take(40).collect(),
            });
        }
        let columns = match meta.pop() {
            Some(line) if line.starts_with("#CHROM") => line,
            _ => return Err(VcfError::NoColumnLine),
        };
        let found: Vec<&str> = columns.split('\t').take(FIXED_COLUMNS.len()).collect();
        if found != FIXED_COLUMNS {
            return Err(VcfError::ColumnLine { found: columns });
        }
        let mut names = HashSet::new();
        let mut samples = columns.split('\t').skip(FIXED_COLUMNS.len() + 1);
        if let Some(name) = samples.find(|name| !names.insert(*name)) {
            let name = name.to_owned();
            return Err(VcfError::SampleTwice { name });
        }
        Ok(Self {
            meta,
            columns,
            is_latin1: false,
            has_carriage_returns: false,
        })
    }

    /// The same from bytes, which are written back as they came: lines may end in CR, and letters
    /// outside ASCII may be of an older encoding than UTF-8.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_bytes(mut lines: Vec<Vec<u8>>) -> Result<Self, VcfError> {
        let has_carriage_returns = lines.first().is_some_and(|line| line.ends_with(b"\r"));
        for line in &mut lines {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        let is_latin1 = lines.iter().any(|line| std::str::from_utf8(line).is_err());
        let decode = |line: Vec<u8>| -> String {
            if is_latin1 {
                line.into_iter().map(char::from).collect()
            } else {
                String::from_utf8(line).unwrap_or_default()
            }
        };
        let header = Self::parse(lines.into_iter().map(decode).collect())?;
        Ok(Self {
            is_latin1,
            has_carriage_returns,
            ..header
        })
    }

    /// Number of columns of every record.
    pub fn column_count(&self) -> usize {
        self.columns.split('\t').count()
    }

    /// Names of the samples, in column order.
    pub fn samples(&self) -> impl Iterator<Item = &str> {
        self.columns.split('\t').skip(FIXED_COLUMNS.len() + 1)
    }

    /// The contigs of the `##contig` lines, in order.
    pub fn contigs(&self) -> ContigTable {
        ContigTable::new(self.structured("contig").filter_map(|body| {
            Some(Contig {
                name: field(body, "ID")?.to_owned(),
                length: field(body, "length").and_then(|value| value.parse().ok()),
            })
        }))
    }

    /// Returns true if an INFO key has a definition line.
    pub fn defines_info(&self, key: &str) -> bool {
        self.structured("INFO")
            .any(|body| field(body, "ID") == Some(key))
    }

    /// Returns true if a FORMAT key has a definition line.
    pub fn defines_format(&self, key: &str) -> bool {
        self.structured("FORMAT")
            .any(|body| field(body, "ID") == Some(key))
    }

    /// The value of `field` (`Number`, say) in the definition of an INFO key.
    pub fn info_field(&self, key: &str, wanted: &str) -> Option<&str> {
        self.definition_field("INFO", key, wanted)
    }

    /// The value of `field` (`Number`, say) in the definition of a FORMAT key.
    pub fn format_field(&self, key: &str, wanted: &str) -> Option<&str> {
        self.definition_field("FORMAT", key, wanted)
    }

    /// The INFO keys of one type (`Float`, say), in the order of the file.
    pub fn info_keys_of_type<'a>(&'a self, of_type: &'a str) -> impl Iterator<Item = &'a str> {
        self.structured("INFO")
            .filter(move |body| field(body, "Type") == Some(of_type))
            .filter_map(|body| field(body, "ID"))
    }

    /// Puts a definition line of a filter in the place of the one with the same name, or last;
    /// further ones with that name go.
    pub fn put_filter(&mut self, name: &str, line: String) {
        self.put(line, |old| is_definition(old, "FILTER", name));
    }

    /// The same for a FORMAT key.
    pub fn put_format(&mut self, key: &str, line: String) {
        self.put(line, |old| is_definition(old, "FORMAT", key));
    }

    /// Takes out the definitions of the filters whose name `goes`.
    pub fn remove_filters(&mut self, goes: impl Fn(&str) -> bool) {
        self.meta.retain(|line| {
            !body(line, "FILTER")
                .and_then(|body| field(body, "ID"))
                .is_some_and(&goes)
        });
    }

    /// Puts a definition line (`##INFO=<ID=key,...>`) in the place of the one with the same key,
    /// or last; further ones with that key go.
    pub fn put_info(&mut self, key: &str, line: String) {
        self.put(line, |old| is_definition(old, "INFO", key));
    }

    /// Puts a meta line in the place of the first that begins with `prefix`, or last; further
    /// ones with that beginning go.
    pub fn put_meta(&mut self, prefix: &str, line: String) {
        self.put(line, |old| old.starts_with(prefix));
    }

    /// Says which version of cnnfilter wrote the file; an earlier run's line is replaced.
    pub fn put_version(&mut self, version: &str) {
        let prefix = "##cnnfilterVersion=";
        self.put_meta(prefix, format!("{prefix}{version}"));
    }

    /// The meta lines, in order.
    pub fn meta(&self) -> &[String] {
        &self.meta
    }

    /// The header as bytes, each line with a line feed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in self.meta.iter().chain(std::iter::once(&self.columns)) {
            if self.is_latin1 {
                for letter in line.chars() {
                    match u8::try_from(letter) {
                        Ok(byte) => bytes.push(byte),
                        Err(_) => {
                            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes())
                        }
                    }
                }
            } else {
                bytes.extend_from_slice(line.as_bytes());
            }
            bytes.extend_from_slice(if self.has_carriage_returns {
                b"\r\n"
            } else {
                b"\n"
            });
        }
        bytes
    }

    fn put(&mut self, line: String, replaces: impl Fn(&str) -> bool) {
        let mut line = Some(line);
        let mut kept = Vec::with_capacity(self.meta.len() + 1);
        for old in self.meta.drain(..) {
            if replaces(&old) {
                kept.extend(line.take());
            } else {
                kept.push(old);
            }
        }
        kept.extend(line.take());
        self.meta = kept;
    }

    fn definition_field(&self, kind: &str, key: &str, wanted: &str) -> Option<&str> {
        let body = self
            .structured(kind)
            .find(|body| field(body, "ID") == Some(key))?;
        field(body, wanted)
    }

    /// The text between `<` and `>` in the lines `##kind=<...>`, in the order of the file;
    /// [`field`] reads it.
    pub fn structured<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a str> {
        self.meta.iter().filter_map(move |line| body(line, kind))
    }
}

fn body<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    line.strip_prefix("##")?
        .strip_prefix(kind)?
        .strip_prefix("=<")?
        .strip_suffix('>')
}

fn is_definition(line: &str, kind: &str, id: &str) -> bool {
    body(line, kind).and_then(|body| field(body, "ID")) == Some(id)
}

/// The value of one key in the body of a structured meta line, as it stands in the file; values may be quoted, and quoted
/// values may hold commas and escaped quotes (section 1.4).
pub fn field<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    let mut rest = body;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let end = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let close = quoted.find(|c| {
                    let closes = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    closes
                })?;
                close + 2
            }
            None => after.find(',').unwrap_or(after.len()),
        };
        if name == key {
            let value = &after[..end];
            let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            return Some(quoted.unwrap_or(value));
        }
        rest = after[end..].strip_prefix(',').unwrap_or("");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(lines: &[&str]) -> Result<VcfHeader, VcfError> {
        VcfHeader::parse(lines.iter().map(|line| (*line).to_owned()).collect())
    }

    const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb";

    #[test]
    fn reads_contigs_samples_and_definitions() {
        let header = header(&[
            "##fileformat=VCFv4.2",
            "##contig=<ID=HLA-A*01:01,length=3503,assembly=\"a,\\\"b\\\"=c\">",
            "##contig=<assembly=\"x,y\",ID=chrUn>",
            "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth, ID=MQ\">",
            COLUMNS,
        ])
        .unwrap();
        let contigs = header.contigs();
        assert_eq!(contigs.get("HLA-A*01:01").unwrap().length, Some(3503));
        assert_eq!(contigs.get("chrUn").unwrap().length, None);
        assert!(header.defines_info("DP") && !header.defines_info("MQ"));
        assert_eq!(header.samples().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(header.column_count(), 11);
    }

    #[test]
    fn a_definition_is_replaced_where_it_stands_and_never_doubled() {
        let old = "##INFO=<ID=CNN_2D,Number=1,Type=Float,Description=\"old\">";
        let mut header =
            header(&["##fileformat=VCFv4.2", old, "##source=x", old, COLUMNS]).unwrap();
        header.put_info("CNN_2D", "##INFO=<ID=CNN_2D,new>".into());
        header.put_info("CNN_1D", "##INFO=<ID=CNN_1D,new>".into());
        header.put_meta("##cnnfilterVersion=", "##cnnfilterVersion=1".into());
        header.put_meta("##cnnfilterVersion=", "##cnnfilterVersion=2".into());
        assert_eq!(
            header.meta(),
            [
                "##fileformat=VCFv4.2",
                "##INFO=<ID=CNN_2D,new>",
                "##source=x",
                "##INFO=<ID=CNN_1D,new>",
                "##cnnfilterVersion=2"
            ]
        );
    }

    #[test]
    fn bytes_are_written_back_as_they_came() {
        for text in [
            &b"##fileformat=VCFv4.2\n##x=\xc3\xa9\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tJos\xc3\xa9\n"[..],
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tJos\xe9\tJos\xe8\n",
            b"##fileformat=VCFv4.2\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\r\n",
        ] {
            let lines: Vec<Vec<u8>> = text
                .strip_suffix(b"\n")
                .unwrap()
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            let header = VcfHeader::from_bytes(lines).unwrap();
            assert_eq!(header.to_bytes(), text);
            let samples: Vec<&str> = header.samples().collect();
            assert!(samples.iter().all(|sample| !sample.ends_with('\r')), "{samples:?}");
        }
    }

    #[test]
    fn says_what_is_missing_or_stands_twice() {
        assert!(matches!(header(&["hello"]), Err(VcfError::NotVcf { .. })));
        assert!(matches!(header(&[]), Err(VcfError::NotVcf { .. })));
        assert_eq!(
            header(&["##fileformat=VCFv4.2", "##source=x"]),
            Err(VcfError::NoColumnLine)
        );
        assert!(matches!(
            header(&["##fileformat=VCFv4.2", "#CHROM POS"]),
            Err(VcfError::ColumnLine { .. })
        ));
        assert_eq!(
            header(&["##fileformat=VCFv4.2", &format!("{COLUMNS}\tc\ta")]),
            Err(VcfError::SampleTwice { name: "a".into() })
        );
    }
}
