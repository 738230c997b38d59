//! The header of a BCF file, looked at before htslib does: rust-htslib 1.0 goes on with a null pointer
//! where htslib cannot read one.

use std::io::{BufRead, Read as _};
use std::path::Path;

use super::error::IoError;
use super::header_ids;
use cnnfilter_core::vcf::VcfHeader;

/// Longest header that is believed, in bytes: one of millions of contigs has less.
const LONGEST: u32 = 1 << 30;

/// Reads the header of a (decompressed) BCF and returns its bytes.
///
/// # Errors
/// Where it is cut off, of another version of BCF, or no VCF header.
pub(super) fn read(bcf: &mut dyn BufRead, path: &Path) -> Result<Vec<u8>, IoError> {
    let fail = |what: String| IoError::other(path, what);
    let cut_off = || fail("its header is cut off; copy or make the file again".to_owned());
    let mut bytes = Vec::new();
    let mut take = |bytes: &mut Vec<u8>, count: u64| match bcf.take(count).read_to_end(bytes) {
        Ok(found) if found as u64 == count => Ok(()),
        Ok(_) => Err(cut_off()),
        Err(error) => Err(IoError::system(path, "read", error)),
    };
    take(&mut bytes, 9)?;
    let (version, length) = (&bytes[..5], &bytes[5..]);
    if version != b"BCF\x02\x02" {
        return Err(fail(format!(
            "it is of version 2.{} of BCF, expected 2.2; convert it with `bcftools view -Ob`",
            version[4]
        )));
    }
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    if length > LONGEST {
        return Err(fail(format!(
            "its header claims to have {length} bytes, expected {LONGEST} at most; the file is damaged"
        )));
    }
    take(&mut bytes, length.into())?;
    let header = parse(&bytes).map_err(fail)?;
    header_ids::check_columns(&header).map_err(fail)?;
    header_ids::contigs(&header).map_err(fail)?;
    Ok(bytes)
}

/// The header in the bytes of [`read`]. Numbers of contigs (IDX) stand in it, which the text that
/// htslib makes of it leaves out.
///
/// # Errors
/// Where it is no VCF header.
pub(super) fn parse(bytes: &[u8]) -> Result<VcfHeader, String> {
    let text = &bytes[9..];
    let end = text.iter().position(|byte| *byte == 0);
    let (text, padding) = text.split_at(end.unwrap_or(text.len()));
    if padding.iter().any(|byte| *byte != 0) {
        return Err("its header goes on behind a zero byte; the file is damaged".to_owned());
    }
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines: Vec<Vec<u8>> = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if let Some(line) = lines.iter().find(|line| !line.starts_with(b"#")) {
        return Err(format!(
            "expected a header line that begins with `#`, found `{}`",
            String::from_utf8_lossy(&line[..line.len().min(40)])
        ));
    }
    VcfHeader::from_bytes(lines).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

    fn bcf(version: &[u8], text: &[u8]) -> Vec<u8> {
        let length = (text.len() as u32).to_le_bytes();
        [version, &length, text].concat()
    }

    fn message(bytes: &[u8]) -> String {
        let found = read(&mut &bytes[..], Path::new("x.bcf"));
        found.unwrap_err().to_string()
    }

    #[test]
    fn a_whole_header_comes_back() {
        let text = format!("##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\ta\tb\n\0\0");
        let header = bcf(b"BCF\x02\x02", text.as_bytes());
        let with_records = [&header[..], b"records"].concat();
        let mut rest = &with_records[..];
        assert_eq!(read(&mut rest, Path::new("x.bcf")).unwrap(), header);
        assert_eq!(rest, b"records");
        for length in 0..header.len() {
            assert!(message(&header[..length]).contains("cut off"), "{length}");
        }
    }

    #[test]
    fn what_htslib_does_not_survive_is_refused() {
        let version = b"BCF\x02\x02";
        for (bytes, expected) in [
            (bcf(b"BCF\x02\x01", b""), "version 2.1 of BCF"),
            (
                [&version[..], &[255; 4]].concat(),
                "claims to have 4294967295 bytes",
            ),
            (bcf(version, b""), "begins with `#`, found ``"),
            (bcf(version, b"##fip\n#CHROM"), "##fileformat=VCF"),
            (bcf(version, b"##fileformat=VCFv4.2\n"), "no `#CHROM` line"),
            (
                bcf(version, b"##fileformat=VCFv4.2\nx\n"),
                "begins with `#`, found `x`",
            ),
            (
                bcf(version, b"##fileformat=VCFv4.2\0#CHROM"),
                "behind a zero byte",
            ),
            (
                bcf(
                    version,
                    format!("##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\ta\ta\n").as_bytes(),
                ),
                "sample `a` has two columns",
            ),
            (
                bcf(
                    version,
                    format!("##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\n").as_bytes(),
                ),
                "no sample behind it",
            ),
            (
                bcf(
                    version,
                    format!("##fileformat=VCFv4.2\n##INFO=<ID=x,IDX=0>\n{COLUMNS}\n").as_bytes(),
                ),
                "INFO `x` has IDX=0",
            ),
        ] {
            let message = message(&bytes);
            assert!(message.contains(expected), "{message}");
        }
    }
}
